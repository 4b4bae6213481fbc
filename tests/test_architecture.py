"""Who may import whom, what is imported late, and how long a file may be: read from the source."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import vaetools

PACKAGE = Path(vaetools.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 350

OPEN = {"axes", "checks", "files", "frames", "geometry", "mixins", "progress", "schema", "versions", "words"}
# a room may import itself, what is open to all, and these
MAY_IMPORT = {
    **{room: set() for room in OPEN},
    "nn": set(),
    "anomaly": {"nn"},
    "estimators": {"nn", "anomaly", "latent"},
    "persistence": {"nn", "anomaly", "estimators", "latent", "data"},
    "stream": {"nn", "anomaly", "estimators", "persistence", "latent", "data"},
    "watch": {"anomaly", "estimators", "persistence", "report"},
    "latent": set(),
    "data": set(),
    "datasets": set(),
    "report": {"latent", "anomaly", "estimators"},
    "plot": {"latent", "anomaly", "estimators", "report"},
    "explorer": {"nn", "latent", "anomaly", "estimators", "report"},
    "cli": {
        *{"nn", "anomaly", "estimators", "persistence", "stream", "latent", "data", "datasets", "report"},
        "explorer",
        "watch",
    },
    "__main__": {"cli", "report"},
    # for type checkers: at run time it imports nothing
    "__init__": {
        "nn",
        "anomaly",
        "estimators",
        "persistence",
        "stream",
        "data",
        "latent",
        "report",
        "explorer",
        "watch",
    },
}
LATE = {"plotly", "umap", "openTSNE", "torchvision", "PIL", "pillow_heif", "jinja2"}
LATE |= {"onnx", "onnxscript", "onnxruntime", "ray", "fsspec"}


class Import(NamedTuple):
    """One imported module or name, with where it stands."""

    target: str  # dotted, without the name for `from module import name`
    name: str | None
    level: int
    late: bool  # inside a function, or for type checkers alone: not run when the module is imported
    line: int


def imports_of(source):
    """All imports of a module."""

    def walk(node, late):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, None, 0, late, child.lineno)
            elif isinstance(child, ast.ImportFrom):
                for alias in child.names:
                    yield Import(child.module or "", alias.name, child.level, late, child.lineno)
            typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield from walk(child, late or typing or function)

    return list(walk(ast.parse(source), late=False))


def room(path):
    """The room of a file: a folder or a single module of the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_room(found):
    """The room of ours that an import reaches, or None; public names count as their home."""
    parts = found.target.split(".")
    if parts[0] != "vaetools":
        return None
    if len(parts) > 1:
        return parts[1]
    if found.name in (None, "__version__"):
        return None
    return vaetools._HOMES.get(found.name, f"vaetools.{found.name}").split(".")[1]


def forbidden(path, source):
    """Rooms that a file imports and may not."""
    here = room(path)
    allowed = MAY_IMPORT[here] | {here} | OPEN
    reached = {(imported_room(found), found.line) for found in imports_of(source)}
    return sorted((there, line) for there, line in reached if there is not None and there not in allowed)


def early(source, names):
    """Top-level imports of any of some packages."""
    return [
        found.line for found in imports_of(source) if not found.late and found.target.split(".")[0] in names
    ]


every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def test_every_room_is_in_the_table():
    assert {room(path) for path in MODULES} <= set(MAY_IMPORT)
    assert {"nn", "anomaly", "estimators", "files"} <= {room(path) for path in MODULES}


@every_module
def test_who_imports_whom(path):
    assert forbidden(path, path.read_text()) == []


@every_module
def test_imports_are_absolute(path):
    assert [found.line for found in imports_of(path.read_text()) if found.level] == []


@every_module
def test_heavy_packages_are_imported_late(path):
    assert early(path.read_text(), LATE) == []


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) == "nn"], ids=lambda path: path.stem)
def test_nn_does_not_know_scikit_learn(path):
    assert [f.line for f in imports_of(path.read_text()) if f.target.split(".")[0] == "sklearn"] == []


@pytest.mark.parametrize("name", ["__init__.py", "files.py"])
def test_the_face_and_the_model_file_need_nothing_heavy(name):
    assert early((PACKAGE / name).read_text(), {"torch", "sklearn", "pandas", "vaetools"}) == []


def test_what_a_model_file_may_say_is_known_without_torch_and_numpy():
    heavy = ["torch", "sklearn", "pandas", "scipy", "numpy"]
    code = (
        f"import sys, vaetools.persistence.header; print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@every_module
def test_a_file_is_short(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.fixture
def house(monkeypatch):
    """The script that counts, which stands beside those that it imports."""
    monkeypatch.syspath_prepend(str(PACKAGE.parent / "benchmarks"))
    return importlib.import_module("house")


def test_no_modules_import_each_other_and_rooms_keep_their_private_names(house):
    trees = house.modules()
    assert len(trees) == len(MODULES)
    assert house.circles(trees) == []
    assert house.private_uses(trees) == []


def test_no_function_has_a_complexity_of_grade_d(house):
    assert house.complex_blocks() == []


def test_circles_and_private_uses_are_found(house):
    there = "from vaetools.b import c\n"
    here = "def f(x):\n    from vaetools.a.m import g\n    return x._kept\n"
    trees = {
        "vaetools.a.m": ast.parse(there + "def g():\n    pass\n\ndef _kept():\n    pass\n"),
        "vaetools.b": ast.parse(here),
    }
    assert house.circles(trees) == [{"vaetools.a.m", "vaetools.b"}]
    assert house.private_uses(trees) == ["vaetools.b: _kept"]


def test_importing_the_package_loads_neither_torch_nor_plotly():
    heavy = sorted(LATE | {"torch", "sklearn", "pandas", "numpy"})
    code = f"import sys, vaetools; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_those_of_the_table():
    assert set(vaetools.__all__) == set(vaetools._HOMES)
    assert set(vaetools.__all__) <= set(dir(vaetools))
    assert vaetools.plot.samples.__module__ == "vaetools.plot.decoded"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        vaetools.Nothing  # noqa: B018


# What is imported is declared

NAMES = {  # of packages that are imported by another
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pillow_heif": "pillow-heif",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
}


def declared():
    """Names of packages that every installation has, and of those of some extra."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lists = project["dependencies"], [each for name in extras if name != "test" for each in extras[name]]
    return tuple({re.match(r"[\w.-]+", each)[0].lower() for each in some} for some in lists)


def imported(*, late):
    """Names of packages that are imported when a module is, or by the functions that need them."""
    found = {
        each.target.split(".")[0]
        for path in MODULES
        for each in imports_of(path.read_text())
        if each.late == late and each.target
    }
    others = found - sys.stdlib_module_names - {"vaetools"}
    return {NAMES.get(name, name).lower() for name in others}


def test_what_is_imported_is_declared():
    always, extra = declared()
    assert imported(late=False) - always == set()
    assert imported(late=True) - always - extra == set()
    assert always - imported(late=False) - imported(late=True) == set()


# The checks themselves must be able to fail


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("nn/x.py", "from vaetools.anomaly.scores import SCORES", ["anomaly"]),
        ("nn/x.py", "def f():\n    import vaetools.estimators.ae", ["estimators"]),
        ("anomaly/x.py", "from vaetools import VAE", ["estimators"]),
        ("anomaly/x.py", "from vaetools.nn.model import Reading", []),
        ("report/x.py", "from vaetools import latent, nn", ["nn"]),
        ("latent/x.py", "from vaetools.data import idx", ["data"]),
        ("data/x.py", "import vaetools.files", []),
        ("stream/flow.py", "from vaetools.cli import main", ["cli"]),
        ("files.py", "from vaetools.nn import networks", ["nn"]),
        ("cli/x.py", "from vaetools import __version__, report", []),
    ],
)
def test_forbidden_imports_are_found(file, source, expected):
    assert [there for there, _ in forbidden(PACKAGE / file, source)] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import plotly.graph_objects as go", [1]),
        ("class A:\n    from PIL import Image", [2]),
        ("try:\n    import umap\nexcept ImportError:\n    pass", [2]),
        ("def f():\n    import umap\n    if f:\n        from PIL import Image", []),
        ("if TYPE_CHECKING:\n    import umap\nif True:\n    import plotly", [4]),
        ("import plotlyx", []),
    ],
)
def test_early_imports_are_found(source, expected):
    assert early(source, LATE) == expected

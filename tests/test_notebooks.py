"""Notebooks are kept as they ran: in order, without errors, warnings or paths of a machine.

That they still run is checked where everything is checked from a clean checkout; it takes minutes.
"""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 1_500_000  # bytes
ABSOLUTE = re.compile(r"(?<![\w.:/])/(tmp|home|root|usr|var|work|Users|private)/|\b[A-Z]:\\\\")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def words(output):
    """What a reader can read in an output: no pictures."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    data = output.get("data", {})
    return "\n".join("".join(data[kind]) for kind in data if kind.startswith("text/"))


def test_there_are_five_and_the_list_names_them():
    names = [path.stem[:2] for path in NOTEBOOKS]
    assert names == ["01", "02", "03", "04", "05"]
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((\S+\.ipynb)\)", listed)) == {path.name for path in NOTEBOOKS}


@each
def test_it_ran_in_order_and_all_went_well(path):
    assert read(path)["metadata"]["kernelspec"]["name"] == "python3"
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [words(output) for output in outputs if output.get("name") == "stderr"]
    assert not [words(output) for output in outputs if "Warning" in words(output)]


@each
def test_it_is_small_and_speaks_of_no_machine(path):
    assert path.stat().st_size < LARGEST
    texts = ["".join(cell["source"]) for cell in read(path)["cells"]]
    texts += [words(output) for cell in code_cells(path) for output in cell["outputs"]]
    assert not [found.group() for text in texts for found in ABSOLUTE.finditer(text)]


@each
def test_figures_are_kept_as_pictures_too(path):
    """Not every page that shows notebooks draws plotly's figures."""
    data = [output.get("data", {}) for cell in code_cells(path) for output in cell["outputs"]]
    figures = [kinds for kinds in data if any("plotly" in kind for kind in kinds)]
    assert all("image/png" in kinds for kinds in figures)
    assert any("image/png" in kinds for kinds in data)


@each
def test_what_it_imports_exists(path):
    source = "\n".join("".join(cell["source"]) for cell in code_cells(path))
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if node.module.split(".")[0] == "vaetools"]
    assert ours
    for node in ours:
        module = importlib.import_module(node.module)
        assert [name.name for name in node.names if not hasattr(module, name.name)] == []

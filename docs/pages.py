"""Which page of the reference every public name has; the pages are written when the site is built."""

import importlib
import inspect
import re
from pathlib import Path

import vaetools

FOLDER = "docs/reference/api"  # of what is written, which git ignores
HOMES = {  # rooms whose names the package itself has, with what they are there
    "estimators": "Estimators",
    "nn": "Likelihoods and networks",
    "anomaly": "Verdicts",
    "data": "Files, images and tables",
    "stream": "Data of any length",
    "watch": "Day after day",
    "persistence": "Models in files",
    "files": "Models in files",
    "latent": "Maps of codes",
    "geometry": "Maps of codes",
    "report": "Reports and pictures",
    "explorer": "The explorer",
    "versions": "Help",
}
MODULES = {  # modules whose own public names the guides use
    "vaetools.anomaly.calibration": "thresholds and p-values",
    "vaetools.anomaly.certificates": "certified thresholds",
    "vaetools.anomaly.explanation": "heat maps",
    "vaetools.anomaly.rates": "rates of false alarms, by how many rows calibrate",
    "vaetools.anomaly.localization": "maps against masks",
    "vaetools.data.arrays": "arrays in files",
    "vaetools.datasets": "images to start with",
    "vaetools.latent.organization": "measures of a latent space",
    "vaetools.latent.paths": "ways through latent space",
    "vaetools.plot": "figures",
    "vaetools.stream": "sinks and streams",
}
_TABLES = re.compile(r"```\{toctree\}\n(.*?)```", flags=re.DOTALL)


def names_of(module_name: str) -> list[str]:
    """Return the public names of a module: what ``__all__`` says, or what is there with an example."""
    module = importlib.import_module(module_name)
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module_name
        and has_example(f"{module_name}.{name}")
    ]
    return list(getattr(module, "__all__", own))


def has_example(name: str) -> bool:
    """Return whether the docstring of a name, or that of the module it is imported from, shows it at work."""
    home, _, last = name.rpartition(".")
    module = importlib.import_module(home)
    own, around = getattr(module, last).__doc__ or "", module.__doc__ or ""
    return ">>>" in own or any(
        re.search(rf"\b{last}\b", line) for line in re.findall(">>>.*|\\.\\.\\. .*", around)
    )


def groups() -> dict[str, list[str]]:
    """Return the names of the package itself by the room that is their home; those of none are last."""
    found: dict[str, list[str]] = {title: [] for title in (*HOMES.values(), "Else")}
    for name, home in vaetools._HOMES.items():
        found[HOMES.get(home.split(".")[1], "Else")].append(name)
    return {title: names for title, names in found.items() if names}


def documented() -> dict[str, str]:
    """Return the page that describes a name, by the name as it is imported."""
    pages = {f"vaetools.{name}": "vaetools" for name in vaetools.__all__}
    for module in MODULES:
        pages |= {f"{module}.{name}": module for name in names_of(module)}
    return pages


def listed(root: Path) -> set[str]:
    """Return what tables of contents list, as they name it."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((root / "docs").rglob("*.md"))]
    lines = [line for text in texts for table in _TABLES.findall(text) for line in table.splitlines()]
    return {re.sub(r".*<(.*)>", r"\1", line).strip() for line in lines}


def write(root: Path) -> None:
    """Write a page for the package, and one for each module."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_table(title, "vaetools", names) for title, names in groups().items()]
    _keep(folder / "vaetools.rst", _page("All public names", "vaetools", "".join(parts)))
    for module, title in MODULES.items():
        text = _page(f"{module}: {title}", module, _names(module, names_of(module)))
        _keep(folder / f"{module}.rst", text)
    _clear(folder, {"vaetools", *MODULES})
    _clear(folder / "names", set(documented()))


def _clear(folder: Path, names: set[str]) -> None:
    """Remove pages of names that are no longer public."""
    for path in folder.glob("*.rst"):
        if path.stem not in names:
            path.unlink()


def _page(title: str, module: str, body: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n``{module}``\n\n.. automodule:: {module}\n\n{body}"


def _table(title: str, module: str, names: list[str]) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{_names(module, names)}"


def _names(module: str, names: list[str]) -> str:
    rows = "\n".join(f"   {name}" for name in names)
    options = "   :toctree: names\n   :nosignatures:"
    return f".. currentmodule:: {module}\n\n.. autosummary::\n{options}\n\n{rows}\n\n"


def _keep(path: Path, text: str) -> None:
    """Write a page unless it is there already, so that it is not read again for nothing."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")

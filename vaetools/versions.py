"""What a report of a fault must say of the machine: versions of what is installed."""

import importlib.metadata
import os
import platform
import re
import sys
import tomllib
from pathlib import Path

import vaetools


def show_versions() -> None:
    """Print versions of vaetools, Python and what both work with, for a report of a fault.

    Nothing is imported for it but PyTorch, which is asked for its threads and for a GPU.

    Examples
    --------
    >>> import vaetools
    >>> vaetools.show_versions()  # doctest: +ELLIPSIS
    vaetools  ...
    """
    lines = {**_system(), **_packages()}
    width = max(map(len, lines))
    print("\n".join(f"{name:{width}}  {value}" for name, value in lines.items()))  # noqa: T201


def _system() -> dict[str, str]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no"
    return {
        "vaetools": vaetools.__version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": f"{torch.get_num_threads()} of torch",
        "CUDA": gpu,
    }


def _packages() -> dict[str, str]:
    """Return the versions of what the package asks for, and of what its extras for users ask for."""
    found = [re.match(r"([\w.-]+)(.*extra ==)?(.*)", each) for each in _requirements()]
    needed = {each[1] for each in found if each and not each[2]}
    wished = {each[1] for each in found if each and each[2] and not re.search("test|docs|notebooks", each[3])}
    names = sorted(needed) + sorted(wished - needed - {"vaetools"})
    return {name: version for name in names if (version := _version(name, name in needed))}


def _requirements() -> list[str]:
    """Return what the package asks for, also where its sources are used without installing them."""
    try:
        return importlib.metadata.requires("vaetools") or []
    except importlib.metadata.PackageNotFoundError:
        project = Path(vaetools.__file__).parents[1] / "pyproject.toml"
        return tomllib.loads(project.read_text())["project"]["dependencies"] if project.is_file() else []


def _version(name: str, is_needed: bool) -> str:
    """Return the version of a package, and nothing of one that is absent and need not be there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing" if is_needed else ""

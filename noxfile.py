#!/usr/bin/env python3
# /// script
# dependencies = ["nox"]
# ///
"""The jobs of a contributor by name: ``nox -l`` lists them, ``nox -s tests`` runs one."""

import re
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "venv"


@nox.session
def lint(session: nox.Session) -> None:
    """Lint, and look whether files are formatted."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy the package, and a second checker what users write."""
    session.install("-e", ".[test]", "pyright[nodejs]>=1.1.400")
    session.run("mypy")
    session.run("pyright")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, and the examples in docstrings, with the newest dependencies."""
    session.install("-e", ".[test,docs]")
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)
    session.run("pytest", "-q", "--doctest-modules", "vaetools", env={"OMP_NUM_THREADS": "1"})


@nox.session(python="3.11", default=False)
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest versions that are declared."""
    constraints = Path(session.create_tmp(), "lowest.txt")
    constraints.write_text("\n".join(lowest_versions()) + "\n", encoding="utf-8")
    session.install("-e", ".[test]", "-c", str(constraints))
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/site."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "-n", "-q", "-c", "docs", ".", "build/site")


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure how long imports and commands take; other scripts are named behind ``--``."""
    session.install("-e", ".")
    session.run("python", *(session.posargs or ["benchmarks/startup.py"]))


@nox.session(default=False)
def speed(session: nox.Session) -> None:
    """Measure what everybody does, for comparing commits; the first point is in docs/results.md."""
    session.install("-e", ".[test]", "pytest-codspeed>=5")
    session.run("pytest", "-q", "--codspeed", "benchmarks/speed.py", env={"OMP_NUM_THREADS": "1"})


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Make sdist and wheel, and look at both."""
    session.install("build", "twine", "check-wheel-contents")
    session.run("python", "-m", "build")
    made = [str(path) for path in Path("dist").iterdir()]
    session.run("twine", "check", "--strict", *made)
    session.run("check-wheel-contents", *[path for path in made if path.endswith(".whl")])


def lowest_versions() -> list[str]:
    """Return what the package needs to run and to export, and pytest, each at the lowest declared version.

    PyTorch is that of the extra onnx, which the tests need; without it an earlier one will do.
    """
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + [line for line in extras["test"] if line.startswith("pytest>=")]
    needed += [line for line in extras["onnx"] if line.startswith("torch")]
    floors = [re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", line) for line in needed]
    lowest = {floor[1]: floor[2] for floor in floors if floor}  # what an extra needs is said last
    return [f"{name}=={version}" for name, version in lowest.items()]


if __name__ == "__main__":
    nox.main()

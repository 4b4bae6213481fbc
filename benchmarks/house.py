"""How large and how tangled the package is: counts of its source, and of the ways through it.

python benchmarks/house.py                 # counts of the source
python benchmarks/house.py --walks         # hops of some calls and passes of the network too
PYTHONPATH=/path/to/other/checkout python benchmarks/house.py --walks   # of another version

What is counted
---------------
lines, files, share of docstrings
    Of Python files of the package, blank lines and comments too.
records
    Classes that are dataclasses, named tuples or typed dictionaries, estimators not counted.
circles
    Groups of modules that import each other at run time, imports inside functions too.
private uses
    Names with a leading underscore that are used in another room (folder) than the one that has them.
D
    Blocks whose cyclomatic complexity is at least 21 (radon's grades D to F).
hops, hop files
    Functions of the package, and their files, that get the rows or what became of them as an argument
    (properties, constructors and functions that answer yes or no not counted).
functions, files
    All functions of the package that a walk calls, and their files, constructors not counted.
encodings, decodings
    How often every row passes the encoder and the decoder.
"""

from __future__ import annotations

import argparse
import ast
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from radon.complexity import cc_visit
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from walks import Passes, Walk, functions_of, passes_of

import vaetools
from vaetools import AE, CVAE, VAE, compare

PACKAGE = Path(vaetools.__file__).parent


def modules() -> dict[str, ast.Module]:
    """Return the parsed modules of the package by their dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text())
    return found


def docstring_lines(tree: ast.Module) -> int:
    """Return how many lines are docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and ast.get_docstring(node)]
    return sum((text.end_lineno or text.lineno) - text.lineno + 1 for text in texts)


def _name(node: ast.expr) -> str:
    """Return the last name of a base or decorator."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def records(trees: Iterable[ast.Module]) -> list[str]:
    """Return the names of classes that are records."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {found.name: {_name(base) for base in found.bases} for found in classes}

    def estimates(name: str) -> bool:
        return name == "BaseEstimator" or any(estimates(base) for base in bases.get(name, ()))

    kinds = {"NamedTuple", "TypedDict"}
    return [
        found.name
        for found in classes
        if (bases[found.name] & kinds or "dataclass" in {_name(mark) for mark in found.decorator_list})
        and not estimates(found.name)
    ]


def _imported(node: ast.Import | ast.ImportFrom, known: dict[str, ast.Module]) -> Iterator[str]:
    """Yield the modules of ours that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    for alias in node.names:
        whole = f"{node.module}.{alias.name}"
        found = whole if whole in known else node.module
        if found in known:
            yield str(found)


def circles(trees: dict[str, ast.Module]) -> list[set[str]]:
    """Return groups of modules that import each other at run time."""

    def walk(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                yield child
            elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
                yield from walk(child)

    names = list(trees)
    edges = [
        (names.index(name), names.index(there))
        for name, tree in trees.items()
        if name != "vaetools"  # the public names, which are imported late
        for node in walk(tree)
        for there in _imported(node, trees)
        if there != name
    ]
    graph = coo_array((np.ones(len(edges)), np.array(edges).T), shape=(len(names), len(names)))
    _, group = connected_components(graph, connection="strong")
    together = [{name for name, at in zip(names, group, strict=True) if at == i} for i in set(group)]
    return [found for found in together if len(found) > 1]


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def _private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_uses(trees: dict[str, ast.Module]) -> list[str]:
    """Return uses of private names outside the room that has them."""
    owners = defaultdict(set)
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and _private(node.name):
                owners[node.name].add(_room(module))
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and _private(node.id):
                owners[node.id].add(_room(module))
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _private(node.attr):
                owners[node.attr].add(_room(module))
    found = []
    for module, tree in trees.items():
        for node in ast.walk(tree):
            names = [node.attr] if isinstance(node, ast.Attribute) else []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vaetools"):
                names = [alias.name for alias in node.names]
            found += [
                f"{module}: {name}"
                for name in names
                if _private(name) and name in owners and _room(module) not in owners[name]
            ]
    return found


def complex_blocks() -> list[str]:
    """Return the functions and methods of at least grade D."""
    return [
        f"{path.relative_to(PACKAGE)}: {block.name} {block.complexity}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for block in cc_visit(path.read_text())
        if block.complexity > 20
    ]


def counts() -> tuple[pd.Series, dict[str, list[str]]]:
    """Return the counts of the source, and what stands behind those that should be 0."""
    trees = modules()
    lines = sum(len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py"))
    behind = {
        "circles": [", ".join(sorted(group)) for group in circles(trees)],
        "private uses": private_uses(trees),
        "D": complex_blocks(),
    }
    figures = {
        "lines": lines,
        "files": len(trees),
        "% docstrings": round(100 * sum(map(docstring_lines, trees.values())) / lines, 1),
        "records": len(records(trees.values())),
        **{name: len(found) for name, found in behind.items()},
    }
    return pd.Series(figures), behind


def by_room() -> pd.DataFrame:
    """Return lines and files per room."""
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        lines[room] += len(path.read_text().splitlines())
        files[room] += 1
    return pd.DataFrame({"lines": lines, "files": files}).sort_index()


N_ROWS = 97  # unlike any width or count of features
N_COMPARED = 2000  # so many that what is drawn once weighs nothing


def walks(folder: Path) -> tuple[dict[str, Walk], dict[str, Passes]]:
    """Return the calls whose hops are counted, and those whose passes of a network are."""
    rng = np.random.default_rng(0)
    X = rng.random((N_COMPARED, 64))
    few, y = X[:N_ROWS], np.array(list("abcdefghij"))[np.arange(N_COMPARED) % 10]
    options: dict[str, Any] = {"max_iter": 1, "random_state": 0}
    table = VAE(2, **options).fit(few)
    images = {kind.__name__: kind(2, image_shape=(1, 8, 8), **options).fit(few) for kind in (AE, VAE)}
    cvae = CVAE(2, **options).fit(X, y)
    pd.DataFrame(few).to_csv(folder / "rows.csv", index=False)
    # what a model keeps of so many rows, and the reader of its file checks, is not taken for those scored
    vaetools.save(VAE(2, **options).fit(pd.DataFrame(X).rename(columns=str)), folder / "model")
    command = ["score", str(folder / "model"), str(folder / "rows.csv"), "-o", str(folder / "scores.csv")]

    def page(n: int) -> None:
        compare(images, X[:n], y[:n], method="pca").to_html(folder / "page.html")

    ways = {
        "score_samples": Walk(lambda: table.score_samples(few)),
        "fit, to the first step": Walk(lambda: VAE(2, max_iter=1).fit(few), to_first_step=True),
        "explain": Walk(lambda: table.explain(few)),
        "score, path to line": Walk(lambda: _command(command)),
        "compare to page": Walk(lambda: page(N_ROWS)),
    }
    passes = {
        "explain": Passes(lambda: table.explain(few), table, N_ROWS),
        "explain, CVAE of 10": Passes(lambda: cvae.explain(few), cvae, N_ROWS),
        "compare to page": Passes(lambda: page(N_COMPARED), images["VAE"], N_COMPARED),
    }
    return ways, passes


def _command(arguments: list[str]) -> None:
    """Run a command in this process."""
    from vaetools.__main__ import main

    if main(arguments):
        raise RuntimeError(f"{arguments[0]} failed.")


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--walks", action="store_true", help="count hops and passes too")
    parser.add_argument("--names", action="store_true", help="name the functions of every walk")
    options = parser.parse_args()
    figures, behind = counts()
    print(f"{vaetools.__version__} at {PACKAGE}\n\n{figures.to_string(float_format='%g')}")
    print(f"\n{by_room().to_string()}")
    for name, found in behind.items():
        print(f"\n{name}:", *(found or ["none"]), sep="\n  ")
    if options.walks:
        with tempfile.TemporaryDirectory() as folder:
            show_walks(*walks(Path(folder)), options.names)


def show_walks(ways: dict[str, Walk], passes: dict[str, Passes], names: bool) -> None:
    """Print the hops and functions of every walk, and the passes of every row."""
    table, hops = {}, {}
    for name, walk in ways.items():
        found = functions_of(walk, N_ROWS)
        hops[name] = [function for function, hop in found.items() if hop]
        table[name] = {
            "hops": len(hops[name]),
            "hop files": len({file for file, _ in hops[name]}),
            "functions": len(found),
            "files": len({file for file, _ in found}),
        }
    print(f"\n{pd.DataFrame(table).T.to_string()}")
    counted = {name: passes_of(call) for name, call in passes.items()}
    print(f"\n{pd.DataFrame(counted).T.to_string(float_format='%.2f')}")
    for name, way in hops.items() if names else ():
        print(f"\n{name}:", *(f"{file}: {function}" for file, function in way), sep="\n  ")


if __name__ == "__main__":
    main()

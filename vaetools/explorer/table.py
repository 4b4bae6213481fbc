"""Columns of a table as a page has them: numbers, and categories by their names."""

from collections.abc import Container, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from vaetools.estimators.columns import Columns


class Table(NamedTuple):
    """Names of columns, what the codes of categories stand for by the column's number, and whole numbers."""

    names: np.ndarray
    categories: dict[int, list[str]]
    whole: list[int]  # columns of numbers that were integers: what is decoded is rounded

    def texts(self, column: int, codes: np.ndarray) -> np.ndarray:
        """Return codes of a column's categories as text, "" where one is missing."""
        known = np.array([*self.categories[column], ""], dtype=str)
        cells: np.ndarray = known[np.nan_to_num(codes, nan=len(known) - 1).astype(int)]
        return cells


def called_apart(names: Iterable[str], others: Container[str], word: str) -> list[str]:
    """Return names with a word before those that something else has, such as the score, or one before.

    Examples
    --------
    >>> called_apart(["a", "score", "a"], {"score"}, "column")
    ['a', 'column score', 'column a']
    """
    found: dict[str, None] = {}  # in their order
    for name in names:
        while name in others or name in found:
            name = f"{word} {name}"
        found[name] = None
    return list(found)


def number_table(names: np.ndarray, *, is_named: bool, rows: np.ndarray) -> tuple[Table, np.ndarray]:
    """Return a table of numbers, and its rows."""
    return Table(_called(names, is_named), {}, []), rows


def mixed_table(
    columns: Columns, names: np.ndarray, *, is_named: bool, rows: np.ndarray, cells: Any
) -> tuple[Table, np.ndarray]:
    """Return a table of several kinds of columns, and its rows, in which every unseen category has a code.

    Examples
    --------
    >>> cells = pd.DataFrame({"n": [1, 2, 3], "color": ["red", "blue", "red"]})
    >>> columns = Columns.learn("VAE", cells, np.arange(3), None, masking=False)
    >>> new = pd.DataFrame({"n": [1, None], "color": ["pink", "red"]})
    >>> rows = columns.encode("VAE", new)
    >>> table, shown = mixed_table(columns, np.array(["n", "color"]), is_named=True, rows=rows, cells=new)
    >>> table.categories, table.whole
    ({1: ['blue', 'red', 'pink']}, [0])
    >>> shown
    array([[ 1.,  2.],
           [nan,  1.]])
    """
    table, shown = pd.DataFrame(cells), rows.copy()
    categories, whole = {}, []
    for place, column in enumerate(columns.columns):
        if column.kind == "gaussian":
            whole += [place] * bool(types.is_integer_dtype(column.dtype))
            continue
        known = [str(value) for value in column.values]
        unseen = np.flatnonzero(rows[:, place] == len(known))
        codes, others = pd.factorize(table.iloc[unseen, place].astype(object), sort=False)
        shown[unseen, place] += codes
        categories[place] = [*known, *map(str, others)]
    return Table(_called(names, is_named), categories, whole), shown


def _called(names: np.ndarray, is_named: bool) -> np.ndarray:
    """Return names of columns, of numbered ones with a word before the number."""
    return names if is_named else np.array([f"column {name}" for name in names], dtype=str)

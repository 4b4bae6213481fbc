"""What somebody says of rows in a table: that they are odd, or normal."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pyarrow import types

from vaetools.data.dialect import Dialect, without_missing
from vaetools.data.several_files import TableFiles
from vaetools.data.tables import list_tables

MARK = "mark"  # the column
MARKS = {"odd": -1, "normal": 1}  # and what it may say; nothing where nobody has looked


class Marked(NamedTuple):
    """Marks of rows.

    Attributes
    ----------
    marks : ndarray of shape (n_rows,), int
        −1 is odd, 1 normal and 0 not looked at.
    unknown : list of str
        Rows that were marked, and are not there.
    """

    marks: np.ndarray
    unknown: list[str]


def read_marks(path: str | os.PathLike[str], ids: Sequence[Any], *, all_odd: bool = False) -> Marked:
    r"""Return what a table says of rows, whose first column is what these are called.

    Parameters
    ----------
    path : str or PathLike
        A table as of `open_table`, with a column ``mark`` of ``odd``, ``normal`` or nothing.
    ids : sequence of str or int
        What the rows are called. Files are the same if their paths lead to one place.
    all_odd : bool, default=False
        Whether all rows of the table are odd, and there need be no column of marks.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "looked.csv")
    ...     size = path.write_text("order,mark\nno 2,odd\nno 7,\nno 1,normal\n")
    ...     read_marks(path, ["no 1", "no 2", "no 3"]).marks
    array([ 1, -1,  0])
    """
    said = _said_in(path, all_odd=all_odd)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(ids):
        places.setdefault(_place_of(name), []).append(place)
    marks, unknown = np.zeros(len(ids), int), []
    for name, mark in said.items():
        rows = places.get(_place_of(name), [])
        marks[rows] = mark
        if not rows:
            unknown.append(name)
    if not marks.any():
        first = f", such as {unknown[0]!r}" if unknown else ""
        raise ValueError(f"{path}: none of the rows it marks is there{first}. They are called as score does.")
    return Marked(marks, unknown)


def joined_marks(several: Sequence[Marked]) -> Marked:
    """Return marks of the same rows as one; a row may not be both odd and normal."""
    every = np.stack([each.marks for each in several])
    both = np.flatnonzero((every < 0).any(axis=0) & (every > 0).any(axis=0))
    if len(both):
        raise ValueError(f"{len(both)} rows are marked both odd and normal, the first in place {both[0]}.")
    return Marked(np.sign(every.sum(axis=0)), [name for each in several for name in each.unknown])


def _said_in(path: str | os.PathLike[str], *, all_odd: bool) -> dict[str, int]:
    """Return the marks in a table, by what rows are called."""
    files = TableFiles(list_tables(path), Dialect(), [MARK])
    if not all_odd and MARK not in files.names:
        raise ValueError(f"{path}: there must be a column {MARK!r} of odd and normal; got {files.names}.")
    said: dict[str, int] = {}
    beside = [files.names[0]] + [MARK] * (not all_odd)
    for block in files.blocks([], beside):
        names, *texts = (cells.to_pylist() for cells in map(_as_texts, block.beside))
        for name, text in zip(names, texts[0] if texts else ["odd"] * len(names), strict=True):
            if text is None:
                continue
            if text.lower() not in MARKS:
                raise ValueError(
                    f"{path}: the mark of {name!r} must be odd, normal or nothing; got {text!r}."
                )
            mark = MARKS[text.lower()]
            if said.setdefault(str(name), mark) != mark:
                raise ValueError(f"{path}: {name!r} is marked both odd and normal.")
    return said


def _as_texts(cells: Any) -> Any:
    """Return cells without space around them, and null for such as say nothing; numbers as they are."""
    return without_missing(cells) if types.is_string(cells.type) else cells


def _place_of(name: Any) -> str:
    """Return what tells a row apart: the place of a file, or its name."""
    text = str(name)
    return os.path.realpath(text) if os.path.lexists(text) else text

"""What somebody says of rows in a table: that they are odd, or normal."""

import os
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import types

from vaetools.data.dialect import Dialect, without_missing
from vaetools.data.several_files import TableFiles
from vaetools.data.tables import list_tables
from vaetools.words import counted

MARK = "mark"  # the column
MARKS = {"odd": -1, "normal": 1, "-1": -1, "1": 1, "0": 0}  # and what it may say; 0 is as nothing
_SEPARATORS = (",", ";", "\t")  # of cells, where a table looks like one of spaces


class Marked(NamedTuple):
    """Marks of rows.

    Attributes
    ----------
    marks : ndarray of shape (n_rows,), int
        −1 is odd, 1 normal and 0 not looked at.
    unknown : list of str
        Rows that were marked, and are not there.
    shared : list of str
        What several rows are called alike, all of which have the mark of that name.
    """

    marks: np.ndarray
    unknown: list[str]
    shared: list[str]


def read_marks(path: str | os.PathLike[str], ids: Sequence[Any], *, all_odd: bool = False) -> Marked:
    r"""Return what a table says of rows, whose first column is what these are called.

    Parameters
    ----------
    path : str or PathLike
        A table as of `open_table`, with a column ``mark`` of ``odd``, ``normal`` or nothing, or of
        −1, 1 and 0.
    ids : sequence of str or int
        What the rows are called. Files are the same if their paths lead to one place.
    all_odd : bool, default=False
        Whether all rows of a table without a column of marks are odd.

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
    marks, found = np.zeros(len(ids), int), {}
    for name, mark in said.items():
        found[name] = places.get(_place_of(name), [])
        marks[found[name]] = mark
    unknown = [name for name, rows in found.items() if not rows]
    if not marks.any():
        first = f", such as {unknown[0]!r}" if unknown else ""
        raise ValueError(f"{path}: none of the rows it marks is there{first}. They are called as score does.")
    return Marked(marks, unknown, [name for name, rows in found.items() if len(rows) > 1])


def joined_marks(several: Sequence[Marked], ids: Sequence[Any]) -> Marked:
    """Return marks of the same rows as one; a row may not be both odd and normal."""
    every = np.stack([each.marks for each in several])
    both = np.flatnonzero((every < 0).any(axis=0) & (every > 0).any(axis=0))
    if len(both):
        rows = f"{counted(len(both), 'row')}, such as {str(ids[both[0]])!r}"
        raise ValueError(f"A row must be marked odd or normal; got both of {rows}.")
    unknown, shared = (
        list(dict.fromkeys(chain(*names)))
        for names in ([each.unknown for each in several], [each.shared for each in several])
    )
    return Marked(np.sign(every.sum(axis=0)), unknown, shared)


def marked_before(paths: Sequence[str | os.PathLike[str]]) -> dict[str, str]:
    """Return the names of rows that tables of before have marked, by the places of these."""
    return {_place_of(name): name for path in paths for name in _said_in(path, all_odd=False)}


def are_marked(names: Sequence[Any], known: Mapping[str, str]) -> np.ndarray:
    """Return which rows are known to be marked, by what they are called."""
    return np.array([_place_of(name) in known for name in names], bool)


def marked_of(names: Sequence[Any], known: Mapping[str, str]) -> set[str]:
    """Return the places of those rows that are known to be marked."""
    return known.keys() & map(_place_of, names)


def has_marks(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a table in whose column of marks somebody has written something."""
    try:
        files = _opened(path)
        if MARK not in files.names:
            return False
        return any(text is not None for block in files.blocks([], [MARK]) for text in _texts(block.beside[0]))
    except (OSError, ValueError):  # no table that can be read
        return False


def _opened(path: str | os.PathLike[str]) -> TableFiles:
    """Open a table; where names have spaces and few cells say anything, what separates these is not plain."""
    found = TableFiles(list_tables(path), Dialect(), [MARK])
    others = (TableFiles(list_tables(path), Dialect(separator), [MARK]) for separator in _SEPARATORS)
    return found if MARK in found.names else next((each for each in others if MARK in each.names), found)


def _said_in(path: str | os.PathLike[str], *, all_odd: bool) -> dict[str, int]:
    """Return the marks in a table, by what rows are called."""
    files = _opened(path)
    is_marked = MARK in files.names
    if not (all_odd or is_marked):
        raise ValueError(f"{path}: there must be a column {MARK!r} of odd and normal; got {files.names}.")
    said: dict[str, int] = {}
    for block in files.blocks([], [files.names[0]] + [MARK] * is_marked):
        names, *texts = map(_texts, block.beside)
        for name, text in zip(names, texts[0] if texts else ["odd"] * len(names), strict=True):
            mark = 0 if text is None else MARKS.get(text.lower().replace("−", "-").removesuffix(".0"))
            if mark is None:
                raise ValueError(
                    f"{path}: the mark of {name!r} must be odd, normal or nothing; got {text!r}."
                )
            if mark and said.setdefault(str(name), mark) != mark:
                raise ValueError(f"{path}: {name!r} is marked both odd and normal.")
    if is_marked and not said:
        raise ValueError(f"{path}: the column {MARK!r} must say odd or normal somewhere; got no word in it.")
    return said


def _texts(cells: Any) -> list[str | None]:
    """Return cells as text without space around it, and None for such as say nothing."""
    if types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if types.is_string(cells.type) or types.is_large_string(cells.type) or types.is_string_view(cells.type):
        cells = without_missing(cells.cast(pa.string()))
    return [None if cell is None or cell != cell else str(cell) for cell in cells.to_pylist()]


def _place_of(name: Any) -> str:
    """Return what tells a row apart: the place of a file, or its name."""
    text = str(name)
    return os.path.realpath(text) if os.path.lexists(text) else text

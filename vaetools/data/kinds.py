"""What the columns of a table are: numbers, booleans, text; and how CSV writes them.

In CSV cells are text: space around them is dropped, and an empty cell, ``NA``, ``null`` and the like are
missing. In Parquet they have a type, and only nulls and NaN are missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pandas import api
from pyarrow import compute, types
from pyarrow import csv as arrow_csv

from vaetools.words import is_lost_as_float

INTEGER, NUMBER, BOOLEAN, TEXT, NULL = pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.null()
NAMES = {INTEGER: "integers", NUMBER: "numbers", BOOLEAN: "booleans", TEXT: "text"}
MISSING = [*arrow_csv.ConvertOptions().null_values, "None", "<NA>"]  # Python's own words, too
WRITTEN = {  # how a cell of a type is written
    INTEGER: r"^[+-]?\d{1,18}$",
    NUMBER: r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$",
    BOOLEAN: r"^(?i:true|false)$",
}
CODE = r"^0\d+$"  # digits that are no number
IN_PARENTHESES = r"^\(([\d.][\d.,'_ \x{a0}\x{2009}\x{202f}\x{2019}]*)\)$"  # negative, in accounts
TRUTHS = {"true": True, "false": False}
_NUMBERS = ("integer", "floating", "mixed-integer-float")  # as pandas calls them
_MOST = 0.9  # of the cells of a column of numbers; each of the others costs its row
_DIGITS = 16  # of 2^53
_LOOKED_AT = 1_000  # integers of a column, in every block of rows
_WRITTEN = rf"^\s*[+-]?\d{{{_DIGITS},}}\s*$"


class Kind(NamedTuple):
    """What the cells of a column are.

    Attributes
    ----------
    type : pyarrow.DataType
        `INTEGER`, `NUMBER`, `BOOLEAN` or `TEXT`.
    values : tuple or None
        Of a column of categories those that are known, all of them none so far; None of another column.
    is_closed : bool
        Whether there are no other values.
    """

    type: Any
    values: tuple | None = None
    is_closed: bool = False


def category_kind(values: Sequence, *, is_closed: bool = False) -> Kind:
    """Return how categories that a model knows are read."""
    found = api.types.infer_dtype(list(values))
    cells = BOOLEAN if found == "boolean" else NUMBER if found in _NUMBERS else TEXT
    return Kind(cells, tuple(values), is_closed)


def plain_type(kind: Any) -> Any:
    """Return the type of a `Kind` that holds cells of a type of Arrow, or that type itself if none does."""
    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if types.is_integer(kind):
        return NUMBER if types.is_uint64(kind) else INTEGER
    if types.is_floating(kind) or types.is_decimal(kind):
        return NUMBER
    if types.is_large_string(kind) or kind == pa.string_view():
        return TEXT
    return kind


def without_missing(cells: Any) -> Any:
    """Return texts of CSV without space around them, and null for those that stand for a missing value."""
    cells = compute.ascii_trim_whitespace(cells)
    missing = compute.is_in(cells, value_set=pa.array(MISSING))
    return compute.if_else(missing, pa.scalar(None, pa.string()), cells)


def as_numbers(cells: Any) -> Any:
    """Return texts of CSV with a hyphen for any sign of minus, and without space of any kind around them."""
    cells = compute.replace_substring(compute.utf8_trim_whitespace(cells), "\u2212", "-")
    if not compute.any(compute.starts_with(cells, "(")).as_py():
        return cells
    return compute.replace_substring_regex(cells, IN_PARENTHESES, r"-\1")


def learn_kinds(
    blocks: Iterable[list], names: list[str], as_text: Collection[str], how: Mapping[Any, str]
) -> dict[str, Kind]:
    """Return what the columns of a CSV file are.

    A column is booleans if all of its cells are, missing ones aside; numbers if at least nine in ten are
    and none has a leading zero, as codes have; integers if all of these are; and else text. Those in
    ``as_text`` are text whatever their cells.

    Parameters
    ----------
    blocks : iterable of lists of arrays of strings
        All rows, column by column.
    names : list of str
    as_text : collection of str
    how : dict
        How the cells of a type are written, as `WRITTEN` has it.
    """
    known = np.zeros(len(names), int)
    written = {kind: known.copy() for kind in (*WRITTEN, TEXT)}
    for columns in blocks:
        cells = without_missing(as_numbers(end_to_end(columns)))
        known += np.asarray(cells.is_valid()).reshape(len(columns), -1).sum(axis=1)
        for kind, pattern in {**how, TEXT: CODE}.items():
            found = compute.match_substring_regex(cells, pattern).fill_null(False)
            written[kind] += np.asarray(found).reshape(len(columns), -1).sum(axis=1)

    def kind_of(place: int) -> Any:
        if names[place] in as_text or written[TEXT][place]:
            return TEXT
        if written[BOOLEAN][place] == known[place] > 0:
            return BOOLEAN
        if written[NUMBER][place] >= _MOST * known[place]:
            return INTEGER if 0 < written[INTEGER][place] == written[NUMBER][place] else NUMBER
        return TEXT

    return {name: Kind(kind_of(place)) for place, name in enumerate(names)}


def end_to_end(columns: list) -> Any:
    """Return columns of text as one array, one after the other."""
    return pa.concat_arrays([chunk for column in columns for chunk in column.chunks])


def lost_integer(cells: Any) -> int | None:
    """Return an integer among the cells of a column that float64 holds as another one; None if none is seen.

    Examples
    --------
    >>> lost_integer(pa.array([1, 2**60 + 17])), lost_integer(pa.array(["1", str(10**20 + 1)]))
    (1152921504606846993, 100000000000000000001)
    >>> [lost_integer(pa.array(cells)) for cells in ([2**60], [1e20], ["1e20"], ["x"], [True])]
    [None, None, None, None, None]
    """
    if pa.types.is_integer(cells.type):
        ends = compute.min_max(cells).as_py().values()
        found = [value for value in (*ends, *cells.slice(0, _LOOKED_AT).to_pylist()) if value is not None]
    elif pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        if (compute.max(compute.binary_length(cells)).as_py() or 0) < _DIGITS:
            return None
        written = compute.match_substring_regex(cells, _WRITTEN)
        found = [int(cell) for cell in cells.filter(written).slice(0, _LOOKED_AT).to_pylist()]
    else:
        return None
    return next((value for value in found if is_lost_as_float(value)), None)

"""Cells of CSV and Parquet → numbers, or a table of numbers, booleans and text; and what is wrong with them.

In CSV cells are text: space around them is dropped, and an empty cell, ``NA``, ``null`` and the like are
missing. In Parquet they have a type, and only nulls and NaN are missing.
"""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute, types
from pyarrow import csv as arrow_csv

INTEGER, NUMBER, BOOLEAN, TEXT, NULL = pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.null()
_WRITTEN = {  # how a cell of a type is written
    INTEGER: r"^[+-]?\d{1,18}$",
    NUMBER: r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$",
    BOOLEAN: r"^(?i:true|false)$",
}
_WORDS = {INTEGER: "no integer", NUMBER: "not a number", BOOLEAN: "neither true nor false"}


class Kind(NamedTuple):
    """What the cells of a column are.

    Attributes
    ----------
    type : pyarrow.DataType
        `INTEGER`, `NUMBER`, `BOOLEAN` or `TEXT`.
    values : tuple or None
        The only ones there are; None where any will do.
    """

    type: Any
    values: tuple | None = None


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
    missing = compute.is_in(cells, value_set=pa.array(arrow_csv.ConvertOptions().null_values))
    return compute.if_else(missing, pa.scalar(None, pa.string()), cells)


def learn_kinds(blocks: Iterable[list], names: list[str], as_text: Collection[str]) -> dict[str, Kind]:
    """Return what the columns of a CSV file are.

    A column is numbers if more than half of its cells are, missing ones aside, and integers if all of
    these are; booleans if all of its cells are; and else text.

    Parameters
    ----------
    blocks : iterable of lists of arrays of strings
        All rows, column by column.
    names : list of str
        Of the columns.
    as_text : collection of str
        Columns that are text whatever their cells.
    """
    known = np.zeros(len(names), int)
    written = {kind: known.copy() for kind in _WRITTEN}
    for columns in blocks:
        for place, column in enumerate(columns):
            cells = without_missing(column)
            known[place] += len(cells) - cells.null_count
            for kind, pattern in _WRITTEN.items():
                found = compute.sum(compute.match_substring_regex(cells, pattern)).as_py()
                written[kind][place] += found or 0

    def kind_of(place: int) -> Any:
        if names[place] in as_text:
            return TEXT
        if written[BOOLEAN][place] == known[place] > 0:
            return BOOLEAN
        if 2 * written[NUMBER][place] > known[place] or not known[place]:
            return INTEGER if 0 < written[INTEGER][place] == written[NUMBER][place] else NUMBER
        return TEXT

    return {name: Kind(kind_of(place)) for place, name in enumerate(names)}


def complete_rows(columns: list, names: list[str]) -> tuple[np.ndarray, dict[int, str]]:
    """Return columns as rows of numbers, and the first fault of every row that is not numbers throughout.

    Parameters
    ----------
    columns : list of arrays
        Numbers, booleans or text.
    names : list of str

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns), float64
    faults : dict
        From places of rows to reasons.
    """
    X, words = parsed_numbers(columns)
    finite = np.isfinite(X)
    faults = {}
    for row in np.flatnonzero(~finite.all(axis=1)).tolist():
        column = int(np.argmin(finite[row]))
        value, word = X[row, column], words.get((row, column))
        if word is not None:
            what = f"{reprlib.repr(word)}, not a number"
        else:
            what = "missing" if np.isnan(value) else f"{value}, not a finite number"
        faults[row] = f"column {names[column]!r} is {what}"
    return X, faults


def gappy_rows(columns: list, kinds: Mapping[str, Kind]) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return columns as a table whose cells may be missing, and the first fault of every row that has one.

    Parameters
    ----------
    columns : list of arrays
        Texts of CSV, without those that stand for a missing value, are read as their kind.
    kinds : dict
        From names of the columns to what they are.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)
        A cell that is not of its kind is missing.
    faults : dict
        From places of rows to reasons.
    """
    arrays = []
    faults: dict[int, str] = {}
    for (name, kind), column in zip(kinds.items(), columns, strict=True):
        cells, wrong = _typed(column, kind)
        arrays.append(cells)
        for row, what in wrong.items():
            faults.setdefault(row, f"column {name!r} is {what}")
    nullable = {INTEGER: pd.Int64Dtype(), BOOLEAN: pd.BooleanDtype()}
    return pa.table(arrays, names=list(kinds)).to_pandas(types_mapper=nullable.get), faults


def _typed(column: Any, kind: Kind) -> tuple[Any, dict[int, str]]:
    """Return the cells of a column in their type, null where one is missing or wrong, and the wrong ones."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    cells = cells.dictionary_decode() if types.is_dictionary(cells.type) else cells
    if plain_type(cells.type) == TEXT and kind.type != TEXT:
        wrong = compute.invert(compute.match_substring_regex(cells, _WRITTEN[kind.type]))
        cells, faults = _taken_out(cells, wrong, _WORDS[kind.type])
    else:
        faults = {}
    cells = cells.cast(kind.type, safe=False)
    if kind.type == NUMBER:
        cells, infinite = _taken_out(cells, compute.is_inf(cells), "not a finite number")
        faults |= infinite
    if kind.values is not None:
        known = compute.is_in(cells, value_set=pa.array(kind.values, kind.type))
        foreign = compute.and_(compute.invert(known), cells.is_valid())
        cells, others = _taken_out(cells, foreign, f"none of {', '.join(map(repr, kind.values))}")
        faults |= others
    return cells, faults


def _taken_out(cells: Any, wrong: Any, why: str) -> tuple[Any, dict[int, str]]:
    """Return cells of which some are made null, and what these were."""
    places = np.flatnonzero(wrong.fill_null(False))
    if not len(places):
        return cells, {}
    came = cells.take(pa.array(places)).to_pylist()
    faults = {int(row): f"{reprlib.repr(cell)}, {why}" for row, cell in zip(places, came, strict=True)}
    return compute.if_else(wrong, pa.scalar(None, cells.type), cells), faults


def parsed_numbers(columns: list) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    """Return columns as a matrix, NaN for cells that are missing or no numbers, and the latter by index."""
    if plain_type(columns[0].type) != TEXT:
        arrays = [column.cast(pa.float64(), safe=False) for column in columns]
        return np.column_stack([array.to_numpy(zero_copy_only=False) for array in arrays]), {}
    cells = pa.concat_arrays([chunk for column in columns for chunk in column.chunks])
    n_rows, words = len(columns[0]), {}
    try:
        numbers = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        cells = without_missing(cells)
        lower = compute.ascii_lower(cells)
        for word, digit in (("true", "1"), ("false", "0")):
            cells = compute.if_else(compute.equal(lower, word), digit, cells)
        try:
            numbers = cells.cast(pa.float64())
        except pa.ArrowInvalid:
            wrong = compute.invert(compute.match_substring_regex(cells, _WRITTEN[NUMBER])).fill_null(False)
            numbers = compute.if_else(wrong, pa.scalar(None, pa.string()), cells).cast(pa.float64())
            indices = np.flatnonzero(wrong)
            places = zip((indices % n_rows).tolist(), (indices // n_rows).tolist(), strict=True)
            words = dict(zip(places, cells.take(pa.array(indices)).to_pylist(), strict=True))
    return numbers.to_numpy(zero_copy_only=False).reshape(len(columns), n_rows).T, words


def first_type(cells: Any) -> Any:
    """Return texts without nulls in the first type that holds them all: integers, floats, booleans, text."""
    for kind in (INTEGER, NUMBER, BOOLEAN):
        with contextlib.suppress(pa.ArrowInvalid):
            return cells.cast(kind)
    return cells


def values_of(cells: Any) -> np.ndarray:
    """Return cells without nulls as numbers or booleans if they are, else as text."""
    if plain_type(cells.type) in _WRITTEN:
        return cells.to_numpy(zero_copy_only=False)
    return np.array([str(cell) for cell in cells.to_pylist()], dtype=str)

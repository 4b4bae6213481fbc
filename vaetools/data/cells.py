"""Cells of CSV and Parquet → numbers, or a table of several kinds; and what is wrong with them."""

import contextlib
import reprlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute, types

from vaetools.data.dialect import (
    BOOLEAN,
    CODE,
    INTEGER,
    MISSING,
    NUMBER,
    TEXT,
    TRUTHS,
    WRITTEN,
    Dialect,
    Kind,
    as_numbers,
    category_kind,
    end_to_end,
    plain_type,
    without_missing,
)
from vaetools.data.numerals import is_number, lone_mark
from vaetools.words import few


def complete_rows(
    columns: list[Any], names: list[str], dialect: Dialect | None
) -> tuple[np.ndarray, dict[int, str]]:
    """Return columns as rows of numbers, and the first fault of every row that is not numbers throughout.

    The dialect says how numbers are written; it is None if cells have types.
    """
    X, words = parsed_numbers(columns, dialect)
    finite = np.isfinite(X)
    faults = {}
    for row in np.flatnonzero(~finite.all(axis=1)).tolist():
        column = int(np.argmin(finite[row]))
        value, word = X[row, column], words.get((row, column))
        if word is not None:
            what = _not(NUMBER, word, dialect)
        else:
            what = "missing" if np.isnan(value) else f"{value}, not a finite number"
        faults[row] = f"column {names[column]!r} is {what}"
    return X, faults


def gappy_rows(
    columns: list[Any], kinds: Mapping[str, Kind], dialect: Dialect | None
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return columns as a table whose cells may be missing, and the first fault of every row that has one.

    A cell that is not of its kind is missing. Categories are objects of Python.
    """
    names = list(kinds)
    table: dict[str, Any] = dict.fromkeys(names)
    wrong: list[tuple[int, int, str]] = []  # row, column, reason
    numbers = [i for i, kind in enumerate(kinds.values()) if kind.is_number]
    if numbers:
        X, words = parsed_numbers([columns[i] for i in numbers], dialect)
        wrong += [(row, numbers[j], _not(NUMBER, word, dialect)) for (row, j), word in words.items()]
        infinite = np.argwhere(np.isinf(X)).tolist()
        wrong += [(row, numbers[j], f"{X[row, j]}, not a finite number") for row, j in infinite]
        X = np.where(np.isinf(X), np.nan, X) if infinite else X
        table |= {names[i]: X[:, j] for j, i in enumerate(numbers)}
    for i, (name, kind) in enumerate(kinds.items()):
        if not kind.is_number:
            read = _by_type if kind.values is None else _categories
            column = columns[i]
            whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            table[name], faults = read(whole, kind, dialect)
            wrong += [(row, i, why) for row, why in faults.items()]
    reasons: dict[int, str] = {}
    for row, i, why in sorted(wrong):
        reasons.setdefault(row, f"column {names[i]!r} is {why}")
    for name, kind in kinds.items():
        if kind.is_needed:
            missing = np.flatnonzero(pd.isna(table[name])).tolist()
            reasons = dict.fromkeys(missing, f"column {name!r} is missing") | reasons
    return pd.DataFrame(table), reasons


def _by_type(cells: Any, kind: Kind, dialect: Dialect | None) -> tuple[pd.Series, dict[int, str]]:
    """Return cells of a column that `learn_kinds` looked at, and why some of them are none of its kind."""
    faults = {}
    if dialect is not None:
        cells = without_missing(cells if kind.type == TEXT else as_numbers(cells))
    if dialect is not None and kind.type == INTEGER:
        cells = _truths_as_digits(compute.utf8_ltrim(cells, "+"))
    if dialect is not None and kind.type != TEXT:
        right = compute.match_substring_regex(cells, dialect.written[kind.type])
        wrong = compute.invert(right).fill_null(False)
        faults = {int(row): _not(kind.type, cells[row].as_py(), dialect) for row in np.flatnonzero(wrong)}
        cells = compute.if_else(wrong, pa.scalar(None, TEXT), cells)
        cells = dialect.plain(cells) if kind.type == INTEGER else cells
    nullable = {INTEGER: pd.Int64Dtype(), BOOLEAN: pd.BooleanDtype()}
    return cells.cast(kind.type).to_pandas(types_mapper=nullable.get), faults


def _categories(cells: Any, kind: Kind, dialect: Dialect | None) -> tuple[np.ndarray, dict[int, str]]:
    """Return cells as the categories that they stand for, and why some of them stand for none."""
    coded = cells if types.is_dictionary(cells.type) else cells.dictionary_encode()
    known = kind.values or ()
    read: Callable[[Any], Any] = _value if dialect is None else _reader(kind, dialect)
    is_single = types.is_float32(cells.type)
    found, faulty = [], {}
    for code, cell in enumerate(coded.dictionary.to_pylist()):
        try:
            shortest = float(str(np.float32(cell))) if is_single and cell is not None else cell
            value = None if cell is None else read(shortest)  # 0.1, not 0.10000000149
        except ValueError:
            value, faulty[code] = None, _not(kind.type, cell, dialect)
        if kind.is_closed and value is not None and value not in known:
            faulty[code] = f"{reprlib.repr(cell)}, none of {few(map(repr, known))}"
        found.append(value)
    codes = coded.indices.cast(pa.int64()).fill_null(len(found)).to_numpy(zero_copy_only=False)
    values = np.empty(len(found) + 1, object)
    values[:-1] = found
    rows = np.flatnonzero(np.isin(codes, list(faulty)))
    return values[codes], {int(row): faulty[codes[row]] for row in rows}


def known_labels(cells: Any, *, are_text: bool) -> Any:
    """Return labels, null where one is missing."""
    if are_text:
        return without_missing(cells)
    return compute.if_else(cells.is_null(nan_is_null=True), pa.scalar(None, cells.type), cells)


def label_values(labels: Any, *, are_text: bool) -> np.ndarray:
    """Return labels without nulls as numbers or booleans if they are, else as text.

    Of CSV a single word, or a code with a leading zero, makes text of all.
    """
    if are_text and not compute.any(compute.match_substring_regex(labels, CODE)).as_py():
        for kind in (INTEGER, NUMBER, BOOLEAN):  # the first that holds them all
            with contextlib.suppress(pa.ArrowInvalid):
                labels = labels.cast(kind)
                break
    if types.is_decimal(labels.type):
        labels = labels.cast(NUMBER)
    if plain_type(labels.type) in WRITTEN:
        values: np.ndarray = labels.to_numpy(zero_copy_only=False)
        return values
    return np.array([str(label) for label in labels.to_pylist()], dtype=str)


def labels_among(cells: Any, classes: Sequence[Any], dialect: Dialect | None) -> np.ndarray:
    """Return labels as the classes of a model, however they are written; others as they are, or None."""
    labels, faults = _categories(cells, category_kind(classes), dialect)
    for row in faults:  # a word among numbers is a label all the same
        labels[row] = cells[row].as_py()
    return labels


def _reader(kind: Kind, dialect: Dialect) -> Callable[[str], Any]:
    """Return what reads a cell of CSV as one of the known categories, if it can be, or else as a new one."""
    values = kind.values or ()
    written = {str(value): value for value in values}
    numbers = {value: value for value in values if not isinstance(value, str)}

    def read(text: str) -> Any:
        for word in (text, text.strip()):
            if word in written:
                return written[word]
        if word in MISSING:
            return None
        if kind.type == TEXT:
            return word
        number: float | None = TRUTHS.get(word.lower())
        if number is None:
            number = dialect.number(word)
        return numbers.get(number, number)

    return read


def _value(cell: Any) -> Any:
    """Return a cell of Parquet as a value that compares; NaN is missing."""
    value = float(cell) if isinstance(cell, Decimal) else cell
    return None if value != value else value


def _not(kind: Any, word: str, dialect: Dialect | None) -> str:
    """Return that a cell is not of its type."""
    what = f"{reprlib.repr(word)}, {'neither true nor false' if kind == BOOLEAN else 'not a number'}"
    if kind == BOOLEAN or dialect is None:
        return what
    if is_number(word) and not dialect.is_open:
        what += f" with {dialect.numbers_in_words}"
    mark = None if dialect.thousands else lone_mark(word)
    if mark not in (None, dialect.decimal):  # a thousand, or a fraction
        what += f"; say thousands={mark!r} if it is {word.replace(mark, '')}"
        what += f", or decimal={mark!r}" if dialect.is_open else ""
    return what


def parsed_numbers(
    columns: list[Any], dialect: Dialect | None
) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    """Return columns as a matrix, NaN for cells that are missing or no numbers, and the latter by index."""
    if dialect is None:
        plain = [
            column.dictionary_decode() if types.is_dictionary(column.type) else column for column in columns
        ]
        arrays = [column.cast(NUMBER, safe=False).to_numpy(zero_copy_only=False) for column in plain]
        return np.column_stack(arrays), {}
    cells = end_to_end(columns)
    n_rows, words = len(columns[0]), {}
    numbers = (
        _plain_numbers(cells, INTEGER if dialect.is_open else NUMBER) if dialect.has_plain_numbers else None
    )
    if numbers is None:
        cells = _truths_as_digits(without_missing(as_numbers(cells)))
        right = compute.match_substring_regex(cells, dialect.written[NUMBER])
        wrong = compute.invert(right).fill_null(False)
        numbers = dialect.plain(compute.if_else(wrong, pa.scalar(None, TEXT), cells)).cast(NUMBER)
        indices = np.flatnonzero(wrong)
        places = zip((indices % n_rows).tolist(), (indices // n_rows).tolist(), strict=True)
        words = dict(zip(places, cells.take(pa.array(indices)).to_pylist(), strict=True))
    return numbers.to_numpy(zero_copy_only=False).reshape(len(columns), n_rows).T, words


def _plain_numbers(cells: Any, kind: Any) -> Any:
    """Return texts as numbers if all are plain ones of a kind, or missing or truths; else None."""
    with contextlib.suppress(pa.ArrowInvalid):
        return cells.cast(kind).cast(NUMBER, safe=False)
    with contextlib.suppress(pa.ArrowInvalid):
        return _truths_as_digits(without_missing(cells)).cast(kind).cast(NUMBER, safe=False)
    return None


def _truths_as_digits(cells: Any) -> Any:
    """Return texts with 1 for true and 0 for false."""
    lower = compute.ascii_lower(cells)
    for word, is_true in TRUTHS.items():
        cells = compute.if_else(compute.equal(lower, word), str(int(is_true)), cells)
    return cells

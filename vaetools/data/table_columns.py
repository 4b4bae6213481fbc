"""What columns of a table are by their cells: indices, which name rows, or dates; what to do with others."""

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from vaetools.data.dialect import NUMBER, TEXT, Dialect, plain_type, without_missing
from vaetools.data.formats import EXTENSIONS
from vaetools.data.layouts import other_separator
from vaetools.data.numerals import written_so

FIRST = "Unnamed: 0"  # as pandas calls a first column without a name
_FIRST = re.compile(r"Unnamed: 0(\.\d+)?")  # also where that came about twice
_CALLED = re.compile(
    r"(?i:((row|record)?[ _]?(index|idx|id|nr|no|num|number))\.?|row|#|level_\d|unnamed: \d+|.+[ _.-]id)"
    r"|.*[a-z]I[dD]"  # PassengerId
)
_FEWEST, _MANY = 3, 10  # rows that tell by the name of their column, and without it
_FIRST_DATE, _LAST_DATE = 19000101, 21001231
_DATE = re.compile(
    r"(19|20)\d\d[-/](0?[1-9]|1[0-2])$|(0?[1-9]|1[0-2])[-/](19|20)\d\d$"  # a month
    r"|\d{4}[-/.]\d\d?[-/.]\d\d?(?!\d)|\d\d?[-/.]\d\d?[-/.](\d\d){1,2}(?!\d)"  # of digits
    r"|(\d\d?[- .]+)?[A-Z][a-z]{2,8}\.?[- ]+(\d\d?,?[- ]+)?\d{4}(?!\d)"  # with the name of a month
    r"|timestamp|date|the date "  # types, and numbers
)
_DURATION = re.compile(
    r"-?\d+ days?\b|-?P(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?$(?<!P)|duration|(\d+ ?(h|min|s)\b ?)+$"
)
_TIME = re.compile(r"\d\d?:\d\d(:\d\d)?(?!\d)|time\d")
_MOMENTS = {
    _DATE: (
        "a date as a number, such as days, in pandas with dates = pandas.to_datetime(column.astype(str)) as "
        "(dates - dates.min()).dt.days"
    ),
    _DURATION: (
        "a duration as a number, such as seconds, with pandas.to_timedelta(column).dt.total_seconds()"
    ),
    _TIME: (
        "a time of day as a number, such as hours, or as their sine and cosine, for which 23:59 is near 0:00"
    ),
}
_ALMOST = re.compile(r"[-+\s]*\d[\d.,'\s]*[-+]?\s*")  # a number that no reading explains
_ADDRESS = re.compile(r"\d+(\.\d+){3}")
_NESTED = re.compile(r"(large_|fixed_size_)?list(_view)?<|struct<|map<")
_EMPTY = ("empty", "null")
_PART = re.compile(r"'[^']*'|[^\s(),']+")  # of a name of several: text in quotes, or a number
_AMOUNT = re.compile(r"[€$£¥%]\s*[+-]?\d|\d\s*([€$£¥%]|[A-Z]{3}$)")


def is_date(text: str) -> bool:
    """Return whether a text is a date, a time or a duration, or the name of a type of those.

    Examples
    --------
    >>> [is_date(text) for text in ("2020-01-31", "31.1.20 12:00", "5-Jan-2024", "Jan 5, 2024")]
    [True, True, True, True]
    >>> [is_date(text) for text in ("2024-01", "01/2024", "2024-13", "1024-01", "2024-01-x", "2024.01")]
    [True, True, False, False, False, False]
    >>> [is_date(text) for text in ("12:30", "2 days 03:00:00", "PT5M", "duration[ns]", "1h 30min")]
    [True, True, True, True, True]
    >>> [is_date(text) for text in ("10.0.0.1", "P", "5", "2024", "Jan", "Ann 12", "Berlin 10115")]
    [False, False, False, False, False, False, False]
    """
    return any(pattern.match(text) for pattern in _MOMENTS)


def advice(wrong: dict[str, str], dialect: Dialect | None) -> str | None:
    """Return what to do with columns that hold no numbers as they are written; None of plain text."""
    words = [what.strip("'\"") for what in wrong.values()]
    if any(os.path.splitext(word.lower())[1] in EXTENSIONS for word in words):
        return (
            "Drop a column of names of images, or use it as id. A list of images to read is a text file "
            "(*.txt), with a path alone in each line."
        )
    if dialect is not None and (how := written_so(words, dialect)):
        return f"Say how numbers are written, such as {how}, or drop the column."
    if dialect is not None and (mark := other_separator(list(wrong), words, dialect.separator)):
        return f"Names and cells hold another separator: say separator={mark!r}."
    if any(map(_AMOUNT.search, words)):
        return "Write amounts as numbers alone, without a sign or unit, or drop such a column."
    if any(map(is_date, words)):
        how = next(how for pattern, how in _MOMENTS.items() if any(map(pattern.match, words)))
        return f"Write {how}; or drop such a column, or use it as id."
    if any(_ALMOST.fullmatch(word) and not _ADDRESS.fullmatch(word) for word in words):
        return "Write numbers as Python does, such as -1234.5, or drop such a column."
    if any(map(_NESTED.match, words)):
        return "Write the parts of such a column as columns of numbers, or drop it."
    empty = next((name for name, what in wrong.items() if what in _EMPTY), None)
    return None if empty is None else f"Drop a column that is empty, as by drop=[{empty!r}]."


def is_index(name: str) -> bool:
    """Return whether pandas calls an index so when it writes a table."""
    return name == "" or name.startswith("__index_level_")


def as_arrow_writes(name: str) -> str:
    """Return the name of a column, one of several parts with numbers among these as text.

    Examples
    --------
    >>> as_arrow_writes("('petal', 1)"), as_arrow_writes("petal")
    ("('petal', '1')", 'petal')
    """
    if not name.startswith("("):
        return name
    return _PART.sub(lambda part: part[0] if part[0].startswith("'") else f"'{part[0]}'", name)


def places(n: int) -> list[str]:
    """Return the names that columns have if nobody named them."""
    return [str(place) for place in range(n)]


def find_indices(places: Mapping[str, int], samples: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return which columns are an index, in words, and what to say of others that may be one.

    These are what pandas calls a first column without a name, if its numbers name rows; and columns that are
    called like an index, such as ``id``, if they count rows. The places of the columns are counted from 0;
    there are samples of those that may be numbers.
    """
    indices: dict[str, str] = {}
    notes = []
    for name, place in places.items():
        numbers = as_floats(samples[name]) if name in samples else None
        called = f"column {place + 1}, {name!r},"
        if why := _why_index(name, numbers):
            indices[name] = f"{called} {why}"
        elif _FIRST.fullmatch(name):
            notes.append(f"Taken as a feature: {called} which had no name, for its numbers repeat or fall.")
        elif numbers is not None and len(numbers) >= _MANY and _count_rows(numbers):
            notes.append(f"Taken as a feature: {called} which counts rows; drop it if it means nothing else.")
    return indices, notes


def _why_index(name: str, numbers: np.ndarray | None) -> str | None:
    """Return why a column of numbers, or of others (None), is an index; None if it is none."""
    if _FIRST.fullmatch(name):
        if numbers is None:
            return "whose texts name rows"
        return "whose numbers name rows" if names_rows(numbers) else None
    if numbers is None or len(numbers) < _FEWEST or not _CALLED.fullmatch(name.strip()):
        return None
    return "which counts rows" if _count_rows(numbers) else None


def names_rows(numbers: np.ndarray) -> bool:
    """Return whether numbers in a column without a name may be those of rows.

    They rise, are integers that differ, or count several times, as where tables were put together.

    Examples
    --------
    >>> [names_rows(np.array(cells)) for cells in ([0, 1, 2], [7, 3, 9], [0, 1, 2, 0, 1, 2], [0.1, 0.2])]
    [True, True, True, True]
    >>> [names_rows(np.array(cells)) for cells in ([5.1, 4.9, 4.7], [30, 41, 30])]
    [False, False]
    """
    steps = np.diff(numbers)
    are_integers = bool((numbers == np.floor(numbers)).all())
    differ = len(np.unique(numbers)) == len(numbers)
    return bool((steps > 0).all() or (are_integers and (differ or (steps == 1).mean() > 0.5)))


def _count_rows(numbers: np.ndarray) -> bool:
    """Return whether numbers are integers that rise by one from row to row."""
    return bool((numbers == np.floor(numbers)).all() and (np.diff(numbers) == 1).all())


def find_dates(samples: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns whose numbers are dates, such as 20240131, in words."""
    columns = {name: as_floats(cells) for name, cells in samples.items()}
    return {
        name: f"the date {numbers[0]:.0f}"
        for name, numbers in columns.items()
        if numbers is not None and len(np.unique(numbers)) > 1 and _are_dates(numbers)
    }


def _are_dates(numbers: np.ndarray) -> bool:
    """Return whether all numbers are dates, written without a mark between year, month and day.

    Examples
    --------
    >>> _are_dates(np.array([20240131, 20240229])), _are_dates(np.array([20240131, 20240230]))
    (True, False)
    """
    if not ((numbers >= _FIRST_DATE) & (numbers <= _LAST_DATE) & (numbers == np.floor(numbers))).all():
        return False
    texts = pd.Series(np.unique(numbers).astype(np.int64)).astype(str)
    return bool(pd.to_datetime(texts, format="%Y%m%d", errors="coerce").notna().all())


def as_floats(cells: Any) -> np.ndarray | None:
    """Return cells that are not missing as numbers, also with decimal commas; None if some are none."""
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if plain_type(cells.type) == TEXT:
        cells = compute.replace_substring(without_missing(cells.cast(TEXT)), ",", ".")
    try:
        numbers = cells.drop_null().cast(NUMBER, safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    finite: np.ndarray = numbers[np.isfinite(numbers)]
    return finite

"""Columns of numbers that mean something else, told by their values: indices, which name rows, and dates."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from vaetools.data.kinds import NUMBER, TEXT, plain_type, without_missing

FIRST = "Unnamed: 0"  # as pandas calls a first column without a name
_FIRST = re.compile(r"Unnamed: 0(\.\d+)?")  # also where that came about twice
_CALLED = re.compile(
    r"(?i:((row|record)?[ _]?(index|idx|id|nr|no|num|number))\.?|row|#|level_\d|unnamed: \d+|.+[ _.-]id)"
    r"|.*[a-z]I[dD]"  # PassengerId
)
_FEWEST, _MANY = 3, 10  # rows that tell by the name of their column, and without it
_FIRST_DATE, _LAST_DATE = 19000101, 21001231


def find_indices(file: Any, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return which columns are an index, in words, and what to say of others that may be one.

    These are what a file calls so; what pandas calls a first column without a name, if its numbers name
    rows; and columns that are called like an index, such as ``id``, if they count rows.

    Parameters
    ----------
    file : CsvFile, TypedFile or SeveralFiles
    names : list of str
        Columns that may be features.

    Returns
    -------
    indices : dict from str to str
    notes : list of str
        A sentence each.
    """
    indices = {name: words for name, words in file.index_columns() if name in names}
    notes = []
    others = [name for name in names if name not in indices]
    samples = file.sample(others)
    for name in others:
        numbers = as_floats(samples[name]) if name in samples else None
        called = f"column {file.names.index(name) + 1}, {name!r},"
        if why := _why_index(name, numbers):
            indices[name] = f"{called} {why}"
        elif _FIRST.fullmatch(name):
            notes.append(f"Taken as a feature: {called} which had no name, for its numbers repeat or fall.")
        elif numbers is not None and len(numbers) >= _MANY and counts_rows(numbers):
            notes.append(f"Taken as a feature: {called} which counts rows; drop it if it means nothing else.")
    return indices, notes


def _why_index(name: str, numbers: np.ndarray | None) -> str | None:
    """Return why a column of numbers, or of others (None), is an index; None if it is none."""
    if _FIRST.fullmatch(name):
        if numbers is None:
            return "whose texts name rows"
        return "whose numbers name rows" if is_index(numbers) else None
    if numbers is None or len(numbers) < _FEWEST or not _CALLED.fullmatch(name.strip()):
        return None
    return "which counts rows" if counts_rows(numbers) else None


def is_index(numbers: np.ndarray) -> bool:
    """Return whether numbers in a column without a name may be those of rows.

    They rise, are integers that differ, or count several times, as where tables were put together.

    Examples
    --------
    >>> [is_index(np.array(cells)) for cells in ([0, 1, 2], [7, 3, 9], [0, 1, 2, 0, 1, 2], [0.1, 0.2])]
    [True, True, True, True]
    >>> [is_index(np.array(cells)) for cells in ([5.1, 4.9, 4.7], [30, 41, 30])]
    [False, False]
    """
    steps = np.diff(numbers)
    are_integers = bool((numbers == np.floor(numbers)).all())
    differ = len(np.unique(numbers)) == len(numbers)
    return bool((steps > 0).all() or (are_integers and (differ or (steps == 1).mean() > 0.5)))


def counts_rows(numbers: np.ndarray) -> bool:
    """Return whether numbers are integers that rise by one from row to row."""
    return bool((numbers == np.floor(numbers)).all() and (np.diff(numbers) == 1).all())


def find_dates(file: Any, names: list[str]) -> dict[str, str]:
    """Return the columns whose numbers are dates, such as 20240131, in words."""
    columns = {name: as_floats(cells) for name, cells in file.sample(names).items()}
    return {
        name: f"the date {numbers[0]:.0f}"
        for name, numbers in columns.items()
        if numbers is not None and len(np.unique(numbers)) > 1 and are_dates(numbers)
    }


def are_dates(numbers: np.ndarray) -> bool:
    """Return whether all numbers are dates, written without a mark between year, month and day.

    Examples
    --------
    >>> are_dates(np.array([20240131, 20240229])), are_dates(np.array([20240131, 20240230]))
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
    return numbers[np.isfinite(numbers)]

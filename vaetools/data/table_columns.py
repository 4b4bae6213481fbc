"""Which columns of a table can be features, and what is said of those that cannot."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from vaetools.data.counters import find_dates, find_indices
from vaetools.data.dialect import Dialect
from vaetools.data.formats import EXTENSIONS
from vaetools.data.kinds import NAMES, NUMBER, TEXT, Kind
from vaetools.data.layouts import other_separator
from vaetools.data.numerals import written_so
from vaetools.words import few

_DATE = re.compile(
    r"\d{4}[-/.]\d\d?[-/.]\d\d?(?!\d)|\d\d?[-/.]\d\d?[-/.](\d\d){1,2}(?!\d)"  # of digits
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
_AMOUNT = re.compile(r"[€$£¥%]\s*[+-]?\d|\d\s*([€$£¥%]|[A-Z]{3}$)")


def is_date(text: str) -> bool:
    """Return whether a text is a date, a time or a duration, or the name of a type of those.

    Examples
    --------
    >>> [is_date(text) for text in ("2020-01-31", "31.1.20 12:00", "5-Jan-2024", "Jan 5, 2024")]
    [True, True, True, True]
    >>> [is_date(text) for text in ("12:30", "2 days 03:00:00", "PT5M", "duration[ns]", "1h 30min")]
    [True, True, True, True, True]
    >>> [is_date(text) for text in ("10.0.0.1", "P", "5", "2024", "Jan", "Ann 12", "Berlin 10115")]
    [False, False, False, False, False, False, False]
    """
    return any(pattern.match(text) for pattern in _MOMENTS)


def check_kinds(
    file: Any,
    features: list[str],
    kinds: Mapping[str, Kind] | None,
    dialect: Dialect | None,
    *,
    is_new: bool,
    by_position: bool,
) -> None:
    """Raise if columns are not what a new model can take, or what a model was trained on."""
    if kinds is not None:
        wrong = file.misfits(kinds)
    else:
        wrong = file.not_numbers(features, dialect) if by_position or file.typed else {}
    if is_new:
        numbers = [name for name in features if kinds is None or kinds[name].type != TEXT]
        wrong = find_dates(file, [name for name in numbers if name not in wrong]) | wrong
    if not wrong:
        return
    if not is_new:
        wanted = dict.fromkeys(features, Kind(NUMBER)) if kinds is None else kinds
        came = {name: f"{what}, not {NAMES[wanted[name].type]}" for name, what in wrong.items()}
        must, advice = "columns must be what they were in training", "Convert such a column first."
    elif kinds is not None:
        came, must = wrong, "features must be columns of numbers, booleans or text"
        advice = _advice(wrong, dialect) or "Drop such a column, or use it as labels or id."
    else:
        came, must = wrong, "features must be columns of numbers or booleans"
        advice = _advice(wrong, dialect) or (
            "Drop such a column, use it as labels or id, or choose likelihood='mixed', which takes text."
        )
    raise ValueError(f"{file.path}: {must}; got {_columns(came)}. {advice}")


def _advice(wrong: dict[str, str], dialect: Dialect | None) -> str | None:
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


def _columns(wrong: dict[str, str]) -> str:
    """Return columns with what they are."""
    return few(f"{name!r} ({what})" for name, what in wrong.items())


def choose_features(file: Any, names: list[str], n_features: int | None) -> tuple[list[str], list[str]]:
    """Return which of some columns are features, and what to say of indices.

    For a model that knows no names but takes so many columns, only what a file itself calls an index is one,
    where the others are as many.
    """
    indices, notes = find_indices(file, names)
    own = [name for name, _ in file.index_columns()]
    features = [name for name in names if name not in own and not is_index(name)]
    if len(features) != n_features:
        features = [name for name in features if name not in indices]
    left_out = [words for name, words in indices.items() if name not in features]
    return features, [f"Left out as an index: {'; '.join(left_out)}."] * bool(left_out) + notes


def is_index(name: str) -> bool:
    """Return whether pandas calls an index so when it writes a table."""
    return name == "" or name.startswith("__index_level_")


def places(n: int) -> list[str]:
    """Return the names that columns have if nobody named them."""
    return [str(place) for place in range(n)]


def check_number(path: Path | str, features: list[str], n: int) -> None:
    """Raise if there are more or fewer features than a model takes, which knows no names."""
    if len(features) != n:
        raise ValueError(
            f"{path}: rows must have {n} values; got {len(features)}: {few(map(repr, features))}. The model "
            "knows no names of columns: keep only those of training, in their order; another that names rows "
            "can be the id column (--id)."
        )


def check_names(path: Path | str, names: list[str], wanted: Iterable[str]) -> None:
    """Raise if the names of columns are not unique, or wanted ones are not among them."""
    if twice := [name for name, n in Counter(names).items() if n > 1 and not is_index(name)]:
        raise ValueError(
            f"{path}: names of columns must be unique; got {few(map(repr, twice))} more than once. "
            "Rename them, as pandas.read_csv(path) does; or if the names have several lines, join those: in "
            "pandas with table = pandas.read_csv(path, header=[0, 1]) as "
            "table.set_axis(table.columns.map('_'.join), axis=1)."
        )
    known = set(names)
    if missing := [name for name in dict.fromkeys(wanted) if name not in known]:
        alike = {name.strip().casefold(): f" (but {name!r})" for name in names}
        came = few(f"{name!r}{alike.get(name.strip().casefold(), '')}" for name in missing)
        raise ValueError(f"{path}: there is no column {came}. Its columns are {few(map(repr, names))}.")


def find_features(
    file: Any, columns: Iterable[str] | None, apart: Collection[str], n_features: int | None
) -> tuple[list[str], list[str]]:
    """Return the columns that are features, as wanted or as chosen, and notes of the choice."""
    notes: list[str] = []
    if columns is None:
        file.check_rows()
        free = [name for name in file.names if name not in apart]
        features, notes = choose_features(file, free, n_features)
    else:
        features = list(columns)
    if not features:
        raise ValueError(f"{file.path}: no column is left as a feature, of {few(map(repr, file.names))}.")
    if columns is None and n_features is not None:
        check_number(file.path, features, n_features)
    return features, notes


def not_text(features: list[str], kinds: Mapping[str, Kind] | None, as_text: Collection[str]) -> list[str]:
    """Return the features that may be numbers."""
    is_text = as_text if kinds is None else {name for name, kind in kinds.items() if kind.type == TEXT}
    return [name for name in features if name not in is_text]

"""How the numbers of a table are written: with points or commas before fractions and between thousands."""

import dataclasses
import re
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
from pyarrow import compute

from vaetools.data.dialect import IN_PARENTHESES, NUMBER, Dialect, as_numbers, end_to_end, without_missing

_MARKS = (",", ".", " ", "'")  # between thousands
_ODD = "[,' \u00a0\u2009\u202f\u2019]"  # what plain numbers do not hold
_LONE = r"^[+-]?[1-9]\d{{0,2}}[{}]\d{{3}}$"  # 1,234: a thousand, or a fraction
_SHORT = r"^[+-]?[1-9]\d{0,2}$"
_FEWEST = 3  # whole numbers beside it that tell
_GROUPS = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}$"  # 1.234.567: thousands
_ADDRESS = r"^\d{1,3}(?:\.\d{1,3}){3}$"  # of a machine: no number
_FRACTION = r"^[+-]?(?:\d*\.\d{0,2}|\d*\.\d{4,}|(?:0|\d{4,})?\.\d+)$"  # with points, and no thousand
_POINTED = r"^[+-]?\d*\.\d*(?:[eE][+-]?\d+)?$"


def readings(said: Dialect) -> list[Dialect]:
    """Return the ways to write numbers that agree with what is known, plain ones first."""
    decimals = (".", ",") if said.decimal is None else (said.decimal,)
    marks = ("", *_MARKS) if said.thousands is None else (said.thousands,)
    return [
        dataclasses.replace(said, decimal=decimal, thousands=mark)
        for decimal, mark in product(decimals, marks)
        if decimal != mark
    ]


_ANY_NUMBER = re.compile("|".join(each.written[NUMBER] for each in readings(Dialect())), re.ASCII)


def lone_mark(text: str) -> str | None:
    """Return the point or comma in what may be a thousand or a fraction, such as ``1.234``; else None."""
    return next((mark for mark in ".," if re.match(_LONE.format(mark), text, re.ASCII)), None)


def is_number(text: str) -> bool:
    """Return whether a text is a number, however it is written."""
    return _ANY_NUMBER.match(text.strip().replace("\u2212", "-")) is not None


def find_numerals(columns: dict[str, Any], said: Dialect) -> Dialect:
    """Return a dialect with decimal and thousands as the cells of columns have them.

    All columns decide together: numbers are plain where plain ones explain the most cells, else as
    explains most. ``1,234`` alone can be two numbers; beside whole numbers below 1,000 of the same column
    it is a thousand. ``1.234`` is refused there if no other cell has a fraction. The dialect has no decimal
    if no cell has a point, so that it stays open what one would mean. A ValueError says if two readings are
    possible, or columns are written in different ways.

    The columns are some cells of every feature, as chunked arrays of text.
    """
    possible = readings(said)
    if len(possible) == 1 or not any(map(len, columns.values())):
        return possible[0]
    cells = without_missing(as_numbers(end_to_end(list(columns.values()))))
    if plain := _plain(cells, said):
        return plain

    def found(pattern: str) -> np.ndarray:
        hits = compute.match_substring_regex(cells, pattern).fill_null(False)
        return np.asarray(hits).reshape(len(columns), -1)

    fits = np.array([found(each.written[NUMBER]) for each in possible])
    n_known = np.asarray(cells.is_valid()).reshape(len(columns), -1).sum(axis=1)
    share = fits.any(axis=0).sum(axis=1) / np.maximum(1, n_known)
    is_address = found(_ADDRESS).sum(axis=1) > 0.5 * n_known
    is_numbers = ((share > 0.5) & ~is_address)[:, np.newaxis]
    counts = (fits & is_numbers).sum(axis=(1, 2))
    best = [each for each, n in zip(possible, counts, strict=True) if n == counts.max()]
    points, commas = (found(_LONE.format(mark)) & is_numbers for mark in ".,")
    has_short = found(_SHORT).sum(axis=1) >= _FEWEST
    groups = found(_GROUPS) & is_numbers
    is_odd = said.separator == ";" or bool((points.any(axis=1) & has_short).any())
    if not groups.any() and _may_be_thousands(best, points.sum(), counts.max() - counts[0], is_odd=is_odd):
        _refuse_lone(columns, np.argwhere(points)[0], ".")
    if _may_be_either(best) and commas.any() and not (commas.any(axis=1) & has_short).any():
        _refuse_lone(columns, np.argwhere(commas)[0], ",")
    chosen = _chosen(best)
    odd = fits.any(axis=0) & ~fits[possible.index(chosen)] & is_numbers
    lost = (share >= 0.9) & ((odd.sum(axis=1) > 0.5 * n_known) | (odd & groups).any(axis=1))
    if lost.any():
        _refuse_both(columns, np.argwhere(odd & lost[:, np.newaxis])[0], chosen)
    is_open = _is_open(said) and chosen.has_plain_numbers and not (found(_POINTED) & is_numbers).any()
    return dataclasses.replace(said, thousands="") if is_open else chosen


def unclear_point(columns: dict[str, Any], said: Dialect) -> str | None:
    """Return a warning where all numbers with a point are like 1.234, which may be a thousand; else None.

    Between semicolons `find_numerals` refuses that. The columns are the first cells of every feature.
    """
    if not _is_open(said):
        return None
    found = None
    for name, column in columns.items():
        cells = without_missing(as_numbers(end_to_end([column])))
        pointed = cells.filter(compute.match_substring_regex(cells, _POINTED).fill_null(False))
        lone = compute.match_substring_regex(pointed, _LONE.format("."))
        if not compute.all(lone).as_py():
            return None
        found = found or (len(pointed) and (name, pointed[0].as_py()))
    if not found:
        return None
    name, cell = found
    return (
        f"a number such as {cell!r} in column {name!r} should have one meaning; it is read as {cell}, and "
        f"may be {cell.replace('.', '')}, as no number in the table has another kind of fraction. Say which: "
        "decimal='.' or thousands='.'."
    )


def negatives_in_parentheses(columns: dict[str, Any], dialect: Dialect) -> list[str]:
    """Return a note of columns of numbers of which some are negative by parentheses, if there are any."""
    examples = {}
    for name, cells in columns.items():
        found = compute.fill_null(compute.match_substring_regex(cells, IN_PARENTHESES), False)
        numbers = compute.match_substring_regex(without_missing(as_numbers(cells)), dialect.written[NUMBER])
        if compute.any(found).as_py() and compute.mean(numbers).as_py() > 0.5:
            examples[name] = cells.filter(found)[0].as_py()
    if not examples:
        return []
    name, cell = next(iter(examples.items()))
    more = f" and {len(examples) - 1} more" if len(examples) > 1 else ""
    return [f"Numbers in parentheses are negative, as in accounts: {cell} in column {name!r}{more}."]


def written_so(words: Iterable[str], said: Dialect) -> str | None:
    """Return how numbers are written that are none in a dialect, as arguments of it; None if in no way."""
    texts = [word for word in words if is_number(word)]
    for each in readings(Dialect()) if texts else ():
        is_other = (each.decimal, each.thousands) != (said.decimal, said.thousands)
        if is_other and all(re.match(each.written[NUMBER], text, re.ASCII) for text in texts):
            more = f" and thousands={each.thousands!r}" if each.thousands else ""
            return f"decimal={each.decimal!r}{more}"
    return None


def _is_open(said: Dialect) -> bool:
    """Return whether nothing was said of how numbers are written."""
    return said.decimal is None and said.thousands is None


def _plain(cells: Any, said: Dialect) -> Dialect | None:
    """Return the dialect of cells that can be nothing but plain numbers, or None."""
    if _any(cells, _ODD) or _any(cells, _GROUPS):
        return None
    if _is_open(said) and not _any(cells, _POINTED):
        return dataclasses.replace(said, thousands="")
    is_told = said.separator != ";" and not _any(cells, _LONE.format("."))
    return readings(said)[0] if is_told or (_is_open(said) and _any(cells, _FRACTION)) else None


def _any(cells: Any, pattern: str) -> bool:
    return bool(compute.any(compute.match_substring_regex(cells, pattern)).as_py())


def _may_be_thousands(best: list[Dialect], n_points: int, n_more: int, *, is_odd: bool) -> bool:
    """Return whether cells like 1.234, ``n_points`` of them, may be read in both ways.

    They may if nothing but them has a point, between semicolons or beside short whole numbers (``is_odd``);
    and if the best readings explain only ``n_more`` cells that plain ones do not.
    """
    ways = {(each.decimal, each.thousands) for each in best}
    if best[0].has_plain_numbers:
        return is_odd and (",", ".") in ways and n_points > 0
    return ways == {(",", ".")} and n_points > n_more


def _may_be_either(best: list[Dialect]) -> bool:
    """Return whether commas, of cells like 1,234 alone, may stand before fractions and between thousands."""
    ways = {(each.decimal, each.thousands) for each in best}
    return not best[0].has_plain_numbers and (".", ",") in ways and any(decimal == "," for decimal, _ in ways)


def _chosen(best: list[Dialect]) -> Dialect:
    """Return one of the readings that explain most cells, of which none is left that means other numbers."""
    if best[0].has_plain_numbers:
        return best[0]
    by_thousands = [each for each in best if (each.decimal, each.thousands) == (".", ",")]
    return (by_thousands or sorted(best, key=lambda each: bool(each.thousands)))[0]


def _refuse_lone(columns: dict[str, Any], place: np.ndarray, mark: str) -> None:
    name, cell = _named(columns, place)
    fraction, thousand = cell.replace(",", "."), re.sub("[.,]", "", cell)
    raise ValueError(
        f"column {name!r} must be written so that its numbers have one meaning; got {cell!r}, which may be "
        f"{fraction} or {thousand}. Say which: decimal={mark!r} or thousands={mark!r}."
    )


def _refuse_both(columns: dict[str, Any], place: np.ndarray, chosen: Dialect) -> None:
    name, cell = _named(columns, place)
    raise ValueError(
        f"columns of numbers must be written alike; got {cell!r} in column {name!r}, and others with decimal "
        f"{'commas' if chosen.decimal == ',' else 'points'}. Write them alike, or drop the column; a "
        "mixed table may have it as categorical."
    )


def _named(columns: dict[str, Any], place: np.ndarray) -> tuple[str, str]:
    column, row = place.tolist()
    name = list(columns)[column]
    return name, columns[name][row].as_py().strip()

"""Words that every room says alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

_LISTED = 5  # columns


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word most like a given one, if one is like it; else nothing.

    Examples
    --------
    >>> did_you_mean("scroe", ["fit", "score"]), did_you_mean("x", ["fit", "score"])
    (" Did you mean 'score'?", '')
    """
    like = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {like[0]!r}?" if like else ""


def is_lost_as_float(value: int) -> bool:
    """Return whether float64 holds an integer as another one.

    Examples
    --------
    >>> is_lost_as_float(2**53), is_lost_as_float(2**53 + 1), is_lost_as_float(2**60)
    (False, True, False)
    """
    return int(float(value)) != value


def equal_as_floats(owner: object, found: Mapping[Any, int]) -> str:
    """Return a warning of columns with integers beyond those that float64 tells apart, one of each.

    Examples
    --------
    >>> equal_as_floats("VAE", {"id": 2**53 + 1})[:58]
    'VAE: integers should lie within ±2^53, up to which float64'
    """
    more = f" and {len(found) - _LISTED:,} more" if len(found) > _LISTED else ""
    columns = ", ".join(f"{name!r} ({value})" for name, value in list(found.items())[:_LISTED])
    return (
        f"{owner}: integers should lie within ±2^53, up to which float64 tells them apart; got column "
        f"{columns}{more}, where different ones become equal. Such a column nearly always holds ids: drop "
        "it; of others subtract the least value first."
    )

"""What rows are called, by which a watch knows those that come again."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd


def as_texts(names: Sequence[Any]) -> list[str]:
    """Return names as text, alike from files of all formats; empty where there is none.

    Raises
    ------
    ValueError
        If a name is that of several rows, of which all but one would be left out.

    Examples
    --------
    >>> as_texts([7.0, " 8 ", None, float("nan")])
    ['7', '8', '', '']
    """
    texts = list(map(_as_text, names))
    [(name, n)] = Counter(filter(None, texts)).most_common(1) or [("", 0)]
    if n > 1:
        raise ValueError(
            f"Watch: names must tell rows apart; got {name!r} for {n:,} of {len(texts):,} rows. Name rows by "
            "something else, or not at all."
        )
    return texts


def key(name: str) -> bytes:
    """Return by what a name is remembered."""
    return hashlib.blake2b(os.fsencode(name), digest_size=8).digest()


def _as_text(name: Any) -> str:
    """Return a name as text: 7.0 is 7, which is what tables make of whole numbers where one is missing."""
    if pd.isna(name):
        return ""
    return str(int(name) if isinstance(name, float) and name.is_integer() else name).strip()

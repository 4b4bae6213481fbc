"""Words that every room says alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word most like a given one, if one is like it; else nothing.

    Examples
    --------
    >>> did_you_mean("scroe", ["fit", "score"]), did_you_mean("x", ["fit", "score"])
    (" Did you mean 'score'?", '')
    """
    like = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {like[0]!r}?" if like else ""

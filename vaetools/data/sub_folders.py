"""How many images in each folder right below one have which verdict."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

_ITSELF = "."  # as which the folder's own images are counted


def count_by_folder(folder: str, paths: Iterable[str], verdicts: Iterable[Any]) -> dict[str, Counter]:
    """Return how often each verdict is in each folder right below one.

    Parameters
    ----------
    folder : str
        Or its address, in which names are divided by "/".
    paths : iterable of str
        All in it or below it.
    verdicts : iterable of hashable
        Or numbers that decide later.

    Examples
    --------
    >>> count_by_folder("p", ["p/a/1.png", "p/a/b/2.png", "p/3.png"], ["odd", "odd", "normal"])
    {'a': Counter({'odd': 2}), '.': Counter({'normal': 1})}
    """
    divider = "/" if "://" in folder else os.sep
    start = len(folder if folder.endswith(divider) else folder + divider)
    counts: dict[str, Counter] = {}
    for path, verdict in zip(paths, verdicts, strict=True):
        name, below, _ = path[start:].partition(divider)
        counts.setdefault(name if below else _ITSELF, Counter())[verdict] += 1
    return counts

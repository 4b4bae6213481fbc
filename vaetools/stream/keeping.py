"""What keeps rows as they stream by: the oddest, in all or of every sub-folder, the nearest, some, or all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from vaetools.geometry import similar
from vaetools.stream.flow import ODD, Part
from vaetools.stream.sinks import MOST_FOLDERS, Selection, Sink, sub_folders


class Oddest(Sink):
    """Keeps the rows that score lowest.

    Parameters
    ----------
    n : int
        How many at most.
    selection : Selection or None, default=None
        Makes the verdicts, once all rows are known.

    Attributes
    ----------
    table : DataFrame of shape (n, n_columns)
        What streamed by of them, the oddest first. A score beyond all numbers (NaN) is the oddest.
    X : DataFrame of shape (n, n_features)
        The rows themselves.
    """

    def __init__(self, n: int, selection: Selection | None = None):
        self.n, self.selection = n, selection
        self.table, self.X = pd.DataFrame(), pd.DataFrame()

    def add(self, part: Part) -> None:
        """Keep the oddest rows of a part, as far as they are among the oddest of all."""
        order = lowest(part.table, self.n)
        table, X = part.table.iloc[order], pd.DataFrame(part.X).iloc[order]
        if len(self.table):
            table, X = pd.concat([self.table, table]), pd.concat([self.X, X])
        order = lowest(table, self.n)
        self.table, self.X = table.iloc[order], X.iloc[order]

    def close(self) -> None:
        """Make the verdicts that need to know all rows."""
        if self.selection is not None and len(self.table):
            self.table = self.selection.judge(self.table)


class Examples(Sink):
    """Keeps, of every sub-folder, what streams by of its oddest images: those that are odd, and the others.

    Parameters
    ----------
    n : int
        How many of each at most.
    folder : str or None
        Of images, or its address; None keeps nothing.
    selection : Selection or None, default=None
        Makes the verdicts, once all rows are known.
    """

    def __init__(self, n: int, folder: str | None, selection: Selection | None = None):
        self.n, self.folder, self.selection = n, folder, selection
        self._kept: dict[tuple[str, str], pd.DataFrame] = {}

    def add(self, part: Part) -> None:
        """Keep the oddest rows of a part, as far as they are among the oddest of their folder."""
        if self.folder is None or len(self._kept) > MOST_FOLDERS:
            return
        numbers: dict[tuple[str, str], list[int]] = {}
        places = zip(sub_folders(part.table, self.folder), part.table["verdict"], strict=True)
        for i, place in enumerate(places):
            numbers.setdefault(place, []).append(i)
        for place, rows in numbers.items():
            kept = part.table.iloc[rows]
            kept = pd.concat([self._kept[place], kept]) if place in self._kept else kept
            self._kept[place] = kept.iloc[lowest(kept, self.n)]

    def of(self, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of a sub-folder that are odd, and others, the oddest first."""
        kept = pd.concat([rows for (folder, _), rows in self._kept.items() if folder == name])
        kept = kept.iloc[lowest(kept, len(kept))]
        if self.selection is not None:
            kept = self.selection.judge(kept)
        is_odd = (kept["verdict"] == ODD).to_numpy()
        return kept[is_odd], kept[~is_odd]


class Sampled(Sink):
    """Keeps some rows, each as likely as any other.

    Parameters
    ----------
    n : int
        How many at most.

    Attributes
    ----------
    table : DataFrame of shape (n, n_columns)
        What streamed by of them, in its order.
    X : DataFrame of shape (n, n_features)
        The rows themselves.
    """

    def __init__(self, n: int):
        self.n, self._rng, self._lots = n, np.random.default_rng(0), np.empty(0)
        self.table, self.X = pd.DataFrame(), pd.DataFrame()

    def add(self, part: Part) -> None:
        """Keep the rows that draw the least of all lots so far."""
        lots = np.concatenate([self._lots, self._rng.random(len(part.table))])
        table, X = part.table, pd.DataFrame(part.X)
        if len(self.table):
            table, X = pd.concat([self.table, table]), pd.concat([self.X, X])
        kept = np.sort(np.argsort(lots)[: self.n])
        self._lots, self.table, self.X = lots[kept], table.iloc[kept], X.iloc[kept]


class Nearest(Sink):
    """Keeps the rows whose codes are nearest to a code.

    Parameters
    ----------
    code : ndarray of shape (1, n_components)
    k : int
        How many at most.
    is_left_out : callable
        Whether a row is left out, by its name.

    Attributes
    ----------
    table : DataFrame of shape (k, 2)
        What they are called, and their ``distance``, nearest first.
    X : ndarray of shape (k, n_features)
        The rows themselves.
    n_searched : int
    """

    def __init__(self, code: np.ndarray, k: int, is_left_out: Callable[[Any], bool]):
        self.code, self.k, self.is_left_out = code, k, is_left_out
        self.table, self.X, self.n_searched = pd.DataFrame(), np.empty(0), 0

    def add(self, part: Part) -> None:
        """Keep the nearest rows of a part, as far as they are among the nearest of all."""
        others = np.array([not self.is_left_out(name) for name in part.table.iloc[:, 0]], bool)
        if not others.any():
            return
        self.n_searched += int(others.sum())
        codes, X = part.table[others], np.asarray(part.X)[others]
        found = similar(codes.iloc[:, 1:], self.code, min(self.k, len(codes)))
        table, X = codes.iloc[found.indices[0], :1].assign(distance=found.distances[0]), X[found.indices[0]]
        if len(self.table):
            table, X = pd.concat([self.table, table]), np.concatenate([self.X, X])
        order = np.argsort(table["distance"].to_numpy(), kind="stable")[: self.k]
        self.table, self.X = table.iloc[order], X[order]


class Collected(Sink):
    """Keeps what a function makes of every part.

    Parameters
    ----------
    function : callable
        Of a `Part`.

    Attributes
    ----------
    parts : list
        What it returned.
    """

    def __init__(self, function: Callable[[Part], Any]):
        self.function = function
        self.parts: list[Any] = []

    def add(self, part: Part) -> None:
        """Keep what the function makes of a part."""
        self.parts.append(self.function(part))


def lowest(table: pd.DataFrame, n: int) -> np.ndarray:
    """Return the places of the rows that score lowest, at most so many."""
    return np.argsort(table["score"].fillna(-np.inf).to_numpy(), kind="stable")[:n]

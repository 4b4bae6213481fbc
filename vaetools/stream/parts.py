"""What streams: parts of data with what a model says of them, and the sinks that take them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vaetools.data.batches import Failure, where

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaetools.data.batches import Source

NORMAL, ODD = "normal", "odd"


class Part(NamedTuple):
    """What a batch became.

    Attributes
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        First what each row is called, then what was asked for.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The rows themselves; a DataFrame for a model with ``likelihood="mixed"``.
    failed : list of Failure
        What could not be read, as (id, reason).
    """

    table: pd.DataFrame
    X: np.ndarray | pd.DataFrame
    failed: list[Failure]


class Sink:
    """What takes parts as they stream by; a subclass says what it does with one.

    A sink that holds something open overrides ``__enter__`` and ``__exit__`` too, and gives up in the latter
    what `close` has not finished.
    """

    def add(self, part: Part) -> None:
        """Take a part, which has at least one row."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish: all parts have come. Sinks are closed in the order in which they were named."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Parts(Iterator[Part]):
    """The parts of data, one after the other.

    Parameters
    ----------
    parts : iterator of Part
    source : Source
    name : str
        What the data are called in an error.

    Attributes
    ----------
    source : Source
        How files are read, and what is left out.
    n_rows : int
        Rows that have come so far.
    failed : list of Failure
        What could not be read so far.
    """

    def __init__(self, parts: Iterator[Part], source: Source, name: str):
        self._parts, self.source, self._name = parts, source, name
        self.n_rows = 0
        self.failed: list[Failure] = []

    def __next__(self) -> Part:
        part = next(self._parts)
        self.n_rows += len(part.table)
        self.failed += part.failed
        return part

    def into(self, *sinks: Sink) -> Parts:
        """Give all parts to sinks.

        Parameters
        ----------
        *sinks : Sink
            Each gets every part that has rows. Where anything fails, none is closed, and files that they
            had begun are removed.

        Returns
        -------
        parts : Parts
            Itself, with what could not be read in ``failed``.

        Raises
        ------
        ValueError
            If nothing could be read.
        """
        with contextlib.ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            for part in self:
                if len(part.table):
                    for sink in sinks:
                        sink.add(part)
            check_any(self.n_rows, self.failed, self._name)
            for sink in sinks:
                sink.close()
        return self


def check_any(n_rows: int, failed: list[Failure], name: str) -> None:
    """Raise, before a file without rows is written, where nothing could be read."""
    if not n_rows:
        first = "".join(f"; the first: {where(id)}: {reason}" for id, reason in failed[:1])
        raise ValueError(f"{name}: there is nothing that could be read{first}.")

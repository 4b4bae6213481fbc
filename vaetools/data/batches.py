"""What every reader of files yields: rows, what each is called, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class PixelRows(np.ndarray):
    """Rows of an image reader: an estimator takes their integers for levels of brightness.

    Parts of them are pixels too; what is computed from them is a plain array.

    Attributes
    ----------
    are_pixels : bool
        True.
    """

    are_pixels = True

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """Return the result of a calculation as numbers that are no pixels."""
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain


class Failure(NamedTuple):
    """Something that could not be read.

    Attributes
    ----------
    id : str or int
        Path of a file, or number of a row (from 0).
    reason : str
        One line.
    """

    id: str | int
    reason: str


class Batch(NamedTuple):
    """Some rows, in the order of their files.

    Attributes
    ----------
    ids : list of str or int
        Path or row number (from 0) of every row.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        May have no rows. A DataFrame where columns are of several kinds.
    failed : list of Failure
        What could not be read since the batch before.
    """

    ids: list
    X: np.ndarray | pd.DataFrame
    failed: list[Failure]


def where(id: str | int) -> str:
    """Return what a failure is of in words: a path as it is, or "row 3"."""
    return id if isinstance(id, str) else f"row {id}"


def regroup(batches: Iterable[Batch], n_rows: int) -> Iterator[Batch]:
    """Yield the same rows in batches of ``n_rows``, the last one shorter.

    Examples
    --------
    >>> pieces = [Batch([i], np.array([[i]]), []) for i in range(5)]
    >>> [batch.ids for batch in regroup(pieces, 2)]
    [[0, 1], [2, 3], [4]]
    """
    ids: list = []
    pieces: list[np.ndarray] = []
    failed: list[Failure] = []
    for batch in batches:
        ids, failed = ids + batch.ids, failed + batch.failed
        pieces.append(batch.X)
        while len(ids) >= n_rows:
            X = np.concatenate(pieces)
            yield Batch(ids[:n_rows], X[:n_rows], failed)
            ids, pieces, failed = ids[n_rows:], [X[n_rows:]], []
    if ids or failed:
        yield Batch(ids, np.concatenate(pieces), failed)

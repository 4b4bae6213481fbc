"""What every reader of files yields: rows, what each is called, and what could not be read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


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
    X : ndarray of shape (n_rows, n_features)
        May have no rows.
    failed : list of Failure
        What could not be read since the batch before.
    """

    ids: list
    X: np.ndarray
    failed: list[Failure]

"""Integers so large that float64, which models count in, no longer tells them apart."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterator
from typing import Any

import numpy as np
import pandas as pd

from vaetools.words import equal_as_floats, is_lost_as_float

_LARGEST = 2**53  # up to which float64 holds all integers
_LOOKED_AT = 1_000  # of large integers in a column


def warn_of_large_integers(owner: str, X: Any, categories: Container[Any]) -> None:
    """Warn of columns of integers that become others as floats.

    Parameters
    ----------
    owner : str
    X : DataFrame, or array-like of shape (n_samples, n_features)
    categories : container
        Names or places of columns whose values stay what they are.
    """
    if isinstance(X, (list, tuple)):
        X = np.asarray(X, dtype=object)  # of integers among floats NumPy would make floats
    numbers = ((name, cells) for name, cells in _columns(X) if name not in categories)
    found = {name: large for name, cells in numbers if (large := _lost(cells)) is not None}
    if found:
        warnings.warn(equal_as_floats(owner, found), stacklevel=6)


def _columns(X: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the columns that may hold large integers, with their names or places."""
    if isinstance(X, pd.DataFrame):
        for place, name in enumerate(X.columns):
            cells = X.iloc[:, place]
            if pd.api.types.is_integer_dtype(cells.dtype) or cells.dtype == object:
                yield name, cells.dropna().to_numpy()
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "iuO" and X.dtype.itemsize >= 8:
        yield from enumerate(X.T)


def _lost(cells: np.ndarray) -> int | None:
    """Return an integer that float64 holds as another one, if there is one among the first large ones."""
    if cells.dtype == object:
        large = [cell for cell in cells if isinstance(cell, (int, np.integer)) and abs(cell) > _LARGEST]
    else:
        large = cells[(cells > _LARGEST) | (cells < -_LARGEST)].tolist()
    return next((value for value in map(int, large[:_LOOKED_AT]) if is_lost_as_float(value)), None)

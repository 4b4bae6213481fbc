"""Paths through a latent space: arrays of codes to decode."""

from __future__ import annotations

from typing import Any

import numpy as np


def interpolate(start: Any, end: Any, n: int) -> np.ndarray:
    """Return evenly spaced codes on the straight line between two codes, both included.

    Parameters
    ----------
    start : array-like of shape (n_components,)
    end : array-like of shape (n_components,)
    n : int
        Number of codes, at least 2.

    Returns
    -------
    Z : ndarray of shape (n, n_components), float64
        The first row is ``start`` and the last is ``end``, exactly.

    Raises
    ------
    ValueError
        If there are fewer than two codes, or the ends differ in shape.

    Examples
    --------
    >>> interpolate([0.0, 4.0], [1.0, 0.0], n=3)
    array([[0. , 4. ],
           [0.5, 2. ],
           [1. , 0. ]])
    """
    start, end = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(
            "interpolate: start and end must be two codes of the same shape (n_components,); "
            f"got {start.shape} and {end.shape}."
        )
    if n < 2:
        raise ValueError(f"interpolate: n must be at least 2; got {n!r}.")
    return np.linspace(start, end, n)  # (n, n_components)

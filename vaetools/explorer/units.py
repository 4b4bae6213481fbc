"""Steps of a pipeline that can be inverted: whether they take every column for itself, and how."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_N_TRIED = 32  # rows
_SLACK = 1e-6  # of the spread of a column
_ROUNDING = 1e-12  # of its values


class ByColumn(NamedTuple):
    """``rows * scale + shift``, of shape (n_columns,) each."""

    shift: np.ndarray
    scale: np.ndarray


def is_by_column(back: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> bool:
    """Return whether a map of rows makes every column of its own column alone.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> is_by_column(np.exp, rows), is_by_column(lambda rows: rows @ np.tri(3), rows)
    (True, False)
    """
    some, others = _tried(rows, 0), _tried(rows, 1)
    chosen = np.random.default_rng(0).random(some.shape) < 0.5
    expected = np.where(chosen, back(some), back(others))
    return _agree(back(np.where(chosen, some, others)), expected)


def by_column(back: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> ByColumn | None:
    """Return the factor and the summand by which a map of columns makes each, or None of another map.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = by_column(lambda rows: 3 * rows + [1, 0], rows)
    >>> found.shift.round(9), found.scale.round(9)
    (array([1., 0.]), array([3., 3.]))
    >>> by_column(np.exp, rows)
    """
    some = _tried(rows, 0)
    low, high = some.min(axis=0), some.max(axis=0)
    high = np.where(high > low, high, low + 1)
    first, last = back(np.stack([low, high]))
    scale = (last - first) / (high - low)
    found = ByColumn(first - scale * low, scale)
    return found if _agree(some * found.scale + found.shift, back(some)) else None


def _tried(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return some rows, the same ones every time."""
    return rows[np.random.default_rng(seed).integers(len(rows), size=_N_TRIED)]


def _agree(made: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether rows are the same but for rounding."""
    slack = _SLACK * expected.std(axis=0) + _ROUNDING * (1 + np.abs(expected).max(axis=0))
    return bool((np.abs(made - expected) <= slack).all())

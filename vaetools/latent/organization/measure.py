"""A measured value with its 95 % interval, and the ways to get one."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

_NORMAL = float(stats.norm.ppf(0.975))
_REPLICATES = 100  # of a bootstrap; their spread is known to a fourteenth


class Measure(NamedTuple):
    """A value and its 95 % interval over rows or draws.

    Of too few rows the interval is NaN, and where a measure means nothing its value is too.

    Examples
    --------
    >>> share = Measure(0.5, 0.4, 0.6)
    >>> share.value, share.high - share.value < 0.2
    (0.5, True)
    """

    value: float
    low: float
    high: float


UNKNOWN = Measure(math.nan, math.nan, math.nan)


def checked(owner: str, *arrays: Any, paired: bool = True) -> list[np.ndarray]:
    """Return arrays of shape (n_rows, n_columns) as float64; paired ones have equally many rows."""
    checked = [np.asarray(array, dtype=np.float64) for array in arrays]
    shapes = " and ".join(str(array.shape) for array in checked)
    if any(array.ndim != 2 for array in checked):
        raise ValueError(f"{owner}: arrays must have rows and columns; got {shapes}. Reshape them.")
    if paired and len({len(array) for array in checked}) > 1:
        raise ValueError(f"{owner}: arrays must have the same rows; got {shapes}. Pass them as they belong.")
    if not all(np.isfinite(array).all() for array in checked):
        raise ValueError(f"{owner}: values must be finite; got NaN or infinity. Leave such rows out.")
    return checked


def sampled(rows: np.ndarray, n_max: int, random_state: int) -> np.ndarray:
    """Return the numbers of all rows or of a random n_max of them, ascending."""
    if len(rows) <= n_max:
        return np.arange(len(rows))
    return np.sort(np.random.default_rng(random_state).choice(len(rows), n_max, replace=False))


def mean(values: np.ndarray, *, least: float = -math.inf, most: float = math.inf) -> Measure:
    """Return a mean with its t interval, which stays in the range of the values."""
    n = len(values)
    if n == 0:
        return UNKNOWN
    value = float(values.mean())
    if n == 1:
        return Measure(value, math.nan, math.nan)
    margin = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return _within(value, margin, least, most)


def share(flags: Any) -> Measure:
    """Return the share of what is true with its interval of Wilson (1927), which stays within [0, 1]."""
    n = len(flags)
    if n == 0:
        return UNKNOWN
    value, slack = float(flags.mean()), _NORMAL**2 / n
    center = (value + slack / 2) / (1 + slack)
    margin = math.sqrt(slack * (value * (1 - value) + slack / 4)) / (1 + slack)
    return Measure(value, min(value, center - margin), max(value, center + margin))


def bootstrap(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    random_state: int,
    least: float = -math.inf,
    most: float = math.inf,
) -> Measure:
    """Return a statistic of rows with the interval of its bootstrap's standard error (Efron 1979).

    The interval stays in the range of the statistic.
    """
    value = statistic(*arrays)
    if math.isnan(value):
        return UNKNOWN
    rng, n = np.random.default_rng(random_state), len(arrays[0])
    draws = (rng.integers(n, size=n) for _ in range(_REPLICATES))
    error = float(np.nanstd([statistic(*(array[index] for array in arrays)) for index in draws], ddof=1))
    return with_error(value, error, least=least, most=most)


def with_error(value: float, error: float, *, least: float = -math.inf, most: float = math.inf) -> Measure:
    """Return a value with the interval of its standard error, in its range; unknown if there is none."""
    return UNKNOWN if math.isnan(value) else _within(value, _NORMAL * error, least, most)


def _within(value: float, margin: float, least: float, most: float) -> Measure:
    """Return a value with a margin to either side, cut at the ends of its range but never at the value."""
    low = np.minimum(value, np.maximum(value - margin, least))  # NaN where the margin is
    high = np.maximum(value, np.minimum(value + margin, most))
    return Measure(value, float(low), float(high))

"""Thresholds and p-values from scores of rows that touched nothing else.

Split-conformal: if calibration rows and a new row are exchangeable, the new row's p-value is at
most α with probability ⌊α(n + 1)⌋ / (n + 1), exactly, for any score and any model.

References
----------
Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World", Springer.
Bates, Candès, Lei, Romano, Sesia (2023), "Testing for outliers with conformal p-values",
Annals of Statistics 51(1).
"""

from __future__ import annotations

import math

import numpy as np


def n_tolerated(n_calibration: int, false_alarm_rate: float) -> int:
    """Return k = ⌊rate · (n + 1)⌋: the threshold is the k-th smallest calibration score.

    Examples
    --------
    >>> n_tolerated(19, 0.05), n_tolerated(18, 0.05), n_tolerated(99, 0.29)
    (1, 0, 29)
    """
    k = math.floor(false_alarm_rate * (n_calibration + 1) + 1e-9)  # 0.29 · 100 < 29 in floats
    return min(k, n_calibration)


def expected_rate(n_calibration: int, false_alarm_rate: float) -> float:
    """Return the probability that a new normal row is flagged: k / (n + 1), at most the rate.

    Examples
    --------
    >>> expected_rate(30, 0.05)  # k = 1 of 31
    0.03225806451612903
    """
    return n_tolerated(n_calibration, false_alarm_rate) / (n_calibration + 1)


def n_rows_needed(false_alarm_rate: float) -> int:
    """Return the fewest calibration rows that can stand for a false-alarm rate.

    Examples
    --------
    >>> n_rows_needed(0.05), n_rows_needed(0.01)
    (19, 99)
    """
    return math.ceil(1 / false_alarm_rate - 1 - 1e-9)


def threshold(scores: np.ndarray, false_alarm_rate: float) -> float:
    """Return the score below which a row is flagged; needs `n_rows_needed` scores.

    Examples
    --------
    >>> threshold(np.arange(19.0), 0.05)
    0.0
    """
    k = n_tolerated(len(scores), false_alarm_rate)
    return float(np.partition(_nan_as_oddest(scores), k - 1)[k - 1])


def conformal_p_values(scores: np.ndarray, calibration_scores: np.ndarray) -> np.ndarray:
    """Return (1 + the number of calibration scores at most as high) / (n + 1), in (0, 1].

    Ties count against the row, which keeps the values valid; NaN counts as the oddest.

    Examples
    --------
    >>> conformal_p_values(np.array([-1.0, 1.0, 9.0]), np.array([0.0, 1.0, 2.0]))
    array([0.25, 0.75, 1.  ])
    """
    ordered = np.sort(_nan_as_oddest(calibration_scores))
    n_at_most = np.searchsorted(ordered, _nan_as_oddest(scores), side="right")
    return (1 + n_at_most) / (len(ordered) + 1)


def _nan_as_oddest(scores: np.ndarray) -> np.ndarray:
    """Put NaN below every number, where `numpy.sort` would put it above."""
    return np.where(np.isnan(scores), -np.inf, scores)

"""What rate of false alarms a threshold keeps, by how many rows calibrate: read without numpy.

The threshold is the k-th smallest of n calibration scores, so that a new normal row is flagged with
probability k / (n + 1): see `vaetools.anomaly.calibration`.
"""

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vaetools.anomaly.certificates import certified_rank, n_rows_to_certify

if TYPE_CHECKING:
    import numpy as np

_CLOSE = 1e-6  # relative or absolute: more than any way to round takes from a score
ROUNDING = 1e-9  # relative: 0.29 · 100 < 29 in floats, and scores differ in the last bits by batch


def n_tolerated(n_calibration: int, false_alarm_rate: float, confidence: float | None = None) -> int:
    """Return k = ⌊rate · (n + 1)⌋, but at least 1: the threshold is the k-th smallest calibration score.

    With a confidence in the rate it is the `certified_rank`, but at least 1, too.

    Examples
    --------
    >>> n_tolerated(39, 0.05), n_tolerated(18, 0.05), n_tolerated(99, 0.29), n_tolerated(99, 0.29, 0.95)
    (2, 1, 29, 21)
    """
    if confidence is not None:
        return max(1, certified_rank(n_calibration, false_alarm_rate, confidence))
    k = math.floor(false_alarm_rate * (n_calibration + 1) + ROUNDING)
    return min(max(k, 1), n_calibration)


def expected_rate(n_calibration: int, false_alarm_rate: float, confidence: float | None = None) -> float:
    """Return the probability that a new normal row is flagged: k / (n + 1).

    At most the rate, unless there are fewer calibration rows than `n_rows_needed`.

    Examples
    --------
    >>> expected_rate(30, 0.05), expected_rate(6, 0.05)  # k = 1 of 31, and of 7
    (0.03225806451612903, 0.14285714285714285)
    """
    return n_tolerated(n_calibration, false_alarm_rate, confidence) / (n_calibration + 1)


def excess_p_value(
    n_flagged: int, n: int, n_calibration: int, false_alarm_rate: float, confidence: float | None = None
) -> float:
    """Return how often as many of n normal rows or more are flagged, if they are like those that calibrated.

    The share that a threshold flags varies with the rows that it was chosen by, as the k-th least of
    n_calibration uniform numbers does, so that the number flagged is beta-binomial.

    Examples
    --------
    >>> round(excess_p_value(5, 19, 15, 0.05), 3), round(excess_p_value(7, 33, 147, 0.05), 4)
    (0.042, 0.0029)
    """
    from scipy.stats import betabinom

    k = n_tolerated(n_calibration, false_alarm_rate, confidence)
    return float(betabinom.sf(n_flagged - 1, n, k, n_calibration + 1 - k))


def n_rows_needed(false_alarm_rate: float, confidence: float | None = None) -> int:
    """Return the fewest calibration rows that keep a false-alarm rate.

    Examples
    --------
    >>> n_rows_needed(0.05), n_rows_needed(0.01), n_rows_needed(0.05, 0.95)
    (19, 99, 59)
    """
    if confidence is not None:
        return n_rows_to_certify(false_alarm_rate, confidence)
    return math.ceil(1 / false_alarm_rate - 1 - ROUNDING)


def n_rows_to_fit(
    false_alarm_rate: float, calibration_fraction: float, confidence: float | None = None
) -> int:
    """Return the fewest rows of which a share that is held out keeps a false-alarm rate.

    Examples
    --------
    >>> n_rows_to_fit(0.05, 0.2)
    95
    """
    return math.ceil(n_rows_needed(false_alarm_rate, confidence) / calibration_fraction)


def threshold_of(
    ordered: "Sequence[float] | np.ndarray", false_alarm_rate: float, confidence: float | None = None
) -> float:
    """Return the `threshold` of calibration scores in ascending order.

    Examples
    --------
    >>> round(threshold_of(range(19), 0.05), 6) == 0
    True
    """
    if not len(ordered):
        raise ValueError("threshold: scores must be those of at least one row; got none.")
    least = float(ordered[n_tolerated(len(ordered), false_alarm_rate, confidence) - 1])
    return least - ROUNDING * max(abs(least), 1)


def is_threshold(offset: float, calibration_scores: Iterable[float]) -> bool:
    """Whether a `threshold` is one of calibration scores, at any false-alarm rate.

    Examples
    --------
    >>> known = [-3.0, -1.0, 2.0]
    >>> [is_threshold(offset, known) for offset in (threshold_of(known, 0.5), -2.0)]
    [True, False]
    """
    return any(_is_close(score, offset) for score in calibration_scores)


def _is_close(score: float, offset: float) -> bool:
    """Whether a score and a threshold are one, whatever way they were rounded."""
    return score == offset or (math.isfinite(offset) and abs(score - offset) <= _CLOSE * (1 + abs(offset)))


def flagged_rate(
    offset: float,
    ordered: "Sequence[float] | np.ndarray",
    false_alarm_rate: float,
    confidence: float | None = None,
) -> float:
    """Return the probability that a new normal row scores below a `threshold`, at most.

    That of the rate, unless the threshold was set at another. Calibration scores are in ascending order.

    Examples
    --------
    >>> known = range(39)
    >>> offset = threshold_of(known, 0.05)
    >>> flagged_rate(offset, known, 0.05), flagged_rate(offset, known, 0.5)  # 2 of 40
    (0.05, 0.05)
    """
    n = len(ordered)
    if _is_close(offset, threshold_of(ordered, false_alarm_rate, confidence)):
        return expected_rate(n, false_alarm_rate, confidence)
    return (1 + bisect.bisect_left(ordered, offset)) / (n + 1)


def n_discoverable(n_rows: int, n_calibration: int, false_discovery_rate: float) -> int:
    """Return the fewest odd rows among ``n_rows`` that `discoveries` can tell from chance.

    Examples
    --------
    >>> n_discoverable(10_000, 999, 0.1), n_discoverable(50, 999, 0.1)
    (100, 1)
    """
    return max(1, math.ceil(n_rows / (false_discovery_rate * (n_calibration + 1)) - ROUNDING))

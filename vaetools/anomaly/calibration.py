"""Thresholds and p-values from scores of rows that touched nothing else.

Split-conformal: if calibration rows and a new row are exchangeable, the new row's p-value is at
most α with probability ⌊α(n + 1)⌋ / (n + 1), exactly, for any score and any model.

References
----------
Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World", Springer.
Bates, Candès, Lei, Romano, Sesia (2023), "Testing for outliers with conformal p-values",
Annals of Statistics 51(1).
Benjamini, Hochberg (1995), "Controlling the False Discovery Rate: A Practical and Powerful
Approach to Multiple Testing", Journal of the Royal Statistical Society B 57(1).
"""

import math

import numpy as np

from vaetools.anomaly.rates import ROUNDING, threshold_of
from vaetools.checks import PROBABILITY, check


def threshold(scores: np.ndarray, false_alarm_rate: float, confidence: float | None = None) -> float:
    """Return the score below which a row is flagged: the k-th smallest, and what rounding makes of it.

    Of fewer scores than `n_rows_needed` it is the least, which flags more than the rate: `expected_rate`.

    Examples
    --------
    >>> round(threshold(np.arange(19.0), 0.05), 6) == 0
    True
    """
    ordered = np.sort(nan_as_oddest(np.asarray(scores, dtype=np.float64)))
    return threshold_of(ordered, false_alarm_rate, confidence)


def conformal_p_values(scores: np.ndarray, calibration_scores: np.ndarray) -> np.ndarray:
    """Return (1 + the number of calibration scores at most as high) / (n + 1), in (0, 1].

    Ties count for the row, up to the last bits that scores may differ in by batch, which keeps the
    values valid; NaN counts as the oddest.

    Examples
    --------
    >>> conformal_p_values(np.array([-1.0, 1.0, 9.0]), np.array([0.0, 1.0, 2.0]))
    array([0.25, 0.75, 1.  ])
    """
    ordered = np.sort(_ties(calibration_scores))
    n_at_most = np.searchsorted(ordered, nan_as_oddest(scores), side="right")
    return (1 + n_at_most) / (len(ordered) + 1)


def flagged_interval(
    rates: np.ndarray, n_rows: int, n_calibrating: int | None = None, *, probability: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return between which shares of normal rows are flagged with some probability, at false-alarm rates.

    That is over rows and sets of calibration rows, of which a rate flags a row with probability
    k / (n + 1), k = ⌊rate · (n + 1)⌋: the number flagged is beta-binomial. Without their number, the rate is
    taken for exact, and that number is binomial.

    Examples
    --------
    >>> low, high = flagged_interval(np.array([0.0, 0.05, 1.0]), 100, 99)
    >>> low, high
    (array([0., 0., 1.]), array([0.  , 0.12, 1.  ]))
    """
    from scipy.stats import betabinom, binom

    tail = (1 - probability) / 2
    low, high = np.floor(rates), np.floor(rates)  # none at a rate of 0, all at 1
    for i, rate in enumerate(rates):
        flags = binom(n_rows, rate)
        if n_calibrating is not None:
            k = math.floor(rate * (n_calibrating + 1) + 1e-9)
            if not 0 < k <= n_calibrating:
                low[i] = high[i] = float(k > n_calibrating)
                continue
            flags = betabinom(n_rows, k, n_calibrating + 1 - k)
        low[i], high[i] = flags.ppf([tail, 1 - tail]) / n_rows
    return low, high


def discoveries(p_values: np.ndarray, false_discovery_rate: float) -> np.ndarray:
    """Return which rows to call odd, so that few of those that are called so are normal.

    A false-alarm rate bounds the share of *normal* rows that is flagged: among a million normal
    rows and ten odd ones, 5 % are 50,000 mistakes. Here the expected share of mistakes among the
    rows that are *selected* is at most ``false_discovery_rate`` (Benjamini, Hochberg 1995), for
    conformal p-values too, although they share their calibration rows (Bates et al. 2023). The
    price: a row's verdict depends on the other rows. Of m rows, n calibration rows can make
    known no fewer than m / (rate · (n + 1)) odd ones, because no p-value is below 1 / (n + 1);
    `n_discoverable` counts them.

    Parameters
    ----------
    p_values : ndarray of shape (n_samples,)
        Of all rows that the selection is made from, as ``p_values(X)`` returns them.
    false_discovery_rate : float
        Above 0 and below 1.

    Returns
    -------
    selected : ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If the rate does not lie between 0 and 1, or a p-value not in [0, 1], or there is not one per row.

    Examples
    --------
    >>> discoveries(np.array([0.01, 0.02, 0.04, 0.5]), 0.1)
    array([ True,  True,  True, False])
    """
    from scipy.stats import false_discovery_control  # slow to import, and not needed to describe a model

    check("discoveries", "false_discovery_rate", false_discovery_rate, PROBABILITY)
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1:
        raise ValueError(f"discoveries: p_values must have shape (n_samples,); got {p_values.shape}.")
    outside = p_values[~((p_values >= 0) & (p_values <= 1))]
    if len(outside):
        raise ValueError(
            f"discoveries: p_values must lie in [0, 1]; got {outside[0]}. Pass what p_values(X) returns."
        )
    found: np.ndarray = false_discovery_control(p_values) <= false_discovery_rate * (1 + ROUNDING)
    return found


def discovery_rank(counts: np.ndarray, false_discovery_rate: float) -> int:
    """Return k such that `discoveries` are the rows with a p-value of at most k / (n + 1); 0: none.

    Conformal p-values have so few values that counts say all, of any number of rows: how many rows have
    1 / (n + 1), 2 / (n + 1), …, 1.

    Examples
    --------
    >>> discovery_rank(np.array([6, 0, 1, 3]), 0.5), discovery_rank(np.array([2, 0, 3, 5]), 0.5)
    (1, 0)
    """
    n_at_most = np.cumsum(counts)
    ranks = np.arange(1, len(counts) + 1)
    allowed = false_discovery_rate * (1 + ROUNDING) * len(counts) * n_at_most
    return int(ranks[ranks * n_at_most[-1] <= allowed].max(initial=0))


def _ties(calibration_scores: np.ndarray) -> np.ndarray:
    """Return scores that no equal score lies below, whatever batch it was computed in."""
    scores = nan_as_oddest(np.asarray(calibration_scores, dtype=np.float64))
    least: np.ndarray = scores - ROUNDING * np.maximum(np.abs(scores), 1)
    return least


def nan_as_oddest(scores: np.ndarray) -> np.ndarray:
    """Put NaN below every number, where `numpy.sort` would put it above."""
    return np.where(np.isnan(scores), -np.inf, scores)

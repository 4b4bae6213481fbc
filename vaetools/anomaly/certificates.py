"""What holds for the one set of calibration rows at hand, with a confidence, and not in the mean over sets.

A threshold at the k-th smallest of n calibration scores flags a share of new normal rows that varies with
the rows that calibrated: if scores do not tie it is beta distributed, with parameters k and n + 1 − k,
whatever the model. So a smaller k keeps that share below a rate with any confidence short of certainty
(Wilks 1941), and numbers of mistakes among many verdicts, at a threshold chosen in view of them too, have
bounds that depend on n, their number and the confidence alone (Gazin et al. 2024).

References
----------
Wilks (1941), "Determination of Sample Sizes for Setting Tolerance Limits", Annals of Mathematical
Statistics 12(1).
Gazin, Blanchard, Roquain (2024), "Transductive conformal inference with adaptive scores", AISTATS.
Myllymäki, Mrkvička, Grabarnik, Seijo, Hahn (2017), "Global envelope tests for spatial processes", Journal of
the Royal Statistical Society B 79(2).
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_N_DRAWS = 5000
_MOST_RANKS = 200  # at which mistakes are drawn; between two the bound is that of the next


def certified_rank(n_calibration: int, false_alarm_rate: float, confidence: float) -> int:
    """Return the greatest k with P(Binomial(n, rate) < k) ≤ 1 − confidence; 0 if there is none.

    The k-th smallest of n calibration scores, as a threshold, flags more of new normal rows than the rate
    with at most the probability that is left, over sets of calibration rows.

    Examples
    --------
    >>> [certified_rank(n, 0.05, 0.95) for n in (58, 59, 100, 1000)]
    [0, 1, 2, 39]
    """
    from scipy.stats import binom

    return int(binom.ppf(1 - confidence, n_calibration, false_alarm_rate))


def n_rows_to_certify(false_alarm_rate: float, confidence: float) -> int:
    """Return the fewest calibration rows of which `certified_rank` finds one.

    Examples
    --------
    >>> n_rows_to_certify(0.05, 0.95), n_rows_to_certify(0.01, 0.99)
    (59, 459)
    """
    return math.ceil(math.log1p(-confidence) / math.log1p(-false_alarm_rate))


def certifiable(n_calibration: int, false_alarm_rate: float, confidence: float) -> tuple[float, float]:
    """Return the least rate that so many rows certify, and the greatest confidence in the rate given.

    Examples
    --------
    >>> rate, confidence = certifiable(30, 0.05, 0.95)
    >>> round(rate, 3), round(confidence, 3)
    (0.095, 0.785)
    """
    return 1 - (1 - confidence) ** (1 / n_calibration), 1 - (1 - false_alarm_rate) ** n_calibration


def most_flagged(n_rows: int, n_calibration: int, rank: int, confidence: float) -> int:
    """Return how many of so many normal rows score below the k-th smallest calibration score, at most.

    With a confidence, over the rows and sets of calibration rows. So at most as many of the rows that are
    flagged at this threshold, be there odd ones or not, are mistakes.

    Examples
    --------
    >>> most_flagged(1000, 1000, 39, 0.95)
    54
    """
    from scipy.stats import betabinom

    return int(betabinom.ppf(confidence, n_rows, rank, n_calibration + 1 - rank))


def most_mistakes(n_rows: int, n_calibration: int, confidence: float) -> "np.ndarray":
    """Return how many normal rows score below each calibration score at most, with confidence in all at once.

    So whatever calibration score is chosen as threshold afterwards, by however many rows it flags, its number
    of mistakes among them is bounded. The bound is found by drawing, from a fixed seed: numbers of normal
    rows between calibration scores do not depend on how scores are distributed.

    Parameters
    ----------
    n_rows : int
        Rows that are judged; all of them may be normal.
    n_calibration : int
    confidence : float
        Between 0 and 1.

    Returns
    -------
    bounds : ndarray of shape (n_calibration,), int
        Rows with a p-value of at most 1 / (n + 1), 2 / (n + 1), …, n / (n + 1), in an envelope that a share
        ``confidence`` of all draws does not leave.

    Examples
    --------
    >>> import numpy as np
    >>> bounds = most_mistakes(1000, 999, 0.95)
    >>> bool((np.diff(bounds) >= 0).all()), int(bounds[0]) < int(bounds[49]) < 100
    (True, True)
    """
    import numpy as np

    rng = np.random.default_rng(0)
    ranks = np.unique(np.geomspace(1, n_calibration, min(n_calibration, _MOST_RANKS)).round().astype(int))
    gaps = np.diff(ranks, prepend=0, append=n_calibration + 1)  # of n + 1 places between calibration scores
    shares = rng.dirichlet(gaps, _N_DRAWS)
    below = rng.multinomial(n_rows, shares)[:, :-1].cumsum(axis=1)
    ordered = np.sort(below, axis=0)
    n_as_great = _N_DRAWS - np.array(
        [np.searchsorted(column, drawn) for column, drawn in zip(ordered.T, below.T, strict=True)]
    )
    least = np.sort(n_as_great.min(axis=0))[int((1 - confidence) * _N_DRAWS)]
    bounds = ordered[_N_DRAWS - least]
    most: np.ndarray = bounds[np.searchsorted(ranks, np.arange(1, n_calibration + 1))]
    return most

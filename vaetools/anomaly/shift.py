"""P-values where new rows are a known kind of calibration rows in other shares: weighted conformal ranks.

If the density of new normal rows is that of calibration rows times w, a calibration row counts w times, and
so does the new row. With w known p-values are exact (Tibshirani et al. 2019); here it is the odds of a
classifier between the two, and they are about right.

References
----------
Tibshirani, Foygel Barber, Candès, Ramdas (2019), "Conformal Prediction Under Covariate Shift", NeurIPS.
"""

import numpy as np

from vaetools.anomaly.calibration import nan_as_oddest

_FARTHEST = 4.0  # standard deviations of the calibration rows: what lies beyond tells no more
_ROUNDING = 1e-9  # relative, as scores differ in their last bits by batch


def weighted_ranks(
    scores: np.ndarray, weights: np.ndarray, calibration_scores: np.ndarray, calibration_weights: np.ndarray
) -> np.ndarray:
    """Return (weight of calibration scores at most as high + own weight) / (all of it), in (0, 1].

    Examples
    --------
    >>> known, ones = np.array([0.0, 1.0, 2.0]), np.ones(3)
    >>> weighted_ranks(np.array([-1.0, 1.0]), np.ones(2), known, ones)  # as without weights
    array([0.25, 0.75])
    >>> weighted_ranks(np.array([-1.0, 1.0]), np.ones(2), known, np.array([0.0, 0.5, 1.5]))
    array([0.33333333, 0.5       ])
    """
    known = nan_as_oddest(np.asarray(calibration_scores, float))
    order = np.argsort(known, kind="stable")
    ordered = known[order] - _ROUNDING * np.maximum(np.abs(known[order]), 1)
    below = np.concatenate([[0.0], np.cumsum(calibration_weights[order])])
    n_at_most = np.searchsorted(ordered, nan_as_oddest(scores), side="right")
    shares: np.ndarray = (below[n_at_most] + weights) / (below[-1] + weights)
    return shares


def effective_number(weights: np.ndarray) -> float:
    """Return how many rows of equal weight would vary as little: (Σ w)² / Σ w².

    Examples
    --------
    >>> effective_number(np.ones(50)), round(effective_number(np.array([1.0, 1.0, 8.0])), 2)
    (50.0, 1.52)
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


class Odds:
    """How likely a row is among new rows, compared with calibration rows: a classifier between the two.

    Parameters
    ----------
    new, known : ndarray of shape (n_rows, n_statistics)
        What it learns from.
    bound : float
        Odds beyond it, or below its inverse, are cut.
    """

    def __init__(self, new: np.ndarray, known: np.ndarray, bound: float):
        from sklearn.linear_model import LogisticRegression

        self._mean = np.nanmean(known, axis=0)
        spread = np.nanstd(known, axis=0)
        self._spread, self._bound = np.where(spread > 0, spread, 1.0), bound
        self._prior = np.log(len(new) / len(known))
        rows = self._terms(np.concatenate([new, known]))
        is_new = np.arange(len(rows)) < len(new)
        self._classifier = LogisticRegression(C=0.1, max_iter=1000).fit(rows, is_new)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return weights of rows."""
        log_odds = self._classifier.decision_function(self._terms(values)) - self._prior
        weights: np.ndarray = np.exp(np.clip(log_odds, -np.log(self._bound), np.log(self._bound)))
        return weights

    def _terms(self, values: np.ndarray) -> np.ndarray:
        """Return numbers and their squares, by which normal densities of other means and spreads differ."""
        z = np.clip(np.nan_to_num((values - self._mean) / self._spread), -_FARTHEST, _FARTHEST)
        return np.concatenate([z, z**2 / _FARTHEST], axis=1)

"""Samples: whether decoded draws from the prior look like data, and like all of it.

Rows may be pixels, or features of a network, which say more of photographs.
"""

from typing import Any

import numpy as np
from sklearn.metrics import euclidean_distances

from vaetools.geometry import far, reached, reaches
from vaetools.latent.organization.measure import UNKNOWN, Measure, checked, mean, sampled, share

_K_SPARSE, _K_DENSE = 3, 5  # neighbors that say how far a row reaches: of precision and recall, of the others


def off_data(
    samples: Any, X: Any, *, quantile: float = 0.95, n_max: int = 3000, random_state: int = 0
) -> Measure:
    """Return the share of samples that lie farther from all data than data from each other.

    From 0 to 1, lower is better. Far is farther from the nearest row than a quantile of the distances
    between rows and their nearest others, so new rows of the same kind have about 1 − ``quantile``.

    Parameters
    ----------
    samples : array-like of shape (n_drawn, n_features)
        Decoded draws from N(0, I), or decoded interpolations.
    X : array-like of shape (n_samples, n_features)
        Rows.
    quantile : float, default=0.95
        Of the distances between rows.
    n_max : int, default=3000
        Of more samples, and of more rows, that many are drawn.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    off_data : Measure
        With its Wilson interval over samples; NaN for fewer than two rows, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of both, and by the order of rows unless they are
    drawn. Blurred samples lie near the mean of some rows, nearer than rows lie to each other, so models
    that blur are below 1 − ``quantile``: with two components both an AE and a VAE may have 0. It does not
    see what is missing: a model that repeats one good sample has 0; see `coverage` and `class_entropy`.

    References
    ----------
    Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative Models",
    NeurIPS (precision, here with one radius for all rows).

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> off_data(X[500:], X[:500]).value < 0.1, off_data(X + 9, X).value
    (True, 1.0)
    """
    samples, X = _drawn("off_data", samples, X, n_max, random_state)
    return share(far(samples, X, quantile)) if len(X) > 1 and len(samples) else UNKNOWN


def precision(
    samples: Any, X: Any, k: int = _K_SPARSE, *, n_max: int = 3000, random_state: int = 0
) -> Measure:
    """Return the share of samples that lie within reach of some row.

    From 0 to 1, higher is better. A row reaches as far as its k-th nearest other row. New rows have
    less than 1.

    Parameters
    ----------
    samples : array-like of shape (n_drawn, n_features)
        Decoded draws from N(0, I).
    X : array-like of shape (n_samples, n_features)
        Rows.
    k : int, default=3
        Neighbors; of fewer rows, all.
    n_max : int, default=3000
        Of more samples, and of more rows, that many are drawn: memory grows with their product.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    precision : Measure
        With its Wilson interval over samples; NaN for fewer than two rows, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of both, and by the order of rows unless they are
    drawn. One outlier among the rows reaches far and makes samples look good that lie nowhere near
    others; `density` is less easily led. Blurred samples gain.

    References
    ----------
    Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative Models",
    NeurIPS.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> precision(X[500:], X[:500]).value > 0.9, precision(X + 9, X).value
    (True, 0.0)
    """
    samples, X = _drawn("precision", samples, X, n_max, random_state)
    return share(reached(samples, X, k).any(axis=1)) if len(X) > 1 and len(samples) else UNKNOWN


def recall(samples: Any, X: Any, k: int = _K_SPARSE, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return the share of rows that lie within reach of some sample.

    From 0 to 1, higher is better. A sample reaches as far as its k-th nearest other sample.

    Parameters
    ----------
    samples, X : array-like
        As `precision` takes them.
    k : int, default=3
        Neighbors; of fewer samples, all.
    n_max, random_state : int
        As `precision` takes them.

    Returns
    -------
    recall : Measure
        With its Wilson interval over rows; NaN for fewer than two samples, or no row.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    As invariant as `precision`. Samples that scatter widely reach far, so nonsense may have a high
    recall: read it beside `precision`, or see `coverage`. Equal samples reach nothing. Blurred samples
    lose, and so does every decoded mean: what a decoder leaves out as noise is missing from its
    samples.

    References
    ----------
    Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative Models",
    NeurIPS.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> recall(X[500:], X[:500]).value > 0.9, recall(X / 100, X).value < 0.1
    (True, True)
    """
    samples, X = _drawn("recall", samples, X, n_max, random_state)
    return share(reached(X, samples, k).any(axis=1)) if len(samples) > 1 and len(X) else UNKNOWN


def density(samples: Any, X: Any, k: int = _K_DENSE, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return within reach of how many rows a sample lies, over k.

    From 0, higher is better; about 1 for new rows. It may exceed 1, where samples crowd where rows are
    densest.

    Parameters
    ----------
    samples, X : array-like
        As `precision` takes them.
    k : int, default=5
        Neighbors; of fewer rows, all.
    n_max, random_state : int
        As `precision` takes them.

    Returns
    -------
    density : Measure
        With its t interval over samples; NaN for fewer than two rows, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    As invariant as `precision`. Higher than 1 is not better than data: it is what blurred samples have,
    and those that repeat the commonest kind. So an AE's samples, which crowd in few places, may beat a
    VAE's; it does not tell them apart, `coverage` does.

    References
    ----------
    Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for Generative Models", ICML.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(density(X[500:], X[:500]).value, 1), density(X + 9, X).value
    (1.0, 0.0)
    """
    samples, X = _drawn("density", samples, X, n_max, random_state)
    if len(X) < 2 or not len(samples):
        return UNKNOWN
    k = min(k, len(X) - 1)
    return mean(reached(samples, X, k).sum(axis=1) / k, least=0)


def coverage(samples: Any, X: Any, k: int = _K_DENSE, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return the share of rows that have a sample within their reach.

    From 0 to 1, higher is better; as many new rows as rows have about 1 − 2⁻ᵏ, 0.97 for k = 5.

    Parameters
    ----------
    samples, X : array-like
        As `precision` takes them.
    k : int, default=5
        Neighbors; of fewer rows, all.
    n_max, random_state : int
        As `precision` takes them.

    Returns
    -------
    coverage : Measure
        With its Wilson interval over rows; NaN for fewer than two rows, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    As invariant as `precision`. It depends on how many samples and rows there are: compare equally
    many. Given codes for rows and draws from N(0, I) for samples, it says which share of the codes the
    prior reaches, and so how much of a latent space sampling forgets.

    References
    ----------
    Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for Generative Models", ICML.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> coverage(X[500:], X[:500]).value > 0.9, coverage(X / 100, X).value < 0.1
    (True, True)
    """
    samples, X = _drawn("coverage", samples, X, n_max, random_state)
    return share(reached(samples, X, k).any(axis=0)) if len(X) > 1 and len(samples) else UNKNOWN


def prdc(samples: Any, X: Any, *, n_max: int = 3000, random_state: int = 0) -> dict[str, Measure]:
    """Return `precision`, `recall`, `density` and `coverage` by name, of distances made once.

    Parameters
    ----------
    samples : array-like of shape (n_drawn, n_features)
        Decoded draws from N(0, I).
    X : array-like of shape (n_samples, n_features)
        Rows.
    n_max, random_state : int
        As each of them takes them.

    Returns
    -------
    measures : dict of str to Measure

    References
    ----------
    Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for Generative Models", ICML.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> {name: round(found.value, 2) for name, found in prdc(X[500:], X[:500]).items()}
    {'precision': 0.98, 'recall': 0.98, 'density': 1.0, 'coverage': 0.97}
    """
    samples, X = _drawn("prdc", samples, X, n_max, random_state)
    found = dict.fromkeys(("precision", "recall", "density", "coverage"), UNKNOWN)
    if not (len(samples) and len(X)):
        return found
    apart = euclidean_distances(samples, X)  # (n_drawn, n_samples)
    if len(X) > 1:
        reach = reaches(X, _K_DENSE)
        near, within = apart <= reach[:, :_K_SPARSE][:, -1], apart <= reach[:, -1]
        found["precision"] = share(near.any(axis=1))
        found["density"] = mean(within.sum(axis=1) / reach.shape[1], least=0)
        found["coverage"] = share(within.any(axis=0))
    if len(samples) > 1:
        found["recall"] = share((apart <= reaches(samples, _K_SPARSE)[:, -1:]).any(axis=0))
    return found


def _drawn(owner: str, samples: Any, X: Any, n_max: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return samples and rows as checked arrays around the mean row, no more than n_max of each."""
    samples, X = checked(owner, samples, X, paired=False)
    center = X.mean(axis=0) if len(X) else 0
    samples, X = (rows[sampled(rows, n_max, random_state)] - center for rows in (samples, X))
    return samples, X

"""Neighbors kept: whether codes have the neighbors that their rows have."""

from typing import Any

import numpy as np
from sklearn.metrics import euclidean_distances

from vaetools.latent.organization.measure import UNKNOWN, Measure, checked, mean, sampled


def trustworthiness(X: Any, Z: Any, k: int = 10, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return how far the neighbors of codes are neighbors of their rows too.

    From 0 to 1, higher is better; strangers among the k nearest codes cost their rank among the
    rows. Shuffled codes have about 0.5, and so have equal codes.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows.
    Z : array-like of shape (n_samples, n_components)
        Their codes.
    k : int, default=10
        Neighbors; of few rows, fewer than half of them.
    n_max : int, default=3000
        Of more rows that many are drawn: time and memory grow with their square.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    trustworthiness : Measure
        With its t interval over rows; NaN for fewer than three rows.

    Raises
    ------
    ValueError
        If X and Z differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of X or of Z, and by the order of rows unless
    distances tie or rows are drawn. Distances between rows are Euclidean, which for images is a
    coarse notion of likeness, and n_max makes neighborhoods wider: compare values of the same
    number of rows. It hardly separates AE from VAE.

    References
    ----------
    Venna, Kaski (2001), "Neighborhood Preservation in Nonlinear Projection Methods", ICANN.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> round(trustworthiness(X, 2 * X[:, ::-1] + 1).value, 3)
    1.0
    >>> round(trustworthiness(X, X[:, :1]).value, 3)
    0.661
    """
    X, Z = _drawn("trustworthiness", X, Z, n_max, random_state)
    return _without_strangers(_ranks(X), _ranks(Z), k)


def continuity(X: Any, Z: Any, k: int = 10, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return how far the neighbors of rows stay neighbors as codes.

    From 0 to 1, higher is better; lost neighbors cost their rank among the codes. Shuffled codes
    have about 0.5, and so have equal codes.

    Parameters
    ----------
    X, Z : array-like
        As `trustworthiness` takes them.
    k, n_max, random_state : int
        As `trustworthiness` takes them.

    Returns
    -------
    continuity : Measure
        With its t interval over rows; NaN for fewer than three rows.

    Raises
    ------
    ValueError
        If X and Z differ in length, or a value is not finite.

    Notes
    -----
    Trustworthiness with rows and codes exchanged, and as invariant. A map that folds the data keeps
    its continuity and loses trustworthiness; one that tears does the opposite.

    References
    ----------
    Venna, Kaski (2001), "Neighborhood Preservation in Nonlinear Projection Methods", ICANN.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> round(continuity(X, X[:, :1]).value, 3)
    0.849
    """
    X, Z = _drawn("continuity", X, Z, n_max, random_state)
    return _without_strangers(_ranks(Z), _ranks(X), k)


def neighborhood_overlap(X: Any, Z: Any, k: int = 10, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return the share of the k nearest rows that are among the k nearest codes.

    From 0 to 1, higher is better; chance is k / (n_samples − 1), and so it is for equal codes.

    Parameters
    ----------
    X, Z : array-like
        As `trustworthiness` takes them.
    k, n_max, random_state : int
        As `trustworthiness` takes them.

    Returns
    -------
    neighborhood_overlap : Measure
        With its t interval over rows; NaN for fewer than three rows.

    Raises
    ------
    ValueError
        If X and Z differ in length, or a value is not finite.

    Notes
    -----
    As invariant as `trustworthiness`. Stricter than it: a neighbor that comes eleventh is lost. More
    components keep more neighbors whatever the model, so compare models with equally many.

    References
    ----------
    Lee, Verleysen (2009), "Quality assessment of dimensionality reduction: Rank-based criteria",
    Neurocomputing 72.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> round(neighborhood_overlap(X, X[:, :1]).value, 3)
    0.167
    """
    X, Z = _drawn("neighborhood_overlap", X, Z, n_max, random_state)
    return _shared(_ranks(X), _ranks(Z), k)


def neighbors_kept(
    X: Any, Z: Any, k: int = 10, *, n_max: int = 3000, random_state: int = 0
) -> dict[str, Measure]:
    """Return `trustworthiness`, `continuity` and `neighborhood_overlap` by name, of ranks made once.

    Parameters
    ----------
    X, Z : array-like
        As each of them takes them.
    k, n_max, random_state : int
        As each of them takes them.

    Returns
    -------
    measures : dict of str to Measure

    References
    ----------
    Venna, Kaski (2001), "Neighborhood Preservation in Nonlinear Projection Methods", ICANN.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> {name: round(found.value, 3) for name, found in neighbors_kept(X, X[:, :1]).items()}
    {'trustworthiness': 0.661, 'continuity': 0.849, 'neighborhood_overlap': 0.167}
    """
    X, Z = _drawn("neighbors_kept", X, Z, n_max, random_state)
    of_rows, of_codes = _ranks(X), _ranks(Z)
    return {
        "trustworthiness": _without_strangers(of_rows, of_codes, k),
        "continuity": _without_strangers(of_codes, of_rows, k),
        "neighborhood_overlap": _shared(of_rows, of_codes, k),
    }


def _drawn(owner: str, X: Any, Z: Any, n_max: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and codes as checked arrays, no more than n_max."""
    X, Z = checked(owner, X, Z)
    index = sampled(X, n_max, random_state)
    return X[index], Z[index]


def _ranks(rows: np.ndarray) -> np.ndarray:
    """Rank of row j among the neighbors of row i, from 1; n of the row itself, ties by number."""
    if len(rows) < 3:  # too few to have near ones and others
        return np.zeros((len(rows), len(rows)), dtype=np.int32)
    distances = euclidean_distances(rows - rows.mean(axis=0))  # centered: equal rows are 0 apart
    np.fill_diagonal(distances, np.inf)
    ranks = np.empty(distances.shape, dtype=np.int32)
    order = distances.argsort(axis=1, kind="stable")
    np.put_along_axis(ranks, order, np.arange(1, len(rows) + 1, dtype=np.int32)[None], axis=1)
    return ranks


def _without_strangers(truth: np.ndarray, judged: np.ndarray, k: int) -> Measure:
    """One minus how far beyond k the neighbors by judged ranks are in truth, 1 being the worst there is."""
    n = len(truth)
    k = min(k, (n - 1) // 2)  # of half and more the penalty has no greatest value
    if k < 1:
        return UNKNOWN
    beyond = np.maximum(truth - k, 0) * (judged <= k)  # (n, n)
    return mean(1 - beyond.sum(axis=1) * 2 / (k * (2 * n - 3 * k - 1)), least=0, most=1)


def _shared(of_rows: np.ndarray, of_codes: np.ndarray, k: int) -> Measure:
    """Share of the first k by one kind of ranks that are among the first k by the other."""
    k = min(k, (len(of_rows) - 1) // 2)
    return mean(((of_rows <= k) & (of_codes <= k)).sum(axis=1) / k, least=0, most=1) if k > 0 else UNKNOWN

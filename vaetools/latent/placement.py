"""Places for new codes on a map of others.

References
----------
Franke, Nielson (1980), "Smooth interpolation of large sets of scattered data", International Journal for
Numerical Methods in Engineering (weights that end at a radius).

Weiszfeld (1937), "Sur le point pour lequel la somme des distances de n points donnés est minimum", Tohoku
Mathematical Journal (the geometric median).
"""

from __future__ import annotations

import numpy as np

from vaetools.latent.similarity import similar

_N_STEPS = 50  # of the search for a median
_SMALLEST = 1e-150  # a distance that can be divided by


def place(Z: np.ndarray, codes: np.ndarray, places: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Return places for codes on a map of others: medians of their neighbors' places.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
    codes : ndarray of shape (n_mapped, n_features)
        At least two.
    places : ndarray of shape (n_mapped, n_components)
        Of ``codes``; equal codes have one place.
    n_neighbors : int
        Codes that have a say; fewer if there are no more.

    Returns
    -------
    new_places : ndarray of shape (n_samples, n_components), float64
    """
    indices, distances = similar(codes, Z, min(n_neighbors + 1, len(codes)))
    nearness = 1 / np.maximum(distances, _SMALLEST)
    weights = nearness[:, :-1] - nearness[:, -1:]  # who comes next counts 0: no step where neighbors change
    weights[~weights.any(axis=1)] = 1  # all equally far
    return geometric_median(places[indices[:, :-1]].astype(np.float64), weights)


def geometric_median(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the points from which the weighted sums of distances are least, by Weiszfeld's steps.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_points, n_components)
    weights : ndarray of shape (n_samples, n_points)
        At least 0, and not all 0 in a row.

    Returns
    -------
    medians : ndarray of shape (n_samples, n_components)

    Examples
    --------
    >>> points = np.array([[[0.0, 0.0], [0.0, 1.0], [9.0, 0.0]]])
    >>> geometric_median(points, np.array([[3.0, 1.0, 1.0]])).round(6)
    array([[0., 0.]])
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    for _ in range(_N_STEPS):
        medians = np.einsum("np,npc->nc", share, points)
        distances = np.linalg.norm(points - medians[:, None], axis=2)
        share = weights / np.maximum(distances, 1e-9)
        share /= share.sum(axis=1, keepdims=True)
    return np.einsum("np,npc->nc", share, points)

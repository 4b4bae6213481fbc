"""The codes that are nearest to a code, and what is far from all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaetools.checks import Requirement, check, is_integer
from vaetools.geometry import Neighbors, nearest

_MAX_VALUES = 2**22  # differences between queries and their neighbors at a time: 32 MB


def similar(Z: Any, query: Any, k: int = 10) -> Neighbors:
    """Return the codes that are nearest to other codes.

    Distances are Euclidean between codes as they are. On handwritten digits and clothes the nearest
    codes were of the same class at least as often as after standardizing or whitening, which enlarge
    what a model leaves unused: a collapsed dimension becomes as loud as any other.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes to search, such as latent means.
    query : array-like of shape (n_queries, n_components)
        Codes whose neighbors are wanted. One that is a row of Z is its own nearest neighbor, at distance 0.
    k : int, default=10
        Neighbors per query, at most ``n_samples``.

    Returns
    -------
    neighbors : Neighbors
        ``(indices, distances)``, both of shape (n_queries, k), nearest first and of equally near ones
        the first row first. The search is exact, and no query depends on the others.

    Raises
    ------
    ValueError
        If Z and the queries are not tables of as many columns, a value is not finite, or k is
        not from 1 to ``n_samples``.

    Examples
    --------
    >>> indices, distances = similar([[0.0, 0.0], [3.0, 4.0], [0.0, 2.0]], [[0.0, 0.0]], k=2)
    >>> indices
    array([[0, 2]])
    >>> distances
    array([[0., 2.]])
    """
    Z, query = np.asarray(Z, dtype=np.float64), np.asarray(query, dtype=np.float64)
    if Z.ndim != 2 or query.ndim != 2 or Z.shape[1] != query.shape[1]:
        raise ValueError(
            "similar: Z and query must have shapes (n_samples, n_components) and (n_queries, "
            f"n_components); got {Z.shape} and {query.shape}."
            + (" Pass one code as Z[:1], not Z[0]." if query.ndim == 1 else "")
        )
    for name, codes in (("Z", Z), ("query", query)):
        odd = np.flatnonzero(~np.isfinite(codes).all(axis=1))
        if len(odd):
            values = codes[odd[0]][~np.isfinite(codes[odd[0]])]
            raise ValueError(
                f"similar: {name} must hold finite numbers; got {values[0]} in row {odd[0]}. Leave it out."
            )
    words = f"an integer from 1 to n_samples={len(Z)}"
    check("similar", "k", k, Requirement(words, lambda value: is_integer(value, 1, len(Z))))
    center = Z.mean(axis=0)  # the search squares coordinates: what all codes share would cost digits
    indices = nearest(Z - center, k, query - center, algorithm="brute").indices
    distances = np.empty((len(query), k))
    n_block = max(1, _MAX_VALUES // (k * max(1, Z.shape[1])))
    for start in range(0, len(query), n_block):
        block = slice(start, start + n_block)
        # again, by differences: a code is at distance 0 from itself, whatever the other queries are
        exact = np.linalg.norm(Z[indices[block]] - query[block, None], axis=2)  # (n_block, k)
        order = np.lexsort((indices[block], exact))
        indices[block] = np.take_along_axis(indices[block], order, axis=1)
        distances[block] = np.take_along_axis(exact, order, axis=1)
    return Neighbors(indices, distances)


def far(points: np.ndarray, reference: np.ndarray, quantile: float) -> np.ndarray:
    """Return whether points are farther from all reference rows than that quantile of their own spacing."""
    limit = np.quantile(nearest(reference, 1).distances, quantile)
    return nearest(reference, 1, points).distances[:, 0] > limit


def reached(points: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Return which points lie no farther from rows than their k-th nearest others, ``(n_points, n_rows)``."""
    from sklearn.metrics import euclidean_distances

    return euclidean_distances(points, rows) <= reaches(rows, k)[:, -1]


def reaches(rows: np.ndarray, k: int) -> np.ndarray:
    """Return how far the k nearest others of every row are, nearest first; of few rows, all others."""
    return nearest(rows, min(k, len(rows) - 1)).distances

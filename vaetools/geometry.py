"""Neighbors, principal components and likeness of images: mathematics that several rooms share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from vaetools.checks import Requirement, check, is_integer

_MAX_VALUES = 2**22  # differences between queries and their neighbors at a time: 32 MB


class Neighbors(NamedTuple):
    """The nearest rows of every query, nearest first.

    Attributes
    ----------
    indices : ndarray of shape (n_queries, k), int
        Numbers of rows.
    distances : ndarray of shape (n_queries, k), float64
        Euclidean, in the units of the rows.
    """

    indices: np.ndarray
    distances: np.ndarray


def nearest(
    rows: np.ndarray, k: int, queries: np.ndarray | None = None, *, algorithm: str = "auto"
) -> Neighbors:
    """Return the k rows that are nearest to every query; without queries, the nearest others of every row.

    Examples
    --------
    >>> rows = np.array([[0.0], [1.0], [3.0]])
    >>> nearest(rows, 1).indices.ravel(), nearest(rows, 2, np.array([[2.5]])).distances
    (array([1, 0, 1]), array([[0.5, 1.5]]))
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=k, algorithm=algorithm).fit(rows)
    distances, indices = index.kneighbors(queries)
    return Neighbors(indices, distances)


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
    is_far: np.ndarray = nearest(reference, 1, points).distances[:, 0] > limit
    return is_far


def reached(points: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Return which points lie no farther from rows than their k-th nearest others, ``(n_points, n_rows)``."""
    from sklearn.metrics import euclidean_distances

    are_reached: np.ndarray = euclidean_distances(points, rows) <= reaches(rows, k)[:, -1]
    return are_reached


def reaches(rows: np.ndarray, k: int) -> np.ndarray:
    """Return how far the k nearest others of every row are, nearest first; of few rows, all others."""
    return nearest(rows, min(k, len(rows) - 1)).distances


def covariance(rows: np.ndarray) -> np.ndarray:
    """Return the covariance of the columns of rows, that of N(0, I) for a single one.

    Examples
    --------
    >>> covariance(np.array([[1.0], [3.0]])), covariance(np.array([[5.0]]))
    (array([[1.]]), array([[1.]]))
    """
    return np.atleast_2d(np.cov(rows.T, ddof=0)) if len(rows) > 1 else np.eye(rows.shape[1])


def whitening(covariance: np.ndarray, usable: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the map from centered rows to their principal components, each with a variance of 1.

    ``usable`` gives the variances to divide by, so that directions in which rows hardly extend are not
    blown up; where it is 0, the component is left out.

    Examples
    --------
    >>> abs(whitening(np.diag([4.0, 0.0]), lambda variances: variances))
    array([[0.5],
           [0. ]])
    """
    variances, axes = np.linalg.eigh(covariance)
    variances = usable(variances)
    kept = slice(None) if variances.all() else variances > 0
    scaled: np.ndarray = axes[:, kept] / np.sqrt(variances[kept])
    return scaled


def structural_similarity(
    mean_a: Any, mean_b: Any, variances: Any, covariance: Any, data_range: float = 1.0
) -> Any:
    """Return the SSIM of two images at places, from what lies around each: 1 where they are alike.

    That is local means, the sum of both variances, and the covariance, in arrays of either library;
    ``data_range`` is from black to white.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli (2004), "Image quality assessment: from error visibility to
    structural similarity", IEEE Transactions on Image Processing 13(4).

    Examples
    --------
    >>> structural_similarity(0.5, 0.5, 0.02, 0.01), round(structural_similarity(0.5, 0.0, 0.0, 0.0), 4)
    (1.0, 0.0004)
    """
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return luminance * (2 * covariance + c2) / (variances + c2)

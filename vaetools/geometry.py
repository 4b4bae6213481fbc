"""Neighbors, principal components and likeness of images: mathematics that several rooms share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


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
    return axes[:, kept] / np.sqrt(variances[kept])


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

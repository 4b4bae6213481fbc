"""Nearest neighbors in rows or codes: what is far, and what within reach."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import NearestNeighbors


def far(points: np.ndarray, reference: np.ndarray, quantile: float) -> np.ndarray:
    """Whether points are farther from all reference rows than that quantile of these from each other."""
    index = NearestNeighbors(n_neighbors=1).fit(reference)
    limit = np.quantile(index.kneighbors()[0], quantile)
    return index.kneighbors(points)[0][:, 0] > limit


def reached(points: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Whether points lie no farther from rows than their k-th nearest others, ``(n_points, n_rows)``."""
    index = NearestNeighbors(n_neighbors=min(k, len(rows) - 1)).fit(rows)
    return euclidean_distances(points, rows) <= index.kneighbors()[0][:, -1]

"""Nearest neighbors in rows or codes, and what counts as far."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors


def far(points: np.ndarray, reference: np.ndarray, quantile: float) -> np.ndarray:
    """Whether points are farther from all reference rows than that quantile of these from each other."""
    index = NearestNeighbors(n_neighbors=1).fit(reference)
    limit = np.quantile(index.kneighbors()[0], quantile)
    return index.kneighbors(points)[0][:, 0] > limit


def radii(rows: np.ndarray, k: int) -> np.ndarray:
    """Distance of every row to its k-th nearest other, or to the last if there are fewer."""
    return NearestNeighbors(n_neighbors=min(k, len(rows) - 1)).fit(rows).kneighbors()[0][:, -1]

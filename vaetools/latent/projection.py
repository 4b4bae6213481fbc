"""Codes in two dimensions."""

from __future__ import annotations

import numpy as np


def project(codes: np.ndarray, method: str = "umap", seed: int = 0) -> np.ndarray:
    """Return codes in two dimensions, close together where the codes are.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_components)
    method : {"umap", "pca"}, default="umap"
        UMAP keeps neighbors together (McInnes, Healy, Melville 2018); principal components keep large
        distances.
    seed : int, default=0

    Returns
    -------
    points : ndarray of shape (n_samples, 2)
        Of codes with one dimension the second column is 0. So few codes that UMAP cannot place
        them are projected by principal components.

    Examples
    --------
    >>> codes = np.array([[0.0, 0.0, 1.0], [0.0, 3.0, 1.0], [4.0, 0.0, 1.0]])
    >>> np.linalg.norm(project(codes, "pca")[1] - project(codes, "pca")[2]).round(6)
    np.float64(5.0)
    """
    n_samples, n_components = codes.shape
    if method == "umap" and n_samples > 4 and n_components > 1:
        from threadpoolctl import threadpool_limits
        from umap import UMAP

        # a seeded UMAP runs on one thread, and warns unless it is told so
        n_neighbors = min(15, n_samples - 1)
        options = {"n_neighbors": n_neighbors, "min_dist": 0.1, "random_state": seed, "n_jobs": 1}
        mapper = UMAP(**options, init="spectral" if n_samples > 50 else "random")
        # Numba, under UMAP, gives all OpenMP code of the process as many threads as there are cores
        with threadpool_limits(limits=1, user_api="openmp"):
            return mapper.fit_transform(codes)
    if n_samples < 2:
        return np.zeros((n_samples, 2))
    from sklearn.decomposition import PCA

    n_kept = min(2, n_samples, n_components)
    points = PCA(n_kept, svd_solver="full").fit_transform(codes)
    return np.pad(points, ((0, 0), (0, 2 - n_kept)))

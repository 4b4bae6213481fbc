import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from vaetools.latent.projection import project


@pytest.fixture(scope="module")
def clusters():
    """Three far clusters of 30 codes in 5 dimensions, and which is which."""
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(3), 30)
    return 20 * np.eye(3, 5)[which] + rng.normal(size=(90, 5)), which


def test_umap_keeps_clusters_together_and_obeys_its_seed(clusters):
    codes, which = clusters
    n_threads = torch.get_num_threads()
    points = project(codes, seed=1)
    assert torch.get_num_threads() == n_threads
    centers = np.stack([points[which == k].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(points[:, None] - centers, axis=2).argmin(axis=1)
    assert (nearest == which).all()
    assert np.array_equal(points, project(codes, seed=1))
    assert not np.array_equal(points, project(codes, seed=2))
    for n in (5, 40):  # here, because its compilation takes half a minute in every process
        assert np.isfinite(project(codes[:n])).all()


def test_principal_components(clusters):
    points = project(clusters[0], "pca")
    np.testing.assert_allclose(np.abs(points), np.abs(PCA(2).fit_transform(clusters[0])), atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (4, 5), (20, 1)])
@pytest.mark.parametrize("method", ["umap", "pca"])
def test_few_codes_and_one_dimension_have_a_map_too(shape, method):
    codes = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    points = project(codes, method)
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()

"""How many dimensions a cloud has, and whether it falls into parts."""

import math

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from vaetools.latent.organization import intrinsic_dimension, separation


def two_nn(Z):
    """Fit the line of Facco et al. as they do, without a library."""
    distances = np.sort(cdist(Z, Z), axis=1)
    ratios = np.sort(distances[:, 2] / distances[:, 1])
    n_kept = int(0.9 * len(ratios))
    x, y = np.log(ratios[:n_kept]), -np.log(1 - np.arange(1, n_kept + 1) / len(ratios))
    return np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]


@pytest.mark.parametrize(("n_dimensions", "slack"), [(1, 0.1), (2, 0.15), (5, 0.5)])
def test_the_dimension_is_that_of_the_cloud_in_any_space_around_it(n_dimensions, slack):
    rng = np.random.default_rng(0)
    Z = rng.uniform(size=(2000, n_dimensions))
    around = np.c_[Z, np.zeros((2000, 3))] @ np.linalg.qr(rng.normal(size=(n_dimensions + 3,) * 2))[0]
    found = intrinsic_dimension(around)
    assert found.value == pytest.approx(two_nn(around), abs=1e-6)
    assert found.value == pytest.approx(n_dimensions, abs=slack)
    assert found.low < found.value < found.high
    assert intrinsic_dimension(100 * around + 3).value == pytest.approx(found.value, rel=1e-6)


def test_copies_are_left_out_of_the_dimension():
    Z = np.random.default_rng(0).normal(size=(300, 2))
    copied = np.concatenate([Z, Z[:50]])
    assert intrinsic_dimension(copied).value == pytest.approx(2, abs=0.5)
    assert math.isnan(intrinsic_dimension(np.ones((20, 2))).value)


def test_a_line_bent_in_space_has_one_dimension_until_noise_is_what_neighbors_see():
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 10, size=2000)
    spiral = np.c_[t * np.cos(t), t * np.sin(t), t]
    assert intrinsic_dimension(spiral).value < 1.1
    assert intrinsic_dimension(spiral + 0.3 * rng.normal(size=spiral.shape)).value > 2.2


def test_the_longest_bar_is_the_distance_of_two_clusters_in_median_edges_of_the_shortest_tree():
    rng = np.random.default_rng(0)
    Z = np.concatenate([rng.normal(size=(100, 2)), rng.normal(size=(100, 2)) + 30])
    edges = minimum_spanning_tree(cdist(Z, Z)).data
    found = separation(Z)
    assert found.value == pytest.approx(edges.max() / np.median(edges), rel=1e-9)
    assert found.low < found.value < found.high


def test_a_few_strangers_do_not_part_a_cloud_and_clusters_do():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(500, 2))
    strangers = np.concatenate([cloud, rng.normal(size=(3, 2)) + 50])
    assert separation(strangers).value < 4 < separation(np.concatenate([cloud, cloud[:100] / 5 + 12])).low
    assert separation(cloud * 7 - 3).value == pytest.approx(separation(cloud).value, rel=1e-9)

import numpy as np
import pytest

from vaetools.latent.projection import geometric_median, place


@pytest.fixture
def two_groups():
    """Codes in two far groups, and a map on which the groups lie at 0 and at 100."""
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 50)
    codes = rng.normal(size=(100, 6)) + 8 * group[:, None]
    return codes, rng.normal(size=(100, 2)) + 100 * group[:, None], group


def test_training_codes_keep_their_places(two_groups):
    codes, places, _ = two_groups
    assert np.array_equal(place(codes, codes, places, 15), places)


def test_a_code_between_groups_goes_to_the_nearer_one(two_groups):
    codes, places, _ = two_groups
    share = np.linspace(0, 1, 21)[:, None]
    between = (1 - share) * codes[:50].mean(axis=0) + share * codes[50:].mean(axis=0)
    placed = place(between, codes, places, 15)
    assert np.minimum(abs(placed - 0), abs(placed - 100)).max() < 5  # the mean of neighbors would lie between
    assert (np.diff((placed > 50).all(axis=1).astype(int)) >= 0).all()


def test_a_small_move_moves_a_place_little(two_groups):
    codes, places, _ = two_groups
    start, step = np.random.default_rng(1).normal(size=(2, 6))
    path = start + np.linspace(0, 1, 2001)[:, None] * step
    placed = place(path, codes, places, 5)
    assert np.linalg.norm(np.diff(placed, axis=0), axis=1).max() < 0.1
    assert np.linalg.norm(placed[-1] - placed[0]) > 0.3


def test_few_codes_and_ties():
    codes, places = np.array([[0.0], [1.0]]), np.array([[5.0, 5.0], [7.0, 7.0]])
    np.testing.assert_array_equal(place(np.array([[0.2], [0.9]]), codes, places, 15), places)
    same = np.zeros((40, 3))
    np.testing.assert_allclose(place(same[:2], same, np.ones((40, 2)), 5), 1)


def test_the_median_is_where_the_sum_of_distances_is_least():
    rng = np.random.default_rng(0)
    points, weights = rng.normal(size=(20, 9, 2)), rng.uniform(0.1, 1, size=(20, 9))

    def cost(at):
        return (weights * np.linalg.norm(points - at[:, None], axis=2)).sum(axis=1)

    medians = geometric_median(points, weights)
    for move in 0.05 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]):
        assert (cost(medians) < cost(medians + move)).all()
    assert np.linalg.norm(medians - np.average(points[0], axis=0, weights=weights[0]), axis=1).max() > 0.05


def test_the_median_of_one_dimension_is_the_median():
    points = np.array([[[1.0], [2.0], [50.0]]])
    np.testing.assert_allclose(geometric_median(points, np.ones((1, 3))), [[2.0]], atol=1e-3)
    np.testing.assert_allclose(geometric_median(points, np.array([[1.0, 1, 3]])), [[50.0]], atol=1e-6)

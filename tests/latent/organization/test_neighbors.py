import numpy as np
import pytest
from sklearn import manifold

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import continuity, neighborhood_overlap, neighbors_kept, trustworthiness

MEASURES = [trustworthiness, continuity, neighborhood_overlap]
every_measure = pytest.mark.parametrize("measure", MEASURES)


@every_measure
def test_all_neighbors_of_a_turned_space_are_kept(measure, perfect):
    assert measure(perfect.X, perfect.Z) == (1, 1, 1)


@every_measure
@pytest.mark.parametrize("space", ["shuffled", "collapsed"])
def test_chance(measure, space, request):
    space = request.getfixturevalue(space)
    chance = 10 / 399 if measure is neighborhood_overlap else 0.5
    value, low, high = measure(space.X, space.Z)
    assert abs(value - chance) < 0.1  # equal codes all have the same ten neighbors
    assert low < value < high


def test_three_at_once_are_the_three(perfect):
    spaces = perfect.X, perfect.Z[:, :2]
    assert neighbors_kept(*spaces, 7) == {measure.__name__: measure(*spaces, 7) for measure in MEASURES}


def test_trustworthiness_is_that_of_scikit_learn(perfect):
    Z = perfect.Z[:, :2]
    for k in (1, 10):
        expected = manifold.trustworthiness(perfect.X, Z, n_neighbors=k)
        assert trustworthiness(perfect.X, Z, k).value == pytest.approx(expected, abs=1e-12)
        assert continuity(Z, perfect.X, k).value == pytest.approx(expected, abs=1e-12)


def test_folding_costs_trust_and_tearing_costs_continuity():
    line = np.linspace(-1, 1, 200)[:, None]
    folded = np.abs(line + 1e-4)
    torn = np.where(line > 0, line + 5, -line)
    assert trustworthiness(line, folded).value < 0.9 < continuity(line, folded).value
    circle = np.column_stack([np.cos(np.pi * line), np.sin(np.pi * line)])
    assert continuity(circle, line).value < trustworthiness(circle, line).value
    assert trustworthiness(line, torn).value > 0.99


def test_overlap_by_hand():
    X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])  # two nearest: 12 02 10 21 32
    Z = np.array([[0.0], [1.0], [3.0], [-2.5], [15.0]])  # two nearest: 13 02 10 01 21
    shared = [1, 2, 2, 1, 1]
    assert neighborhood_overlap(X, Z, k=2).value == pytest.approx(sum(shared) / 10)


@every_measure
def test_invariance(measure, perfect):
    X, Z = perfect.X, perfect.Z[:, :3] ** 2
    value = measure(X, Z).value
    assert 0 < value < 1
    order = np.random.default_rng(0).permutation(len(X))
    assert measure(X, 7 * Z @ rotation(3) - 1e10).value == pytest.approx(value, abs=1e-3)  # digits are lost
    assert measure(0.1 * X @ rotation(5) + 4, Z).value == pytest.approx(value, abs=1e-9)
    assert measure(X[order], Z[order]).value == pytest.approx(value, abs=1e-9)


@every_measure
def test_many_rows_are_drawn(measure, perfect):
    Z = perfect.Z[:, :2]
    few = measure(perfect.X, Z, n_max=150)
    assert few == measure(perfect.X, Z, n_max=150)
    assert few != measure(perfect.X, Z, n_max=150, random_state=1)
    assert few.high - few.low > measure(perfect.X, Z).high - measure(perfect.X, Z).low

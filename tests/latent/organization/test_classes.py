import math

import numpy as np
import pytest
from sklearn import metrics

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import cluster_agreement, knn_accuracy, linear_probe, silhouette

MEASURES = [knn_accuracy, silhouette, cluster_agreement, linear_probe]
every_measure = pytest.mark.parametrize("measure", MEASURES)
CHANCE = {knn_accuracy: 0.25, silhouette: 0.0, cluster_agreement: 0.0, linear_probe: 0.25}


@every_measure
def test_classes_apart(measure, perfect):
    value, low, high = measure(perfect.Z, perfect.y)
    assert value > (0.6 if measure is silhouette else 0.99)
    assert low <= value <= high


@every_measure
@pytest.mark.parametrize("space", ["shuffled", "collapsed"])
def test_chance(measure, space, request):
    space = request.getfixturevalue(space)
    value, low, high = measure(space.Z, space.y)
    assert abs(value - CHANCE[measure]) < 0.06
    assert low <= value <= high


@every_measure
def test_one_class_says_nothing(measure, perfect):
    assert math.isnan(measure(perfect.Z, np.zeros(400)).value)


@pytest.mark.parametrize("measure", [knn_accuracy, silhouette, linear_probe])
def test_classes_of_one_code_say_nothing(measure, perfect):
    assert math.isnan(measure(perfect.Z, np.arange(400)).value)


@every_measure
def test_invariance(measure, perfect):
    Z, y = perfect.Z[:, :2], perfect.y
    value = measure(Z, y).value
    if measure is not linear_probe:  # its penalty knows directions
        assert measure(7 * Z @ rotation(2) - 20, y).value == pytest.approx(value, abs=1e-9)
    if measure in (knn_accuracy, silhouette):
        order = np.random.default_rng(0).permutation(len(Z))
        assert measure(Z[order], y[order]).value == pytest.approx(value, abs=1e-9)
    if measure is linear_probe:
        assert measure(Z * [100, 0.01] + 5, y).value == pytest.approx(value, abs=1e-9)


def test_neighbors_vote_without_the_code_itself():
    Z = np.array([[0.0], [0.0], [9.0], [9.0]])
    assert knn_accuracy(Z, list("abab"), k=1).value == 0
    assert knn_accuracy(Z, list("aabb"), k=1).value == 1


def test_training_codes_may_judge(perfect):
    Z, y = perfect.Z, perfect.y
    found = knn_accuracy(Z[:100], y[:100], Z_train=Z[100:], y_train=y[100:])
    assert found.value == 1
    wrong = knn_accuracy(Z[:100], y[:100], Z_train=Z[100:], y_train=np.full(300, "z"))
    assert wrong.value == 0


def test_silhouette_is_that_of_scikit_learn(perfect):
    Z = perfect.Z[:, :2]
    assert silhouette(Z, perfect.y).value == pytest.approx(metrics.silhouette_score(Z, perfect.y))


def test_small_classes_are_left_to_no_fold(perfect):
    y = perfect.y.copy()
    rare = np.flatnonzero(y == "a")[:3]
    y[rare] = "rare"
    assert linear_probe(perfect.Z, y).value == 1  # not 0.9925


@every_measure
def test_refusal_names_what_came(measure):
    with pytest.raises(ValueError, match=r"one class per code; got \(2, 1\) codes and \(3,\) classes"):
        measure([[0.0], [1.0]], [0, 1, 0])

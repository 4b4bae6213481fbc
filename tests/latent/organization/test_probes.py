import math

import numpy as np
import pytest
from scipy.stats import entropy

from vaetools.latent.organization import ambiguity, class_entropy, knn_probabilities


def test_samples_of_every_class_clear_and_even(perfect):
    probabilities = knn_probabilities(perfect.X, perfect.y)
    assert probabilities.shape == (400, 4)
    assert class_entropy(probabilities).value == pytest.approx(1)
    assert ambiguity(probabilities).value == 0


def test_shuffled_classes_are_ambiguous(perfect):
    y = np.random.default_rng(0).permutation(perfect.y)
    probabilities = knn_probabilities(perfect.X, y)
    assert ambiguity(probabilities).value > 0.9
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_collapsed_samples_fall_into_one_class(perfect):
    probabilities = knn_probabilities(perfect.X, perfect.y, np.repeat(perfect.X[:1], 50, axis=0))
    assert class_entropy(probabilities) == (0, 0, 0)
    assert ambiguity(probabilities).value == 0


def test_entropy_of_uneven_classes():
    probabilities = np.eye(3)[[0] * 6 + [1] * 3 + [2]]
    expected = entropy([0.6, 0.3, 0.1]) / math.log(3)
    value, low, high = class_entropy(probabilities)
    assert value == pytest.approx(expected)
    assert low < value < high
    assert class_entropy(probabilities[::-1, [2, 0, 1]]).value == pytest.approx(expected)


def test_a_level_parts_clear_from_ambiguous():
    probabilities = [[0.7, 0.3], [0.2, 0.8], [1.0, 0.0], [0.5, 0.5]]
    assert [ambiguity(probabilities, level).value for level in (0.5, 0.75, 0.9)] == [0, 0.5, 0.75]


def test_one_class_says_nothing():
    assert math.isnan(ambiguity([[1.0], [1.0]]).value)
    assert math.isnan(class_entropy([[1.0], [1.0]]).value)


def test_rows_do_not_vote_for_themselves():
    probabilities = knn_probabilities([[0.0], [0.0], [1.0]], ["a", "b", "c"], k=1)
    assert probabilities[:2].tolist() == [[0, 1, 0], [1, 0, 0]]


def test_one_class_has_no_evenness(perfect):
    assert math.isnan(class_entropy(np.ones((5, 1))).value)

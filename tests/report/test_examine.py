"""`examine` against models whose every answer is known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from vaetools.report.demo import N_ODDEST, N_SAMPLED, N_STEPS, examine


@dataclasses.dataclass
class FakeDigits:
    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    unknown: np.ndarray
    unknown_label: int = 5
    image_shape: tuple = (1, 1, 2)


class FirstColumn:
    """Scores a row by its first value."""

    def score_samples(self, X):
        return X[:, 0]


class FakeModel(FirstColumn):
    """Codes are rows; decoding doubles; flags what scores below 0."""

    offset_ = 0.0
    calibration_scores_ = np.zeros(1)

    def predict(self, X):
        return np.where(self.score_samples(X) >= 0, 1, -1)

    def p_values(self, X):
        return X[:, 0] + 100

    def transform(self, X):
        return X.copy()

    def inverse_transform(self, Z):
        return 2 * Z

    def reconstruct(self, X):
        return X + 0.5

    def sample(self, n, random_state):
        return np.full((n, 2), float(random_state))

    def score_table(self, X):
        return pd.DataFrame({"neg_reconstruction": X[:, 0], "neg_kl": X[:, 0] - 7})


class FakeConditional(FakeModel):
    """Decodes a label by adding ten times it."""

    classes_ = np.array([1, 2])

    def posterior(self, X, y):
        from types import SimpleNamespace

        return SimpleNamespace(mean=X + np.reshape(y, (-1, 1)))

    def inverse_transform(self, Z, y):
        return Z + 10 * y

    def sample(self, n, y, random_state):
        return np.repeat(y[:, None].astype(float), 2, axis=1)


@dataclasses.dataclass
class FakeMap:
    """Shows by how much it moves codes which seed it got."""

    random_state: int

    def fit_transform(self, Z):
        return Z + self.random_state


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    train = np.concatenate([rng.normal(2, 0.1, (20, 2)), rng.normal(8, 0.1, (20, 2))])
    return FakeDigits(
        train=train,
        train_labels=np.repeat([1, 2], 20),
        held_out=np.array([[2.0, 2], [8, 8], [-1, 2], [8, 7], [3, 3]]),
        held_out_labels=np.array([1, 2, 1, 2, 2]),
        unknown=np.array([[-3.0, 0], [-2, 0], [2.5, 0], [-9, 0]]),
    )


@pytest.fixture
def demo(digits, monkeypatch):
    monkeypatch.setattr("vaetools.report.demo.LatentMap", FakeMap)
    models = {"A": FakeModel(), "C": FakeConditional(), "plain": FirstColumn()}
    seconds = {"A": 1.0, "C": 2.0, "plain": 3.0}
    return examine(models, seconds, digits, pictured=("A", "C"), judge="A", seed=3)


def test_the_table(demo):
    row, _, plain = demo.table
    # of 5 x 4 pairs, known is below unknown in: 2 < 2.5 and -1 < 2.5
    assert row.auroc == pytest.approx(18 / 20)
    assert row.false_alarms == pytest.approx(1 / 5)
    assert row.detected == pytest.approx(3 / 4)
    assert row.knn_accuracy == pytest.approx(4 / 5)  # (3, 3) is nearest to the ones
    assert row.reconstruction == pytest.approx(-4.0)  # minus the mean of 2, 8, -1, 8, 3
    assert row.kl == pytest.approx(3.0)
    assert plain.auroc == row.auroc
    assert (plain.reconstruction, plain.kl, plain.false_alarms, plain.knn_accuracy) == (None,) * 4
    assert [each.fit_seconds for each in demo.table] == [1.0, 2.0, 3.0]


def test_the_oddest_come_oddest_first(demo, digits):
    odd = demo.oddest
    assert len(odd.scores) == min(N_ODDEST, 9)
    assert odd.scores[:4].tolist() == [-9, -3, -2, -1]
    assert odd.labels[:4].tolist() == [5, 5, 5, 1]
    assert odd.flagged.tolist() == [True] * 4 + [False] * 5
    assert np.array_equal(odd.p_values, odd.scores + 100)
    assert np.array_equal(odd.images[0], digits.unknown[3])
    assert np.array_equal(odd.reconstructions, odd.images + 0.5)


def test_maps_show_held_out_then_unknown_rows(demo, digits):
    assert np.array_equal(demo.views[0].points, np.concatenate([digits.held_out, digits.unknown]) + 3)
    assert demo.mapped_labels.tolist() == [1, 2, 1, 2, 2, 5, 5, 5, 5]


def test_reconstructions_belong_to_the_originals(demo, digits):
    assert demo.original_labels.tolist() == [1, 2, 5, 5, 5]
    assert np.array_equal(demo.originals, np.concatenate([digits.held_out[:2], digits.unknown[:3]]))
    assert np.array_equal(demo.views[0].reconstructions, demo.originals + 0.5)


def test_samples_are_by_label_where_there_are_labels(demo):
    plain, conditional = demo.views
    assert (plain.samples_have_labels, conditional.samples_have_labels) == (False, True)
    assert plain.samples.shape == (2 * N_SAMPLED, 2)
    assert (plain.samples == 3).all()
    assert conditional.samples[:, 0].tolist() == [1.0] * N_SAMPLED + [2.0] * N_SAMPLED


def test_a_morph_decodes_a_straight_line(demo):
    plain, conditional = demo.views
    share = np.linspace(0, 1, N_STEPS)[:, None]
    np.testing.assert_allclose(plain.morph, 2 * ((1 - share) * 2 + share * 8) * np.ones(2))
    # codes go from 2 + 1 to 8 + 2, and what the label adds from 10 to 20
    line = (1 - share) * 3 + share * 10
    np.testing.assert_allclose(conditional.morph, (line + 10 + 10 * share) * np.ones(2))
    assert demo.morph_labels == (1, 2)


def test_the_judge(demo):
    assert demo.threshold == 0
    assert demo.known_scores.tolist() == [2, 8, -1, 8, 3]
    assert demo.unknown_scores.tolist() == [-3, -2, 2.5, -9]

"""Training rows among which some are odd."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vaetools import AE, CVAE, VAE

OPTIONS = {
    "image_shape": (1, 8, 8),
    "hidden_channels": (),
    "hidden_layer_sizes": (32,),
    "max_iter": 150,
    "learning_rate_init": 1e-2,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def contaminated(digits):
    """Images of 3 with one of another digit in ten, which of them are others, and a test set."""
    X, y = digits
    rng = np.random.default_rng(0)
    threes, others = (rng.permutation(np.flatnonzero(mask)) for mask in (y == 3, y != 3))
    index = rng.permutation(np.concatenate([threes[:108], others[:12]]))
    test = np.concatenate([threes[108:], others[12:]])
    return X[index], y[index] != 3, X[test], y[test] != 3


@pytest.fixture(scope="module")
def trimmed(contaminated):
    return VAE(4, trimmed_fraction=0.2, contamination=0.1, **OPTIONS).fit(contaminated[0])


def test_suspects_are_the_rows_of_the_largest_loss(trimmed, contaminated):
    X, is_other, _, _ = contaminated
    order = np.argsort(trimmed.score_samples(X))  # beta is 1, so the loss is minus the score
    np.testing.assert_array_equal(trimmed.suspects_, order[:24])
    assert is_other[trimmed.suspects_].sum() >= 8  # of 12; chance is 2.4


def test_suspects_are_training_rows_by_their_number_in_X(contaminated):
    X = contaminated[0]
    seen = []
    vae = VAE(2, trimmed_fraction=0.29, **OPTIONS | {"max_iter": 1})
    batch = type(vae)._train
    vae._train = lambda rows, *rest: seen.append(rows.index) or batch(vae, rows, *rest)
    vae.fit(X)
    assert len(seen[0]) == 96  # 24 rows calibrate
    assert len(vae.suspects_) == 27
    assert set(vae.suspects_) < set(seen[0])


def test_the_loss_of_suspects_weighs_the_kl_by_beta(digits):
    X, y = digits[0][:200], digits[1][:200]
    cvae = CVAE(4, beta=30.0, trimmed_fraction=0.1, contamination=0.1, **OPTIONS | {"max_iter": 5}).fit(X, y)
    table = cvae.score_table(X, y)
    cost = -table["neg_reconstruction"] - 30 * table["neg_kl"]
    np.testing.assert_array_equal(cvae.suspects_, np.argsort(-cost.to_numpy())[:20])


def test_trimming_wins_back_what_contamination_takes(trimmed, contaminated):
    X, is_other, X_test, is_odd = contaminated
    plain = VAE(4, contamination=0.1, **OPTIONS)
    clean = roc_auc_score(is_odd, -plain.fit(X[~is_other]).score_samples(X_test))
    dirty = roc_auc_score(is_odd, -plain.fit(X).score_samples(X_test))
    robust = roc_auc_score(is_odd, -trimmed.score_samples(X_test))
    assert dirty < robust
    assert robust - dirty > (clean - dirty) / 2


def test_without_trimming_there_are_no_suspects(digits):
    ae = AE(2, contamination=0.1, **OPTIONS | {"max_iter": 1}).fit(digits[0][:50])
    assert ae.suspects_.tolist() == []

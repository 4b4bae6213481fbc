"""Training rows among which some are odd."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from vaetools import AE, CVAE, VAE
from vaetools.estimators import autoencoder
from vaetools.estimators.watched import trainer_for

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


def test_suspects_are_the_rows_farthest_from_the_others(trimmed, contaminated):
    X, is_other, _, _ = contaminated
    patterns = X - X.mean(axis=1, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    distances = np.sort(np.linalg.norm(patterns[:, None] - patterns, axis=2), axis=1)
    order = np.argsort(-distances[:, 12])  # a tenth of 120 rows
    np.testing.assert_array_equal(trimmed.suspects_, order[:24])
    assert is_other[trimmed.suspects_].sum() >= 8  # of 12; chance is 2.4


def test_suspects_train_nothing(contaminated, trimmed):
    X = contaminated[0]
    again = VAE(4, contamination=0.1, **OPTIONS).fit(np.delete(X, trimmed.suspects_, axis=0))
    np.testing.assert_allclose(again.score_samples(X), trimmed.score_samples(X), rtol=1e-6)


def test_suspects_are_training_rows_by_their_number_in_X(contaminated, monkeypatch):
    X = contaminated[0]
    seen = []
    vae = VAE(2, trimmed_fraction=0.29, **OPTIONS | {"max_iter": 1})

    def trainer(vae, rows, *rest, **how):
        seen.append(rows.index)
        return trainer_for(vae, rows, *rest, **how)

    monkeypatch.setattr(autoencoder, "trainer_for", trainer)
    vae.fit(X)
    assert len(vae.suspects_) == 27
    assert len(seen[0]) == 69  # 24 rows calibrate
    assert not set(vae.suspects_) & set(seen[0])
    assert set(vae.suspects_) < set(range(len(X)))


def test_columns_count_alike_whatever_their_unit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) * [1, 1e6, 1e-6]
    X[:10] += [0, 0, 9e-6]
    vae = VAE(2, trimmed_fraction=0.1, contamination=0.1, max_iter=1, random_state=0).fit(X)
    assert set(vae.suspects_[:10]) == set(range(10))


def test_the_scale_is_that_of_the_rows_that_train():
    """Wild rows stretch the scale on which they are found, and hide others that are only odd."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    X[:6] *= 1e6
    X[6:12] += 9
    vae = VAE(2, trimmed_fraction=0.1, contamination=0.1, max_iter=1, random_state=0).fit(X)
    assert set(range(12)) < set(vae.suspects_)
    kept = np.delete(X, vae.suspects_, axis=0)
    np.testing.assert_allclose(vae.input_scale_.scale, kept.std(axis=0))


def test_missing_cells_and_categories_are_compared_as_the_encoder_sees_them():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=100), "b": rng.choice(["x", "y"], 100)})
    table.loc[:4, "b"] = "odd"
    table.loc[5:40, "a"] = np.nan
    options = {"likelihood": "mixed", "trimmed_fraction": 0.1, "contamination": 0.1, "max_iter": 1}
    vae = VAE(2, **options, random_state=0).fit(table)
    assert set(range(5)) <= set(vae.suspects_)
    assert len(vae.suspects_) == 10


def test_trimming_wins_back_what_contamination_takes(trimmed, contaminated):
    X, is_other, X_test, is_odd = contaminated
    plain = VAE(4, contamination=0.1, **OPTIONS)
    clean = roc_auc_score(is_odd, -plain.fit(X[~is_other]).score_samples(X_test))
    dirty = roc_auc_score(is_odd, -plain.fit(X).score_samples(X_test))
    robust = roc_auc_score(is_odd, -trimmed.score_samples(X_test))
    assert dirty < robust
    assert robust - dirty > (clean - dirty) / 4


def test_without_trimming_there_are_no_suspects(digits):
    ae = AE(2, contamination=0.1, **OPTIONS | {"max_iter": 1}).fit(digits[0][:50])
    assert ae.suspects_.tolist() == []


def test_a_label_that_only_suspects_have_is_impossible_and_said_so():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(200, 3)), rng.normal(size=(10, 3)) + 30]
    y = np.arange(210) >= 200
    cvae = CVAE(
        2, hidden_layer_sizes=(8,), max_iter=2, trimmed_fraction=0.1, contamination=0.1, random_state=0
    )
    with pytest.warns(UserWarning, match=r"labels \[True\]: they .* or a smaller trimmed_fraction"):
        cvae.fit(X, y)
    assert set(range(200, 210)) <= set(cvae.suspects_)
    assert cvae.class_prior_.tolist() == [1, 0]
    assert (cvae.label_log_proba(X)[:, 1] == -np.inf).all()

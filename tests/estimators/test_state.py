"""What fit may and may not depend on or leave behind."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from vaetools import AE, CVAE, VAE
from vaetools.estimators.jobs import split_rows

OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}


def fail(record, model):
    raise ZeroDivisionError


def test_fit_is_safe_in_threads():
    """Weights come from a generator of their own, not from the one that threads share."""
    X = np.random.default_rng(0).normal(size=(30, 64))

    def codes(seed):
        # wide, so that drawing weights takes long enough to be interleaved
        options = {"hidden_layer_sizes": (512, 256, 128), "max_iter": 0, "contamination": 0.1}
        return VAE(**options, random_state=seed).fit(X).transform(X)

    before = torch.get_rng_state()
    one_by_one = [codes(seed) for seed in range(24)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(codes, range(24)))
    np.testing.assert_array_equal(one_by_one, together)
    assert torch.equal(before, torch.get_rng_state())


def test_a_failed_first_fit_leaves_an_unfitted_model(correlated):
    vae = VAE(**OPTIONS)
    with pytest.raises(ZeroDivisionError):
        vae.fit(correlated, callbacks=[fail])
    for method in (vae.transform, vae.predict, vae.score_samples):
        with pytest.raises(NotFittedError):
            method(correlated)
    assert vars(vae) == VAE(**OPTIONS).get_params()


def test_a_failed_refit_leaves_the_old_model(correlated, iris):
    cvae = CVAE(**OPTIONS).fit(*iris)
    scores, history = cvae.score_samples(iris[0], 2), cvae.history_
    with pytest.raises(ZeroDivisionError):
        cvae.fit(correlated * 1000, np.arange(240) % 5, callbacks=[fail])
    with pytest.raises(ValueError, match="NaN"):
        cvae.fit(np.full((99, 3), np.nan), np.arange(99) % 2)
    cvae.set_params(likelihood="bernoulli")
    with pytest.raises(ValueError, match="support of likelihood='bernoulli'"):
        cvae.fit(correlated, np.arange(240) % 5)
    np.testing.assert_array_equal(cvae.score_samples(iris[0], 2), scores)
    assert cvae.history_ is history
    assert cvae.n_features_in_ == 4


@pytest.mark.parametrize("name", ["latent_knn", "neg_kl"])
def test_the_score_is_that_of_fit(name, correlated):
    vae = VAE(**OPTIONS).fit(correlated)
    scores, verdicts = vae.score_samples(correlated), vae.predict(correlated)
    vae.set_params(anomaly_score=name)
    np.testing.assert_array_equal(vae.score_samples(correlated), scores)
    np.testing.assert_array_equal(vae.predict(correlated), verdicts)


def test_the_world_around_fit_does_not_matter(correlated):
    expected = VAE(**OPTIONS).fit(correlated).score_samples(correlated)
    with torch.no_grad():
        np.testing.assert_array_equal(VAE(**OPTIONS).fit(correlated).score_samples(correlated), expected)
    with torch.inference_mode():
        np.testing.assert_array_equal(VAE(**OPTIONS).fit(correlated).score_samples(correlated), expected)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(VAE(**OPTIONS).fit(correlated).score_samples(correlated), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_calibration_rows_do_not_decide_the_scaling(digits):
    X = digits[0][:400].copy()
    vae = VAE(image_shape=(1, 8, 8), hidden_channels=(), **OPTIONS)
    train, _, calibrate = split_rows(vae, len(X), np.random.RandomState(0))
    X[calibrate[0], 5] = 1.5
    assert vae.fit(X).input_scale_.kind == "unit"
    X[train[0], 5] = 1.5
    assert vae.fit(X).input_scale_.kind == "standardize"


def test_label_frequencies_are_those_of_the_training_rows(iris):
    X, y = iris
    cvae = CVAE(**OPTIONS)
    train, _, calibrate = split_rows(cvae, len(X), np.random.RandomState(0))
    rare = np.zeros(len(X), dtype=int)
    rare[calibrate[:3]] = 1
    with pytest.warns(UserWarning, match=r"labels \[1\]: they count as impossible"):
        cvae.fit(X, rare)
    np.testing.assert_array_equal(cvae.class_prior_, [1, 0])
    np.testing.assert_array_equal(cvae.label_proba(X)[:, 1], 0)
    table = cvae.score_table(X)
    assert np.isfinite(table).all(axis=None)
    np.testing.assert_allclose(cvae.score_samples(X), cvae.score_samples(X, 0))
    np.testing.assert_array_equal(clone(cvae).fit(X, y).class_prior_, np.bincount(y[train]) / len(train))


@pytest.mark.parametrize(
    "column", [pd.to_timedelta([1, None] * 60, unit="s"), pd.date_range("2026-01-01", periods=120)]
)
def test_times_are_not_numbers(column):
    with pytest.raises(ValueError, match=r"X must be numbers; got (timedelta|datetime)64"):
        VAE(**OPTIONS).fit(pd.DataFrame({"when": column}))


@pytest.mark.parametrize("callbacks", [fail, None, [3]])
def test_callbacks_are_a_list(callbacks, correlated):
    with pytest.raises(TypeError, match="AE: callbacks must be a list of functions; got"):
        AE(**OPTIONS).fit(correlated, callbacks=callbacks)

"""The engine: functions of a reading over rows, in one pass, with labels or without."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from vaetools import AE, CVAE, VAE
from vaetools.estimators.engine import Engine

OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 3, "contamination": 0.1, "random_state": 0}
every_estimator = pytest.mark.parametrize("estimator", [AE, VAE, CVAE])
LABELED = ("score_samples", "transform", "reconstruct", "decision_function", "predict", "score_table")


@pytest.fixture(scope="module")
def fitted(iris):
    X, y = iris
    return {estimator: estimator(2, **OPTIONS).fit(X, y) for estimator in (AE, VAE, CVAE)}


@pytest.fixture
def passes(monkeypatch):
    """Rows that a network encodes and decodes."""

    def watch(model):
        counts, network = {"encoded": 0, "decoded": 0}, model.model_.network
        hidden, decode = network.hidden, network.decode

        def encoding(x, *y):
            counts["encoded"] += len(x)
            return hidden(x, *y)

        def decoding(z, *y):
            counts["decoded"] += len(z)
            return decode(z, *y)

        monkeypatch.setattr(network, "hidden", encoding)
        monkeypatch.setattr(network, "decode", decoding)
        return counts

    return watch


@every_estimator
def test_what_is_asked_is_what_the_methods_say(fitted, iris, estimator):
    X, model = iris[0], fitted[estimator]
    engine = Engine(model)
    codes, scores, expected = engine.ask(X, lambda r: r.mean, engine.score(), engine.in_units)
    np.testing.assert_array_equal(codes, model.transform(X))
    np.testing.assert_array_equal(scores, model.score_samples(X))
    np.testing.assert_array_equal(expected, model.reconstruct(X))
    assert engine.ask(X) == []


@every_estimator
def test_rows_pass_the_network_once_however_much_is_asked(fitted, iris, passes, estimator):
    model = fitted[estimator]
    counts = passes(model)
    n_passes = 150 * (3 if estimator is CVAE else 1)
    model.explain(iris[0])
    assert counts == {"encoded": n_passes, "decoded": n_passes}
    counts.update(encoded=0, decoded=0)
    engine = Engine(model)
    engine.ask(iris[0], lambda r: r.mean, lambda r: r.surprise, engine.score("elbo"), engine.score())
    assert counts["encoded"] == n_passes


@pytest.mark.parametrize("name", [*LABELED, "p_values", "explain", "posterior", "log_likelihood"])
@pytest.mark.parametrize("estimator", [AE, VAE])
def test_other_models_ignore_labels(iris, estimator, name):
    X, y = iris
    model = estimator(2, **OPTIONS | {"contamination": "auto"}).fit(X)
    if hasattr(model, name):
        plain, labeled = getattr(model, name)(X), getattr(model, name)(X, ["unknown"])
        if name == "explain":
            plain, labeled = plain.surprise, labeled.surprise
        np.testing.assert_array_equal(plain, labeled)
    assert model.recalibrate(X[:50], y) is model


@pytest.mark.parametrize("name", [*LABELED, "p_values", "explain", "posterior", "log_likelihood"])
def test_a_conditional_model_refuses_unknown_labels(fitted, iris, name):
    with pytest.raises(ValueError, match=r"CVAE: label y must be one of \[0, 1, 2\]; got 7\."):
        getattr(fitted[CVAE], name)(iris[0], 7)


def test_codes_and_verdicts_given_labels(fitted, iris):
    (X, y), model = iris, fitted[CVAE]
    np.testing.assert_array_equal(model.transform(X, y), model.posterior(X, y).mean)
    assert not np.allclose(model.transform(X, y), model.transform(X))
    decision = model.decision_function(X, y)
    np.testing.assert_array_equal(decision, model.score_samples(X, y) - model.offset_)
    np.testing.assert_array_equal(model.predict(X, y), np.where(decision >= 0, 1, -1))


def test_a_model_is_fitted_first():
    with pytest.raises(NotFittedError, match="This VAE instance is not fitted yet"):
        Engine(VAE())

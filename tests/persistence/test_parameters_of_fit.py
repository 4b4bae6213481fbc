"""A file says with what a model was fitted, whatever was set since."""

import numpy as np
import pytest

from vaetools import AE, CVAE, VAE, Gaussian, load, save
from vaetools.persistence.facts import read_facts

QUICK = {"hidden_layer_sizes": (8,), "max_iter": 1, "random_state": 0}
SET_SINCE = {
    "n_components": 3,
    "hidden_layer_sizes": (3,),
    "likelihood": Gaussian("predicted"),
    "image_shape": (1, 2, 2),
    "standardize": False,
    "false_alarm_rate": 0.5,
    "anomaly_score": "elbo",
    "beta": 7.0,
    "max_iter": 900,
    "contamination": 0.1,
    "trimmed_fraction": 0.2,
}


@pytest.mark.parametrize(("name", "value"), SET_SINCE.items())
def test_what_is_set_after_fit_is_for_the_next_one(name, value, iris, tmp_path):
    X, path = iris[0], tmp_path / "m.safetensors"
    vae = VAE(2, **QUICK).fit(X)
    before, scores, verdicts = vae.get_params()[name], vae.score_samples(X), vae.predict(X)
    save(vae.set_params(**{name: value}), path)
    assert vae.get_params()[name] == value
    again = load(path)
    assert again.get_params()[name] == before
    assert np.array_equal(again.score_samples(X), scores)
    assert np.array_equal(again.predict(X), verdicts)
    save(again.set_params(**{name: value}), path)  # and of a model that was loaded
    assert load(path).get_params()[name] == before


@pytest.mark.parametrize("model", [AE(2, **QUICK), CVAE(2, **QUICK)])
def test_facts_are_those_of_the_fit(model, iris, tmp_path):
    model.fit(*iris).set_params(false_alarm_rate=0.5, n_components=3)
    save(model, tmp_path / "m.safetensors")
    facts = read_facts(tmp_path / "m.safetensors")
    assert (facts.parameters["n_components"], facts.n_components) == (2, 2)
    assert facts.false_alarm_rate == pytest.approx(1 / 31)


def test_what_acts_after_fit_is_written_as_it_is(iris, tmp_path):
    vae = VAE(2, **QUICK).fit(iris[0]).set_params(score_precision="float32", verbose=1, random_state=5)
    save(vae, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors").get_params()
    assert [again[name] for name in ("score_precision", "verbose", "random_state")] == ["float32", 1, 5]


def test_a_rate_that_recalibrated_is_written(iris, tmp_path):
    path = tmp_path / "m.safetensors"
    vae = VAE(2, **QUICK).fit(iris[0]).set_params(false_alarm_rate=0.5, beta=7.0).recalibrate(iris[0][:39])
    save(vae, path)
    again = load(path)
    assert (again.false_alarm_rate, again.beta) == (0.5, 1.0)
    assert read_facts(path).false_alarm_rate == 0.5
    again.set_params(beta=0.5).fit(iris[0])
    save(again, path)
    assert load(path).beta == 0.5

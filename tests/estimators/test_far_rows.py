"""A row so far away that numbers end has a score all the same, and is odd."""

import numpy as np
import pytest
from sklearn.base import clone

from tests.variants import VARIANTS
from vaetools import AE, CVAE, VAE
from vaetools.anomaly.scores import SCORES
from vaetools.nn.model import Autoencoder
from vaetools.stream.flow import verdicts

FAR = [1e10, 1e19, 1e160, 1e300, 1.7e308]
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
LABELS = np.arange(100) % 3
ANYWHERE = [name for name in VARIANTS if "bernoulli" not in name and name != "CVAE mixed"]
OF_ROWS = [(cls, name) for name, score in SCORES.items() for cls in (AE, VAE, CVAE) if not score.needs_images]
OF_ROWS = [
    (cls, name)
    for cls, name in OF_ROWS
    if cls is not AE or not (SCORES[name].needs_posterior or SCORES[name].needs_prior)
]


def far_rows(n_features):
    """Rows that are far in every column, up and down, and in one alone."""
    each = [np.full(n_features, far) for far in FAR]
    alone = [np.eye(n_features)[0] * far for far in FAR]
    return np.array([*each, *(-np.array(each)), *alone])


def check(model, X):
    """Scores are numbers or −inf, and odd unless they are bounded, as the pattern of structure is."""
    for precision in ("float64", "float32"):
        model.set_params(score_precision=precision)
        with np.errstate(all="ignore"):
            table, scores = model.score_table(X), model.score_samples(X)
        assert not table.isna().any(axis=None)
        assert (table.drop(columns="elbo_error", errors="ignore") < np.inf).all(axis=None)
        assert (scores < np.inf).all()
        told = verdicts(model, X)
        np.testing.assert_allclose(told["score"], scores, rtol=1e-6)
        np.testing.assert_array_equal(told["verdict"] == "odd", model.predict(X) == -1)
        if model.anomaly_score != "structure":
            assert (model.predict(X) == -1).all()
            assert (model.p_values(X) == 1 / 21).all()


@pytest.mark.filterwarnings("ignore:.*contexts should be like those of training")
@pytest.mark.parametrize("name", [name for name in ANYWHERE if "contamination" not in name])
def test_of_every_estimator(name, correlated):
    X = correlated[:100]
    check(clone(VARIANTS[name]).set_params(**SMALL).fit(X, LABELS), far_rows(X.shape[1]))


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
@pytest.mark.parametrize(("cls", "name"), OF_ROWS, ids=lambda value: getattr(value, "__name__", value))
def test_of_every_score(cls, name, correlated):
    X = correlated[:100]
    check(cls(2, anomaly_score=name, **SMALL).fit(X, LABELS), far_rows(X.shape[1]))


OF_IMAGES = [name for name, score in SCORES.items() if score.needs_images and not score.needs_added]


@pytest.mark.parametrize("name", OF_IMAGES)
def test_of_every_score_of_images(name):
    X = np.random.default_rng(0).normal(size=(100, 64))
    check(VAE(2, anomaly_score=name, image_shape=(1, 8, 8), **SMALL).fit(X), far_rows(64))


def test_labels_of_such_a_row_are_told_by_their_frequencies(correlated):
    cvae = CVAE(2, **SMALL).fit(correlated[:100], LABELS)
    proba = cvae.label_proba(np.vstack([far_rows(correlated.shape[1]), correlated[:1]]))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(proba[3], cvae.class_prior_)
    assert np.abs(proba[-1] - cvae.class_prior_).max() > 1e-6


def test_a_network_that_gives_no_number_is_odd_and_others_score_as_before(correlated, monkeypatch):
    X = correlated[:100]
    vae = VAE(2, **SMALL).fit(X)
    before, read = vae.score_samples(X), Autoencoder.read

    def spoiled(self, x, *arguments, **options):
        reading = read(self, x, *arguments, **options)
        reading.reconstruction[3] = np.nan
        return reading

    monkeypatch.setattr(Autoencoder, "read", spoiled)
    scores = vae.score_samples(X)
    assert scores[3] == -np.inf
    np.testing.assert_array_equal(np.delete(scores, 3), np.delete(before, 3))
    assert vae.predict(X)[3] == -1
    assert vae.p_values(X)[3] == 1 / 21
    assert vae.score_table(X, scores=["reconstruction_kl"]).iloc[3, 0] == -np.inf

"""What a label adds: conditioning, marginalization, label posteriors."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp, softmax
from sklearn.base import is_outlier_detector
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from vaetools import AE, CVAE, VAE

OPTIONS = {"hidden_layer_sizes": (32,), "max_iter": 150, "learning_rate_init": 1e-2, "random_state": 0}


@pytest.fixture(scope="module")
def fitted(iris):
    X, y = iris
    return CVAE(2, **OPTIONS).fit(X, np.array(["setosa", "versicolor", "virginica"])[y])


def test_score_without_labels_marginalizes(fitted, iris):
    X, _ = iris
    given = np.column_stack([fitted.score_samples(X, label) for label in fitted.classes_])
    log_joint = np.log(fitted.class_prior_) + given
    np.testing.assert_allclose(fitted.score_samples(X), logsumexp(log_joint, axis=1), rtol=1e-10)
    np.testing.assert_allclose(fitted.label_proba(X), softmax(log_joint, axis=1), atol=1e-12)


def test_code_without_labels_is_the_mean_over_labels(fitted, iris):
    X, _ = iris
    codes = np.stack([fitted.posterior(X, label).mean for label in fitted.classes_], axis=1)
    stds = np.stack([fitted.posterior(X, label).std for label in fitted.classes_], axis=1)
    weights = fitted.label_proba(X)[:, :, None]
    mean = (weights * codes).sum(axis=1)
    np.testing.assert_allclose(fitted.transform(X), mean, atol=1e-10)
    variance = (weights * (stds**2 + (codes - mean[:, None]) ** 2)).sum(axis=1)
    np.testing.assert_allclose(fitted.posterior(X).std, np.sqrt(variance), rtol=1e-6)


def test_elbo_and_likelihood_without_labels(fitted, iris):
    X = iris[0][:20]
    tables = [fitted.score_table(X, label) for label in fitted.classes_]
    for name in ("elbo", "log_likelihood"):
        log_joint = np.log(fitted.class_prior_) + np.column_stack([table[name] for table in tables])
        np.testing.assert_allclose(fitted.score_table(X)[name], logsumexp(log_joint, axis=1), rtol=1e-9)


def test_reconstruction_without_labels_is_the_mean_over_labels(fitted, iris):
    X, _ = iris
    each = np.stack([fitted.reconstruct(X, label) for label in fitted.classes_], axis=1)
    expected = (fitted.label_proba(X)[:, :, None] * each).sum(axis=1)
    np.testing.assert_allclose(fitted.reconstruct(X), expected, rtol=1e-9)
    Z = fitted.transform(X)
    decoded = np.stack([fitted.inverse_transform(Z, label) for label in fitted.classes_], axis=1)
    expected = (fitted.class_prior_[:, None] * decoded).sum(axis=1)
    np.testing.assert_allclose(fitted.inverse_transform(Z), expected, rtol=1e-9)


def test_the_right_label_is_likeliest_and_swapped_labels_are_odd(fitted, iris):
    X, y = iris
    assert (fitted.label_proba(X).argmax(axis=1) == y).mean() > 0.9
    right = fitted.score_samples(X, fitted.classes_[y])
    wrong = fitted.score_samples(X, fitted.classes_[(y + 1) % 3])
    assert (right > wrong).mean() > 0.9


def test_samples_look_like_their_label(fitted, iris):
    X, y = iris
    for code, label in enumerate(fitted.classes_):
        center = fitted.sample(200, y=label, random_state=0).mean(axis=0)
        distances = [np.linalg.norm(center - X[y == other].mean(axis=0)) for other in range(3)]
        assert np.argmin(distances) == code


def test_sample_draws_labels_by_frequency(iris):
    X, y = iris
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 2)[:5]])
    cvae = CVAE(1, **OPTIONS, contamination=0.1).fit(X[rows], y[rows])
    np.testing.assert_allclose(cvae.class_prior_, [50 / 55, 5 / 55])
    petal_lengths = cvae.sample(400, random_state=0)[:, 2]
    assert (petal_lengths > 3).mean() == pytest.approx(5 / 55, abs=0.05)


@pytest.mark.parametrize(
    "labels", [[0, 1, 2], [True, False, True], ["a", "b", "c"], [10.0, -3.0, 7.0]], ids=str
)
@pytest.mark.parametrize("container", [np.array, list, pd.Series], ids=["array", "list", "Series"])
def test_kinds_of_labels(labels, container, iris):
    X, y = iris
    y = container(np.array(labels)[y])
    cvae = CVAE(2, max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(cvae.classes_, np.unique(labels))
    assert cvae.label_proba(X).shape == (150, len(set(labels)))
    assert cvae.score_samples(X, y).shape == (150,)


def test_object_labels_of_one_kind(iris):
    X, y = iris
    names = np.array(["a", "b", "c"], dtype=object)[y]
    assert CVAE(max_iter=1).fit(X, names).classes_.tolist() == ["a", "b", "c"]
    assert CVAE(max_iter=1).fit(X, y.astype(object)).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("conditioning", ["add", "multiply", "concat"])
@pytest.mark.parametrize("condition_encoder", [True, False])
def test_every_conditioning_learns(conditioning, condition_encoder, iris):
    X, y = iris
    options = {"conditioning": conditioning, "condition_encoder": condition_encoder}
    trained = CVAE(2, **OPTIONS, **options).fit(X, y)
    untrained = CVAE(2, **OPTIONS | {"max_iter": 0}, **options, standardize=True).fit(X, y)
    assert trained.score(X, y) > untrained.score(X, y)
    same_code = trained.posterior(X, 0).mean == trained.posterior(X, 1).mean
    assert same_code.all() != condition_encoder


def test_labels_are_used_in_training_only(iris):
    X, y = iris
    together = CVAE(2, **OPTIONS).fit_transform(X, y)
    np.testing.assert_array_equal(together, CVAE(2, **OPTIONS).fit(X, y).transform(X))
    verdicts = CVAE(2, **OPTIONS).fit_predict(X, y)
    np.testing.assert_array_equal(verdicts, CVAE(2, **OPTIONS).fit(X, y).predict(X))


def test_tags():
    assert get_tags(CVAE()).target_tags.required
    assert not is_outlier_detector(CVAE())
    assert is_outlier_detector(VAE())
    assert is_outlier_detector(AE())


def test_conditional_score_behind_a_pipeline(iris):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), CVAE(2, **OPTIONS)).fit(X, y)
    given = pipe[-1].score_samples(pipe[:-1].transform(X), y)
    assert given.shape == pipe.score_samples(X).shape
    assert "pipe[-1].score_samples(pipe[:-1].transform(X), y)" in CVAE.__doc__

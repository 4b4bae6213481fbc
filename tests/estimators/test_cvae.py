"""What a label adds: conditioning, marginalization, label posteriors."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp, softmax
from sklearn.base import is_outlier_detector
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import vaetools
from vaetools import AE, CVAE, VAE, Gaussian
from vaetools.anomaly.calibration import conformal_p_values
from vaetools.estimators.jobs import split_rows
from vaetools.estimators.labels import label_information

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


# p-values within a label


@pytest.fixture(scope="module")
def calibrated(fitted, iris):
    """The model, calibrated by 30 rows of one label and 9 of another."""
    X, y = iris
    rows = np.concatenate([np.flatnonzero(y == 0)[:30], np.flatnonzero(y == 2)[:9]])
    names = fitted.classes_[y[rows]]
    return copy.deepcopy(fitted).recalibrate(X[rows], names), X[rows], names


def test_p_values_compare_a_row_with_those_of_its_label(calibrated, iris):
    cvae, rows, names = calibrated
    X, y = iris
    X, given = X[y != 1] + 0.013, cvae.classes_[y[y != 1]]  # ties would hang on rounding
    p_values = cvae.p_values(X, given)
    for label, n in (("setosa", 30), ("virginica", 9)):
        known = cvae.score_samples(rows[names == label], label)
        scores = cvae.score_samples(X[given == label], label)
        naive = [(1 + sum(known <= score)) / (n + 1) for score in scores]
        np.testing.assert_allclose(p_values[given == label], naive)
    np.testing.assert_allclose(cvae.p_values(X[:1], "virginica"), 1 / 10)  # a setosa is none


def test_a_row_of_a_label_without_calibration_rows_has_no_p_value(calibrated, iris):
    message = r"CVAE: p_values needs calibration rows of every label in y; got none of \['versicolor'\]"
    with pytest.raises(ValueError, match=message):
        calibrated[0].p_values(iris[0][:3], ["setosa", "versicolor", "setosa"])


def test_without_labels_p_values_are_those_of_the_marginal_score(fitted, calibrated, iris):
    cvae, rows, _ = calibrated
    expected = conformal_p_values(cvae.score_samples(iris[0]), cvae.score_samples(rows))
    np.testing.assert_array_equal(cvae.p_values(iris[0]), expected)
    unlabeled = copy.deepcopy(cvae).recalibrate(rows)
    np.testing.assert_array_equal(unlabeled.p_values(iris[0]), expected)
    with pytest.raises(ValueError, match=r"got none of \['setosa'\]\. Call recalibrate\(X, y\)"):
        unlabeled.p_values(iris[0], "setosa")


def test_fit_calibrates_every_label(fitted, iris, tmp_path):
    X, y = iris
    _, _, calibrate = split_rows(fitted, len(X), np.random.RandomState(0))
    given = fitted.classes_[y[calibrate]]
    again = copy.deepcopy(fitted).recalibrate(X[calibrate], given)
    X, names = X + 0.013, fitted.classes_[y]  # ties would hang on rounding
    np.testing.assert_array_equal(fitted.p_values(X, names), again.p_values(X, names))
    vaetools.save(fitted, tmp_path / "m.safetensors")
    loaded = vaetools.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.p_values(X, names), fitted.p_values(X, names))


# Use of the label


def test_label_information_lies_between_none_and_all(fitted):
    assert 0.8 < fitted.label_information_ <= np.log(3) + 0.1  # the held-out frequencies are a little others


def test_a_label_that_rows_do_not_tell_is_reported(iris):
    X, _ = iris
    y = np.random.default_rng(0).integers(2, size=len(X))
    with pytest.warns(ConvergenceWarning, match=r"CVAE: the label is hardly used.*of the 0\.6\d nats"):
        cvae = CVAE(2, **OPTIONS | {"max_iter": 250}).fit(X, y)
    assert cvae.label_information_ < 0.1
    CVAE(2, **OPTIONS | {"max_iter": 9}).fit(X, y)  # too short to judge


@pytest.mark.parametrize("sureness", [1, 1000])
def test_label_information_by_hand(sureness):
    """Of two labels, a posterior that is right 3 times in 4 tells log 2 − H(1/4), however sure it is."""
    codes = np.array([0, 0, 0, 1])
    log_joint = np.log(0.5) + sureness * np.log([[0.75, 0.25]] * 4)
    expected = np.log(2) + 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert label_information(log_joint, codes, np.array([0.5, 0.5])) == pytest.approx(expected, abs=1e-6)


def test_rows_of_a_label_that_never_trained_tell_nothing():
    log_joint = np.array([[0.0, -np.inf, -5.0], [0.0, -np.inf, -5.0]])
    prior = np.array([0.5, 0, 0.5])
    both, one = (label_information(log_joint[:n], np.array([0, 1])[:n], prior) for n in (2, 1))
    assert both == one > 0.5
    assert label_information(log_joint, np.array([1, 1]), prior) == 0


def test_log_probabilities_of_labels_are_differences_of_scores(fitted, iris):
    X, y = iris
    log_proba = fitted.label_log_proba(X)
    np.testing.assert_allclose(np.exp(log_proba), fitted.label_proba(X), rtol=1e-12)
    np.testing.assert_allclose(fitted.label_proba(X).sum(axis=1), 1, rtol=1e-12)
    names = fitted.classes_[y]
    expected = fitted.score_samples(X, names) - fitted.score_samples(X) + np.log(fitted.class_prior_[y])
    given = log_proba[np.arange(len(X)), np.searchsorted(fitted.classes_, names)]
    np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-9)


def test_log_probabilities_of_labels_are_finite_and_need_no_default_score(iris):
    X, y = iris
    far = CVAE(2, **OPTIONS, likelihood=Gaussian(), anomaly_score="latent_knn").fit(X, y - 1)
    assert far.classes_.tolist() == [-1, 0, 1]
    tiny = far.label_proba(100 * X)
    log_tiny = far.label_log_proba(100 * X)
    assert (tiny == 0).any()
    assert np.isfinite(log_tiny).all()
    assert log_tiny[tiny == 0].max() < -700  # too small for a float

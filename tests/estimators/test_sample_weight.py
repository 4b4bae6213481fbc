"""Rows that count differently: what training sees of them, and what takes rows as they are."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import AE, CVAE, VAE, VQVAE, Gaussian, ModelFileError, load, save

QUICK = {"n_components": 2, "hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0}
WHOLE = QUICK | {"contamination": 0.1}  # holds nothing out


@pytest.fixture(scope="module")
def rows():
    """Two groups of 60 rows, with weights that are not all the same."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4)) @ rng.normal(size=(4, 4))
    X[60:] += 8
    return X, np.repeat([0, 1], 60), np.where(np.arange(120) % 3, 1.0, 2.5)


def assert_same(one, other, X):
    weights, others = one.model_.state_dict(), other.model_.state_dict()
    assert all(np.array_equal(weights[name], others[name]) for name in weights)
    np.testing.assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert one.offset_ == other.offset_


@pytest.mark.parametrize("model", [AE, VAE, CVAE, VQVAE])
@pytest.mark.parametrize("weight", [1, 0.3, 1e300])
def test_equal_weights_are_none_to_the_bit(model, weight, rows):
    X, y, _ = rows
    plain = model(**QUICK).fit(X, y)
    assert_same(model(**QUICK).fit(X, y, sample_weight=[weight] * 120), plain, X)


@pytest.mark.parametrize("model", [AE, VAE, CVAE, VQVAE])
def test_rows_of_weight_zero_train_nothing_to_the_bit(model, rows):
    X, y, _ = rows
    keeps = np.arange(120) % 4 > 0
    left_out = model(**WHOLE).fit(X[keeps], y[keeps])
    assert_same(model(**WHOLE).fit(X, y, sample_weight=7.0 * keeps), left_out, X)


def test_only_ratios_of_weights_matter(rows):
    X, _, weights = rows
    one, other = (VAE(**QUICK).fit(X, sample_weight=factor * weights) for factor in (1, 2.0**40))
    assert_same(one, other, X)


@pytest.mark.parametrize("likelihood", ["gaussian", Gaussian("per_feature"), Gaussian("predicted"), "mixed"])
def test_rows_that_count_more_are_known_better(likelihood, rows):
    X, y, _ = rows
    scores = [
        VAE(**WHOLE | {"max_iter": 150}, likelihood=likelihood)
        .fit(X, sample_weight=np.where(y == group, 1.0, 0.01))
        .score_samples(X)
        for group in (0, 1)
    ]
    for group in (0, 1):
        assert np.median((scores[group] - scores[1 - group])[y == group]) > 1


def test_weights_are_how_often_rows_count_in_what_is_learnt_of_columns_and_labels(rows):
    X, y, _ = rows
    weights = np.where(y == 0, 3, 1)
    repeated = X.repeat(weights, axis=0)
    cvae = CVAE(**WHOLE).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(cvae.class_prior_, [0.75, 0.25])
    np.testing.assert_allclose(cvae.input_scale_.shift, repeated.mean(axis=0))
    np.testing.assert_allclose(cvae.input_scale_.scale, repeated.std(axis=0))


@pytest.mark.parametrize("scale", ["global", "per_feature"])
def test_a_learnt_scale_is_that_of_weighted_errors(scale, rows):
    X, y, _ = rows
    weights = np.where(y == 0, 9.0, 1.0)
    ae = AE(**WHOLE | {"max_iter": 0}, likelihood=Gaussian(scale), standardize=False)
    ae.fit(X, sample_weight=weights)
    errors = np.average((X - ae.reconstruct(X)) ** 2, axis=0, weights=weights)
    expected = errors if scale == "per_feature" else errors.mean(keepdims=True)
    np.testing.assert_allclose(ae.model_.likelihood._log_scale.exp() ** 2, expected, rtol=1e-3)
    trained = AE(**WHOLE | {"max_iter": 1200}, likelihood=Gaussian(scale), standardize=False)
    trained.fit(X, sample_weight=weights)
    errors = np.average((X - trained.reconstruct(X)) ** 2, axis=0, weights=weights)
    expected = errors if scale == "per_feature" else errors.mean(keepdims=True)
    np.testing.assert_allclose(trained.model_.likelihood._log_scale.exp() ** 2, expected, rtol=0.1)


def test_early_stopping_watches_weighted_costs(rows):
    X, y, _ = rows
    losses = {}
    for group in (None, 0, 1):
        weights = None if group is None else np.where(y == group, 1.0, 1e-9)
        vae = AE(**QUICK | {"max_iter": 1}, early_stopping=True, validation_fraction=0.3, standardize=False)
        losses[group] = vae.fit(X, sample_weight=weights).history_["held_out_loss"].item()
    assert losses[1] > losses[None] > losses[0]  # far from 0, and near it


@pytest.mark.parametrize("likelihood", ["gaussian", Gaussian("per_feature")])
def test_batches_of_rows_that_count_next_to_nothing_train_next_to_nothing(likelihood, rows):
    X, _, _ = rows
    weights = np.where(np.arange(120) < 60, 1.0, 1e-60)  # 0 in float32
    vae = VAE(**WHOLE | {"max_iter": 3}, likelihood=likelihood, batch_size=2).fit(X, sample_weight=weights)
    assert vae.score(X[:60]) > vae.score(X[60:]) + 10


def test_calibration_takes_rows_as_they_are(rows):
    X, _, weights = rows
    plain, weighted = VAE(**QUICK).fit(X), VAE(**QUICK).fit(X, sample_weight=weights * (weights > 1))
    assert len(weighted.calibration_scores_) == len(plain.calibration_scores_) == 24


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(119), r"VAE: sample_weight must have one weight for each of 120 rows of X; got 119\."),
        (np.r_[-1.0, np.ones(119)], r"VAE: sample_weight must be finite and at least 0; got -1\."),
        (np.r_[np.nan, np.ones(119)], r"sample_weight must be finite and at least 0; got nan\."),
        (np.zeros(120), r"VAE: sample_weight must not be zero for all rows, of which none would train\."),
        (2.0, r"VAE: sample_weight must have one weight for each of 120 rows of X; got 2\.0 alone\."),
        (np.ones((120, 2)), "should be a 1d array"),
        (csr_array(np.ones((120, 1))), "passed for sample_weight"),
    ],
)
def test_weights_that_are_none_are_refused(weights, message, rows):
    with pytest.raises((TypeError, ValueError), match=message):
        VAE(**QUICK).fit(rows[0], sample_weight=weights)


def test_rows_that_are_watched_must_weigh_something(rows):
    weights = np.zeros(120)
    weights[5] = 1
    with pytest.raises(ValueError, match=r"must not be zero for all of the rows that are watched, "):
        VAE(**QUICK, early_stopping=True).fit(rows[0], sample_weight=weights)


def test_tables_of_several_kinds_weigh_cells(rows):
    X, y, weights = rows
    table = pd.DataFrame(X, columns=list("abcd")).assign(kind=np.array(["x", "y"])[y])
    table.loc[::5, "a"] = np.nan
    vae = VAE(**WHOLE, likelihood="mixed").fit(table, sample_weight=weights * y)
    assert vae.columns_.columns[-1].values == ["y"]  # what only rows of weight 0 have is not learnt
    assert np.isfinite(vae.score_samples(table[y == 1])).all()


def test_a_checkpoint_is_of_its_weights(rows, tmp_path):
    X, _, weights = rows
    path = tmp_path / "run.ckpt"
    once = VAE(**QUICK).fit(X, sample_weight=weights, checkpoint=path)
    assert_same(VAE(**QUICK).fit(X, sample_weight=weights, checkpoint=path), once, X)
    for other in (None, weights + 1):
        with pytest.raises(ModelFileError, match="belongs to another fit: sample_weight is"):
            VAE(**QUICK).fit(X, sample_weight=other, checkpoint=path)


def test_score_is_a_mean_of_bounds_as_weighted(rows):
    X, _, weights = rows
    vae = VAE(**QUICK).fit(X)
    bounds = vae.score_table(X, scores=["elbo"])["elbo"]
    assert vae.score(X, sample_weight=weights) == pytest.approx(np.average(bounds, weights=weights))
    assert vae.score(X, sample_weight=2 * np.ones(len(X))) == vae.score(X)
    with pytest.raises(ValueError, match="one weight for each of 2 rows"):
        vae.score(X[:2], sample_weight=[1.0])


def test_weights_go_through_pipelines_and_searches(rows):
    X, y, weights = rows
    pipe = make_pipeline(StandardScaler(), VAE(**QUICK)).fit(X, vae__sample_weight=weights)
    assert not np.array_equal(pipe.score_samples(X), pipe.fit(X).score_samples(X))
    with config_context(enable_metadata_routing=True):
        model = VAE(**QUICK, false_alarm_rate=0.1).set_fit_request(sample_weight=True)
        model = model.set_score_request(sample_weight=True)
        done = cross_validate(model, X, cv=2, params={"sample_weight": weights}, return_estimator=True)
        head = make_pipeline(model, LogisticRegression().set_fit_request(sample_weight=False))
        assert head.fit(X, y, sample_weight=weights).score(X, y) > 0.9
        routed = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        steps = cross_validate(routed, X, cv=2, params={"sample_weight": weights})
    assert np.isfinite(steps["test_score"]).all()
    half = np.arange(60, 120)
    expected = VAE(**QUICK, false_alarm_rate=0.1).fit(X[half], sample_weight=weights[half])
    assert_same(done["estimator"][0], expected, X)


# Going on


def in_two_calls(model, X, y, first=None, second=None):
    return model.partial_fit(X[::2], y[::2], first).partial_fit(X[1::2], y[1::2], second)


@pytest.mark.parametrize("model", [AE, VAE, CVAE, VQVAE])
def test_weights_that_are_equal_in_all_calls_are_none_to_the_bit(model, rows):
    X, y, _ = rows
    plain = in_two_calls(model(**WHOLE), X, y)
    assert_same(in_two_calls(model(**WHOLE), X, y, np.full(60, 4.0), np.full(60, 4.0)), plain, X)
    other = in_two_calls(model(**WHOLE), X, y, None, np.full(60, 4.0))
    assert not np.array_equal(other.score_samples(X), plain.score_samples(X))


def test_weights_count_beside_those_of_other_calls(rows):
    X, y, _ = rows
    first, second = X[y == 0], X[y == 1]
    shares = []
    for weight in (0.25, 4.0):
        cvae = CVAE(**WHOLE).partial_fit(X, y).partial_fit(second, np.ones(60, int), np.full(60, weight))
        shares.append(cvae.class_prior_[1])
        np.testing.assert_array_equal(cvae.kept_rows_["trained"]["weights"], [1.0] * 120 + [weight] * 60)
    np.testing.assert_allclose(shares, [75 / 135, 300 / 360])
    options = WHOLE | {"max_iter": 150}
    costs = [
        -VAE(**options).partial_fit(first).partial_fit(second, sample_weight=np.full(60, w)).score(second)
        for w in (0.01, 10.0)
    ]
    assert costs[1] < costs[0] - 0.5


def test_new_rows_of_weight_zero_do_not_count_in_frequencies_of_labels(rows):
    X, y, _ = rows
    second, weights = X[y == 1], np.repeat([1.0, 0.0], [20, 40])
    cvae = CVAE(**WHOLE | {"max_iter": 1}).partial_fit(X, y).partial_fit(second, np.ones(60, int), weights)
    np.testing.assert_allclose(cvae.class_prior_, [60 / 140, 80 / 140])


@pytest.mark.filterwarnings("ignore:.*keeps no rows")
def test_rows_of_a_fit_count_in_frequencies_of_labels_however_many_calls_follow(rows):
    X, y, _ = rows
    cvae = CVAE(**WHOLE | {"max_iter": 1}).fit(X, y)
    for _ in range(3):
        cvae.partial_fit(X[y == 1][:20], np.ones(20, int))
    np.testing.assert_allclose(cvae.class_prior_, [60 / 180, 120 / 180])


@pytest.mark.filterwarnings("ignore:.*keeps no rows")
def test_after_a_fit_which_keeps_no_weights_rows_count_in_frequencies_of_labels_by_their_number(rows):
    X, y, _ = rows
    cvae = CVAE(**WHOLE | {"max_iter": 1}).fit(X, y, sample_weight=np.linspace(9.9, 10.1, 120))
    frequencies = cvae.class_prior_
    cvae.partial_fit(X[y == 1], np.ones(60, int), np.full(60, 10.0))
    np.testing.assert_allclose(cvae.class_prior_, (2 * frequencies + [0, 1]) / 3)


def test_rows_of_weight_zero_are_not_kept_to_train(rows, tmp_path):
    X, _, weights = rows
    weights = weights * (np.arange(120) % 4 > 0)
    model = VAE(**QUICK, false_alarm_rate=0.1).partial_fit(X[:60], sample_weight=weights[:60])
    save(model, tmp_path / "half.safetensors")
    loaded = load(tmp_path / "half.safetensors")
    for each in (model, loaded):
        each.partial_fit(X[60:], sample_weight=weights[60:])
        trained, calibrating = (each.kept_rows_[job] for job in ("trained", "calibrating"))
        row_weights = dict(zip(map(tuple, X), weights, strict=True))
        expected = [row_weights[tuple(row)] for row in trained["rows"]]
        np.testing.assert_array_equal(trained["weights"], expected)
        assert min(expected) > 0
        assert len(calibrating["rows"]) == 24
    assert_same(loaded, model, X)


@pytest.mark.filterwarnings("ignore:.*keeps no rows")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_row_that_is_drawn_to_train_must_weigh_something(rows):
    X = rows[0]
    fitted = VAE(**QUICK | {"max_iter": 1}, calibration_fraction=0.9).fit(X)
    [drawn] = copy.deepcopy(fitted).partial_fit(X[:2]).kept_rows_["trained"]["rows"]
    weights = (X[:2] != drawn).any(axis=1)
    with pytest.raises(
        ValueError, match="VAE: sample_weight must not be zero for all of the rows that train"
    ):
        fitted.partial_fit(X[:2], sample_weight=weights)

"""The contracts of every estimator: shapes, scale, direction, determinism, rows with one job."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from vaetools import AE, CVAE, VAE, VQVAE, Bernoulli, EncoderDecoder, Gaussian
from vaetools.anomaly import bounds
from vaetools.anomaly.calibration import conformal_p_values
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.jobs import split_rows

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 20, "random_state": 0}
TRAINED = SMALL | {"max_iter": 200, "learning_rate_init": 1e-2}
WORDS = {"n_words": 16, "word_size": 2}
MODELS = [AE(2, **TRAINED), VAE(2, **TRAINED), CVAE(2, **TRAINED), VQVAE(2, **WORDS, **TRAINED)]
IDS = ["AE", "VAE", "CVAE", "VQVAE"]


def labels_for(X):
    """Three labels that the first column tells."""
    return 3 * np.argsort(np.argsort(X[:, 0])) // len(X)


@pytest.fixture(params=MODELS, ids=IDS, scope="module")
def model(request, correlated):
    return clone(request.param).fit(correlated, labels_for(correlated))


# Shapes, types, units


def test_shapes_and_types(model, correlated):
    X = correlated[:7]
    assert model.transform(X).shape == (7, 2)
    assert model.reconstruct(X).shape == X.shape
    assert model.inverse_transform(np.zeros((3, 2))).shape == (3, 6)
    assert model.score_samples(X).dtype == np.float64
    assert model.score_samples(X.astype(np.float32)).dtype == np.float64
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    assert model.transform(X).dtype == np.float64
    assert list(model.get_feature_names_out()) == [f"{type(model).__name__.lower()}{i}" for i in range(2)]
    assert model.sample(4, random_state=0).shape == (4, 6)


def test_reconstruct_is_decoded_code(model, correlated):
    if isinstance(model, CVAE):
        y = labels_for(correlated)
        z = model.posterior(correlated, y).mean
        np.testing.assert_allclose(model.inverse_transform(z, y), model.reconstruct(correlated, y))
    else:
        z = model.transform(correlated)
        np.testing.assert_allclose(model.inverse_transform(z), model.reconstruct(correlated))


def test_reconstructions_are_in_units_of_X(correlated):
    ae = AE(5, hidden_layer_sizes=(64,), random_state=0, max_iter=400).fit(correlated)
    error = (ae.reconstruct(correlated) - correlated).std(axis=0) / correlated.std(axis=0)
    assert (error < 0.35).all()  # a constant reconstruction makes 1


def test_8_bit_images_are_divided_by_255_and_come_back_in_the_unit_interval(digits):
    X, _ = digits
    bytes_ = np.round(255 * X).astype(np.uint8)
    vae = VAE(4, image_shape=(1, 8, 8), hidden_channels=(), max_iter=3, random_state=0).fit(bytes_)
    assert vae.input_scale_.kind == "pixels"
    made = vae.reconstruct(bytes_)
    assert made.min() >= 0
    assert made.max() <= 1
    np.testing.assert_allclose(vae.score_samples(bytes_), vae.score_samples(bytes_ / 255.0))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "standardize"),
        ({"standardize": False}, "identity"),
        ({"image_shape": (1, 8, 8), "hidden_channels": ()}, "unit"),
        ({"likelihood": "bernoulli"}, "unit"),
        ({"likelihood": Bernoulli(), "standardize": False}, "unit"),
        ({"image_shape": (1, 8, 8), "hidden_channels": (), "standardize": True}, "standardize"),
        ({"image_shape": (1, 8, 8), "hidden_channels": (), "standardize": False}, "unit"),
        ({"max_iter": 0}, "identity"),
        ({"max_iter": 0, "standardize": True}, "standardize"),
    ],
)
def test_scaling_is_decided_by_the_data_and_the_likelihood(digits, options, kind):
    vae = VAE(**({"max_iter": 1, "contamination": 0.1} | options)).fit(digits[0][:100])
    assert vae.input_scale_.kind == kind


def test_images_outside_the_unit_interval_are_standardized(digits):
    vae = VAE(image_shape=(1, 8, 8), max_iter=1, contamination=0.1).fit(16 * digits[0][:100])
    assert vae.input_scale_.kind == "standardize"


def test_standardization_keeps_digits_of_a_large_offset():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    near, far = (AE(2, random_state=0, max_iter=5).fit(X + offset) for offset in (0, 1e9))
    # X + 1e9 keeps about 7 digits of X in float64, so scaled rows agree to 1e-6
    np.testing.assert_allclose(near.transform(X), far.transform(X + 1e9), atol=1e-4)


def test_density_includes_the_jacobian_of_the_scaling(correlated):
    factor = np.array([2.0, 0.5, 10.0, 1.0, 3.0, 0.1])
    one = VAE(2, **SMALL).fit(correlated)
    other = VAE(2, **SMALL).fit(correlated * factor)
    expected = one.score_samples(correlated) - np.log(factor).sum()
    np.testing.assert_allclose(other.score_samples(correlated * factor), expected, rtol=1e-3)


# Scores


def test_decision_is_score_minus_offset_and_predict_its_sign(model, correlated):
    X = np.vstack([correlated, correlated * 3])
    decision = model.decision_function(X)
    np.testing.assert_array_equal(decision, model.score_samples(X) - model.offset_)
    np.testing.assert_array_equal(model.predict(X), np.where(decision >= 0, 1, -1))
    assert set(model.predict(X)) == {-1, 1}


def test_nan_score_is_an_outlier(model, correlated, monkeypatch):
    monkeypatch.setattr(bounds, model.anomaly_score, lambda reading, states: reading.x[:, 0] * np.nan)
    np.testing.assert_array_equal(model.predict(correlated[:3]), [-1, -1, -1])
    assert (model.p_values(correlated[:3]) < 0.03).all()


def test_reconstruction_and_kl_add_up(model, correlated):
    table = model.score_table(correlated)
    if not isinstance(model, AE):
        total = table["neg_reconstruction"] + table["neg_kl"]
        np.testing.assert_allclose(table["reconstruction_kl"], total, rtol=1e-12)
        assert (table["neg_kl"] < 0).all()
    if "log_likelihood" in table:
        assert (table["log_likelihood"] >= table["elbo"] - 4 * table["elbo_error"]).all()
    np.testing.assert_allclose(table["reconstruction_kl"], model.score_samples(correlated))
    assert model.score(correlated) == pytest.approx(table["elbo"].mean())


def test_score_table_has_every_score_that_has_its_state_and_the_index_of_X(correlated):
    X = pd.DataFrame(correlated, index=np.arange(len(correlated)) + 1000)
    stateless = {name for name, score in SCORES.items() if not score.learns}
    table = VAE(2, **SMALL, anomaly_score="latent_knn").fit(X).score_table(X)
    assert set(table.columns) == {*stateless, "elbo_error", "latent_knn"}
    assert list(table.index) == list(X.index)
    without_spread = {name for name in stateless if not SCORES[name].needs_posterior}
    assert set(VQVAE(2, **WORDS, **SMALL).fit(X).score_table(X)) == {*without_spread, "elbo_error"}
    without_prior = {name for name in without_spread if not SCORES[name].needs_prior}
    assert set(AE(2, **SMALL).fit(X).score_table(X)) == {*without_prior, "elbo_error"}


def test_scores_are_a_list_of_names_which_may_be_empty(model, correlated):
    with pytest.raises(ValueError, match=r"scores must be a list of names, such as \['elbo'\]; got 'elbo'"):
        model.score_table(correlated, scores="elbo")
    assert model.score_table(correlated, scores=[]).shape == (len(correlated), 0)


IMAGES = SMALL | {"image_shape": (1, 3, 2), "hidden_channels": ()}


OF_ANY_IMAGES = [name for name, score in SCORES.items() if not score.needs_added]


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
@pytest.mark.parametrize("name", OF_ANY_IMAGES)
def test_every_score_can_be_chosen_and_stands_in_the_table_with_its_parts(name, correlated):
    vae = VAE(2, **IMAGES, anomaly_score=name).fit(correlated)
    table = vae.score_table(correlated)
    np.testing.assert_allclose(vae.score_samples(correlated), table[name])
    assert {name, *SCORES[name].parts} <= set(table.columns)
    assert set(vae.score_state_) <= set(table.columns)


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
@pytest.mark.parametrize("estimator", [clone(model).set_params(**IMAGES) for model in MODELS], ids=IDS)
@pytest.mark.parametrize("name", [name for name in OF_ANY_IMAGES if SCORES[name].learns])
def test_a_state_is_capped_and_scores_of_extreme_rows_are_finite(estimator, name, correlated, monkeypatch):
    monkeypatch.setattr("vaetools.estimators.description.N_REFERENCE", 50)
    if SCORES[name].needs_posterior and not isinstance(estimator, VAE):
        return
    fitted = clone(estimator).set_params(anomaly_score=name).fit(correlated, labels_for(correlated))
    lengths = [len(value) for state in fitted.score_state_.values() for value in state.values() if value.ndim]
    assert max(lengths) <= 50
    center, spread = correlated.mean(axis=0), correlated.std(axis=0)
    far = center + spread * np.array([[1e6], [-1e6], [0.0], [1e3]])
    lonely = center + 1e6 * np.diag(spread)
    scores = fitted.score_samples(np.concatenate([correlated, far, lonely]))
    assert np.isfinite(scores).all()
    if name != "structure":  # of which a model that reconstructs nothing expects nothing
        assert (scores[len(correlated) : len(correlated) + 2] < np.median(scores[: len(correlated)])).all()


@pytest.mark.parametrize("estimator", [AE, VAE, CVAE, VQVAE])
def test_the_score_for_images_needs_them(estimator, correlated):
    with pytest.raises(ValueError, match=r"anomaly_score='images' needs image_shape.*got image_shape=None"):
        estimator(anomaly_score="images").fit(correlated, labels_for(correlated))


def test_planted_outliers_score_lower(model, correlated):
    rng = np.random.default_rng(1)
    # each column alone looks normal, together they do not
    shuffled = np.column_stack([rng.permutation(column) for column in correlated.T])
    X = np.vstack([correlated, shuffled])
    is_normal = np.repeat([1, 0], len(correlated))
    assert roc_auc_score(is_normal, model.score_samples(X)) > 0.7


def test_beta_and_random_state_enter_no_score(model, correlated):
    before = model.score_samples(correlated)
    changed = {"random_state": 99} | ({"beta": 7.0} if isinstance(model, VAE) else {})
    other = copy.deepcopy(model).set_params(**changed)
    np.testing.assert_array_equal(other.score_samples(correlated), before)


# Determinism


def test_order_and_company_of_rows_change_nothing(model, correlated):
    X = correlated
    order = np.random.default_rng(0).permutation(len(X))
    for function in (model.score_samples, model.transform, model.reconstruct):
        whole = function(X)
        np.testing.assert_allclose(function(X[order]), whole[order], rtol=1e-9, atol=1e-9)
        one_by_one = np.concatenate([function(X[[i]]) for i in range(10)])
        np.testing.assert_allclose(one_by_one, whole[:10], rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(function(X), whole)


@pytest.mark.parametrize("estimator", MODELS, ids=IDS)
def test_random_state_decides_and_global_generators_stay(estimator, correlated):
    y = labels_for(correlated)
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (clone(estimator).fit(correlated, y) for _ in range(2))
    assert torch.equal(states[0], torch.get_rng_state())
    np.testing.assert_array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(one.score_samples(correlated), two.score_samples(correlated))
    other = clone(estimator).set_params(random_state=1).fit(correlated, y)
    assert not np.allclose(one.score_samples(correlated), other.score_samples(correlated))


def test_random_state_instance_is_used(correlated):
    one, two = (VAE(2, **SMALL | {"random_state": np.random.RandomState(3)}).fit(correlated) for _ in "ab")
    np.testing.assert_array_equal(one.transform(correlated), two.transform(correlated))


@pytest.mark.parametrize(
    ("name", "tolerance"),
    # local variances are small differences of squares
    [("reconstruction_kl", 1e-4), ("aggregate", 1e-4), ("tables", 1e-4), ("images", 0.05)],
)
def test_float32_scoring_is_close(correlated, name, tolerance):
    exact = VAE(2, **IMAGES, anomaly_score=name).fit(correlated)
    fast = VAE(2, **IMAGES, anomaly_score=name, score_precision="float32").fit(correlated)
    assert next(fast.model_.parameters()).dtype == torch.float32
    np.testing.assert_allclose(
        fast.score_samples(correlated), exact.score_samples(correlated), rtol=tolerance, atol=tolerance
    )


def test_input_is_never_changed(correlated):
    X = correlated.copy()
    X.flags.writeable = False
    VAE(2, **SMALL).fit(X).score_samples(X)
    np.testing.assert_array_equal(X, correlated)


def test_memory_map_stays_on_disk(tmp_path, digits, monkeypatch):
    np.save(tmp_path / "X.npy", np.round(255 * digits[0]).astype(np.uint8))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    largest = 0
    from vaetools.nn.batches import InputScale

    apply = InputScale.apply

    def watched(self, rows, **options):
        nonlocal largest
        largest = max(largest, len(rows))
        assert rows.dtype == np.uint8
        return apply(self, rows, **options)

    monkeypatch.setattr(InputScale, "apply", watched)
    monkeypatch.setattr("vaetools.nn.batches._CHUNK_VALUES", 64 * 100)
    monkeypatch.setattr("vaetools.nn.batches._MOVED_BYTES", 0)  # few rows would be scaled once, into memory
    vae = VAE(4, max_iter=1, random_state=0).fit(X)
    vae.score_samples(X)
    assert largest == 128  # a batch


def test_a_threshold_at_minus_infinity_flags_nothing(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    far = correlated.copy()
    far[::3] *= 1e200  # too far for floats: they score -inf
    with pytest.warns(UserWarning, match="no row at all will be flagged"):
        vae.recalibrate(far)
    assert vae.offset_ == -np.inf
    assert (vae.predict(far) == 1).all()
    assert (vae.p_values(far) > 0.05).all()
    assert vae.decision_function(far)[:4].tolist() == [0, np.inf, np.inf, 0]


# Rows have one job


def test_auto_holds_out_a_calibration_part_that_trains_nothing(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    n = int(0.2 * len(correlated))
    assert len(vae.calibration_scores_) == n
    k = int(0.05 * (n + 1))
    assert vae.offset_ == pytest.approx(np.sort(vae.calibration_scores_)[k - 1], rel=1e-8)
    # spoiling the calibration rows must leave weights and scaling as they were
    _, _, calibrate = split_rows(vae, len(correlated), np.random.RandomState(0))
    spoilt = correlated.copy()
    spoilt[calibrate] *= 50
    other = VAE(2, **SMALL).fit(spoilt)
    np.testing.assert_array_equal(other.transform(correlated), vae.transform(correlated))
    assert other.offset_ < vae.offset_


def test_parts_are_disjoint_and_complete():
    vae = VAE(early_stopping=True, validation_fraction=0.25, calibration_fraction=0.3)
    split = split_rows(vae, 1000, np.random.RandomState(0))
    assert [len(part) for part in split] == [525, 175, 300]
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(1000))


def test_p_values_agree_with_verdicts_and_the_formula(model, correlated):
    X = np.vstack([correlated, correlated * 1.5])
    p = model.p_values(X)
    np.testing.assert_array_equal(p, conformal_p_values(model.score_samples(X), model.calibration_scores_))
    np.testing.assert_array_equal(p <= 0.05, model.predict(X) == -1)


def test_false_alarms_come_at_the_stated_rate():
    rng = np.random.default_rng(0)
    rates = []
    for seed in range(30):
        X = rng.normal(size=(300, 3))
        vae = VAE(1, hidden_layer_sizes=(8,), max_iter=3, random_state=seed, false_alarm_rate=0.1).fit(X)
        rates.append((vae.predict(rng.normal(size=(2000, 3))) == -1).mean())
    # the mean over splits is 6/61; its standard error is about 0.04 / √30
    assert np.mean(rates) == pytest.approx(6 / 61, abs=0.022)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_a_number_as_contamination_flags_that_share_of_the_training_rows(model, correlated, share):
    fitted = clone(model).set_params(contamination=share).fit(correlated, labels_for(correlated))
    assert (fitted.predict(correlated) == -1).sum() == share * len(correlated)
    assert not hasattr(fitted, "calibration_scores_")
    with pytest.raises(ValueError, match=rf"contamination={share} holds none out\. Call recalibrate\(X\)"):
        fitted.p_values(correlated)


def test_copies_of_rows_get_one_verdict_whatever_comes_with_them():
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 2, (12, 64)).astype(float)
    X, new = kinds[rng.integers(0, 12, 300)], kinds[rng.integers(0, 12, 40)]
    for score in ("latent_knn", "images", "tables"):
        vae = VAE(
            2, anomaly_score=score, image_shape=(1, 8, 8), hidden_channels=(), **SMALL | {"max_iter": 3}
        ).fit(X)
        alone = np.concatenate([vae.p_values(new[[i]]) for i in range(40)])
        np.testing.assert_array_equal(alone, vae.p_values(new))


def test_recalibrate_sets_threshold_and_p_values_without_training(correlated):
    vae = VAE(2, **SMALL, contamination=0.1).fit(correlated)
    before, scores = vae.transform(correlated), np.sort(vae.score_samples(correlated[:59]))
    assert vae.recalibrate(correlated[:59]) is vae
    assert vae.offset_ == pytest.approx(scores[2], rel=1e-8)  # ⌊0.05 · 60⌋ = 3
    np.testing.assert_array_equal(vae.calibration_scores_, scores)
    np.testing.assert_array_equal(vae.transform(correlated), before)
    assert vae.p_values(correlated).min() == 1 / 60


def test_early_stopping_watches_rows_that_do_not_train(correlated):
    vae = VAE(
        2, early_stopping=True, learning_rate="constant", max_iter=400, random_state=0, n_iter_no_change=3
    )
    vae.fit(correlated)
    assert vae.n_iter_ == len(vae.history_) < 400
    assert vae.history_["held_out_loss"].idxmin() == vae.n_iter_ - 4


# After fit


def test_what_fit_tells(model, correlated):
    assert len(model.history_) == model.n_iter_ == 200
    assert {"epoch", "loss", "reconstruction", "kl", "beta", "learning_rate"} <= set(model.history_)
    assert model.history_["loss"].iloc[-1] < model.history_["loss"].iloc[0]
    assert list(model.mean_terms_.index) == ["train", "held_out"]
    assert model.active_units_.shape == (2,)
    assert model.kl_per_component_.shape == (2,)
    assert model.kl_per_component_.sum() == pytest.approx(model.mean_terms_.loc["train", "kl"])
    if isinstance(model, AE):
        assert (model.kl_per_component_ == 0).all()


@pytest.mark.parametrize("estimator", [clone(model).set_params(**SMALL) for model in MODELS], ids=IDS)
def test_codes_of_some_training_rows_are_kept(estimator, correlated, monkeypatch):
    monkeypatch.setattr("vaetools.estimators.description.N_REFERENCE", 50)
    fitted = clone(estimator).fit(correlated, labels_for(correlated))
    kept, codes = fitted.reference_codes_, fitted.transform(correlated).astype(np.float32)
    assert (kept.shape, kept.dtype) == ((50, 2), np.float32)
    distances = np.abs(kept[:, None] - codes).max(axis=2)
    np.testing.assert_allclose(distances.min(axis=1), 0, atol=1e-6)
    if not isinstance(fitted, VQVAE):  # of which many rows have the same words
        assert len(set(distances.argmin(axis=1))) == 50


def test_a_score_says_its_unit(correlated):
    vae = VAE(2, **SMALL, anomaly_score="latent_knn").fit(correlated)
    assert vae.score_unit_ == "std"
    assert VAE(2, **SMALL).fit(correlated).score_unit_ == "nats"


def test_held_out_terms_are_those_of_the_calibration_rows(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    assert -vae.mean_terms_.loc["held_out"].sum() == pytest.approx(vae.calibration_scores_.mean())


def test_ae_samples_the_rectangle_of_its_codes(correlated):
    ae = AE(2, **SMALL).fit(correlated)
    codes = ae.transform(correlated)
    low, high = ae.code_range_
    assert (low >= codes.min(axis=0)).all()
    assert (high <= codes.max(axis=0)).all()
    rng = np.random.RandomState(5)
    expected = ae.inverse_transform(rng.uniform(low, high, size=(3, 2)))
    np.testing.assert_array_equal(ae.sample(3, random_state=5), expected)


def test_vae_samples_its_prior(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    z = np.random.RandomState(5).standard_normal((3, 2))
    np.testing.assert_array_equal(vae.sample(3, random_state=5), vae.inverse_transform(z))


def test_posterior_gives_means_and_standard_deviations(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    mean, std = vae.posterior(correlated)
    np.testing.assert_array_equal(mean, vae.transform(correlated))
    assert (std > 0).all()
    kl = 0.5 * (mean**2 + std**2 - 1) - np.log(std)
    np.testing.assert_allclose(-kl.sum(axis=1), vae.score_table(correlated)["neg_kl"], rtol=1e-9)


def test_many_draws_bring_the_likelihood_above_the_bound(correlated):
    vae = VAE(2, **TRAINED).fit(correlated)
    table = vae.score_table(correlated)
    many = vae.log_likelihood(correlated, n_samples=1000)
    assert (many > table["elbo"] - 4 * table["elbo_error"]).all()
    assert many.mean() > table["elbo"].mean() + 0.05
    np.testing.assert_allclose(vae.log_likelihood(correlated, n_samples=128), table["log_likelihood"])


def test_callbacks_see_every_epoch(correlated):
    seen = []
    vae = VAE(2, **SMALL | {"max_iter": 3})
    vae.fit(
        correlated, callbacks=[lambda record, model: seen.append((record["epoch"], type(model).__name__))]
    )
    assert seen == [(1, "Autoencoder"), (2, "Autoencoder"), (3, "Autoencoder")]


def test_verbose_shows_a_bar(correlated, capsys):
    VAE(2, **SMALL | {"max_iter": 2}, verbose=1).fit(correlated)
    assert "VAE: 100%" in capsys.readouterr().err


def test_collapse_is_reported_with_the_remedy(correlated):
    from sklearn.exceptions import ConvergenceWarning

    vae = VAE(2, hidden_layer_sizes=(16,), beta=1e4, max_iter=150, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"0 of 2 latent dimensions.*smaller beta"):
        vae.fit(correlated)
    assert not vae.active_units_.any()


@pytest.mark.filterwarnings("ignore:.*latent dimensions are active")
def test_active_units_vary_and_tell_a_tenth_of_a_nat():
    rng = np.random.default_rng(0)
    axes = np.diag([3, 1, 0.25]) @ rng.normal(size=(3, 6))
    X = rng.normal(size=(300, 3)) @ axes + 0.6 * rng.normal(size=(300, 6))
    options = {"hidden_layer_sizes": (16,), "max_iter": 60, "early_stopping": False, "random_state": 0}
    vae, ae = (cls(6, **options).fit(X) for cls in (VAE, AE))
    varies, tells = vae.reference_codes_.var(axis=0) > 0.01, vae.kl_per_component_ > 0.1
    assert 0 < (varies & tells).sum() < varies.sum()  # some are but noise that the decoder ignores
    np.testing.assert_array_equal(vae.active_units_, varies & tells)
    np.testing.assert_array_equal(ae.active_units_, ae.reference_codes_.var(axis=0) > 0.01)


@pytest.mark.parametrize(
    ("options", "rate", "n_epochs"),
    [
        ({}, 4e-3, 140),
        ({"image_shape": (1, 1, 2), "hidden_channels": ()}, 4e-3, 140),
        ({"image_shape": (1, 1, 2), "hidden_channels": (1,)}, 2e-3, 150),
        ({"learning_rate": "constant"}, 2e-3, 200),
        ({"network": EncoderDecoder(torch.nn.Linear(2, 1), torch.nn.Linear(1, 2))}, 2e-3, 150),
        ({"learning_rate_init": 3e-3}, 3e-3, 200),
    ],
)
def test_how_fast_and_how_long_auto_trains(options, rate, n_epochs):
    """1,280 rows are ten steps."""
    X = np.random.default_rng(0).normal(size=(1280, 2))
    sizes = {} if "network" in options else {"n_components": 1, "hidden_layer_sizes": (2,)}
    ae = AE(**sizes, **options, contamination=0.1, random_state=0).fit(X)
    assert ae.n_iter_ == ae.max_iter_ == n_epochs
    assert ae.history_["learning_rate"].max() == pytest.approx(rate, rel=0.01)  # at the start of an epoch


# Any number of rows, any column


@pytest.mark.parametrize("estimator", MODELS, ids=IDS)
@pytest.mark.parametrize("n_rows", [1, 2, 129])
def test_any_number_of_rows(estimator, n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 4))
    fitted = clone(estimator).set_params(contamination=0.5, max_iter=3).fit(X, ["a"] * n_rows)
    assert np.isfinite(fitted.score_samples(X)).all()
    assert fitted.transform(X[:1]).shape == (1, 2)


@pytest.mark.parametrize("estimator", MODELS, ids=IDS)
def test_constant_columns_do_not_hurt(estimator, correlated):
    X = np.column_stack([correlated, np.full(len(correlated), 7.0)])
    fitted = clone(estimator).fit(X, labels_for(X))
    scores = fitted.score_samples(X)
    assert np.isfinite(scores).all()
    changed = X.copy()
    changed[:, -1] = 12
    assert (fitted.score_samples(changed) < scores).all()


@pytest.mark.parametrize("scale", ["global", "per_feature", "predicted"])
def test_constant_data_leave_a_usable_model(scale):
    X = np.ones((100, 3))
    vae = VAE(1, hidden_layer_sizes=(8,), likelihood=Gaussian(scale), max_iter=30, random_state=0).fit(X)
    assert np.isfinite(vae.score_samples(X)).all()
    assert (vae.score_samples(X + 1) < vae.score_samples(X)).all()
    np.testing.assert_array_equal(vae.predict(X), np.ones(100))


def test_extreme_values_get_extreme_verdicts_not_errors(correlated):
    vae = VAE(2, **SMALL).fit(correlated)
    X = correlated[:2].copy()
    X[0] = 1e200
    assert vae.predict(X)[0] == -1


def test_a_constant_column_of_large_numbers_is_at_zero(correlated):
    X = np.column_stack([correlated, np.full(len(correlated), 1_700_000_000_123_456_789.0)])
    vae = VAE(max_iter=2, random_state=0).fit(X)
    assert vae.input_scale_.shift[-1] == X[0, -1]
    assert np.isfinite(vae.score_samples(X)).all()
    assert np.abs(vae.reconstruct(X)[:, -1] - X[:, -1]).max() <= 256  # one step of float64 there


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_the_precision_of_scores_can_be_changed_after_fit(model, correlated):
    fitted = clone(model).set_params(max_iter=3).fit(correlated, labels_for(correlated))
    exact = fitted.score_samples(correlated)
    assert fitted.set_params(score_precision="float32") is fitted
    assert next(fitted.model_.parameters()).dtype == torch.float32
    quick = fitted.score_samples(correlated)
    assert not np.array_equal(quick, exact)
    np.testing.assert_allclose(quick, exact, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(
        fitted.set_params(score_precision="float64").score_samples(correlated), exact
    )
    with pytest.raises(ValueError, match=r"score_precision must be .*; got 'float16'"):
        fitted.set_params(score_precision="float16")

"""Going on with new rows, and from weights of before: what is kept, what trains, what calibrates."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from vaetools import AE, CVAE, VAE, VQVAE, load, save
from vaetools.estimators import continuing
from vaetools.estimators.building import resolve_training
from vaetools.estimators.judges import fit_scale_to_watched
from vaetools.estimators.kept_rows import joined, kept_of, sampled, some, weights_beside
from vaetools.nn.batches import InputScale
from vaetools.nn.schedule import TrainingSettings, falling_from, one_cycle

QUICK = {"n_components": 2, "hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}
ESTIMATORS = [AE, VAE, CVAE, VQVAE]


@pytest.fixture(scope="module")
def rows():
    """Rows of two kinds, which take turns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5)) @ rng.normal(size=(5, 5))
    X[::2] += 3
    return X, np.arange(600) % 2


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def in_chunks(model, X, y, n_chunks):
    for part in np.array_split(np.arange(len(X)), n_chunks):
        model.partial_fit(X[part[0] : part[-1] + 1], y[part])
    return model


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_first_call_is_a_fit_that_keeps_rows(estimator, rows):
    X, y = rows
    fitted, begun = estimator(**QUICK).fit(X, y), estimator(**QUICK).partial_fit(X, y)
    np.testing.assert_array_equal(begun.score_samples(X), fitted.score_samples(X))
    assert begun.offset_ == fitted.offset_
    assert not hasattr(fitted, "kept_rows_")
    trained, calibrating = (begun.kept_rows_[name]["rows"] for name in ("trained", "calibrating"))
    assert sorted(map(tuple, np.vstack([trained, calibrating]))) == sorted(map(tuple, X))
    np.testing.assert_allclose(np.sort(begun.score_samples(calibrating)), begun.calibration_scores_)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_new_rows_go_on(estimator, rows):
    X, y = rows
    model = estimator(**QUICK).partial_fit(X[:300], y[:300])
    before, scale = model.score(X), model.input_scale_
    in_chunks(model.set_params(max_iter=40), X[300:], y[300:], 3)
    assert model.score(X) > before
    assert model.input_scale_ is scale
    assert model.n_samples_ == 600
    n_kept = [len(model.kept_rows_[name]["rows"]) for name in ("trained", "calibrating")]
    assert n_kept == [480, 120]
    assert len(model.calibration_scores_) == 120
    again = estimator(**QUICK).partial_fit(X[:300], y[:300]).set_params(max_iter=40)
    np.testing.assert_array_equal(
        in_chunks(again, X[300:], y[300:], 3).score_samples(X), model.score_samples(X)
    )


def test_what_trained_once_never_calibrates(rows):
    X, y = rows
    model = in_chunks(VAE(**QUICK), X, y, 6)
    trained, calibrating = (set(map(tuple, model.kept_rows_[name]["rows"])) for name in model.kept_rows_)
    assert not trained & calibrating
    assert trained | calibrating == set(map(tuple, X))


WATCHED = QUICK | {"image_shape": (1, 8, 8), "hidden_channels": (), "max_iter": 30}


def test_rows_that_watch_images_go_on_to_and_give_the_scale(digits, tmp_path):
    X, y = digits[0][:900], digits[1][:900]
    model = in_chunks(VAE(**WATCHED), X, y, 3)
    jobs = {job: set(map(tuple, kept["rows"])) for job, kept in model.kept_rows_.items()}
    assert {job: len(rows) for job, rows in jobs.items()} == {
        "trained": 648,
        "calibrating": 180,
        "watching": 72,
    }
    assert set.union(*jobs.values()) == set(map(tuple, X))
    scale = model.model_.likelihood.raw_log_scale.clone()
    fit_scale_to_watched(model, model._rows_of(model.kept_rows_["watching"]))
    np.testing.assert_allclose(model.model_.likelihood.raw_log_scale, scale)
    assert "held_out_loss" in model.history_
    save(model, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    one, other = (each.partial_fit(digits[0][900:]) for each in (model, again))
    np.testing.assert_array_equal(other.score_samples(X), one.score_samples(X))


def test_rows_that_gave_no_scale_train_once_others_come(digits):
    options = WATCHED | {"likelihood": "bernoulli"}
    model = in_chunks(VAE(**options), digits[0][:600], digits[1][:600], 2)
    assert {job: len(kept["rows"]) for job, kept in model.kept_rows_.items()} == {
        "trained": 480,
        "calibrating": 120,
    }


def test_a_fit_that_follows_forgets_rows_and_weights(rows):
    X, y = rows
    model = in_chunks(VAE(**QUICK), X, y, 2)
    np.testing.assert_array_equal(model.fit(X).score_samples(X), VAE(**QUICK).fit(X).score_samples(X))
    assert not hasattr(model, "kept_rows_")


def test_new_normal_rows_are_flagged_as_often_as_is_said():
    rng = np.random.default_rng(0)
    rates = []
    for seed in range(30):
        model = VAE(**QUICK | {"max_iter": 2, "random_state": seed})
        in_chunks(model, rng.normal(size=(300, 3)), np.zeros(300), 3)
        rates.append((model.predict(rng.normal(size=(500, 3))) == -1).mean())
    assert np.mean(rates) == pytest.approx(3 / 61, abs=3 * np.std(rates) / 30**0.5)


@pytest.mark.filterwarnings("ignore:.*learnt by heart")
def test_a_class_that_is_not_seen_again_is_not_forgotten(digits):
    X, y = digits
    first, later = np.isin(y, [0, 1, 2]), np.isin(y, [3, 4, 5, 6, 7])
    model = VAE(8, max_iter=60, random_state=0).partial_fit(X[first][:400])
    normal, odd = X[first][400:], X[y == 9]
    labels = np.r_[np.ones(len(normal)), np.zeros(len(odd))]

    def auc(model):
        return roc_auc_score(labels, model.score_samples(np.vstack([normal, odd])))

    before, forgetful = auc(model), copy.deepcopy(model)
    in_chunks(model, X[later], y[later], 4)
    del forgetful.kept_rows_
    with pytest.warns(UserWarning, match=r"VAE: fit keeps no rows, so that what new ones do not show may be"):
        forgetful.partial_fit(X[later])
    assert auc(model) > before - 0.04
    assert auc(forgetful) < auc(model) - 0.05


def test_one_row_at_a_time_trains_or_calibrates(rows):
    X, _ = rows
    model = VAE(**QUICK).partial_fit(X[:200])
    for row in X[200:230]:
        model.partial_fit(row[None])
    n_kept = [len(model.kept_rows_[name]["rows"]) for name in ("trained", "calibrating")]
    assert sum(n_kept) == 230
    assert 41 < n_kept[1] < 55
    assert np.isfinite(model.score_samples(X)).all()


def test_a_reservoir_holds_every_row_with_the_same_probability():
    rng, scale, times = np.random.RandomState(0), InputScale.fixed("identity", 1), np.zeros(50)
    for _ in range(2_000):
        kept = some(kept_of(np.arange(20.0)[:, None]), 12, rng)
        for start in (20, 21, 35):
            stop = {20: 21, 21: 35, 35: 50}[start]
            kept = sampled(scale, kept, kept_of(np.arange(float(start), stop)[:, None]), 12, rng)
        assert kept["rows"].shape == (12, 1)
        assert kept["n_seen"] == 50
        times[kept["rows"].ravel().astype(int)] += 1
    np.testing.assert_allclose(times / 2_000, 12 / 50, atol=4 * (0.24 * 0.76 / 2_000) ** 0.5)


def test_replayed_rows_count_for_all_of_before():
    new, before = kept_of(np.zeros((4, 1))), kept_of(np.zeros((10, 1)))
    replayed = some(before, 5, np.random.RandomState(0))
    np.testing.assert_array_equal(weights_beside(new, replayed), [1.0] * 4 + [2.0] * 5)
    assert weights_beside(new, kept_of(np.zeros((0, 1)))) is None


def test_what_is_kept_is_bounded(rows, monkeypatch):
    X, y = rows
    monkeypatch.setattr(continuing, "MOST", {"trained": 70, "calibrating": 20})
    model = in_chunks(CVAE(**QUICK), X, y, 3)
    kept = model.kept_rows_
    assert [len(kept[name]["rows"]) for name in kept] == [70, 20]
    assert [len(kept[name]["labels"]) for name in kept] == [70, 20]
    assert [kept[name]["n_seen"] for name in kept] == [480, 120]
    assert len(model.calibration_scores_) == 20


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_file_keeps_what_it_takes_to_go_on(estimator, rows, tmp_path):
    X, y = rows
    model = in_chunks(estimator(**QUICK), X[:400], y[:400], 2)
    save(model, tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(X), model.score_samples(X))
    one, other = (each.partial_fit(X[400:], y[400:]) for each in (model, loaded))
    np.testing.assert_array_equal(other.score_samples(X), one.score_samples(X))
    assert other.offset_ == one.offset_


def test_labels_count_in_their_frequencies_and_must_be_known(rows):
    X, y = rows
    model = CVAE(**QUICK | {"contamination": 0.1}).partial_fit(X[:200], y[:200])
    model.partial_fit(X[200:300][y[200:300] == 1], np.ones(50, int))
    np.testing.assert_allclose(model.class_prior_, [100 / 250, 150 / 250])
    np.testing.assert_allclose(model.model_.log_label_prior.exp(), model.class_prior_)
    with pytest.raises(ValueError, match=r"CVAE: label y must be one of \[0, 1\]; got 2\."):
        model.partial_fit(X[:3], [0, 1, 2])
    assert model.n_samples_ == 250
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.partial_fit(X[:3])


def test_tables_of_several_kinds_go_on(rows, tmp_path):
    X, y = rows
    table = pd.DataFrame(X, columns=list("abcde")).assign(kind=np.array(["x", "y"])[y])
    table.loc[::7, "a"] = np.nan
    model = in_chunks(VAE(**QUICK, likelihood="mixed"), table, y, 3)
    save(model, tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        load(tmp_path / "m.safetensors").score_samples(table), model.score_samples(table)
    )
    assert model.kept_rows_["trained"]["rows"].shape == (480, 6)


def test_levels_of_images_go_on_with_brightness(digits):
    levels = (digits[0] * 255).astype(np.uint8)
    options = QUICK | {"image_shape": (1, 8, 8), "hidden_channels": ()}
    model = VAE(**options).partial_fit(levels[:300]).partial_fit(levels[300:600])
    assert model.kept_rows_["trained"]["rows"].dtype == np.uint8
    model.partial_fit(levels[600:900] / 255.0)
    kept = model.kept_rows_["trained"]["rows"]
    assert kept.max() == 1
    np.testing.assert_allclose(model.score_samples(levels[:5]), model.score_samples(levels[:5] / 255.0))


def test_what_makes_the_network_must_stay(rows):
    X, _ = rows
    model = VAE(**QUICK).partial_fit(X[:200])
    with pytest.raises(ValueError, match=r"VAE: n_components must stay 2 where a model goes on; got 3\."):
        model.set_params(n_components=3).partial_fit(X[200:])
    model.set_params(n_components=np.int64(2)).partial_fit(X[200:210])  # the same, and said as people do
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must stay .*; got \(4, 4\)\."):
        model.set_params(hidden_layer_sizes=[np.int64(4), np.int64(4)]).partial_fit(X[200:])
    model.set_params(hidden_layer_sizes=QUICK.get("hidden_layer_sizes", "auto"))
    model.set_params(n_components=2, beta=2.0, learning_rate_init=1e-3).partial_fit(X[200:])
    with pytest.raises(ValueError, match="X has 4 features, but VAE is expecting 5 features"):
        model.partial_fit(X[:, :4])


def test_a_run_that_goes_on_begins_where_one_cycle_comes_down():
    sizes = (640, 1_280, 6_400)
    few, more, many = (resolve_training(VAE(), n, goes_on=True, few_passes=True) for n in sizes)
    assert [each.n_epochs for each in (few, more, many)] == [12, 10, 6]  # 5, 10 and 50 steps each
    assert few.rate_at(0) == pytest.approx(0.4 * 0.008, rel=1e-3)  # 60 of 150 steps
    assert many.rate_at(0) == pytest.approx(0.008)
    assert many.rate_at(6) == pytest.approx(0.008e-4)
    rates = [many.rate_at(epoch) for epoch in np.linspace(0, 6, 20)]
    assert (np.diff(rates) < 0).all()
    convolved = {"image_shape": (1, 8, 8)}
    options = [convolved, convolved | {"hidden_channels": ()}, {"learning_rate_init": 0.01}]
    again = [resolve_training(VAE(**each), 6_400, goes_on=True, few_passes=True) for each in options]
    warm = resolve_training(VAE(), 6_400, goes_on=True)
    assert [each.learning_rate_init for each in (*again, warm)] == [0.004, 0.016, 0.01, 0.004]
    plain = TrainingSettings(n_epochs=10)
    assert [plain.rate_at(epoch) for epoch in range(11)] == [2e-3 * one_cycle(e / 10) for e in range(11)]
    assert falling_from(1e-9) == pytest.approx(1.0, abs=1e-4)


# Warm starts


@pytest.mark.filterwarnings("ignore:.*the posterior collapsed")
@pytest.mark.filterwarnings("ignore:.* words are in no row")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_warm_start_begins_with_the_weights_of_before(estimator, rows):
    X, y = rows
    model = estimator(**QUICK | {"max_iter": 100}, warm_start=True).fit(X, y)
    cold = estimator(**QUICK | {"max_iter": 3}).fit(X, y)
    warm = model.set_params(max_iter=3).fit(X, y)
    assert warm.history_["loss"][0] < cold.history_["loss"][2] - 0.5
    assert warm.n_iter_ == 3
    first = estimator(**QUICK | {"max_iter": 3}, warm_start=True).fit(X, y)
    np.testing.assert_array_equal(first.score_samples(X), cold.score_samples(X))


def test_a_warm_start_needs_the_network_of_before(rows):
    X, y = rows
    model = VAE(**QUICK, warm_start=True).fit(X)
    with pytest.raises(ValueError, match="VAE: warm_start needs the network of the fit before; got rows or"):
        model.fit(X[:, :3])
    with pytest.raises(ValueError, match="Set warm_start=False to begin anew"):
        model.set_params(hidden_layer_sizes=(9,)).fit(X)
    cvae = CVAE(**QUICK, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="CVAE: warm_start needs the labels of the fit before"):
        cvae.fit(X, y + 1)


def test_a_context_goes_on_too(rows, tmp_path):
    X, y = rows
    told = pd.DataFrame({"kind": y.astype(str)})
    beside = CVAE(**QUICK).partial_fit(X[:200], told[:200])
    table = pd.DataFrame(X, columns=list("abcde")).assign(kind=told["kind"])
    within = CVAE(**QUICK, context=["kind"]).partial_fit(table[:200])
    save(within, tmp_path / "half.safetensors")
    for each in (beside, within):
        assert each.kept_rows_["trained"]["labels"].shape == (160, len(set(y)))
    within, beside = (
        load(tmp_path / "half.safetensors").partial_fit(table[200:]),
        beside.partial_fit(X[200:], told[200:]),
    )
    assert (within.n_samples_, len(within.calibration_labels_)) == (len(X), len(within.calibration_scores_))
    np.testing.assert_array_equal(within.p_values(table), beside.p_values(X, told))
    with pytest.raises(ValueError, match=r"column 'kind' of X must be one of .*; got 'new'"):
        within.partial_fit(table.assign(kind="new"))


def test_suspects_are_not_kept():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(300, 4)), rng.normal(12, 1, size=(30, 4))])
    model = VAE(**QUICK, trimmed_fraction=0.2, contamination=0.1).partial_fit(X)
    assert len(model.suspects_) == 66
    assert len(model.kept_rows_["trained"]["rows"]) == 264
    assert model.kept_rows_["trained"]["rows"].max() < 8


def test_few_rows_are_held_out_like_many(rows):
    X, _ = rows
    with pytest.warns(UserWarning, match="takes 19 calibration rows; got 12"):
        model = VAE(**QUICK).partial_fit(X[:60])
    assert (model.calibration_, len(model.calibration_scores_)) == ("split", 12)
    with pytest.raises(
        ValueError, match=r"partial_fit holds rows out, .* calibration='cross' holds none out"
    ):
        VAE(**QUICK, calibration="cross").partial_fit(X)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_one_row_after_a_fit_something_trains(seed, rows):
    model = VAE(**QUICK | {"random_state": seed}).fit(rows[0]).partial_fit(rows[0][:1])
    assert len(model.kept_rows_["trained"]["rows"]) == 1


def test_rows_far_from_those_that_scaled_are_told(rows):
    model = VAE(**QUICK).partial_fit(rows[0])
    moved = rows[0] + [0, 0, 1e4, 0, 0]
    with pytest.warns(UserWarning, match="more than 10 standard deviations from those .* in column 2. Look"):
        model.partial_fit(moved)


def test_levels_of_two_types_stay_levels():
    scale = InputScale.fixed("pixels", 2)
    both = joined(scale, kept_of(np.full((1, 2), 255, np.int64)), kept_of(np.full((1, 2), 51, np.uint64)))
    np.testing.assert_allclose(both["rows"], [[1, 1], [0.2, 0.2]])


def test_a_warm_start_of_few_rows_holds_some_out(rows):
    X = rows[0][:80]
    model = VAE(**QUICK, warm_start=True).fit(X)
    assert model.calibration_ == "cross"
    with pytest.warns(UserWarning, match="takes 19 calibration rows; got 16"):
        model.fit(X)
    assert model.calibration_ == "split"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"activation": "relu"}, "needs the activation of the fit before, 'silu'; got 'relu'"),
        ({"max_iter": 0}, "needs the scaling of the fit before, standardize; got identity"),
        ({"calibration": "cross"}, "calibration='cross' needs models of some"),
    ],
)
def test_what_a_warm_start_cannot_change(changed, message, rows):
    model = VAE(**QUICK).fit(rows[0])
    with pytest.raises(ValueError, match=message):
        model.set_params(warm_start=True, **changed).fit(rows[0])


def test_a_warm_start_takes_columns_in_their_order(rows):
    X = pd.DataFrame(rows[0], columns=list("abcde"))
    model = VAE(**QUICK, warm_start=True).fit(X)
    with pytest.raises(ValueError, match="needs the names of columns of the fit before"):
        model.fit(X[list("edcba")])

"""Few rows all train and all calibrate, by models that did not see them, and what to expect is said."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine

from vaetools import AE, CVAE, VAE, Gaussian, load, save
from vaetools.anomaly.rates import expected_rate
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.building import is_watched, resolve_training
from vaetools.estimators.crossing import folds
from vaetools.estimators.jobs import split_rows

QUICK = {"max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}
HOW = "Fit 19 rows or more, or recalibrate with 19 normal rows that fit did not see."
SPLIT = QUICK | {"calibration": "split"}


@pytest.fixture(scope="module")
def wine():
    """59 rows of one wine, and 119 of two others."""
    X, y = load_wine(return_X_y=True)
    return X[y == 0], X[y != 0]


def words_of(fit):
    """What a call warns of, in its words."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit()
    return [str(warning.message) for warning in told]


@pytest.mark.parametrize(
    ("n", "percent", "least", "little"),
    [
        (2, "33", "0.33", " Such verdicts tell next to nothing."),
        (3, "25", "0.25", " Such verdicts tell next to nothing."),
        (5, "17", "0.17", ""),
        (10, "9.1", "0.091", ""),
    ],
)
def test_a_handful_of_rows_says_how_many_normal_ones_it_flags(wine, n, percent, least, little):
    vae = VAE(**QUICK)
    (told,) = words_of(lambda: vae.fit(wine[0][:n]))
    assert told == (
        f"VAE: false_alarm_rate=0.05 takes 19 calibration rows; got {n}. About {percent} % of new normal "
        f"rows will be flagged, and no p-value lies below {least}.{little} {HOW}"
    )
    assert vae.p_values(1e6 * wine[1]).min() == 1 / (n + 1)


def test_few_rows_that_are_split_say_how_many_normal_ones_they_flag(wine):
    vae = VAE(**SPLIT)
    (told,) = words_of(lambda: vae.fit(wine[0][:30]))
    how = HOW.replace("Fit 19", "Fit 95")
    assert told == (
        "VAE: false_alarm_rate=0.05 takes 19 calibration rows; got 6. About 14 % of new normal rows will be "
        f"flagged, and no p-value lies below 0.14. {how}"
    )
    assert vae.offset_ == pytest.approx(vae.calibration_scores_.min(), rel=1e-8)
    assert list(vae.mean_terms_.index) == ["train", "held_out"]
    p = vae.p_values(np.vstack(wine))
    np.testing.assert_array_equal(p <= 1 / 7, vae.predict(np.vstack(wine)) == -1)


def test_from_19_rows_on_the_rate_is_kept_and_nothing_to_be_said(wine):
    vae = VAE(**QUICK)
    assert words_of(lambda: vae.fit(wine[0][:19])) == []
    assert (len(vae.calibration_scores_), vae.calibration_, len(vae.reference_codes_)) == (19, "cross", 19)
    p = vae.p_values(np.vstack(wine))
    np.testing.assert_array_equal(p <= 1 / 20, vae.predict(np.vstack(wine)) == -1)


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 95), (0.1, 45), (0.01, 495)])
def test_all_rows_calibrate_below_what_the_rate_takes_of_a_split(rate, needed):
    X = np.random.default_rng(0).normal(size=(needed, 3))
    vae = VAE(**QUICK, false_alarm_rate=rate)
    for n, how, n_calibration in ((needed - 1, "cross", needed - 1), (needed, "split", needed // 5)):
        assert words_of(lambda n=n: vae.fit(X[:n])) == []
        assert (vae.calibration_, len(vae.calibration_scores_)) == (how, n_calibration)
    assert words_of(lambda: vae.set_params(contamination=0.1).fit(X[:-1])) == []
    assert not hasattr(vae, "calibration_")


def test_rates_that_take_many_rows_are_not_crossed_unasked():
    X = np.random.default_rng(0).normal(size=(120, 3))
    vae = VAE(**QUICK, false_alarm_rate=0.008)
    (told,) = words_of(lambda: vae.fit(X))
    assert "takes 124 calibration rows; got 24" in told
    assert "Fit 620 rows or more" in told
    (told,) = words_of(lambda: vae.set_params(calibration="cross").fit(X))
    assert "takes 124 calibration rows; got 120" in told
    assert "Fit 124 rows or more" in told


def test_a_confidence_needs_rows_that_are_held_out(wine):
    with pytest.raises(ValueError, match="takes 59 calibration rows; got 11: 48 more"):
        VAE(confidence=0.95, **QUICK).fit(wine[0])
    told = r"VAE: confidence needs rows that are held out, .*; got confidence=0\.95\. Leave calibration"
    with pytest.raises(ValueError, match=told):
        VAE(confidence=0.95, calibration="cross", **QUICK).fit(wine[0])


def test_calibration_scores_are_those_of_models_that_did_not_see_the_rows(correlated):
    """A row that only one fold has changes the scores of no other row of that fold."""
    X = correlated[:20]
    rng = np.random.RandomState(0)
    rng.randint(2**31 - 1)
    fold = folds(20, rng)[2]
    vae = VAE(2, **QUICK, standardize=False, likelihood=Gaussian(1.0)).fit(X)
    spoilt = X.copy()
    spoilt[fold[0]] += 50
    other = VAE(2, **QUICK, standardize=False, likelihood=Gaussian(1.0)).fit(spoilt)
    same = np.isclose(vae.calibration_scores_[:, None], other.calibration_scores_, rtol=1e-9).any(axis=1)
    assert same.sum() == len(fold) - 1


@pytest.mark.parametrize("times", [1, 100], ids=["as they are", "with a wild one"])
def test_all_models_have_one_scale_which_rows_that_they_did_not_see_give(wine, times):
    """None of them gives more than nine in ten do."""
    X = wine[0][:40].copy()
    X[7] *= times
    judges = []
    calibrate = VAE._calibrate
    spy = VAE(2, **QUICK)
    spy._calibrate = lambda seen, known: judges.extend(known) or calibrate(spy, seen, known)
    spy.fit(X)
    vae = VAE(2, **QUICK).fit(X)
    scales = [float(judge.model_.likelihood.raw_log_scale) for judge, _ in judges]
    assert scales == [float(vae.model_.likelihood.raw_log_scale)] * 5
    assert np.sort(np.concatenate([rows.index for _, rows in judges])).tolist() == list(range(40))
    errors = [
        (rows.X[rows.index] - judge.reconstruct(rows.X[rows.index])) / rows.scale.scale
        for judge, rows in judges
    ]
    squared = np.square(np.concatenate(errors)).mean(axis=1)
    most = np.sort(squared)[35]  # 36 of 40
    scale = np.exp(float(vae.model_.likelihood._log_scale))
    assert scale**2 == pytest.approx(np.minimum(squared, most).mean(), rel=1e-5)
    assert scale**2 < most
    assert (squared.mean() > 10 * most) == (times > 1)  # what the wild one would make of it


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_models_of_folds_train_as_long_as_one_that_was_interrupted(wine, n_epochs):
    lengths = []

    class Noted(VAE):
        def _finish(self, trainer, rows, seed):
            super()._finish(trainer, rows, seed)
            lengths.append(self.n_iter_)

    def stop(record, model):
        if record["epoch"] == n_epochs:
            raise KeyboardInterrupt

    vae = Noted(2, **QUICK | {"max_iter": 6})
    with pytest.raises(KeyboardInterrupt), pytest.warns(RuntimeWarning, match="interrupted"):
        vae.fit(wine[0][:30], callbacks=[stop])
    assert lengths == [n_epochs] * 6
    assert len(vae.calibration_scores_) == 30


def test_recalibrating_holds_the_new_rows_out(wine):
    vae = VAE(**QUICK).fit(wine[0][:30])
    vae.recalibrate(wine[0][30:])
    assert (vae.calibration_, len(vae.calibration_scores_)) == ("split", 29)


def test_one_row_has_nothing_to_calibrate_with(wine):
    vae, row = VAE(**QUICK), wine[0][:1]
    told = words_of(lambda: vae.fit(row))
    assert told == [
        f"VAE: no row is left to calibrate, so that verdicts mean nothing; got n_samples=1. {HOW}"
    ]
    assert vae.offset_ == vae.score_samples(row)
    with pytest.raises(ValueError, match=r"too few rows to hold some out: got 1\. Call recalibrate\(X\)"):
        vae.p_values(row)


def test_rows_to_watch_come_before_rows_to_calibrate(wine):
    vae = VAE(early_stopping=True, learning_rate="constant", **SPLIT)
    assert [[len(part) for part in split_rows(vae, n, np.random.RandomState(0))] for n in (2, 3, 10)] == [
        [1, 1, 0],
        [1, 1, 1],
        [7, 1, 2],
    ]
    (told,) = words_of(lambda: vae.fit(wine[0][:2]))
    assert "got n_samples=2" in told
    with pytest.raises(ValueError, match="needs a row to train on and a row to watch; got n_samples=1"):
        vae.fit(wine[0][:1])


def _flagged(n, calibration):
    """Mean share of new normal rows that fits of few rows flag, and its standard error."""
    rng, rates = np.random.default_rng(0), []
    for seed in range(60):
        vae = VAE(1, calibration=calibration, **QUICK | {"random_state": seed}).fit(rng.normal(size=(n, 3)))
        rates.append((vae.predict(rng.normal(size=(500, 3))) == -1).mean())
    return np.mean(rates), np.std(rates) / 60**0.5


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize("n", [10, 30])
def test_new_normal_rows_are_flagged_as_often_as_is_said(n):
    rate, error = _flagged(n, "split")
    assert rate == pytest.approx(expected_rate(n // 5, 0.05), abs=3 * error)


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize("n", [10, 30])
def test_rows_that_all_calibrate_flag_no_more_of_new_ones_than_is_said(n):
    rate, error = _flagged(n, "cross")
    expected = expected_rate(n, 0.05)
    assert expected / 2 < rate <= expected + 3 * error


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize("score", ["tables", "latent_knn", "aggregate", "density_of_states"])
def test_no_score_has_seen_the_rows_that_calibrate(wine, score):
    """Else they would lie at a distance of zero, and their scores would be those of training rows."""
    X = wine[0][:40]
    vae = VAE(anomaly_score=score, **SPLIT).fit(X)
    _, _, calibrate = split_rows(vae, len(X), np.random.RandomState(0))
    spoilt = X.copy()
    spoilt[calibrate] *= 1.5
    other = VAE(anomaly_score=score, **SPLIT).fit(spoilt)
    for name, array in vae.score_state_[score].items():
        np.testing.assert_array_equal(other.score_state_[score][name], array)
    assert len(calibrate) == len(vae.calibration_scores_) == 8
    np.testing.assert_allclose(np.sort(vae.score_samples(X[calibrate])), vae.calibration_scores_, rtol=1e-9)
    assert SCORES[score].learns


@pytest.mark.filterwarnings("ignore:.*calibration rows")
def test_labels_calibrate_within_themselves(iris):
    X, y = iris
    for model, n_calibration in ((CVAE(2, **SPLIT), 10), (CVAE(2, **QUICK), 50)):
        cvae = model.fit(X[::3], y[::3])
        assert len(cvae.calibration_scores_) == n_calibration
        np.testing.assert_array_equal(np.bincount(cvae.calibration_labels_).sum(), n_calibration)
        for label in cvae.classes_:
            n = (cvae.calibration_labels_ == label).sum()
            assert cvae.p_values(X[:1], [label])[0] >= 1 / (n + 1)
    np.testing.assert_array_equal(np.bincount(cvae.calibration_labels_), np.bincount(y[::3]))


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize(
    "model", [AE(2, **QUICK), VAE(2, trimmed_fraction=0.2, **QUICK)], ids=["AE", "trimmed"]
)
@pytest.mark.parametrize(("calibration", "n_calibration", "n_suspects"), [("split", 8, 6), ("auto", 40, 8)])
def test_other_models_calibrate_too(model, calibration, n_calibration, n_suspects, wine, tmp_path):
    model.set_params(calibration=calibration).fit(wine[0][:40], checkpoint=tmp_path / "run.ckpt")
    assert len(model.calibration_scores_) == n_calibration
    assert len(model.suspects_) == (n_suspects if model.trimmed_fraction else 0)
    save(model, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.p_values(wine[1]), model.p_values(wine[1]))
    assert again.calibration_ == model.calibration_


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize(("calibration", "n"), [("split", 6), ("auto", 30)])
def test_mixed_tables_calibrate_too(wine, calibration, n):
    table = pd.DataFrame(wine[0][:30, :3], columns=list("abc")).assign(kind=["x", *["y"] * 29])
    model = VAE(likelihood="mixed", calibration=calibration, **QUICK).fit(table)
    assert len(model.calibration_scores_) == n
    assert model.p_values(table.assign(a=1e6)).max() == 1 / (n + 1)


@pytest.mark.parametrize("score", ["reconstruction_kl", "images"])
def test_few_images_fix_the_scale_of_heat_maps_by_models_that_did_not_see_them(score):
    X = load_digits().data[:60] / 16
    vae = VAE(2, image_shape=(1, 8, 8), hidden_channels=(), anomaly_score=score, **QUICK).fit(X)
    assert (vae.calibration_, vae.heat_range_.shape) == ("cross", (2,))
    assert hasattr(vae, "structure_range_") == (score == "images")
    assert np.isfinite(vae.heat_range_).all()


def test_recalibrate_takes_few_rows_and_says_so(correlated):
    vae = VAE(2, **SPLIT).fit(correlated)
    how = HOW.replace("Fit 19", "Fit 95")
    (told,) = words_of(lambda: vae.recalibrate(correlated[:4]))
    assert told == (
        "VAE: false_alarm_rate=0.05 takes 19 calibration rows; got 4. About 20 % of new normal rows will be "
        f"flagged, and no p-value lies below 0.2. {how}"
    )
    assert vae.offset_ == pytest.approx(vae.score_samples(correlated[:4]).min(), rel=1e-8)
    assert vae.p_values(correlated).min() == 1 / 5
    assert words_of(lambda: vae.recalibrate(correlated[:19])) == []
    assert (
        words_of(lambda: vae.recalibrate(correlated[:1]))[0].count("Such verdicts tell next to nothing") == 1
    )


# Training in time


@pytest.mark.parametrize(
    ("model", "n_epochs"),
    [
        (VAE(), [500, 500, 200, 175, 11, 10]),
        (VAE(image_shape=(1, 8, 8)), [150, 150, 150, 150, 16, 10]),
        (VAE(learning_rate="constant"), [500, 500, 286, 250, 16, 10]),
        (VAE(batch_size=10), [467, 70, 18, 14, 10, 10]),
        (VAE(max_iter=7), [7] * 6),
    ],
    ids=["dense", "convolutions", "constant", "batches", "asked for"],
)
def test_no_row_is_seen_often(model, n_epochs):
    sizes = (24, 200, 800, 1000, 16_000, 100_000)
    assert [resolve_training(model, n).n_epochs for n in sizes] == n_epochs


@pytest.mark.parametrize(
    ("model", "n_rows", "watched"),
    [
        (VAE(), 1000, True),
        (VAE(), 19, False),
        (VAE(), 16_000, False),
        (VAE(max_iter=21), 16_000, True),
        (VAE(max_iter=20), 1000, False),
        (VAE(max_iter=0), 1000, False),
        (VAE(contamination=0.1), 1000, False),
        (VAE(learning_rate="constant"), 1000, False),
        (VAE(early_stopping=True), 16_000, True),
        (VAE(early_stopping=False), 1000, False),
        (VAE(anomaly_score="tables"), 1000, False),
    ],
)
def test_who_might_learn_rows_by_heart_is_watched(model, n_rows, watched):
    assert is_watched(model, n_rows) is watched


def test_few_rows_to_watch_are_some_of_few():
    sizes = {30: [18, 6, 6], 60: [40, 8, 12], 200: [144, 16, 40]}
    for n, parts in sizes.items():
        vae = VAE(calibration="split")
        assert [len(part) for part in split_rows(vae, n, np.random.RandomState(0))] == parts
    crossed = split_rows(VAE(), 60, np.random.RandomState(0), crossed=True)
    assert [len(part) for part in crossed] == [60, 0, 0]
    told = split_rows(VAE(early_stopping=True), 60, np.random.RandomState(0), crossed=True)
    assert [len(part) for part in told] == [54, 6, 0]


@pytest.mark.filterwarnings("ignore:.*calibration rows", "ignore:.*the posterior collapsed")
@pytest.mark.parametrize("scale", ["global", "predicted"])
def test_wine_is_not_learnt_by_heart(wine, scale):
    vae = VAE(likelihood=Gaussian(scale), calibration="split", random_state=0).fit(wine[0][:45])
    costs = vae.mean_terms_.sum(axis=1)
    assert costs["held_out"] - costs["train"] < 13  # a nat per column; 1,400 steps: hundreds
    assert (vae.predict(wine[0][45:]) == -1).mean() <= 0.5
    assert (vae.predict(wine[1]) == -1).mean() > 0.8


def test_an_interruption_while_folds_train_leaves_a_model(wine, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaetools.estimators.autoencoder.crossed", interrupted)
    model = VAE(2, max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="no row is left to calibrate"), pytest.raises(KeyboardInterrupt):
        model.fit(wine[0])
    assert model.score_samples(wine[0]).shape == (59,)

"""With few rows some are held out all the same, training stops in time, and what to expect is said."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from vaetools import AE, CVAE, VAE, Gaussian, load, save
from vaetools.anomaly.calibration import expected_rate
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.building import is_watched, resolve_training
from vaetools.estimators.rows import split_rows

QUICK = {"max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}
HOW = "Fit 95 rows or more, or recalibrate with 19 normal rows that fit did not see."


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
    ("n", "n_calibration", "percent", "least"),
    [(2, 1, "50", "0.5"), (3, 1, "50", "0.5"), (5, 1, "50", "0.5"), (10, 2, "33", "0.33")],
)
def test_a_handful_of_rows_has_verdicts_that_tell_next_to_nothing(wine, n, n_calibration, percent, least):
    vae = VAE(**QUICK)
    (told,) = words_of(lambda: vae.fit(wine[0][:n]))
    assert told == (
        f"VAE: false_alarm_rate=0.05 takes 19 calibration rows; got {n_calibration}. About {percent} % of "
        f"new normal rows will be flagged, and no p-value lies below {least}. Such verdicts tell next to "
        f"nothing. {HOW}"
    )
    assert vae.p_values(wine[1]).min() == 1 / (n_calibration + 1)


def test_few_rows_say_how_many_normal_ones_they_flag(wine):
    vae = VAE(**QUICK)
    (told,) = words_of(lambda: vae.fit(wine[0][:30]))
    assert told == (
        "VAE: false_alarm_rate=0.05 takes 19 calibration rows; got 6. About 14 % of new normal rows will be "
        f"flagged, and no p-value lies below 0.14. {HOW}"
    )
    assert vae.offset_ == pytest.approx(vae.calibration_scores_.min(), rel=1e-8)
    assert list(vae.mean_terms_.index) == ["train", "held_out"]
    p = vae.p_values(np.vstack(wine))
    np.testing.assert_array_equal(p <= 1 / 7, vae.predict(np.vstack(wine)) == -1)


@pytest.mark.parametrize(("n", "rate", "needed"), [(94, 0.05, 95), (44, 0.1, 45), (190, 0.01, 495)])
def test_rows_are_few_below_what_the_rate_takes(n, rate, needed):
    X = np.random.default_rng(0).normal(size=(needed, 3))
    vae = VAE(**QUICK, false_alarm_rate=rate)
    (told,) = words_of(lambda: vae.fit(X[:n]))
    assert f"Fit {needed} rows or more" in told
    assert words_of(lambda: vae.fit(X)) == []
    assert len(vae.calibration_scores_) == needed // 5
    assert words_of(lambda: vae.set_params(contamination=0.1).fit(X[:n])) == []


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
    vae = VAE(early_stopping=True, learning_rate="constant", **QUICK)
    assert [[len(part) for part in split_rows(vae, n, np.random.RandomState(0))] for n in (2, 3, 10)] == [
        [1, 1, 0],
        [1, 1, 1],
        [7, 1, 2],
    ]
    (told,) = words_of(lambda: vae.fit(wine[0][:2]))
    assert "got n_samples=2" in told
    with pytest.raises(ValueError, match="needs a row to train on and a row to watch; got n_samples=1"):
        vae.fit(wine[0][:1])


@pytest.mark.filterwarnings("ignore:.*calibration rows")
def test_new_normal_rows_are_flagged_as_often_as_is_said():
    rng = np.random.default_rng(0)
    for n in (10, 30):
        rates = []
        for seed in range(60):
            vae = VAE(1, **QUICK | {"random_state": seed}).fit(rng.normal(size=(n, 3)))
            rates.append((vae.predict(rng.normal(size=(500, 3))) == -1).mean())
        expected = expected_rate(n // 5, 0.05)
        assert np.mean(rates) == pytest.approx(expected, abs=3 * np.std(rates) / 60**0.5)


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize("score", ["tables", "latent_knn", "aggregate", "density_of_states"])
def test_no_score_has_seen_the_rows_that_calibrate(wine, score):
    """Else they would lie at a distance of zero, and their scores would be those of training rows."""
    X = wine[0][:40]
    vae = VAE(anomaly_score=score, **QUICK).fit(X)
    _, _, calibrate = split_rows(vae, len(X), np.random.RandomState(0))
    spoilt = X.copy()
    spoilt[calibrate] *= 1.5
    other = VAE(anomaly_score=score, **QUICK).fit(spoilt)
    for name, array in vae.score_state_[score].items():
        np.testing.assert_array_equal(other.score_state_[score][name], array)
    assert len(calibrate) == len(vae.calibration_scores_) == 8
    np.testing.assert_allclose(np.sort(vae.score_samples(X[calibrate])), vae.calibration_scores_, rtol=1e-9)
    assert SCORES[score].learns


@pytest.mark.filterwarnings("ignore:.*calibration rows")
def test_labels_calibrate_within_themselves(iris):
    X, y = iris
    cvae = CVAE(2, **QUICK).fit(X[::3], y[::3])
    assert len(cvae.calibration_scores_) == 10
    for label in cvae.classes_:
        n = (cvae.calibration_labels_ == label).sum()
        assert cvae.p_values(X[:1], [label])[0] >= 1 / (n + 1)


@pytest.mark.filterwarnings("ignore:.*calibration rows")
@pytest.mark.parametrize(
    "model", [AE(2, **QUICK), VAE(2, trimmed_fraction=0.2, **QUICK)], ids=["AE", "trimmed"]
)
def test_other_models_hold_rows_out_too(model, wine, tmp_path):
    model.fit(wine[0][:40], checkpoint=tmp_path / "run.ckpt")
    assert len(model.calibration_scores_) == 8
    assert len(model.suspects_) == (6 if model.trimmed_fraction else 0)
    save(model, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.p_values(wine[1]), model.p_values(wine[1]))


@pytest.mark.filterwarnings("ignore:.*calibration rows")
def test_mixed_tables_hold_rows_out_too(wine):
    table = pd.DataFrame(wine[0][:30, :3], columns=list("abc")).assign(kind=["x", "y", "y"] * 10)
    model = VAE(likelihood="mixed", **QUICK).fit(table)
    assert len(model.calibration_scores_) == 6
    assert model.p_values(table.assign(a=1e6)).max() == 1 / 7


def test_recalibrate_takes_few_rows_and_says_so(correlated):
    vae = VAE(2, **QUICK).fit(correlated)
    (told,) = words_of(lambda: vae.recalibrate(correlated[:4]))
    assert told == (
        "VAE: false_alarm_rate=0.05 takes 19 calibration rows; got 4. About 20 % of new normal rows will be "
        f"flagged, and no p-value lies below 0.2. {HOW}"
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
        assert [len(part) for part in split_rows(VAE(), n, np.random.RandomState(0))] == parts


@pytest.mark.filterwarnings("ignore:.*calibration rows", "ignore:.*the posterior collapsed")
@pytest.mark.parametrize("scale", ["global", "predicted"])
def test_wine_is_not_learnt_by_heart(wine, scale):
    vae = VAE(likelihood=Gaussian(scale), random_state=0).fit(wine[0][:45])
    costs = vae.mean_terms_.sum(axis=1)
    assert costs["held_out"] - costs["train"] < 13  # a nat per column; 1,400 steps: hundreds
    assert (vae.predict(wine[0][45:]) == -1).mean() <= 0.5
    assert (vae.predict(wine[1]) == -1).mean() > 0.8

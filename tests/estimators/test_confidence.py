"""A confidence in the rate of false alarms: what it does to the threshold, and where it is refused."""

import re

import numpy as np
import pytest
from sklearn.base import clone

from vaetools import AE, CVAE, VAE, PatchDetector, load, save
from vaetools.anomaly.calibration import threshold

QUICK = {"max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4))


@pytest.mark.parametrize(
    "estimator", [AE(**QUICK), VAE(**QUICK), CVAE(**QUICK)], ids=lambda e: type(e).__name__
)
def test_the_threshold_is_lower_and_scores_are_the_same(estimator):
    X, y = rows(400), np.arange(400) % 2
    plain = clone(estimator).fit(X, y)
    certain = clone(estimator).set_params(confidence=0.95).fit(X, y)
    assert np.array_equal(plain.score_samples(X), certain.score_samples(X))
    assert certain.offset_ == threshold(certain.calibration_scores_, 0.05, 0.95) < plain.offset_


def test_too_few_rows_are_refused_before_training_and_what_is_possible_is_said():
    vae = VAE(**QUICK, confidence=0.95)
    why = (
        "VAE: confidence=0.95 in false_alarm_rate=0.05 takes 59 calibration rows; got 40: 19 more, or "
        "false_alarm_rate=0.0722 or confidence=0.8714. Fit 295 rows or more, or recalibrate with 59 normal "
        "rows that fit did not see. See docs/promises.md#in-the-mean-or-this-one-model."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        vae.fit(rows(200))
    assert not hasattr(vae, "model_")
    vae.set_params(false_alarm_rate=0.0722).fit(rows(200))
    vae.set_params(false_alarm_rate=0.05, confidence=0.8714).fit(rows(200))


def test_rows_that_do_not_calibrate_give_no_confidence():
    with pytest.raises(
        ValueError, match=re.escape("got 0. contamination=0.1 holds none out: leave it at 'auto'")
    ):
        VAE(**QUICK, confidence=0.95, contamination=0.1).fit(rows(400))


def test_recalibrating_certifies_and_a_refusal_changes_nothing(tmp_path):
    vae = VAE(**QUICK).fit(rows(200))
    before = vae.offset_
    vae.set_params(confidence=0.95)
    with pytest.raises(ValueError, match="takes 59 calibration rows; got 58: 1 more"):
        vae.recalibrate(rows(58, 1))
    assert vae.offset_ == before
    assert load(saved(vae, tmp_path)).confidence is None  # of the calibration that is in force
    vae.recalibrate(rows(59, 1))
    again = load(saved(vae, tmp_path))
    assert (again.confidence, again.offset_) == (0.95, vae.offset_)
    assert vae.offset_ == pytest.approx(vae.calibration_scores_[0])


def saved(model, folder):
    save(model, folder / "model.safetensors")
    return folder / "model.safetensors"


def test_a_detector_of_patches_takes_it_too():
    X = np.random.default_rng(0).integers(100, 120, size=(80, 32 * 32), dtype=np.uint8)
    detector = PatchDetector(
        backbone=None,
        image_shape=(1, 32, 32),
        scope="places",
        confidence=0.9,
        false_alarm_rate=0.2,
        random_state=0,
    )
    detector.fit(X)
    assert detector.offset_ == threshold(detector.calibration_scores_, 0.2, 0.9)
    with pytest.raises(ValueError, match="takes 22 calibration images; got 16: 6 more"):
        clone(detector).set_params(false_alarm_rate=0.1).fit(X)

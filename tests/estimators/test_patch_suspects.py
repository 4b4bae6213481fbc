"""A detector of patches given what is no good input: refused by name, or judged without harm."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import (
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimators_unfitted,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from tests.estimators.test_patch_detector import SIDE, detector, photographs
from vaetools import VAE, Backbone, PatchDetector, load, save

GOOD = photographs(100, 1)


@pytest.fixture
def fitted():
    return detector().fit(GOOD)


@pytest.mark.parametrize(
    "check",
    [
        check_estimator_cloneable,
        check_estimator_repr,
        check_estimators_unfitted,
        check_get_params_invariance,
        check_no_attributes_set_in_init,
        check_parameters_default_constructible,
        check_set_params,
    ],
)
@pytest.mark.parametrize("made", [PatchDetector, Backbone])
def test_scikit_learn_check_without_images(made, check):
    check(made.__name__, made())


@pytest.mark.parametrize("shape", [None, (2, SIDE, SIDE)])
def test_a_shape_that_no_photograph_has_is_refused(shape):
    with pytest.raises(ValueError, match=r"PatchDetector: image_shape must be .1 or 3, height, width.*got"):
        PatchDetector(image_shape=shape).fit(GOOD)


@pytest.mark.filterwarnings("ignore:the loss became infinite")
@pytest.mark.parametrize(
    ("wrong", "X", "message"),
    [
        ({"estimator": VAE(learning_rate_init=1e30, max_iter=2)}, GOOD, "infinite or NaN"),
        ({}, GOOD[:2], "at least 4 images; got 2"),
        ({}, np.zeros((9, 50), np.uint8), "image_shape must multiply to the 50 columns"),
    ],
)
def test_a_failed_fit_leaves_a_detector_as_it_was(wrong, X, message, fitted):
    before, attributes = fitted.score_samples(GOOD[:3]), set(vars(fitted))
    with pytest.raises((ValueError, FloatingPointError), match=message):
        fitted.set_params(**wrong).fit(X)
    assert set(vars(fitted)) == attributes
    assert np.array_equal(fitted.score_samples(GOOD[:3]), before)
    new = clone(fitted)
    with pytest.raises((ValueError, FloatingPointError), match=message):
        new.fit(X)
    with pytest.raises(NotFittedError):
        new.predict(GOOD)


def test_a_file_has_the_parameters_of_the_fit(fitted, tmp_path):
    before = fitted.score_samples(GOOD[:3])
    fitted.set_params(n_references=7, backbone="pixels", false_alarm_rate=0.5)
    save(fitted, tmp_path / "parts.safetensors")
    loaded = load(tmp_path / "parts.safetensors", network=detector().backbone.network)
    assert (loaded.n_references, loaded.false_alarm_rate) == (100, 0.05)
    assert np.array_equal(loaded.score_samples(GOOD[:3]), before)
    loaded.set_params(false_alarm_rate=0.2).recalibrate(GOOD)
    save(loaded, tmp_path / "parts.safetensors")
    again = load(tmp_path / "parts.safetensors", network=detector().backbone.network)
    assert (again.false_alarm_rate, again.offset_) == (0.2, loaded.offset_)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 100), np.uint8), "X has 100 features, but PatchDetector is expecting 2304"),
        (np.full((1, SIDE * SIDE), np.nan), "X must be finite.*nan in row 0"),
        (GOOD[:2] * 1.0, r"X must lie in \[0, 1\]"),
        (GOOD[:2].astype(np.int32) * 300, "levels from 0 to 255"),
        (GOOD[:0], r"0 sample\(s\)"),
    ],
)
def test_what_is_no_image_of_its_kind_is_refused(X, message, fitted):
    with pytest.raises(ValueError, match=message):
        fitted.predict(X)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_an_image_of_one_color_is_odd_and_its_map_finite(level, fitted):
    X = np.full((1, SIDE * SIDE), level, np.uint8)
    assert np.isfinite(fitted.heat_maps(X)).all()
    assert fitted.predict(X) == [-1]


@pytest.mark.parametrize("image", [GOOD[:1], GOOD[:1] * 0])
def test_of_images_that_are_all_the_same_every_other_is_odd(image):
    model = detector().fit(np.repeat(image, 100, axis=0))
    assert (model.predict(np.repeat(image, 3, axis=0)) == 1).all()
    assert (model.predict(GOOD[1:4]) == -1).all()
    assert np.isfinite(model.heat_maps(GOOD[:3])).all()


def test_depth_does_not_matter(fitted):
    deep = detector().fit(GOOD.astype(np.uint16) * 257)
    np.testing.assert_array_equal(
        deep.score_samples(GOOD[:5].astype(np.uint16) * 257), fitted.score_samples(GOOD[:5])
    )
    np.testing.assert_array_equal(fitted.predict(GOOD[:5] / 255), fitted.predict(GOOD[:5]))

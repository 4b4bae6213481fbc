"""Which model suits which images, and which defects it will miss."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from vaetools import VAE, PatchDetector, recommend
from vaetools.anomaly.calibration import threshold
from vaetools.cli.describing import few_calibrated_in_words, few_find_less_in_words
from vaetools.estimators import choosing
from vaetools.estimators.choosing import seconds_to_fit, small_defects, working_size


@pytest.mark.parametrize(
    ("shape", "expected", "size"),
    [
        ((1, 28, 28), VAE, "auto"),
        ((1, 32, 32), VAE, "auto"),
        ((3, 32, 32), PatchDetector, "auto"),
        ((1, 48, 33), PatchDetector, (64, 64)),
        ((3, 48, 65), PatchDetector, (64, 96)),
        ((3, 256, 256), PatchDetector, (256, 256)),
        ((1, 3000, 4000), PatchDetector, (480, 640)),
    ],
)
def test_size_decides(shape, expected, size):
    found = recommend(shape, random_state=3)
    assert (type(found.estimator), found.size, found.estimator.random_state) == (expected, size, 3)
    assert len(found.reasons) == 1


def test_without_the_network_photographs_are_judged_by_pixels(monkeypatch):
    monkeypatch.setattr(choosing, "_PACKAGES", ("no_such_package",))
    found = recommend((3, 256, 256))
    assert (type(found.estimator), found.estimator.backbone, found.size) == (PatchDetector, None, (256, 256))
    assert "pip install 'vaetools[features]'" in found.reasons[0]
    assert type(recommend((3, 32, 32)).estimator) is VAE


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Photographs of 140 × 140 pixels are judged place by place (PatchDetector), by"),
        ({"size": (32, 32)}, "140 × 140 pixels, read at 32 × 32, are judged as a whole (PatchDetector), by"),
        ({"size": (96, 96)}, "read at 96 × 96, are judged place by place"),
        ({"scope": "whole"}, "140 × 140 pixels are judged as a whole (PatchDetector)"),
        ({"size": (64, 64), "scope": "places"}, "read at 64 × 64, are judged place by place"),
    ],
)
def test_what_is_said_of_photographs_is_what_is_done(given, words):
    found = recommend((1, 140, 140), **given)
    assert words in found.reasons[0]
    detector = found.estimator.set_params(image_shape=(1, *found.size))
    whole = detector.chosen_scope() == "whole"
    assert ("as a whole" in found.reasons[0]) == whole == ("small defects count" not in found.reasons[0])


def test_much_memory_is_told():
    assert len(recommend((3, 640, 640), 1000).reasons) == 1
    assert recommend((3, 640, 640), 10_000).reasons[1].startswith("They take 12,288.0 MB of memory")


def test_what_is_no_shape_is_refused():
    with pytest.raises(ValueError, match=r"recommend: image_shape must be a tuple \(channels"):
        recommend((256, 256))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("places", (256, 256), None), "narrower than about 3 of 256 pixels are likely missed."),
        (
            ("both", (480, 640), (3000, 4000)),
            "about 19 of 4,000 pixels are likely missed; fitted with size=(3000, 4000), fewer",
        ),
        (("both", (64, 64), (128, 256), "crop"), "about 6 of 256 pixels"),
        ((None, (32, 32), (32, 32)), ""),
        (("both", (32, 32), (32, 32)), ""),
        ((None, (64, 64), (256, 128)), "narrower than about 12 of 256 pixels. A PatchDetector"),
        (
            ("whole", (64, 64), (140, 120)),
            "about 7 of 140 pixels. Fitted with size=(140, 120) and scope='both', it finds them.",
        ),
        ((None, (256, 256), (256, 128)), "narrower than about 3 of 256 pixels. A PatchDetector"),
    ],
)
def test_small_defects_are_told(given, words):
    assert (words in small_defects(*given)) if words else small_defects(*given) == ""


def test_working_sizes_lose_nothing_up_to_the_largest():
    for height, width in ((65, 70), (250, 256), (333, 641), (640, 640)):
        got = working_size((height, width))
        assert got[0] >= min(height, height * 640 / width)
        assert got[1] >= min(width, 640)
        assert got[0] % 32 == got[1] % 32 == 0


@pytest.mark.parametrize(
    ("scope", "n_images", "side", "seconds"),
    [
        ("whole", 100, 256, 100),
        ("both", 100, 256, 60 + 2.75 * 40 + 1.4 * 300 + 900),  # 60 train
        ("both", 25, 256, 15 + 2.75 * 10 + 1.4 * 300 + 450),  # with half of the places that there are of many
        ("places", 100, 512, 60 + 2.75 * 40 + 1.4 * 128 + 900 / 4),  # a quarter of training
        ("both", 1000, 256, 600 + 2.75 * 400 + 1.4 * 300 + 900),
    ],
)
def test_a_fit_is_told_by_what_its_images_go_through(scope, n_images, side, seconds, monkeypatch):
    """With a clock on which features of an image take a second, and of the first, which is no rule, more."""
    X, clock = np.zeros((n_images, side**2), np.uint8), itertools.chain([0.0, 50.0], itertools.count(50.0))
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: next(clock))
    detector = PatchDetector(backbone=None, scope=scope, image_shape=(1, side, side))
    assert seconds_to_fit(detector, X) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (
            1,
            "About 50.0 % of good images are flagged: 1 image calibrated, and 5.0 % takes 19. vaetools recal",
        ),
        (18, "About 5.3 % of good images are flagged: 18 images calibrated"),
        (19, ""),
        (0, ""),
    ],
)
def test_too_few_that_calibrated_are_told(n, words):
    model = SimpleNamespace(
        calibration_scores_=np.zeros(n), false_alarm_rate=0.05, confidence=None, image_shape=(1, 9, 9)
    )
    assert few_calibrated_in_words(model).startswith(words)
    assert bool(few_calibrated_in_words(model)) == bool(words)


@pytest.mark.parametrize(("n", "is_told"), [(18, False), (19, True), (38, True), (39, False), (0, False)])
def test_more_that_calibrate_find_more_where_the_oddest_is_the_threshold(n, is_told):
    promise = {"calibration_scores_": np.zeros(n), "false_alarm_rate": 0.05, "confidence": None}
    model = SimpleNamespace(**promise, image_shape=(1, 9, 9))
    assert few_find_less_in_words(SimpleNamespace(**promise, image_shape=None)) == ""  # of rows of a table
    said = f"of {n} the oddest is the threshold; 39 or more find more. vaetools recalibrate"
    assert (said in few_find_less_in_words(model)) == is_told
    assert bool(few_find_less_in_words(model)) == is_told
    scores = np.arange(float(max(n, 1)))
    assert (threshold(scores, 0.05) < 0.5) == (n < 39)


@pytest.mark.parametrize("confidence", [None, 0.9])
def test_too_few_images_are_told_before_they_are_split(confidence):
    detector = PatchDetector(backbone=None, image_shape=(1, 24, 24), confidence=confidence)
    with pytest.raises(ValueError, match="PatchDetector: X must have at least 4 images; got 1"):
        seconds_to_fit(detector, np.zeros((1, 576), np.uint8))

"""A notebook shows an estimator's state, score and promise in words, the same as the command line says."""

import numpy as np
import pytest

from vaetools import AE, CVAE, VAE, Gaussian, PatchDetector, save
from vaetools.cli.commands.info import page
from vaetools.estimators.card import facts
from vaetools.persistence.facts import read_facts
from vaetools.words import text_facts

ROWS = np.random.default_rng(0).normal(size=(100, 3))
OPTIONS = {"max_iter": 2, "random_state": 0}


def test_an_estimator_that_is_not_fitted_says_so():
    told = facts(VAE(likelihood=Gaussian("predicted"), false_alarm_rate=0.1))
    assert told == {
        "State": "not fitted",
        "Likelihood": "Gaussian(scale='predicted', floor=0.1)",
        "Score": "reconstruction_kl",
        "False alarms": "10.0 % of new normal rows are to be flagged",
    }


@pytest.mark.parametrize(
    ("options", "false_alarms", "promise"),
    [
        ({}, "4.8 % of new normal rows, from 20 calibration rows", "proven for new rows"),
        (
            {"calibration": "cross"},
            "from 100 calibration rows, each judged by a model of other rows",
            "measured",
        ),
        ({"confidence": 0.8, "calibration_fraction": 0.4}, "with 80 % confidence", "proven for new rows"),
        (
            {"contamination": 0.1},
            "not known, no calibration rows: 10.0 % of the training rows lie below",
            None,
        ),
    ],
)
def test_what_is_promised_is_what_the_command_line_says(options, false_alarms, promise, tmp_path):
    model = AE(2, **OPTIONS, **options).fit(ROWS)
    told = facts(model)
    assert told["State"] == "fitted on 100 rows of 3 columns, 2 epochs"
    assert false_alarms in told["False alarms"]
    assert told.get("Promise", "nothing").startswith(promise or "nothing")
    save(model, tmp_path / "model.safetensors")
    said = page(read_facts(tmp_path / "model.safetensors"))
    shown = text_facts({name: told[name] for name in ("Score", "False alarms")}, width=100).split()
    assert set(shown) <= set(said.split())


def test_what_a_set_parameter_will_do_is_not_what_was_done():
    model = AE(2, **OPTIONS).fit(ROWS).set_params(likelihood="bernoulli", contamination=0.2)
    assert facts(model)["Likelihood"] == "gaussian"
    assert "20 calibration rows" in facts(model)["False alarms"]


def test_suspects_and_labels(iris):
    X, y = iris
    told = facts(CVAE(2, trimmed_fraction=0.1, **OPTIONS).fit(X, y))
    assert told["State"] == "fitted on 150 rows of 4 columns, 12 suspects of them left out, 2 epochs"


def test_a_detector_is_shown_too():
    images = np.random.default_rng(0).integers(100, 120, (20, 48 * 48), dtype=np.uint8)
    with pytest.warns(UserWarning, match="calibration images"):
        detector = PatchDetector(backbone=None, image_shape=(1, 48, 48), random_state=0).fit(images)
    told = facts(detector)
    assert told["State"] == "fitted on 20 images"
    assert told["Score"].startswith("patches in std, higher is more normal; flagged as odd below ")
    assert "takes 19: recalibrate with more normal images" in told["False alarms"]
    assert "<dl" in detector._repr_mimebundle_()["text/html"]


def test_what_is_shown_is_text_and_fetches_nothing():
    class Odd(Gaussian):
        def __repr__(self):
            return "<script>"

    said = AE(likelihood=Odd())._repr_mimebundle_()["text/html"]
    shown = said[said.index("<dl") :]
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "http" not in shown

"""A notebook shows an estimator's state, score and promise in words, the same as the command line says."""

import numpy as np
import pandas as pd
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
        (
            {"confidence": 0.8, "calibration_fraction": 0.4},
            "with 80 % confidence",
            "proven of this one model",
        ),
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


def test_a_confidence_is_of_this_one_model():
    told = facts(AE(2, confidence=0.95, calibration_fraction=0.6, **OPTIONS).fit(ROWS))
    assert "with 95 % confidence" in told["False alarms"]
    assert told["Promise"] == (
        "proven of this one model, for new rows that are like those that calibrate: 95 % of draws of these "
        "keep it"
    )


@pytest.mark.parametrize("rate", ["5%", None, float("nan"), 2])
def test_a_rate_that_fit_will_refuse_is_shown_as_it_was_given(rate):
    model = VAE(false_alarm_rate=rate)
    assert facts(model)["False alarms"] == f"false_alarm_rate={rate!r}"
    assert "text/html" in model._repr_mimebundle_()


def test_an_added_loss_is_shown():
    model = VAE(image_shape=(1, 4, 4), added_loss="structure", added_weight=0.5)
    assert facts(model)["Added loss"] == "structure, weight 0.5, which no score in nats contains"
    model.set_params(added_weight="much")
    assert facts(model)["Added loss"].startswith("structure, weight 'much'")


def test_what_a_set_parameter_will_do_is_not_what_was_done():
    model = AE(2, **OPTIONS).fit(ROWS).set_params(likelihood="bernoulli", contamination=0.2)
    model.set_params(image_shape=(1, 1, 3))
    assert facts(model)["State"] == "fitted on 100 rows of 3 columns, 2 epochs"
    assert facts(model)["Likelihood"] == "gaussian"
    assert "20 calibration rows" in facts(model)["False alarms"]


def test_suspects_and_labels(iris):
    X, y = iris
    told = facts(CVAE(2, trimmed_fraction=0.1, **OPTIONS).fit(X, y))
    assert told["State"] == "fitted on 150 rows of 4 columns, 12 suspects of them left out, 2 epochs"
    assert told["Labels"] == "0, 1, 2"


@pytest.mark.filterwarnings("ignore:.*groups of the context", "ignore:.*the context is hardly used")
def test_a_context_is_named(iris):
    X, y = iris
    context = pd.DataFrame({"machine": np.array(["a", "b", "c"])[y], "heat": X[:, 3]})
    told = facts(CVAE(2, **OPTIONS).fit(X[:, :3], context))
    assert told["Score"].endswith("groups of the context that are large enough have thresholds of their own")
    assert told["False alarms"].startswith("at most 5.0 % of new normal rows of a group of which 19 or more")
    assert told["Judged given"].startswith("machine, heat; held-out rows are ")
    assert told["Judged given"].endswith(" nats more probable given their own than given another row's")
    assert "Labels" not in told


def test_rows_marked_odd_taught_the_score_alone():
    marks = np.zeros(100, int)
    marks[:3] = -1
    taught = AE(2, anomaly_score="marked", **OPTIONS).fit(ROWS, marks=marks)
    said = "fitted on 100 rows of 3 columns, 2 epochs; those marked odd among them taught the score alone"
    assert facts(taught)["State"] == said
    with pytest.warns(UserWarning, match="nothing taught the score"):
        untaught = AE(2, anomaly_score="marked", **OPTIONS).fit(ROWS)
    assert "marked odd" not in facts(untaught)["State"]


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

"""A saved model gets a new threshold from new normal data, and nothing else changes."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tests.data.pictures import write_gray
from vaetools import load
from vaetools.__main__ import main
from vaetools.anomaly.rates import expected_rate


def run(*arguments):
    return main(["recalibrate", *map(str, arguments)])


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """150 orders of another season: the same columns, shifted and wider."""
    path = tmp_path_factory.mktemp("later") / "later.csv"
    rows = np.random.default_rng(1).normal(size=(150, 3)) * [2, 2e4, 2e-3] + [1, 1e5, 1]
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(order=[f"new {i}" for i in range(150)])
    frame.to_csv(path, index=False)
    return path


def test_only_the_verdict_changes(order_model, later, tmp_path, capsys):
    path = tmp_path / "later.safetensors"
    assert run(order_model, later, "-o", path, "--id", "order") == 0
    out, err = capsys.readouterr()
    before, after, X = load(order_model), load(path), pd.read_csv(later).drop(columns="order")
    np.testing.assert_array_equal(after.score_samples(X), before.score_samples(X))
    expected = load(order_model).recalibrate(X)
    assert after.offset_ == expected.offset_ < before.offset_
    np.testing.assert_array_equal(after.p_values(X), expected.p_values(X))
    assert (after.predict(X) == -1).sum() == 7 - 1  # strictly below the seventh of 150
    flagged = f"{100 * (before.predict(X) == -1).mean():.1f} %"
    assert out == ""
    assert "150 rows calibrate: flagged as odd below " in err
    assert "as 4.6 % of new normal ones will be" in err
    assert f"flagged {flagged} of these" in err
    assert main(["info", str(path)]) == 0
    assert "4.6 % of new normal rows, from 150 calibration rows" in capsys.readouterr().out


def test_another_rate_in_place_and_in_json(order_model, later, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    path.write_bytes(order_model.read_bytes())
    before = load(path)
    options = ["--id", "order", "--false-alarm-rate", "0.1", "--json"]
    assert run(path, later, "-o", path, *options) == 0
    told, after = json.loads(capsys.readouterr().out), load(path)
    assert after.false_alarm_rate == 0.1
    assert told["threshold"] == after.offset_
    assert told["threshold_before"] == before.offset_
    X = pd.read_csv(later).drop(columns="order")
    assert told["flagged_before"] == pytest.approx((before.predict(X) == -1).mean())
    assert told["false_alarm_rate"] == expected_rate(150, 0.1)
    assert (told["n_calibration"], told["n_failed"], told["failed"]) == (150, 0, [])
    assert (told["score"], told["unit"], told["output"]) == ("reconstruction_kl", "nats", str(path))


def test_a_confidence_lowers_the_threshold_and_is_said_from_then_on(order_model, later, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run(order_model, later, "-o", path, "--id", "order", "--confidence", "0.95") == 0
    assert (
        "as 2.0 % of new normal ones will be; with 95 % confidence it is at most 5.0 %"
        in capsys.readouterr().err
    )
    after = load(path)
    assert after.offset_ == pytest.approx(after.calibration_scores_[3 - 1])  # P(Bin(150, .05) < 3) = .02
    assert main(["info", str(path)]) == 0
    said = (
        "at most 5.0 % of new normal rows with 95 % confidence, 2.0 % on average, from 150 calibration rows"
    )
    assert said in " ".join(capsys.readouterr().out.split())
    assert main(["score", str(path), str(later), "--id", "order", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["confidence"], told["n_odd"], told["most_mistakes"]) == (0.95, 2, 2)


def test_too_few_rows_for_a_confidence_are_refused_in_options(order_model, later, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run(order_model, later, "-o", path, "--id", "order", "--confidence", "0.9999") == 2
    err = capsys.readouterr().err
    assert (
        "--confidence 0.9999 in --false-alarm-rate 0.05 takes 180 calibration rows; got 150: 30 more" in err
    )
    assert not path.exists()


def test_images_keep_their_reader_and_get_a_new_heat_scale(photo_model, tmp_path, capsys):
    (tmp_path / "june").mkdir()
    write_gray(tmp_path / "june", 40, size=8, first=500)
    (tmp_path / "june" / "z.png").write_bytes(b"none")
    path = tmp_path / "june.safetensors"
    assert run(photo_model, tmp_path / "june", "-o", path) == 1
    err = capsys.readouterr().err
    assert "40 images calibrate" in err
    assert "1 could not be read:" in err
    assert "z.png: not an image" in err
    before, after = load(photo_model), load(path)
    assert isinstance(after, Pipeline)
    assert after[0].get_params() == before[0].get_params()
    assert len(after[-1].calibration_scores_) == 40
    assert not np.array_equal(after[-1].heat_range_, before[-1].heat_range_)


def test_a_model_without_p_values_gets_them(orders, later, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    options = ["--max-iter", "1", "--contamination", "0.1", "--id", "order", "-q"]
    assert main(["fit", str(orders), "-o", str(path), *options]) == 0
    assert not hasattr(load(path), "calibration_scores_")
    assert run(path, later, "-o", path, "--id", "order", "-q") == 0
    assert len(load(path).calibration_scores_) == 150
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("default::UserWarning")
def test_few_rows_calibrate_and_say_what_that_means(order_model, later, tmp_path, capsys):
    few, path = tmp_path / "few.csv", tmp_path / "m.safetensors"
    pd.read_csv(later).head(5).to_csv(few, index=False)
    assert run(order_model, few, "-o", path, "--id", "order") == 0
    err = capsys.readouterr().err
    assert (
        "vaetools: warning: VAE: --false-alarm-rate 0.05 takes 19 calibration rows; got 5. About 17 %" in err
    )
    assert "as 16.7 % of new normal ones will be" in err
    model, X = load(path), pd.read_csv(few).drop(columns="order")
    assert model.offset_ == pytest.approx(model.score_samples(X).min(), rel=1e-8)
    assert main(["info", str(path)]) == 0
    assert "16.7 % of new normal rows, from 5 calibration rows; 5.0 % takes 19" in capsys.readouterr().out


def test_errors_are_one_line_and_leave_no_file(order_model, photo_model, later, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    there = sorted(path.name for path in tmp_path.iterdir())
    cases = {
        "--false-alarm-rate must be": (order_model, later, "--false-alarm-rate", "3"),
        "the model takes images; got a table": (photo_model, later),
        "there is no image": (photo_model, empty),
        "no such file": (order_model, tmp_path / "none.csv"),
    }
    for message, arguments in cases.items():
        assert run(*arguments, "-o", tmp_path / "m.safetensors") == 2
        out, err = capsys.readouterr()
        assert message in err
        assert (out, err.count("\n")) == ("", 1)
    assert run(order_model, later, "-o", later) == 2
    assert "must end in .safetensors" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_labels_are_for_a_model_of_labels(orders, order_model, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run(order_model, orders, "-o", path, "--labels", "order") == 2
    assert "is for a CVAE of labels; got a VAE" in capsys.readouterr().err

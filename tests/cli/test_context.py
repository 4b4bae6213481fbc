"""Rows of a table that are judged given some of its columns, which are taken by name."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from vaetools import load
from vaetools.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """400 rows of two machines, called by numbers, in weather."""
    rng, n = np.random.default_rng(0), 400
    machine, outside = rng.choice([1, 2], n), rng.uniform(-10, 30, n)
    power = np.where(machine == 1, 40, 15) + 0.3 * outside + rng.normal(size=n)
    columns = {"order": [f"no {i}" for i in range(n)], "machine": machine, "site": rng.choice(["a", "b"], n)}
    table = pd.DataFrame(columns | {"outside": outside, "power": power, "heat": 50 + rng.normal(size=n)})
    path = tmp_path_factory.mktemp("machines") / "machines.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def model(machines, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    options = ("--id", "order", "--context", "machine=category,outside", "--drop", "site", "--max-iter", "60")
    assert run("fit", machines, "-o", path, "-q", *options) == 0
    return path


def test_a_context_is_learnt_by_name(model, machines, capsys):
    estimator = load(model)
    assert estimator.feature_names_in_.tolist() == ["power", "heat", "machine", "outside"]
    assert estimator.context_.names == ["machine", "outside"]
    assert [column.values for column in estimator.context_.columns.columns] == [["1", "2"], []]
    assert run("info", model) == 0
    said = " ".join(capsys.readouterr().out.replace("\xa0", " ").split())
    nats = f"{estimator.context_information_:.2f}"
    assert f"Judged given machine, outside; held-out rows are {nats} nats more probable given their" in said
    assert run("info", model, "--json") == 0
    assert json.loads(capsys.readouterr().out)["context_information"] == estimator.context_information_


def test_rows_are_scored_in_theirs(model, machines, tmp_path, capsys):
    rows = pd.read_csv(machines, dtype={"machine": str})
    rows.loc[0, "machine"] = "2" if rows.loc[0, "machine"] == "1" else "1"
    rows.iloc[:, ::-1].to_csv(tmp_path / "new.csv", index=False)
    assert run("score", model, tmp_path / "new.csv", "--id", "order", "-o", tmp_path / "s.csv", "-q") == 0
    scored, estimator = pd.read_csv(tmp_path / "s.csv"), load(model)
    given = rows[estimator.feature_names_in_]
    np.testing.assert_allclose(scored["score"], estimator.score_samples(given), rtol=1e-9)
    np.testing.assert_allclose(scored["p_value"], estimator.p_values(given), rtol=1e-9)
    assert (np.where(scored["verdict"] == "odd", -1, 1) == estimator.predict(given)).all()
    assert scored["verdict"][0] == "odd"
    rows.head(1).to_csv(tmp_path / "one.csv", index=False)
    assert run("score", model, tmp_path / "one.csv", "--id", "order", "--top", "1", "-q") == 0
    assert f"given machine={rows.loc[0, 'machine']}, outside=" in capsys.readouterr().out


def test_what_holds_within_groups_is_not_said_of_all(model, machines, tmp_path, capsys):
    estimator = load(model)
    assert run("info", model) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "groups of the context that are large enough have thresholds of their own" in said
    n = len(estimator.calibration_scores_)
    assert f"at most 5.0 % of new normal rows of a group of which 19 or more calibrate, from {n}" in said
    table = pd.read_csv(machines)
    for power in table["power"], table["power"] + 1.5:
        table.assign(power=power).to_csv(tmp_path / "new.csv", index=False)
        assert run("score", model, tmp_path / "new.csv", "-o", tmp_path / "s.csv", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["threshold"], found["false_alarm_rate"], found["most_mistakes"]) == (None, None, None)
        n_odd = int((pd.read_csv(tmp_path / "s.csv")["verdict"] == "odd").sum())
        assert found["n_odd"] == n_odd > 0
        assert (
            run("recalibrate", model, tmp_path / "new.csv", "-o", tmp_path / "r.safetensors", "--json") == 0
        )
        again = json.loads(capsys.readouterr().out)
        assert again["flagged_before"] == pytest.approx(n_odd / len(table))
        assert [again[key] for key in ("threshold", "threshold_before", "false_alarm_rate")] == [None] * 3
        assert run("recalibrate", model, tmp_path / "new.csv", "-o", tmp_path / "r.safetensors") == 0
        assert "calibrate, within the groups of the context that are large" in capsys.readouterr().err


def test_info_has_the_thresholds_of_groups(model, machines, capsys):
    estimator = load(model)
    assert run("info", model, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["threshold"], found["false_alarm_rate"]) == (None, None)
    assert found["context"] == ["machine", "outside"]
    assert [each["context"] for each in found["groups"]] == [{"machine": "1"}, {"machine": "2"}]
    assert sum(each["n_calibration"] for each in found["groups"]) == found["n_calibration"] == 80
    rows = pd.read_csv(machines, dtype={"machine": str})
    for each in found["groups"]:
        some = rows[rows["machine"] == each["context"]["machine"]].head(5)
        judged = some[estimator.feature_names_in_]
        limits = estimator.score_samples(judged) - estimator.decision_function(judged)
        np.testing.assert_allclose(limits, each["threshold"])
    assert run("info", model) == 0
    said = " ".join(capsys.readouterr().out.replace("\xa0", " ").split())
    first = found["groups"][0]
    assert f"machine=1: {first['threshold']:.2f} ({first['n_calibration']} rows)".replace("-", "−") in said


@pytest.mark.filterwarnings("ignore:.*groups of the context has fewer")
def test_few_rows_of_a_group_are_compared_with_others(machines, tmp_path, capsys):
    rows = pd.read_csv(machines)
    rows["site"] = np.where(np.arange(len(rows)) % 40, "a", "b")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    line = (
        "fit",
        tmp_path / "rows.csv",
        "-o",
        tmp_path / "m.safetensors",
        "--context",
        "site",
        "--drop",
        "order",
    )
    assert run(*line, "--max-iter", "2", "--json") == 0
    groups, estimator = json.loads(capsys.readouterr().out)["groups"], load(tmp_path / "m.safetensors")
    assert [each["context"] for each in groups] == [{"site": "a"}, None]
    assert groups[1] == {"context": None, "n_calibration": 80, "threshold": estimator.offset_}


@pytest.mark.filterwarnings("default:.*far from where it was")
def test_a_context_unlike_those_of_training_is_told(model, machines, tmp_path, capsys):
    pd.read_csv(machines).head(3).assign(outside=[90, 0, 0]).to_csv(tmp_path / "new.csv", index=False)
    assert run("score", model, tmp_path / "new.csv", "-o", tmp_path / "s.csv") == 0
    assert capsys.readouterr().err.count("outside=90, far from where it was in training") == 1


def test_rows_without_a_context_are_listed(model, machines, tmp_path, capsys):
    rows = pd.read_csv(machines, dtype=str).head(6)
    rows.loc[0, "machine"], rows.loc[1, "machine"], rows.loc[2, "outside"], rows.loc[3, "heat"] = (
        "3",
        "",
        "?",
        "",
    )
    rows.to_csv(tmp_path / "new.csv", index=False)
    assert run("score", model, tmp_path / "new.csv", "-o", tmp_path / "s.csv", "-q") == 1
    assert pd.read_csv(tmp_path / "s.csv")["row"].tolist() == [4, 5]
    failed = capsys.readouterr().err
    for words in (
        "row 0: column 'machine' is '3', none of '1', '2'",
        "row 1: column 'machine' is missing",
        "row 2: column 'outside' is '?', not a number",
        "row 3: column 'heat' is missing",
    ):
        assert words in failed
    rows.drop(columns="outside").to_csv(tmp_path / "less.csv", index=False)
    assert run("score", model, tmp_path / "less.csv", "-q") == 2
    assert "there is no column 'outside'" in capsys.readouterr().err


def test_new_rows_calibrate_in_theirs(model, machines, tmp_path):
    rows = pd.read_csv(machines)
    rows.head(150).to_csv(tmp_path / "some.csv", index=False)
    assert run("recalibrate", model, tmp_path / "some.csv", "-o", tmp_path / "r.safetensors", "-q") == 0
    again = load(tmp_path / "r.safetensors")
    assert len(again.calibration_labels_) == len(again.calibration_scores_) == 150
    assert run("embed", model, tmp_path / "some.csv", "-o", tmp_path / "codes.csv", "-q") == 0
    assert len(pd.read_csv(tmp_path / "codes.csv")) == 150


def test_a_watch_and_a_report_take_theirs(model, machines, tmp_path, capsys):
    table = pd.read_csv(machines)
    new = table.sample(300, random_state=1, replace=True)
    new.to_csv(tmp_path / "new.csv", index=False)
    new[new["outside"] < 0].to_csv(tmp_path / "winter.csv", index=False)
    new.assign(power=new["power"] + 4).to_csv(tmp_path / "more.csv", index=False)
    for name, status in (("winter", 0), ("more", 3)):
        state = "--state", tmp_path / f"{name}.safetensors", "--reference", machines
        assert run("watch", model, tmp_path / f"{name}.csv", *state, "--json") == status
        alarm = json.loads(capsys.readouterr().out)["alarm"]
    causes = alarm["causes"]
    assert ("column", "power") in {(cause["kind"], cause["name"]) for cause in causes}
    page = tmp_path / "report.html"
    assert run("report", model, tmp_path / "new.csv", "-o", page, "--map", "pca", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_samples"], found["models"][0]["threshold"]) == (300, None)


def test_text_and_gaps_may_stand_beside_a_context(machines, tmp_path):
    rows = pd.read_csv(machines)
    rows.loc[:9, "power"] = np.nan
    rows.to_csv(tmp_path / "mixed.csv", index=False)
    options = ("--context", "machine", "--likelihood", "mixed", "--max-iter", "2", "--id", "order", "-q")
    assert run("fit", tmp_path / "mixed.csv", "-o", tmp_path / "m.safetensors", *options) == 0
    estimator = load(tmp_path / "m.safetensors")
    assert estimator.columns_.names == ["site", "outside", "power", "heat"]
    assert (
        run("score", tmp_path / "m.safetensors", tmp_path / "mixed.csv", "-o", tmp_path / "s.csv", "-q") == 0
    )
    assert len(pd.read_csv(tmp_path / "s.csv")) == 400


@pytest.mark.parametrize("labels", [(), ("--labels", "site")])
def test_an_explorer_shows_rows_in_theirs(labels, model, machines, tmp_path, capsys):
    page = tmp_path / "p.html"
    line = ("explore", model, machines, "--id", "order", "--map", "pca", "-o", page, "--json", *labels)
    assert run(*line) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_explored"], found["decodes"]) == (400, True)
    about = json.loads(re.search(r'id="about">(.*?)</script>', page.read_text(), re.S)[1])
    assert [column["name"] for column in about["given"]] == ["machine", "outside"]
    assert {column["name"] for column in about["labels"]} == {"machine", *labels[1:]}


def test_a_graph_takes_the_context_as_a_second_input(model, tmp_path, capsys):
    assert run("export", model, "-o", tmp_path / "g.onnx") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["in", "context", "float64", "n_samples", "×", "2"] in lines
    assert "Context: machine (0 = 1, 1 = 2), outside" in map(" ".join, lines)
    assert " ".join(lines[-1]).endswith("flagged as odd by the threshold of a row's group in its context")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["fit", "{data}", "-o", "{out}", "--context", "machine", "--model", "vae"], "is of a cvae without"),
        (["fit", "{data}", "-o", "{out}", "--context", "machine,"], "must be columns between commas"),
        (["fit", "{data}", "-o", "{out}", "--context", "site,site"], "every column once; got 'site' twice"),
        (["fit", "{data}", "-o", "{out}", "--context", "site", "--drop", "site"], "is dropped; got 'site'"),
        (["fit", "{data}", "-o", "{out}", "--context", "engine"], "there is no column 'engine'"),
        (["score", "{model}", "{data}", "--fdr", "0.1"], "--fdr: needs p-values of all rows alike"),
        (["watch", "{model}", "{data}", "--state", "{out}"], "reference must be given"),
        (["score", "{model}", "{data}", "--context", "{data}"], "Leave it out: rows of a table have theirs"),
        (["sample", "{model}", "-o", "{out}.csv"], "rows given a context, which is not taken here"),
        (["fit", "{data}", "-o", "{out}", "--set", "context=['site']"], "has no parameter 'context' to set"),
    ],
)
def test_what_takes_no_context_says_so(command, words, model, machines, tmp_path, capsys):
    out = {"out": tmp_path / "o.safetensors"}
    assert run(*(part.format(data=machines, model=model, **out) for part in command)) == 2
    assert words in capsys.readouterr().err

"""Every day the same line: what is new is looked at once, and an alarm is told by words, status and page."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.cli.conftest import write_parts
from tests.data.pictures import write_gray
from vaetools.__main__ import main


def run(*arguments):
    return main(["watch", *map(str, arguments)])


def told(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def days(tmp_path):
    """150 good photographs, 60 as usual, and 60 that are dimmer, whose folder has a name that needs care."""
    for name, n, first in (("good", 150, 1000), ("monday", 60, 2000), ("<b>tuesday", 60, 3000)):
        (tmp_path / name).mkdir()
        write_gray(tmp_path / name, n, size=8, first=first)
    for path in (tmp_path / "<b>tuesday").iterdir():
        Image.fromarray((np.asarray(Image.open(path)) * 0.6).astype(np.uint8)).save(path)
    return tmp_path


def test_a_folder_that_grows_day_by_day(photo_model, days, capsys):
    state, new = days / "state.safetensors", days / "new"
    line = [photo_model, new, "--state", state, "--reference", days / "good"]
    shutil.copytree(days / "monday", new / "monday")
    assert run(*line) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "60 images came; 60 in all.\nNo alarm.\n" in err
    assert run(*line, "--json") == 0
    same = told(capsys)
    assert (same["n_rows"], same["n_known"], same["n_watched"], same["alarm"]) == (0, 60, 60, None)
    assert set(same["evidence"]) == {"share", "score", "rows", "latent"}
    assert same["evidence"].pop("latent") is None  # none is in use
    assert all(value < same["limit"] == 2 for value in same["evidence"].values())

    shutil.copytree(days / "<b>tuesday", new / "<b>tuesday")
    since, page = days / "since.txt", days / "page.html"
    (new / "<b>tuesday").rename(new / "tuesday<b>")
    assert run(*line, "--since", since, "--html", page) == 3
    err = capsys.readouterr().err
    assert "60 images came, 60 that came before left out; 120 in all.\nAlarm at row " in err
    assert "what is normal has changed: " in err
    assert "It stays until --reset." in err
    names = since.read_text().splitlines()
    assert set(names) >= {str(path) for path in (new / "tuesday<b>").iterdir()}
    assert len(names) < 70
    html = page.read_text()
    assert "tuesday&lt;b&gt;" in html
    assert "tuesday<b>" not in html
    assert html.count("<polyline") == 3

    assert run(*line, "--json") == 3
    alarm = told(capsys)["alarm"]
    assert 60 < alarm["row"] < 100
    assert alarm["of_normal"]
    assert "image" in {cause["kind"] for cause in alarm["causes"]}
    assert alarm["words"].startswith("Alarm at row ")

    better = days / "better.safetensors"
    assert main(["recalibrate", str(photo_model), str(since), "-o", str(better), "-q"]) == 0
    assert run(better, new, "--state", state) == 2
    assert "the state belongs to another model" in capsys.readouterr().err
    assert run(photo_model, "--state", state, "--reset") == 0
    assert "0 images came; 120 in all.\nNo alarm.\n" in capsys.readouterr().err


def orders(n, seed, shift=0.0):
    rows = np.random.default_rng(seed).normal(size=(n, 3)) * [1, 1e4, 1e-3] + [0, 1e5 + 1e4 * shift, 1]
    return pd.DataFrame(rows, columns=["a", "b", "c"]).assign(order=[f"{seed}-{i}" for i in range(n)])


def test_a_table_with_ids(order_model, tmp_path, capsys):
    state, since = tmp_path / "state.safetensors", tmp_path / "since.txt"
    for name, table in (("good", orders(300, 1)), ("day", orders(200, 2)), ("next", orders(100, 3, shift=2))):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    line = [order_model, "--state", state, "--id", "order", "--reference", tmp_path / "good.csv", "--json"]
    assert run(tmp_path / "day.csv", *[line[0]], "--state", state) == 2  # model and data the other way round
    capsys.readouterr()
    assert run(*line, tmp_path / "day.csv") == 0
    assert told(capsys)["n_rows"] == 200
    assert run(*line, tmp_path / "day.csv", tmp_path / "next.csv", "--since", since) == 3
    result = told(capsys)
    assert (result["n_rows"], result["n_known"], result["n_watched"]) == (100, 200, 300)
    first = result["alarm"]["causes"][0]
    assert (first["kind"], first["name"]) == ("column", "b")
    assert first["moved"] > 1
    assert since.read_text().splitlines()[-1] == "3-99"
    assert result["since"] == str(since)


def test_rows_without_ids_count_each_time_and_the_first_are_the_reference(order_model, tmp_path, capsys):
    state = tmp_path / "state.safetensors"
    orders(150, 2).drop(columns="order").to_csv(tmp_path / "day.csv", index=False)
    assert run(order_model, tmp_path / "day.csv", "--state", state) == 0
    assert "No alarm. The score is watched; all else is from " in capsys.readouterr().err
    assert run(order_model, tmp_path / "day.csv", "--state", state) == 0
    err = capsys.readouterr().err
    assert "150 rows came; 300 in all.\nNo alarm.\n" in err


def test_a_detector_of_patches_is_watched_too(part_model, tmp_path, capsys):
    write_parts(tmp_path / "good", 30, seed=5)
    write_parts(tmp_path / "scratched", 40, seed=6, scratched=True)
    state, page = tmp_path / "state.safetensors", tmp_path / "page.html"
    line = [part_model, "--state", state, "--reference", tmp_path / "good", "--html", page, "--json"]
    assert run(*line, tmp_path / "scratched") == 3
    result = told(capsys)
    assert result["alarm"]["of_odd"]
    assert result["evidence"]["latent"] is None
    assert page.read_text().count("<img") == 3


def test_what_cannot_be_read_stops_nothing(photo_model, days, capsys):
    (days / "monday" / "torn.png").write_bytes(b"no image")
    assert run(photo_model, days / "monday", "--state", days / "state.safetensors", "--json") == 1
    result = told(capsys)
    assert (result["n_rows"], result["n_failed"]) == (60, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--state", "state.txt"], "--state: must end in .safetensors"),
        (["--state", "s.safetensors", "--since", "since.csv"], "--since: must end in .txt"),
        (["--state", "s.safetensors", "--html", "page.txt"], "--html: must end in .html"),
        ([], "Missing option '--state'"),
    ],
)
def test_errors_come_before_any_work(photo_model, photos, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(photo_model, photos, *arguments) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_rows_whose_id_is_empty_count_each_time_and_are_told(order_model, tmp_path, capsys):
    state, day = tmp_path / "state.safetensors", orders(60, 2)
    day.loc[[3, 7], "order"] = None
    day.to_csv(tmp_path / "day.csv", index=False)
    line = [order_model, tmp_path / "day.csv", "--state", state, "--id", "order"]
    assert run(*line) == 0
    said = "2 rows without a name, which count whenever they come: --id names a table's column."
    assert said in capsys.readouterr().err
    assert run(*line, "--json") == 0
    again = told(capsys)
    assert (again["n_rows"], again["n_known"], again["n_watched"]) == (2, 58, 62)


def test_images_of_the_reference_that_cannot_be_read_are_told(photo_model, days, capsys):
    (days / "good" / "broken.png").write_bytes(b"nothing")
    line = [photo_model, "--state", days / "state.safetensors"]
    assert run(*line, "--reference", days / "good", days / "monday", "--json") == 1
    found = told(capsys)
    assert found["n_failed"] == 1
    assert found["failed"][0]["id"].endswith("broken.png")
    assert run(*line) == 0  # the state knows its reference
    (days / "state.safetensors").unlink()
    assert run(*line, "--reference", days / "good") == 1
    assert "1 could not be read:\n" in capsys.readouterr().err


def test_the_state_remembers_which_column_names_rows(order_model, tmp_path, capsys):
    rng, names = np.random.default_rng(5), [f"no {i}" for i in range(60)]
    rows = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc")).assign(order=names)
    rows.head(40).to_csv(tmp_path / "monday.csv", index=False)
    rows.tail(40).to_csv(tmp_path / "tuesday.csv", index=False)
    state = ("--state", tmp_path / "s.safetensors", "--json")
    monday, tuesday = tmp_path / "monday.csv", tmp_path / "tuesday.csv"
    assert run(order_model, monday, *state, "--id", "order") in (0, 3)
    assert told(capsys)["id"] == "order"
    assert run(order_model, tuesday, *state) in (0, 3)
    found = told(capsys)
    assert (found["id"], found["n_rows"], found["n_known"]) == ("order", 20, 20)
    assert run(order_model, tuesday, *state, "--id", "a") == 2
    assert "--id: must be 'order', by which the state knows rows; got 'a'." in told(capsys)["error"]

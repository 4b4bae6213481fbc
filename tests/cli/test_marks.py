"""Score, mark, and learn: three commands."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from vaetools import load
from vaetools.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """300 rows with names, of which the 30 called "bad" lie elsewhere on the plane of the others."""
    rng = np.random.default_rng(0)
    is_odd = rng.permutation(np.arange(300) < 30)
    codes = rng.normal(size=(300, 2)) + np.where(is_odd, 2.0, 0)[:, None]
    X = codes @ rng.normal(size=(2, 6)) + 0.3 * rng.normal(size=(300, 6))
    names = [f"{'bad' if odd else 'good'} {i}" for i, odd in enumerate(is_odd)]
    path = tmp_path_factory.mktemp("marks") / "rows.csv"
    pd.DataFrame(X, columns=list("abcdef")).assign(name=names).to_csv(path, index=False)
    return path


OPTIONS = ("-q", "--max-iter", "15", "--id", "name")


def test_what_score_hands_out_teaches_fit(table, tmp_path, capsys):
    first, second, looked = tmp_path / "1.safetensors", tmp_path / "2.safetensors", tmp_path / "looked.csv"
    assert run("fit", table, "-o", first, *OPTIONS) == 0
    assert run("score", first, table, "--id", "name", "--marks", looked, "--top", "12", "-q") == 0
    handed = pd.read_csv(looked)
    assert handed.columns[:2].tolist() == ["name", "mark"]
    assert 10 <= len(handed) <= 12
    assert handed["mark"].isna().all()
    handed["mark"] = np.where(handed["name"].str.startswith("bad"), "odd", "normal")
    handed.loc[len(handed) - 1, "mark"] = ""
    handed.to_csv(looked, index=False)
    capsys.readouterr()
    assert run("fit", table, "-o", second, *OPTIONS[1:], "--marks", looked) == 0
    n_odd = (handed["mark"] == "odd").sum()
    said = f"Marked: {n_odd} odd, which neither train nor calibrate, and {len(handed) - 1 - n_odd} normal."
    assert said in capsys.readouterr().err
    rows = pd.read_csv(table)
    found = {}
    for name, path in (("first", first), ("second", second)):
        scores = load(path).score_samples(rows.drop(columns="name"))
        found[name] = roc_auc_score(rows["name"].str.startswith("bad"), -scores)
    assert load(second).anomaly_score_ == "marked"
    assert found["second"] > found["first"] + 0.05


@pytest.mark.filterwarnings("default:.* rows that --marked names:UserWarning")
def test_rows_that_were_marked_are_not_handed_out_again(table, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    assert run("fit", table, "-o", model, *OPTIONS) == 0
    rounds, line = [], ("score", model, table, "--id", "name", "-q")
    for i in range(3):
        path = tmp_path / f"{i}.csv"
        before = [part for number in range(i) for part in ("--marked", tmp_path / f"{number}.csv")]
        assert run(*line, "--marks", path, *before) == 0
        handed = pd.read_csv(path)
        rounds.append(set(handed["name"]))
        assert 8 <= len(handed) <= 10
        handed.assign(mark="odd").to_csv(path, index=False)
    assert len(set.union(*rounds)) == sum(map(len, rounds))
    scores = pd.Series(load(model).score_samples(pd.read_csv(table)[list("abcdef")]))
    lowest = pd.read_csv(table)["name"][scores.nsmallest(5).index]
    assert set(lowest) <= rounds[0]
    capsys.readouterr()
    again = ("--marks", tmp_path / "4.csv", "--marked", tmp_path / "0.csv", "--json")
    assert run("score", model, table, "--id", "name", *again) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["oddest"]) == 10
    assert told["warnings"] == []
    (tmp_path / "4.csv").unlink()
    assert run("score", model, table, *again) == 0  # whose rows are numbers
    [told] = json.loads(capsys.readouterr().out)["warnings"]
    n = len(rounds[0])
    assert f"{n} of {n} rows that --marked names are not there" in told
    assert run(*line, "--marked", tmp_path / "0.csv") == 2
    assert "--marked: goes with --marks, the file to write." in capsys.readouterr().err


def test_a_selection_is_odd_as_a_whole(table, tmp_path, capsys):
    selection, model = tmp_path / "selection.csv", tmp_path / "m.safetensors"
    rows = pd.read_csv(table)
    odd = rows["name"][rows["name"].str.startswith("bad")][:5]
    pd.DataFrame({"id": odd, "score": -1.0, "z1": 0.5}).to_csv(selection, index=False)
    assert run("fit", table, "-o", model, *OPTIONS, "--odd", selection) == 0
    assert load(model).score_state_["marked"]["weights"].any()
    assert main(["info", str(model)]) == 0
    assert "295 rows, 5 marked odd left out, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,verdict\ngood 0,odd\n", "there must be a column 'mark'"),
        (
            "name,mark\ngood 1,strange\n",
            "the mark of 'good 1' must be odd, normal or nothing; got 'strange'.",
        ),
        ("name,mark\nnobody,odd\n", "none of the rows it marks is there, such as 'nobody'"),
        ("name,mark\nx,odd\nx,normal\n", "'x' is marked both odd and normal."),
        ("name,mark\ngood 1,true\n", "the mark of 'good 1' must be odd, normal or nothing; got 'true'."),
        ("name,mark\ngood 1,\ngood 2,0\n", "the column 'mark' must say odd or normal somewhere"),
    ],
)
def test_marks_that_say_nothing(text, words, table, tmp_path, capsys):
    (tmp_path / "looked.csv").write_text(text)
    model = tmp_path / "m.safetensors"
    assert run("fit", table, "-o", model, *OPTIONS, "--marks", tmp_path / "looked.csv") == 2
    assert words in capsys.readouterr().err
    assert not model.exists()


def test_a_selection_that_has_a_column_of_marks_says_what_is_odd(table, tmp_path, capsys):
    names, model = pd.read_csv(table)["name"], tmp_path / "m.safetensors"
    sheet = pd.DataFrame({"name": names[:10], "mark": ["odd", "", "normal"] + [""] * 7})
    sheet.to_csv(tmp_path / "looked.csv", index=False)
    pd.DataFrame({"name": [names[20], "nobody"], "mark": [-1, 1]}).to_parquet(tmp_path / "more.parquet")
    pd.DataFrame({"name": [names[21]], "mark": [1.0]}).to_csv(tmp_path / "third.csv", index=False)
    several = ("--marks", tmp_path / "more.parquet", "--marks", tmp_path / "third.csv")
    options = ("--odd", tmp_path / "looked.csv", *several, *OPTIONS[1:2], "1", *OPTIONS[3:], "--json")
    assert run("fit", table, "-o", model, *options) == 0
    told = json.loads(capsys.readouterr().out)
    assert [told[f"n_marked_{kind}"] for kind in ("odd", "normal", "unknown")] == [2, 2, 1]


def test_files_that_contradict_each_other(table, tmp_path, capsys):
    (tmp_path / "1.csv").write_text("name,mark\ngood 1,odd\n")
    (tmp_path / "2.csv").write_text("name,mark\ngood 1,normal\n")
    names = pd.read_csv(table)["name"].tolist()
    for path in (tmp_path / "1.csv", tmp_path / "2.csv"):
        path.write_text(path.read_text().replace("good 1", names[0]))
    given = ("--marks", tmp_path / "1.csv", "--marks", tmp_path / "2.csv")
    assert run("fit", table, "-o", tmp_path / "m.safetensors", *OPTIONS, *given) == 2
    told = f"A row must be marked odd or normal; got both of 1 row, such as '{names[0]}'."
    assert told in capsys.readouterr().err


def test_names_of_several_rows_are_told(table, tmp_path, capsys):
    rows = pd.read_csv(table).assign(name=[f"lot {i // 20}" for i in range(300)])
    rows.to_csv(tmp_path / "lots.csv", index=False)
    (tmp_path / "looked.csv").write_text("name,mark\nlot 3,odd\n")
    given = ("--id", "name", "--marks", tmp_path / "looked.csv", "--max-iter", "1")
    assert run("fit", tmp_path / "lots.csv", "-o", tmp_path / "m.safetensors", *given) == 0
    told = capsys.readouterr().err
    assert "Marked: 20 odd" in told
    assert "Marks of 1 name, such as lot 3, are of several rows each" in told


def test_marks_that_somebody_made_are_not_lost(table, tmp_path, capsys):
    model, looked = tmp_path / "m.safetensors", tmp_path / "looked.csv"
    assert run("fit", table, "-o", model, "-q", "--max-iter", "1", "--id", "name") == 0
    for top in (1, 10):  # what nobody has filled in is replaced
        assert run("score", model, table, "--id", "name", "--marks", looked, "--top", top, "-q") == 0
        assert len(pd.read_csv(looked)) == top
    pd.read_csv(looked).assign(mark=["odd", *[""] * 9]).to_csv(looked, index=False)
    before = looked.read_bytes()
    assert run("score", model, table, "--id", "name", "--marks", looked, "-q") == 2
    assert "has marks that somebody made" in capsys.readouterr().err
    assert looked.read_bytes() == before


def test_a_detector_of_patches_learns_no_marks(part_model, photos, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    given = ("--model", "patches", "--marks", tmp_path / "looked.csv")
    assert run("fit", photos, "-o", model, *given) == 2
    assert "--marks: is for autoencoders: give --model vae." in capsys.readouterr().err
    assert run("score", part_model, photos, "--marks", tmp_path / "looked.csv") == 2
    assert "--marks: needs an autoencoder" in capsys.readouterr().err


def test_images_are_known_by_their_place(photos, photo_model, tmp_path, monkeypatch, capsys):
    looked, model = tmp_path / "looked.csv", tmp_path / "m.safetensors"
    assert run("score", photo_model, photos, "--marks", looked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["marks"] == str(looked)
    handed = pd.read_csv(looked).assign(mark=["odd"] * 3 + ["normal"] * 7)
    handed.to_csv(looked, index=False)
    monkeypatch.chdir(photos)
    options = ("--model", "vae", "--max-iter", "1", "--set", "hidden_channels=()", "-q")
    assert run("fit", ".", "-o", model, "--marks", looked, *options) == 0
    assert load(model)[-1].score_state_["marked"]["weights"].any()

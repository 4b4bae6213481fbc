"""Images that are judged given columns of a table beside them."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaetools import load, stream_scores
from vaetools.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def write_images(folder, n, seed):
    """Bright ones by day and dark ones by night, in two sub-folders; and the table of them."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n):
        light, name = ("day", "night")[i % 2], f"{'ab'[i % 3 == 0]}/{i}.png"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        level = {"day": 200, "night": 50}[light]
        Image.fromarray((level + rng.integers(-25, 26, (8, 8))).astype(np.uint8)).save(path)
        rows.append({"light": light, "camera": i // 2 % 2, "file": name, "outside": float(rng.normal())})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_images(folder / "train", 240, 0).to_csv(folder / "train.csv", index=False)
    write_images(folder / "new", 40, 1).to_csv(folder / "new.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def model(photos):
    path = photos / "m.safetensors"
    told = f"{photos / 'train.csv'}:light,camera=category,outside"
    options = ("--max-iter", "40", "--set", "hidden_channels=()", "-q")
    assert run("fit", photos / "train", "-o", path, "--context", told, *options) == 0
    return path


def table_of(photos, tmp_path, change):
    table = pd.read_csv(photos / "new.csv")
    change(table).to_csv(tmp_path / "meta.csv", index=False)
    return tmp_path / "meta.csv"


def test_an_image_is_odd_in_a_context_that_is_not_its_own(model, photos, tmp_path, capsys):
    estimator = load(model)[-1]
    assert estimator.context_.names == ["light", "camera", "outside"]
    assert [column.values for column in estimator.context_.columns.columns] == [
        ["day", "night"],
        ["0", "1"],
        [],
    ]
    swap = {"day": "night", "night": "day"}

    def swapped(table):  # of five images; rows in another order, and of other files
        table.loc[:4, "light"] = table.loc[:4, "light"].map(swap)
        others = table.head(3).assign(file=["x/1.png", "x/2.png", "x/3.png"])
        return pd.concat([table, others]).sample(frac=1, random_state=0)

    meta = table_of(photos, tmp_path, swapped)
    capsys.readouterr()
    out = tmp_path / "s.csv"
    assert run("score", model, photos / "new", "--context", meta, "-o", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["threshold"] is None
    assert told["notes"] == [
        f"Images are named by the column 'file' of {meta}; 3 of its 43 rows name files that are not there."
    ]
    scored = pd.read_csv(out)
    number = scored["path"].str.extract(r"(\d+)\.png")[0].astype(int)
    assert (scored["verdict"][number < 5] == "odd").all()
    assert (scored["verdict"][number >= 5] == "odd").mean() < 0.25
    [part] = stream_scores(load(model), photos / "new", context=photos / "new.csv")
    np.testing.assert_allclose(part.table["p_value"], estimator.p_values(part.X, part.context))
    assert not np.allclose(part.table["score"], scored["score"])


def test_a_page_and_maps_and_codes_are_of_a_context(model, photos, tmp_path):
    context = "--context", photos / "new.csv"
    page, maps = tmp_path / "odd.html", tmp_path / "maps"
    assert (
        run("score", model, photos / "new", *context, "--html", page, "--maps", maps, "-q", "--top", "3") == 0
    )
    assert "Given light=" in page.read_text()
    assert len(list(maps.rglob("*.tif"))) == 40
    assert run("embed", model, photos / "new", *context, "-o", tmp_path / "codes.csv", "-q") == 0
    assert len(pd.read_csv(tmp_path / "codes.csv")) == 40
    again = tmp_path / "r.safetensors"
    assert run("recalibrate", model, photos / "new", *context, "-o", again, "-q") == 0
    assert len(load(again)[-1].calibration_labels_) == 40


def test_images_without_their_row_are_listed(model, photos, tmp_path, capsys):
    def damaged(table):
        table = table.astype({"camera": str})
        table.loc[1, "light"], table.loc[2, "light"], table.loc[3, "outside"] = "dusk", None, None
        return pd.concat([table.drop(0), table.loc[[4]]])

    meta = table_of(photos, tmp_path, damaged)
    out = tmp_path / "s.csv"
    assert run("score", model, photos / "new", "--context", meta, "-o", out, "-q") == 1
    assert len(pd.read_csv(out)) == 35
    said = capsys.readouterr().err
    for name, words in (
        ("b/0.png", "has no row of it"),
        ("a/1.png", "column 'light' is 'dusk', none of 'day', 'night'"),
        ("a/2.png", "column 'light' is missing"),
        ("b/3.png", "column 'outside' is missing"),
        ("a/4.png", "has 2 rows of it: 3, 39"),
    ):
        assert any(name in line and words in line for line in said.splitlines()), (name, said)
    table = pd.read_csv(photos / "train.csv")
    table.loc[2, "light"] = None
    pd.concat([table.drop(0), table.loc[[4]]]).to_csv(meta, index=False)
    line = "fit", photos / "train", "-o", tmp_path / "m.safetensors", "--context", f"{meta}:light"
    assert run(*line, "--max-iter", "1", "--json") == 1
    failed = json.loads(capsys.readouterr().out)["failed"]
    assert sorted(each["id"].rpartition("/")[2] for each in failed) == ["0.png", "2.png", "4.png"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["score", "{model}", "{new}"], "the model judges images given 'light', 'camera', 'outside'. Name a"),
        (["score", "{model}", "{new}", "--context", "{other}"], "from their folder on, as 'a/1.png'; got"),
        (["score", "{model}", "{new}", "--context", "{csv}", "-o", "{csv}"], "--output"),
        (["fit", "{new}", "-o", "{out}", "--context", "light"], "of images is TABLE:light"),
        (
            ["fit", "{new}", "-o", "{out}", "--context", "{csv}:light", "--model", "patches"],
            "photographs takes none",
        ),
        (
            ["fit", "{csv}", "-o", "{out}", "--context", "{csv}:light"],
            "of a table names its columns alone",
        ),
        (["fit", "{new}", "-o", "{out}", "--context", "{csv}:lights"], "there is no column 'lights'"),
        (["report", "{model}", "{new}", "-o", "{out}.html"], "as context"),
        (["similar", "{model}", "{new}/a/1.png", "{new}"], "images given a context, which is not taken here"),
        (["morph", "{model}", "{new}/a/1.png", "{new}/a/2.png", "-o", "{out}.png"], "is not taken here"),
        (["watch", "{model}", "{new}", "--state", "{out}"], "reference must be given"),
        (
            ["watch", "{model}", "{new}", "--state", "{out}", "--reference", "{new}", "--context", "{csv}"],
            "make the state from it alone",
        ),
    ],
)
def test_what_is_no_context_of_images_is_refused(command, words, model, photos, tmp_path, capsys):
    (tmp_path / "other.csv").write_text("light,file\nday,nowhere.png\n")
    names = {"csv": photos / "new.csv", "new": photos / "new", "out": tmp_path / "o.safetensors"}
    names |= {"other": tmp_path / "other.csv", "model": model}
    assert run(*(part.format(**names) for part in command)) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_images_in_their_context_are_handed_out_to_be_marked(model, photos, tmp_path):
    line = (photos / "new", "--context", photos / "new.csv", "-q")
    assert run("score", model, *line, "--marks", tmp_path / "looked.csv") == 0
    handed = pd.read_csv(tmp_path / "looked.csv")
    assert handed.columns[:2].tolist() == ["path", "mark"]
    assert 6 <= handed["path"].nunique() == len(handed) <= 10


def test_images_are_watched_in_their_context(model, photos, tmp_path, capsys):
    write_images(tmp_path / "june", 120, 2).to_csv(tmp_path / "june.csv", index=False)
    table = write_images(tmp_path / "july", 120, 3)
    table.to_csv(tmp_path / "july.csv", index=False)
    swap = {"day": "night", "night": "day"}
    table.assign(light=table["light"].map(swap)).to_csv(tmp_path / "odd.csv", index=False)
    for name, status in (("july", 0), ("odd", 3)):
        state = ("--state", tmp_path / f"{name}.safetensors")
        made = (*state, "--reference", tmp_path / "june", "--context", tmp_path / "june.csv", "-q")
        assert run("watch", model, *made) == 0
        told = ("--context", tmp_path / f"{name}.csv", "--json")
        capsys.readouterr()
        assert run("watch", model, tmp_path / "july", *state, *told) == status
    assert json.loads(capsys.readouterr().out)["alarm"]["of_odd"]
    assert run("watch", model, tmp_path / "july", "--state", tmp_path / "july.safetensors") == 2
    assert "as context" in capsys.readouterr().err


def test_images_are_explored_in_their_context(model, photos, tmp_path, capsys):
    line = ("explore", model, photos / "new", "--map", "pca", "-o", tmp_path / "p.html")
    assert run(*line, "--context", photos / "new.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_explored"] == 40
    assert run(*line) == 2
    assert "as context" in capsys.readouterr().err


def test_images_are_compared_in_their_context(model, photos, tmp_path, capsys):
    page = tmp_path / "p.html"
    line = ("report", model, photos / "new", "--context", photos / "new.csv", "--map", "pca", "-o", page)
    assert run(*line, "--explore", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_samples"], found["models"][0]["threshold"]) == (40, None)
    assert (tmp_path / "p-explore.html").exists()

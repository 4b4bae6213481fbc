import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaetools
from vaetools.__main__ import main

QUICK = ["--model", "cvae", "-q", "--set", "hidden_layer_sizes=32,"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """300 rows of three kinds, as text, number and truth; row 7 has the label of another."""
    rng = np.random.default_rng(0)
    kinds = np.arange(300) % 3
    rows = (
        np.array([[0, 0], [5, 0], [0, 5]])[kinds] + rng.normal(size=(300, 1)) + rng.normal(size=(300, 2)) / 5
    )
    frame = pd.DataFrame(rows, columns=["a", "b"]).assign(order=[f"no {i}" for i in range(300)])
    kinds[7] = 0  # was 1
    frame["kind"], frame["number"], frame["first"] = np.array(["x", "y", "z"])[kinds], kinds, kinds == 0
    path = tmp_path_factory.mktemp("flowers") / "flowers.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def models(flowers, tmp_path_factory):
    """A model of every column of labels."""
    folder = tmp_path_factory.mktemp("models")
    for column in ("kind", "number", "first"):
        drop = [word for name in {"kind", "number", "first"} - {column} for word in ("--drop", name)]
        options = ["--id", "order", "--labels", column, "--max-iter", "200", "--beta", "0.1", *drop, *QUICK]
        assert run("fit", flowers, "-o", folder / f"{column}.safetensors", *options) == 0
    return folder


@pytest.mark.parametrize("column", ["kind", "number", "first"])
def test_every_label_has_its_probability_and_p_value(column, flowers, models, tmp_path, capsys):
    model, path = models / f"{column}.safetensors", tmp_path / "labels.csv"
    assert run("labels", model, flowers, "--labels", column, "--id", "order", "-o", path) == 0
    table, frame, cvae = pd.read_csv(path), pd.read_csv(flowers), vaetools.load(model)
    assert table.columns.tolist() == ["order", "label", "log_probability", "likeliest", "p_value"]
    assert table["order"].tolist() == frame["order"].tolist()
    assert table["label"].tolist() == frame[column].tolist()
    X, codes = frame[["a", "b"]], np.searchsorted(cvae.classes_, frame[column])
    log_proba = cvae.label_log_proba(X)
    np.testing.assert_allclose(
        table["log_probability"], log_proba[np.arange(300), codes], rtol=1e-8, atol=1e-12
    )
    assert table["likeliest"].tolist() == cvae.classes_[log_proba.argmax(axis=1)].tolist()
    n_unlikely = (table["likeliest"] != table["label"]).sum()
    assert 1 <= n_unlikely < 20
    assert f"300 rows with labels; of {n_unlikely} another label is likelier" in capsys.readouterr().err
    np.testing.assert_allclose(table["p_value"], cvae.p_values(X, frame[column]))


def test_a_wrong_label_comes_first(flowers, models, capsys):
    assert run("labels", models / "kind.safetensors", flowers, "--labels", "kind", "--top", "3", "-q") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["row", "label", "log_probability", "likeliest", "p_value"]
    assert lines[2].split()[:2] == ["7", "x"]
    assert lines[2].split()[3] == "y"


@pytest.mark.parametrize(
    ("suffix", "column", "written"),
    [
        ("csv", "number", lambda kinds: " " + kinds.astype(str)),
        ("parquet", "number", lambda kinds: kinds.astype(str)),
        ("csv", "number", lambda kinds: kinds.astype(float)),
        ("parquet", "number", lambda kinds: kinds.astype(float)),
        ("csv", "first", lambda truths: truths.astype(str).str.upper()),
        ("csv", "first", lambda truths: truths.astype(int)),
        ("parquet", "first", lambda truths: truths.astype(int)),
        ("csv", "kind", lambda names: names + " "),
    ],
)
def test_labels_are_known_however_they_are_written(
    suffix, column, written, flowers, models, tmp_path, capsys
):
    frame, path = pd.read_csv(flowers), tmp_path / f"t.{suffix}"
    getattr(frame.assign(**{column: written(frame[column])}), f"to_{suffix}")(path, index=False)
    assert run("labels", models / f"{column}.safetensors", path, "--labels", column, "-q") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["label"].tolist() == frame[column].tolist()


def test_a_row_without_a_label_is_listed_under_its_number(flowers, models, tmp_path, capsys):
    frame = pd.read_csv(flowers)
    frame.loc[3, "kind"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = ["--labels", "kind", "--id", "order"]
    assert run("labels", models / "kind.safetensors", tmp_path / "t.csv", *options) == 1
    out, err = capsys.readouterr()
    assert "row 3: column 'kind' is missing" in err
    assert pd.read_csv(io.StringIO(out))["order"].tolist() == frame["order"].drop(3).tolist()


def test_rows_of_unknown_labels_are_kept_and_counted(flowers, models, tmp_path, capsys):
    frame = pd.read_csv(flowers)
    frame.loc[:99, "number"] = 7
    frame.loc[100:109, "number"] = 8
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert run("labels", models / "number.safetensors", tmp_path / "t.csv", "--labels", "number") == 1
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    assert table["label"].tolist() == frame["number"].tolist()
    assert table["log_probability"].isna().tolist() == (frame["number"] > 2).tolist()
    assert "the label of 110 of them: '7' (100), '8' (10).\nThe model knows 0, 1, 2." in err


def test_recalibrated_with_labels_it_has_p_values_of_them(flowers, models, tmp_path, capsys):
    model, new = models / "kind.safetensors", tmp_path / "m.safetensors"
    assert run("recalibrate", model, flowers, "--labels", "kind", "-o", new, "-q") == 0
    frame, cvae = pd.read_csv(flowers), vaetools.load(model)
    cvae.recalibrate(frame[["a", "b"]], frame["kind"])
    X = frame[["a", "b"]]
    np.testing.assert_array_equal(
        vaetools.load(new).p_values(X, frame["kind"]), cvae.p_values(X, frame["kind"])
    )
    assert run("recalibrate", model, flowers, "-o", new) == 0
    assert "p-values within labels are no more. Give --labels" in capsys.readouterr().err
    assert not hasattr(vaetools.load(new), "calibration_labels_")


def test_rows_of_unknown_labels_do_not_calibrate(flowers, models, tmp_path, capsys):
    model, new = models / "number.safetensors", tmp_path / "m.safetensors"
    frame = pd.read_csv(flowers)
    frame["number"] = frame["number"].astype(object)
    frame.loc[5, "number"], frame.loc[6, "number"] = "zero", None
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert run("recalibrate", model, tmp_path / "t.csv", "--labels", "number", "-o", new) == 1
    err = capsys.readouterr().err
    assert "298 rows calibrate" in err
    assert "row 5: label 'zero' is of no row that trained" in err
    assert "row 6: column 'number' is missing" in err
    assert len(vaetools.load(new).calibration_labels_) == 298


@pytest.mark.filterwarnings("ignore:.* has no names of columns")
def test_labels_of_arrays_may_be_missing_or_unknown(flowers, models, tmp_path, capsys):
    frame = pd.read_csv(flowers)
    y = frame["number"].to_numpy(float)
    y[3], y[4] = np.nan, 77
    np.savez(tmp_path / "t.npz", X=frame[["a", "b"]].to_numpy(), labels=y)
    assert (
        run("labels", models / "number.safetensors", tmp_path / "t.npz", "--labels", "labels", "--top", "400")
        == 1
    )
    out, err = capsys.readouterr()
    assert "299 rows with labels; of 1 another label is likelier" in err
    assert "row 3: its label is missing" in err
    assert out.splitlines()[-1].split()[0] == "4"
    assert out.splitlines()[-1].split()[2::2] == ["–", "–"]


def test_json_is_all_that_is_printed(flowers, models, capsys):
    model = models / "number.safetensors"
    assert run("labels", model, flowers, "--labels", "number", "--json", "--top", "2") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert err == ""
    assert (summary["n_rows"], summary["n_unlikely"], summary["n_failed"]) == (300, 1, 0)
    first, second = summary["least_likely"]
    assert (first["row"], first["label"], first["likeliest"]) == (7, 0, 1)
    assert (summary["id"], summary["unknown"]) == ("row", {})
    assert second["label"] == second["likeliest"]


def test_labels_of_images_are_their_folders(tmp_path, capsys):
    def write(pixels, name):
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "in" / name)

    rng = np.random.default_rng(0)
    for label, first in (("dark", 0), ("light", 150)):
        (tmp_path / "in" / label).mkdir(parents=True)
        for i in range(100):
            write(rng.integers(0, 50) + rng.integers(first, first + 50, size=(8, 8)), f"{label}/{i}.png")
    write(bright := rng.integers(180, 230, size=(8, 8)), "dark/wrong.png")
    model = tmp_path / "m.safetensors"
    options = ["--max-iter", "40", "--set", "hidden_channels=()", *QUICK]
    assert run("fit", tmp_path / "in", "-o", model, *options) == 0
    (tmp_path / "in" / "gray").mkdir()
    write(bright, "gray/1.png")
    (tmp_path / "in" / "dark" / "broken.png").write_bytes(b"x")
    capsys.readouterr()
    assert run("labels", model, tmp_path / "in") == 1
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    assert len(table) == 202
    new = table[table["label"] == "gray"]
    assert new["likeliest"].tolist() == ["light"]
    assert new[["log_probability", "p_value"]].isna().all(axis=None)
    least = table.loc[table["log_probability"].idxmin()]
    assert least["path"].endswith("wrong.png")
    assert (least["label"], least["likeliest"]) == ("dark", "light")
    assert "broken.png: not an image" in err
    assert (
        "No row that trained has the label of 1 of them: 'gray' (1).\nThe model knows 'dark', 'light'." in err
    )
    write(bright, "stray.png")
    assert run("labels", model, tmp_path / "in", "--json") == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["unknown"] == {"gray": 1}
    assert [row["reason"] for row in summary["failed"]][
        1
    ] == "lies in no sub-folder, which would be its label"
    chosen = tmp_path / "chosen.txt"
    chosen.write_text("\n".join(str(tmp_path / "in" / name) for name in ("dark/1.png", "light/2.png")))
    assert run("labels", model, chosen, "-q") == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["label"].tolist() == ["dark", "light"]
    assert run("labels", model, tmp_path / "in" / "dark" / "1.png") == 2
    assert "has no labels: put images into sub-folders and name their folder" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:.* the label is hardly used")
def test_without_calibration_rows_there_are_no_p_values(flowers, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    drop = ["--drop", "number", "--drop", "first", "--id", "order", "--labels", "kind"]
    options = ["--max-iter", "2", "--contamination", "0.1", *drop, *QUICK]
    assert run("fit", flowers, "-o", model, *options) == 0
    capsys.readouterr()
    assert run("labels", model, flowers, "--labels", "kind") == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["p_value"].isna().all()
    assert run("labels", model, flowers, "--labels", "kind", "--top", "1") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("–")


def test_it_needs_labels_and_a_model_that_knows_them(flowers, models, order_model, orders, capsys):
    for arguments, message in (
        ((order_model, orders), "labels needs a CVAE of labels, of vaetools fit --model cvae; got a VAE"),
        ((models / "kind.safetensors", flowers), "has no labels: use --labels."),
        ((models / "kind.safetensors", flowers, "--labels", "kind", "--id", "label"), "rename it"),
        ((models / "kind.safetensors", flowers, "--labels", "sort"), "there is no column 'sort'"),
    ):
        assert run("labels", *arguments) == 2
        assert message in capsys.readouterr().err

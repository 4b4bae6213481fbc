"""Whatever a command meets in a folder is read, listed as failed, or counted as left out."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.data.pictures import noise, write_gray
from vaetools.__main__ import main
from vaetools.cli import saying

pytestmark = pytest.mark.filterwarnings("default:.* the label is hardly used")  # by few epochs

QUICK = ["--max-iter", "1", "--set", "hidden_channels=()", "--n-components", "2"]
LINE = "5 files left out: 3 .txt, 1 hidden, 1 .db (-v lists them)."


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder of two labels, with files that are no images."""
    folder = tmp_path_factory.mktemp("beside")
    for label, first in (("a", 0), ("b", 50)):
        (folder / label).mkdir()
        write_gray(folder / label, 50, size=8, first=first)
    for name in ("a/1.txt", "a/2.txt", "3.TXT", ".hidden", "Thumbs.db"):
        (folder / name).write_text("x")
    return folder


@pytest.fixture(scope="module")
def labeled_model(beside, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "cvae.safetensors"
    assert run("fit", beside, "-o", path, "-q", "--model", "cvae", *QUICK) == 0
    return path


@pytest.fixture
def commands(beside, labeled_model, tmp_path):
    """What each command that reads folders is called with."""
    query = beside / "a" / "0000.png"
    return {
        "score": [labeled_model, beside, "-o", tmp_path / "s.csv"],
        "embed": [labeled_model, beside, "-o", tmp_path / "e.csv"],
        "similar": [labeled_model, query, beside, "-o", tmp_path / "n.csv"],
        "labels": [labeled_model, beside, "-o", tmp_path / "l.csv"],
        "recalibrate": [labeled_model, beside, "-o", tmp_path / "r.safetensors"],
        "report": [labeled_model, beside, "-o", tmp_path / "r.html", "--map", "pca"],
        "fit": [beside, "-o", tmp_path / "f.safetensors", *QUICK],
    }


COMMANDS = ["score", "embed", "similar", "labels", "recalibrate"]


@pytest.mark.parametrize("name", [*COMMANDS, "report"])
def test_files_left_out_are_said_in_a_line(name, commands, capsys):
    assert run(name, *commands[name]) == 0
    assert LINE in capsys.readouterr().err.splitlines()
    assert run(name, *commands[name], "-q") == 0
    assert "left out" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["fit", *COMMANDS, "report"])
def test_verbose_lists_them(name, commands, capsys):
    assert run(name, *commands[name], "-v") == 0
    err = capsys.readouterr().err
    lines = err.splitlines()
    start = lines.index("5 files left out: 3 .txt, 1 hidden, 1 .db:")
    assert [line.rpartition("/")[2] for line in lines[start + 1 : start + 6]] == [
        ".hidden (hidden)",
        "3.TXT (.txt)",
        "Thumbs.db (.db)",
        "1.txt (.txt)",
        "2.txt (.txt)",
    ]


@pytest.mark.parametrize("name", ["fit", *COMMANDS])
def test_json_counts_them_by_kind(name, commands, capsys):
    assert run(name, *commands[name], "--json") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert summary["n_ignored"] == 5
    assert summary["ignored"] == {".txt": 3, "hidden": 1, ".db": 1}
    assert len(summary["ignored_paths"]) == 5
    assert "left out" not in err


def test_fit_says_it_before_it_trains(commands, capsys):
    assert run("fit", *commands["fit"]) == 0
    assert "Left out  3 .txt, 1 hidden, 1 .db" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fit", *COMMANDS, "report"])
def test_patterns_choose_what_is_read(name, commands, capsys):
    assert run(name, *commands[name], "--exclude", "**/0000.png", "-v") == 0
    out, err = capsys.readouterr()
    assert "6 files left out: 3 .txt, 1 hidden, 1 .db, 1 excluded:" in err
    if name != "report":
        assert "99 images" in out + err


def test_only_what_is_included_is_scored(beside, labeled_model, tmp_path):
    path = tmp_path / "s.csv"
    assert run("score", labeled_model, beside, "-o", path, "--include", "a/", "--include", "B/0050*") == 0
    names = pd.read_csv(path)["path"].str.replace("\\", "/").str.rpartition("/")
    assert len(names) == 51
    assert names[0].str.endswith("/b").sum() == 1


def test_photographs_that_cannot_be_read_have_status_1(beside, photo_model, tmp_path, capsys):
    folder = tmp_path / "in"
    shutil.copytree(beside / "a", folder)
    (folder / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (folder / "IMG_1.NEF").write_bytes(b"II*\0")
    assert run("score", photo_model, folder, "-o", tmp_path / "s.csv") == 1
    err = capsys.readouterr().err
    assert "2 could not be read:" in err
    assert "HEIC" in err
    assert "a raw photograph (NEF), which is not read: export it" in err
    assert run("score", photo_model, folder, "-o", tmp_path / "s.csv", "--exclude", "IMG_*") == 0


def test_masks_beside_photographs_get_a_hint(photo_model, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    write_gray(folder, 100, size=8)
    noise(8, 8).convert("L").save(folder / "0003_mask.png")
    words = "1 file is named like masks of others, such as"
    assert run("score", photo_model, folder, "-o", tmp_path / "s.csv") == 0
    err = capsys.readouterr().err
    assert words in err
    assert "0003_mask.png: --exclude '*_mask.*' leaves them out." in err
    assert run("score", photo_model, folder, "-o", tmp_path / "s.csv", "--exclude", "*_mask.*") == 0
    assert words not in capsys.readouterr().err
    assert run("fit", folder, "-o", tmp_path / "m.safetensors", *QUICK) == 0
    assert "Masks    1 file is named like masks" in capsys.readouterr().out
    assert run("fit", folder, "-o", tmp_path / "m.safetensors", *QUICK, "--include", "00??.png") == 0
    assert "Masks" not in capsys.readouterr().out


def test_a_path_named_twice_is_scored_once_and_said(beside, photo_model, tmp_path, capsys):
    path = beside / "a" / "0000.png"
    names = tmp_path / "names.txt"
    names.write_text(f"{path}\n\n{path}\n{beside / 'a' / '0001.png'}\n", encoding="utf-16")
    assert run("score", photo_model, names, "-o", tmp_path / "s.csv") == 0
    assert "1 file left out: 1 named again" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "s.csv")) == 2


def test_arrays_of_an_npz_are_chosen(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = {"train": rng.normal(size=(120, 3)), "test": rng.normal(size=(60, 3)), "label": np.arange(120) % 2}
    np.savez(tmp_path / "rows.npz", **rows)
    data, model = tmp_path / "rows.npz", tmp_path / "m.safetensors"
    assert run("fit", data, "-o", model, "--max-iter", "1") == 2
    err = capsys.readouterr().err
    assert "got train (120, 3), test (60, 3), label (120,). Say which, such as --array train." in err
    options = ["--model", "cvae", "--array", "train", "--labels", "label", "--max-iter", "1"]
    assert run("fit", data, "-o", model, *options) == 0
    for name, n in (("train", 120), ("test", 60)):
        for command in ("score", "embed"):
            assert run(command, model, data, "-o", tmp_path / "s.csv", "--array", name) == 0
            assert len(pd.read_csv(tmp_path / "s.csv")) == n
    assert run("labels", model, data, "--array", "train", "--labels", "label", "-o", tmp_path / "l.csv") == 0
    assert run("report", model, data, "--array", "train", "--labels", "label", "--map", "pca") == 0
    assert run("similar", model, "3", data, "--array", "test", "-o", tmp_path / "n.csv") == 0
    assert run("recalibrate", model, data, "--array", "test", "-o", tmp_path / "r.safetensors") == 0
    capsys.readouterr()
    assert run("score", model, data, "--array", "none") == 2
    assert (
        "array must name one of its arrays, train (120, 3), test (60, 3), label (120,)"
        in capsys.readouterr().err
    )


def test_what_does_not_fit_the_data_is_refused(beside, orders, order_model, photo_model, tmp_path, capsys):
    for option, value in (("--exclude", "*.png"), ("--array", "X")):
        assert run("score", order_model, orders, option, value) == 2
        assert "got table" in capsys.readouterr().err
    assert run("score", photo_model, beside, "--array", "X") == 2
    assert "an array is named in an NPZ file; got images" in capsys.readouterr().err
    assert run("score", photo_model, beside, "--array", "X", "-o", tmp_path / "s", "--engine", "ray") == 2
    assert "--array: does not go with --engine ray" in capsys.readouterr().err


def test_an_archive_says_what_to_do(photo_model, tmp_path, capsys):
    (tmp_path / "photos.zip").write_bytes(b"PK\x03\x04")
    assert run("score", photo_model, tmp_path / "photos.zip") == 2
    err = capsys.readouterr().err
    assert "photos.zip: a zip archive, which is not read: unpack it, and name the folder or the file." in err


def test_long_lists_are_bounded(beside, photo_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(saying, "_LISTED", 2)
    assert run("score", photo_model, beside, "-o", tmp_path / "s.csv", "-v") == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition("/")[2] for line in lines[-3:]] == [
        ".hidden (hidden)",
        "3.TXT (.txt)",
        "  and 3 more",
    ]
    assert run("score", photo_model, beside, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_ignored"], len(summary["ignored_paths"])) == (5, 2)


def test_what_lies_beside_parts_of_a_table_is_counted(tmp_path, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), columns=["a", "b"])
    (tmp_path / "t").mkdir()
    frame[:60].to_csv(tmp_path / "t" / "a.csv", index=False)
    frame[60:].to_csv(tmp_path / "t" / "b.txt", index=False)
    for name in ("schema.json", "readme.md", "_SUCCESS"):
        (tmp_path / "t" / name).write_text("x")
    model = tmp_path / "m.safetensors"
    assert run("fit", tmp_path / "t", "-o", model, "--set", "max_iter=2", "--json") == 0
    expected = {"n_ignored": 3, "ignored": {"hidden": 1, ".md": 1, ".json": 1}}
    assert json.loads(capsys.readouterr().out).items() >= expected.items()
    assert run("score", model, tmp_path / "t", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n_scored"], told["n_failed"]) == (120, 0)
    assert told.items() >= expected.items()
    assert run("score", model, tmp_path / "t", "-o", tmp_path / "s.csv") == 0
    assert "3 files left out: 1 hidden, 1 .md, 1 .json (-v lists them)." in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_beside_parts_that_are_not_read_have_failed(suffix, tmp_path, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), columns=["a", "b"])
    folder = tmp_path / "t"
    folder.mkdir()
    getattr(frame, f"to_{suffix}")(folder / f"a.{suffix}", index=False)
    frame.to_json(folder / "b.jsonl", orient="records", lines=True)
    frame.to_csv(folder / "c.csv.zip", index=False)
    (folder / "old.zip").write_bytes(b"x")
    model = tmp_path / "m.safetensors"
    for options in ([], ["-v"], ["--json"]):
        assert run("fit", folder, "-o", model, "--set", "max_iter=2", *options) == 1
        out, err = capsys.readouterr()
        assert "2 could not be read:" in err
        assert "b.jsonl: a table must be" in err
        assert "c.csv.zip: a zip archive, which is not read: unpack it" in err
        assert "1 zip archive" in out or '"zip archive": 1' in out
    for options in ([], ["-v"]):
        assert run("score", model, folder, "-o", tmp_path / "s.csv", *options) == 1
        err = capsys.readouterr().err
        assert "1 file left out: 1 zip archive" in err
        assert "Archives are not read: unpack them, and name the folder." in err
        assert "2 could not be read:" in err
    assert run("score", model, folder, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["n_scored"], told["n_failed"], told["ignored"]) == (120, 2, {"zip archive": 1})

"""Of a folder with sub-folders score says how many of each are flagged."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.data.pictures import write_gray
from vaetools.__main__ import main
from vaetools.stream import sinks


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """30 good images and 20 blank ones in two folders, one of which has a sub-folder, and one beside them."""
    folder = tmp_path_factory.mktemp("test")
    for name in ("good", "blank/more"):
        (folder / name).mkdir(parents=True)
    write_gray(folder / "good", 30, size=8, first=200)
    for i in range(20):
        place = folder / ("blank/more" if i % 2 else "blank")
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(place / f"{i}.png")
    return folder


def expected(path, folder):
    """Counts of a table of scores, by the first folder of every path."""
    table = pd.read_csv(path)
    below = table["path"].str.slice(len(str(folder)) + 1).str.partition("/")
    groups = table.groupby(below[0].where(below[1] == "/", "."))["verdict"]
    return {name: {"n_scored": len(g), "n_odd": int((g == "odd").sum())} for name, g in groups}


@pytest.mark.parametrize("fdr", [[], ["--fdr", "0.5"]])
def test_each_folder_has_its_counts(fdr, tested, photo_model, tmp_path, capsys):
    path = tmp_path / "s.csv"
    assert run("score", photo_model, tested, "-o", path, *fdr) == 0
    counts = expected(path, tested)
    assert {name: count["n_scored"] for name, count in counts.items()} == {"good": 30, "blank": 20}
    assert len({count["n_odd"] for count in counts.values()}) == 2  # they tell the folders apart
    lines = capsys.readouterr().err.splitlines()
    start = lines.index("folder  scored  flagged")
    rows = [line.split() for line in lines[start + 2 : start + 4]]
    assert rows == [[name, str(c["n_scored"]), str(c["n_odd"])] for name, c in counts.items()]
    assert run("score", photo_model, tested, "--json", *fdr) == 0
    assert json.loads(capsys.readouterr().out)["folders"] == counts


def test_images_beside_folders_are_the_folders_own(tested, photo_model, tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        write_gray(tmp_path / "in" / name, 3, size=8)
    write_gray(tmp_path / "in", 2, size=8)
    assert run("score", photo_model, f"{tmp_path}/in/", "-o", tmp_path / "s.csv", "--json") == 0
    counts = json.loads(capsys.readouterr().out)["folders"]
    assert counts == expected(tmp_path / "s.csv", tmp_path / "in")
    assert {name: count["n_scored"] for name, count in counts.items()} == {".": 2, "a": 3, "b": 3}


def test_one_folder_and_files_have_no_table(tested, photo_model, tmp_path, capsys):
    blank = sorted((tested / "blank").glob("*.png"))
    for data in ([tested / "good"], blank, [tested / "good", tested / "blank"], [tested / "*"]):
        assert run("score", photo_model, *data, "-o", tmp_path / "s.csv") == 0
        assert "flagged\n" not in capsys.readouterr().err
    assert run("score", photo_model, tested / "good", "--json") == 0
    assert json.loads(capsys.readouterr().out)["folders"] == {}


def test_a_table_has_none(orders, order_model, capsys):
    assert run("score", order_model, orders, "--json") == 0
    assert json.loads(capsys.readouterr().out)["folders"] == {}


def test_many_folders_are_listed_in_part_and_too_many_not(tested, photo_model, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("vaetools.cli.commands.score._LISTED", 1)
    assert run("score", photo_model, tested, "-o", tmp_path / "s.csv") == 0
    err = capsys.readouterr().err
    assert "\nblank" in err
    assert "\ngood" not in err
    assert "and 1 more, which --json lists" in err
    monkeypatch.setattr(sinks, "MOST_FOLDERS", 1)
    assert run("score", photo_model, tested, "--json") == 0
    assert json.loads(capsys.readouterr().out)["folders"] == {}

"""Every command gives what it found as one JSON document on standard output, and errors, too."""

import json
import re

import click
import pytest

from tests.data.pictures import write_gray
from vaetools.__main__ import main
from vaetools.__main__ import vaetools as group
from vaetools.cli import command_names
from vaetools.datasets import demo


def told(capsys, *arguments, status=0):
    """The document that a command prints."""
    assert main([str(each) for each in arguments] + ["--json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_it_and_lists_its_keys(name):
    command = group.get_command(click.Context(group), name)
    assert "--json" in [option for each in command.params for option in each.opts]
    assert "Keys of --json" in command.help


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dmeo"], "No such command 'dmeo'"),
        (["fit"], "Missing argument"),
        (["info", "{folder}/none.safetensors"], "does not exist"),
        (["score", "{folder}/model.safetensors", "{folder}"], "model.safetensors"),
    ],
)
def test_an_error_is_a_document_and_a_line(arguments, message, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    assert main([each.format(folder=tmp_path) for each in arguments] + ["--json"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.keys() == {"error", "status", "warnings"}
    assert message in found["error"]
    assert found["status"] == 2
    assert err == f"vaetools: {found['error']}\n"


def test_an_interruption_has_its_own_status(tmp_path, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "load_demo", interrupt)
    found = told(capsys, "demo", "-o", tmp_path / "page.html", status=130)
    assert found == {"error": "interrupted; no file is left half-written.", "status": 130, "warnings": []}


def test_drawn_rows_are_in_the_document_unless_a_file_has_them(order_model, tmp_path, capsys):
    found = told(capsys, "sample", order_model, "-n", 3, "--seed", 5)
    assert [list(row) for row in found["rows"]] == [["a", "b", "c"]] * 3
    assert (found["n_drawn"], found["seed"], found["label"], found["output"]) == (3, 5, None, None)
    assert main(["sample", str(order_model), "-n", "3", "--seed", "5"]) == 0
    first = capsys.readouterr().out.splitlines()[1].split(",")
    assert [float(cell) for cell in first] == pytest.approx(list(found["rows"][0].values()), rel=1e-9)
    path = tmp_path / "rows.csv"
    assert told(capsys, "sample", order_model, "-o", path)["rows"] is None
    assert len(path.read_text().splitlines()) == 65


def test_of_drawn_images_and_ways_it_names_the_picture(photo_model, tmp_path, capsys):
    path = tmp_path / "grid.png"
    assert told(capsys, "sample", photo_model, "-n", 4, "-o", path)["output"] == str(path)
    write_gray(tmp_path, 2, size=8)
    a, b = sorted(path for path in tmp_path.glob("*.png") if path.name != "grid.png")
    strip = tmp_path / "strip.png"
    found = told(capsys, "morph", photo_model, a, b, "-o", strip)
    assert found == {"n_steps": 9, "output": str(strip), "warnings": []}


def test_what_could_not_be_read_is_in_every_document(photo_model, tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    write_gray(folder, 20, size=8)
    (folder / "broken.png").write_bytes(b"nothing")
    commands = {
        "score": [],
        "embed": [],
        "explore": ["--map", "pca", "-o", tmp_path / "space.html"],
        "report": ["--map", "pca"],
        "recalibrate": ["-o", tmp_path / "new.safetensors"],
    }
    for name, options in commands.items():
        found = told(capsys, name, photo_model, folder, *options, status=1)
        assert found["n_failed"] == 1, name
        assert re.search("broken.png$", found["failed"][0]["id"]), name
        assert {"n_ignored", "ignored", "ignored_paths", "dialect", "notes"} <= found.keys(), name

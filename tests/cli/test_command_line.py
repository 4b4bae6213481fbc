import os
import subprocess
import sys

import click
import pytest

import vaetools
from vaetools.__main__ import main
from vaetools.__main__ import vaetools as group
from vaetools.cli import command_names

HEAVY = ("torch", "scipy", "sklearn", "pandas", "plotly", "umap", "jinja2", "PIL", "numpy")


def loaded_after(code):
    """Return which heavy packages a fresh Python has loaded after running some code."""
    code += f"\nimport sys; print('LOADED', [name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.rpartition("LOADED ")[2].strip()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"], []])
def test_help_loads_nothing_heavy(arguments):
    assert loaded_after(f"from vaetools.__main__ import main; assert main({arguments}) == 0") == "[]"


def test_the_check_above_sees_what_is_loaded():
    assert loaded_after("import numpy") == "['numpy']"


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vaetools, version {vaetools.__version__}\n"


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_has_help(name, capsys):
    assert main(["--help"]) == 0
    assert name in capsys.readouterr().out
    command = group.get_command(click.Context(group), name)
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dmeo"], "No such command 'dmeo'"),
        (["demo", "--unknown", "10"], "10 is not in the range 0<=x<=9"),
        (["demo", "--unknown", "four"], "'four' is not a valid integer range"),
        (["demo", "--seed", "-1"], "-1 is not in the range"),
        (["demo", "--colour"], "No such option"),
        (["demo", "-o", "/no/such/folder/page.html"], "folder of '/no/such/folder/page.html' does not exist"),
        (["demo", "-o", "/"], "is a directory"),
    ],
)
def test_an_error_is_one_line_and_status_2(arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("vaetools: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("VAE: X is\nodd"), 2, "VAE: X is odd"),
        (OSError("disk full"), 2, "disk full"),
        (ZeroDivisionError("by zero"), 2, "ZeroDivisionError: by zero"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_failing_demo_prints_one_line_and_keeps_the_old_page(
    error, status, message, capfd, tmp_path, monkeypatch
):
    page = tmp_path / "page.html"
    page.write_text("old")

    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("vaetools.datasets.demo.load_demo", fail)
    assert main(["demo", "--quiet", "-o", str(page)]) == status
    assert capfd.readouterr().err.strip() == f"vaetools: {message}" + (
        "; no file is left half-written." if status == 130 else ""
    )
    assert page.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.html"]

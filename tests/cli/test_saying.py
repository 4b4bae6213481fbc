"""What the command line says: in its own words, and with what was perhaps meant."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaetools
import vaetools.estimators.fields
from vaetools.__main__ import main
from vaetools.cli.saying import in_options


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Try size=64.", "Try --size 64."),
        ("pass size=(48, 64), or less", "pass --size 48x64, or less"),
        ("Say decimal='.' or separator=';'.", 'Say --decimal "." or --separator ";".'),
        ("as by drop=['b'].", "as by --drop b."),
        ("as by drop=['a b'].", 'as by --drop "a b".'),
        ("such as encoding='cp1252'.", "such as --encoding cp1252."),
        ("choose likelihood='mixed', which", "choose --likelihood mixed, which"),
        ("max_iter=0 or kl_warmup=0.5,", "--max-iter 0 or --set kl_warmup=0.5,"),
        ("needs learning_rate='constant', because", "needs --set learning_rate=constant, because"),
        ("got image_shape=(1, 8, 8).", 'got --set "image_shape=(1, 8, 8)".'),
        ("condition_encoder=True, fewer", "--set condition_encoder=True, fewer"),
        ("column 'a=1' in year=2020/part, axis=1", "column 'a=1' in year=2020/part, axis=1"),
        ("beta must be a number; got image_shape=None", "beta must be a number; got image_shape=None"),
        (
            "VAE: false_alarm_rate must be below 1; got 2.0.",
            "VAE: --false-alarm-rate must be below 1; got 2.0.",
        ),
        ("VAE: early_stopping needs beta=1", "VAE: --set early_stopping needs --beta 1"),
        ("x.npz: array must name one of its arrays", "x.npz: --array must name one of its arrays"),
        (
            "more steps (max_iter; it made 200) or a higher learning_rate_init (it was 0.004)",
            "more steps (--max-iter; it made 200) or a higher --set learning_rate_init (it was 0.004)",
        ),
        ("a smaller beta (it was 1), 'max_iter (it is'", "a smaller --beta (it was 1), 'max_iter (it is'"),
        (
            "x.npz: an array must hold numbers: rows must be",
            "x.npz: an array must hold numbers: rows must be",
        ),
    ],
)
def test_arguments_of_python_become_options(message, said):
    assert in_options(message) == said


def test_errors_and_warnings_are_said_so(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(100)))
    model = tmp_path / "m.safetensors"
    command = ["fit", str(path), "-o", str(model), "--likelihood", "bernoulli"]
    assert main([*command, "--set", "standardize=True"]) == 2
    err = capsys.readouterr().err
    assert "--set standardize must be 'auto' or False" in err
    assert "='" not in err


@pytest.mark.parametrize(
    "widths", ["hidden_layer_sizes=6", "hidden_layer_sizes=6,", "hidden_layer_sizes=(6,)"]
)
def test_one_width_is_one_layer(widths, tmp_path):
    np.save(tmp_path / "d.npy", np.random.default_rng(0).normal(size=(120, 3)))
    path = tmp_path / "m.safetensors"
    assert (
        main(["fit", str(tmp_path / "d.npy"), "-o", str(path), "--set", widths, "--max-iter", "1", "-q"]) == 0
    )
    assert vaetools.load(path).hidden_layer_sizes == (6,)


def test_a_width_that_is_none_is_refused_with_the_form(tmp_path, capsys):
    np.save(tmp_path / "d.npy", np.zeros((9, 2)))
    arguments = ["fit", str(tmp_path / "d.npy"), "-o", str(tmp_path / "m.safetensors")]
    assert main([*arguments, "--set", "hidden_layer_sizes=x"]) == 2
    assert (
        "--set hidden_layer_sizes must be a tuple of positive integers or 'auto'" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--n-components", "1", "--set", "n_components=2"], "n_components is given twice, as 1 and as 2."),
        (["--set", "tol=1", "--set", "tol=2"], "tol is given twice, as 1 and as 2."),
        (["--device", "cpu", "--set", "device=cuda"], "device is given twice, as cpu and as cuda."),
    ],
)
def test_what_is_given_twice_is_refused(options, told, tmp_path, capsys):
    np.save(tmp_path / "d.npy", np.zeros((9, 2)))
    assert main(["fit", str(tmp_path / "d.npy"), "-o", str(tmp_path / "m.safetensors"), *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.filterwarnings("always:.*by position")
def test_a_warning_is_said_once(tmp_path, capsys):
    nameless = vaetools.VAE(1, max_iter=1, random_state=0).fit(np.random.default_rng(0).normal(size=(120, 3)))
    vaetools.save(nameless, tmp_path / "m.safetensors")
    pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=[*"abc"]).to_csv(
        tmp_path / "t.csv", index=False
    )
    assert main(["similar", str(tmp_path / "m.safetensors"), "3", str(tmp_path / "t.csv")]) == 0
    assert capsys.readouterr().err.count("by position") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scroe", "m", "d"], "No such command 'scroe'. Did you mean 'score'?"),
        (["xyz"], "No such command 'xyz'."),
        (["fit", "d.npy", "-o", "m.safetensors", "--anomaly-score", "tabels"], "Did you mean 'tables'?"),
        (["fit", "d.npy", "-o", "m.safetensors", "--anomaly-score", "zzz"], "got 'zzz'."),
        (["fit", "d.npy", "-o", "m.safetensors", "--set", "bata=2"], "Did you mean 'beta'?"),
    ],
)
def test_what_was_perhaps_meant_is_asked(arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", np.zeros((9, 2)))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"{told}\n")


def test_a_model_that_is_replaced_is_named_before(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        Image.new("L", (8, 8), 60 * i).save(f"{i}.png")
    command = ["fit", "0.png", "1.png", "2.png", "3.png", "-o", "m.safetensors", "--max-iter", "0"]
    command += ["--contamination", "0.3", "--set", "hidden_channels=()"]
    told = []
    for quiet in ([], [], ["-q"]):
        assert main([*command, *quiet]) == 0
        told.append("m.safetensors is there already; it will be replaced" in capsys.readouterr().err)
    assert told == [False, True, False]


def test_a_seed_among_other_parameters_is_obeyed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", np.random.default_rng(0).normal(size=(100, 3)))
    for name, options in {"a": ["--seed", "3"], "b": ["--set", "random_state=3"], "c": []}.items():
        assert main(["fit", "d.npy", "-o", f"{name}.safetensors", "--max-iter", "1", "-q", *options]) == 0
    a, b, c = (vaetools.load(f"{name}.safetensors").offset_ for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("output", ["gone", "closed", "full"])
def test_fit_writes_its_model_though_nobody_reads_what_it_says(output, tmp_path):
    np.save(tmp_path / "d.npy", np.random.default_rng(0).normal(size=(100, 3)))
    command = f"{sys.executable} -m vaetools fit d.npy -o m.safetensors --max-iter 1"
    ways = {
        "gone": f"{command} | true; exit ${{PIPESTATUS[0]}}",
        "closed": f"{command} >&-",
        "full": f"{command} > /dev/full",
    }
    made = subprocess.run(
        ["bash", "-c", ways[output]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0
    assert "Error" not in made.stderr
    assert vaetools.load(tmp_path / "m.safetensors").n_features_in_ == 3


@pytest.mark.filterwarnings("always:.*no file fits:UserWarning")
@pytest.mark.parametrize(("pattern", "told"), [("typo/", True), ("3.png", False)])
def test_a_pattern_that_fits_nothing_is_said(pattern, told, tmp_path, capsys):
    for i in range(5):
        Image.new("L", (8, 8), 50 * i).save(tmp_path / f"{i}.png")
    command = ["fit", str(tmp_path), "-o", str(tmp_path / "m.safetensors"), "--max-iter", "0"]
    command += ["--contamination", "0.3", "--set", "hidden_channels=()", "--exclude", pattern]
    assert main(command) == 0
    assert ('no file fits --exclude "typo/".' in capsys.readouterr().err) == told


def test_standard_input_that_is_closed_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["fit", "-", "-o", str(tmp_path / "m.safetensors")]) == 2
    assert "standard input is closed" in capsys.readouterr().err


def test_a_cache_in_no_folder_is_refused_before_anything_is_read(tmp_path, capsys):
    command = [
        "fit",
        str(tmp_path),
        "-o",
        str(tmp_path / "m.safetensors"),
        "--cache",
        str(tmp_path / "no" / "k.npy"),
    ]
    assert main(command) == 2
    assert "does not exist" in capsys.readouterr().err

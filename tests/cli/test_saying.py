"""What the command line says: in its own words, and with what was perhaps meant."""

import numpy as np
import pytest
from PIL import Image

import vaetools.estimators.parameters
from vaetools.__main__ import main
from vaetools.cli.saying import in_options


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Try size=64.", "Try --size 64."),
        ("pass size=(48, 64), or less", "pass --size 48x64, or less"),
        ("Say decimal='.' or separator=';'.", 'Say --decimal "." or --separator ";".'),
        ("such as encoding='cp1252'.", "such as --encoding cp1252."),
        ("choose likelihood='mixed', which", "choose --likelihood mixed, which"),
        ("max_iter=0 or kl_warmup=0.5,", "--max-iter 0 or --set kl_warmup=0.5,"),
        ("needs learning_rate='constant', because", "needs --set learning_rate=constant, because"),
        ("got image_shape=(1, 8, 8).", 'got --set "image_shape=(1, 8, 8)".'),
        ("condition_encoder=True, fewer", "--set condition_encoder=True, fewer"),
        ("column 'a=1' in year=2020/part, axis=1", "column 'a=1' in year=2020/part, axis=1"),
        ("beta must be a number; got image_shape=None", "beta must be a number; got image_shape=None"),
    ],
)
def test_arguments_of_python_become_options(message, said):
    assert in_options(message) == said


def test_errors_and_warnings_are_said_so(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(100)))
    model = tmp_path / "m.safetensors"
    assert main(["fit", str(path), "-o", str(model), "--set", "early_stopping=True"]) == 2
    err = capsys.readouterr().err
    assert "needs --set learning_rate=constant" in err
    assert "='" not in err


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

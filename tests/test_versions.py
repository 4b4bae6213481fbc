"""What a report of a fault says of the machine."""

import importlib.metadata

import numpy as np
import torch

import vaetools

REQUIRED = ["numpy>=1.26", "nowhere>=1", "gone>=1; extra == 'excel'", "onnx>=1.17; extra == 'onnx'"]
REQUIRED += ["pytest>=8; extra == 'test'", "vaetools[onnx]; extra == 'test'"]


def test_it_says_what_is_there_and_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIRED)
    vaetools.show_versions()
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["vaetools"] == vaetools.__version__
    assert said["numpy"] == np.__version__
    assert said["nowhere"] == "missing"
    assert said["threads"] == f"{torch.get_num_threads()} of torch"
    assert set(said) & {"gone", "pytest"} == set()
    assert list(said)[:6] == ["vaetools", "python", "system", "processor", "threads", "CUDA"]


def test_sources_that_are_not_installed_say_what_they_ask_for(monkeypatch, capsys):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", absent)
    vaetools.show_versions()
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["numpy"] == np.__version__

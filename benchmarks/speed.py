"""How long what everybody does takes, to be compared from commit to commit on one machine.

nox -s speed
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_codspeed import BenchmarkFixture
from sklearn.datasets import load_digits

from vaetools import VAE, load, save

X = load_digits().data


@pytest.fixture(scope="module")
def vae() -> VAE:
    """Return a model of digits."""
    return make_vae().fit(X)


def make_vae() -> VAE:
    """Return a model whose work does not depend on when rows are known well."""
    return VAE(max_iter=10, early_stopping=False, random_state=0)


def test_import(benchmark: BenchmarkFixture) -> None:
    """A process that imports the package and ends."""
    benchmark(subprocess.run, [sys.executable, "-c", "import vaetools"], check=True)


def test_fit(benchmark: BenchmarkFixture) -> None:
    """Ten epochs of 1,797 rows, and their calibration."""
    fitted = benchmark(lambda: make_vae().fit(X))
    assert fitted.n_iter_ == 10


@pytest.mark.parametrize("method", ["score_samples", "transform", "predict", "p_values"])
def test_method(benchmark: BenchmarkFixture, vae: VAE, method: str) -> None:
    """What a fitted model says of 1,797 rows."""
    assert len(benchmark(getattr(vae, method), X)) == len(X)


def test_explain(benchmark: BenchmarkFixture, vae: VAE) -> None:
    """Why 1,797 rows are as odd as they are."""
    assert benchmark(vae.explain, X).surprise.shape == X.shape


def test_load(benchmark: BenchmarkFixture, vae: VAE, tmp_path: Path) -> None:
    """A file becomes a model."""
    save(vae, tmp_path / "digits.safetensors")
    assert benchmark(load, tmp_path / "digits.safetensors").n_features_in_ == X.shape[1]

"""Data that several tests share: small, real or made from a known generator."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # nets are small and tests run side by side

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris


@pytest.fixture(scope="session")
def iris():
    """150 rows of 4 columns, and 3 labels."""
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def digits():
    """1,797 real images of 8×8 pixels in [0, 1], and 10 labels."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="session")
def correlated():
    """240 rows of 6 columns that 3 hidden variables explain, on scales from 0.01 to 1,000."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(240, 3))
    X = hidden @ rng.normal(size=(3, 6)) + 0.2 * rng.normal(size=(240, 6))
    return X * np.array([0.01, 0.1, 1, 10, 100, 1000]) + np.array([0, 5, -3, 100, 0, 1e5])


@pytest.fixture
def quick_demo(monkeypatch):
    """Make the demo's models train for two epochs, and map without UMAP's compilation."""
    import vaetools.cli.commands.demo as command

    make_models = command.make_models

    def short(*arguments, **options):
        models = make_models(*arguments, **options)
        for name in command.COMPARED:
            models[name].set_params(max_iter=2)
        return models

    monkeypatch.setattr(command, "make_models", short)
    monkeypatch.setattr(
        "vaetools.latent.projection._LAYOUTS",
        {"umap": lambda settings, codes: codes[:, : settings.n_components]},
    )

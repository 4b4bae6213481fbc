"""Files and models that the commands work on, made by the commands."""

import numpy as np
import pandas as pd
import pytest

from tests.data.pictures import write_gray
from vaetools.__main__ import main


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """100 gray images of 8×8."""
    folder = tmp_path_factory.mktemp("photos")
    write_gray(folder, 100, size=8)
    return folder


@pytest.fixture(scope="session")
def orders(tmp_path_factory):
    """200 rows of 3 columns on very different scales, with names, as CSV."""
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    rows = np.random.default_rng(0).normal(size=(200, 3)) * [1, 1e4, 1e-3] + [0, 1e5, 1]
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    frame.assign(order=[f"no {i}" for i in range(200)]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def photo_model(photos, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "photos.safetensors"
    options = ["--n-components", "3", "--max-iter", "2", "--set", "hidden_channels=()"]
    assert main(["fit", str(photos), "-o", str(path), "-q", *options]) == 0
    return path


@pytest.fixture(scope="session")
def order_model(orders, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "orders.safetensors"
    assert main(["fit", str(orders), "-o", str(path), "-q", "--max-iter", "2", "--id", "order"]) == 0
    return path

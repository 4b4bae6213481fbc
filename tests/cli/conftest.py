"""Files and models that the commands work on, made by the commands."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

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


SIDE = 72  # pixels of a photograph of a part


def write_parts(folder, n, *, seed, scratched=False):
    """Write gray photographs of stripes and grain, each shifted; across some of them goes a scratch."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        stripes = 140 + 40 * np.sin((np.arange(SIDE) + rng.uniform(0, 12)) * 2 * np.pi / 12)
        pixels = stripes + rng.normal(0, 4, (SIDE, SIDE))
        if scratched:
            row, column = rng.integers(8, SIDE - 24, 2)
            pixels[row : row + 4, column : column + 14] = 40
        Image.fromarray(np.clip(pixels, 1, 255).astype(np.uint8)).save(folder / f"{i}.png")


@pytest.fixture(scope="session")
def parts(tmp_path_factory):
    """A set of photographs of 72×72, as inspection sets are laid out."""
    folder = tmp_path_factory.mktemp("parts")
    write_parts(folder / "train" / "good", 95, seed=0)
    write_parts(folder / "test" / "good", 20, seed=1)
    write_parts(folder / "test" / "scratch", 20, seed=2, scratched=True)
    return folder


@pytest.fixture(scope="session")
def part_model(parts, tmp_path_factory):
    """What the obvious line makes of them, but with few references."""
    path = tmp_path_factory.mktemp("model") / "parts.safetensors"
    given = ["--set", "n_references=100", "-q"]
    assert main(["fit", str(parts / "train" / "good"), "-o", str(path), *given]) == 0
    return path

"""Files of format 1, written when it was new, keep their meaning: they load, and score bit for bit alike."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from vaetools import VAE, load
from vaetools.cli.commands.info import page
from vaetools.persistence.facts import read_facts

FOLDER = Path(__file__).with_name("format_1")
SCORES = np.load(FOLDER / "scores.npz")
N_SCORED = 20


def assert_as_written(name, found):
    """Bit for bit where the kernels are those that wrote the file; others round their sums otherwise."""
    same_kernels = torch.backends.cpu.get_cpu_capability() == str(SCORES["kernels"])
    np.testing.assert_allclose(found, SCORES[name], rtol=0 if same_kernels else 1e-9, atol=0)


@pytest.fixture
def rows(iris):
    return iris[0][:N_SCORED]


def test_an_autoencoder_of_a_table(rows):
    model = load(FOLDER / "table.safetensors")
    table = pd.DataFrame(rows, columns=["sepal length", "sepal width", "Blütenlänge", "petal width"])
    assert_as_written("table", model.score_samples(table))


def test_images_behind_a_reader(digits, tmp_path):
    pixels = np.rint(digits[0][:N_SCORED] * 255).astype(np.uint8).reshape(-1, 8, 8)
    paths = [tmp_path / f"{i}.png" for i in range(N_SCORED)]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    model = load(FOLDER / "images.safetensors", device="cpu")
    assert_as_written("images", model.score_samples(paths))


def test_a_conditional_model_of_mixed_columns(rows):
    kinds = np.array(["x", "y", "z"])[(rows[:, 0] > 5).astype(int) + (rows[:, 1] > 3)]
    table = pd.DataFrame(rows[:, :3], columns=["a", "b", "c"]).assign(wide=rows[:, 3] > 1, kind=kinds)
    table.loc[::7, "b"] = np.nan
    model = load(FOLDER / "mixed.safetensors")
    assert_as_written("mixed", model.score_samples(table))
    assert_as_written("mixed_given", model.score_samples(table, "setosa"))


def test_a_model_and_its_map(rows):
    model = load(FOLDER / "mapped.safetensors")
    assert_as_written("mapped", model[0].score_samples(rows))
    assert_as_written("places", model.transform(rows))


def test_a_checkpoint_of_another_recipe_is_refused(iris, tmp_path):
    path = tmp_path / "fit.ckpt"
    shutil.copy(FOLDER / "fit.ckpt", path)
    options = {"hidden_layer_sizes": (6,), "batch_size": 16, "early_stopping": True, "device": "cpu"}
    model = VAE(2, max_iter=5, learning_rate="constant", random_state=0, **options)
    with pytest.raises(ValueError, match="version of the state is 1 in the file and 3 now"):
        model.fit(iris[0], checkpoint=path)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("table", "AE of rows of 4 columns"),
        ("images", "VAE of gray images of 8 × 8 pixels"),
        ("mixed", "CVAE of rows of 5 columns"),
        ("mapped", "VAE of rows of 4 columns"),
    ],
)
def test_info_reads_them(name, title):
    assert page(read_facts(FOLDER / f"{name}.safetensors")).startswith(f"{name}.safetensors: {title}")

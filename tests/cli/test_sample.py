"""What is written is what the model's own `sample` returns."""

import os
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from torch import nn

from tests.cli.test_command_line import loaded_after
from vaetools import AE, CVAE, VAE, EncoderDecoder, ImageReader, save
from vaetools.__main__ import main

OPTIONS = {"max_iter": 2, "random_state": 0}
COLUMNS = ["größe", "a,b", 'say "x"', "\x1b[31mred"]


@pytest.fixture(scope="session")
def saved(iris, digits, tmp_path_factory):
    """Fitted models and their files, by name."""
    folder = tmp_path_factory.mktemp("sample")
    X, y = iris
    pixels, labels = np.rint(255 * digits[0][:150]).astype(np.uint8), digits[1][:150]
    small = {"image_shape": (1, 8, 8), "hidden_channels": (), "hidden_layer_sizes": (16,)} | OPTIONS
    rng = np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(20)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, size=(12, 20, 3), dtype=np.uint8)).save(path)
    models = {
        "gray": VAE(2, **small).fit(pixels),
        "labeled": CVAE(2, **small).fit(pixels, labels),
        "plain": AE(2, **small).fit(pixels),
        "unbounded": VAE(2, **small).fit(300 * digits[0][:150] - 40),
        "color": make_pipeline(ImageReader(n_jobs=1), VAE(2, contamination=0.1, **OPTIONS)).fit(paths),
        "channels": VAE(2, **small | {"image_shape": (2, 4, 8)}).fit(pixels),
        "table": VAE(2, **OPTIONS).fit(pd.DataFrame(X, columns=COLUMNS)),
        "nameless": AE(2, **OPTIONS).fit(X),
        "named": CVAE(2, **OPTIONS).fit(X, np.array(["setosa", "\x1b[31mred", "c"])[y]),
        "own": AE(network=EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4)), max_iter=0).fit(X),
    }
    for name, model in models.items():
        save(model, folder / f"{name}.safetensors")
    return {name: (model, folder / f"{name}.safetensors") for name, model in models.items()}


def run(saved, name, *arguments):
    return main(["sample", str(saved[name][1]), *map(str, arguments)])


def as_pixels(rows, image_shape):
    """Images as a picture has them, ``(n, height, width, channels)``."""
    images = rows.reshape(-1, *image_shape).transpose(0, 2, 3, 1)
    return np.rint(255 * images.clip(0, 1)).astype(np.uint8)


def cells(picture, height, width, n):
    """Cut a picture into images that lie one pixel apart, in reading order."""
    picture = picture.reshape(*picture.shape[:2], -1)
    n_columns = (picture.shape[1] + 1) // (width + 1)
    corners = [(i // n_columns * (height + 1), i % n_columns * (width + 1)) for i in range(n)]
    return np.stack([picture[top : top + height, left : left + width] for top, left in corners])


def test_gray_images_are_those_of_the_model(saved, tmp_path, capsys):
    path = tmp_path / "grid.png"
    assert run(saved, "gray", "-n", 10, "--seed", 3, "-o", path) == 0
    assert capsys.readouterr() == ("", f"10 images drawn. Written: {path}\n")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.mode == "L"
        large = np.asarray(image)
    assert large.shape == (8 * (3 * 9 - 1), 8 * (4 * 9 - 1))  # enlarged by 8, in 4 columns
    picture = large[::8, ::8]
    np.testing.assert_array_equal(picture.repeat(8, axis=0).repeat(8, axis=1), large)
    expected = as_pixels(saved["gray"][0].sample(10, random_state=3), (1, 8, 8))
    assert expected.std() > 5  # not all alike
    np.testing.assert_array_equal(cells(picture, 8, 8, 10), expected)
    assert set(picture[8]) == {128}  # a line between the images
    assert set(picture[-8:, 18:].ravel()) == {128}  # where no image is left
    assert os.listdir(tmp_path) == ["grid.png"]


def test_color_images_are_those_of_the_model(saved, tmp_path):
    path = tmp_path / "grid.PNG"
    assert run(saved, "color", "-n", 3, "--columns", 5, "-o", path) == 0
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert image.size == (3 * (3 * 21 - 1), 3 * 12)  # no column without an image
        picture = np.asarray(image)[::3, ::3]
    expected = as_pixels(saved["color"][0][-1].sample(3, random_state=0), (3, 12, 20))
    np.testing.assert_array_equal(cells(picture, 12, 20, 3), expected)


@pytest.mark.parametrize(
    ("arguments", "n_columns"), [([], 8), (["-n", 20], 4), (["-n", 1], 1), (["--columns", 64], 64)]
)
def test_a_picture_is_about_square_unless_it_is_told_otherwise(arguments, n_columns, saved, tmp_path):
    name = "color" if arguments == ["-n", 20] else "gray"  # 20 images of 20×12 pixels: 80 by 60
    assert run(saved, name, *arguments, "-o", tmp_path / "grid.png") == 0
    width, factor = (20, 3) if name == "color" else (8, 8)
    with Image.open(tmp_path / "grid.png") as image:
        assert image.width == factor * (n_columns * (width + 1) - 1)


def test_an_ae_draws_from_the_rectangle_of_its_codes(saved, tmp_path):
    assert run(saved, "plain", "-n", 4, "-o", tmp_path / "grid.png") == 0
    picture = np.asarray(Image.open(tmp_path / "grid.png"))[::8, ::8]
    model = saved["plain"][0]
    codes = np.random.RandomState(0).uniform(*model.code_range_, size=(4, 2))
    np.testing.assert_array_equal(
        cells(picture, 8, 8, 4), as_pixels(model.inverse_transform(codes), (1, 8, 8))
    )


def test_a_label_is_found_by_its_text(saved, tmp_path):
    assert run(saved, "labeled", "--label", "8", "-n", 4, "-o", tmp_path / "eights.png") == 0
    picture = np.asarray(Image.open(tmp_path / "eights.png"))[::8, ::8]
    expected = as_pixels(saved["labeled"][0].sample(4, y=8, random_state=0), (1, 8, 8))
    np.testing.assert_array_equal(cells(picture, 8, 8, 4), expected)
    other = as_pixels(saved["labeled"][0].sample(4, y=3, random_state=0), (1, 8, 8))
    assert (other != expected).any()


def test_pixels_without_a_range_get_one(saved, tmp_path, capsys):
    assert run(saved, "unbounded", "-n", 4, "-o", tmp_path / "grid.png") == 0
    rows = saved["unbounded"][0].sample(4, random_state=0)
    low, high = rows.min(), rows.max()
    said = capsys.readouterr().err.replace("−", "-")
    assert f"Black is {low:.2f} and white {high:.2f}" in said
    picture = np.asarray(Image.open(tmp_path / "grid.png"))[::8, ::8]
    expected = as_pixels((rows - low) / (high - low), (1, 8, 8))
    np.testing.assert_array_equal(cells(picture, 8, 8, 4), expected)
    assert expected.min() == 0
    assert expected.max() == 255


@pytest.mark.parametrize(
    ("name", "columns"),
    [("table", COLUMNS), ("nameless", ["x0", "x1", "x2", "x3"]), ("channels", [f"x{i}" for i in range(64)])],
)
def test_rows_are_those_of_the_model(name, columns, saved, tmp_path):
    path = tmp_path / "rows.csv"
    assert run(saved, name, "-n", 7, "--seed", 5, "-o", path) == 0
    table = pd.read_csv(path)
    assert list(table) == columns
    expected = saved[name][0].sample(7, random_state=5)
    np.testing.assert_allclose(table, expected, rtol=1e-9)
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_rows_go_to_standard_output(saved, tmp_path, capfd):
    assert run(saved, "table", "-n", 7, "-o", tmp_path / "rows.csv") == 0
    capfd.readouterr()
    assert run(saved, "table", "-n", 7) == 0
    out, err = capfd.readouterr()
    assert out == (tmp_path / "rows.csv").read_text()
    assert "\x1b[31mred" in out  # a pipe gets what a file gets
    assert err == ""


def test_a_terminal_gets_no_controls(saved, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(saved, "table", "-n", 1) == 0
    assert capsys.readouterr().out.splitlines()[0] == r'größe,"a,b","say ""x""",\x1b[31mred'


def test_rows_of_a_label(saved, capsys):
    assert run(saved, "named", "-n", 2, "--label", "setosa") == 0
    table = np.array([line.split(",") for line in capsys.readouterr().out.splitlines()[1:]], float)
    np.testing.assert_allclose(table, saved["named"][0].sample(2, "setosa", random_state=0), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("gray", [], "Missing option '-o' / '--output': the model makes images"),
        (
            "gray",
            ["-o", "{}/rows.csv"],
            "must end in .png, because the model makes images; got '{}/rows.csv'",
        ),
        ("table", ["-o", "{}/grid.png"], "must end in .csv, because the model makes rows; got '{}/grid.png'"),
        ("gray", ["-o", "{}/grid.jpg"], "must end in .png or .csv; got '{}/grid.jpg'"),
        ("gray", ["-o", "{}/none/grid.png"], "the folder of '{}/none/grid.png' does not exist"),
        ("gray", ["-o", "{}"], "Invalid value for '-o' / '--output': File '{}' is a directory"),
        (
            "gray",
            ["-o", "{}/g.png", "--label", "1"],
            "--label: needs a CVAE of labels; got a model",
        ),
        (
            "labeled",
            ["-o", "{}/g.png", "--label", "eight"],
            "one of '0', '1', '2', '3', '4', '5', '6', '7', '8'",
        ),
        ("named", ["--label", "\x1b[31m"], r"one of '\x1b[31mred', 'c', 'setosa'; got '\x1b[31m'"),
        ("table", ["--columns", "3"], "--columns: arranges images, and the model makes rows"),
        ("gray", ["-n", "0"], "'-n': 0 is not in the range x>=1"),
        ("gray", ["--columns", "0"], "'--columns': 0 is not in the range x>=1"),
        ("gray", ["--seed", "-1"], "'--seed': -1 is not in the range"),
        ("own", [], "needs a module of the architecture of its custom network"),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(name, arguments, message, saved, tmp_path, capsys):
    assert run(saved, name, *(argument.replace("{}", str(tmp_path)) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message.replace("{}", str(tmp_path)) in err
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_file_that_is_no_model(content, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert main(["sample", str(path), "-o", str(tmp_path / "grid.png")]) == 2
    err = capsys.readouterr().err
    assert str(path) in err
    assert err.count("\n") == 1
    assert not (tmp_path / "grid.png").exists()


def test_many_unknown_labels_are_counted(iris, tmp_path, capsys):
    X = iris[0]
    save(CVAE(2, **OPTIONS).fit(X, np.arange(len(X)) % 30), tmp_path / "m.safetensors")
    assert main(["sample", str(tmp_path / "m.safetensors"), "--label", "x"]) == 2
    assert "'18', '19' and 10 more; got 'x'" in capsys.readouterr().err


def test_a_failing_draw_keeps_the_old_picture(saved, tmp_path, monkeypatch, capsys):
    path = tmp_path / "grid.png"
    path.write_text("old")

    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr("vaetools.files.os.replace", fail)
    assert run(saved, "gray", "-o", path) == 2
    assert capsys.readouterr().err == "vaetools: disk full\n"
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["grid.png"]


@pytest.mark.parametrize("command", ["info", "sample", "morph"])
def test_help_is_light(command):
    assert loaded_after(f"from vaetools.__main__ import main; assert main(['{command}', '-h']) == 0") == "[]"

"""The strip holds the two images as the model sees them, and what lies between."""

import os

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from vaetools import AE, CVAE, VAE, ImageReader, save
from vaetools.__main__ import main
from vaetools.latent.paths import interpolate, morph

BAR, GAP = 2, 1  # pixels of 8×8 images


@pytest.fixture(scope="session")
def pixels(digits):
    """200 real images of 8×8 pixels, and labels."""
    return np.rint(255 * digits[0][:200]).astype(np.uint8), digits[1][:200]


@pytest.fixture(scope="session")
def saved(iris, pixels, tmp_path_factory):
    """Fitted models, their files, and two images: a 3 and a 7."""
    folder = tmp_path_factory.mktemp("morph")
    X, y = pixels
    options = {"hidden_layer_sizes": (32,), "max_iter": 150, "random_state": 0}
    shape = {"image_shape": (1, 8, 8), "hidden_channels": ()}
    rng = np.random.default_rng(0)
    photos = [folder / f"photo{i}.png" for i in range(20)]
    for path in photos:
        Image.fromarray(rng.integers(0, 256, size=(10, 20, 3), dtype=np.uint8)).save(path)
    models = {
        "vae": VAE(4, **options, **shape).fit(X),
        "ae": AE(4, **options, **shape).fit(X),
        "cvae": CVAE(4, **options, **shape).fit(X, y),
        "reader": make_pipeline(
            ImageReader(size=(6, 10), n_jobs=1), VAE(2, max_iter=2, contamination=0.1)
        ).fit(photos),
        "table": VAE(2, max_iter=2).fit(iris[0]),
        "flat": VAE(4, **options).fit(X),
        "floats": VAE(4, **options, **shape).fit(X / 255),
        "channels": VAE(4, **options, image_shape=(2, 4, 8)).fit(X),
    }
    for name, model in models.items():
        save(model, folder / f"{name}.safetensors")
    for name, i in {"three": np.flatnonzero(y == 3)[0], "seven": np.flatnonzero(y == 7)[0]}.items():
        Image.fromarray(X[i].reshape(8, 8)).save(folder / f"{name}.png")
    (folder / "text.png").write_text("no image")
    return folder, models


@pytest.fixture
def ends(pixels):
    """Rows of the two images."""
    X, y = pixels
    return X[[np.flatnonzero(y == 3)[0], np.flatnonzero(y == 7)[0]]]


def run(saved, name, first, last, *arguments):
    folder = saved[0]
    paths = [folder / f"{name}.safetensors", folder / first, folder / last]
    return main(["morph", *map(str, paths), *map(str, arguments)])


def as_pixels(rows, image_shape=(1, 8, 8)):
    """Images as a picture has them, ``(n, height, width, channels)``."""
    images = np.reshape(rows, (-1, *image_shape)).transpose(0, 2, 3, 1)
    return np.rint(255 * images.clip(0, 1)).astype(np.uint8)


def read_strip(path, n, width, bar):
    """Return the two images at the ends and those between, and what separates them."""
    with Image.open(path) as image:
        large = np.asarray(image)
    factor = 64 // width
    picture = large[::factor, ::factor].reshape(-1, large.shape[1] // factor, 3 if large.ndim == 3 else 1)
    np.testing.assert_array_equal(
        picture.repeat(factor, 0).repeat(factor, 1), large.reshape(*large.shape[:2], -1)
    )
    lefts = [
        0,
        *(width + bar + i * (width + GAP) for i in range(n)),
        2 * bar + width + n * (width + GAP) - GAP,
    ]
    assert picture.shape[1] == lefts[-1] + width
    images = np.stack([picture[:, left : left + width] for left in lefts])
    used = np.zeros(picture.shape[1], bool)
    for left in lefts:
        used[left : left + width] = True
    return images[[0, -1]], images[1:-1], picture[:, ~used]


@pytest.mark.parametrize("name", ["vae", "ae"])
@pytest.mark.parametrize("n", [2, 9])
def test_the_strip_is_what_the_model_decodes(name, n, saved, ends, tmp_path, capsys):
    path = tmp_path / "strip.png"
    assert run(saved, name, "three.png", "seven.png", *(["--steps", n] if n != 9 else []), "-o", path) == 0
    assert capsys.readouterr() == ("", f"{n} steps decoded. Written: {path}\n")
    originals, made, between = read_strip(path, n, 8, BAR)
    np.testing.assert_array_equal(originals, as_pixels(ends / 255))
    model = saved[1][name]
    codes = np.linspace(*model.transform(ends), n)
    np.testing.assert_array_equal(made, as_pixels(model.inverse_transform(codes)))
    np.testing.assert_array_equal(made[[0, -1]], as_pixels(model.reconstruct(ends)))
    assert (made[0] != made[-1]).any()
    assert set(between.ravel()) == {128}
    assert os.listdir(tmp_path) == ["strip.png"]


def test_a_label_goes_over_as_the_code_does(saved, ends, tmp_path):
    assert run(saved, "cvae", "three.png", "seven.png", "--steps", 5, "-o", tmp_path / "s.png") == 0
    made = read_strip(tmp_path / "s.png", 5, 8, BAR)[1]
    model = saved[1]["cvae"]
    first, last = model.label_proba(ends)
    line = interpolate(*model.transform(ends), n=5)
    expected = np.zeros((5, 64))
    for step, share in enumerate((0, 0.25, 0.5, 0.75, 1)):
        for y, label in enumerate(model.classes_):
            weight = (1 - share) * first[y] + share * last[y]
            expected[step] += weight * model.inverse_transform(line[[step]], [label])[0]
    assert np.abs(made.astype(int) - as_pixels(expected).astype(int)).max() <= 1  # sums in another order
    assert first.argmax() != last.argmax()


def test_labels_may_be_given(saved, ends):
    model = saved[1]["cvae"]
    weights = np.eye(10)[[3, 7]]
    line = interpolate(*model.posterior(ends, [3, 7]).mean, n=4)
    share = np.linspace(0, 1, 4)[:, None]
    expected = (1 - share) * model.inverse_transform(line, 3) + share * model.inverse_transform(line, 7)
    np.testing.assert_allclose(morph(model, ends, 4, weights), expected, rtol=1e-12)


def test_images_are_read_as_the_model_reads_them(saved, tmp_path):
    assert run(saved, "reader", "photo0.png", "seven.png", "--steps", 3, "-o", tmp_path / "s.png") == 0
    reader, model = saved[1]["reader"]
    rows = reader.transform([saved[0] / "photo0.png", saved[0] / "seven.png"])
    originals, made, between = read_strip(tmp_path / "s.png", 3, 10, 2)
    np.testing.assert_array_equal(originals, as_pixels(rows / 255, (3, 6, 10)))
    np.testing.assert_array_equal(made, as_pixels(morph(model, rows, 3), (3, 6, 10)))
    assert set(between.ravel()) == {128}


def test_the_same_image_twice_stays(saved, tmp_path):
    assert run(saved, "vae", "three.png", "three.png", "--steps", 3, "-o", tmp_path / "s.png") == 0
    made = read_strip(tmp_path / "s.png", 3, 8, BAR)[1]
    np.testing.assert_array_equal(made, made[[0, 0, 0]])


@pytest.mark.parametrize(
    ("name", "first", "arguments", "message"),
    [
        (
            "table",
            "three.png",
            ["-o", "{}/s.png"],
            "got a VAE with image_shape None and input scale 'standardize'",
        ),
        (
            "flat",
            "three.png",
            ["-o", "{}/s.png"],
            "got a VAE with image_shape None and input scale 'standardize'",
        ),
        ("floats", "three.png", ["-o", "{}/s.png"], "image_shape (1, 8, 8) and input scale 'unit'"),
        ("channels", "three.png", ["-o", "{}/s.png"], "morph needs a model of gray or RGB images"),
        ("vae", "text.png", ["-o", "{}/s.png"], "text.png: not an image in a known format"),
        ("vae", "none.png", ["-o", "{}/s.png"], "none.png' does not exist"),
        ("none", "three.png", ["-o", "{}/s.png"], "none.safetensors' does not exist"),
        ("vae", "three.png", [], "Missing option '-o' / '--output'"),
        ("vae", "three.png", ["-o", "{}/s.gif"], "must end in .png; got '{}/s.gif'"),
        ("vae", "three.png", ["-o", "{}/none/s.png"], "the folder of '{}/none/s.png' does not exist"),
        ("vae", "three.png", ["-o", "{}/s.png", "--steps", "1"], "1 is not in the range x>=2"),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(name, first, arguments, message, saved, tmp_path, capsys):
    arguments = [argument.replace("{}", str(tmp_path)) for argument in arguments]
    assert run(saved, name, first, "seven.png", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message.replace("{}", str(tmp_path)) in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []

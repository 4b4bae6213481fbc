"""Images of 16 bits: levels as the file holds them, turned, scaled and padded as those of 8 bits are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from tests.data.pictures import png16, tiff
from vaetools import VAE, ImageReader, load, read_images, save
from vaetools.data.decoding import ImageFileError, Recipe, decode, inspect

GRADIENT = (1600 + 5 * np.arange(64).reshape(8, 8, 1)).astype(np.uint16)  # 12 bits of a camera


def deep(height=8, width=8, channels=1, dtype="uint16", aspect="pad"):
    return Recipe((channels, height, width), aspect, dtype)


def read(content, recipe):
    return decode(lambda: content, recipe).reshape(recipe.image_shape)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png16(GRADIENT), GRADIENT),
        (tiff(GRADIENT), GRADIENT),
        (tiff(GRADIENT, order=">"), GRADIENT),
        (tiff(65535 - GRADIENT, interpretation=0), GRADIENT),
        (b"P5 8 8 65535\n" + GRADIENT.astype(">u2").tobytes(), GRADIENT),
    ],
    ids=["PNG", "TIFF", "TIFF, big-endian", "TIFF, white is zero", "PGM"],
)
def test_gray_of_16_bits_is_read_as_it_is(content, expected):
    look = inspect(lambda: content)
    assert (look.dtype, look.is_cut, look.is_colored) == ("uint16", False, False)
    row = read(content, deep())
    assert row.dtype == np.uint16
    np.testing.assert_array_equal(row[0], expected[..., 0])
    np.testing.assert_array_equal(read(content, deep(channels=3)), np.repeat(row, 3, axis=0))


@pytest.mark.parametrize("order", ["<", ">"])
def test_signed_levels_are_read_as_such(order):
    levels = (40 * np.arange(64).reshape(8, 8, 1) - 1000).astype(np.int16)
    content = tiff(levels, order=order)
    assert inspect(lambda: content).dtype == "int16"
    np.testing.assert_array_equal(read(content, deep(dtype="int16"))[0], levels[..., 0])
    padded = read(content, deep(8, 16, dtype="int16"))[0]
    assert (padded[:, :4] == -1000).all()  # black is the least level
    for dtype in ("uint8", "uint16"):
        with pytest.raises(ImageFileError, match=r"its levels are signed, and those .* unsigned"):
            read(content, deep(dtype=dtype))
    with pytest.raises(ImageFileError, match=r"its levels are unsigned, and those .* signed"):
        read(png16(GRADIENT), deep(dtype="int16"))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_colors_of_16_bits_are_read_whole_with_opencv(kind):
    pytest.importorskip("cv2")
    levels = np.random.default_rng(0).integers(0, 4096, (6, 8, 3)).astype(np.uint16)
    content = png16(levels) if kind == "PNG" else tiff(levels, interpretation=2)
    look = inspect(lambda: content)
    assert (look.dtype, look.is_colored, look.height, look.width) == ("uint16", True, 6, 8)
    np.testing.assert_array_equal(read(content, deep(6, 8, 3)), levels.transpose(2, 0, 1))
    luminance = levels @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(read(content, deep(6, 8))[0], luminance, atol=0.51)


@pytest.mark.parametrize("channels", [2, 4])
def test_transparency_of_16_bits_is_put_over_white(channels):
    pytest.importorskip("cv2")
    levels = np.full((8, 8, channels), 3000, np.uint16)
    levels[:, :4, -1], levels[:, 4:, -1] = 0, 65535
    row = read(png16(levels), deep(channels=3))
    assert (row[:, :, :4] == 65535).all()
    assert (row[:, :, 4:] == 3000).all()
    small = read(png16(levels), deep(1, 1, 3))  # half of it is white
    np.testing.assert_allclose(small, (65535 + 3000) / 2, atol=1)


def test_scaling_keeps_levels_between_those_of_8_bits():
    small = read(png16(GRADIENT), deep(4, 4))[0]
    means = GRADIENT.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.abs(small[1:-1, 1:-1].astype(float) - means[1:-1, 1:-1]).max() <= 1
    assert len(np.unique(small)) == 16


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("aspect", ["pad", "crop", "stretch"])
def test_geometry_is_that_of_8_bit_images(tmp_path, orientation, aspect):
    levels = np.random.default_rng(0).integers(0, 256, (10, 16)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    paths = [tmp_path / f"{name}.png" for name in ("shallow", "deep")]
    for path, image in zip(paths, (levels, levels.astype(np.uint16) * 257), strict=True):
        Image.fromarray(image).save(path, exif=exif)
    rows = [
        decode(str(path), deep(6, 9, dtype=dtype, aspect=aspect)).astype(float)
        for path, dtype in zip(paths, ("uint8", "uint16"), strict=True)
    ]
    assert np.abs(rows[0] - rows[1] / 257).max() < 1  # 8 bits are rounded twice
    shallow = decode(str(paths[0]), deep(6, 9, aspect=aspect))
    np.testing.assert_array_equal(shallow, 257 * rows[0])


def test_a_reader_of_8_bits_takes_the_upper_byte():
    np.testing.assert_array_equal(read(png16(GRADIENT), deep(dtype="uint8"))[0], GRADIENT[..., 0] >> 8)
    inverted = tiff(65535 - GRADIENT, interpretation=0)
    np.testing.assert_array_equal(read(inverted, deep(dtype="uint8"))[0], GRADIENT[..., 0] >> 8)


@pytest.fixture
def folder(tmp_path):
    """40 images of 12 bits in 16-bit files, and their levels."""
    rng = np.random.default_rng(0)
    levels = (GRADIENT + rng.integers(0, 200, (40, 8, 8, 1))).astype(np.uint16)
    for i, image in enumerate(levels):
        (tmp_path / f"{i:02}.png").write_bytes(png16(image))
    return tmp_path, levels.reshape(40, 64)


@pytest.mark.parametrize("options", [{}, {"image_shape": (1, 8, 8)}])
def test_a_folder_decides_the_type_and_a_cache_keeps_it(folder, tmp_path_factory, options):
    path, levels = folder
    cache = tmp_path_factory.mktemp("cache") / "rows.npy"
    for images in (
        read_images(path, **options),
        *(read_images(path, cache=cache, **options) for _ in range(2)),
    ):
        assert images.reader.dtype_ == "uint16"
        assert images.X.dtype == np.uint16
        np.testing.assert_array_equal(images.X, levels)
    assert isinstance(images.X, np.memmap)
    (path / "40.png").write_bytes(png16(GRADIENT))
    longer = read_images(path, cache=cache, **options)
    np.testing.assert_array_equal(longer.X, np.r_[levels, GRADIENT.reshape(1, 64)])


@pytest.mark.parametrize(
    ("n_shallow", "dtype", "words"),
    [
        (
            12,
            "uint16",
            "got 8 bits in 12 of 52 that were looked at: 8-bit levels are taken times 257",
        ),
        (90, "uint8", "those of 16 lose the lower byte"),
    ],
)
def test_both_depths_in_a_folder_are_said(folder, n_shallow, dtype, words):
    for i in range(n_shallow):
        Image.new("L", (8, 8), i).save(folder[0] / f"shallow{i}.png")
    with pytest.warns(UserWarning, match=words):
        assert read_images(folder[0]).reader.dtype_ == dtype


def test_one_depth_is_no_reason_to_warn(folder, recwarn):
    ImageReader(n_jobs=1).fit(sorted(map(str, folder[0].iterdir())))
    assert not recwarn.list


def test_images_of_another_depth_than_the_fitted_are_said(folder, tmp_path_factory):
    deep = sorted(str(path) for path in folder[0].iterdir())
    other = tmp_path_factory.mktemp("other")
    shallow = [str(other / f"{i}.png") for i in range(3)]
    for i, path in enumerate(shallow):
        Image.new("L", (8, 8), i).save(path)
    reader = ImageReader(n_jobs=1).fit(deep)
    with pytest.warns(
        UserWarning, match="should have 16 bits, .* got 8 bits in .* of .*: 8-bit levels are taken"
    ):
        np.testing.assert_array_equal(reader.transform(shallow)[:, 0], [0, 257, 514])
    with pytest.warns(UserWarning, match="should have 8 bits, .* got 16 bits in .* of .*: those of 16 lose"):
        ImageReader(n_jobs=1).fit(shallow).transform(deep)


def test_one_image_of_another_depth_is_said(folder, tmp_path, recwarn):
    deep = sorted(str(path) for path in folder[0].iterdir())
    reader = ImageReader(n_jobs=1).fit(deep)
    Image.new("L", (8, 8)).save(tmp_path / "shallow.png")
    reader.transform([Image.new("L", (8, 8))])  # of which nobody knows where it comes from
    assert not recwarn.list
    reader.transform([deep[0], str(tmp_path / "shallow.png")])
    (warning,) = recwarn.list
    assert "got 8 bits in 1 of 2 that were looked at" in str(warning.message)


def test_colors_that_lose_bits_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr("vaetools.data.depth.find_spec", lambda name: None)
    levels = np.random.default_rng(0).integers(0, 65536, (8, 8, 3)).astype(np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(levels, interpretation=2))
    (tmp_path / "b.ppm").write_bytes(b"P6 8 8 65535\n" + levels.astype(">u2").tobytes())
    (tmp_path / "c.png").write_bytes(png16(levels))
    Image.fromarray((levels >> 8).astype(np.uint8)).save(tmp_path / "d.png")
    with pytest.warns(UserWarning, match=r"opencv-python-headless; got 3 of 4 images looked at that keep"):
        images = read_images(tmp_path, n_jobs=1)
    assert images.X.dtype == np.uint8
    expected = (levels >> 8).transpose(2, 0, 1).ravel()
    assert np.abs(images.X.astype(int) - expected).max() <= 1  # of PPM Pillow rounds
    with pytest.raises(ImageFileError, match="colors of 16 bits take a package: pip install opencv"):
        read(png16(levels), deep(channels=3))


def test_a_reader_from_before_reads_as_it_did(tmp_path):
    """Written when all images were read with 8 bits, and fitted on files of 16."""
    pipe = load(Path(__file__).parents[1] / "persistence" / "format_1" / "8_bit_images.safetensors")
    assert pipe[0].dtype_ == "uint8"
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for i, path in enumerate(paths):
        path.write_bytes(png16((np.arange(64).reshape(8, 8, 1) * (500 + i)).astype(np.uint16)))
    expected = [-2.37255972, -2.35947257, -2.35947257]
    with pytest.warns(UserWarning, match="those of 16 lose the lower byte"):
        np.testing.assert_allclose(pipe.score_samples(paths), expected, atol=1e-8)


def test_a_pipeline_of_16_bits_is_saved_and_loaded(folder, tmp_path):
    path, levels = folder
    paths = sorted(str(file) for file in path.iterdir())
    pipe = make_pipeline(
        ImageReader(n_jobs=1),
        VAE(2, image_shape=(1, 8, 8), hidden_channels=(), contamination=0.1, max_iter=3),
    ).fit(paths)
    assert pipe[-1].input_scale_.levels == (0, 4095)
    save(pipe, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert again[0].dtype_ == "uint16"
    assert again[-1].input_scale_.levels == (0, 4095)
    np.testing.assert_array_equal(again.score_samples(paths), pipe.score_samples(paths))
    np.testing.assert_array_equal(again[-1].explain(levels[:3]).value, levels[:3] / 4095)

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.data.pictures import FORMATS, encoded, noise
from vaetools.data import depth
from vaetools.data.decoding import ImageFileError, Recipe, decode, decode_many, inspect

LOSSLESS = ("png", "bmp", "tif", "ppm")


def as_image(row, shape):
    return row.reshape(shape).transpose(1, 2, 0)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes an image to a file and returns its path."""

    def write(image, kind="png", name="image", **options):
        path = tmp_path / f"{name}.{kind}"
        path.write_bytes(encoded(image, kind, **options))
        return str(path)

    return write


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_pixels_that_pillow_gives(write, kind):
    path = write(noise(12, 17), kind)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    row = decode(path, Recipe((3, 12, 17), "pad"))
    assert row.dtype == np.uint8
    assert np.array_equal(as_image(row, (3, 12, 17)), expected)
    if kind in LOSSLESS:
        assert np.array_equal(expected, np.asarray(noise(12, 17)))


def test_gray_is_luma_of_color(write):
    image = noise(8, 8)
    row = decode(write(image), Recipe((1, 8, 8), "pad"))
    assert np.array_equal(row, np.asarray(image.convert("L")).ravel())


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(write, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(noise(40, 60).resize((60, 40)), kind, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    shape = (3, *expected.shape[:2])
    assert np.array_equal(as_image(decode(path, Recipe(shape, "pad")), shape), expected)
    look = inspect(path)
    assert (look.height, look.width) == expected.shape[:2]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_exif_tag_does_not_cost_the_image(write, tmp_path):
    path = write(noise(), "jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert decode(path, Recipe((3, 28, 28), "pad")).any()


def test_transparency_is_put_over_white(write):
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((0, 0), (200, 100, 0, 255))
    row = as_image(decode(write(image), Recipe((3, 4, 4), "pad")), (3, 4, 4))
    assert row[0, 0].tolist() == [200, 100, 0]
    assert (row.reshape(-1, 3)[1:] == 255).all()


@pytest.mark.parametrize("mode", ["LA", "P"])
def test_other_transparency_too(write, mode):
    image = Image.new(mode, (4, 4), 0)
    path = write(image, transparency=0) if mode == "P" else write(image)
    assert (decode(path, Recipe((1, 4, 4), "pad")) == 255).all()


def test_half_transparent_edges_do_not_darken_when_scaled(write):
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 20, 40))  # white beside transparent black
    assert (decode(write(image), Recipe((1, 5, 5), "pad")) == 255).all()


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_16_bit_gray_keeps_its_upper_byte(write, kind):
    values = np.array([[0, 255, 256], [32768, 65280, 65535]], np.uint16)
    row = decode(write(Image.fromarray(values), kind), Recipe((1, 2, 3), "pad"))
    assert row.tolist() == [0, 0, 1, 128, 255, 255]


def test_float_pixels_are_refused_with_what_to_do(write):
    path = write(Image.fromarray(np.zeros((4, 4), np.float32)), "tif")
    with pytest.raises(ImageFileError, match="convert them to 8 or 16 bits") as caught:
        decode(path, Recipe((1, 4, 4), "pad"))
    assert caught.value.path == path


def test_black_and_white_cmyk_and_palettes(write):
    assert decode(write(Image.new("1", (2, 2), 1)), Recipe((1, 2, 2), "pad")).tolist() == [255] * 4
    ink = decode(write(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "jpg"), Recipe((3, 8, 8), "pad"))
    assert np.abs(ink.reshape(3, -1).mean(axis=1) - [255, 0, 0]).max() < 6  # JPEG rounds
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    assert decode(write(palette), Recipe((3, 2, 2), "pad")).reshape(3, 4)[:, 0].tolist() == [9, 8, 7]


def test_the_first_frame_is_read(write):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    path = write(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert decode(path, Recipe((3, 4, 4), "pad")).reshape(3, 16)[:, 0].tolist() == [255, 0, 0]


# An image of 20 × 40: left half black, right half white


@pytest.fixture
def halves(write):
    image = Image.new("L", (40, 20), 10)
    image.paste(250, (20, 0, 40, 20))
    return write(image)


def test_pad_keeps_everything_between_black_bars(halves):
    picture = decode(halves, Recipe((1, 8, 8), "pad")).reshape(8, 8)
    assert (picture[[0, 1, 6, 7]] == 0).all()
    assert picture[3].tolist() == pytest.approx([10, 10, 10, 10, 250, 250, 250, 250], abs=40)
    assert (picture[3, [0, 1, 6, 7]] == [10, 10, 250, 250]).all()


def test_crop_keeps_the_middle(halves):
    picture = decode(halves, Recipe((1, 8, 8), "crop")).reshape(8, 8)
    assert (picture[:, [0, 1, 6, 7]] == [10, 10, 250, 250]).all()


def test_stretch_distorts(halves):
    picture = decode(halves, Recipe((1, 4, 8), "stretch")).reshape(4, 8)
    wide = decode(halves, Recipe((1, 4, 8), "pad")).reshape(4, 8)
    assert np.array_equal(picture, wide)  # the aspect fits
    assert (decode(halves, Recipe((1, 8, 2), "stretch")).reshape(8, 2) != 0).all()


def test_scaling_is_antialiased(write):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    row = decode(write(Image.fromarray(stripes)), Recipe((1, 8, 8), "pad"))
    assert np.abs(row.astype(int) - 128).max() <= 6


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(write, monkeypatch):
    smooth = noise(8, 8).resize((512, 512), Image.Resampling.BICUBIC)
    path = write(smooth, "jpg", quality=95)
    row = decode(path, Recipe((3, 32, 32), "pad"))
    with Image.open(path) as image:
        whole = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).transpose(2, 0, 1).ravel()
    assert np.abs(row.astype(int) - whole).max() <= 6


def test_more_pixels_than_allowed_are_refused_before_decoding(write, monkeypatch):
    path = write(noise(10, 12))
    monkeypatch.setattr(depth, "MAX_PIXELS", 119)
    with pytest.raises(ImageFileError, match="12×10 pixels; at most 119 are read"):
        decode(path, Recipe((3, 10, 12), "pad"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"hello", "not an image in a known format")],
)
def test_reasons(tmp_path, content, reason):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ImageFileError, match=reason):
        decode(str(path), Recipe((1, 4, 4), "pad"))


def test_what_decoders_could_run_is_not_tried(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")  # would call Ghostscript
    with pytest.raises(ImageFileError, match="not an image in a known format"):
        decode(str(path), Recipe((1, 4, 4), "pad"))


def test_pillow_images_are_rows_too_and_other_things_are_not():
    image = noise(4, 4)
    row = decode(image, Recipe((3, 4, 4), "pad"))
    assert np.array_equal(as_image(row, (3, 4, 4)), np.asarray(image))
    with pytest.raises(TypeError, match="a path or a PIL image; got float"):
        decode(float("nan"), Recipe((3, 4, 4), "pad"))


def test_many_are_in_order_without_the_bad_ones(write, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"bad")
    paths = [write(Image.new("L", (2, 2), i), name=str(i)) for i in range(3)]
    paths.insert(1, str(tmp_path / "bad.png"))
    rows, failed = decode_many(paths, Recipe((1, 2, 2), "pad"))
    assert rows[:, 0].tolist() == [0, 1, 2]
    assert [failure.id for failure in failed] == [1]


@pytest.mark.parametrize(("image", "colored"), [(noise(), True), (noise().convert("L"), False)])
def test_color_is_seen_in_pixels_not_in_modes(write, image, colored):
    assert inspect(write(image.convert("RGB"), "jpg")).is_colored == colored

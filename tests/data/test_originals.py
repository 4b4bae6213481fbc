"""What a model saw of an image, put back in its place at the size of the image."""

import numpy as np
import pytest
from PIL import Image

from vaetools.data.decoding import Recipe, decode
from vaetools.data.originals import read_original

SIDE = 32


def spotted(path, width, height, spot, orientation=None):
    """Write a gray image with a white spot of 8×8 pixels, whose upper left corner is given (x, y)."""
    pixels = np.full((height, width), 90, np.uint8)
    pixels[spot[1] : spot[1] + 8, spot[0] : spot[0] + 8] = 255
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return pixels


def height_of(pixels):
    """Height of what is scaled to fit, as a share of the longer side."""
    return pixels.shape[0] / max(pixels.shape)


def width_of(pixels):
    return pixels.shape[1] / max(pixels.shape)


@pytest.mark.parametrize("aspect", ["pad", "crop", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(101, 64), (64, 101), (96, 96), (20, 31)])
@pytest.mark.parametrize("orientation", [None, 2, 3, 4, 5, 6, 7, 8])
def test_a_map_of_what_was_seen_lies_on_the_image(aspect, width, height, orientation, tmp_path):
    spotted(tmp_path / "a.png", width, height, (width // 2 + 1, height // 2 - 7), orientation)
    recipe = Recipe((1, SIDE, SIDE), aspect)
    seen = decode(str(tmp_path / "a.png"), recipe).reshape(SIDE, SIDE).astype(np.float32)
    original = read_original(str(tmp_path / "a.png"), recipe)
    found = original.put_back(seen)
    pixels = original.pixels[0]
    assert (
        found.shape == pixels.shape == ((width, height) if orientation in (5, 6, 7, 8) else (height, width))
    )
    looked_at = ~np.isnan(found)
    assert np.nanmax(found) == seen.max()
    assert looked_at.all() or aspect == "crop"
    assert looked_at.sum() == pytest.approx(min(width, height) ** 2, abs=2 * max(width, height)) or (
        aspect != "crop"
    )
    rows, columns = np.nonzero(pixels > 200)
    bright = np.nonzero(found > 200)
    assert np.median(bright[0]) == pytest.approx(np.median(rows), abs=1 + height / SIDE / 2)
    part = original.without_padding(seen)
    assert part.shape == (
        (SIDE, SIDE)
        if aspect != "pad"
        else (pytest.approx(SIDE * height_of(pixels), abs=1), pytest.approx(SIDE * width_of(pixels), abs=1))
    )
    assert part.max() == seen.max()
    assert np.median(bright[1]) == pytest.approx(np.median(columns), abs=1 + width / SIDE / 2)


def test_the_greatest_value_stays_however_small_the_image(tmp_path):
    spotted(tmp_path / "a.png", 9, 7, (0, 0))
    seen = np.zeros((SIDE, SIDE), np.float32)
    seen[20, 31] = 7.5  # on one pixel of very many
    found = read_original(str(tmp_path / "a.png"), Recipe((1, SIDE, SIDE), "pad")).put_back(seen)
    assert found.shape == (7, 9)
    assert found.max() == found[4, 8] == 7.5
    seen[0, 0] = 8  # on the black above the image
    found = read_original(str(tmp_path / "a.png"), Recipe((1, SIDE, SIDE), "pad")).put_back(seen)
    assert found[0, 0] == 8


def test_deep_images_keep_their_levels(tmp_path):
    levels = np.arange(60, dtype=np.uint16).reshape(6, 10) * 1000
    Image.fromarray(levels).save(tmp_path / "a.png")
    original = read_original(str(tmp_path / "a.png"), Recipe((1, 3, 5), "pad", "uint16"))
    assert np.array_equal(original.pixels[0], levels)

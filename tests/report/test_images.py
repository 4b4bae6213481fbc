import base64
import io

import numpy as np
from PIL import Image

from vaetools.report.images import DIFFERENCE_PALETTE, difference, photo, png_uri, tile


def test_tile_places_every_image_in_reading_order():
    rows = np.array([[0.0, 0.25], [0.5, 0.75], [1.0, 2.0]])  # the last value is clipped
    picture = tile(rows, (1, 1, 2), n_columns=2)
    gray, opaque = picture[..., 0], picture[..., 3]
    assert picture.dtype == np.uint8
    assert np.array_equal(gray, [[0, 64, 0, 128, 191], [0] * 5, [255, 255, 0, 0, 0]])
    assert np.array_equal(opaque, [[255, 255, 0, 255, 255], [0] * 5, [255, 255, 0, 0, 0]])
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_color_planes_become_color_pixels():
    picture = tile(np.array([[1.0, 0.0, 0.5, 0.0, 0.0, 1.0]]), (3, 1, 2), n_columns=1)
    assert np.array_equal(picture[0, :, :3], [[255, 128, 0], [0, 0, 255]])


def test_the_png_holds_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, size=(3, 5, 4), dtype=np.uint8)
    kind, _, data = png_uri(picture).partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), picture)


def test_a_photo_has_the_pixels_of_its_row():
    assert np.array_equal(photo(np.array([-1.0, 0.5, 1.0, 2.0]), (1, 2, 2)), [[0, 128], [255, 255]])
    color = photo(np.array([1.0, 0.0, 0.5, 0.0, 0.0, 1.0]), (3, 1, 2))
    assert np.array_equal(color, [[[255, 128, 0], [0, 0, 255]]])
    assert color.dtype == np.uint8


def test_the_difference_is_absolute_and_of_the_channel_that_differs_most():
    black, gray = np.array([0.0, 1.0, -5.0]), np.array([0.5, 0.0, 0.0])
    assert np.array_equal(difference(black, gray, (1, 1, 3)), [[32, 63, 0]])
    assert np.array_equal(difference(gray, black, (1, 1, 3)), [[32, 63, 0]])
    assert np.array_equal(difference(black, gray, (3, 1, 1)), [[63]])


def test_a_palette_colors_the_differences():
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    _, _, data = png_uri(picture, DIFFERENCE_PALETTE).partition(",")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
    assert np.array_equal(shown.reshape(-1, 3), DIFFERENCE_PALETTE)
    assert DIFFERENCE_PALETTE[[0, -1]].tolist() == [[0, 0, 4], [252, 255, 164]]
    assert np.all(np.diff(DIFFERENCE_PALETTE.sum(axis=1)) > 0)  # the brighter, the further apart

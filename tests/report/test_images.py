import base64
import io

import numpy as np
from PIL import Image

from vaetools.report.images import photo, png_uri, tile


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

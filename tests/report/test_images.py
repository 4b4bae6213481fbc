import base64
import io

import numpy as np
import pytest
from PIL import Image

from vaetools.report.pictures import photo, picture, png_uri, tile


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


def test_a_picture_shows_floats_bytes_and_whole_images_alike():
    overlays = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), np.uint8)
    flat = overlays.transpose(0, 3, 1, 2).reshape(3, -1)
    shown = [
        np.asarray(picture(*each, n_columns=2, zoom=1))
        for each in ((overlays,), (overlays / 255,), (flat, (3, 4, 5)), (flat / 255, (3, 4, 5)))
    ]
    for each in shown:
        assert np.array_equal(each, shown[0])
    assert np.array_equal(shown[0][:4, 6:], overlays[1])
    assert np.array_equal(shown[0][5:, :5], overlays[2])
    assert set(shown[0][4].ravel()) == set(shown[0][5:, 6:].ravel()) == {128}


def test_a_picture_is_about_square_and_enlarged_until_it_can_be_seen():
    rows = np.zeros((9, 64))
    assert picture(rows, (1, 8, 8)).size == (8 * 26, 8 * 26)
    assert picture(rows, (1, 8, 8)).mode == "L"
    assert picture(rows, (1, 8, 8), n_columns=20, zoom=1).size == (80, 8)  # no column without an image
    small, large = (np.asarray(picture(np.eye(4), (1, 2, 2), zoom=zoom)) for zoom in (1, 3))
    assert np.array_equal(small.repeat(3, axis=0).repeat(3, axis=1), large)


@pytest.mark.parametrize(
    ("shape", "image_shape", "options", "shown"),
    [
        ((2, 63), (1, 8, 8), {}, r"\(2, 63\) with image_shape=\(1, 8, 8\)"),
        ((2, 64), None, {}, r"\(2, 64\) with image_shape=None"),
        ((0, 64), (1, 8, 8), {}, r"\(0, 64\)"),
        ((1, 128), (2, 8, 8), {}, r"1 or 3 channels.*image_shape=\(2, 8, 8\)"),
        ((2, 8, 8), None, {}, r"\(2, 8, 8\)"),
        ((2, 64), (1, 8, 8), {"n_columns": 0}, "n_columns must be at least 1, or None; got 0"),
        ((2, 64), (1, 8, 8), {"zoom": -1}, "zoom must be at least 1, or None; got -1"),
    ],
)
def test_what_is_no_picture_is_refused(shape, image_shape, options, shown):
    with pytest.raises(ValueError, match=shown):
        picture(np.zeros(shape), image_shape, **options)


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

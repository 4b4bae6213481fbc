import base64
import io

import numpy as np
import pytest
from PIL import Image

from vaetools.report import pictures
from vaetools.report.pictures import sprite, strip, thumbnail_strip


def picture_of(uri):
    kind, _, data = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def flat_thumbnails(n, height, width):
    """Thumbnails of one shade each, which survives any quality."""
    shades = np.linspace(0, 255, n).astype(np.uint8)
    return np.broadcast_to(shades[:, None, None, None], (n, height, width, 1)), shades


@pytest.mark.parametrize("n", [1, 7, 30])
def test_every_thumbnail_is_where_the_sprite_says(n):
    thumbnails, shades = flat_thumbnails(n, 24, 16)
    found = sprite(thumbnails, 10**6)
    picture, width, height = picture_of(found["uri"]), found["width"], found["height"]
    for i, shade in enumerate(shades):
        top, left = i // found["n_columns"] * height, i % found["n_columns"] * width
        cell = picture[top : top + height, left : left + width]
        assert cell.shape == (24, 16, 3)
        assert int(cell[12, 8, 0]) == pytest.approx(int(shade), abs=6)


def test_a_sprite_keeps_to_its_bytes_by_quality_and_to_its_pixels_by_size(monkeypatch):
    thumbnails = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), np.uint8)
    large, small = sprite(thumbnails, 10**6), sprite(thumbnails, 60_000)
    assert len(small["uri"]) * 3 / 4 <= 60_000 < len(large["uri"]) * 3 / 4
    assert (small["width"], small["height"]) == (32, 32)
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 100 * 16 * 16)
    found = sprite(thumbnails, 10**6)
    assert (found["width"], found["height"]) == (16, 16)
    assert picture_of(found["uri"]).shape == (160, 160, 3)


def test_small_images_are_stored_without_loss():
    rows = np.random.default_rng(0).integers(0, 256, (3, 20)) / 255
    found = strip("name", rows, (1, 4, 5), "words")
    picture = picture_of(found["uri"])
    assert (found["n_columns"], found["crisp"], found["words"]) == (3, True, "words")
    for i, row in enumerate(rows):
        assert np.array_equal(picture[:, i * 6 : i * 6 + 5, 0], np.rint(255 * row).reshape(4, 5))


def test_large_images_are_shrunk():
    found = strip("", np.full((2, 3 * 200 * 100), 0.5), (3, 200, 100), "words", n_columns=1)
    assert not found["crisp"]
    assert picture_of(found["uri"]).shape == (129, 32, 3)


def test_thumbnails_make_the_same_strip():
    thumbnails, _ = flat_thumbnails(4, 3, 2)
    rows = thumbnails.reshape(4, 6) / 255
    assert thumbnail_strip("", thumbnails, "") == strip("", rows, (1, 3, 2), "")

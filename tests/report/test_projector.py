import numpy as np
import pytest
from PIL import Image

from vaetools.report import pictures
from vaetools.report.pictures import make_thumbnails, write_projector


@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_stay_as_they_are(channels):
    rows = np.random.default_rng(0).integers(0, 256, (2, channels * 20), dtype=np.uint8)
    thumbnails = make_thumbnails(rows, (channels, 4, 5))
    assert np.array_equal(thumbnails.transpose(0, 3, 1, 2).reshape(2, -1), rows)
    assert np.array_equal(make_thumbnails(rows / 255, (channels, 4, 5)), thumbnails)


@pytest.mark.parametrize("channels", [1, 3])
def test_large_images_are_shrunk_by_means(channels):
    image = np.zeros((channels, 64, 128), np.uint8)
    image[-1, :, 64:] = 200
    (thumbnail,) = make_thumbnails(image.reshape(1, -1), (channels, 64, 128))
    assert thumbnail.shape == (16, 32, channels)
    assert (thumbnail[:, 16:, -1] == 200).all()
    assert (thumbnail[:, :16] == 0).all()


def test_too_many_pictures_are_drawn_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "_LARGEST_SIDE", 20)
    thumbnails = np.full((9, 10, 10, 1), 77, np.uint8)
    write_projector(tmp_path / "p", list("abcdefghi"), np.zeros((9, 2)), thumbnails)
    sprite = np.asarray(Image.open(tmp_path / "p" / "sprite.png"))
    assert sprite.shape == (18, 18)
    assert (sprite == 77).all()
    assert "single_image_dim: 6" in (tmp_path / "p" / "projector_config.pbtxt").read_text()


def test_names_take_one_line_each(tmp_path):
    write_projector(tmp_path / "p", ["a\nb\tc", "caf\udce9"], np.eye(2), None)
    assert (tmp_path / "p" / "metadata.tsv").read_text() == "a\\nb\\tc\ncaf\\xe9\n"
    assert (tmp_path / "p" / "vectors.tsv").read_text() == "1\t0\n0\t1\n"

"""Newer formats of images, and what is said of those that are not read."""

import io
import sys
import types

import numpy as np
import pytest
from PIL import Image, features

from tests.data.pictures import noise, write_gray
from vaetools import read_images
from vaetools.data import depth
from vaetools.data.decoding import ImageFileError, Recipe, decode, inspect, readable_formats
from vaetools.data.formats import unread_format

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture
def without_heif(monkeypatch):
    """Ask anew which formats there are, before and after, and let nobody have registered HEIC."""
    monkeypatch.setattr(Image, "OPEN", {name: how for name, how in Image.OPEN.items() if name != "HEIF"})
    readable_formats.cache_clear()
    yield
    readable_formats.cache_clear()


@needs_avif
def test_avif_is_read_whatever_its_name(tmp_path):
    image = noise(24, 36)
    image.save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    image.save(tmp_path / "b.png", format="AVIF", quality=100, subsampling="4:4:4")
    images = read_images(tmp_path)
    assert images.image_shape == (3, 24, 36)
    pixels = np.asarray(image).transpose(2, 0, 1).ravel()
    assert np.abs(images.X.astype(int) - pixels).mean() < 3
    assert np.array_equal(images.X[0], images.X[1])


@needs_avif
def test_avif_is_turned_upright(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("L", (40, 20)).save(tmp_path / "a.avif", exif=turned)
    assert inspect(str(tmp_path / "a.avif"))[:2] == (40, 20)


@needs_avif
def test_avif_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    noise(40, 40).save(tmp_path / "a.avif")
    monkeypatch.setattr(depth, "MAX_PIXELS", 1000)
    with pytest.raises(ImageFileError, match="40×40 pixels"):
        decode(str(tmp_path / "a.avif"), Recipe((1, 8, 8), "pad"))


def test_heic_names_the_package_that_it_takes(tmp_path, monkeypatch, without_heif):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
    write_gray(tmp_path, 1)
    (tmp_path / "IMG_1.HEIC").write_bytes(HEIC)
    (tmp_path / "sent.jpg").write_bytes(HEIC)
    failed = read_images(tmp_path).failed
    assert [failure.reason for failure in failed] == [
        "a HEIC image, which takes a package: pip install pillow-heif"
    ] * 2


def test_heic_is_opened_by_the_package(tmp_path, monkeypatch, without_heif):
    """A stand-in for the package: it tells what our part is, with it installed or not."""

    def register():
        Image.register_open("HEIF", open_rest, is_heic)

    def open_rest(file, name):
        with file:
            return Image.open(io.BytesIO(file.read()[len(HEIC) :]))

    def is_heic(head):
        return head[4:12] == b"ftypheic"

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register))
    content = io.BytesIO()
    noise(5, 6).save(content, "PNG")
    (tmp_path / "a.heic").write_bytes(HEIC + content.getvalue())
    assert np.array_equal(read_images(tmp_path).X[0], np.asarray(noise(5, 6)).transpose(2, 0, 1).ravel())


def test_real_heic_is_read(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.HEIC", "HEIF")
    (tmp_path / "b.heic").write_bytes(HEIC)
    images = read_images(tmp_path)
    assert images.image_shape == (3, 20, 40)
    assert (images.X.reshape(3, -1).mean(axis=1).round(-1) == [250, 0, 0]).all()
    assert [failure.reason for failure in images.failed] == ["a damaged HEIC image"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\x0a", "a JPEG XL image, which is not read: convert it to PNG, TIFF or JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image, which is not read: convert it to PNG, TIFF or JPEG"),
        (bytes(128) + b"DICM", "a DICOM image, which is not read: convert it to PNG, TIFF or JPEG"),
        (bytes(257) + b"ustar", "a tar archive: unpack it, and name the folder or the file"),
        (b"%PDF-1.7", "a PDF document, and no image"),
        (b"\0\0\0\x18ftypavif", "an AVIF image, which takes Pillow 11.3 or newer"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0heicavif", "an AVIF image, which takes Pillow 11.3 or newer"),
        (HEIC, "a HEIC image, which takes a package: pip install pillow-heif"),
        (b"\0\0\0\x18ftypcrx ", "a video, or an image of a camera's own format"),
        (b"", None),
        (b"<html>", None),
    ],
)
def test_what_a_file_is_that_is_not_read(head, expected):
    assert unread_format(head, ("PNG",)) == expected


def test_what_would_be_read_is_damaged():
    assert unread_format(HEIC, ("HEIF",)) == "a damaged HEIC image"
    assert unread_format(b"\0\0\0\x18ftypavif", ("AVIF",)) == "a damaged AVIF image"

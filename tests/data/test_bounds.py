"""What a file claims is believed within bounds, before anything is decoded; and one file is one image."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.crafted_images import crafted, originals
from tests.data.pictures import png16, tiff
from vaetools.data import depth
from vaetools.data.decoding import ImageFileError, Recipe, decode, inspect

GRAY = Recipe((1, 4, 4), "pad")


def claiming(width, height, bits=8, kind=0):
    """A PNG file of less than 100 bytes that claims a size."""
    file = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    for name, content in ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        file += struct.pack(">I", len(content)) + name + content
        file += struct.pack(">I", zlib.crc32(name + content))
    return file


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (claiming(89_478_485, 1), "89478485×1 pixels; sides of at most 65,536 are read"),
        (claiming(1, 65_537), "1×65537 pixels; sides of at most 65,536 are read"),
        (claiming(10_000, 8_000, kind=6), "10000×8000 pixels; at most 40,000,000 are read"),
        (claiming(10_000, 4_000, bits=16), "10000×4000 pixels; at most 34,285,714 are read"),
        (claiming(60_000, 60_000), "more than 89,478,485 pixels"),
    ],
    ids=["wide", "high", "transparent", "deep", "large"],
)
def test_what_would_fill_the_memory_is_refused_at_once(content, reason):
    for use in (inspect, lambda source: decode(source, GRAY)):
        with pytest.raises(ImageFileError, match=reason):
            use(lambda: content)


@pytest.mark.parametrize(
    ("image", "kind", "options", "bytes_per_pixel"),
    [
        (Image.new("RGB", (8, 8)), "PNG", {}, 4),
        (Image.new("RGBA", (8, 8)), "PNG", {}, 12),
        (Image.new("P", (8, 8)), "PNG", {"transparency": 0}, 12),
        (Image.new("I;16", (8, 8)), "PNG", {}, 14),
        (Image.new("I;16", (8, 8)), "TIFF", {}, 14),
        (Image.new("RGB", (8, 8)), "JPEG", {}, 4),
        (Image.new("RGB", (8, 8)), "JPEG", {"progressive": True}, 10),
        (Image.new("RGB", (8, 8)), "WEBP", {}, 16),
    ],
)
def test_copies_that_decoding_makes_count(image, kind, options, bytes_per_pixel, monkeypatch):
    content = encoded(image, kind, **options)
    monkeypatch.setattr(depth, "MAX_BYTES", 64 * bytes_per_pixel)
    inspect(lambda: content)
    monkeypatch.setattr(depth, "MAX_BYTES", 64 * bytes_per_pixel - 1)
    with pytest.raises(ImageFileError, match=r"8×8 pixels; at most 63 are read"):
        inspect(lambda: content)


@pytest.mark.parametrize(
    ("order", "tag", "reason"),
    [
        ("<", {"t322": 2**15, "t323": 2**15}, "8×8 pixels; at most 89,478,485 are read"),
        ("<", {"t256": 2**31}, "more than 89,478,485 pixels|damaged TIFF"),
    ],
)
def test_tiles_of_a_tiff_count_by_their_size(order, tag, reason):
    content = tiff(np.zeros((8, 8, 1), np.uint8), order=order, **tag)
    with pytest.raises(ImageFileError, match=reason):
        decode(lambda: content, GRAY)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pieces_of_a_tiff_are_counted_before_it_is_opened(order, monkeypatch):
    content = tiff(np.zeros((8, 8, 1), np.uint8), order=order)
    place = content.index(struct.pack(order + "HHI", 273, 4, 1))
    many = content[: place + 4] + struct.pack(order + "I", 2**20 + 1) + content[place + 8 :]
    with pytest.raises(ImageFileError, match="1,048,577 strips or tiles; at most 1,048,576 are read"):
        decode(lambda: many, GRAY)
    assert decode(lambda: content, GRAY).tolist() == [0] * 16


@pytest.mark.parametrize("first", [0, 1])
def test_files_that_lie_are_read_or_listed(first):
    """`benchmarks/fuzz_images.py` makes thousands more, and looks at memory and time."""
    files, n_read = originals(), 0
    for seed in range(first, 400, 2):
        content = crafted(seed, files, most_bytes=10**6)
        with contextlib.suppress(ImageFileError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            n_read += len(decode(lambda content=content: content, GRAY)) == 16
    assert n_read > 5


# Two readings of a file


@pytest.mark.parametrize(("extra", "is_read"), [(None, False), (0, False), (1, True), (2, True)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_fourth_channel_is_no_transparency_unless_it_says_so(extra, is_read, dtype):
    content = tiff(np.full((4, 4, 4), 255, dtype), interpretation=2, extra=extra)
    if is_read:
        inspect(lambda: content)
    else:
        with pytest.raises(ImageFileError, match="does not say that the fourth is transparency: save three"):
            inspect(lambda: content)


@pytest.mark.parametrize("channels", [2, 5])
def test_other_numbers_of_channels_are_refused_in_words(channels):
    content = tiff(np.zeros((4, 4, channels), np.uint8), extra=0)
    with pytest.raises(ImageFileError, match="damaged TIFF image, or one of other pixels than gray and RGB"):
        inspect(lambda: content)


def test_pages_are_images_unless_they_are_copies_in_small():
    levels = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    assert decode(lambda: tiff(levels), GRAY).tolist() == list(range(16))
    assert decode(lambda: tiff(levels, n_pages=2, t254=1), GRAY).tolist() == list(range(16))
    with pytest.raises(ImageFileError, match="it has several pages, each an image: save every page"):
        decode(lambda: tiff(levels, n_pages=2), GRAY)


def test_an_animation_is_its_first_frame():
    frames = [Image.new("L", (4, 4), level) for level in (50, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert set(decode(lambda: content, GRAY).tolist()) == {50}


def test_a_text_that_unpacks_to_much_costs_the_file_alone():
    """Pillow bounds what it unpacks; the file is listed, and nothing else happens."""
    plain = png16(np.zeros((4, 4, 1), np.uint16))
    text = b"name\0\0" + zlib.compress(bytes(10**8))
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    with pytest.raises(ImageFileError, match="too large"):
        decode(lambda: plain[:33] + chunk + plain[33:], GRAY)

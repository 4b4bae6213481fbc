"""What a TIFF file says of its pixels; of what may be read in two ways, one must be chosen before."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

BITS, INTERPRETATION, SAMPLES, EXTRA, FORMAT = 258, 262, 277, 338, 339
_SUBFILE, _STRIPS, _TILES = 254, 273, 324
_TILE_SIDES = (322, 323)
_WHITE_IS_ZERO, _RGB, _SIGNED = 0, 2, 2
_TRANSPARENCY = {1, 2}  # meanings of an extra sample
_LESSER = 0b101  # of a page that is another's copy in small, or its mask
_LAYOUTS = {b"II*\0": ("<", 4), b"MM\0*": (">", 4), b"II+\0": ("<", 8), b"MM\0+": (">", 8)}


def numbers(image: Any, tag: int) -> tuple[int, ...]:
    """Return what an opened file says of all samples of a pixel; 1 where it says nothing."""
    value = image.tag_v2.get(tag, 1)
    return tuple(value) if isinstance(value, tuple) else (value,)


def is_signed(image: Any) -> bool:
    """Whether levels of an opened file may be negative."""
    return _SIGNED in numbers(image, FORMAT)


def white_is_zero(image: Any) -> bool:
    """Whether the lowest level of an opened file is white."""
    return _WHITE_IS_ZERO in numbers(image, INTERPRETATION)


def tile_pixels(image: Any) -> int:
    """Return the pixels of a tile of an opened file; 0 if it has none."""
    width, height = (image.tag_v2.get(tag, 0) for tag in _TILE_SIDES)
    return width * height


def check_unambiguous(image: Any) -> None:
    """Raise for an opened file that holds more than an image, and does not say what is one."""
    fourth = numbers(image, EXTRA) if EXTRA in image.tag_v2 else ()
    is_color = _RGB in numbers(image, INTERPRETATION)
    if is_color and max(numbers(image, SAMPLES)) > 3 and not _TRANSPARENCY & set(fourth):
        raise ValueError(
            "it has more than three channels, and does not say that the fourth is transparency: save three "
            "as RGB, or all as an array (.npy)"
        )
    if _has_other_pages(image):
        raise ValueError("it has several pages, each an image: save every page as a file of its own")


def _has_other_pages(image: Any) -> bool:
    """Whether the second page is no copy of the first in small, and no mask."""
    try:
        image.seek(1)
        return not image.tag_v2.get(_SUBFILE, 0) & _LESSER
    except Exception:  # there is none, or none that can be read
        return False
    finally:
        image.seek(0)


def n_pieces(file: BinaryIO) -> int:
    """Return how many strips or tiles the first page of a file counts; 0 if it is no TIFF file.

    Read before a decoder notes the place of each, in a hundred times the bytes that a file takes to count it.
    """
    order, size = _LAYOUTS.get(file.read(4), ("", 0))
    if not order:
        return 0
    big = size == 8
    if big:
        file.read(4)
    place, of_entries = ("Q", "HHQQ") if big else ("I", "HHII")
    (start,) = _unpacked(file, order + place)
    file.seek(start)
    (n_entries,) = _unpacked(file, order + ("Q" if big else "H"))
    counts = [0]
    for _ in range(min(n_entries, 2**16)):
        tag, _, count, _ = _unpacked(file, order + of_entries)
        counts += [count] * (tag in (_STRIPS, _TILES))
    return max(counts)


def _unpacked(file: BinaryIO, form: str) -> tuple[int, ...]:
    """Read numbers; zeros where the file ends."""
    n_bytes = struct.calcsize(form)
    return struct.unpack(form, file.read(n_bytes).ljust(n_bytes, b"\0"))

"""What an image file says of its pixels before one is decoded: depth, meaning, and what decoding may cost.

Of more than 8 bits samples are in planes, scaled without a loss of levels. A small file can claim any size:
it must cost no more than a large one that is meant. Light to import: worker processes start with it.
"""

import math
import struct
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np

from vaetools.data import DEEP, INT16, UINT8, UINT16, WHITE

BITS, INTERPRETATION, SAMPLES, EXTRA, FORMAT = 258, 262, 277, 338, 339
_SUBFILE, _STRIPS, _TILES = 254, 273, 324
_TILE_SIDES = (322, 323)
_WHITE_IS_ZERO, _RGB, _SIGNED = 0, 2, 2
_TRANSPARENCY = {1, 2}  # meanings of an extra sample
_LESSER = 0b101  # of a page that is another's copy in small, or its mask
_SMALL, _BIG = ("I", "H", "HHII"), ("Q", "Q", "HHQQ")  # a place, how many entries there are, an entry
_LAYOUTS = {b"II*\0": ("<", *_SMALL), b"MM\0*": (">", *_SMALL)}
_LAYOUTS |= {b"II+\0": ("<", *_BIG), b"MM\0+": (">", *_BIG)}
FULL_RANGE = WHITE // 255  # by which 8-bit levels become 16-bit ones: white stays white
_LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, as Pillow has them
Box = tuple[float, float, float, float]  # left, top, right, bottom
MAX_PIXELS = 89_478_485  # Pillow's own
MAX_SIDE = 2**16  # pixels: the weights of scaling a line grow with its length
MAX_BYTES = 480_000_000
MAX_PIECES = 2**20  # strips or tiles: Pillow keeps the place of each
_PIXEL = 4  # bytes that Pillow keeps of one, of gray at most
# bytes beside, for copies that decoders and scaling make
_TRANSPARENT, _DEEP, _DEEP_COLOR, _DEEP_TRANSPARENT, _COEFFICIENTS = 8, 10, 14, 12, 6
_BUFFERED = {"WEBP": 12, "AVIF": 12, "HEIF": 12}


def _numbers(image: Any, tag: int) -> tuple[int, ...]:
    """Return what an opened file says of all samples of a pixel; 1 where it says nothing."""
    value = image.tag_v2.get(tag, 1)
    return tuple(value) if isinstance(value, tuple) else (value,)


def check_unambiguous(image: Any) -> None:
    """Raise for an opened file that holds more than an image, and does not say what is one."""
    fourth = _numbers(image, EXTRA) if EXTRA in image.tag_v2 else ()
    is_color = _RGB in _numbers(image, INTERPRETATION)
    if is_color and max(_numbers(image, SAMPLES)) > 3 and not _TRANSPARENCY & set(fourth):
        raise ValueError(
            "it has more than three channels, and does not say that the fourth is transparency: save three "
            "as RGB, or all as an array (.npy)"
        )
    try:
        image.seek(1)
        has_others = not image.tag_v2.get(_SUBFILE, 0) & _LESSER
    except Exception:  # there is none, or none that can be read
        has_others = False
    finally:
        image.seek(0)
    if has_others:
        raise ValueError("it has several pages, each an image: save every page as a file of its own")


def check_claims(file: BinaryIO) -> None:
    """Raise for a TIFF file, not yet opened, whose first page counts more strips or tiles than are read.

    A decoder notes the place of each, in a hundred times the bytes that a file takes to count it.
    """
    order, place, n_entries, entry = _LAYOUTS.get(file.read(4), ("", "", "", ""))
    counts = [0]
    if order:
        file.read(4 if place == "Q" else 0)
        file.seek(_unpacked(file, order + place)[0])
        for _ in range(min(_unpacked(file, order + n_entries)[0], 2**16)):
            tag, _, count, _ = _unpacked(file, order + entry)
            counts += [count] * (tag in (_STRIPS, _TILES))
    file.seek(0)
    if max(counts) > MAX_PIECES:
        raise ValueError(f"{max(counts):,} strips or tiles; at most {MAX_PIECES:,} are read")


def _unpacked(file: BinaryIO, form: str) -> tuple[int, ...]:
    """Read numbers; zeros where the file ends."""
    n_bytes = struct.calcsize(form)
    return struct.unpack(form, file.read(n_bytes).ljust(n_bytes, b"\0"))


def depth_of(image: Any) -> tuple[str, bool]:
    """Return the type of the samples of an opened Pillow image, and whether these are cut to half their bits.

    Pillow keeps gray of 16 bits, and takes colors down to 8 without a word. OpenCV, if it is there, reads
    those of PNG and TIFF.
    """
    signed = image.format == "TIFF" and _SIGNED in _numbers(image, FORMAT)
    if not has_16_bits(image):
        if signed and max(_numbers(image, BITS)) == 8:
            raise ValueError("signed samples of 8 bits, which are not read; convert them to 16 bits")
        return UINT8, False
    if image.mode.startswith("I"):
        return (INT16 if signed else UINT16), False
    in_colors = image.format == "PNG" or (image.format == "TIFF" and image.mode in ("RGB", "RGBA"))
    return (UINT16, False) if in_colors and find_spec("cv2") else (UINT8, True)


def has_16_bits(image: Any) -> bool:
    """Whether the samples of an opened image have more than 8 and at most 16 bits."""
    if image.format == "TIFF":
        return 8 < max(_numbers(image, BITS)) <= 16
    arguments = image.tile[0][3] if getattr(image, "tile", ()) else ""
    if image.format == "PPM" and isinstance(arguments, tuple):
        return bool(arguments[-1] > 255)  # the whitest level
    return image.mode.startswith("I") or (image.format == "PNG" and ";16" in str(arguments))


def common_type(dtypes: Sequence[str]) -> str:
    """Return the commonest type, of 16 bits in a draw; without any, 8 bits.

    Examples
    --------
    >>> common_type(["uint8", "uint16"]), common_type(["uint8", "uint8", "uint16"]), common_type([])
    ('uint16', 'uint8', 'uint8')
    """
    return max((*DEEP, UINT8), key=dtypes.count) if dtypes else UINT8


def type_of(levels: tuple[int, int]) -> str | None:
    """Return the type of image files whose black and white are some levels; None if there are none such.

    Examples
    --------
    >>> [type_of(levels) for levels in ((0, 255), (0, 4095), (-1024, 4095), (0, 31), (0, 2**20 - 1))]
    ['uint8', 'uint16', 'int16', None, None]
    >>> type_of((65535 - 4095, 65535)), type_of((0, 1))
    ('uint16', 'uint8')
    """
    black, white = levels
    if levels in ((0, WHITE // FULL_RANGE), (0, 1)):  # all of them, or those of masks
        return UINT8
    if black >= 0 and WHITE // FULL_RANGE < white <= WHITE:
        return UINT16
    bounds = np.iinfo(INT16)
    return INT16 if bounds.min <= black < 0 and white <= bounds.max else None


def check_depth(found: str, is_cut: bool, wanted: str) -> None:
    """Raise where levels cannot be told as such of another type."""
    if is_cut and wanted != UINT8:
        raise ValueError(
            "colors of 16 bits take a package: pip install opencv-python-headless, and PNG or RGB TIFF files"
        )
    if found != wanted and INT16 in (found, wanted):
        signs = ("signed", "unsigned") if found == INT16 else ("unsigned", "signed")
        raise ValueError("its levels are {}, and those of the images that were fitted {}".format(*signs))


def check_cost(image: Any) -> None:
    """Raise for an opened image whose decoding would take too much memory."""
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"{width}×{height} pixels; sides of at most {MAX_SIDE:,} are read")
    n_pixels, see_through = width * height, image.has_transparency_data
    if has_16_bits(image):
        beside = _DEEP if image.mode.startswith("I") else _DEEP_COLOR
        beside += _DEEP_TRANSPARENT * see_through
    else:
        coefficients = _COEFFICIENTS if image.info.get("progressive") else 0
        beside = max(_TRANSPARENT * see_through, coefficients, _BUFFERED.get(image.format, 0))
    if image.format == "TIFF":
        n_pixels = max(n_pixels, math.prod(image.tag_v2.get(tag, 0) for tag in _TILE_SIDES))
    most = min(MAX_PIXELS, MAX_BYTES // (_PIXEL + beside))
    if n_pixels > most:
        raise ValueError(f"{width}×{height} pixels; at most {most:,} are read")


def upright(image: Any) -> np.ndarray:
    """Return gray levels of 16 bits, of which the lowest is black whatever the file calls so."""
    levels = np.asarray(image)
    if image.format != "TIFF" or _WHITE_IS_ZERO not in _numbers(image, INTERPRETATION):
        return levels
    white = -1 if _SIGNED in _numbers(image, FORMAT) else 2 ** max(_numbers(image, BITS)) - 1
    return white - levels.astype(np.int32)


def samples_of(image: Any) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Decode an opened image of 16 bits: planes of gray, or of red, green and blue, ``(height, width)``.

    The second is opacity up to `WHITE`, or None where one sees through nothing.
    """
    if image.mode.startswith("I"):
        gray, see_through = upright(image), image.info.get("transparency")
        return [gray], None if see_through is None else (gray != see_through) * np.uint16(WHITE)
    import cv2

    place = image.fp.tell()
    image.fp.seek(0)
    content = np.frombuffer(image.fp.read(), np.uint8)
    image.fp.seek(place)
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise ValueError("a damaged image of 16-bit colors")
    blue, green, red, *alpha = np.moveaxis(pixels, -1, 0)
    return [red, green, blue], alpha[0] if alpha else None


def scaled(
    planes: list[np.ndarray], alpha: np.ndarray | None, channels: int, size: tuple[int, int], box: Box
) -> list[np.ndarray]:
    """Return a float plane per channel of a size (width, height), what one sees through over white."""
    if alpha is None:
        made = [_resized(plane, size, box) for plane in planes]
    else:
        opacity = alpha / np.float32(WHITE)
        white = WHITE * (1 - _resized(opacity, size, box))
        made = [_resized(plane * opacity, size, box) + white for plane in planes]
    if channels < len(made):
        made = [np.tensordot(_LUMINANCE, made, axes=1)]
    return made * (channels // len(made))


def _resized(plane: np.ndarray, size: tuple[int, int], box: Box) -> np.ndarray:
    """Return a plane, scaled with antialiased bilinear interpolation, as float32."""
    from PIL import Image

    whole = Image.fromarray(plane.astype(np.float32, copy=False))
    return np.asarray(whole.resize(size, Image.Resampling.BILINEAR, box=box))

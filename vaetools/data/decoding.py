"""One image file becomes one row of pixels: turned, scaled, padded. Light to import: workers start with it.

A file is recognized by its content, not by its name. No decoder calls another program, and none
runs before the file's own header has promised an image that `vaetools.data.depth` allows.
"""

import contextlib
import functools
import io
import math
import os
import signal
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from vaetools.data import UINT8
from vaetools.data.addresses import Address, content_of
from vaetools.data.batches import Failure
from vaetools.data.depth import (
    FULL_RANGE,
    MAX_PIXELS,
    Box,
    check_claims,
    check_cost,
    check_depth,
    check_unambiguous,
    depth_of,
    samples_of,
    scaled,
    upright,
)
from vaetools.data.formats import N_SIGN_BYTES, raw_photograph, unread_format

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "HEIF")
_COLORED = 8  # levels between the channels of a pixel that is no shade of gray
_LOOKED_AT = 64  # pixels a side of the small copy in which color is looked for
_EMPTY = "the file is empty"
_ORIENTATION = 0x0112  # EXIF tag
_TAGGED = ("JPEG", "MPO")  # formats that hold it before the pixels
_TRANSPOSITIONS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # its values as members of PIL.Image.Transpose


class ImageFileError(ValueError):
    """A file is not a readable image; ``path`` and ``reason`` say which, and why.

    Examples
    --------
    >>> print(ImageFileError("1.png", "the file is truncated"))
    1.png: the file is truncated
    """

    def __init__(self, path: str, reason: str):
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Recipe(NamedTuple):
    """What every image is made into.

    Attributes
    ----------
    image_shape : tuple of int
        (channels, height, width); 1 channel is gray, 3 are RGB.
    aspect : {"pad", "crop", "stretch"}
        How an image of another aspect fits: with black bars, without what overhangs, or distorted.
    dtype : {"uint8", "uint16", "int16"}, default="uint8"
        Of the levels.
    """

    image_shape: tuple[int, int, int]
    aspect: str
    dtype: str = UINT8

    @property
    def n_features(self) -> int:
        """Values in a row."""
        return math.prod(self.image_shape)


class Look(NamedTuple):
    """Size of an image as it is shown, its samples as of `depth_of`, and if it was looked for, color."""

    height: int
    width: int
    dtype: str
    is_cut: bool
    is_colored: bool | None = None


def decode(source: Any, recipe: Recipe) -> np.ndarray:
    """Return the first frame of an image as a row.

    Turned as EXIF says; transparency over white; scaled with antialiased bilinear interpolation.
    Levels of another depth than the recipe's become such of its full range: 8-bit ones times 257, of
    16-bit ones the upper byte. A JPEG is decoded at the smallest of 1/2, 1/4 and 1/8 of
    its size that still is twice what is needed. What goes wrong is an `ImageFileError`. The source is a path,
    a function without arguments that returns the bytes of a file, or an image of Pillow.
    """
    row: np.ndarray = _examined(source, lambda image: _pixels(image, recipe)).ravel()
    return row


def _examined(source: Any, examine: Callable[[Any], Any]) -> Any:
    """Return what a function makes of an opened image; raise `ImageFileError` for whatever goes wrong."""
    if not isinstance(source, str) and not callable(source):
        from PIL.Image import Image

        if not isinstance(source, Image):  # no fault of a file
            raise TypeError(f"an image must be a path or a PIL image; got {type(source).__name__}.")
    if isinstance(source, Address):
        source = functools.partial(content_of, source)
    try:
        with _open(source) as image:
            return examine(image)
    except ImageFileError:
        raise
    except Exception as error:  # damaged files make decoders raise anything
        raise _explained(source, error) from error


def _pixels(image: Any, recipe: Recipe) -> np.ndarray:
    """Return an opened image as levels, ``(channels, height, width)`` or gray ``(height, width)``."""
    channels, height, width = recipe.image_shape
    found, is_cut = depth_of(image)
    check_depth(found, is_cut, recipe.dtype)
    if UINT8 not in (found, recipe.dtype):
        planes = _fit_planes(image, channels, (width, height), recipe.aspect)
        bounds = np.iinfo(recipe.dtype)
        levels: np.ndarray = np.rint(planes).clip(bounds.min, bounds.max).astype(recipe.dtype)
        return levels
    pixels = np.asarray(_fit_image(image, "L" if channels == 1 else "RGB", (width, height), recipe.aspect))
    pixels = pixels if channels == 1 else pixels.transpose(2, 0, 1)
    return pixels if recipe.dtype == UINT8 else pixels * np.uint16(FULL_RANGE)


def decode_many(sources: Sequence[Any], recipe: Recipe) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of what could be read, and the place and reason of what could not."""
    rows = np.empty((len(sources), recipe.n_features), dtype=recipe.dtype)
    failed: list[Failure] = []
    for i, source in enumerate(sources):
        try:
            rows[i - len(failed)] = decode(source, recipe)
        except ImageFileError as error:
            failed.append(Failure(i, error.reason))
    return rows[: len(sources) - len(failed)], failed


def decode_quietly(sources: Sequence[Any], recipe: Recipe, caller: int) -> tuple[np.ndarray, list[Failure]]:
    """Do `decode_many` for another process, where nobody reads what decoders remark.

    Ctrl-C, which reaches all processes of a terminal, is for the caller to answer.
    """
    if os.getpid() != caller and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode_many(sources, recipe)


def inspect(source: Any, *, colors: bool = True) -> Look:
    """Return size and depth of an image, and its color or, from the header alone, not.

    Not every header says whether an image is turned. Raises `ImageFileError` as `decode` does.
    """

    def look(image: Any) -> Look:
        depth, (width, height) = depth_of(image), image.size
        turned = (colors or image.format in _TAGGED) and _orientation(image)[1]
        header = Look(*((width, height) if turned else (height, width)), *depth)
        if not colors:
            return header
        pixels = _pixels(image, Recipe((3, _LOOKED_AT, _LOOKED_AT), "stretch", header.dtype)).astype(int)
        n_levels = 255 if header.dtype == UINT8 else max(0, pixels.max()) - min(0, pixels.min())
        is_colored = np.ptp(pixels, axis=0).max() > _COLORED * n_levels / 255
        return header._replace(is_colored=bool(is_colored))

    seen: Look = _examined(source, look)
    return seen


@functools.cache
def readable_formats() -> tuple[str, ...]:
    """Return those of `FORMATS` that can be read here: HEIF takes the package pillow-heif."""
    from PIL import Image, features

    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()
    known = set(Image.OPEN)
    if "AVIF" in known and not features.check("avif"):
        known.remove("AVIF")
    return tuple(name for name in FORMATS if name in known)


def _open(source: Any) -> Any:
    """Return a context that gives the Pillow image of a file, not yet decoded, or an image as it is."""
    if callable(source):
        content = source()
        if not content:
            raise ImageFileError("image", _EMPTY)
        return _opened(io.BytesIO(content))
    if not isinstance(source, str):
        return contextlib.nullcontext(source)
    status = os.stat(source)
    if not stat.S_ISREG(status.st_mode):  # it would block, or is no file: a folder, pipe or device
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise ImageFileError(source, kind)
    if not status.st_size:
        raise ImageFileError(source, _EMPTY)
    if reason := raw_photograph(source):
        raise ImageFileError(source, reason)
    return _opened(open(source, "rb"))


@contextlib.contextmanager
def _opened(file: Any) -> Iterator[Any]:
    """Give the Pillow image of a file that claims no more than can be borne, and one image alone."""
    from PIL import Image

    with file:
        check_claims(file)
        with Image.open(file, formats=readable_formats()) as image:
            check_cost(image)
            if image.format == "TIFF":
                check_unambiguous(image)
            yield image


def _explained(source: Any, error: Exception) -> ImageFileError:
    """Return the error of a file, with the reason in one line."""
    from PIL import UnidentifiedImageError
    from PIL.Image import DecompressionBombError

    name = source if isinstance(source, str) else "image"
    if isinstance(error, DecompressionBombError):
        return ImageFileError(name, f"more than {MAX_PIXELS:,} pixels")
    if isinstance(error, UnidentifiedImageError):
        with io.BytesIO(source()) if callable(source) else open(source, "rb") as file:
            head = file.read(N_SIGN_BYTES)
        formats = readable_formats()
        known = f"not an image in a known format ({', '.join(formats)})"
        return ImageFileError(name, unread_format(head, formats) or known)
    if isinstance(error, FileNotFoundError) and os.path.islink(name):
        return ImageFileError(name, f"a broken link: {os.readlink(name)!r} is not there")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ImageFileError(name, " ".join(reason.split()))


def _fit_image(image: Any, mode: str, target: tuple[int, int], aspect: str) -> Any:
    """Return an image of a mode ("L" or "RGB") and a size (width, height)."""
    from PIL import Image

    transposition, turned = _orientation(image)
    if turned:
        target = target[::-1]
    box, size = _place(image.size, target, aspect)
    if image.format in ("JPEG", "MPO"):
        kept = (box[2] - box[0], box[3] - box[1])
        before = image.size
        image.draft(mode, tuple(math.ceil(2 * n * s / k) for n, s, k in zip(before, size, kept, strict=True)))
        box, size = _place(image.size, target, aspect)
    image = _scalable(image)
    if image.size != size or box != (0, 0, *size):
        image = image.resize(size, Image.Resampling.BILINEAR, box=box)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", size, "white"), image)
    if image.mode != mode:
        image = image.convert(mode)
    return _finished(image, target, transposition)


def _finished(image: Any, target: tuple[int, int], transposition: int | None, black: float = 0) -> Any:
    """Return an image in the middle of one of a size, upright."""
    from PIL import Image

    if image.size != target:
        padded = Image.new(image.mode, target, black)
        padded.paste(
            image, tuple((whole - part) // 2 for whole, part in zip(target, image.size, strict=True))
        )
        image = padded
    return image if transposition is None else image.transpose(transposition)


def _fit_planes(image: Any, channels: int, target: tuple[int, int], aspect: str) -> np.ndarray:
    """Return an image of 16 bits as float levels, ``(channels, height, width)``; see `_fit_image`."""
    from PIL import Image

    samples, alpha = samples_of(image)
    transposition, turned = _orientation(image)
    if turned:
        target = target[::-1]
    box, size = _place(image.size, target, aspect)
    black = min(0, *(plane.min() for plane in samples))
    planes = map(Image.fromarray, scaled(samples, alpha, channels, size, box))
    return np.stack([np.asarray(_finished(plane, target, transposition, black)) for plane in planes])


def _place(size: tuple[int, int], target: tuple[int, int], aspect: str) -> tuple[Box, tuple[int, int]]:
    """Return which box (left, top, right, bottom) of an image is kept, and its size when scaled."""
    (width, height), (new_width, new_height) = size, target
    whole = (0.0, 0.0, float(width), float(height))
    if aspect == "stretch":
        return whole, target
    if aspect == "pad":
        ratio = min(new_width / width, new_height / height)
        return whole, (max(1, round(width * ratio)), max(1, round(height * ratio)))
    ratio = max(new_width / width, new_height / height)
    left, top = (width - new_width / ratio) / 2, (height - new_height / ratio) / 2
    return (max(0.0, left), max(0.0, top), min(width, width - left), min(height, height - top)), target


def _scalable(image: Any) -> Any:
    """Return an image in a mode that can be scaled without a loss: gray, RGB(A), CMYK or YCbCr."""
    from PIL import Image

    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        raise ValueError(
            f"{image.mode!r} pixels of 32 bits have no known range; convert them to 8 or 16 bits"
        )
    if image.mode.startswith("I"):
        return Image.fromarray((upright(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "YCbCr") else image.convert("RGB")


def _orientation(image: Any) -> tuple[int | None, bool]:
    """Return how an image must be transposed to stand upright, and whether that swaps its sides."""
    if image.format not in _TAGGED:
        image.load()  # other formats may hold the tag behind the pixels
    if not image.info and image.format != "TIFF":
        return None, False
    try:
        tag = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged tag says nothing about the pixels
        return None, False
    return _TRANSPOSITIONS.get(tag), tag in (5, 6, 7, 8)

"""One image file becomes one row of pixels. Light to import: worker processes start with it.

A file is recognized by its content, not by its name. No decoder calls another program, and none
runs before the file's own header has promised an image that `vaetools.data.depth` allows.
"""

from __future__ import annotations

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

from vaetools.data.addresses import Address, content_of
from vaetools.data.batches import Failure
from vaetools.data.depth import (
    FULL_RANGE,
    MAX_PIXELS,
    UINT8,
    Depth,
    check_claims,
    check_cost,
    check_depth,
    check_unambiguous,
    depth_of,
)
from vaetools.data.fitting import fit_image, fit_planes, orientation
from vaetools.data.formats import N_SIGN_BYTES, broken_link, raw_photograph, unread_format

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "HEIF")
_COLORED = 8  # levels between the channels of a pixel that is no shade of gray
_LOOKED_AT = 64  # pixels a side of the small copy in which color is looked for
_EMPTY = "the file is empty"


class ImageFileError(ValueError):
    """A file is not a readable image.

    Attributes
    ----------
    path, reason : str
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
    """Size of an image as it is shown, in pixels, whether it has color, and the depth of its samples."""

    height: int
    width: int
    is_colored: bool
    depth: Depth


def decode(source: Any, recipe: Recipe) -> np.ndarray:
    """Return the first frame of an image as a row.

    Turned as EXIF says; transparency over white; scaled with antialiased bilinear interpolation.
    Levels of another depth than the recipe's become such of its full range: 8-bit ones times 257, of
    16-bit ones the upper byte. A JPEG is decoded at the smallest of 1/2, 1/4 and 1/8 of
    its size that still is twice what is needed.

    Parameters
    ----------
    source : str, callable or PIL image
        A path, or a function without arguments that returns the bytes of a file.
    recipe : Recipe

    Returns
    -------
    row : ndarray of shape (n_features,)
        Channel by channel, of the recipe's type.

    Raises
    ------
    ImageFileError
        If there is no readable image; it has the path and the reason.
    """
    return _examined(source, lambda image: _pixels(image, recipe)).ravel()


def _examined(source: Any, examine: Callable[[Any], Any]) -> Any:
    """Return what a function makes of an opened image; raise `ImageFileError` for whatever goes wrong."""
    _check_kind(source)
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
    found = depth_of(image)
    check_depth(found, recipe.dtype)
    if UINT8 not in (found.dtype, recipe.dtype):
        planes = fit_planes(image, channels, (width, height), recipe.aspect)
        bounds = np.iinfo(recipe.dtype)
        return np.rint(planes).clip(bounds.min, bounds.max).astype(recipe.dtype)
    pixels = np.asarray(fit_image(image, "L" if channels == 1 else "RGB", (width, height), recipe.aspect))
    pixels = pixels if channels == 1 else pixels.transpose(2, 0, 1)
    return pixels if recipe.dtype == UINT8 else pixels * np.uint16(FULL_RANGE)


def decode_many(sources: Sequence, recipe: Recipe) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of what could be read, and the number and reason of what could not.

    Parameters
    ----------
    sources : sequence of str, callable or PIL image
    recipe : Recipe

    Returns
    -------
    rows : ndarray of shape (n_read, n_features)
        Of the recipe's type.
    failed : list of Failure
        The id is the place in the list.
    """
    rows = np.empty((len(sources), recipe.n_features), dtype=recipe.dtype)
    failed: list[Failure] = []
    for i, source in enumerate(sources):
        try:
            rows[i - len(failed)] = decode(source, recipe)
        except ImageFileError as error:
            failed.append(Failure(i, error.reason))
    return rows[: len(sources) - len(failed)], failed


def decode_quietly(sources: Sequence, recipe: Recipe, caller: int) -> tuple[np.ndarray, list[Failure]]:
    """Do `decode_many` for another process, where nobody reads what decoders remark.

    Ctrl-C, which reaches all processes of a terminal, is for the caller to answer.
    """
    if os.getpid() != caller and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode_many(sources, recipe)


def inspect(source: Any) -> Look:
    """Return size, color and depth of an image; raises `ImageFileError` as `decode` does."""
    return _examined(source, _looked_at)


def _looked_at(image: Any) -> Look:
    """Return what an opened image tells, as it is and in small."""
    depth, (width, height) = depth_of(image), image.size
    colors = _pixels(image, Recipe((3, _LOOKED_AT, _LOOKED_AT), "stretch", depth.dtype)).astype(int)
    n_levels = 255 if depth.dtype == UINT8 else max(0, colors.max()) - min(0, colors.min())
    is_colored = np.ptp(colors, axis=0).max() > _COLORED * n_levels / 255
    _, turned = orientation(image)
    return Look(*((width, height) if turned else (height, width)), bool(is_colored), depth)


def inspect_depth(source: Any) -> Depth:
    """Return the depth of an image from its header alone; raises `ImageFileError` as `decode` does."""
    return _examined(source, depth_of)


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


def _check_kind(source: Any) -> None:
    """Raise for what is neither a path nor an image, which is no fault of a file."""
    if isinstance(source, str) or callable(source):
        return
    from PIL.Image import Image

    if not isinstance(source, Image):
        raise TypeError(f"an image must be a path or a PIL image; got {type(source).__name__}.")


def _open(source: Any) -> Any:
    """Return a context that gives the Pillow image of a file, not yet decoded, or an image as it is."""
    if callable(source):
        content = source()
        if not content:
            raise ImageFileError("image", _EMPTY)
        return _opened(io.BytesIO(content))
    if not isinstance(source, str):
        return contextlib.nullcontext(source)
    _check_regular(source)
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
        formats = readable_formats()
        known = f"not an image in a known format ({', '.join(formats)})"
        return ImageFileError(name, unread_format(_head(source), formats) or known)
    if isinstance(error, FileNotFoundError) and os.path.islink(name):
        return ImageFileError(name, broken_link(name))
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ImageFileError(name, " ".join(reason.split()))


def _head(source: Any) -> bytes:
    """Return the bytes that a file starts with."""
    if callable(source):
        return source()[:N_SIGN_BYTES]
    with open(source, "rb") as file:
        return file.read(N_SIGN_BYTES)


def _check_regular(path: str) -> None:
    """Raise for what would block, or is no file: folders, pipes, devices."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ImageFileError(path, "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file")
    if not status.st_size:
        raise ImageFileError(path, _EMPTY)

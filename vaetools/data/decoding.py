"""One image file becomes one row of 8-bit pixels. Light to import: worker processes start with it.

A file is recognized by its content, not by its name. No decoder calls another program, and none
runs before the file's own header has promised an image of at most `MAX_PIXELS`.
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
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vaetools.data.batches import Failure
from vaetools.data.formats import N_SIGN_BYTES, raw_photograph, unread_format

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "HEIF")
MAX_PIXELS = 89_478_485  # Pillow's own: a larger image may be a bomb, a small file that fills the memory
ASPECTS = ("pad", "crop", "stretch")
_ORIENTATION = 0x0112  # EXIF tag
_TRANSPOSITIONS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # its values as members of PIL.Image.Transpose
_COLORED = 8  # levels between the channels of a pixel that is no shade of gray
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
    """

    image_shape: tuple[int, int, int]
    aspect: str

    @property
    def n_features(self) -> int:
        """Values in a row."""
        return math.prod(self.image_shape)


class Look(NamedTuple):
    """Size of an image as it is shown, in pixels, and whether it has color."""

    height: int
    width: int
    is_colored: bool


def decode(source: Any, recipe: Recipe) -> np.ndarray:
    """Return the first frame of an image as a row.

    Turned as EXIF says; transparency over white; 16-bit gray without its lower byte; scaled with
    antialiased bilinear interpolation. A JPEG is decoded at the smallest of 1/2, 1/4 and 1/8 of
    its size that still is twice what is needed.

    Parameters
    ----------
    source : str, callable or PIL image
        A path, or a function without arguments that returns the bytes of a file.
    recipe : Recipe

    Returns
    -------
    row : ndarray of shape (n_features,), uint8
        Channel by channel.

    Raises
    ------
    ImageFileError
        If there is no readable image; it has the path and the reason.
    """
    _check_kind(source)
    channels, height, width = recipe.image_shape
    try:
        with _open(source) as image:
            pixels = np.asarray(_fit(image, "L" if channels == 1 else "RGB", (width, height), recipe.aspect))
    except ImageFileError:
        raise
    except Exception as error:  # damaged files make decoders raise anything
        raise _explained(source, error) from error
    return pixels.ravel() if channels == 1 else pixels.transpose(2, 0, 1).ravel()


def decode_many(sources: Sequence, recipe: Recipe) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of what could be read, and the number and reason of what could not.

    Parameters
    ----------
    sources : sequence of str, callable or PIL image
    recipe : Recipe

    Returns
    -------
    rows : ndarray of shape (n_read, n_features), uint8
    failed : list of Failure
        The id is the place in the list.
    """
    rows = np.empty((len(sources), recipe.n_features), dtype=np.uint8)
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
    """Return size and color of an image; raises `ImageFileError` as `decode` does."""
    _check_kind(source)
    try:
        with _open(source) as image:
            _, turned = _orientation(image)
            width, height = image.size[::-1] if turned else image.size
            colors = np.asarray(_fit(image, "RGB", (64, 64), "stretch")).astype(int)
    except ImageFileError:
        raise
    except Exception as error:  # damaged files make decoders raise anything
        raise _explained(source, error) from error
    return Look(height, width, bool(np.ptp(colors, axis=2).max() > _COLORED))


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
    from PIL import Image

    name, file = source, source
    if callable(source):
        name, content = "image", source()
        if not content:
            raise ImageFileError(name, _EMPTY)
        file = io.BytesIO(content)
    elif isinstance(source, str):
        _check_regular(source)
        if reason := raw_photograph(source):
            raise ImageFileError(source, reason)
    else:
        return contextlib.nullcontext(source)
    image = Image.open(file, formats=readable_formats())
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ImageFileError(name, f"{image.width}×{image.height} pixels; at most {MAX_PIXELS:,} are read")
    return image


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


def _fit(image: Any, mode: str, target: tuple[int, int], aspect: str) -> Any:
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
    if size != target:
        padded = Image.new(mode, target)
        padded.paste(image, ((target[0] - size[0]) // 2, (target[1] - size[1]) // 2))
        image = padded
    return image if transposition is None else image.transpose(transposition)


def _place(
    size: tuple[int, int], target: tuple[int, int], aspect: str
) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
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
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "YCbCr") else image.convert("RGB")


def _orientation(image: Any) -> tuple[int | None, bool]:
    """Return how an image must be transposed to stand upright, and whether that swaps its sides."""
    if image.format not in ("JPEG", "MPO"):
        image.load()  # other formats may hold the tag behind the pixels
    if not image.info and image.format != "TIFF":
        return None, False
    try:
        tag = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged tag says nothing about the pixels
        return None, False
    return _TRANSPOSITIONS.get(tag), tag in (5, 6, 7, 8)

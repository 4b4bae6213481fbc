"""An opened image becomes one of a mode and a size, upright: how it is turned, scaled and padded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vaetools.data.depth import Samples, upright

ASPECTS = ("pad", "crop", "stretch")  # what becomes of an image of other proportions
_ORIENTATION = 0x0112  # EXIF tag
_TRANSPOSITIONS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # its values as members of PIL.Image.Transpose


def fit_image(image: Any, mode: str, target: tuple[int, int], aspect: str) -> Any:
    """Return an image of a mode ("L" or "RGB") and a size (width, height)."""
    from PIL import Image

    transposition, turned = orientation(image)
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
        padded.paste(image, _centered(size, target))
        image = padded
    return _turned(image, transposition)


def _centered(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Return the left upper corner of what is put into the middle of a larger image."""
    return (target[0] - size[0]) // 2, (target[1] - size[1]) // 2


def _turned(image: Any, transposition: int | None) -> Any:
    """Return an image as it stands upright."""
    return image if transposition is None else image.transpose(transposition)


def fit_planes(image: Any, channels: int, target: tuple[int, int], aspect: str) -> np.ndarray:
    """Return an image of 16 bits as float levels, ``(channels, height, width)``; see `fit_image`."""
    from PIL import Image

    samples = Samples.of(image)
    transposition, turned = orientation(image)
    if turned:
        target = target[::-1]
    box, size = _place(image.size, target, aspect)
    black = min(0, *(plane.min() for plane in samples.planes))
    planes = []
    for plane in samples.scaled(channels, size, box):
        padded = Image.new("F", target, black)
        padded.paste(Image.fromarray(plane), _centered(size, target))
        planes.append(np.asarray(_turned(padded, transposition)))
    return np.stack(planes)


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
        return Image.fromarray((upright(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "YCbCr") else image.convert("RGB")


def orientation(image: Any) -> tuple[int | None, bool]:
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

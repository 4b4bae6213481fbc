"""Many small images as one picture: strips to look at, and the sprite that thumbnails are cut from."""

from __future__ import annotations

import base64
import io
import math
from typing import NamedTuple

import numpy as np

from vaetools.report.pictures import tile
from vaetools.report.projector import make_thumbnails

_LARGEST = 64  # pixels of the longer side of an image in a strip
_CRISP = 32  # up to here images are stored without loss and shown as squares
_MOST_PIXELS = 12_000_000  # of a sprite: more take a browser long to decode
_QUALITIES = (80, 60, 40, 20)


class Strip(NamedTuple):
    """A picture of images in a row or a grid.

    Attributes
    ----------
    name : str
        What it shows, in a few words; "" if a heading says so.
    uri : str
    words : str
        For who cannot see it.
    n_columns : int
        Images side by side.
    crisp : bool
        Whether single pixels are shown as squares.
    """

    name: str
    uri: str
    words: str
    n_columns: int
    crisp: bool


class Sprite(NamedTuple):
    """Thumbnails side by side in one picture.

    Attributes
    ----------
    uri : str
    n_columns : int
    width, height : int
        Of one thumbnail in pixels.
    """

    uri: str
    n_columns: int
    width: int
    height: int


def strip(
    name: str, rows: np.ndarray, image_shape: tuple[int, int, int], words: str, n_columns: int | None = None
) -> Strip:
    """Return rows of pixels as one picture.

    Parameters
    ----------
    name : str
    rows : ndarray of shape (n_images, n_features)
        In [0, 1]; what lies outside is clipped.
    image_shape : tuple of int
        (channels, height, width).
    words : str
    n_columns : int, optional
        Images side by side; all by default.

    Returns
    -------
    strip : Strip
        Images are shrunk to at most 64 pixels.
    """
    thumbnails = make_thumbnails(np.clip(rows, 0, 1), image_shape, longest=_LARGEST)
    return thumbnail_strip(name, thumbnails, words, n_columns)


def thumbnail_strip(name: str, thumbnails: np.ndarray, words: str, n_columns: int | None = None) -> Strip:
    """Return thumbnails of shape (n_images, height, width, channels), uint8, as one picture."""
    n_images, height, width, channels = thumbnails.shape
    n_columns = n_images if n_columns is None else n_columns
    flat = thumbnails.transpose(0, 3, 1, 2).reshape(n_images, -1) / 255
    picture = tile(flat, (channels, height, width), n_columns)
    crisp = max(height, width) <= _CRISP
    return Strip(name, webp_uri(picture, None if crisp else 85), words, n_columns, crisp)


def sprite(thumbnails: np.ndarray, n_bytes: int) -> Sprite:
    """Return all thumbnails in one picture of about a size.

    Parameters
    ----------
    thumbnails : ndarray of shape (n_images, height, width, channels), uint8
    n_bytes : int
        Of the picture at most, unless even poor quality takes more.

    Returns
    -------
    sprite : Sprite
        Its thumbnails are smaller than those given where they are very many.
    """
    from PIL import Image

    n_images, height, width, _ = thumbnails.shape
    n_columns = math.ceil(math.sqrt(n_images))
    n_rows = math.ceil(n_images / n_columns)
    cells = np.zeros((n_rows * n_columns, height, width, 3), dtype=np.uint8)
    cells[:n_images] = thumbnails  # gray becomes three equal channels
    picture = cells.reshape(n_rows, n_columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    picture = picture.reshape(n_rows * height, n_columns * width, 3)
    shrink = min(1.0, math.sqrt(_MOST_PIXELS / (picture.shape[0] * picture.shape[1])))
    if shrink < 1:
        height, width = max(1, int(height * shrink)), max(1, int(width * shrink))
        size = (n_columns * width, n_rows * height)
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    uris = (webp_uri(picture, quality) for quality in _QUALITIES)
    uri = next((uri for uri in uris if len(uri) * 3 / 4 <= n_bytes), None)
    return Sprite(uri or webp_uri(picture, _QUALITIES[-1]), n_columns, width, height)


def webp_uri(picture: np.ndarray, quality: int | None) -> str:
    """Return a picture as a ``data:image/webp`` address, without loss where the quality is None."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(
        buffer, format="WEBP", lossless=quality is None, quality=quality or 80, exact=False
    )
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

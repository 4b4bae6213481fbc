"""Pictures of images side by side, enlarged until they can be seen."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vaetools.files import write_atomically
from vaetools.report.images import tile

GAP = 128  # gray: stands out from black and from white
_VISIBLE = 64  # pixels that an image is enlarged to, at most


def enlargement(image_shape: tuple[int, int, int]) -> int:
    """Return how many pixels of a picture, in each direction, one pixel of an image becomes."""
    return max(1, _VISIBLE // max(image_shape[1:]))


def grid(rows: np.ndarray, image_shape: tuple[int, int, int], n_columns: int) -> np.ndarray:
    """Return images in reading order, a gray line between them.

    Parameters
    ----------
    rows : ndarray of shape (n_images, n_features)
        Pixels; what lies outside [0, 1] is clipped.
    image_shape : tuple of int
        (channels, height, width), with 1 or 3 channels.
    n_columns : int
        Images side by side.

    Returns
    -------
    picture : ndarray of shape (height, width, channels), uint8
    """
    picture = tile(rows, image_shape, n_columns)  # RGBA
    channels = 1 if image_shape[0] == 1 else 3
    return np.where(picture[..., 3:] == 0, np.uint8(GAP), picture[..., :channels])


def write_png(path: Path, picture: np.ndarray, factor: int) -> None:
    """Write a picture, every pixel ``factor`` times as high and wide."""
    from PIL import Image

    large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(large[..., 0] if large.shape[2] == 1 else large).save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())

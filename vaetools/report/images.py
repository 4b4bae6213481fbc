"""Rows of pixels as PNG images inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np


def tile(rows: np.ndarray, image_shape: tuple[int, int, int], n_columns: int, *, gap: int = 1) -> np.ndarray:
    """Return one picture of many images, in reading order.

    Parameters
    ----------
    rows : ndarray of shape (n_images, n_features)
        Pixels; what lies outside [0, 1] is clipped.
    image_shape : tuple of int
        (channels, height, width), with 1 or 3 channels.
    n_columns : int
        Images side by side.
    gap : int, default=1
        Transparent pixels between images.

    Returns
    -------
    picture : ndarray of shape (height, width, 4), uint8
        RGBA; gaps and missing images are transparent.
    """
    channels, height, width = image_shape
    images = np.clip(rows, 0, 1).reshape(-1, channels, height, width).transpose(0, 2, 3, 1)  # (n, h, w, c)
    images = np.broadcast_to(images, (*images.shape[:3], 3))
    n_rows = -(-len(images) // n_columns)
    shape = (n_rows * (height + gap) - gap, n_columns * (width + gap) - gap, 4)
    picture = np.zeros(shape, dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // n_columns * (height + gap), i % n_columns * (width + gap)
        picture[top : top + height, left : left + width, :3] = np.rint(255 * image)
        picture[top : top + height, left : left + width, 3] = 255
    return picture


def photo(row: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return one image at its own resolution.

    Parameters
    ----------
    row : ndarray of shape (n_features,)
        Pixels; what lies outside [0, 1] is clipped.
    image_shape : tuple of int
        (channels, height, width), with 1 or 3 channels.

    Returns
    -------
    picture : ndarray of shape (height, width) or (height, width, 3), uint8
        Gray or RGB, without the alpha channel that `tile` needs.
    """
    image = np.clip(row, 0, 1).reshape(image_shape).transpose(1, 2, 0)  # (h, w, c)
    image = image[..., 0] if image_shape[0] == 1 else image
    return np.rint(255 * image).astype(np.uint8)


def png_uri(picture: np.ndarray) -> str:
    """Return a picture as a ``data:image/png`` address.

    Parameters
    ----------
    picture : ndarray of shape (height, width) or (height, width, channels), uint8
        Gray, RGB or RGBA.

    Returns
    -------
    address : str
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

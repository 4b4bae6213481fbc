"""An image and those that are nearest to it in latent space, as one self-contained page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vaetools.report.page import render_template
from vaetools.report.page.gallery import split_path
from vaetools.report.pictures import photo, png_uri

_CRISP = 64  # pixels of the longer side up to which single pixels are shown as squares


@dataclasses.dataclass(frozen=True, eq=False)
class Likeness:
    """What the page shows, as plain arrays.

    Attributes
    ----------
    model : str
        In words, such as "VAE, 16 components".
    source : str
        What was searched, such as the path of a folder.
    n_searched : int
        All images that were compared, shown or not.
    n_failed : int
        Files that could not be read.
    image_shape : tuple of int
        (channels, height, width), with 1 or 3 channels.
    query : str
        Path or name of the image whose likes are wanted.
    query_image : ndarray of shape (n_features,)
        Its pixels in [0, 1], as the model saw them.
    names : sequence of str
        Paths or names of the nearest images, nearest first, as are the following.
    images : ndarray of shape (n_hits, n_features)
        Pixels in [0, 1].
    distances : ndarray of shape (n_hits,)
        Between the latent means.
    """

    model: str
    source: str
    n_searched: int
    n_failed: int
    image_shape: tuple[int, int, int]
    query: str
    query_image: np.ndarray
    names: Sequence[str]
    images: np.ndarray
    distances: np.ndarray


def render_likeness(likeness: Likeness) -> str:
    """Return the page.

    Parameters
    ----------
    likeness : Likeness

    Returns
    -------
    page : str
        HTML without a script, which fetches nothing. Names are escaped, and characters that cannot be
        seen are spelled out, so that it can be encoded as UTF-8.
    """
    shape = likeness.image_shape
    _, height, width = shape
    return render_template(
        "likeness.html",
        likeness=likeness,
        query={"path": split_path(likeness.query), "uri": png_uri(photo(likeness.query_image, shape))},
        cards=[
            {"path": split_path(name), "uri": png_uri(photo(image, shape)), "distance": f"{distance:#.3g}"}
            for name, image, distance in zip(likeness.names, likeness.images, likeness.distances, strict=True)
        ],
        width=width,
        height=height,
        crisp=max(width, height) <= _CRISP,
    )

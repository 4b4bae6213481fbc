"""Large images in, small ones out, and values per pixel of the small ones back in place."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array

from vaetools.checks import IMAGE_SHAPE, Requirement, check, integer
from vaetools.mixins import TransformerMixin


class Tiles(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Cut large images into square tiles, as a scikit-learn transformer.

    A defect of a few pixels is lost in the score of a whole image and not in that of a tile. Tiles
    lie on a grid; where the sides of the image do not divide, the last row and column of tiles are
    moved back inside, so that every tile is full and every pixel is covered. ``fit`` learns
    nothing and need not be called.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
        Of the images that rows are.
    size : int, default=64
        Pixels of a side of a tile.
    overlap : int, default=0
        Pixels that neighboring tiles share, less than ``size``.

    Attributes
    ----------
    tile_shape : tuple (channels, size, size)
        The ``image_shape`` of a model of tiles.
    n_tiles : int
        Tiles of one image.

    Notes
    -----
    Tiles are copies: ``transform`` returns about (size / (size − overlap))² times the bytes of X, in
    the type of X. 500 images of 640×640 in 8 bits are 205 MB, and with ``overlap = size // 2`` their
    tiles of 80 are 720 MB (15×15 instead of 8×8). A map of float64 is 3.3 MB per image and
    its tiles as much times the same factor: for more images than memory holds, transform, explain
    and `stitch` a few at a time. An image's tiles depend on that image alone, so the result is the same.

    Examples
    --------
    >>> import numpy as np
    >>> from vaetools import Tiles
    >>> X = np.arange(2 * 5 * 7, dtype=np.uint8).reshape(2, 35)
    >>> tiles = Tiles((1, 5, 7), size=4, overlap=2)
    >>> T = tiles.transform(X)
    >>> tiles.n_tiles, tiles.tile_shape, T.shape, T.dtype.name
    (6, (1, 4, 4), (12, 16), 'uint8')
    >>> np.array_equal(tiles.inverse_transform(T), X)
    True
    >>> tiles.stitch(T / 255.0).shape
    (2, 5, 7)
    """

    def __init__(self, image_shape: tuple[int, int, int], size: int = 64, overlap: int = 0):
        self.image_shape = image_shape
        self.size = size
        self.overlap = overlap

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Check the parameters.

        Parameters
        ----------
        X, y : Ignored
            Present for API consistency.

        Returns
        -------
        self : Tiles
        """
        self._check_parameters()
        return self

    @property
    def tile_shape(self) -> tuple[int, int, int]:
        """Shape of every tile, (channels, size, size)."""
        self._check_parameters()
        return (self.image_shape[0], self.size, self.size)

    @property
    def n_tiles(self) -> int:
        """Tiles of one image."""
        return len(self._corners())

    def transform(self, X: Any) -> np.ndarray:
        """Cut images into tiles.

        Parameters
        ----------
        X : array-like of shape (n_images, channels · height · width)

        Returns
        -------
        tiles : ndarray of shape (n_images · n_tiles, channels · size · size)
            In the type of X: the tiles of the first image in reading order, then the second's.
        """
        corners = self._corners()
        shape = getattr(X, "shape", ())
        if len(shape) > 2:
            channels, height, width = self.image_shape
            last = channels > 1 and tuple(shape[1:]) == (height, width, channels)
            raise ValueError(
                f"Tiles: X must have shape (n_images, n_features); got {tuple(shape)}. Pass "
                f"X{'.transpose(0, 3, 1, 2)' if last else ''}.reshape(len(X), -1)."
            )
        X = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        n_features = int(np.prod(self.image_shape))
        if X.shape[1] != n_features:
            raise ValueError(
                f"Tiles: X must have {n_features} columns for image_shape={self.image_shape}; got "
                f"{X.shape[1]}."
            )
        images = X.reshape(-1, *self.image_shape)
        tiles = np.empty((len(X), len(corners), *self.tile_shape), dtype=X.dtype)
        for i, (top, left) in enumerate(corners):
            tiles[:, i] = images[..., top : top + self.size, left : left + self.size]
        return tiles.reshape(-1, np.prod(self.tile_shape))

    def inverse_transform(self, tiles: Any) -> np.ndarray:
        """Put tiles, such as reconstructed ones, together to images.

        Parameters
        ----------
        tiles : array-like of shape (n_images · n_tiles, channels · size · size)

        Returns
        -------
        X : ndarray of shape (n_images, channels · height · width)
            In the type of the tiles; where they overlap, as `stitch` averages them. Tiles that
            `transform` cut give back X exactly.
        """
        pieces = self._by_image("tiles", tiles, self.image_shape[0])
        images = self._assemble(pieces)
        images = np.rint(images) if pieces.dtype.kind in "iu" else images
        return images.reshape(len(images), -1).astype(pieces.dtype)

    def stitch(self, maps: Any) -> np.ndarray:
        """Put values per pixel of tiles, such as heat maps, together to maps of whole images.

        Parameters
        ----------
        maps : array-like of shape (n_images · n_tiles, size · size) or (…, channels · size · size)
            Values of every tile in the order of `transform`: one per pixel, or one per channel and
            pixel. Those of channels are added up, as costs and surprise are. Or unflattened, such as
            (…, size, size). `inverse_transform` keeps channels apart.

        Returns
        -------
        maps : ndarray of shape (n_images, height, width), float64
            Where tiles overlap, their mean weighted by a pyramid: a pixel's weight is the product
            of its distances to the nearer horizontal and the nearer vertical side of its tile,
            counted from 1. A model sees least around the pixels at its tile's border.
        """
        pieces = self._by_image("maps", maps, 1, self.image_shape[0])
        return self._assemble(pieces.sum(axis=2, dtype=np.float64, keepdims=True))[:, 0]

    def _by_image(self, name: str, tiles: Any, *channels: int) -> np.ndarray:
        """Return rows as ``(n_images, n_tiles, channels, size, size)``, of as many channels as fit."""
        tiles, n_tiles = np.asarray(tiles), self.n_tiles
        n_images, rest = divmod(len(tiles), n_tiles)
        for n in channels:
            if not rest and tiles.size == len(tiles) * n * self.size**2:
                by_image: np.ndarray = tiles.reshape(n_images, n_tiles, n, self.size, self.size)
                return by_image
        shapes = dict.fromkeys(f"({n_tiles} · n_images, {n * self.size**2})" for n in channels)
        raise ValueError(
            f"Tiles: {name} must have shape {' or '.join(shapes)}, in the order of transform; got "
            f"{tiles.shape}."
        )

    def _assemble(self, tiles: np.ndarray) -> np.ndarray:
        """Return weighted means, ``(n_images, channels, height, width)``, float64."""
        ramp = np.minimum(np.arange(1, self.size + 1), np.arange(self.size, 0, -1))
        pyramid = np.multiply.outer(ramp, ramp)
        images = np.zeros((len(tiles), tiles.shape[2], *self.image_shape[1:]))
        weights = np.zeros(self.image_shape[1:])
        for i, (top, left) in enumerate(self._corners()):
            window = (..., slice(top, top + self.size), slice(left, left + self.size))
            weights[window] += pyramid
            # a running mean: exact where all that overlaps is equal
            images[window] += (tiles[:, i] - images[window]) * (pyramid / weights[window])
        return images

    def _corners(self) -> list[tuple[int, int]]:
        """Return top and left of every tile, in reading order; check the parameters first."""
        self._check_parameters()
        _, height, width = self.image_shape
        step = self.size - self.overlap
        tops, lefts = ([*range(0, side - self.size, step), side - self.size] for side in (height, width))
        return [(top, left) for top in tops for left in lefts]

    def _check_parameters(self) -> None:
        check(self, "image_shape", self.image_shape, IMAGE_SHAPE)
        most = min(self.image_shape[1:])
        words = f"an integer from 1 to {most}, the shorter side of an image"
        check(self, "size", self.size, Requirement(words, integer(1, most).holds))
        words = f"an integer from 0 to {self.size - 1}, below size"
        check(self, "overlap", self.overlap, Requirement(words, integer(0, self.size - 1).holds))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

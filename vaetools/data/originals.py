"""Images at their own size, and what a model saw of them put back in its place there."""

from typing import Any, NamedTuple

import numpy as np

from vaetools.data.decoding import Recipe, _examined, _orientation, _pixels, _place
from vaetools.data.depth import Box

_INVERSE = {2: 4, 4: 2}  # of quarter turns, as members of PIL.Image.Transpose; others undo themselves


def read_mask(path: str) -> np.ndarray:
    """Return where a mask is not 0, ``(height, width)``, as it is stored.

    Raises `ImageFileError` if it cannot be read.
    """
    marks: np.ndarray = _examined(path, lambda image: np.asarray(image.convert("L")) > 0)
    return marks


class Original(NamedTuple):
    """An image as it is shown, and how a model saw it.

    Attributes
    ----------
    pixels : ndarray of shape (channels, height, width)
        Levels, upright.
    seen : tuple (left, top, right, bottom)
        What the model saw of it, in pixels of the image as it is stored.
    size : tuple (width, height)
        What that was scaled to; it lay in the middle of what the model saw.
    transposition : int or None
        How the image as it is stored is set upright.
    """

    pixels: np.ndarray
    seen: Box
    size: tuple[int, int]
    transposition: Any = None

    def put_back(self, seen: np.ndarray) -> np.ndarray:
        """Return a map of what the model saw at the size of the image, NaN where the model did not look.

        Interpolated, but for the greatest value, which stays what it is.

        Parameters
        ----------
        seen : ndarray of shape (height, width), float32

        Returns
        -------
        map : ndarray of shape (height, width), float32
        """
        from PIL import Image

        picture = Image.fromarray(np.asarray(seen, np.float32))
        if self.transposition is not None:
            picture = picture.transpose(_INVERSE.get(self.transposition, self.transposition))
        left, top, right, bottom = map(round, self.seen)
        right, bottom = max(left + 1, right), max(top + 1, bottom)
        room = right - left, bottom - top
        start = [(whole - part) // 2 for whole, part in zip(picture.size, self.size, strict=True)]
        inner = picture.crop((start[0], start[1], start[0] + self.size[0], start[1] + self.size[1]))
        large = np.array(inner.resize(room, Image.Resampling.BILINEAR))
        values = np.asarray(picture)
        row, column = (int(place) for place in np.unravel_index(values.argmax(), values.shape))
        places = zip((column, row), start, self.size, room, strict=True)
        across, down = (min(max(0, (2 * i - 2 * s + 1) * n // (2 * m)), n - 1) for i, s, m, n in places)
        large[down, across] = values[row, column]
        _, height, width = self.pixels.shape
        whole = np.full((width, height) if self._is_turned else (height, width), np.nan, np.float32)
        whole[top:bottom, left:right] = large
        if self.transposition is None:
            return whole
        return np.asarray(Image.fromarray(whole).transpose(self.transposition))

    def without_padding(self, seen: np.ndarray) -> np.ndarray:
        """Return the part of a picture of what the model saw, ``(height, width, …)``, that has the image."""
        size = self.size[::-1] if self._is_turned else self.size
        left, top = ((whole - part) // 2 for whole, part in zip(seen.shape[1::-1], size, strict=True))
        return seen[top : top + size[1], left : left + size[0]]

    @property
    def _is_turned(self) -> bool:
        """Whether the image as it is stored lies on its side."""
        return self.transposition in (2, 4, 5, 6)


def read_original(
    source: Any, recipe: Recipe, *, n_channels: int = 1, longest: int | None = None
) -> Original:
    """Return an image at its own size, in levels of a recipe's depth, and how that recipe sees it.

    Parameters
    ----------
    source : path, callable or PIL image
    recipe : Recipe
    n_channels : {1, 3}, default=1
        Of the pixels: gray or color.
    longest : int or None, default=None
        Pixels of the longer side, to which larger images are scaled down.

    Raises
    ------
    ImageFileError
        If it cannot be read.
    """

    def read(image: Any) -> Original:
        transposition, turned = _orientation(image)
        _, height, width = recipe.image_shape
        (left, top, right, bottom), size = _place(
            image.size, (height, width) if turned else (width, height), recipe.aspect
        )
        shrink = 1 if longest is None else min(1, longest / max(image.size))
        shape = [max(1, round(side * shrink)) for side in image.size]
        across, down = (there / here for here, there in zip(image.size, shape, strict=True))
        seen = left * across, top * down, right * across, bottom * down
        n_columns, n_rows = shape[::-1] if turned else shape
        pixels = _pixels(image, Recipe((n_channels, n_rows, n_columns), "stretch", recipe.dtype))
        return Original(pixels.reshape(n_channels, n_rows, n_columns), seen, size, transposition)

    original: Original = _examined(source, read)
    return original

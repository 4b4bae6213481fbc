"""Numbers that are watched: of each row its score, its columns or what an image looks like, and its code."""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from vaetools.estimators.columns import names_in_fit
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import p_values_within, thresholds

COLUMN, IMAGE, LATENT = "column", "image", "latent"
_DARK, _BRIGHT = 1, 99  # percentiles of pixels
_COLORS = ("red", "green", "blue")
_SIDES = (("top", "middle", "bottom"), ("left", "center", "right"))
_LONGEST = 64  # pixels of the longer side of a mean picture


class Statistic(NamedTuple):
    """What one of the numbers is called, what it is of, and how much it counts among those of its kind."""

    name: str
    kind: str
    weight: float = 1.0


class Measured(NamedTuple):
    """What some rows are like.

    Attributes
    ----------
    scores : ndarray of shape (n_rows,)
    values : ndarray of shape (n_rows, n_statistics)
    pictures : ndarray of shape (n_rows, channels, height, width) or None
        Of images, small, in [0, 1].
    """

    scores: np.ndarray
    values: np.ndarray
    pictures: np.ndarray | None


class Measure:
    """Measures rows by a fitted model.

    Of one that judges rows given a context, so that nothing changes where only contexts do: the score is the
    p-value within the group of a row, less 1 if it is flagged, and columns are less what is usual there.
    Columns of categories are watched category by category, each a column of 0 and 1.
    """

    def __init__(self, estimator: Any):
        self.estimator = estimator
        self.image_shape: tuple[int, int, int] | None = getattr(estimator, "image_shape", None)
        self._active = np.zeros(0, bool)
        if hasattr(estimator, "transform"):
            n_components = Engine(estimator).n_components
            self._active = getattr(estimator, "active_units_", np.ones(n_components, bool))
        self.statistics = [*self._of_rows(), *self._of_codes()]

    def __call__(self, X: Any, y: Any = None) -> Measured:
        """Return what rows are like; ``y`` is their context where it comes beside them."""
        scores, rows, codes = self._asked(X, y)
        if self.image_shape is None:
            return Measured(scores, np.concatenate([rows, codes], axis=1), None)
        images = np.asarray(self.estimator.input_scale_.shown(rows), np.float64)
        images = images.reshape(-1, *self.image_shape)
        return Measured(scores, np.concatenate([looks(images), codes], axis=1), shrunk(images))

    def _asked(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores, rows as numbers and the latent means in use."""
        if not hasattr(self.estimator, "transform"):
            rows = np.asarray(X)
            return rounded(self.estimator.score_samples(X)), rows, np.empty((len(rows), 0))
        engine = Engine(self.estimator)
        checked = engine.rows(X, y)
        scores, codes = map(rounded, engine.map(checked, engine.score(), attrgetter("mean")))
        rows = np.asarray(checked.X, None if self.image_shape else np.float64)
        if engine.context is not None:
            is_flagged = scores < thresholds(self.estimator, checked)
            scores = p_values_within(self.estimator, scores, checked) - is_flagged
            rows = rows - np.where(self._are_numbers, rounded(engine.usual(checked)), 0.0)
        return scores, self._by_category(rows), codes[:, self._active]

    @property
    def _are_numbers(self) -> Any:
        """Which columns are numbers."""
        columns = self.estimator.columns_
        return True if columns is None else [column.kind == "gaussian" for column in columns.columns]

    def _by_category(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with a column for every category, and for cells that have none of them."""
        if self.estimator.columns_ is None:
            return rows
        parts = []
        for column, cells in zip(self.estimator.columns_.columns, rows.T[:, :, None], strict=True):
            if column.kind == "categorical":
                is_own = cells == np.arange(len(column.values))
                cells = np.concatenate([is_own, ~is_own.any(axis=1, keepdims=True)], axis=1)
            parts.append(cells)
        return np.concatenate(parts, axis=1, dtype=np.float64)

    def _of_rows(self) -> list[Statistic]:
        if self.image_shape is not None:
            return [Statistic(name, IMAGE) for name in looks_in_words(self.image_shape[0])]
        names = names_in_fit(self.estimator)
        if names is None:
            names = [str(i) for i in range(len(self.estimator.input_scale_.shift))]
        if self.estimator.columns_ is None:
            return [Statistic(name, COLUMN) for name in names]
        found = []
        for name, column in zip(names, self.estimator.columns_.columns, strict=True):
            called = [name]
            if column.kind == "categorical":
                called = [*(f"{name}={value}" for value in column.values), f"{name}, new or missing"]
            found += [Statistic(each, COLUMN, 1 / len(called)) for each in called]
        return found

    def _of_codes(self) -> list[Statistic]:
        return [Statistic(str(i), LATENT) for i in np.flatnonzero(self._active)]


def rounded(values: np.ndarray) -> np.ndarray:
    """Return what a network made without its last bits, which depend on the batch.

    Examples
    --------
    >>> rounded(np.array([0.1, 0.1 + 1e-16, -np.inf])).tolist()
    [0.10000000009313226, 0.10000000009313226, -inf]
    """
    step = 2.0**-32 * np.exp2(np.ceil(np.log2(np.clip(np.abs(values), 1, 1e300))))
    near: np.ndarray = np.rint(values / step) * step
    return near


def looks_in_words(n_channels: int) -> list[str]:
    """Return what `looks` measures.

    Examples
    --------
    >>> looks_in_words(1)[:6]
    ['brightness', 'contrast', 'darkest pixels', 'brightest pixels', 'sharpness', 'top left brightness']
    """
    blocks = [f"{row} {column} brightness" for row in _SIDES[0] for column in _SIDES[1]]
    of_colors = [*_COLORS] if n_channels == 3 else []
    return [
        *("brightness", "contrast", "darkest pixels", "brightest pixels", "sharpness"),
        *blocks,
        *of_colors,
    ]


def looks(images: np.ndarray) -> np.ndarray:
    """Return what images look like, in simple numbers.

    Parameters
    ----------
    images : ndarray of shape (n_images, channels, height, width)

    Returns
    -------
    numbers : ndarray of shape (n_images, n_numbers)
        Mean and spread of pixels, the first and the last percent, the mean step between neighbors, and means
        of nine blocks and of colors.

    Examples
    --------
    >>> looks(np.full((1, 1, 6, 6), 0.5))[0, :6].tolist()
    [0.5, 0.0, 0.5, 0.5, 0.0, 0.5]
    """
    n, n_channels = images.shape[:2]
    flat, gray = images.reshape(n, -1), images.mean(axis=1)
    steps = sum(np.abs(np.diff(gray, axis=axis)).reshape(n, -1).mean(axis=1) for axis in (1, 2)) / 2
    blocks = [
        block.reshape(n, -1).mean(axis=1)
        for band in np.array_split(gray, 3, axis=1)
        for block in np.array_split(band, 3, axis=2)
    ]
    colors = images.mean(axis=(2, 3)).T if n_channels == 3 else []
    ends = np.percentile(flat, [_DARK, _BRIGHT], axis=1)
    return np.stack([flat.mean(axis=1), flat.std(axis=1), *ends, steps, *blocks, *colors], axis=1)


def shrunk(images: np.ndarray) -> np.ndarray:
    """Return images of at most 64 pixels a side, each pixel the mean of those that it stands for.

    Examples
    --------
    >>> shrunk(np.zeros((2, 1, 130, 28))).shape
    (2, 1, 44, 10)
    """
    step = -(-max(images.shape[2:]) // _LONGEST)
    for axis in (2, 3):
        starts = np.arange(0, images.shape[axis], step)
        sizes = np.diff(starts, append=images.shape[axis])
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        images = np.add.reduceat(images, starts, axis=axis) / sizes.reshape(shape)
    return images

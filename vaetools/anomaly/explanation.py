"""What about a row is odd: costs per column, per pixel and per latent dimension, in nats.

A column's *surprise* is its cost minus the cost that the prediction expects of itself, the entropy:
−log p(x | z) − H[p(· | z)]. It has no unit, since scaling a column changes both alike, and its mean
over values that the model itself would draw is 0. So columns of any unit and kind compare.

Heat maps are surprise on one absolute scale, learnt from normal images that trained nothing: 0 is
what half of their pixels stay below, and 1 what only a share ``false_alarm_rate`` of them exceeds
*anywhere*. So red means something even where a map stands alone. Where no rows were held out to
calibrate, the images that trained set the scale, and more of new normal ones are red.
"""

import dataclasses

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, label, maximum_filter

from vaetools.anomaly.rates import n_tolerated
from vaetools.checks import POSITIVE_INTEGER, check

# of ColorBrewer's YlOrRd, which color-blind people can tell apart: evenly from yellow to orange, and red at 1
# and not before
HEAT_COLORS = ("#fed976", "#febf5e", "#feb24c", "#fea044", "#fd8d3c", "#e31a1c")
RING_COLOR = "#2196f3"  # which no heat and no gray has
_SMALL, _AWAY, _WIDTH = 12, 28, 128  # of the longer side: a spot that gets a ring, how far away, how wide
WITH_PLACES = ("images", "perceptual")  # scores that have maps of their own
STRUCTURE = "structure"  # the question of the score ``images`` that has places
_N_COLORS = 1000  # steps of a palette
SMOOTHING = 1.0  # pixels: oddities are larger than one pixel, and noise is not
_OPACITY = 0.7  # of the hottest pixels: the image stays visible below


@dataclasses.dataclass(frozen=True, eq=False)
class Explanation:
    """Why rows are as odd as they are; ``explain`` of a fitted estimator returns it.

    Attributes
    ----------
    reconstruction : ndarray of shape (n_samples, n_features)
        −log p(x | z) in nats. Adds up to the reconstruction cost of the row.
    kl : ndarray of shape (n_samples, n_components)
        KL of every latent dimension in nats. Adds up to the KL cost of the row. A conditional model
        that is not given labels has one more column, the cost of the label.
    surprise : ndarray of shape (n_samples, n_features)
        Cost beyond the one that the prediction expects of itself, in nats; 0 is as expected, and NaN
        a missing cell.
    value, expected : ndarray of shape (n_samples, n_features)
        The rows and their reconstructions, in units of X; 8-bit pixels in [0, 1]. Of tables of several
        kinds, their cells.
    rows : ndarray of shape (n_samples,)
        Names of the rows: the index of a DataFrame, else their numbers.
    columns : ndarray of shape (n_features,)
        Names of the columns: those of a DataFrame, else their numbers.
    image_shape : tuple (channels, height, width) or None
        If rows are images.
    heat_range : ndarray of shape (2,) or None
        What is drawn as 0 and as 1: smoothed surprise of a pixel, in nats, or of `structure`. None of a
        model that knows no such scale.
    question : ndarray of shape (n_samples,) or None
        With ``anomaly_score="images"``, which of its questions decided the score of every image.
    structure : ndarray of shape (n_samples, height, width) or None
        With ``anomaly_score="images"``, what every place adds to the squared distance of the question
        ``"structure"``, the only one that has places; with ``"perceptual"``, how unlike its reconstruction
        every pixel looks, from 0 to 2.
    context : ndarray of shape (n_samples,) or None
        What rows were judged given, as text.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE
    >>> X = load_iris().data
    >>> explanation = VAE(2, max_iter=5, random_state=0).fit(X).explain(X[:3])
    >>> explanation, explanation.table(top=1).columns.tolist()
    (Explanation(3 rows × 4 columns), ['row', 'column', 'value', 'expected', 'surprise'])
    """

    reconstruction: np.ndarray
    kl: np.ndarray
    surprise: np.ndarray
    value: np.ndarray
    expected: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    image_shape: tuple[int, int, int] | None = None
    heat_range: np.ndarray | None = None
    question: np.ndarray | None = None
    structure: np.ndarray | None = None
    context: np.ndarray | None = None

    def __repr__(self) -> str:
        n_samples, n_features = self.surprise.shape
        return f"Explanation({n_samples} rows × {n_features} columns)"

    def table(self, top: int = 5) -> pd.DataFrame:
        """Return the most surprising columns of every row.

        Parameters
        ----------
        top : int, default=5
            Columns per row; all if there are fewer.

        Returns
        -------
        table : DataFrame of shape (n_samples · top, 5)
            Columns ``row``, ``column``, ``value``, ``expected`` and ``surprise`` in nats, and of a model
            that judges rows given their context, that as ``given``. Rows are
            in order, and within each the most surprising column is first; missing cells are last.

        Raises
        ------
        ValueError
            If ``top`` is not a positive integer.
        """
        check("Explanation", "top", top, POSITIVE_INTEGER)
        order = np.argsort(-self.surprise, axis=1, kind="stable")[:, :top]
        ranked = {
            name: np.take_along_axis(getattr(self, name), order, axis=1).ravel()
            for name in ("value", "expected", "surprise")
        }
        names = np.repeat(self.rows, order.shape[1])
        # pandas would make strings, which hold no names beyond UTF-8
        row = pd.Series(names, dtype=names.dtype)
        told = {} if self.context is None else {"given": np.repeat(self.context, order.shape[1])}
        return pd.DataFrame({"row": row, **told, "column": self.columns[order.ravel()], **ranked})

    def heat_maps(self) -> np.ndarray:
        """Return how odd every pixel and its next neighbors are, on the model's one scale.

        That is surprise. With ``anomaly_score="images"`` it is what every place adds to the question that
        decided, ``"structure"``, and with ``"perceptual"`` how unlike its reconstruction it looks.

        Returns
        -------
        heat : ndarray of shape (n_samples, height, width)
            In [0, 1]: 0 is at most what half of the pixels of normal images have, and 1 is
            reached somewhere by a normal image with probability ``false_alarm_rate``, or by more
            where no rows were held out to calibrate. NaN for images that a question without places
            decided.

        Raises
        ------
        ValueError
            If rows are not images.
        """
        if self.structure is not None and self.heat_range is None:
            raise ValueError(
                "Explanation: heat maps need a scale of the question 'structure', which earlier versions did "
                "not learn; got heat_range=None. Call recalibrate(X) with normal images, or fit again."
            )
        if self.image_shape is None or self.heat_range is None:
            raise ValueError(
                f"Explanation: heat maps need a model of images; got image_shape={self.image_shape}. "
                "Rows of a table have table(); if rows are images, fit it again with their image_shape."
            )
        if self.structure is None:
            return heat(pixel_surprise(self.surprise, self.image_shape), self.heat_range)
        maps = heat(smoothed(self.structure), self.heat_range)
        if self.question is None:
            return maps
        return np.where((self.question == STRUCTURE)[:, None, None], maps, np.nan)

    def overlays(self) -> np.ndarray:
        """Return the heat maps as colors over the gray images: yellow, orange, red at 1; plain where NaN.

        Returns
        -------
        pictures : ndarray of shape (n_samples, height, width, 3), uint8
            RGB. Where an image has values outside [0, 1], its gray spans its own range.
        """
        heat = self.heat_maps()
        n_samples, height, width = heat.shape
        channels = self.value.shape[1] // (height * width)
        return overlay(heat, self.value.reshape(n_samples, channels, height, width).mean(axis=1))


def pixel_surprise(
    surprise: np.ndarray, image_shape: tuple[int, int, int], *, smoothing: float = SMOOTHING
) -> np.ndarray:
    """Return surprise summed over channels and smoothed over pixels, ``(n_samples, height, width)``.

    Examples
    --------
    >>> float(pixel_surprise(np.ones((1, 2 * 3 * 4)), (2, 3, 4)).sum().round(6))  # 12 pixels of 2 channels
    24.0
    """
    return smoothed(surprise.reshape(-1, *image_shape).sum(axis=1), smoothing)


def smoothed(maps: np.ndarray, smoothing: float = SMOOTHING) -> np.ndarray:
    """Return maps ``(n_samples, height, width)`` under a Gaussian window of so many pixels."""
    blurred: np.ndarray = gaussian_filter(maps, (0, smoothing, smoothing), mode="nearest")
    return blurred


def map_levels(maps: np.ndarray) -> np.ndarray:
    """Return what `heat_range` needs of maps: the median and the maximum of each, ``(n_samples, 2)``.

    Examples
    --------
    >>> map_levels(np.arange(6.0).reshape(1, 2, 3))
    array([[2.5, 5. ]])
    """
    return np.stack([np.median(maps, axis=(1, 2)), maps.max(axis=(1, 2))], axis=1)


def heat_range(levels: np.ndarray, false_alarm_rate: float, confidence: float | None = None) -> np.ndarray:
    """Return what is drawn as 0 and as 1, from the `map_levels` of normal images that trained nothing.

    The median of the medians, and the k-th largest maximum with k = ⌊rate · (n + 1)⌋, or of fewer images
    than that takes, the largest: a normal image reaches 1 somewhere with the probability of the rate. With a
    confidence in the rate k is that of `n_tolerated`.

    Examples
    --------
    >>> medians, maxima = np.zeros(39), np.arange(1.0, 40)
    >>> heat_range(np.stack([medians, maxima], axis=1), 0.05)
    array([ 0., 38.])
    """
    medians, maxima = levels.T
    k = n_tolerated(len(maxima), false_alarm_rate, confidence)
    low, high = np.median(medians), np.sort(maxima)[-k]
    return np.array([low, high if high > low else low + 1])


def heat(maps: np.ndarray, heat_range: np.ndarray) -> np.ndarray:
    """Return maps on the scale of a heat range, clipped to [0, 1].

    Examples
    --------
    >>> heat(np.array([-1.0, 2.0, 9.0]), np.array([0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    low, high = heat_range
    colored: np.ndarray = np.clip((maps - low) / (high - low), 0, 1)
    return colored


def overlay(heat: np.ndarray, gray: np.ndarray) -> np.ndarray:
    """Draw heat over gray images: the hotter, the less of the image shows through, and 1 alone is red.

    Where an image has values outside [0, 1], its gray spans its own range.

    Examples
    --------
    >>> overlay(np.array([[[0.0, 1.0]]]), np.array([[[0.5, 0.5]]]))[0, 0]  # gray, and red over gray
    array([[128, 128, 128],
           [197,  56,  58]], dtype=uint8)
    """
    least, greatest = (bound(gray, axis=(1, 2), keepdims=True) for bound in (np.min, np.max))
    fits = (least >= 0) & (greatest <= 1)
    span = np.where(fits | (greatest == least), 1, greatest - least)
    gray = (255 * ((gray - np.where(fits, 0, least)) / span)).astype(np.float32)[..., None]  # (n, h, w, 1)
    level = (_N_COLORS * np.nan_to_num(heat)).astype(np.intp)
    painted: np.ndarray = np.rint((1 - _OPACITIES[level]) * gray + _PAINTS[level]).astype(np.uint8)
    return painted


def ringed(picture: np.ndarray, red: np.ndarray) -> np.ndarray:
    """Return a picture with circles around red spots that are too small to be seen where it is shown small.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), uint8
    red : ndarray of shape (height, width), bool
        Where it is red.
    """
    side = max(red.shape)
    away, width = max(2, side // _AWAY), max(1, side // _WIDTH)
    spots, n_spots = label(maximum_filter(red, 2 * away + 1))  # those that are near each other are one
    down, across = np.ogrid[: red.shape[0], : red.shape[1]]
    picture = picture.copy()
    for i in range(1, n_spots + 1):
        places = np.argwhere(red & (spots == i))
        low, high = places.min(axis=0), places.max(axis=0)
        if (high - low).max() * _SMALL < side:
            row, column = (low + high) / 2
            radius = np.hypot(*(high - low)) / 2 + away
            distance = np.hypot(down - row, across - column)
            picture[abs(distance - radius) <= width / 2] = [*bytes.fromhex(RING_COLOR[1:])]
    return picture


def _palette() -> tuple[np.ndarray, np.ndarray]:
    """Return opacities of heat in equal steps, and what they add in color; the last, of 1, is red."""
    *warm, red = ([*bytes.fromhex(color[1:])] for color in HEAT_COLORS)
    heat = np.arange(_N_COLORS + 1) / _N_COLORS
    stops = np.linspace(0, 1, len(warm))
    colors = np.stack([np.interp(heat, stops, channel) for channel in np.transpose(warm)], axis=1)
    colors[-1] = red
    opacities = _OPACITY * heat[:, None]
    return opacities.astype(np.float32), (opacities * colors).astype(np.float32)


_OPACITIES, _PAINTS = _palette()

"""How odd pixels are, whatever model says so, on one scale for all images."""

from typing import Any, NamedTuple

import numpy as np

from vaetools.anomaly.explanation import STRUCTURE, WITH_PLACES, heat, pixel_surprise, smoothed

_REACH = 1.5  # scale of colors, in distances from the greatest value of a usual good image to the limit
_NOT_RED = np.float32(1 - 1e-6)


class PixelMaps(NamedTuple):
    """Maps of images, and what their values mean.

    Attributes
    ----------
    values : ndarray of shape (n_images, height, width), float32
        How odd pixels are.
    low : float
        What is drawn clear: of a detector, what lies so far below the limit that the greatest value of a
        usual good image is a third of the scale; else what half of the pixels of normal images stay below.
    limit : float
        What lies beyond is drawn red: of a detector, what flags an image, else what few normal images have
        anywhere. NaN, as ``low``, where a model of an earlier version does not know.
    unit : str
    is_verdict : bool
        Whether an image is flagged exactly if its map goes beyond the limit.
    questions : ndarray of shape (n_images,) or None
        What decided about every image, where a model asks several questions. A map is of the only one that
        has places.
    """

    values: np.ndarray
    low: float
    limit: float
    unit: str
    is_verdict: bool
    questions: np.ndarray | None = None

    def is_of_decision(self, i: int) -> bool:
        """Whether the map of an image is of what decided about it."""
        return self.questions is None or self.questions[i] == STRUCTURE

    def is_drawn(self, i: int) -> bool:
        """Whether the map of an image is to be shown: it is of what decided, and on a scale."""
        return self.is_of_decision(i) and not np.isnan(self.limit)

    def heat(self, values: np.ndarray) -> np.ndarray:
        """Return values of a map on the scale of colors: 0 is clear, and 1 red, beyond the limit alone."""
        below = np.minimum(heat(values, np.array([self.low, self.limit], np.float32)), _NOT_RED)
        return np.where(values > self.limit, np.float32(1), np.nan_to_num(below))


def pixel_maps(model: Any, X: np.ndarray, known: np.ndarray | None = None, context: Any = None) -> PixelMaps:
    """Return how odd pixels of images are to a fitted model: a detector of patches, or one that explains.

    ``known`` are maps of the former that somebody has made already, ``context`` is what images are judged
    given.
    """
    if hasattr(model, "heat_maps"):
        limit, usual = -model.offset_, float(np.median(-model.calibration_scores_))
        low = limit - _REACH * (limit - usual) if usual < limit else limit - 1
        return PixelMaps(
            model.heat_maps(X) if known is None else known, low, limit, model.score_unit_, is_verdict=True
        )
    found = model.explain(X, context)
    low, limit = (np.nan, np.nan) if found.heat_range is None else map(float, found.heat_range)
    if found.structure is not None:
        maps = smoothed(found.structure).astype(np.float32)
        unit = "unlikeness" if found.question is None else "std²"
        return PixelMaps(maps, low, limit, unit, is_verdict=False, questions=found.question)
    maps = pixel_surprise(found.surprise, found.image_shape).astype(np.float32)
    return PixelMaps(maps, low, limit, "nats", is_verdict=False)


def has_maps(model: Any) -> bool:
    """Whether a fitted model says how odd pixels are."""
    scale = "structure_range_" if model.anomaly_score_ in WITH_PLACES else "heat_range_"
    return hasattr(model, "heat_maps") or hasattr(model, scale)

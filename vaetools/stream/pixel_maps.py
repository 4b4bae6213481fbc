"""How odd pixels are, whatever model says so, on one scale for all images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vaetools.anomaly.explanation import heat, pixel_surprise

_NOT_RED = np.float32(1 - 1e-6)


class PixelMaps(NamedTuple):
    """Maps of images, and what their values mean.

    Attributes
    ----------
    values : ndarray of shape (n_images, height, width), float32
        How odd pixels are.
    low : float
        What is drawn clear: of a detector, as far below the greatest value of a usual good image as that
        is below the limit; else what half of the pixels of normal images stay below.
    limit : float
        What lies beyond is drawn red: of a detector, what flags an image, else what few normal images have
        anywhere.
    unit : str
    is_verdict : bool
        Whether an image is flagged exactly if its map goes beyond the limit.
    """

    values: np.ndarray
    low: float
    limit: float
    unit: str
    is_verdict: bool

    def heat(self, values: np.ndarray) -> np.ndarray:
        """Return values of a map on the scale of colors: 0 is clear, and 1 red, beyond the limit alone."""
        below = np.minimum(heat(values, np.array([self.low, self.limit], np.float32)), _NOT_RED)
        return np.where(values > self.limit, np.float32(1), np.nan_to_num(below))


def pixel_maps(model: Any, X: np.ndarray) -> PixelMaps:
    """Return how odd pixels of images are to a fitted model: a detector of patches, or one that explains."""
    if hasattr(model, "heat_maps"):
        limit, usual = -model.offset_, float(np.median(-model.calibration_scores_))
        low = 2 * usual - limit if usual < limit else limit - 1
        return PixelMaps(model.heat_maps(X), low, limit, model.score_unit_, is_verdict=True)
    explanation = model.explain(X)
    maps = pixel_surprise(explanation.surprise, explanation.image_shape).astype(np.float32)
    low, limit = map(float, explanation.heat_range)
    return PixelMaps(maps, low, limit, "nats", is_verdict=False)


def has_maps(model: Any) -> bool:
    """Whether a fitted model says how odd pixels are."""
    return hasattr(model, "heat_maps") or getattr(model, "heat_range_", None) is not None

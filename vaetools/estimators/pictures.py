"""Rows that are images for an estimator whose network was not trained on them: checked, and in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaetools.estimators.building import check_image_shape
from vaetools.estimators.intake import check_numbers, unpacked
from vaetools.estimators.rows import check_depth, check_numbers_of_images, check_unit_interval, pixel_levels
from vaetools.nn.batches import InputScale

_PIXELS = 2**16  # that go through a network at once on a CPU, whose cache holds what layers make of them


def check_pictures(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Return X as rows of pixels, neither cast nor copied; ``fit`` learns what is black and white.

    Raises
    ------
    ValueError
        If rows are not images of the estimator's ``image_shape``, of integers such as were fitted, or of
        numbers in [0, 1].
    """
    owner = type(estimator).__name__
    rows = check_numbers(estimator, unpacked(owner, X), reset=reset)
    if reset:
        check_image_shape(estimator, rows.shape[1])
        of_levels = rows.dtype.kind in "iu"
        levels = {"levels": pixel_levels(rows)} if of_levels else {}
        estimator.input_scale_ = InputScale.fixed("pixels" if of_levels else "unit", rows.shape[1], **levels)
    scale = estimator.input_scale_
    if rows.dtype.kind == "f":
        check_unit_interval(
            owner, rows, "where 0 is black and 1 is white; or pass integers as they are in files"
        )
    elif scale.of_levels:
        check_depth(owner, rows, scale.levels)
    else:
        check_numbers_of_images(owner, rows, scale.kind)
    return rows


def through(
    estimator: Any, rows: np.ndarray, function: Callable[[Tensor], Tensor], device: torch.device
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield places of images, and what a function makes of these in [0, 1], ``(n_images, c, height, width)``.

    As many go through at once every time, the last once more if need be: the last digits of a
    convolution differ with that number, and what becomes of an image must depend on it alone.
    """
    channels, height, width = estimator.image_shape
    n_images = max(1, _PIXELS // (height * width))
    with torch.inference_mode():
        for start in range(0, len(rows), n_images):
            places = np.minimum(np.arange(start, start + n_images), len(rows) - 1)
            values = estimator.input_scale_.apply(rows[places], device=device, dtype=torch.float32)
            n_read = min(n_images, len(rows) - start)
            made = function(values.reshape(-1, channels, height, width))[:n_read]
            yield slice(start, start + n_read), made.cpu().numpy()

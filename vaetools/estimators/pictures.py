"""Rows that are images for an estimator whose network was not trained on them: checked, and in [0, 1]."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vaetools.estimators.building import check_image_shape
from vaetools.estimators.image_fields import THUMBNAIL
from vaetools.estimators.intake import check_numbers, unpacked
from vaetools.estimators.rows import check_depth, check_numbers_of_images, check_unit_interval, pixel_levels
from vaetools.estimators.verdicts import check_certifiable
from vaetools.nn.batches import InputScale
from vaetools.progress import bar_options

_SEEN, _THUMBNAIL_SEEN = 192, 128  # pixels a side, at least, that the network sees of images, of thumbnails
SHARE_HELD_OUT = 0.4  # of few images, that tell what is usual
_SHARE_TELLING = 0.25  # of images that train or tell, where those that calibrate do nothing else
_LEAST_TELLING, _MOST_TELLING = 10, 400  # images, whose costs of places are all in memory at once
_PIXELS_TELLING = 2**26  # of large images fewer tell
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
        if estimator.image_shape is None or estimator.image_shape[0] not in (1, 3):
            raise ValueError(
                f"{owner}: image_shape must be (1 or 3, height, width), of gray or of color; got "
                f"{estimator.image_shape!r}."
            )
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


def split_images(
    estimator: Any, n_images: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of images that train, that tell what is usual, and that calibrate alone.

    Those that tell calibrate, too, unless a ``confidence`` is asked for, which only others can give. Where
    the whole alone is judged, which is learnt in no time, the first that train tell what is usual.
    """
    if n_images < 4:  # two to train, and two to say what is usual
        raise ValueError(f"{type(estimator).__name__}: X must have at least 4 images; got {n_images}.")
    _, height, width = estimator.image_shape
    most = min(_MOST_TELLING, max(_LEAST_TELLING, _PIXELS_TELLING // (height * width)))
    order, n_calibrating = rng.permutation(n_images), int(estimator.calibration_fraction * n_images)
    if estimator.confidence is not None:
        n_calibrating = min(max(1, n_calibrating), n_images - 3)
        check_certifiable(estimator, n_calibrating)
    if estimator.chosen_scope() == "whole":
        n_alone = max(0, n_calibrating - most) if estimator.confidence is None else n_calibrating
        calibrating, train = np.split(order, [n_alone])
        return train, train[:most], calibrating
    if estimator.confidence is None:
        n_held_out = max(n_calibrating, min(_MOST_TELLING, int(SHARE_HELD_OUT * n_images)))
        telling, calibrating, train = np.split(
            order, np.clip([min(most, n_held_out), n_held_out], 2, n_images - 2)
        )
    else:
        n_telling = min(most, max(2, int(_SHARE_TELLING * (n_images - n_calibrating))))
        calibrating, telling, train = np.split(order, [n_calibrating, n_calibrating + n_telling])
    return train, telling, calibrating


def through(
    estimator: Any,
    rows: np.ndarray,
    function: Callable[[Tensor], Sequence[Tensor]],
    device: torch.device,
    *,
    index: np.ndarray | None = None,
    task: str = "",
) -> list[np.ndarray]:
    """Return what a function makes of images that were checked, one array each of all of them.

    It gets them in [0, 1], ``(n_images, channels, height, width)``, a few at a time. As many go through
    at once every time, the last once more if need be: the last digits of a convolution differ with that
    number, and what becomes of an image must depend on it alone. ``index`` chooses rows, and a ``task``
    shows its progress as the estimator's ``verbose`` says.
    """
    channels, height, width = estimator.image_shape
    n_images = max(1, _PIXELS // (height * width))
    index = np.arange(len(rows)) if index is None else index
    arrays: list[np.ndarray] = []
    how = bar_options(estimator.verbose if task else 0)
    with torch.inference_mode(), tqdm(total=len(index), desc=task, unit="image", **how) as bar:
        for start in range(0, len(index), n_images):
            places = np.minimum(np.arange(start, start + n_images), len(index) - 1)
            values = estimator.input_scale_.apply(rows[index[places]], device=device, dtype=torch.float32)
            made = [each.cpu().numpy() for each in function(values.reshape(-1, channels, height, width))]
            arrays = arrays or [np.empty((len(index), *each.shape[1:]), each.dtype) for each in made]
            for array, each in zip(arrays, made, strict=True):
                array[start : start + n_images] = each[: len(index) - start]
            bar.update(min(n_images, len(index) - start))
    return arrays


def enlarged(shape: tuple[int, int]) -> tuple[int, int] | None:
    """Return the size at which a network sees small images, which knows little of so small things.

    Examples
    --------
    >>> enlarged((32, 32)), enlarged((48, 64)), enlarged((256, 200))
    ((128, 128), (144, 192), None)
    """
    least = _THUMBNAIL_SEEN if max(shape) <= THUMBNAIL else _SEEN
    return scaled(shape, least) if max(shape) < least else None


def scaled(shape: tuple[int, int], longer: int) -> tuple[int, int]:
    """Return the size of an image, scaled to so many pixels on the longer side."""
    scale = longer / max(shape)
    return round(scale * shape[0]), round(scale * shape[1])

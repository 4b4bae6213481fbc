"""What rows hold, and which job each gets."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from vaetools.nn.batches import slices
from vaetools.nn.scaling import EIGHT_BITS


def are_images(estimator: Any, X: Any) -> bool:
    """Whether rows are images: the estimator was told their shape, or they come from an image reader."""
    return estimator.image_shape is not None or getattr(X, "are_pixels", False)


def precision_of(X: np.ndarray) -> type[np.floating]:
    """Return the type of what is made of X: float32 for float32, else float64."""
    return np.float32 if X.dtype == np.float32 else np.float64


def check_unit_interval(owner: str, X: np.ndarray, reason: str) -> None:
    """Raise where a value lies outside [0, 1], naming it."""
    low, high = value_range(X)
    if low < 0 or high > 1:
        value = high if high > 1 else low
        raise ValueError(f"{owner}: X must lie in [0, 1], {reason}; got {value:g}.")


def check_support(owner: str, X: np.ndarray, likelihood: Any, *, is_image: bool) -> None:
    """Raise where training rows for a likelihood of [0, 1] lie outside, and no scaling will bring them in."""
    if is_image and X.dtype.kind in "iu":
        return
    remedy = "scale it with sklearn.preprocessing.MinMaxScaler(clip=True), or choose likelihood='gaussian'"
    if X.dtype == np.uint8:
        remedy = f"of 8-bit pixels pass image_shape, or X / 255.0; other columns: {remedy}"
    check_unit_interval(owner, X, f"the support of likelihood={likelihood!r}; {remedy}")


def value_range(X: np.ndarray, index: np.ndarray | None = None) -> tuple[float, float]:
    """Return the least and the greatest value of some rows (default: all)."""
    low, high = np.inf, -np.inf
    for piece in slices(len(X) if index is None else len(index), X.shape[1]):
        rows = X[piece] if index is None else X[index[piece]]
        low, high = min(low, float(rows.min())), max(high, float(rows.max()))
    return low, high


def check_numbers_of_images(owner: str, X: np.ndarray, kind: str) -> None:
    """Raise where X has levels of images, and the model was fitted on images of other numbers."""
    high = value_range(X)[1]
    if X.dtype == np.uint8:
        found = "uint8"
        how = "X.astype(float) if 1 is white, as in masks, else X / 255.0"
        if high > 1:
            how = "X / 255.0 if those were images in [0, 1], else X.astype(float)"
        fitted = "on the scale of the training images, which were not 8-bit"
    elif kind == "unit" and high > 1:
        found, how = f"{X.dtype} up to {high:.0f}", f"X / {_white(high)}.0 if {_white(high)} is white"
        fitted = "in [0, 1], as those of the training images"
    else:
        return
    raise ValueError(f"{owner}: X must be numbers {fitted}; got {found}. Pass {how}.")


def _white(level: float) -> int:
    """Return the greatest level of the fewest bits, at least 8, that hold a level."""
    return max(255, 2 ** int(level).bit_length() - 1)


def _check_depth(owner: str, X: np.ndarray, levels: tuple[int, int]) -> None:
    """Raise where integers cannot be levels of images such as a model was fitted on.

    Of 8 bits there are no others than its own; images of more may be brighter than those of training,
    up to what 16 bits hold. What a reader makes of files is levels of their type.
    """
    lowest, highest = (
        levels if levels == EIGHT_BITS else (min(levels[0], -(2**15)), max(levels[1], 2**16 - 1))
    )
    limits = np.iinfo(X.dtype)
    if getattr(X, "are_pixels", False) or (limits.min >= lowest and limits.max <= highest):
        return
    low, high = value_range(X)
    if low >= lowest and high <= highest:
        return
    how = f"Pass levels as they are in the files, none below {lowest}"
    if high > highest:
        how = f"If {_white(high)} is white, pass X / {_white(high)}.0"
    elif X.dtype == np.int8:
        how = "Of bytes that were read as signed pass X.view(np.uint8)"
    raise ValueError(
        f"{owner}: X must have levels from {lowest} to {highest}, as its training images; got "
        f"{high if high > highest else low:.0f} ({X.dtype}). {how}."
    )


def check_levels(owner: str, X: np.ndarray, estimator: Any) -> None:
    """Raise where X is neither in [0, 1] nor levels that the likelihood knows, warn where of other masks."""
    black, white = estimator.input_scale_.levels
    strict, is_mask = estimator.model_.likelihood.unit_interval, (black, white) == (0, 1)
    if X.dtype.kind not in "iu":
        reason = f"because it was fitted on images of integers; pass such, or divide by {white}"
        check_unit_interval(owner, X, reason)
        return
    if not is_mask:
        _check_depth(owner, X, (black, white))
    low, high = value_range(X) if strict or is_mask else (black, white)
    if low >= black and high <= white:
        return
    value = high if high > white else low
    if not strict:
        warnings.warn(
            f"{owner}: images should be of 0 and 1, as those of training; got {value:.0f}, which is taken "
            f"for {value:.0f} times white. If it is white, pass X / {value:.1f}.",
            stacklevel=7,
        )
        return
    raise ValueError(
        f"{owner}: X must lie from {black} to {white}, the levels of its training images, for "
        f"{estimator.model_.likelihood!r}; got {value:.0f}. Fit it on images of the full range, or choose "
        "likelihood='gaussian'."
    )


class Split(NamedTuple):
    """Disjoint row numbers, each with one job."""

    train: np.ndarray
    validate: np.ndarray
    calibrate: np.ndarray


def split_rows(estimator: Any, n_rows: int, rng: np.random.RandomState) -> Split:
    """Give every row its job.

    At least one calibrates where another is left to train; a number as ``contamination`` calibrates
    on the training rows.
    """
    n_calibrate = n_validate = 0
    if estimator.contamination == "auto":
        n_spare = max(0, n_rows - 1 - estimator.early_stopping)
        n_calibrate = min(max(1, int(estimator.calibration_fraction * n_rows)), n_spare)
    if estimator.early_stopping:
        n_validate = max(1, int(estimator.validation_fraction * (n_rows - n_calibrate)))
    if n_validate + n_calibrate >= n_rows:
        raise ValueError(
            f"{type(estimator).__name__}: early_stopping needs a row to train on and a row to watch; "
            f"got n_samples={n_rows}."
        )
    if n_calibrate + n_validate == 0:
        return Split(np.arange(n_rows), np.arange(0), np.arange(0))
    parts = np.split(rng.permutation(n_rows), [n_calibrate, n_calibrate + n_validate])
    calibrate, validate, train = (np.sort(part) for part in parts)
    return Split(train, validate, calibrate)

"""What numbers become before a network sees them: columns are standardized, and levels of images divided."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from vaetools.estimators.building import resolve_likelihood
from vaetools.estimators.rows import are_images, check_support, value_range
from vaetools.nn.batches import slices
from vaetools.nn.scaling import EIGHT_BITS, InputScale

_WHITE = 2**16 - 1
_FLAT = 1 / 12  # of their range, in which images show a model little
RATHER_FLAT = 1 / 4  # in which they are the likeliest cause if it learnt nothing


def pixel_levels(X: np.ndarray) -> tuple[int, int]:
    """Return black and white of images of integers: the ends of the range of bits that holds all values.

    Of 8-bit values 0 and 255, unless they are 0 and 1 alone, as in masks. Of others 2^b − 1 is white,
    with the fewest bits b, and above 8 an even number of them, as cameras have; negative values go down
    to −2^b. Where the values lie within fewer bits of the greatest 16-bit level, as of files in which 0
    is white, that is white.

    Examples
    --------
    >>> [pixel_levels(np.array([[0, high]])) for high in (1, 200, 300, 4000, 64000)]
    [(0, 1), (0, 255), (0, 1023), (0, 4095), (0, 65535)]
    >>> pixel_levels(np.array([[-1000, 3000]])), pixel_levels(np.array([[62000, 64000]], np.uint16))
    ((-1024, 4095), (61440, 65535))
    >>> [pixel_levels(np.array([[0, high]], np.uint8)) for high in (0, 1, 2)]
    [(0, 255), (0, 1), (0, 255)]
    """
    low, high = map(int, value_range(X))
    if X.dtype == np.uint8:
        return (0, 1) if high == 1 else EIGHT_BITS
    if low < 0:
        return -(2 ** (-low - 1).bit_length()), 2 ** max(high, 1).bit_length() - 1
    white = _widest(high)
    if X.dtype == np.uint16 and (depth := _widest(_WHITE - low)) < white:
        return _WHITE - depth, _WHITE
    return 0, white


def _widest(level: int) -> int:
    """Return the greatest level of the fewest bits, above 8 an even number of them, that hold a level."""
    n_bits = max(level, 1).bit_length()
    return 2 ** (n_bits + (n_bits > 8 and n_bits % 2)) - 1


def warn_of_flat_images(estimator: Any, X: np.ndarray) -> None:
    """Warn where images of integers keep to a small part of the range that they are divided by."""
    if words := flat_images(estimator.input_scale_, X, _FLAT):
        warnings.warn(
            f"{type(estimator).__name__}: images should fill the range of their levels, or a model sees "
            f"little; got {words}",
            stacklevel=4,
        )


def flat_images(scale: InputScale, X: np.ndarray, part: float) -> str:
    """Return which levels images of integers keep to, if to a part of their range, and what to do.

    Examples
    --------
    >>> scale = InputScale.fixed("pixels", 2)
    >>> flat_images(scale, np.array([[0, 16]], np.uint8), 1 / 4)[:59]
    '0 to 16 of 0 to 255. Stretch their contrast: pass X / 16 as'
    >>> flat_images(scale, np.array([[0, 64]], np.uint8), 1 / 4)
    ''
    """
    if scale.kind != "pixels" or X.dtype.kind not in "iu":
        return ""
    black, white = scale.levels
    low, high = map(int, value_range(X))
    if high - low > part * (white - black):
        return ""
    stretched = f"(X - {low:.1f}) / {high - low}" if low else f"X / {high}"
    is_read = getattr(X, "are_pixels", False) or high == low
    how = "" if is_read else f": pass {stretched} as floats in [0, 1]"
    return (
        f"{low} to {high} of {black} to {white}. Stretch their contrast{how}, or read files of more than 8 "
        "bits at their full depth."
    )


def scale_kind(
    estimator: Any, X: np.ndarray, index: np.ndarray | None = None, *, images: bool, unit_interval: bool
) -> str:
    """Return the kind of `InputScale` for X, from its rows ``index`` (default: all).

    Only of ``images`` are integers pixels: of a table they are numbers like others.
    """
    of_levels = images and X.dtype.kind in "iu"
    if estimator.standardize is True:
        return "standardized_pixels" if of_levels else "standardize"
    if of_levels:
        return "pixels"
    low, high = value_range(X, index) if images else (-np.inf, np.inf)
    if unit_interval or (low >= 0 and high <= 1):
        return "unit"
    return "standardize" if estimator.standardize and estimator.max_iter != 0 else "identity"


def decide_scale(estimator: Any, X: np.ndarray, index: np.ndarray) -> InputScale:
    """Return how the columns of X are scaled for an estimator, from its rows ``index``; see `scale_kind`.

    Columns of codes are left alone.
    """
    images, columns = are_images(estimator, X), estimator.columns_
    unit_interval = resolve_likelihood(estimator, X.shape[1]).unit_interval
    if unit_interval:
        check_support(type(estimator).__name__, X, estimator.likelihood, is_image=images)
    is_code = columns is not None and [bool(column.values) for column in columns.columns]
    n_features = X.shape[1]
    kind = scale_kind(estimator, X, index, images=images, unit_interval=unit_interval)
    plain = InputScale.fixed(kind, n_features)
    if plain.of_levels:  # the range of all rows: an end that rows to calibrate pass is none
        plain = dataclasses.replace(plain, levels=pixel_levels(X))
    if not plain.standardizes:
        return plain
    scaler = StandardScaler()
    for piece in slices(len(index), n_features):
        scaler.partial_fit(plain.shown(X[index[piece]]).astype(np.float64, copy=False))
    first = plain.shown(X[index[0]]).astype(np.float64)
    is_constant = (scaler.scale_ == 1) & (scaler.var_ != 1) & ~np.isnan(first)
    shift = np.where(is_constant, first, scaler.mean_)  # the mean of large numbers has lost digits
    shift, scale = np.where(is_code, 0.0, shift), np.where(is_code, 1.0, scaler.scale_)
    return dataclasses.replace(plain, shift=shift, scale=scale)

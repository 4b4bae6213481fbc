"""What rows hold, and what numbers become before a network sees them."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from vaetools.estimators.building import resolve_likelihood
from vaetools.nn.batches import EIGHT_BITS, InputScale, slices
from vaetools.words import warn

_WHITE = 2**16 - 1
_FLAT = 1 / 12  # of their range, in which images show a model little
RATHER_FLAT = 1 / 4  # in which they are the likeliest cause if it learnt nothing


def are_images(estimator: Any, X: Any) -> bool:
    """Whether rows are images: the estimator was told their shape, or they come from an image reader."""
    return estimator.image_shape is not None or getattr(X, "are_pixels", False)


def check_unit_interval(owner: str, X: np.ndarray, reason: str) -> None:
    """Raise where a value lies outside [0, 1], naming it."""
    low, high = value_range(X)
    if low < 0 or high > 1:
        value = high if high > 1 else low
        raise ValueError(f"{owner}: X must lie in [0, 1], {reason}; got {value:g}.")


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
    return int(max(255, 2 ** int(level).bit_length() - 1))


def check_depth(owner: str, X: np.ndarray, levels: tuple[int, int]) -> None:
    """Raise where integers cannot be levels of images such as a model was fitted on.

    Of 8 bits there are no others than its own; images of more may be brighter than those of training,
    up to what 16 bits hold. What a reader makes of files is levels of their type.
    """
    lowest, highest = (
        levels if levels == EIGHT_BITS else (min(levels[0], -(2**15)), max(levels[1], 2**16 - 1))
    )
    limits = np.iinfo(X.dtype)
    low, high = float(limits.min), float(limits.max)
    must_fit = getattr(X, "are_pixels", False) or (low >= lowest and high <= highest)
    if not must_fit:
        low, high = value_range(X)
    if must_fit or (low >= lowest and high <= highest):
        if limits.max > levels[1] > EIGHT_BITS[1]:
            _warn_of_more_bits(owner, X, levels[1])
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


def _warn_of_more_bits(owner: str, X: np.ndarray, white: int) -> None:
    """Warn where images are brighter than what is white in those of training."""
    _, high = value_range(X)
    n_bits = int(high).bit_length()
    if n_bits > white.bit_length():
        warn(
            f"{owner}: images should have levels up to {white:,}, as those of training; got such of {n_bits} "
            f"bits. What is brighter counts as brighter than white: take images as those were, or their "
            "verdicts mean nothing.",
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
        check_depth(owner, X, (black, white))
    low, high = value_range(X) if strict or is_mask else (black, white)
    if low >= black and high <= white:
        return
    value = high if high > white else low
    if not strict:
        warn(
            f"{owner}: images should be of 0 and 1, as those of training; got {value:.0f}, which is taken "
            f"for {value:.0f} times white. If it is white, pass X / {value:.1f}.",
        )
        return
    raise ValueError(
        f"{owner}: X must lie from {black} to {white}, the levels of its training images, for "
        f"{estimator.model_.likelihood!r}; got {value:.0f}. Fit it on images of the full range, or choose "
        "likelihood='gaussian'."
    )


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
    return int(2 ** (n_bits + (n_bits > 8 and n_bits % 2)) - 1)


def warn_of_flat_images(estimator: Any, X: np.ndarray) -> None:
    """Warn where images of integers keep to a small part of the range that they are divided by."""
    if words := flat_images(estimator.input_scale_, X, _FLAT):
        warn(
            f"{type(estimator).__name__}: images should fill the range of their levels, or a model sees "
            f"little; got {words}",
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
    if low == high:
        return (
            f"{low} alone, of {black} to {white}. There is no contrast to stretch: look at the images, or "
            "read files of more than 8 bits at their full depth."
        )
    stretched = f"(X - {low:.1f}) / {high - low}" if low else f"X / {high}"
    how = "" if getattr(X, "are_pixels", False) else f": pass {stretched} as floats in [0, 1]"
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


def decide_scale(
    estimator: Any, X: np.ndarray, index: np.ndarray, weights: np.ndarray | None = None
) -> InputScale:
    """Return how the columns of X are scaled for an estimator, from its rows ``index``; see `scale_kind`.

    Rows count as ``weights`` say. Columns of codes are left alone.
    """
    images, columns = are_images(estimator, X), estimator.columns_
    unit_interval = resolve_likelihood(estimator, X.shape[1]).unit_interval
    if unit_interval and not (images and X.dtype.kind in "iu"):  # which no scaling will bring in
        remedy = (
            "scale it with sklearn.preprocessing.MinMaxScaler(clip=True), or choose likelihood='gaussian'"
        )
        if X.dtype == np.uint8:
            remedy = f"of 8-bit pixels pass image_shape, or X / 255.0; other columns: {remedy}"
        reason = f"the support of likelihood={estimator.likelihood!r}; {remedy}"
        check_unit_interval(type(estimator).__name__, X, reason)
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
        weight = None if weights is None else weights[index[piece]]
        with np.errstate(over="ignore", invalid="ignore"):
            shown = plain.shown(X[index[piece]]).astype(np.float64, copy=False)
            scaler.partial_fit(shown, sample_weight=weight)
    first = plain.shown(X[index[0]]).astype(np.float64)
    is_beyond = np.isinf(scaler.var_) | (np.isnan(scaler.var_) & np.isfinite(first))
    if is_beyond.any():
        raise _beyond_float64(estimator, X, index, is_beyond)
    is_constant = (scaler.scale_ == 1) & (scaler.var_ != 1) & ~np.isnan(first)
    shift = np.where(is_constant, first, scaler.mean_)  # the mean of large numbers has lost digits
    shift, scale = np.where(is_code, 0.0, shift), np.where(is_code, 1.0, scaler.scale_)
    return dataclasses.replace(plain, shift=shift, scale=scale)


def _beyond_float64(estimator: Any, X: np.ndarray, index: np.ndarray, is_beyond: np.ndarray) -> ValueError:
    """Return the error of columns that have no scale, because squares of their numbers are no float64."""
    [column, *_] = np.flatnonzero(is_beyond).tolist()
    cells = np.abs(X[index, column])
    row = int(index[np.nanargmax(cells)])
    names = getattr(estimator, "feature_names_in_", None)
    name = column if names is None else names[column]
    return ValueError(
        f"{type(estimator).__name__}: X must hold numbers whose squares float64 can hold, to standardize "
        f"columns; got {X[row, column]:g} in row {row}, column {name!r}. Drop such rows, or divide the "
        "column."
    )

"""What comes in: rows are checked, scaled and split, without a copy of X."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import validate_data

from vaetools.axes import likely_reading, readings
from vaetools.estimators.column_labels import check_labels
from vaetools.estimators.columns import check_table
from vaetools.estimators.containers import check_container, unpacked
from vaetools.estimators.large_integers import warn_of_large_integers
from vaetools.estimators.unseen import warn_of_unseen

_CHUNK_VALUES = 2**21  # 16 MB of float64
_NUMBER_AS_WRITTEN = re.compile(r"[-+−]?[$€£]?\s?\d[\d.,'’\s]*\s?[%$€£]?")  # 1,234 or 3,5 or 12 %


def slices(n_rows: int, n_features: int, *, most: int = 4096) -> Iterator[slice]:
    """Cut rows into pieces of about two million values, and at most ``most`` rows."""
    size = max(1, min(most, _CHUNK_VALUES // n_features))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def check_rows(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return X as a two-dimensional array of numbers, neither cast nor copied if it is one.

    For columns of several kinds: rows of numbers and codes, or where these are yet to be learnt
    the table itself.
    """
    X, owner = unpacked(X), type(estimator).__name__
    check_container(owner, X)
    if not reset and estimator.columns_ is not None:
        table = check_table(estimator, X, reset=False)
        codes = estimator.columns_.encode(owner, table)
        warn_of_unseen(owner, estimator.columns_, table, codes)
        return codes
    is_mixed = reset and estimator.likelihood == "mixed"
    rows = check_table(estimator, X, reset=True) if is_mixed else _check_numbers(estimator, X, reset=reset)
    if reset and not are_images(estimator, X):
        chosen = estimator.column_likelihoods or {}
        warn_of_large_integers(owner, X, [name for name, kind in chosen.items() if kind != "gaussian"])
    return rows


def _check_numbers(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Return X as a two-dimensional array of finite numbers."""
    owner = type(estimator).__name__
    shape = getattr(X, "shape", ())
    if len(shape) > 2:
        raise ValueError(f"{owner}: X must have shape (n_samples, n_features); got {_reshape_hint(shape)}")
    if isinstance(X, np.ndarray) and X.dtype.kind in "US" and X.size:
        text = str(X.flat[0])
        advice = _advice_on_text(text, _takes_mixed(estimator, reset=reset))
        raise ValueError(f"{owner}: X must be numbers; got text such as {text!r} ({X.dtype}). {advice}")
    check_labels(estimator, X, reset=reset)
    try:
        array = validate_data(estimator, X, reset=reset, dtype="numeric", ensure_all_finite=False)
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        text = str(error).partition(": ")[2].strip("'\"")
        advice = _advice_on_text(text, _takes_mixed(estimator, reset=reset))
        raise ValueError(f"{owner}: X must be numbers; {error}. {advice}") from error
    if array.dtype.kind not in "buif":
        raise ValueError(f"{owner}: X must be numbers; got values of type {array.dtype}.")
    _check_finite(estimator, array, takes_mixed=_takes_mixed(estimator, reset=reset))
    return array.view(type(X)) if getattr(X, "are_pixels", False) else array


def are_images(estimator: Any, X: Any) -> bool:
    """Whether rows are images: the estimator was told their shape, or they come from an image reader."""
    return estimator.image_shape is not None or getattr(X, "are_pixels", False)


def _reshape_hint(shape: tuple[int, ...]) -> str:
    """Describe an image-shaped X and how to make rows of it."""
    if len(shape) == 3:
        return f"{tuple(shape)}. Pass X.reshape(len(X), -1) and image_shape={(1, *shape[1:])}."
    if len(shape) != 4:
        return f"{tuple(shape)}. Pass X.reshape(len(X), -1) and image_shape={tuple(shape[1:])}."
    found, place = readings(shape), likely_reading(shape)
    calls = {
        "first": f"X.reshape(len(X), -1) and image_shape={found['first']}",
        "last": f"X.transpose(0, 3, 1, 2).reshape(len(X), -1) and image_shape={found['last']}",
    }
    if place is not None:
        return f"{tuple(shape)}. Pass {calls[place]}."
    return (
        f"{tuple(shape)}. If the second axis is that of the channels, pass {calls['first']}; if the last is, "
        f"{calls['last']}."
    )


def _check_finite(estimator: Any, X: np.ndarray, *, takes_mixed: bool) -> None:
    """Raise on the first NaN or infinite value; integers are not looked at."""
    if X.dtype.kind != "f":
        return
    for piece in slices(*X.shape):
        finite = np.isfinite(X[piece])
        if finite.all():
            continue
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        value = X[piece][row, column]
        kind = "NaN" if np.isnan(value) else "infinity (inf)"
        names = getattr(estimator, "feature_names_in_", None)
        where = f"column {column}" if names is None else f"column {names[column]!r}"
        raise ValueError(
            f"{type(estimator).__name__}: X must be finite. Input X contains {kind}: {value} in row "
            f"{piece.start + row}, {where}. {_advice_on(value, takes_mixed)}"
        )


def _takes_mixed(estimator: Any, *, reset: bool) -> bool:
    """Whether another likelihood could take text and gaps: before a model is fitted, and not of images."""
    return reset and estimator.image_shape is None


def _advice_on(value: float, takes_mixed: bool) -> str:
    """Return what to do with a value that is not finite."""
    if not np.isnan(value):
        return "Drop such rows, or replace such values; a division by 0 makes them."
    mixed = ", or choose likelihood='mixed', which takes missing cells" if takes_mixed else ""
    return f"Drop such rows, or fill them in with sklearn.impute.SimpleImputer{mixed}."


def _advice_on_text(text: str, takes_mixed: bool) -> str:
    """Return what to do with text where numbers are needed."""
    if _NUMBER_AS_WRITTEN.fullmatch(text.strip()):
        return (
            "That is a number as people write it: pandas.read_csv(decimal=…, thousands=…) reads such, and "
            "Series.str.replace and pandas.to_numeric convert them."
        )
    mixed = ", or choose likelihood='mixed', which takes text as categories" if takes_mixed else ""
    return f"Leave such columns out, or encode them as numbers{mixed}."


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


def check_fitted_kind(estimator: Any, X: np.ndarray) -> None:
    """Raise where X is not of the kind that the scaling was decided for."""
    owner, kind = type(estimator).__name__, estimator.input_scale_.kind
    if kind == "pixels":
        _check_pixels(owner, X, estimator)
    elif estimator.image_shape is not None and X.dtype == np.uint8:
        how = "X / 255.0 if those were images in [0, 1], else X.astype(float)"
        if value_range(X)[1] <= 1:
            how = "X.astype(float) if 1 is white, as in masks, else X / 255.0"
        raise ValueError(
            f"{owner}: X must be numbers on the scale of the training images, which were not 8-bit; got "
            f"uint8. Pass {how}."
        )
    elif estimator.model_.likelihood.unit_interval:
        check_unit_interval(owner, X, f"the support of {estimator.model_.likelihood!r}")


def _check_pixels(owner: str, X: np.ndarray, estimator: Any) -> None:
    """Raise where X is neither in [0, 1] nor levels that the likelihood knows, warn where of other masks."""
    black, white = estimator.input_scale_.levels
    strict, is_mask = estimator.model_.likelihood.unit_interval, (black, white) == (0, 1)
    if X.dtype.kind not in "iu":
        reason = f"because it was fitted on images of integers; pass such, or divide by {white}"
        check_unit_interval(owner, X, reason)
        return
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

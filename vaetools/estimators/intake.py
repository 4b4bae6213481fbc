"""What comes in: X is checked and unpacked, and neither cast nor copied where it is an array of numbers."""

import re
import reprlib
from collections.abc import Container, Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import validate_data
from torch.utils.data import DataLoader, Dataset

from vaetools.axes import likely_reading, readings
from vaetools.estimators.column_names import are_names_of_fit, keep_names, labels_of, warn_of_names
from vaetools.estimators.columns import warn_of_unseen
from vaetools.estimators.rows import are_images, check_levels, check_numbers_of_images, check_unit_interval
from vaetools.frames import as_pandas
from vaetools.nn.batches import slices
from vaetools.words import equal_as_floats, few, is_lost_as_float, see, warn

_NUMBER_AS_WRITTEN = re.compile(r"[-+−]?[$€£]?\s?\d[\d.,'’\s]*\s?[%$€£]?")  # 1,234 or 3,5 or 12 %
_LARGEST = 2**53  # up to which float64 holds all integers
_LOOKED_AT = 1_000  # of large integers in a column


def rows_of_fit(estimator: Any, X: Any) -> Any:
    """Return rows to learn from, as `check_rows` does, and of columns of several kinds the table itself."""
    owner = type(estimator).__name__
    X = unpacked(owner, X)
    check = _check_table if estimator.likelihood == "mixed" else check_numbers
    rows = check(estimator, X, reset=True)
    if estimator.image_shape is not None:
        _warn_of_channels_last(owner, estimator.image_shape)
    if not are_images(estimator, X):
        chosen = estimator.column_likelihoods or {}
        _warn_of_large_integers(owner, X, [name for name, kind in chosen.items() if kind != "gaussian"])
    return rows


def check_rows(estimator: Any, X: Any) -> np.ndarray:
    """Return X as a two-dimensional array of numbers, neither cast nor copied if it is one.

    For columns of several kinds: rows of numbers and codes.
    """
    owner = type(estimator).__name__
    X = unpacked(owner, X)
    if estimator.columns_ is not None:
        table = _check_table(estimator, X, reset=False)
        codes: np.ndarray = estimator.columns_.encode(owner, table)
        warn_of_unseen(owner, estimator.columns_, table, codes)
        return codes
    rows = check_numbers(estimator, X, reset=False)
    scale, likelihood = estimator.input_scale_, estimator.model_.likelihood
    if scale.of_levels:
        check_levels(owner, rows, estimator)
    elif estimator.image_shape is not None and rows.dtype.kind in "iu":
        check_numbers_of_images(owner, rows, scale.kind)
    elif likelihood.unit_interval:
        check_unit_interval(owner, rows, f"the support of {likelihood!r}")
    return rows


def _check_table(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return a DataFrame as it is, and anything else as a two-dimensional array."""
    owner = type(estimator).__name__
    if isinstance(X, pd.DataFrame):
        if not X.size:
            raise ValueError(f"{owner}: X must have a row and a column; got a DataFrame of shape={X.shape}.")
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        names = X.columns.tolist()
        known = names if reset else estimator.columns_.names or names
        if names != known:  # scikit-learn compares names that are strings
            here, fitted = next(pair for pair in zip(names, known, strict=True) if pair[0] != pair[1])
            raise ValueError(
                f"{owner}: X must have the columns of fit in their order, {few(map(reprlib.repr, known))}; "
                f"got {here!r} in the place of {fitted!r}. Select them by name, or pass an array to have "
                "them taken by position."
            )
        if not reset and estimator.columns_.names is None:
            warn_of_names(owner, labels_of(X.columns), None)
        return X
    if not reset and estimator.columns_.names is not None:
        warn_of_names(owner, None, labels_of(pd.Index(estimator.columns_.names)))
    if isinstance(X, (list, tuple)) and np.asarray(X).dtype.kind == "U":
        X = np.array(X, dtype=object)  # NumPy made texts of numbers beside texts
    return validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False)


def check_numbers(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Return X as a two-dimensional array of finite numbers."""
    owner = type(estimator).__name__
    shape = getattr(X, "shape", ())
    takes_mixed = reset and estimator.image_shape is None  # with another likelihood
    if len(shape) > 2:
        raise ValueError(f"{owner}: X must have shape (n_samples, n_features); got {_reshape_hint(shape)}")
    if isinstance(X, np.ndarray) and X.dtype.kind in "US" and X.size:
        text = str(X.flat[0])
        advice = _advice_on_text(text, takes_mixed)
        raise ValueError(f"{owner}: X must be numbers; got text such as {text!r} ({X.dtype}). {advice}")
    names = X.columns if isinstance(X, pd.DataFrame) else None
    if reset:
        keep_names(estimator, names)
    elif are_names_of_fit(estimator, names):
        X = X.set_axis(range(X.shape[1]), axis=1)  # scikit-learn knows none of these
    if names is not None:
        _check_no_dates(owner, X.dtypes)
    try:
        array = validate_data(estimator, X, reset=reset, dtype="numeric", ensure_all_finite=False)
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        text = str(error).partition(": ")[2].strip("'\"")
        advice = _advice_on_text(text, takes_mixed)
        raise ValueError(f"{owner}: X must be numbers; {error}. {advice}") from error
    if array.dtype.kind not in "buif":
        raise ValueError(f"{owner}: X must be numbers; got values of type {array.dtype}.")
    _check_finite(estimator, array, takes_mixed=takes_mixed)
    checked: np.ndarray = array.view(type(X)) if getattr(X, "are_pixels", False) else array
    return checked


def _check_no_dates(owner: str, types: pd.Series) -> None:
    """Raise for columns of dates or durations, which NumPy puts into no array with numbers."""
    for name, kind in types.items():
        if kind.kind in "mM":
            raise ValueError(
                f"{owner}: X must be numbers; got {kind} in column {name!r}. Replace it by numbers that "
                "matter, such as the hour or the weekday (Series.dt), or leave the column out."
            )


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


def _warn_of_channels_last(owner: str, shape: tuple[int, int, int]) -> None:
    """Warn of a shape of images that is probably one of arrays of (height, width, channels)."""
    if likely_reading((1, *shape)) == "last":
        height, width, n_channels = shape
        warn(
            f"{owner}: image_shape must be (channels, height, width); {tuple(shape)} means {height} "
            f"channels of {width}×{n_channels} pixels. If X has rows of height × width × channels, pass "
            f"image_shape={(n_channels, height, width)} and X.reshape(-1, {height}, {width}, {n_channels})"
            ".transpose(0, 3, 1, 2).reshape(len(X), -1).",
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
        kind, advice = "infinity (inf)", "replace such values; a division by 0 makes them."
        if np.isnan(value):
            mixed = ", or choose likelihood='mixed', which takes missing cells" if takes_mixed else ""
            more = f" {see('mixed.md#a-missing-cell')}" if takes_mixed else ""
            kind, advice = "NaN", f"fill them in with sklearn.impute.SimpleImputer{mixed}.{more}"
        names = getattr(estimator, "feature_names_in_", None)
        where = f"column {column}" if names is None else f"column {names[column]!r}"
        raise ValueError(
            f"{type(estimator).__name__}: X must be finite. Input X contains {kind}: {value} in row "
            f"{piece.start + row}, {where}. Drop such rows, or {advice}"
        )


def _advice_on_text(text: str, takes_mixed: bool) -> str:
    """Return what to do with text where numbers are needed."""
    if _NUMBER_AS_WRITTEN.fullmatch(text.strip()):
        return (
            "That is a number as people write it: pandas.read_csv(decimal=…, thousands=…) reads such, and "
            "Series.str.replace and pandas.to_numeric convert them."
        )
    mixed = ""
    if takes_mixed:
        mixed = f", or choose likelihood='mixed', which takes text as categories. {see('mixed.md')}"
    return f"Leave such columns out, or encode them as numbers{mixed or '.'}"


# Containers that scikit-learn would take for others


def unpacked(owner: str, X: Any) -> Any:
    """Return masked arrays with NaN in masked cells, tensors as arrays, and tables as pandas'.

    NumPy knows no bfloat16: such tensors become float32, which holds all their values. Anything else stays as
    it is. Refused are datasets of torch, tables that are yet to be computed, columns that are fields of
    records, and names that do not tell columns apart.

    Examples
    --------
    >>> unpacked("VAE", np.ma.array([[1, 2]], mask=[[False, True]]))
    array([[ 1., nan]])
    """
    if not isinstance(X, (np.ndarray, pd.DataFrame)):
        X = _of_others(owner, X)
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        raise ValueError(
            f"{owner}: X must be a plain array of shape (n_samples, n_features); got one of records with "
            f"the fields {few(map(repr, X.dtype.names))}. Pass pandas.DataFrame(X), or "
            "numpy.lib.recfunctions.structured_to_unstructured(X)."
        )
    if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
        twice = few(map(repr, X.columns[X.columns.duplicated()].unique()))
        raise ValueError(
            f"{owner}: names of columns must be unique; got {twice} more than once. Rename such a "
            "column, drop it, or pass an array to have columns taken by position."
        )
    if isinstance(X, np.ma.MaskedArray):
        if not np.ma.is_masked(X):
            return X.data
        return np.ma.filled(X if X.dtype.kind in "fO" else X.astype(np.float64), np.nan)
    return X


def _of_others(owner: str, X: Any) -> Any:
    """Return tensors as arrays and tables of other libraries as pandas'; refuse what holds no rows yet."""
    if isinstance(X, (Dataset, DataLoader)):  # numpy would read one that knows no end for ever
        raise TypeError(
            f"{owner}: X must be an array of shape (n_samples, n_features); got a {type(X).__name__}. Stack "
            "its rows, torch.stack([X[i] for i in range(len(X))]); of images, read_images takes a dataset."
        )
    if hasattr(X, "collect_schema") and not hasattr(X, "__arrow_c_stream__"):
        more = see("tables.md#tables-in-memory")
        raise TypeError(f"{owner}: X must be in memory; got a {type(X).__name__}. Pass X.collect(). {more}")
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu()
        return (X.float() if X.dtype == torch.bfloat16 else X).numpy()
    return as_pandas(X)


# Integers that become others as floats


def _warn_of_large_integers(owner: str, X: Any, categories: Container[Any]) -> None:
    """Warn of columns of integers that become others as floats, where values are no categories."""
    if isinstance(X, (list, tuple)):
        X = np.asarray(X, dtype=object)  # of integers among floats NumPy would make floats
    columns: Iterable[tuple[Any, Any]] = ()
    if isinstance(X, pd.DataFrame):
        columns = (
            (name, cells.dropna().to_numpy())
            for name, cells in X.items()
            if pd.api.types.is_integer_dtype(cells.dtype) or cells.dtype == object
        )
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "iuO" and X.dtype.itemsize >= 8:
        columns = enumerate(X.T)
    numbers = ((name, cells) for name, cells in columns if name not in categories)
    found = {name: large for name, cells in numbers if (large := _lost(cells)) is not None}
    if found:
        warn(equal_as_floats(owner, found))


def _lost(cells: np.ndarray) -> int | None:
    """Return an integer that float64 holds as another one, if there is one among the first large ones."""
    if cells.dtype == object:
        large = [cell for cell in cells if isinstance(cell, (int, np.integer)) and abs(int(cell)) > _LARGEST]
    else:
        large = cells[(cells > _LARGEST) | (cells < -_LARGEST)].tolist()
    return next((value for value in map(int, large[:_LOOKED_AT]) if is_lost_as_float(value)), None)

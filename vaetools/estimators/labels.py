"""Labels that come in: of one kind, and as codes of those that were fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length


def known_kind(estimator: Any, y: np.ndarray) -> np.ndarray:
    """Return labels that are integers, booleans or strings; refuse others by name."""
    if y.dtype.kind in "iubU":
        return y
    if (
        y.dtype.kind == "f" and np.isfinite(y).all() and np.all(y == np.floor(y))
    ):  # integers on their way through floats
        return y.astype(np.int64)
    for kinds, dtype in {str: str, (bool, np.bool_): bool, (int, np.integer): np.int64}.items():
        if y.dtype.kind == "O" and all(isinstance(label, kinds) for label in y):
            return y.astype(dtype)
    plain = (str, int, np.integer, np.bool_)
    odd = next((label for label in y.tolist() if not isinstance(label, plain)), y[0])
    raise ValueError(
        f"{type(estimator).__name__}: Unknown label type: y must be integers, booleans or strings, all of "
        f"one kind; got {odd!r} ({type(odd).__name__})."
    )


def label_codes(estimator: Any, X: Any, y: Any) -> np.ndarray:
    """Return places in ``classes_`` of the labels of rows, or of one label for all."""
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if np.ndim(y) == 0:
        y = np.full(n_rows, y)
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    y = known_kind(estimator, y)
    classes = estimator.classes_
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = y[classes[codes] != y]
    if len(unknown):
        raise ValueError(
            f"{type(estimator).__name__}: label y must be one of {classes.tolist()}; got "
            f"{unknown[0].item()!r}."
        )
    return codes

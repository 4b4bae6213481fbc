"""Names of columns that are no strings, whose order scikit-learn does not look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def check_labels(estimator: Any, X: Any, *, reset: bool) -> None:
    """Keep the names of a DataFrame's columns as text, or raise where they are not those of `fit`.

    Names that are all strings are scikit-learn's, and numbers from 0 are places, as an array has them.
    """
    labels = X.columns.map(str).tolist() if isinstance(X, pd.DataFrame) else None
    if reset:
        vars(estimator).pop("column_labels_", None)
        if labels is not None and not _are_strings(X) and labels != _places(X):
            estimator.column_labels_ = np.array(labels, dtype=object)
        return
    known = getattr(estimator, "column_labels_", None)
    if labels is None or (known is None and not _are_moved_places(X)):
        return
    fitted = _places(X) if known is None else known.tolist()
    if labels == fitted or len(labels) != len(fitted):  # of which scikit-learn tells
        return
    place = next(i for i, label in enumerate(labels) if label != fitted[i])
    raise ValueError(
        f"{type(estimator).__name__}: X must have the columns of fit in their order; got {labels[place]!r} "
        f"in the place of {fitted[place]!r}. Select them by name, or pass an array to have them taken by "
        "position."
    )


def _are_strings(X: pd.DataFrame) -> bool:
    return all(isinstance(name, str) for name in X.columns)


def _places(X: pd.DataFrame) -> list[str]:
    """Return the names that columns have if nobody named them."""
    return [str(place) for place in range(X.shape[1])]


def _are_moved_places(X: pd.DataFrame) -> bool:
    """Return whether names are numbers from 0, each once, but in another order."""
    names = X.columns
    if not pd.api.types.is_integer_dtype(names.dtype) or names.is_monotonic_increasing:
        return False
    return sorted(names) == list(range(len(names)))

"""Names of columns that are no strings, whose order scikit-learn does not look at."""

from typing import Any

import numpy as np
import pandas as pd

from vaetools.words import warn


def labels_of(names: pd.Index) -> list[str] | None:
    """Return the names of a DataFrame's columns as text; None if they are strings, or numbers from 0.

    Examples
    --------
    >>> labels_of(pd.Index([2019, 2020])), labels_of(pd.Index([0, 1]))
    (['2019', '2020'], None)
    """
    if all(isinstance(name, str) for name in names):
        return None
    labels = names.map(str).tolist()
    return None if labels == list(map(str, range(len(labels)))) else labels


def keep_names(estimator: Any, names: pd.Index | None) -> None:
    """Let an estimator keep names of columns as text, and forget those of another fit; an array has none."""
    vars(estimator).pop("column_labels_", None)
    if names is not None and (labels := labels_of(names)) is not None:
        estimator.column_labels_ = np.array(labels, dtype=object)


def are_names_of_fit(estimator: Any, names: pd.Index | None) -> bool:
    """Return whether names are the text of those of `fit`, or places; raise where these are others.

    Names that are all strings are scikit-learn's, and numbers from 0 are places, as an array has them. Where
    only X or only `fit` has other names, a warning says so.
    """
    known = getattr(estimator, "column_labels_", None)
    if names is None or (known is None and not _are_places(names)):
        if not hasattr(estimator, "feature_names_in_"):
            told = None if names is None else labels_of(names)
            warn_of_names(type(estimator).__name__, told, known)
        return False
    labels = names.map(str).tolist()
    places = [str(place) for place in range(len(labels))]
    fitted = places if known is None else known.tolist()
    if len(labels) != len(fitted):  # of which scikit-learn tells
        return False
    for label, other in zip(labels, fitted, strict=True):
        if label != other:
            raise ValueError(
                f"{type(estimator).__name__}: X must have the columns of fit in their order; got {label!r} "
                f"in the place of {other!r}. Select them by name, or pass an array to have them taken by "
                "position."
            )
    return True


def _are_places(names: pd.Index) -> bool:
    """Whether names are the numbers from 0, in some order."""
    return pd.api.types.is_integer_dtype(names.dtype) and sorted(names) == list(range(len(names)))


def warn_of_names(owner: str, labels: Any, fitted: Any) -> None:
    """Warn where only X or only `fit` has such names, as scikit-learn does of names that are strings."""
    if labels is None and fitted is not None:
        words = f"X does not have valid feature names, but {owner} was fitted with feature names"
    elif labels is not None and fitted is None:
        words = f"X has feature names, but {owner} was fitted without feature names"
    else:
        return
    warn(words)

"""A table that holds both columns that are judged and those that they are judged given.

What a network takes are the first alone: `of_judged` is an estimator that knows no others, and `judged` the
rows that it takes. The estimator itself counts and names all columns of X, as scikit-learn asks.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from vaetools.words import few

_NAMES = ("feature_names_in_", "column_labels_")


def places_of(owner: str, X: pd.DataFrame, context: Sequence[Any]) -> np.ndarray:
    """Return where the columns of a context are: by name, or where no column is called so by position.

    Examples
    --------
    >>> X = pd.DataFrame([[20.0, "a", 3]], columns=["heat", "machine", "power"])
    >>> places_of("CVAE", X, ["machine", 0]).tolist()
    [1, 0]
    """
    names = X.columns.tolist()
    places = []
    for name in context:
        if name in names:
            places.append(names.index(name))
        elif isinstance(name, (int, np.integer)) and 0 <= name < len(names):
            places.append(int(name))
        else:
            raise ValueError(
                f"{owner}: context must name columns of X, {few(map(repr, names))}; got {name!r}. An array "
                "has them by position."
            )
    if len(set(places)) < len(places):
        raise ValueError(f"{owner}: context must name every column once; got {list(context)!r}.")
    if len(places) == len(names):
        raise ValueError(
            f"{owner}: X must have a column to judge beside its context, {few(map(repr, context))}; got "
            f"n_features={len(names)}."
        )
    return np.array(places, np.int64)


def has_context_in_X(estimator: Any) -> bool:
    """Return whether X of a fitted estimator holds the context of its rows, too."""
    return hasattr(estimator, "context_places_")


def of_judged(estimator: Any) -> Any:
    """Return the estimator as one of judged columns alone, which it is already unless X holds a context."""
    if not has_context_in_X(estimator):
        return estimator
    places, alone = estimator.context_places_, copy.copy(estimator)
    alone.n_features_in_ = estimator.n_features_in_ - len(places)
    for name in _NAMES:
        if hasattr(estimator, name):
            setattr(alone, name, np.delete(getattr(estimator, name), places))
    del alone.context_places_
    return alone


def count_context(estimator: Any) -> None:
    """Let an estimator that knows judged columns alone count and name those of its context, too."""
    if not has_context_in_X(estimator):
        return
    order = np.argsort(estimator.context_places_)
    told = np.array(list(map(str, estimator.context_.names)), dtype=object)[order]
    first = estimator.context_places_[order] - np.arange(len(order))  # where they are put in among the others
    for name in _NAMES:
        if hasattr(estimator, name):
            setattr(estimator, name, np.insert(getattr(estimator, name), first, told))
    estimator.n_features_in_ += len(order)


def holding_context(estimator: Any, X: Any, context: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Return an estimator whose context comes beside X as one whose X holds it, too, and such an X.

    A context of one row is that of all rows.
    """
    table, told = pd.DataFrame(X), context[estimator.context_.names]
    n, held = table.shape[1], copy.copy(estimator)
    held.context, held.context_places_ = list(told.columns), np.arange(n, n + told.shape[1])
    if estimator.columns_ is None and not hasattr(held, "feature_names_in_"):
        held.feature_names_in_ = np.array(list(map(str, range(n))), dtype=object)
        table = table.set_axis(held.feature_names_in_, axis=1)
    count_context(held)
    told = (told if len(told) == len(table) else told.iloc[[0] * len(table)]).set_axis(table.index)
    return held, pd.concat([table, told], axis=1)


def judged(estimator: Any, X: Any) -> Any:
    """Return of X the columns that are judged, of rows that have all columns of `fit`."""
    if not has_context_in_X(estimator):
        return X
    if isinstance(X, pd.DataFrame):
        alone = X.drop(columns=X.columns[estimator.context_places_])
        return alone.set_axis(range(alone.shape[1]), axis=1) if _is_numbered(X) else alone
    return np.delete(np.asarray(X), estimator.context_places_, axis=1)


def _is_numbered(X: pd.DataFrame) -> bool:
    """Whether columns are called 0, 1, …, as those of an array."""
    names: list[Any] = X.columns.tolist()
    return names == list(range(X.shape[1]))

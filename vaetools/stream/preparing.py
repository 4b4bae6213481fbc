"""A model taken apart for the rows that it is to be asked about, and how these are read."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from vaetools.data.dialect import NUMBER, Kind, category_kind
from vaetools.data.reader import ImageReader, reader_for
from vaetools.data.sources import named
from vaetools.estimators.columns import Column, names_in_fit
from vaetools.estimators.context import Context
from vaetools.estimators.context_columns import has_context_in_X
from vaetools.persistence.model_file import split_reader
from vaetools.words import few, warn


def prepared(
    model: Any, kind: str, data: Any, context: Any = None
) -> tuple[ImageReader | None, Any, list[str] | dict[str, Kind] | None]:
    """Take a model apart for images, a table or an array, and raise if it does not take these.

    Returns
    -------
    reader : ImageReader or None
        Its own, or one for its 8-bit images; None if it has none and takes rows of numbers alone.
    estimator : autoencoder
    columns : list of str, dict from str to Kind, or None
        The columns of a table that it takes, if it was fitted on named ones; with ``likelihood="mixed"``
        how they are read.
    """
    reader, estimator = split_reader(model)
    check_is_fitted(estimator)
    if reader is not None and kind == "table":
        raise ValueError(
            f"{named(data)}: the model takes images; got a table. Paths come in a .txt, a file a line."
        )
    if context is not None or (kind == "images" and hasattr(estimator, "context_")):
        _check_beside(estimator, kind, data, context)
        return reader or reader_for(estimator), estimator, None
    if estimator.columns_ is not None or hasattr(estimator, "context_"):
        if kind != "table":
            what = (
                "with likelihood='mixed'" if estimator.columns_ is not None else "with columns of a context"
            )
            raise ValueError(f"{named(data)}: the model takes tables, {what}; got {kind}.")
        return None, estimator, _kinds_of(estimator)
    return reader or reader_for(estimator), estimator, names_in_fit(estimator)


def _kinds_of(estimator: Any) -> dict[str, Kind]:
    """Return how columns of a table are read that a model takes, in its order: its own, and its context."""
    own, context = estimator.columns_, getattr(estimator, "context_", None)
    names = names_in_fit(estimator) if own is None else own.names
    if names is None or not all(isinstance(name, str) for name in names):
        came = "an array" if names is None else "a DataFrame whose names of columns are no strings"
        raise ValueError(
            f"{type(estimator).__name__}: files are read by the names of their columns, and the model was "
            f"fitted on {came}. Read the file with pandas, and call score_samples or transform."
        )

    kinds = dict.fromkeys(names, Kind(NUMBER, is_needed=True))
    if own is not None:
        kinds = {name: _kind(column) for name, column in zip(names, own.columns, strict=True)}
    if context is not None:
        kinds |= kinds_of_context(context)
    if has_context_in_X(estimator):
        return {name: kinds[name] for name in estimator.feature_names_in_}
    return kinds


def kinds_of_context(context: Context) -> dict[str, Kind]:
    """Return how columns of a context are read, every cell of which is needed and of a known category."""
    told = zip(context.names, context.columns.columns, strict=True)
    return {
        name: _kind(column)._replace(is_closed=bool(column.values), is_needed=True) for name, column in told
    }


def _kind(column: Column) -> Kind:
    """Return how the cells of a column are read."""
    if column.kind == "gaussian":
        return Kind(NUMBER)
    return category_kind(column.values, is_closed=column.kind == "bernoulli")


def apart(estimator: Any, table: Any, told: Any = None) -> tuple[Any, pd.DataFrame | None]:
    """Return rows that were read as an estimator takes them, and their context, if that comes beside them."""
    if told is not None:
        return table, told
    names = names_in_fit(estimator)
    if has_context_in_X(estimator):
        return table[estimator.feature_names_in_], None
    if hasattr(estimator, "context_"):
        return table[names], table[estimator.context_.names]
    if isinstance(table, pd.DataFrame):
        return (table.to_numpy() if names is None else table.set_axis(names, axis=1)), None
    return (table if names is None else pd.DataFrame(table, columns=names)), None


def _check_beside(estimator: Any, kind: str, data: Any, context: Any) -> None:
    """Raise unless a table beside images has what a model judges them given."""
    if isinstance(context, pd.DataFrame):
        raise TypeError(
            "context must be the path of a table; got a DataFrame. Write it to a file, or read the images, "
            "and give their rows of it to score_samples as y."
        )
    beside = hasattr(estimator, "context_") and not has_context_in_X(estimator) and estimator.columns_ is None
    if not beside or kind != "images":
        is_of = "" if beside else ", and a model that is told none beside them"
        advice = " Leave it out: rows of a table have theirs among its columns." * (kind == "table")
        raise ValueError(
            f"{named(data)}: a table of context stands beside images; got {kind}{is_of}.{advice}"
        )
    if context is None:
        told = few(map(repr, estimator.context_.names))
        raise ValueError(
            f"{named(data)}: the model judges images given {told}. Name a table that has these columns, and "
            "one of the names of the images, as context (--context TABLE)."
        )


def warn_of_positions(estimator: Any, data: Any, names: Iterable[str] | None = None) -> None:
    """Warn that columns are taken by position, because the model or the file has no names of them."""
    owner = type(estimator).__name__
    if names is None:
        why = f"{owner} was fitted on columns without names, so it takes those of {named(data)} by position"
    else:
        why = f"{named(data)} has no names of columns, so {owner} takes them by position, as {few(names)}"
    warn(f"{why}: they must be those of fit in their order.")

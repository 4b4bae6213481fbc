"""A model taken apart for the rows that it is to be asked about: images, a table or an array."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from vaetools.data.dialect import Kind
from vaetools.data.reader import ImageReader, reader_for
from vaetools.estimators.columns import names_in_fit
from vaetools.estimators.context_columns import has_context_in_X
from vaetools.persistence.model_file import split_reader
from vaetools.stream.kinds import kinds_of
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
        raise ValueError(f"{data}: the model takes images; got a table. Paths come in a .txt, a file a line.")
    if context is not None or (kind == "images" and hasattr(estimator, "context_")):
        _check_beside(estimator, kind, data, context)
        return reader or reader_for(estimator), estimator, None
    if estimator.columns_ is not None or hasattr(estimator, "context_"):
        if kind != "table":
            what = (
                "with likelihood='mixed'" if estimator.columns_ is not None else "with columns of a context"
            )
            raise ValueError(f"{data}: the model takes tables, {what}; got {kind}.")
        return None, estimator, kinds_of(estimator)
    return reader or reader_for(estimator), estimator, names_in_fit(estimator)


def apart(estimator: Any, table: Any) -> tuple[Any, pd.DataFrame | None]:
    """Return rows that were read as an estimator takes them, and their context, if that comes beside them."""
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
        raise ValueError(f"{data}: a table of context stands beside images; got {kind}{is_of}.{advice}")
    if context is None:
        told = few(map(repr, estimator.context_.names))
        raise ValueError(
            f"{data}: the model judges images given {told}. Name a table that has these columns, and one of "
            "the names of the images, as context (--context TABLE)."
        )


def warn_of_positions(estimator: Any, data: Any, names: Iterable[str] | None = None) -> None:
    """Warn that columns are taken by position, because the model or the file has no names of them."""
    owner = type(estimator).__name__
    if names is None:
        why = f"{owner} was fitted on columns without names, so it takes those of {data} by position"
    else:
        why = f"{data} has no names of columns, so {owner} takes them by position, as {few(names)}"
    warn(f"{why}: they must be those of fit in their order.")

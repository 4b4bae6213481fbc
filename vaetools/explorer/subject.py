"""What is explored: a fitted model, and its rows as people know them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaetools.estimators.context_columns import of_judged
from vaetools.estimators.engine import Engine
from vaetools.estimators.intake import check_rows
from vaetools.explorer.table import Table, mixed_table, number_table
from vaetools.explorer.units import ByColumn, by_column, is_by_column
from vaetools.frames import as_pandas
from vaetools.nn.networks import Network
from vaetools.report.models import Opened, columns_of, first_without_inverse
from vaetools.words import few

_OWN = "The network is your own, which a page cannot run: rows are shown, and nothing is decoded."
_NONE = "The model has no decoder: rows are shown, and nothing is decoded."
_BENT = (
    "Steps of the pipeline change units in a way that a page cannot take back: rows are shown, and nothing "
    "is decoded."
)
_FEATURES = "The model knows features of the pictures, not pictures: nothing is decoded."
_INNER = "Columns are those that the last step of the pipeline takes: its steps cannot be inverted."


class Subject(NamedTuple):
    """A fitted model and what is looked at; ``note`` says what the page cannot show, and why."""

    opened: Opened
    shown: np.ndarray  # (n_samples, n_columns): pixels, numbers, or codes of categories; NaN is missing
    table: Table | None  # names and categories of the columns; None of images
    back: Callable[[np.ndarray], np.ndarray] | None  # from rows that the model expects to those shown
    units: ByColumn | None  # the same, if a page can do it
    decodes: bool
    note: str


def open_subject(model: Any, X: Any, context: Any = None) -> Subject:
    """Take a pipeline apart, bring the rows to where its last step takes them, and find the way back.

    ``context`` is what rows are judged given, where they do not hold it.
    """
    steps, estimator = (model[:-1], model[-1]) if hasattr(model, "steps") else (None, model)
    steps = steps or None  # of a pipeline of one
    if not hasattr(estimator, "inverse_transform") or not hasattr(estimator, "score_unit_"):
        raise TypeError(
            f"explore: model must be an autoencoder, or a pipeline that ends in one; got {model!r}."
        )
    engine = Engine(estimator)  # says so if it is not fitted
    X = as_pandas(X)
    steps, known, shape = _read(steps, estimator, X)
    rows = known if steps is None else as_pandas(steps.transform(known))
    opened = Opened("model", estimator, rows, None, shape, context=_told(engine, rows, context))
    can, why = _can_decode(engine)
    if steps is None:
        return _plain(opened, X, can, why)
    can_show = estimator.columns_ is None and engine.context is None and _are_numbers(known)
    if can_show and first_without_inverse(steps, known) is None:
        return _taken_back(opened, steps, known, X, can, why)
    if shape is not None and estimator.image_shape is None:
        return Subject(opened, _numbers(known), None, None, None, False, _FEATURES)
    return _plain(opened, rows, can, why or _INNER)


def _told(engine: Engine, rows: Any, context: Any) -> Any:
    """Return the context of rows, which they hold, or which is told beside them; None where there is none."""
    if engine.context is None:
        if context is not None:
            raise ValueError(
                f"explore: context is of a model that judges rows given one; got a {engine.owner} without."
            )
        return None
    told = as_pandas(engine.parted(rows, context)[1])
    if not isinstance(told, pd.DataFrame):
        raise ValueError(
            "explore: context must be a DataFrame of the columns that rows are judged given, "
            f"{few(map(repr, engine.context.names))}; got {type(told).__name__}."
        )
    return told.iloc[[0] * len(rows)] if len(told) == 1 else told


def _read(steps: Any, estimator: Any, X: Any) -> tuple[Any, Any, tuple[int, int, int] | None]:
    """Return the steps without a reader of images, the rows that it reads, and their shape."""
    shape = estimator.image_shape
    if steps is not None and hasattr(steps[0], "image_shape_"):
        shape = shape or steps[0].image_shape_
        steps, X = (steps[1:] if len(steps) > 1 else None), steps[0].transform(X)
    elif steps is not None:
        shape = shape or getattr(steps[0], "image_shape", None)
    is_pictured = shape is not None and len(shape) == 3 and shape[0] in (1, 3)
    return steps, X, tuple(shape) if is_pictured else None


def _can_decode(engine: Engine) -> tuple[bool, str]:
    """Return whether a page can run the decoder, and if not, why."""
    if not engine.can_decode:
        return False, _NONE
    return (True, "") if type(engine.model.network) is Network else (False, _OWN)


def _plain(opened: Opened, X: Any, can: bool, why: str) -> Subject:
    """Return a subject whose rows are shown as its model takes them."""
    estimator = opened.estimator
    alone, _ = Engine(estimator).parted(opened.rows)
    rows = check_rows(of_judged(estimator), alone)
    shown = estimator.input_scale_.shown(rows)
    table = None
    if opened.image_shape is None:
        names = columns_of(opened, X, rows.shape[1])
        is_named = hasattr(X, "columns") or hasattr(estimator, "feature_names_in_")
        table, shown = (
            number_table(names, is_named=is_named, rows=shown)
            if estimator.columns_ is None
            else mixed_table(estimator.columns_, names, is_named=is_named, rows=shown, cells=alone)
        )
    return Subject(opened, shown, table, np.asarray, None, can, why)


def _taken_back(opened: Opened, steps: Any, known: Any, X: Any, can: bool, why: str) -> Subject:
    """Return a subject whose rows are shown in the units that they had before the steps of a pipeline."""
    shown, made = _numbers(known), np.asarray(opened.rows, np.float64)

    def back(rows: np.ndarray) -> np.ndarray:
        return np.asarray(steps.inverse_transform(rows), np.float64)

    separate = shown.shape == made.shape and is_by_column(back, made)
    units = by_column(back, made) if separate else None
    table = None
    if opened.image_shape is None:
        names = columns_of(opened, X, shown.shape[1])
        table, shown = number_table(names, is_named=hasattr(X, "columns"), rows=shown)
    decodes = can and units is not None
    return Subject(
        opened, shown, table, back if separate else None, units, decodes, why or ("" if decodes else _BENT)
    )


def _are_numbers(rows: Any) -> bool:
    try:
        return _numbers(rows).ndim == 2
    except (TypeError, ValueError):
        return False


def _numbers(rows: Any) -> np.ndarray:
    return np.asarray(rows, np.float64)

"""Rows that somebody has looked at and marked as odd or normal: each has one job.

Rows marked odd neither train nor calibrate: they teach the score. Rows marked normal are what they were
drawn to be: those that train teach it, too, and those that calibrate only calibrate. So which rows calibrate
depends on what they are, and not on how odd they look.
"""

import dataclasses
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from vaetools.anomaly.marks import Marks
from vaetools.estimators.engine import Engine
from vaetools.nn.batches import Rows
from vaetools.words import counted


def check_marks(owner: str, marks: Any, n_rows: int) -> np.ndarray | None:
    """Return −1 for rows marked odd, 1 for normal ones and 0 for others, or None where none is marked.

    Examples
    --------
    >>> check_marks("VAE", [0, -1, 1.0], 3), check_marks("VAE", [0, 0, 0], 3)
    (array([ 0, -1,  1], dtype=int8), None)
    """
    if marks is None:
        return None
    given = column_or_1d(marks, input_name="marks")
    if len(given) != n_rows:
        raise ValueError(
            f"{owner}: marks must have one mark for each of {counted(n_rows, 'row')} of X; got "
            f"{len(given):,}."
        )
    wrong = [mark for mark in np.unique(given).tolist() if mark not in (-1, 0, 1)]
    if wrong:
        raise ValueError(
            f"{owner}: marks must be −1 (odd), 1 (normal) or 0 (not looked at); got {wrong[0]!r}."
        )
    given = given.astype(np.int8)
    if (given < 0).all():
        raise ValueError(f"{owner}: marks must leave a row that is not odd, to train; got only odd ones.")
    return given if given.any() else None


def without_odd(estimator: Any, index: np.ndarray) -> np.ndarray:
    """Return the numbers of rows but those that are marked odd."""
    return index if estimator._marks is None else index[estimator._marks[index] >= 0]


def weights_without_odd(estimator: Any, weights: np.ndarray | None) -> np.ndarray | None:
    """Return weights of rows, which are 0 of those that are marked odd."""
    if estimator._marks is None or not (estimator._marks < 0).any():
        return weights
    return np.where(estimator._marks < 0, 0.0, 1.0 if weights is None else weights)


def marks_among(engine: Engine, reference: Rows) -> Marks | None:
    """Return what was marked during a fit, of the reference rows and beside them; None if none is odd."""
    marks = getattr(engine.estimator, "_marks", None)
    if marks is None or not (marks < 0).any():
        return None
    odd = dataclasses.replace(reference.unlabeled(), index=np.flatnonzero(marks < 0))
    return Marks(lambda function: engine.map(odd, function)[0], marks[reference.index] > 0)


def check_unmarked(estimator: Any) -> None:
    """Raise where marked rows have taught a score, which new rows would make forget them."""
    state = getattr(estimator, "score_state_", {}).get("marked")
    if state is not None and state["weights"].any():
        raise ValueError(
            f"{type(estimator).__name__}: partial_fit keeps no marks, and the score 'marked' was taught by "
            "such. Call fit with all rows and their marks."
        )

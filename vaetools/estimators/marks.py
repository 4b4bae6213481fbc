"""Rows that somebody has looked at and marked as odd or normal: each has one job.

Rows marked odd neither train nor calibrate: they teach the score. Rows marked normal are what they were
drawn to be: those that train teach it, too, and those that calibrate only calibrate. So which rows calibrate
depends on what they are, and not on how odd they look.
"""

import dataclasses
from typing import Any

import numpy as np

from vaetools.anomaly.marks import Marks, oddest_and_typical
from vaetools.anomaly.reference import seen
from vaetools.checks import POSITIVE_INTEGER, check
from vaetools.estimators.engine import Engine
from vaetools.estimators.fields import NetworkFields
from vaetools.estimators.labels import one_per_row
from vaetools.nn.batches import Rows
from vaetools.words import warn


def check_marks(owner: str, marks: Any, n_rows: int) -> np.ndarray | None:
    """Return −1 for rows marked odd, 1 for normal ones and 0 for others, or None where none is marked.

    Examples
    --------
    >>> check_marks("VAE", [0, -1, 1.0], 3), check_marks("VAE", [0, 0, 0], 3)
    (array([ 0, -1,  1], dtype=int8), None)
    """
    if marks is None:
        return None
    given = one_per_row(owner, "marks", "mark", marks, n_rows)
    wrong = [mark for mark in np.unique(given).tolist() if isinstance(mark, bool) or mark not in (-1, 0, 1)]
    if wrong:
        how = " If True is odd, pass np.where(marks, -1, 0)." if isinstance(wrong[0], bool) else ""
        raise ValueError(
            f"{owner}: marks must be −1 (odd), 1 (normal) or 0 (not looked at); got {wrong[0]!r}.{how}"
        )
    given = given.astype(np.int8)
    return given if given.any() else None


def note_marks(estimator: Any, marks: Any, n_rows: int) -> int:
    """Note marks for a fit, and return how many rows are not odd.

    Where no row is left to train that is an error, and a warning where the score learns nothing.
    """
    owner = type(estimator).__name__
    known = check_marks(owner, marks, n_rows)
    if known is not None and (known < 0).all():
        raise ValueError(f"{owner}: marks must leave a row that is not odd, to train; got only odd ones.")
    estimator._marks = known
    estimator.__dict__.pop("n_marked_odd_", None)
    if has_odd(estimator):
        estimator.n_marked_odd_ = int((estimator._marks < 0).sum())
    elif estimator.anomaly_score == "marked":
        warn(
            f"{owner}: nothing taught the score 'marked', which ranks rows as 'reconstruction_kl' does now: "
            "no row is marked odd. Call fit with marks: −1 is odd, 1 normal and 0 not looked at.",
        )
    return n_rows - getattr(estimator, "n_marked_odd_", 0)


def has_odd(estimator: Any) -> bool:
    """Whether rows of the fit that is going on are marked odd."""
    marks = getattr(estimator, "_marks", None)
    return marks is not None and bool((marks < 0).any())


def without_odd(estimator: Any, index: np.ndarray) -> np.ndarray:
    """Return the numbers of rows but those that are marked odd."""
    return index if estimator._marks is None else index[estimator._marks[index] >= 0]


def weights_without_odd(estimator: Any, weights: np.ndarray | None) -> np.ndarray | None:
    """Return weights of rows, which are 0 of those that are marked odd."""
    if not has_odd(estimator):
        return weights
    return np.where(estimator._marks < 0, 0.0, 1.0 if weights is None else weights)


def marks_among(engine: Engine, reference: Rows) -> Marks | None:
    """Return what was marked during a fit, of the reference rows and beside them; None if none is odd."""
    if not has_odd(engine.estimator):
        return None
    marks = engine.estimator._marks
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


def rows_to_mark(model: Any, X: Any, y: Any = None, *, n: int = 10, marks: Any = None) -> np.ndarray:
    """Return which rows somebody should look at, to mark them as odd or normal.

    Half of them score lowest. The others are typical, one for each of so many groups of rows: odd rows that
    are many of a kind may score like any other, and are found here.

    Parameters
    ----------
    model : AE, VAE, CVAE or VQVAE
        Fitted on the rows.
    X : array-like of shape (n_samples, n_features)
        The rows that it was fitted on, or some of them.
    y : array-like of shape (n_samples,) or None, default=None
        Labels or context to score the rows as, for a `CVAE`.
    n : int, default=10
        How many.
    marks : array-like of shape (n_samples,) or None, default=None
        Of rows that somebody has looked at, as of ``fit``: −1 or 1. These are left out.

    Returns
    -------
    places : ndarray of shape (n,), int
        Numbers of rows, those that score lowest first. Fewer if too few rows are left, or differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, rows_to_mark
    >>> X, y = load_iris(return_X_y=True)
    >>> X, is_odd = X[:110], y[:110] == 2  # ten virginicas among setosas and versicolors
    >>> vae = VAE(2, max_iter=50, random_state=0).fit(X)
    >>> looked_at = rows_to_mark(vae, X)
    >>> marks = np.zeros(len(X), int)
    >>> marks[looked_at] = np.where(is_odd[looked_at], -1, 1)
    >>> taught = VAE(2, max_iter=50, anomaly_score="marked", random_state=0).fit(X, marks=marks)
    >>> len(looked_at), taught.score_unit_
    (10, 'nats')
    """
    if not isinstance(model, NetworkFields):
        how = " Ask its last step: rows_to_mark(model[-1], model[:-1].transform(X))."
        raise ValueError(
            f"rows_to_mark: model must be an autoencoder, such as a VAE; got a {type(model).__name__}."
            + how * hasattr(model, "steps")
        )
    check(model, "n", n, POSITIVE_INTEGER)
    engine = Engine(model)
    scores, rows = engine.ask(X, engine.score(), seen, y=y)
    known = check_marks("rows_to_mark", marks, len(scores))
    left = np.arange(len(scores)) if known is None else np.flatnonzero(known == 0)
    places: np.ndarray = left[np.concatenate(oddest_and_typical(scores[left], rows[left], n))]
    return places

"""Which job each row gets, and how much it counts: it trains, early stopping watches it, or it calibrates."""

from typing import Any

import numpy as np

from vaetools.estimators.building import is_shortened, is_watched
from vaetools.estimators.labels import one_per_row
from vaetools.estimators.marks import has_odd, without_odd
from vaetools.estimators.verdicts import check_certifiable

_LEAST_VALIDATING = 8  # rows whose mean cost tells something, if they are at most a quarter


def share_out(
    estimator: Any, n_rows: int, weights: np.ndarray | None, rng: np.random.RandomState, *, crossed: bool
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray | None]:
    """Return what `split_rows` does, without rows that are marked odd or weigh nothing, and the weights."""
    train, validating, calibrating = split_rows(estimator, n_rows, rng, crossed=crossed)
    if weights is not None:
        weights, train, validating = weighing(estimator, weights, train, validating)
    return (train, validating, without_odd(estimator, calibrating)), weights


def split_rows(
    estimator: Any, n_rows: int, rng: np.random.RandomState, *, crossed: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of the rows that train, of those that early stopping watches, and that calibrate.

    At least one calibrates where another is left to train; a number as ``contamination`` calibrates
    on the training rows. Where all calibrate each other, none is held out for that.
    """
    n_calibrate = 0
    if estimator.contamination == "auto" and not crossed:
        n_spare = max(0, n_rows - 1 - (estimator.early_stopping is True))
        n_calibrate = min(max(1, int(estimator.calibration_fraction * n_rows)), n_spare)
    n_validate = n_to_watch(estimator, n_rows - n_calibrate, crossed=crossed)
    if n_validate + n_calibrate >= n_rows:
        raise ValueError(
            f"{type(estimator).__name__}: early_stopping needs a row to train on and a row to watch; "
            f"got n_samples={n_rows}."
        )
    if not crossed:
        check_certifiable(estimator, n_calibrate)
    if n_calibrate + n_validate == 0:
        return np.arange(n_rows), np.arange(0), np.arange(0)
    parts = np.split(rng.permutation(n_rows), [n_calibrate, n_calibrate + n_validate])
    calibrate, validate, train = (np.sort(part) for part in parts)
    return train, validate, calibrate


def n_to_watch(estimator: Any, n_rows: int, *, crossed: bool) -> int:
    """Return how many of some rows early stopping watches."""
    if not is_watched(estimator, n_rows) or (crossed and is_shortened(estimator, n_rows)):
        return 0
    n_validate = max(1, int(estimator.validation_fraction * n_rows))
    if estimator.early_stopping == "auto":
        n_validate = max(n_validate, min(_LEAST_VALIDATING, n_rows // 4))
    return n_validate


def weighing(
    estimator: Any, weights: np.ndarray, train: np.ndarray, validating: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Return weights, rows that train and rows that are watched, without the ones that weigh nothing."""
    parts = {"train": train[weights[train] > 0], "are watched": validating[weights[validating] > 0]}
    for job, part in parts.items():
        if len(part) or (job != "train" and not len(validating)):
            continue
        if has_odd(estimator):
            raise ValueError(
                f"{type(estimator).__name__}: marks must leave a row of weight that is not odd among those "
                f"that {job}, drawn at random; got none. Give more rows that are not odd."
            )
        raise weightless(type(estimator).__name__, job)
    train, validating = parts.values()
    others = weights[np.concatenate([train, validating])]
    return None if others.min() == others.max() else weights, train, validating


def told_weights(owner: str, sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Return one weight per row as float64, or None where none were told."""
    if sample_weight is None:
        return None
    weights = one_per_row(owner, "sample_weight", "weight", sample_weight, n_rows, np.float64)
    wrong = weights[~(np.isfinite(weights) & (weights >= 0))]
    if len(wrong):
        raise ValueError(f"{owner}: sample_weight must be finite and at least 0; got {wrong[0]:g}.")
    if not weights.any():
        raise ValueError(f"{owner}: sample_weight must not be zero for all rows, of which none would train.")
    return weights


def check_weights(owner: str, sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Return one weight per row as float64, or None where all are the same.

    Examples
    --------
    >>> check_weights("VAE", [1, 2], 2), check_weights("VAE", [3, 3], 2)
    (array([1., 2.]), None)
    """
    weights = told_weights(owner, sample_weight, n_rows)
    return None if weights is None or weights.min() == weights.max() else weights


def weightless(owner: str, job: str) -> ValueError:
    """Return the error of rows none of which, of those that have a job, weighs anything."""
    return ValueError(
        f"{owner}: sample_weight must not be zero for all of the rows that {job}, which are drawn at random; "
        "got only such. Leave rows of weight 0 out of X."
    )

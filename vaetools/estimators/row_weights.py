"""How much rows count in training, as `fit` is told."""

from typing import Any

import numpy as np

from vaetools.estimators.labels import one_per_row
from vaetools.estimators.marks import has_odd
from vaetools.words import counted


def check_weights(owner: str, sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Return one weight per row as float64, or None where all are the same.

    Examples
    --------
    >>> check_weights("VAE", [1, 2], 2), check_weights("VAE", [3, 3], 2)
    (array([1., 2.]), None)
    """
    if sample_weight is None:
        return None
    weights = one_per_row("sample_weight", sample_weight, np.float64)
    if len(weights) != n_rows:
        raise ValueError(
            f"{owner}: sample_weight must have one weight for each of {counted(n_rows, 'row')} of X; got "
            f"{len(weights):,}."
        )
    wrong = weights[~(np.isfinite(weights) & (weights >= 0))]
    if len(wrong):
        raise ValueError(f"{owner}: sample_weight must be finite and at least 0; got {wrong[0]:g}.")
    if not weights.any():
        raise ValueError(f"{owner}: sample_weight must not be zero for all rows, of which none would train.")
    return None if weights.min() == weights.max() else weights


def weighing(
    estimator: Any, weights: np.ndarray | None, train: np.ndarray, validating: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Return weights, rows that train and rows that are watched, without the ones that weigh nothing."""
    if weights is None:
        return None, train, validating
    parts = {"train": train[weights[train] > 0], "are watched": validating[weights[validating] > 0]}
    for job, part in parts.items():
        if not len(part) and (job == "train" or len(validating)) and has_odd(estimator):
            raise ValueError(
                f"{type(estimator).__name__}: marks must leave a row of weight that is not odd among those "
                f"that {job}, drawn at random; got none. Give more rows that are not odd."
            )
        if not len(part) and (job == "train" or len(validating)):
            raise ValueError(
                f"{type(estimator).__name__}: sample_weight must not be zero for all of the rows that {job}, "
                "which are drawn at random; got only such. Leave rows of weight 0 out of X."
            )
    train, validating = parts.values()
    others = weights[np.concatenate([train, validating])]
    return None if others.min() == others.max() else weights, train, validating

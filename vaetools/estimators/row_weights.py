"""How much rows count in training, as `fit` and `partial_fit` are told."""

from typing import Any

import numpy as np

from vaetools.estimators.labels import one_per_row


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

"""How much rows count in training, as `fit` is told."""

from typing import Any

import numpy as np

from vaetools.estimators.labels import one_per_row
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

"""Rows in containers that scikit-learn would take for others: their meaning is kept."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def unpacked(X: Any) -> Any:
    """Return masked arrays with NaN in masked cells, and tensors as arrays; anything else as it is.

    NumPy knows no bfloat16: such tensors become float32, which holds all their values.

    Examples
    --------
    >>> unpacked(np.ma.array([[1, 2]], mask=[[False, True]]))
    array([[ 1., nan]])
    """
    if isinstance(X, np.ma.MaskedArray):
        return _filled(X)
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(X, torch.Tensor):
        return X
    X = X.detach().cpu()
    return (X.float() if X.dtype == torch.bfloat16 else X).numpy()


def _filled(X: np.ma.MaskedArray) -> np.ndarray:
    """Return the cells of a masked array, NaN where they are masked."""
    if not np.ma.is_masked(X):
        return X.data
    keeps = X.dtype.kind in "fO"
    return X.astype(X.dtype if keeps else np.float64).filled(np.nan)

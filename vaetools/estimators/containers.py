"""Rows in containers that scikit-learn would take for others: their meaning is kept, or they are refused."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from torch.utils.data import DataLoader, Dataset

from vaetools.words import few


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


def check_container(owner: str, X: Any) -> None:
    """Raise where X is a dataset of torch, columns are fields of records, or names do not tell them apart."""
    if isinstance(X, (Dataset, DataLoader)):  # numpy would read one that knows no end for ever
        raise TypeError(
            f"{owner}: X must be an array of shape (n_samples, n_features); got a {type(X).__name__}. Stack "
            "its rows, torch.stack([X[i] for i in range(len(X))]); of images, read_images takes a dataset."
        )
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        raise ValueError(
            f"{owner}: X must be a plain array of shape (n_samples, n_features); got one of records with "
            f"the fields {few(map(repr, X.dtype.names))}. Pass pandas.DataFrame(X), or "
            "numpy.lib.recfunctions.structured_to_unstructured(X)."
        )
    if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
        twice = few(map(repr, X.columns[X.columns.duplicated()].unique()))
        raise ValueError(
            f"{owner}: names of columns must be unique; got {twice} more than once. Rename such a "
            "column, drop it with X.loc[:, ~X.columns.duplicated()], or pass X.to_numpy() to have columns "
            "taken by position."
        )


def _filled(X: np.ma.MaskedArray) -> np.ndarray:
    """Return the cells of a masked array, NaN where they are masked."""
    if not np.ma.is_masked(X):
        return X.data
    keeps = X.dtype.kind in "fO"
    return X.astype(X.dtype if keeps else np.float64).filled(np.nan)

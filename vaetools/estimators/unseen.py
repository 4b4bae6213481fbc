"""Columns of new rows with mostly other categories than those of fit: often the same, written otherwise."""

from __future__ import annotations

import reprlib
import warnings
from typing import Any

import numpy as np
import pandas as pd

from vaetools.estimators.columns import Column, Columns

_FEWEST = 5  # cells: of fewer, one odd row is most
_SHOWN = 5  # columns, and categories


def warn_of_unseen(owner: str, columns: Columns, X: Any, codes: np.ndarray) -> None:
    """Warn of columns in which most cells are categories that no row of fit has.

    Parameters
    ----------
    owner : str
    columns : Columns
    X : DataFrame or ndarray of shape (n_samples, n_features)
    codes : ndarray of shape (n_samples, n_features)
        What ``columns`` encode X as.
    """
    found = []
    for place, column in enumerate(columns.columns):
        is_unseen = codes[:, place] == len(column.values)
        n_known = np.count_nonzero(~np.isnan(codes[:, place]))
        if column.kind == "categorical" and n_known >= _FEWEST and is_unseen.sum() > n_known / 2:
            name = place if columns.names is None else columns.names[place]
            found.append(f"{name!r} ({_difference(column, pd.DataFrame(X).iloc[is_unseen, place])})")
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        warnings.warn(
            f"{owner}: most cells of a column should be categories of fit; got others in column "
            f"{', '.join(found[:_SHOWN])}{more}. Each counts as unseen, which makes its row odd. Write them "
            "as in fit, or fit again with rows like these.",
            stacklevel=6,
        )


def _difference(column: Column, cells: pd.Series) -> str:
    """Return a category that is unseen, with the known one that it is but for its writing, or a few."""
    unseen = sorted(cells.unique().tolist(), key=str)
    known = {_plain(value): value for value in column.values}
    for value in unseen:
        if _plain(value) in known:
            return f"{reprlib.repr(value)}, in fit {reprlib.repr(known[_plain(value)])}"
    more = f" and {len(column.values) - _SHOWN} more" if len(column.values) > _SHOWN else ""
    shown = ", ".join(map(reprlib.repr, column.values[:_SHOWN]))
    return f"{reprlib.repr(unseen[0])}, none of {shown}{more}"


def _plain(value: Any) -> str:
    """Return a category without case, and without space around and within it."""
    return "".join(str(value).split()).casefold()

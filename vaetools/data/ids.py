"""Names and labels from outside as columns of pandas, whose own strings hold nothing beyond UTF-8."""

from __future__ import annotations

import numpy as np
import pandas as pd


def as_index(ids: list, id_name: str) -> pd.Index:
    r"""Return what rows are called; texts stay those of Python.

    Parameters
    ----------
    ids : list of str or int
    id_name : str
        ``"path"``, ``"row"`` or a column of the table.

    Examples
    --------
    >>> as_index(["f\udcfcr.png"], "path").dtype, as_index([0, 1], "row").dtype
    (dtype('O'), dtype('int64'))
    """
    are_numbers = id_name == "row" and not isinstance(next(iter(ids), 0), str)
    return pd.Index(ids, dtype="int64" if are_numbers else object)


def as_column(labels: np.ndarray) -> pd.Series:
    r"""Return labels as a column of a table; texts become those of Python.

    Examples
    --------
    >>> as_column(np.array(["f\udcfcr"])).dtype, as_column(np.array([3])).dtype
    (dtype('O'), dtype('int64'))
    """
    return pd.Series(labels, dtype=object if labels.dtype.kind in "OU" else labels.dtype)

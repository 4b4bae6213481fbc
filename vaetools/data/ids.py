"""What rows are called, as a column or an index of pandas."""

from __future__ import annotations

import pandas as pd


def as_index(ids: list, id_name: str) -> pd.Index:
    r"""Return what rows are called; texts stay Python's, for strings of pandas hold no names beyond UTF-8.

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

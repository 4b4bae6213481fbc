"""Names and labels from outside as columns of pandas, whose own strings hold nothing beyond UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.words import readable

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # where a spreadsheet begins to calculate


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


def as_arrow(table: pd.DataFrame, schema: Any = None) -> pa.Table:
    """Return the table of a part as Parquet takes it.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
    schema : pyarrow.Schema or None, default=None
        None takes the types from the rows.

    Returns
    -------
    rows : pyarrow.Table of shape (n_rows, n_columns)
    """
    import pyarrow as pa

    rows = pa.Table.from_pandas(with_readable_texts(table), schema=schema, preserve_index=False)
    return rows.replace_schema_metadata(None)


def with_readable_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose names and labels can be written as UTF-8."""
    result = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype):
            result.isetitem(place, [readable(cell) for cell in table.iloc[:, place]])
    return result


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet takes for a formula: such a one gets an apostrophe before it.

    A file name or a label of a stranger could otherwise run what it says where CSV is opened.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)

    Returns
    -------
    inert : DataFrame of shape (n_rows, n_columns)
        Texts that are numbers, such as "-3", stay as they are.

    Examples
    --------
    >>> without_formulas(pd.DataFrame({"path": ["=1+2", "a-b", "-3"], "score": [-1.0, 2.0, 3.0]}))
        path  score
    0  '=1+2   -1.0
    1    a-b    2.0
    2     -3    3.0
    """
    result = table.set_axis([_inert(name) for name in table.columns], axis=1)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
            result.isetitem(place, [_inert(cell) for cell in table.iloc[:, place]])
    return result


def _inert(cell: Any) -> Any:
    """Return a cell; a text that begins as a formula, and is no number, with an apostrophe before it."""
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell

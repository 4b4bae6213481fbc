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
    r"""Return what rows are called, whose ids are ``"path"``, ``"row"`` or a column; texts stay Python's.

    Examples
    --------
    >>> as_index(["f\udcfcr.png"], "path").dtype, as_index([0, 1], "row").dtype
    (dtype('O'), dtype('int64'))
    """
    are_numbers = id_name == "row" and not isinstance(next(iter(ids), 0), str)
    return pd.Index(ids, dtype="int64" if are_numbers else object)


def as_column(labels: np.ndarray) -> pd.Series:
    """Return labels as a column of a table; texts become those of Python."""
    return pd.Series(labels, dtype=object if labels.dtype.kind in "OU" else labels.dtype)


def as_arrow(table: pd.DataFrame, schema: Any = None) -> pa.Table:
    """Return a table as Parquet takes it, of a schema of Arrow, or of the types of its rows."""
    import pyarrow as pa

    rows = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype):
            rows.isetitem(place, [readable(cell) for cell in table.iloc[:, place]])
    return pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata(None)


def as_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as CSV takes it, with an apostrophe before texts that a spreadsheet takes for a formula.

    A file name or a label of a stranger could otherwise run what it says where CSV is opened. Texts that are
    numbers, such as "-3", stay as they are.

    Examples
    --------
    >>> as_csv(pd.DataFrame({"path": ["=1+2", "a-b", "-3"], "score": [-1.0, 2.0, 3.0]}))
        path  score
    0  '=1+2   -1.0
    1    a-b    2.0
    2     -3    3.0
    """
    result = table.set_axis([_inert(name) for name in table.columns], axis=1)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype):
            result.isetitem(place, [_inert(readable(cell)) for cell in table.iloc[:, place]])
        elif pd.api.types.is_string_dtype(dtype):
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

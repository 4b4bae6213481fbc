"""Tables of other libraries become pandas': polars, pyarrow and all else that hands out columns as Arrow."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from vaetools.words import see

_OF_POLARS = ("Int128", "UInt128", "Object")  # types that Arrow has not; of objects it gets their addresses


def as_pandas(X: Any) -> Any:
    """Return a table that hands out its columns as Arrow as a DataFrame of pandas; anything else as it is.

    Types become what pandas makes of Arrow's, but integers stay integers where a cell is missing.

    Examples
    --------
    >>> as_pandas(pa.table({"km": [1, None], "fuel": ["gas", None]}))["km"].tolist()
    [1, <NA>]
    >>> as_pandas([1, 2])
    [1, 2]
    """
    if isinstance(X, pa.RecordBatchReader):  # some look at rows twice
        raise TypeError(
            "RecordBatchReader: a table must be in memory; got a stream that can be read once. Pass "
            f"read_all() of it. {see('tables.md#tables-in-memory')}"
        )
    if isinstance(X, pd.DataFrame) or not (hasattr(X, "__arrow_c_stream__") and hasattr(X, "columns")):
        return X
    _check_types(X)
    table = pa.table(X)
    table = table.cast(pa.schema(map(_signed, table.schema), table.schema.metadata))
    gapped = {column.type for column in table.columns if column.null_count}
    nullable = {
        kind: pd.api.types.pandas_dtype(_nullable(str(kind))) for kind in gapped if pa.types.is_integer(kind)
    }
    return table.to_pandas(types_mapper=nullable.get)


def _check_types(X: Any) -> None:
    """Raise where a column of polars is of a type that would be lost."""
    schema = getattr(X, "schema", None)
    kinds = schema if isinstance(schema, Mapping) else {}  # Arrow's own is none, and has only its own types
    lost = next(((name, str(kind)) for name, kind in kinds.items() if str(kind) in _OF_POLARS), None)
    if lost is not None:
        name, kind = lost
        raise TypeError(
            f"{type(X).__name__}: column {name!r} must be of a type that Arrow has; got {kind}. Cast it to "
            "Int64, Float64 or String, or drop it."
        )


def _signed(field: pa.Field) -> pa.Field:
    """Return categories with codes as all versions of pyarrow hand them to pandas."""
    if not pa.types.is_dictionary(field.type):
        return field
    return field.with_type(pa.dictionary(pa.int32(), field.type.value_type, field.type.ordered))


def _nullable(name: str) -> str:
    """Return what pandas calls integers that may be missing, such as UInt8 of uint8."""
    return name.replace("u", "U").replace("i", "I")

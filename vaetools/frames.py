"""Tables of other libraries become pandas': polars, pyarrow and all else that hands out columns as Arrow."""

from typing import Any

import pandas as pd
import pyarrow as pa


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
    if isinstance(X, pd.DataFrame) or not (hasattr(X, "__arrow_c_stream__") and hasattr(X, "columns")):
        return X
    table = pa.table(X)
    table = table.cast(pa.schema(map(_signed, table.schema), table.schema.metadata))
    gapped = {column.type for column in table.columns if column.null_count}
    nullable = {
        kind: pd.api.types.pandas_dtype(_nullable(str(kind))) for kind in gapped if pa.types.is_integer(kind)
    }
    return table.to_pandas(types_mapper=nullable.get)


def _signed(field: pa.Field) -> pa.Field:
    """Return categories with codes as all versions of pyarrow hand them to pandas."""
    if not pa.types.is_dictionary(field.type):
        return field
    return field.with_type(pa.dictionary(pa.int32(), field.type.value_type, field.type.ordered))


def _nullable(name: str) -> str:
    """Return what pandas calls integers that may be missing, such as UInt8 of uint8."""
    return name.replace("u", "U").replace("i", "I")

"""Parameters and fitted numbers as JSON and named arrays, and back; nothing else can be written."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pandas.api.types import pandas_dtype
from torch import nn

from vaetools.estimators.columns import Column, Columns
from vaetools.estimators.context import Context
from vaetools.nn.batches import InputScale
from vaetools.nn.likelihoods import LIKELIHOODS
from vaetools.persistence.rules import EIGHT_BITS, unwritten

_LIKELIHOODS = {cls.__name__: cls for cls in LIKELIHOODS.values()}


def write_parameters(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return constructor parameters as JSON; refuse by name what would need pickle."""
    return {name: _write_parameter(model, name, value) for name, value in given.items()}


def _write_parameter(model: Any, name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, torch.device):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        items = [_write_parameter(model, name, item) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {"dict": [_write_parameter(model, name, list(item)) for item in value.items()]}
    if type(value) in _LIKELIHOODS.values():
        return {"likelihood": type(value).__name__, "options": value.options}
    if name == "network":
        return {"network": type(value).__name__}
    raise TypeError(
        f"save: {type(model).__name__}: the parameter {name} cannot be written without pickle; got "
        f"{value!r}. Use a plain value, or pickle the model yourself."
    )


def read_parameters(written: Mapping[str, Any], network: nn.Module | None = None) -> dict[str, Any]:
    """Return what `write_parameters` wrote."""
    return {name: _read_parameter(value, network) for name, value in written.items()}


def _read_parameter(value: Any, network: nn.Module | None) -> Any:
    if isinstance(value, dict) and "network" in value:
        return network
    if isinstance(value, dict) and "likelihood" in value:
        return _LIKELIHOODS[value["likelihood"]](**value["options"])
    return unwritten(value)


def write_value(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a fitted number, array or table as JSON; put arrays of numbers aside."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.ndarray):
        return {"strings": value.tolist(), "dtype": "object" if value.dtype.kind == "O" else "str"}
    if isinstance(value, pd.DataFrame):
        return {
            "table": value.reset_index(drop=True).to_dict(orient="list"),
            "dtypes": {column: str(dtype) for column, dtype in value.dtypes.items()},
            "index": value.index.tolist(),
        }
    if isinstance(value, InputScale):
        scales = {
            key: write_value(f"{name}.{key}", getattr(value, key), arrays) for key in ("shift", "scale")
        }
        levels = {"levels": list(value.levels)} if value.of_levels else {}
        return {"input_scale": value.kind, **scales, **levels}
    if isinstance(value, Context):
        return {"context": _write_context(name, value, arrays)}
    if isinstance(value, Columns):
        return {
            "columns": [_write_column(name, column) for column in value.columns],
            "names": _write_plain(name, value.names),
        }
    if isinstance(value, dict):
        return {"dict": {key: write_value(f"{name}.{key}", item, arrays) for key, item in value.items()}}
    raise TypeError(f"save: the attribute {name} cannot be written; got {value!r}.")


def _write_context(name: str, context: Context, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a context as JSON, without what is not known of it."""
    parts = {each.name: getattr(context, each.name) for each in dataclasses.fields(context)}
    return {
        part: write_value(f"{name}.{part}", each, arrays) for part, each in parts.items() if each is not None
    }


def _write_column(name: str, column: Column) -> dict[str, Any]:
    """Return a column of a table as JSON."""
    dtype: Any = str(column.dtype)
    if isinstance(column.dtype, pd.ArrowDtype):  # by its own name: pandas takes "string[pyarrow]" for another
        dtype = {"arrow": str(column.dtype.pyarrow_dtype)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = _write_plain(name, column.dtype.categories.tolist())
        dtype = {"categories": categories, "ordered": bool(column.dtype.ordered)}
    return {
        "kind": column.kind,
        "values": _write_plain(name, column.values),
        "dtype": dtype,
        "has_gaps": column.has_gaps,
    }


def _read_column(written: dict[str, Any]) -> Column:
    """Return what `_write_column` wrote."""
    dtype = written["dtype"]
    if not isinstance(dtype, dict):
        dtype = pandas_dtype(dtype)
    elif "arrow" in dtype:
        dtype = pd.ArrowDtype(pa.type_for_alias(dtype["arrow"]))
    else:
        dtype = pd.CategoricalDtype(**dtype)
    return Column(written["kind"], written["values"], dtype, written["has_gaps"])


def _write_plain(name: str, values: list[Any] | None) -> list[Any] | None:
    """Return names or categories as JSON."""
    return None if values is None else [write_value(name, value, {}) for value in values]


def read_value(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return what `write_value` wrote."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "strings" in value:
        return np.array(value["strings"], dtype=object if value["dtype"] == "object" else str)
    if "table" in value:
        index = value["index"]
        numbered = index == list(range(len(index)))
        table = pd.DataFrame(value["table"], index=pd.RangeIndex(len(index)) if numbered else index)
        return table.astype(value["dtypes"])
    if "input_scale" in value:
        shift, scale = (read_value(key, value[key], arrays) for key in ("shift", "scale"))
        return InputScale(value["input_scale"], shift, scale, tuple(value.get("levels", EIGHT_BITS)))
    if "context" in value:
        return Context(**{part: read_value(part, each, arrays) for part, each in value["context"].items()})
    if "columns" in value:
        return Columns(value["names"], [_read_column(column) for column in value["columns"]])
    return {key: read_value(key, item, arrays) for key, item in value["dict"].items()}

"""Save a fitted model to one file, and load it without ever running code from it.

The file is safetensors: arrays, and a JSON header with format version, class, parameters,
fitted numbers and library versions. Any safetensors reader can open it.
"""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sklearn
import torch
from pandas.api.types import pandas_dtype
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

import vaetools
from vaetools.data.reader import ImageReader
from vaetools.estimators.ae import AE
from vaetools.estimators.building import make_network, resolve_device, resolve_dtype, resolve_likelihood
from vaetools.estimators.columns import Column, Columns
from vaetools.estimators.cvae import CVAE
from vaetools.estimators.parameters import check_parameters
from vaetools.estimators.vae import VAE
from vaetools.files import FORMAT_VERSION, ModelFileError, read_model_file, write_model_file
from vaetools.nn.likelihoods import LIKELIHOODS
from vaetools.nn.scaling import InputScale

_CLASSES = {cls.__name__: cls for cls in (AE, VAE, CVAE)}
_LIKELIHOODS = {cls.__name__: cls for cls in LIKELIHOODS.values()}
_MODEL = "model_"
_PRIVATE = ("_n_features_out",)


def save(model: AE | VAE | CVAE | Pipeline, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to one file, atomically: an interrupted write leaves the old file.

    Parameters
    ----------
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted. A custom ``network`` is written as weights only.
    path : str or path-like
        By convention, ``*.safetensors``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model was not fitted.
    TypeError
        If a parameter cannot be written without pickle; the message names it.

    Examples
    --------
    >>> import tempfile, os
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> import vaetools as vt
    >>> X = load_iris().data
    >>> vae = vt.VAE(max_iter=20, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.safetensors")
    ...     vt.save(vae, path)
    ...     loaded = vt.load(path)
    >>> np.array_equal(loaded.score_samples(X), vae.score_samples(X))
    True
    """
    pipeline = model if isinstance(model, Pipeline) else None
    reader, model = split_reader(model)
    if type(model) not in _CLASSES.values():
        raise TypeError(
            "save: model must be an AE, VAE or CVAE, or a pipeline of an ImageReader and one of those; got "
            f"{pipeline or model!r}."
        )
    check_is_fitted(model)
    arrays = {f"{_MODEL}.{key}": _compact(value) for key, value in model.model_.state_dict().items()}
    fitted = {}
    for name, value in vars(model).items():
        if name == _MODEL or not (name.endswith("_") or name in _PRIVATE):
            continue
        fitted[name] = _write_value(name, value, arrays)
    header = {
        "format_version": FORMAT_VERSION,
        "class": type(model).__name__,
        "parameters": {
            name: _write_parameter(model, name, value) for name, value in model.get_params(deep=False).items()
        },
        "fitted": fitted,
        "reader": reader and _write_reader(reader, [name for name, _ in pipeline.steps]),
        "versions": {
            "vaetools": vaetools.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
    }
    write_model_file(path, header, arrays)


def load(path: str | os.PathLike[str], *, network: nn.Module | None = None, device: Any = None) -> Any:
    """Read a model that `save` wrote.

    Parameters
    ----------
    path : str or path-like
    network : Module or None, default=None
        For a model of a custom ``network``: a module of the same architecture. It is copied,
        and the copy gets the saved weights.
    device : device name or None, default=None
        Where the model is put, instead of where its ``device`` parameter says. None puts it there
        if this machine has that device, else where ``"auto"`` does.

    Returns
    -------
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        What was saved, with the same scores on any device, up to the device's rounding.

    Raises
    ------
    ModelFileError
        If the file is truncated, damaged, of another format or of a newer version.
    """
    header, arrays = read_model_file(path)
    if device is not None:
        resolve_device(VAE(device=device))
    try:
        wants_network = isinstance(header["parameters"]["network"], dict)
        if wants_network != (network is not None):
            held = "a custom network" if wants_network else "all of its network"
            raise _WrongNetwork(f"holds {held}; got network={network!r}.")
        model = _read_estimator(header, network, device)
        check_parameters(model)
        for name, value in header["fitted"].items():
            if name in _PRIVATE or (name.endswith("_") and not hasattr(type(model), name)):
                setattr(model, name, _read_value(name, value, arrays))
        weights = {
            key.removeprefix(f"{_MODEL}."): torch.from_numpy(value.copy())
            for key, value in arrays.items()
            if key.startswith(f"{_MODEL}.")
        }
        model.model_ = _read_module(model, weights)
        if header["reader"] is not None:
            model = _read_reader(header["reader"], model)
    except _WrongNetwork as error:
        raise ValueError(f"load: {path} {error} Pass one of the same architecture, or none.") from None
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as reason:
        raise ModelFileError(f"{path}: the file holds no usable model: {reason}") from reason
    return model


def split_reader(model: Any) -> tuple[ImageReader | None, Any]:
    """Return the reader of a pipeline that starts with one, or None, and the estimator behind it."""
    if isinstance(model, Pipeline) and len(model) == 2 and isinstance(model[0], ImageReader):
        return model[0], model[1]
    return None, model


class _WrongNetwork(Exception):
    """The caller's network is not what the file needs."""


def _write_reader(reader: ImageReader, names: list[str]) -> dict[str, Any]:
    """Return a fitted reader, and the names of the pipeline's steps, as JSON."""
    check_is_fitted(reader)
    parameters = {name: _write_parameter(reader, name, value) for name, value in reader.get_params().items()}
    return {"parameters": parameters, "image_shape": list(reader.image_shape_), "steps": names}


def _read_reader(written: dict[str, Any], model: Any) -> Pipeline:
    """Return what `_write_reader` wrote as a pipeline in front of a model."""
    parameters = {name: _read_parameter(value) for name, value in written["parameters"].items()}
    reader = ImageReader(**parameters)
    reader.image_shape_ = tuple(written["image_shape"])
    reader_name, model_name = written["steps"]
    return Pipeline([(reader_name, reader), (model_name, model)])


def _write_parameter(model: Any, name: str, value: Any) -> Any:
    """Return a constructor parameter as JSON; refuse by name what would need pickle."""
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


def _read_estimator(header: dict[str, Any], network: nn.Module | None, device: Any) -> Any:
    """Return the unfitted estimator of a header, for a device that this machine has."""
    parameters = {name: _read_parameter(value, network) for name, value in header["parameters"].items()}
    model = _CLASSES[header["class"]](**parameters)
    if device is None:
        try:
            resolve_device(model)
        except ValueError:
            device = "auto"
    return model if device is None else model.set_params(device=device)


def _read_parameter(value: Any, network: nn.Module | None = None) -> Any:
    """Return what `_write_parameter` wrote."""
    if not isinstance(value, dict):
        return [_read_parameter(item) for item in value] if isinstance(value, list) else value
    if "tuple" in value:
        return tuple(_read_parameter(item) for item in value["tuple"])
    if "dict" in value:
        return {_read_parameter(key): _read_parameter(item) for key, item in value["dict"]}
    if "network" in value:
        return network
    return _LIKELIHOODS[value["likelihood"]](**value["options"])


def _write_value(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
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
            key: _write_value(f"{name}.{key}", getattr(value, key), arrays) for key in ("shift", "scale")
        }
        return {"input_scale": value.kind, **scales}
    if isinstance(value, Columns):
        return {
            "columns": [_write_column(name, column) for column in value.columns],
            "names": _write_plain(name, value.names),
        }
    if isinstance(value, dict):
        return {"dict": {key: _write_value(f"{name}.{key}", item, arrays) for key, item in value.items()}}
    raise TypeError(f"save: the attribute {name} cannot be written; got {value!r}.")


def _write_column(name: str, column: Column) -> dict[str, Any]:
    """Return a column of a table as JSON."""
    dtype: Any = str(column.dtype)
    if isinstance(column.dtype, pd.ArrowDtype):  # by its own name: pandas takes "string[pyarrow]" for another
        dtype = {"arrow": str(column.dtype.pyarrow_dtype)}
        try:
            pa.type_for_alias(dtype["arrow"])
        except ValueError:
            raise TypeError(f"save: the attribute {name} cannot be written; got {column.dtype!r}.") from None
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
    return None if values is None else [_write_value(name, value, {}) for value in values]


def _read_value(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return what `_write_value` wrote."""
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
        shift, scale = (_read_value(key, value[key], arrays) for key in ("shift", "scale"))
        return InputScale(value["input_scale"], shift, scale)
    if "columns" in value:
        return Columns(value["names"], [_read_column(column) for column in value["columns"]])
    return {key: _read_value(key, item, arrays) for key, item in value["dict"].items()}


def _compact(weights: torch.Tensor) -> np.ndarray:
    """Return weights as float32 where that loses nothing: they were trained so."""
    single = weights.float()
    exact = weights.dtype == torch.float64 and torch.equal(single.double(), weights)
    return (single if exact else weights).cpu().numpy()


def _read_module(model: Any, weights: dict[str, torch.Tensor]) -> nn.Module:
    """Build the module without memory of its own, then give it the weights of the file."""
    likelihood = resolve_likelihood(model, model.n_features_in_)  # arithmetic on "meta" would load a compiler
    with torch.device("meta"):
        network = make_network(
            model,
            model.n_features_in_,
            likelihood,
            variational=model._variational,
            unit_mean=model.input_scale_.in_unit_interval,
            seed=None,
            n_classes=model._n_classes,
        )
        module = model._make_model(network, likelihood)
    try:
        module.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        if model.network is None:
            raise
        raise _WrongNetwork(f"holds weights that do not fit the network that was passed: {error}") from None
    device = resolve_device(model)
    return module.to(device=device, dtype=resolve_dtype(model, device)).eval().requires_grad_(False)

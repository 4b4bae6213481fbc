"""What a model file says of its model: every fact checked, because a file may say anything.

Read without PyTorch, scikit-learn or pandas, so that asking is instant.
"""

from __future__ import annotations

import dataclasses
import os
import re
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from vaetools.anomaly.calibration import expected_rate
from vaetools.data.decoding import ASPECTS
from vaetools.files import ModelFileError, read_model_file
from vaetools.report.text import printable

MODELS = ("AE", "VAE", "CVAE")
SCALINGS = ("pixels", "unit", "standardize", "identity")
MODES = {1: "gray", 3: "rgb"}
KINDS = ("gaussian", "bernoulli", "categorical")
_NUMBER, _PLAIN = (int, float), (type(None), bool, int, float, str)
_HUGE = 2**63
_LONGEST, _DEEPEST = 200, 8  # characters of a reason, levels of a parameter
# beside ValueError, what reading arrays of a type that numpy does not have comes to
_REFUSED = (ValueError, KeyError, OverflowError, SafetensorError)
_CHANNELS = re.compile(r"model_\.network\.features\.stages\.(\d+)\.conv\.weight")
_WIDTHS = re.compile(r"model_\.network\.encoder\.(\d+)\.weight")


@dataclasses.dataclass(frozen=True)
class Facts:
    """A saved model in plain values; None where a fact does not apply.

    Attributes
    ----------
    path : str
    model : {"AE", "VAE", "CVAE"}
    n_features : int
        Columns of X.
    feature_names : list of str or None
    image_shape : list (channels, height, width) or None
    reader : dict or None
        ``mode``, ``size`` (height, width) and ``aspect`` of the reader of image files.
    column_kinds : dict or None
        How many columns are ``gaussian``, ``bernoulli`` and ``categorical``, with ``likelihood="mixed"``.
    input_scale : {"pixels", "unit", "standardize", "identity"}
    n_samples : int or None
        Rows that were given to train and calibrate.
    n_suspects : int
        How many of them were left out by ``trimmed_fraction``.
    n_iter, max_iter : int
        Epochs that ran, and how many were planned.
    n_components, n_active : int
        Dimensions of the codes, and how many of them vary.
    labels : list of dict or None
        ``label`` and its ``share`` of the training rows.
    mean_terms : dict
        ``train`` and ``held_out``: dict of ``reconstruction`` and ``kl``, mean costs in nats.
    anomaly_score : str
    unit : str or None
        Of the score, if the file says so.
    threshold : float or None
        Rows that score below are odd.
    false_alarm_rate : float or None
        Expected share of normal rows that score below, if rows were held out to know it.
    n_calibration : int
        Rows that were held out.
    network : str or None
        Class of a network that is not ours.
    hidden_channels, hidden_layer_sizes : list of int or None
        Of the encoder, None for a network that is not ours.
    n_weights : int
        Numbers in the network and the likelihood.
    parameters : dict
        Of the constructor.
    versions : dict
        Of the libraries that wrote the file.
    format_version, file_size : int
        Size in bytes.
    """

    path: str
    model: str
    n_features: int
    feature_names: list[str] | None
    image_shape: list[int] | None
    reader: dict[str, Any] | None
    column_kinds: dict[str, int] | None
    input_scale: str
    n_samples: int | None
    n_suspects: int
    n_iter: int
    max_iter: int
    n_components: int
    n_active: int
    labels: list[dict[str, Any]] | None
    mean_terms: dict[str, dict[str, float]]
    anomaly_score: str
    unit: str | None
    threshold: float | None
    false_alarm_rate: float | None
    n_calibration: int
    network: str | None
    hidden_channels: list[int] | None
    hidden_layer_sizes: list[int] | None
    n_weights: int
    parameters: dict[str, Any]
    versions: dict[str, str]
    format_version: int
    file_size: int


def read_facts(path: str | os.PathLike[str]) -> Facts:
    """Read what a model file says of its model.

    Raises
    ------
    ModelFileError
        If the file is no model file, or one that says what no model can.
    OSError
        If the file cannot be read.
    """
    try:
        header, arrays = read_model_file(path)
        return Facts(path=str(path), file_size=Path(path).stat().st_size, **_facts(header, arrays))
    except ModelFileError:
        raise
    except _REFUSED as reason:
        raise _unusable(path, reason) from reason


def _unusable(path: str | os.PathLike[str], reason: Exception) -> ModelFileError:
    """Return an error of one short line, even where the file chose its words."""
    return ModelFileError(f"{path}: the file holds no usable model: {printable(str(reason)[:_LONGEST])}")


def _facts(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return all facts but those of the file itself."""
    model = _choice(header, "class", MODELS)
    fitted = _entry(header, "fitted", dict)
    parameters = _entry(header, "parameters", dict)
    plain = {name: _plain(value) for name, value in parameters.items()}
    network = parameters.get("network")
    custom = None if network is None else str(_entry(_object("network", network), "network", str))
    reader = _reader(_entry(header, "reader", dict, type(None)))
    shape = plain.get("image_shape")
    names, kinds = _columns(fitted)
    return {
        "model": model,
        "n_features": _count(fitted, "n_features_in_"),
        "feature_names": _texts(fitted["feature_names_in_"]) if "feature_names_in_" in fitted else names,
        "image_shape": reader[0] if reader else None if shape is None else _shape(shape),
        "reader": reader and reader[1],
        "column_kinds": kinds,
        "input_scale": _choice(_entry(fitted, "input_scale_", dict), "input_scale", SCALINGS),
        "n_samples": _count(fitted, "n_samples_") if "n_samples_" in fitted else None,
        "n_suspects": len(_array(fitted, "suspects_", arrays, "iu")) if "suspects_" in fitted else 0,
        "n_iter": _count(fitted, "n_iter_"),
        "max_iter": _count(fitted, "max_iter_"),
        "n_components": _count(fitted, "_n_features_out"),
        "n_active": int(_array(fitted, "active_units_", arrays, "b").sum()),
        "labels": _labels(fitted, arrays) if "classes_" in fitted else None,
        "mean_terms": _mean_terms(_entry(fitted, "mean_terms_", dict)),
        "anomaly_score": _entry(fitted, "anomaly_score_", str),
        "unit": _entry(fitted, "score_unit_", str) if "score_unit_" in fitted else None,
        **_verdict(fitted, parameters, arrays),
        "network": custom,
        "hidden_channels": None if custom else _sizes(_CHANNELS, arrays),
        "hidden_layer_sizes": None if custom else _sizes(_WIDTHS, arrays)[:-1],  # the last makes the code
        "n_weights": sum(
            array.size
            for name, array in arrays.items()
            if name.startswith(("model_.network.", "model_.likelihood."))
        ),
        "parameters": plain,
        "versions": {
            name: _entry(header["versions"], name, str) for name in _entry(header, "versions", dict)
        },
        "format_version": _count(header, "format_version"),
    }


def _reader(written: dict[str, Any] | None) -> tuple[list[int], dict[str, Any]] | None:
    """Return image shape, and mode, size and aspect, of a saved reader of image files."""
    if written is None:
        return None
    channels, *size = shape = _shape(_entry(written, "image_shape", list))
    if channels not in MODES:
        raise ValueError(f"image_shape of a reader must have 1 or 3 channels; got {channels}")
    aspect = _choice(_entry(written, "parameters", dict), "aspect", ASPECTS)
    return shape, {"mode": MODES[channels], "size": size, "aspect": aspect}


def _columns(fitted: dict[str, Any]) -> tuple[list[str] | None, dict[str, int] | None]:
    """Return names and numbers of the columns of a table of several kinds, as far as there are any."""
    written = fitted.get("columns_")
    if written is None:
        return None, None
    names, columns = _entry(written, "names", list, type(None)), _entry(written, "columns", list)
    kinds = [_choice(column, "kind", KINDS) for column in columns]
    if names is not None:
        names = [str(name) for name in _items("names", names, lambda name: type(name) in _PLAIN, "plain")]
    return names, {kind: kinds.count(kind) for kind in KINDS}


def _labels(fitted: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return the labels of a conditional model with their shares."""
    written = _entry(fitted, "classes_", dict)
    labels: list[Any]
    labels = _texts(written) if "strings" in written else _array(fitted, "classes_", arrays, "iub").tolist()
    shares = _array(fitted, "class_prior_", arrays, "f").tolist()
    if len(labels) != len(shares):
        raise ValueError(f"classes_ and class_prior_ must be as long; got {len(labels)} and {len(shares)}")
    return [{"label": label, "share": share} for label, share in zip(labels, shares, strict=True)]


def _mean_terms(written: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return mean costs by part of the rows, then by term."""
    table, index = _entry(written, "table", dict), _texts(written, "index")
    columns = {term: _entry(table, term, list) for term in ("reconstruction", "kl")}
    if any(len(column) != len(index) for column in columns.values()):
        raise ValueError("the columns of mean_terms_ must be as long as its index")
    return {
        part: {term: _number(dict(zip(index, column, strict=True)), part) for term, column in columns.items()}
        for part in ("train", "held_out")
        if part in index
    }


def _verdict(
    fitted: dict[str, Any], parameters: dict[str, Any], arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the threshold, and what is known of its false alarms."""
    n, expected = 0, None
    if "calibration_scores_" in fitted:
        n = len(_array(fitted, "calibration_scores_", arrays, "f"))
        asked = _number(parameters, "false_alarm_rate")
        if not 0 < asked < 1:
            raise ValueError(f"false_alarm_rate must lie between 0 and 1; got {asked}")
        expected = expected_rate(n, asked)
    offset = _number(fitted, "offset_") if "offset_" in fitted else None
    return {"threshold": offset, "false_alarm_rate": expected, "n_calibration": n}


def _sizes(pattern: re.Pattern[str], arrays: dict[str, np.ndarray]) -> list[int]:
    """Return how many outputs the layers have whose weights are named so, in order."""
    found = {int(match[1]): array for name, array in arrays.items() if (match := pattern.fullmatch(name))}
    return [found[i].shape[0] for i in sorted(found) if found[i].ndim]


# JSON of a type that was expected


def _entry(mapping: Any, name: str, *kinds: type) -> Any:
    """Return an entry of an object, of one of some types."""
    if name not in _object("the header", mapping):
        raise ValueError(f"{name} is missing")
    value = mapping[name]
    if type(value) not in kinds:  # not isinstance: a bool is no int
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name} must be {expected}; got {reprlib.repr(value)}")
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be dict; got {reprlib.repr(value)}")
    return value


def _choice(mapping: dict[str, Any], name: str, choices: tuple[str, ...]) -> str:
    """Return one of some texts."""
    value = _entry(mapping, name, str)
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}; got {reprlib.repr(value)}")
    return value


def _count(mapping: dict[str, Any], name: str) -> int:
    """Return a whole number that counts something."""
    value = _entry(mapping, name, int)
    if not 0 <= value < _HUGE:
        raise ValueError(f"{name} must be a count; got {reprlib.repr(value)}")
    return value


def _number(mapping: dict[str, Any], name: str) -> float:
    return float(_entry(mapping, name, *_NUMBER))


def _items(name: str, values: Any, holds: Callable[[Any], bool], rule: str) -> list[Any]:
    """Return a list whose items all keep a rule."""
    if not isinstance(values, list) or not all(map(holds, values)):
        raise ValueError(f"{name} must be {rule}; got {reprlib.repr(values)}")
    return values


def _shape(value: Any) -> list[int]:
    """Return an image shape."""
    rule = "three positive integers"
    sizes = _items("image_shape", value, lambda size: type(size) is int and 0 < size < _HUGE, rule)
    if len(sizes) != 3:
        raise ValueError(f"image_shape must be {rule}; got {reprlib.repr(sizes)}")
    return sizes


def _texts(written: Any, name: str = "strings") -> list[str]:
    """Return a list of texts."""
    texts = _entry(written, name, list)
    return _items(name, texts, lambda text: type(text) is str, "a list of texts")


def _array(fitted: dict[str, Any], name: str, arrays: dict[str, np.ndarray], kinds: str) -> np.ndarray:
    """Return a one-dimensional array that was put aside."""
    key = _entry(_entry(fitted, name, dict), "array", str)
    if key not in arrays:
        raise ValueError(f"the array of {name} is missing")
    array = arrays[key]
    if array.dtype.kind not in kinds or array.ndim != 1:
        raise ValueError(f"{name} has the wrong type or shape; got {array.dtype} of shape {array.shape}")
    return array


def _plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return a constructor parameter as a plain value; a likelihood or a network as text."""
    if not depth:
        raise ValueError("a parameter is nested too deep")
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict) and "tuple" in value:
        return _plain(_entry(value, "tuple", list), depth - 1)
    if isinstance(value, dict) and "dict" in value:
        pairs = [_plain(pair, depth - 1) for pair in _entry(value, "dict", list)]
        _items("dict", pairs, lambda pair: isinstance(pair, list) and len(pair) == 2, "a list of pairs")
        return {str(name): item for name, item in pairs}
    if isinstance(value, dict) and "network" in value:
        return _entry(value, "network", str)
    if isinstance(value, dict):
        options = _entry(value, "options", dict)
        named = (f"{name}={_entry(options, name, *_PLAIN)!r}" for name in options)
        return f"{_entry(value, 'likelihood', str)}({', '.join(named)})"
    return value

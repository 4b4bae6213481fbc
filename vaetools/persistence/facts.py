"""A model file in plain values: what ``vaetools info`` prints, taken from a header that was checked.

Read without PyTorch, scikit-learn or pandas, so that asking is instant.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from vaetools.anomaly.calibration import flagged_rate
from vaetools.estimators.fields import COLUMN_LIKELIHOODS
from vaetools.files import ModelFileError
from vaetools.persistence.header import WEIGHTS, read_model
from vaetools.persistence.rules import EIGHT_BITS, MODELS, OF_LEVELS, unwritten

MODES = {1: "gray", 3: "rgb"}
_CHANNELS = re.compile(rf"{re.escape(WEIGHTS)}network\.features\.stages\.(\d+)\.conv\.weight")
_WIDTHS = re.compile(rf"{re.escape(WEIGHTS)}network\.encoder\.(\d+)\.weight")


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
    input_scale : {"pixels", "standardized_pixels", "unit", "standardize", "identity"}
    levels : list of int or None
        Of pixels, what is black and what is white.
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
    levels: list[int] | None
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
    header, arrays = read_model(path)
    if header["class"] not in MODELS:
        raise ModelFileError(
            f"{path}: the file must hold one of {MODELS} to be described; got a {header['class']} alone."
        )
    return Facts(path=str(path), file_size=Path(path).stat().st_size, **_facts(header, arrays))


def _facts(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return all facts but those of the file itself."""
    fitted, reader = header["fitted"], header["reader"]
    parameters = {name: _plain(value) for name, value in header["parameters"].items()}
    custom = parameters.get("network")
    columns = fitted["columns_"]
    names = None if columns is None or columns["names"] is None else list(map(str, columns["names"]))
    for known in ("column_labels_", "feature_names_in_"):
        names = fitted[known]["strings"] if known in fitted else names
    suspects, scale = _array(fitted, "suspects_", arrays), fitted["input_scale_"]
    return {
        "model": header["class"],
        "n_features": fitted["n_features_in_"],
        "feature_names": names,
        "image_shape": parameters.get("image_shape") if reader is None else reader["image_shape"],
        "reader": reader and _reader(reader),
        "column_kinds": None if columns is None else _count_kinds(columns["columns"]),
        "input_scale": scale["input_scale"],
        "levels": scale.get("levels", EIGHT_BITS) if scale["input_scale"] in OF_LEVELS else None,
        "n_samples": fitted.get("n_samples_"),
        "n_suspects": 0 if suspects is None else len(suspects),
        "n_iter": fitted["n_iter_"],
        "max_iter": fitted["max_iter_"],
        "n_components": fitted["_n_features_out"],
        "n_active": int(_array(fitted, "active_units_", arrays).sum()),
        "labels": _labels(fitted, arrays) if "classes_" in fitted else None,
        "mean_terms": _mean_terms(fitted["mean_terms_"]),
        "anomaly_score": fitted["anomaly_score_"],
        "unit": fitted.get("score_unit_"),
        "threshold": fitted.get("offset_"),
        **_false_alarms(_array(fitted, "calibration_scores_", arrays), fitted, parameters),
        "network": custom,
        "hidden_channels": None if custom else _sizes(_CHANNELS, arrays),
        "hidden_layer_sizes": None if custom else _sizes(_WIDTHS, arrays)[:-1],  # the last makes the code
        "n_weights": sum(
            array.size
            for name, array in arrays.items()
            if name.startswith((f"{WEIGHTS}network.", f"{WEIGHTS}likelihood."))
        ),
        "parameters": parameters,
        "versions": header["versions"],
        "format_version": header["format_version"],
    }


def _array(fitted: dict[str, Any], name: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return an array that was put aside, or None if it is absent."""
    return arrays[fitted[name]["array"]] if name in fitted else None


def _reader(written: dict[str, Any]) -> dict[str, Any]:
    """Return mode, size (height, width) and aspect of a reader of image files."""
    channels, *size = written["image_shape"]
    return {"mode": MODES[channels], "size": size, "aspect": written["parameters"]["aspect"]}


def _count_kinds(columns: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many columns are of each kind."""
    kinds = [column["kind"] for column in columns]
    return {kind: kinds.count(kind) for kind in COLUMN_LIKELIHOODS}


def _labels(fitted: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return the labels of a conditional model with their shares."""
    written = fitted["classes_"]
    labels = written["strings"] if "strings" in written else _array(fitted, "classes_", arrays).tolist()
    shares = _array(fitted, "class_prior_", arrays).tolist()
    return [{"label": label, "share": share} for label, share in zip(labels, shares, strict=True)]


def _mean_terms(written: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return mean costs by part of the rows, then by term."""
    terms = {term: written["table"][term] for term in ("reconstruction", "kl")}
    return {
        part: {term: float(values[i]) for term, values in terms.items()}
        for i, part in enumerate(written["index"])
    }


def _false_alarms(
    known: np.ndarray | None, fitted: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return how many rows calibrated, and what share of normal rows they promise to be flagged."""
    if known is None:
        return {"n_calibration": 0, "false_alarm_rate": None}
    rate = flagged_rate(fitted["offset_"], known, parameters["false_alarm_rate"])
    return {"n_calibration": len(known), "false_alarm_rate": rate}


def _sizes(pattern: re.Pattern[str], arrays: dict[str, np.ndarray]) -> list[int]:
    """Return how many outputs the layers have whose weights are named so, in order."""
    found = {int(match[1]): array for name, array in arrays.items() if (match := pattern.fullmatch(name))}
    return [found[i].shape[0] for i in sorted(found) if found[i].ndim]


def _plain(value: Any) -> Any:
    """Return a constructor parameter as a plain value; a likelihood or a network as text."""
    if isinstance(value, dict) and "network" in value:
        return value["network"]
    if isinstance(value, dict) and "likelihood" in value:
        options = (f"{name}={option!r}" for name, option in value["options"].items())
        return f"{value['likelihood']}({', '.join(options)})"
    value = unwritten(value)
    if isinstance(value, dict):
        return {str(name): item for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value

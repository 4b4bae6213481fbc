"""A model file in plain values: what ``vaetools info`` prints, taken from a header that was checked.

Read without PyTorch, scikit-learn, pandas or numpy, so that asking is instant; for the same reason the
records have no comparison, which costs more to make than all the rest of them. Of arrays only the numbers
that are told are looked at: whether all are such as a model can have `load` finds out.
"""

import dataclasses
import math
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from vaetools.anomaly.rates import flagged_rate, n_rows_needed, threshold_of
from vaetools.estimators import has_words
from vaetools.estimators.choosing import least_defect
from vaetools.estimators.fields import COLUMN_LIKELIHOODS
from vaetools.estimators.image_fields import PATCHES, PATCHES_UNIT
from vaetools.files import ModelFileError, StoredArray
from vaetools.nn import PIXELS
from vaetools.nn.layers import strides_of
from vaetools.persistence.detector_rules import WEIGHTS
from vaetools.persistence.header import DETECTOR, read_description
from vaetools.persistence.rules import EIGHT_BITS, MODELS, OF_LEVELS, unwritten
from vaetools.persistence.weights import maps_and_widths
from vaetools.schema import usable

MODES = {1: "gray", 3: "rgb"}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """A saved model in plain values; None where a fact does not apply."""

    path: str
    model: str
    n_features: int  # columns of X
    image_shape: list[int] | None  # channels, height, width
    reader: dict[str, Any] | None  # ``mode``, ``size`` and ``aspect``, and ``typical_size`` of files
    least_defect: int | None  # pixels of a file that a defect is wide at least that is likely seen
    levels: list[int] | None  # of pixels, what is black and what is white
    n_samples: int | None  # rows that were given to train and calibrate, with those marked odd
    anomaly_score: str
    unit: str | None  # of the score, if the file says so
    threshold: float | None  # rows that score below are odd
    false_alarm_rate: float | None  # expected share of normal rows that do, if rows were held out to know it
    n_calibration: int  # rows that calibrated
    calibration: str | None  # ``split`` if these were held out, ``cross`` if they trained, too
    parameters: dict[str, Any]  # of the constructor
    versions: dict[str, str]  # of the libraries that wrote the file
    format_version: int
    file_size: int  # bytes


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AutoencoderFacts(Facts):
    """Of an autoencoder."""

    feature_names: list[str] | None
    column_kinds: dict[str, int] | None  # how many columns are of each, with ``likelihood="mixed"``
    input_scale: str  # kind of `InputScale`
    n_suspects: int  # how many rows were left out by ``trimmed_fraction``
    n_marked_odd: int  # and how many because somebody marked them
    n_iter: int  # epochs that ran
    max_iter: int  # and that were planned
    n_components: int  # dimensions of the codes
    n_active: int  # and how many of them vary
    # of codes of words, how many there are (``n_places``) of how many components (``word_size``), ``n_words``
    # of the vocabulary, ``n_dead`` of them, and which ``prior`` was learnt
    words: dict[str, Any] | None
    gaussian_scale: str | None  # kind of the scale of ``gaussian``, where codes are words
    labels: list[dict[str, Any]] | None  # ``label``, and its ``share`` of the training rows
    context: list[str] | None  # columns that rows are judged given
    context_information: float | None  # nats per row that held-out rows are more probable given their own
    # of groups of a context ``context``, their categories, ``n_calibration`` and ``threshold``; last, with
    # None as the first, all smaller ones together; None where rows are not judged within groups
    groups: list[dict[str, Any]] | None
    mean_terms: dict[str, dict[str, float]]  # mean costs in nats, of ``train`` and ``held_out``, by term
    network: str | None  # class of a network that is not ours
    hidden_channels: list[int] | None  # of an encoder of ours
    hidden_layer_sizes: list[int] | None
    n_weights: int  # numbers in the network and the likelihood
    # of the frozen network whose features it takes, if any: ``network``, ``layers``, ``strides``, ``digest``
    backbone: dict[str, Any] | None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DetectorFacts(Facts):
    """Of a `PatchDetector`."""

    scope: str  # what is judged: ``places``, the ``whole``, or ``both``
    # ``network``, None if it has no name, ``layers``, their ``strides`` if known, ``digest`` of its weights
    backbone: dict[str, Any]
    autoencoders: list[dict[str, Any]]  # of patches: ``model``, ``n_features``, ``n_components``


def read_facts(path: str | os.PathLike[str]) -> AutoencoderFacts | DetectorFacts:
    """Read what a model file says of its model; refuse a file that is none, or says what no model can."""
    header, arrays = read_description(path)
    name = header["class"]
    if name not in (*MODELS, DETECTOR):
        raise ModelFileError(
            f"{path}: the file must hold one of {(*MODELS, DETECTOR)} to be described; got a {name} alone."
        )
    with usable(path):
        common = {"path": str(path), "file_size": Path(path).stat().st_size, **_facts(header, arrays)}
        if name == DETECTOR:
            return DetectorFacts(**common, **_of_detector(header))
        return AutoencoderFacts(**common | _of_autoencoder(header, arrays))


def _facts(header: dict[str, Any], arrays: dict[str, StoredArray]) -> dict[str, Any]:
    """Return what is told of every model."""
    fitted, reader = header["fitted"], header["reader"] and _reader(header["reader"])
    parameters = {name: _plain(value) for name, value in header["parameters"].items()}
    known, rate = _values(fitted, "calibration_scores_", arrays), None
    if known is not None:
        promise = parameters["false_alarm_rate"], parameters.get("confidence")
        rate = flagged_rate(fitted["offset_"], known, *promise)
    return {
        "model": header["class"],
        "n_features": fitted["n_features_in_"],
        "image_shape": parameters.get("image_shape") if reader is None else header["reader"]["image_shape"],
        "reader": reader,
        "least_defect": _least_defect(reader),
        "n_samples": fitted.get("n_samples_"),
        "threshold": fitted.get("offset_"),
        "false_alarm_rate": rate,
        "n_calibration": 0 if known is None else len(known),
        "calibration": None if known is None else fitted.get("calibration_", "split"),
        "parameters": parameters,
        "versions": header["versions"],
        "format_version": header["format_version"],
    }


def _of_autoencoder(header: dict[str, Any], arrays: dict[str, StoredArray]) -> dict[str, Any]:
    fitted, custom = header["fitted"], _plain(header["parameters"].get("network"))
    groups = _groups(header, arrays)
    features = header.get("backbone")
    columns, terms = fitted["columns_"], fitted["mean_terms_"]
    kinds = [column["kind"] for column in columns["columns"]] if columns else []
    suspects, scale = _values(fitted, "suspects_", arrays), fitted["input_scale_"]
    maps, widths = maps_and_widths(header)
    return {
        "feature_names": _names(fitted),
        "column_kinds": columns and {kind: kinds.count(kind) for kind in COLUMN_LIKELIHOODS},
        "input_scale": scale["input_scale"],
        "levels": scale.get("levels", EIGHT_BITS) if scale["input_scale"] in OF_LEVELS else None,
        "n_suspects": 0 if suspects is None else len(suspects),
        "n_marked_odd": fitted.get("n_marked_odd_", 0),
        "n_iter": fitted["n_iter_"],
        "max_iter": fitted["max_iter_"],
        "n_components": fitted["_n_features_out"],
        "n_active": sum(_values(fitted, "active_units_", arrays)),
        "words": _words(header, arrays) if has_words(header["class"]) else None,
        "gaussian_scale": fitted.get("gaussian_scale_"),
        "labels": _labels(fitted, arrays) if "classes_" in fitted else None,
        "context": [str(name) for name in fitted["context_"]["context"]["columns"]["names"]]
        if "context_" in fitted
        else None,
        "context_information": fitted.get("context_information_"),
        "groups": groups,
        **({} if groups is None else {"threshold": None, "false_alarm_rate": None}),  # which are of groups
        "mean_terms": {
            part: {term: float(terms["table"][term][i]) for term in ("reconstruction", "kl")}
            for i, part in enumerate(terms["index"])
        },
        "anomaly_score": fitted["anomaly_score_"],
        "unit": fitted.get("score_unit_"),
        "backbone": features and _backbone(features["parameters"]["network"], features["fitted"]),
        "network": custom,
        "hidden_channels": None if custom else [channels for channels, *_ in maps[1:]],
        "hidden_layer_sizes": None if custom else list(widths),
        "n_weights": sum(
            math.prod(array.shape)
            for name, array in arrays.items()
            if name.startswith((f"{WEIGHTS}network.", f"{WEIGHTS}likelihood."))
        ),
    }


def _of_detector(header: dict[str, Any]) -> dict[str, Any]:
    fitted, backbone = header["fitted"], header["parameters"]["backbone"]
    network = backbone["network"] if isinstance(backbone, dict) else backbone or PIXELS
    return {
        "scope": fitted["scope"],
        "levels": fitted["levels"],
        "anomaly_score": PATCHES,
        "unit": PATCHES_UNIT,
        "backbone": _backbone(network, fitted),
        "autoencoders": [
            {
                "model": each["class"],
                "n_features": each["fitted"]["n_features_in_"],
                "n_components": each["fitted"]["_n_features_out"],
            }
            for each in header["estimators"]
        ],
    }


def _backbone(network: str | None, fitted: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a frozen network."""
    layers = fitted["layers"]
    strides = network and strides_of(network, layers)
    return {"network": network, "layers": layers, "strides": strides, "digest": fitted["digest"]}


def _least_defect(reader: dict[str, Any] | None) -> int | None:
    """Return how wide a defect must be in files that a reader has seen the size of."""
    if reader is None or reader["typical_size"] is None:
        return None
    return least_defect(reader["size"], reader["typical_size"], reader["aspect"])


def _names(fitted: dict[str, Any]) -> list[str] | None:
    for known in ("feature_names_in_", "column_labels_"):
        if known in fitted:
            names: list[str] = fitted[known]["strings"]
            return names
    columns = fitted["columns_"]
    return None if columns is None or columns["names"] is None else list(map(str, columns["names"]))


def _reader(written: dict[str, Any]) -> dict[str, Any]:
    """Return mode, size (height, width) and aspect of a reader of image files, and their typical size."""
    channels, *size = written["image_shape"]
    aspect, original = written["parameters"]["aspect"], written.get("typical_size")
    return {"mode": MODES[channels], "size": size, "aspect": aspect, "typical_size": original}


def _values(fitted: dict[str, Any], name: str, arrays: dict[str, StoredArray]) -> Any:
    """Return the numbers of an array that was put aside, or None if it is absent."""
    return arrays[fitted[name]["array"]].tolist() if name in fitted else None


def _words(header: dict[str, Any], arrays: dict[str, StoredArray]) -> dict[str, Any]:
    """Return what words there are, how many of them no row that trained has, and what tells them."""
    counts = _values(header["fitted"], "word_counts_", arrays)
    word_size = arrays[f"{WEIGHTS}latent.vectors"].shape[1]
    return {
        "n_words": len(counts),
        "n_dead": counts.count(0),
        "word_size": word_size,
        "n_places": header["fitted"]["_n_features_out"] // word_size,
        "prior": header["parameters"]["prior"],
    }


def _labels(fitted: dict[str, Any], arrays: dict[str, StoredArray]) -> list[dict[str, Any]]:
    written = fitted["classes_"]
    labels = written["strings"] if "strings" in written else _values(fitted, "classes_", arrays)
    shares = _values(fitted, "class_prior_", arrays)
    return [{"label": label, "share": share} for label, share in zip(labels, shares, strict=True)]


def _groups(header: dict[str, Any], arrays: dict[str, StoredArray]) -> list[dict[str, Any]] | None:
    """Return the groups of a context that have thresholds of their own, and last what all others have."""
    fitted, given = header["fitted"], header["parameters"]
    if "context_" not in fitted or "calibration_labels_" not in fitted:
        return None
    promise = given["false_alarm_rate"], given.get("confidence")
    labels, scores = (
        _values(fitted, name, arrays) for name in ("calibration_labels_", "label_calibration_scores_")
    )
    by_group: dict[int, list[float]] = defaultdict(list)
    for score, group in sorted(zip(scores, labels, strict=True)):
        by_group[group].append(score)
    needed = n_rows_needed(*promise)
    large = {group: known for group, known in sorted(by_group.items()) if len(known) >= needed}
    columns = fitted["context_"]["context"]["columns"]
    sizes = [len(column["values"]) or 1 for column in columns["columns"]]
    found = [
        {
            "context": _combination(group, columns, sizes),
            "n_calibration": len(known),
            "threshold": threshold_of(known, *promise),
        }
        for group, known in large.items()
    ]
    if len(large) == math.prod(sizes):
        return found
    others = sorted(score for group in by_group.keys() - large.keys() for score in by_group[group])
    alone = len(others) >= needed
    limit, n = (threshold_of(others, *promise), len(others)) if alone else (fitted["offset_"], len(scores))
    return [*found, {"context": None, "n_calibration": n, "threshold": limit}]


def _combination(group: int, columns: dict[str, Any], sizes: list[int]) -> dict[str, Any]:
    """Return the categories that are a group, by the names of their columns."""
    found: dict[str, Any] = {}
    for name, column, size in reversed(list(zip(columns["names"], columns["columns"], sizes, strict=True))):
        group, code = divmod(group, size)
        if column["values"]:
            found = {str(name): column["values"][code]} | found
    return found


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

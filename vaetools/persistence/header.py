"""What a model file may say, declared once for those who write, load and describe it.

Declared is all that decides what a model does, and the size of everything that is built from it. What
else a file says is not looked at. Read without PyTorch, scikit-learn and pandas: asking is instant.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
from typing import Any

import numpy as np

from vaetools.data.depth import DEEP, UINT8
from vaetools.data.fitting import ASPECTS
from vaetools.files import ModelFileError, read_model_file
from vaetools.persistence.learnt import LEARNT, MAP, MODELS, NEEDS
from vaetools.schema import (
    FINITE,
    HUGE,
    LOG_SHARES,
    Contents,
    array,
    choice,
    either,
    optional,
    plain,
    real,
    record,
    refuse,
    sequence,
    text,
    usable,
    whole,
)

WEIGHTS = "model_."
_NETWORK = f"{WEIGHTS}network."
_DEEPEST = 8  # levels of a parameter
_MOST_LAYERS = 1000
_MOST_PROCESSES = 1024
_LARGEST_SIDE = 2**31


def _shape(name: str, value: Any, contents: Contents) -> None:
    """Check an image shape, as a list or as a written tuple."""
    sizes = listed(value)
    rule = whole(1, _LARGEST_SIDE)
    if type(sizes) is not list or len(sizes) != 3:
        refuse(name, "three positive integers", value)
    sequence(rule)(name, sizes, contents)


def listed(value: Any) -> Any:
    """Return the list of a written tuple; anything else as it is."""
    return value["tuple"] if type(value) is dict and "tuple" in value else value


def _parameter(name: str, value: Any, contents: Contents, depth: int = _DEEPEST) -> None:
    """Check a parameter: a plain value, a list, a tuple, a dict or a likelihood."""
    if not depth:
        raise ValueError(f"{name[:40]} is nested too deep")
    inside = functools.partial(_parameter, depth=depth - 1)
    if type(value) is list:
        sequence(inside)(name, value, contents)
    elif type(value) is not dict:
        plain(name, value, contents)
    elif "tuple" in value:
        record({"tuple": sequence(inside)})(name, value, contents)
    elif "dict" in value:
        record({"dict": sequence(sequence(inside, least=2, most=2))})(name, value, contents)
    else:
        record({"likelihood": text(), "options": record({}, more=plain)})(name, value, contents)


_PARAMETERS = record(
    {"false_alarm_rate": real(math.ulp(0), math.nextafter(1, 0), "a number above 0 and below 1")},
    {"image_shape": optional(_shape), "network": optional(record({"network": text()}))},
    more=_parameter,
)
_STEP = text("(?!(?:steps|memory|verbose|transform_input)$)(?:(?!__).)+", "the name of a step of a pipeline")
_STEPS = sequence(_STEP, unique=True)
_READER = record(
    {
        "image_shape": _shape,
        "steps": _STEPS,
        "parameters": record(
            {"aspect": choice(*ASPECTS)},
            {"n_jobs": optional(either(whole(-_MOST_PROCESSES, -1), whole(1, _MOST_PROCESSES)))},
            more=_parameter,
        ),
    },
    {"dtype": choice(UINT8, *DEEP)},
)

_ESTIMATORS = {
    **{name: record({"parameters": _PARAMETERS, "fitted": record(*LEARNT[name])}) for name in MODELS},
    MAP: record({"parameters": record({}, more=_parameter), "fitted": record(*LEARNT[MAP])}),
}
_HEADER = record(
    {
        "format_version": whole(1),
        "class": choice(*MODELS, MAP),
        "versions": record({}, more=text()),
        "reader": optional(_READER),
    },
    {"map": optional(record({"class": choice(MAP), "steps": _STEPS}))},
)


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return header and arrays of a model file, checked.

    Raises
    ------
    ModelFileError
        If the file is no model file, not whole, or says what no model can.
    OSError
        If the file cannot be read.
    """
    header, arrays = read_model_file(path)
    if "checkpoint" in header:
        raise ModelFileError(
            f"{path}: the file holds no model but the state of a training; got a checkpoint. Call fit as "
            "before, with this file as checkpoint, and save what it returns."
        )
    with usable(path):
        check_model(header, arrays)
    return header, arrays


def check_model(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Raise a `ValueError` where header and arrays are not those of a model; nothing is built to find out."""
    _HEADER("", header, Contents(arrays))
    contents = Contents(arrays)
    _ESTIMATORS[header["class"]]("", header, contents)
    if header["class"] in MODELS:
        _check_columns(header["fitted"], contents)
        _check_images(header, contents)
        _check_scores(header)
        _check_rows(header["fitted"], contents)
        _check_weights(header, contents)
    if header["class"] == MAP:
        _check_map(header, contents)
    if header.get("map") is not None:
        mapped = Contents(arrays)
        mapped.measure("map", "n_components", contents.sizes["n_components"])
        _ESTIMATORS[MAP]("map", header["map"], mapped)
        _check_map(header["map"], mapped)
    stages = [header["reader"], header, header.get("map")]
    n_stages = sum(stage is not None for stage in stages)
    named = header.get("map") or header["reader"]
    if named is not None and len(named["steps"]) != n_stages:
        refuse("steps", f"{n_stages} names", named["steps"])


def _check_columns(fitted: dict[str, Any], contents: Contents) -> None:
    """Check that codes of categories are not scaled."""
    columns = [] if fitted["columns_"] is None else fitted["columns_"]["columns"]
    is_code = [bool(column["values"]) for column in columns]
    for name, value in {"shift": 0, "scale": 1}.items():
        found = contents.arrays[fitted["input_scale_"][name]["array"]]
        if columns and (found[is_code] != value).any():
            refuse(f"input_scale_.{name}", f"{value} for columns of categories", found.tolist())


def _check_images(header: dict[str, Any], contents: Contents) -> None:
    """Check that images have as many values as rows, and that scores know images of no other shape."""
    n_features = contents.sizes["n_features"]
    shapes = {"image_shape": listed(header["parameters"].get("image_shape"))}
    if header["reader"] is not None:
        shapes["reader.image_shape"] = header["reader"]["image_shape"]
        if shapes["reader.image_shape"][0] not in (1, 3):
            refuse("reader.image_shape", "of 1 or 3 channels", shapes["reader.image_shape"])
    for name, shape in shapes.items():
        if shape is not None and math.prod(shape) != n_features:
            refuse(name, f"of n_features = {n_features} values", shape)
    for name, state in header["fitted"]["score_state_"]["dict"].items():
        if "image_shape" in state["dict"]:
            known = contents.arrays[state["dict"]["image_shape"]["array"]].tolist()
            if known != shapes["image_shape"]:
                refuse(f"score_state_.{name}.image_shape", f"{shapes['image_shape']}", known)


def _check_scores(header: dict[str, Any]) -> None:
    """Check that there is what the score needs, unless the network may have no decoder and no score."""
    fitted = header["fitted"]
    if "offset_" not in fitted:
        if header["parameters"].get("network") is None:
            raise ValueError("offset_ is missing")
        return
    missing = set(NEEDS[fitted["anomaly_score_"]]) - fitted["score_state_"]["dict"].keys()
    if missing:
        raise ValueError(f"score_state_.{min(missing)} is missing")


def _check_rows(fitted: dict[str, Any], contents: Contents) -> None:
    """Check that no more epochs ran than were planned, and that numbers of rows and of labels are such."""
    if fitted["n_iter_"] > fitted["max_iter_"]:
        refuse("n_iter_", f"at most max_iter_ = {fitted['max_iter_']}", fitted["n_iter_"])
    classes = fitted.get("classes_", {}).get("strings", [])
    if any(first >= second for first, second in itertools.pairwise(classes)):
        refuse("classes_", "sorted, and all different", classes)
    most = {
        "suspects_": fitted.get("n_samples_", HUGE),
        "calibration_labels_": contents.sizes.get("n_classes"),
    }
    for name in most.keys() & fitted.keys():
        numbers = contents.arrays[fitted[name]["array"]]
        if (numbers >= most[name]).any():
            refuse(name, f"below {most[name]}", int(numbers.max()))


def _check_map(written: dict[str, Any], contents: Contents) -> None:
    """Check that a map has the dimensions that were asked for, and codes to place others by."""
    n_axes, n_mapped = contents.sizes["n_axes"], contents.sizes["n_mapped"]
    if written["parameters"].get("n_components") != n_axes:
        refuse("n_components", f"n_axes = {n_axes} of a map", written["parameters"].get("n_components"))
    if written["fitted"]["axes_"] is None and n_mapped < 2:
        raise ValueError("axes_ is missing, of a map of one code")


def _check_weights(header: dict[str, Any], contents: Contents) -> None:
    """Check that every layer that was asked for has weights, and that weights are finite numbers.

    Of a network that is not ours nothing is known.
    """
    weights = [name for name in contents.arrays if name.startswith(WEIGHTS)]
    of_network = {name for name in weights if name.startswith(_NETWORK)}
    if header["parameters"].get("network") is None:
        most = min(_MOST_LAYERS, len(of_network))
        for name in ("hidden_layer_sizes", "hidden_channels"):
            sizes = listed(header["parameters"].get(name))
            if isinstance(sizes, list) and len(sizes) > most:
                refuse(name, f"at most {most} sizes", sizes)
        of_network = set()
    array("f", "n_features")(f"{WEIGHTS}log_unit", {"array": f"{WEIGHTS}log_unit"}, contents)
    for name in weights:
        if name not in of_network:
            axes = [f"{name}[{i}]" for i in range(contents.arrays[name].ndim)]
            kept = LOG_SHARES if name == f"{WEIGHTS}log_label_prior" else FINITE
            array("f", *axes, kept=kept)(name, {"array": name}, contents)

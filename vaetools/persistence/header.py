"""What a model file may say, declared once for those who write, load and describe it.

Declared is all that decides what a model does, and the size of everything that is built from it. What
else a file says is not looked at. Read without PyTorch, scikit-learn, pandas and numpy: asking is instant.
What numbers of arrays must be is asked where these are read, not where a file is only described.
"""

import itertools
import math
import os
from typing import TYPE_CHECKING, Any

from vaetools.anomaly.scores import SCORES, needed_states
from vaetools.checks import IMAGE_SHAPE, POSITIVE_INTEGER, SIZE, one_of, refuse, text
from vaetools.data import DEEP, INT16, UINT8, UINT16, WHITE
from vaetools.estimators import has_prior, has_spread
from vaetools.files import ModelFileError, StoredArray, read_stored
from vaetools.persistence.detector_rules import BACKBONE_RULE, WEIGHTS, check_detector, check_threshold
from vaetools.persistence.rules import (
    EIGHT_BITS,
    LEARNT,
    MAP,
    MODELS,
    OF_LEVELS,
    PARAMETERS,
    READER,
    unwritten,
)
from vaetools.persistence.weights import state_sizes, weight_shapes
from vaetools.schema import (
    FINITE,
    LOG_SHARES,
    NUMBERS,
    TEXT,
    Contents,
    array,
    only,
    optional,
    record,
    sequence,
    usable,
)

if TYPE_CHECKING:
    import numpy as np

_NETWORK = f"{WEIGHTS}network."
_LABEL_PRIOR = f"{WEIGHTS}log_label_prior"
_WORD_PRIOR = f"{WEIGHTS}latent.prior.log_shares"
_MOST_LAYERS = 1000
DETECTOR = "PatchDetector"
_DARKEST = -(2**15)

_STEP = text("(?!(?:steps|memory|verbose|transform_input)$)(?:(?!__).)+", "the name of a step of a pipeline")
_STEPS = sequence(_STEP, unique=True)
_READER = record(
    {"image_shape": IMAGE_SHAPE, "steps": _STEPS, "parameters": READER},
    {"dtype": one_of(UINT8, *DEEP), "typical_size": optional(SIZE)},
)
_ESTIMATORS = {
    name: record({"parameters": PARAMETERS[name], "fitted": record(*LEARNT[name])}) for name in (*MODELS, MAP)
}
_HEADER = record(
    {
        "format_version": POSITIVE_INTEGER,
        "class": one_of(*MODELS, MAP, DETECTOR),
        "versions": record({}, more=TEXT),
        "reader": optional(_READER),
    },
    {
        "map": optional(record({"class": one_of(MAP), "steps": _STEPS})),
        "backbone": optional(only(BACKBONE_RULE | {"steps": _STEPS})),
    },
)


def read_model(path: str | os.PathLike[str]) -> "tuple[dict[str, Any], dict[str, np.ndarray]]":
    """Return header and arrays of a model file, or refuse one that is not whole or says what no model can."""
    header, stored = _read_stored_model(path)
    with usable(path):
        arrays = {name: array.numpy() for name, array in stored.items()}
        check_model(header, arrays)
    return header, arrays


def read_description(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, StoredArray]]:
    """Return what `read_model` does, without numpy: of arrays only types and shapes are checked."""
    header, stored = _read_stored_model(path)
    with usable(path):
        check_model(header, stored)
    return header, stored


def _read_stored_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, StoredArray]]:
    """Return header and arrays of a model file, or refuse one that is not whole or holds something else."""
    header, stored = read_stored(path)
    if "checkpoint" in header:
        raise ModelFileError(
            f"{path}: the file holds no model but the state of a training; got a checkpoint. Call fit as "
            "before, with this file as checkpoint, and save what it returns."
        )
    if "watch" in header:
        raise ModelFileError(
            f"{path}: the file holds no model but the state of a watch; got a state. Name the file of the "
            "model that is watched."
        )
    return header, stored


def check_model(header: dict[str, Any], arrays: "dict[str, np.ndarray] | dict[str, StoredArray]") -> None:
    """Raise a `ValueError` where header and arrays are not those of a model; nothing is built to find out."""
    _HEADER("", header, Contents(arrays))
    if header["class"] == DETECTOR:
        check_detector(header, arrays, _check_estimator)
    else:
        rows = header if header.get("backbone") is None else header | {"reader": None}  # of features
        contents = _check_class(rows, Contents(arrays))
        n_components = contents.sizes["n_components"]
    if header.get("backbone") is not None:
        if header["class"] not in MODELS:
            refuse("backbone", f"before one of {MODELS}", header["class"])
        _check_backbone(header, contents)
    if header.get("map") is not None:
        if header["class"] == DETECTOR:
            refuse("map", "of codes, which a detector has not", header["map"]["class"])
        mapped = Contents(arrays)
        mapped.measure("map", "n_components", n_components)
        _ESTIMATORS[MAP]("map", header["map"], mapped)
        _check_map(header["map"], mapped)
    stages = [header["reader"], header.get("backbone"), header, header.get("map")]
    n_stages = sum(stage is not None for stage in stages)
    named = header.get("map") or header.get("backbone") or header["reader"]
    if named is not None and len(named["steps"]) != n_stages:
        refuse("steps", f"{n_stages} names", named["steps"])


def _check_class(header: dict[str, Any], contents: Contents) -> Contents:
    """Check what a header says of an estimator or a map, and return the sizes that it says."""
    _ESTIMATORS[header["class"]]("", header, contents)
    if header["class"] in MODELS:
        _check_images(header, contents)
        _check_told(header, contents)
        _check_scores(header, contents)
        _check_rows(header["fitted"], contents)
        _check_weights(header, contents)
        if contents.has_numbers:
            from vaetools.persistence.numbers import check_numbers

            check_numbers(header, contents)
    else:
        _check_map(header, contents)
    return contents


def _check_estimator(header: dict[str, Any], arrays: dict[str, Any]) -> int:
    """Check what a header says of an autoencoder of patches, and return of how many features it is."""
    if header["class"] not in MODELS:
        refuse("class", f"one of {MODELS}", header["class"])
    return _check_class(header, Contents(arrays)).sizes["n_features"]


def _check_backbone(header: dict[str, Any], contents: Contents) -> None:
    """Check that a model takes what a frozen network makes, and that what a reader makes."""
    written, reader = header["backbone"], header["reader"]
    if sum(written["fitted"]["n_channels"]) != contents.sizes["n_features"]:
        made = contents.sizes["n_features"]
        refuse("backbone.n_channels", f"n_features = {made} in all", written["fitted"]["n_channels"])
    if reader is not None:
        shape, levels = list(unwritten(written["parameters"]["image_shape"])), written["fitted"]["levels"]
        kind = {"input_scale": "unit"} if levels is None else {"input_scale": "pixels", "levels": levels}
        _check_reader(reader, shape, kind)


def _check_images(header: dict[str, Any], contents: Contents) -> None:
    """Check that images have as many values as rows."""
    n_features = contents.sizes["n_features"]
    image_shape = unwritten(header["parameters"]["image_shape"])
    shapes = {"image_shape": image_shape and list(image_shape)}
    if header["reader"] is not None:
        shapes["reader.image_shape"] = header["reader"]["image_shape"]
        if shapes["reader.image_shape"][0] not in (1, 3):
            refuse("reader.image_shape", "of 1 or 3 channels", shapes["reader.image_shape"])
    for name, sizes in shapes.items():
        if sizes is not None and math.prod(sizes) != n_features:
            refuse(name, f"of n_features = {n_features} values", sizes)
    if header["reader"] is not None:
        _check_reader(header["reader"], shapes["image_shape"], header["fitted"]["input_scale_"])


def _check_reader(reader: dict[str, Any], image_shape: list[int] | None, scale: dict[str, Any]) -> None:
    """Check that a reader makes images of the shape and of the levels that the model was fitted on."""
    if image_shape not in (None, reader["image_shape"]):
        refuse("reader.image_shape", f"image_shape = {image_shape}", reader["image_shape"])
    black, white = levels = scale.get("levels", EIGHT_BITS)
    dtype = reader.get("dtype", UINT8)
    holds = {
        UINT8: levels in ([0, 1], EIGHT_BITS),
        UINT16: black >= 0 and white <= WHITE,
        INT16: black >= _DARKEST and white <= WHITE,  # 15 bits without a sign count as 16
    }
    if scale["input_scale"] in OF_LEVELS and not holds[dtype]:
        refuse("input_scale_.levels", f"levels of images of reader.dtype = {dtype!r}", levels)


def _check_told(header: dict[str, Any], contents: Contents) -> None:
    """Check that a conditional model knows either labels or a context, and how many numbers tell it."""
    fitted = header["fitted"]
    if header["class"] != "CVAE":
        return
    has_context = "context_" in fitted
    for name in ("classes_", "class_prior_"):
        if (name in fitted) == has_context:
            raise ValueError(f"{name} {'stands beside context_' if has_context else 'is missing'}")
    if has_context:
        columns = fitted["context_"]["context"]["columns"]["columns"]
        contents.measure("context_", "n_classes", sum(len(column["values"]) or 1 for column in columns))
    in_X = header["parameters"].get("context") is not None
    if in_X != ("context_places_" in fitted) or in_X > has_context:
        raise ValueError("context_places_ must be there with context_ and a parameter context, and only then")


def _check_scores(header: dict[str, Any], contents: Contents) -> None:
    """Check that there is what the score needs, unless the network may have no decoder and no score.

    And that the threshold is one of the calibration scores, be it at another rate than today's.
    """
    fitted = header["fitted"]
    if "offset_" not in fitted:
        if header["parameters"]["network"] is None or "calibration_scores_" in fitted:
            raise ValueError("offset_ is missing")
        return
    name, states = fitted["anomaly_score_"], fitted["score_state_"]["dict"].keys()
    if SCORES[name].needs_posterior and not has_spread(header["class"]):
        refuse("anomaly_score_", f"a score without a posterior, which an {header['class']} has not", name)
    if SCORES[name].needs_prior and not has_prior(header["class"]):
        refuse(
            "anomaly_score_", f"a score without a prior of codes, which an {header['class']} has not", name
        )
    if SCORES[name].needs_added and header["parameters"].get("added_loss") is None:
        refuse("anomaly_score_", "a score without an added_loss, which the model has not", name)
    for state in sorted(states ^ set(needed_states(name))):
        what = f"is no part of {name}" if state in states else "is missing"
        raise ValueError(f"score_state_.{state} {what}")
    if "calibration_scores_" in fitted:
        check_threshold(fitted, contents)


def _check_rows(fitted: dict[str, Any], contents: Contents) -> None:
    """Check that no more epochs ran than were planned, and that rows are as many as were given."""
    if fitted["n_iter_"] > fitted["max_iter_"]:
        refuse("n_iter_", f"at most max_iter_ = {fitted['max_iter_']}", fitted["n_iter_"])
    if fitted.get("n_marked_odd_", 0) >= (n_samples := fitted.get("n_samples_", math.inf)):
        refuse("n_marked_odd_", f"below n_samples_ = {n_samples}", fitted["n_marked_odd_"])
    classes = fitted.get("classes_", {}).get("strings", [])
    if any(first >= second for first, second in itertools.pairwise(classes)):
        refuse("classes_", "sorted, and all different", classes)
    for part, kept in fitted.get("kept_rows_", {"dict": {}})["dict"].items():
        _check_kept(f"kept_rows_.{part}", kept["dict"], contents, is_labeled="classes_" in fitted)


def _check_kept(name: str, kept: dict[str, Any], contents: Contents, *, is_labeled: bool) -> None:
    """Check that rows are no more than they were drawn from, and have labels where a model is of labels."""
    n_rows = contents.arrays[kept["rows"]["array"]].shape[0]
    if kept["n_seen"] < n_rows:
        refuse(f"{name}.n_seen", f"at least n_rows = {n_rows}", kept["n_seen"])
    if ("labels" in kept) != ("n_classes" in contents.sizes):
        raise ValueError(f"{name}.labels must be there with classes_ or context_, and only with them")
    is_coded = "labels" in kept and len(contents.arrays[kept["labels"]["array"]].shape) == 1
    if "labels" in kept and is_coded != is_labeled:
        raise ValueError(f"{name}.labels must be codes of labels, or conditions of a context")


def _check_map(written: dict[str, Any], contents: Contents) -> None:
    """Check that a map has the dimensions that were asked for, and codes to place others by."""
    n_axes, n_mapped = contents.sizes["n_axes"], contents.sizes["n_mapped"]
    if written["parameters"].get("n_components") != n_axes:
        refuse("n_components", f"n_axes = {n_axes} of a map", written["parameters"].get("n_components"))
    if written["fitted"]["axes_"] is None and n_mapped < 2:
        raise ValueError("axes_ is missing, of a map of one code")


def _check_weights(header: dict[str, Any], contents: Contents) -> None:
    """Check that weights are those of the network that the parameters describe, and finite numbers.

    Of a network that is not ours it is known that its weights are numbers.
    """
    parameters = header["parameters"]
    ours = parameters["network"] is None
    shapes = {name: array.shape for name, array in contents.arrays.items() if name.startswith(WEIGHTS)}
    for name in ("hidden_layer_sizes", "hidden_channels"):
        sizes, most = unwritten(parameters[name]), min(_MOST_LAYERS, len(shapes))
        if ours and sizes != "auto" and len(sizes) > most:
            refuse(name, f"at most {most} sizes", sizes)
    if parameters.get("n_words", "auto") != "auto":
        contents.measure("n_words", "n_words", parameters["n_words"])
    n_classes = contents.sizes.get("n_classes", 0)
    needed = {f"{WEIGHTS}{name}": shape for name, shape in weight_shapes(header, contents.sizes).items()}
    known = [name for name in shapes if ours or not name.startswith(_NETWORK)]
    for name in sorted(needed.keys() | known):
        if name not in shapes:
            raise ValueError(f"the array of {name} is missing")
        if shapes[name] != needed.get(name):
            asked = f"have the shape {needed[name]}" if name in needed else "not be there"
            raise ValueError(f"{name} must {asked}, by the parameters; got {shapes[name]}")
    holds = dict.fromkeys(shapes, ("biuf", NUMBERS)) | dict.fromkeys(known, ("f", FINITE))
    holds[_LABEL_PRIOR] = holds[_WORD_PRIOR] = "f", LOG_SHARES
    for name, sides in shapes.items():
        kinds, kept = holds[name]
        array(kinds, *(f"{name}[{i}]" for i in range(len(sides))), kept=kept)(name, {"array": name}, contents)
    for axis, size in state_sizes(header, n_classes).items():
        if contents.sizes.get(axis, size) != size:
            raise ValueError(f"score_state_ must be of {axis} = {size}; got {contents.sizes[axis]}")

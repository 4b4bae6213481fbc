"""What a file may say of a `PatchDetector`; read without PyTorch."""

import math
from collections.abc import Callable, Collection
from typing import Any

from vaetools.anomaly.rates import is_threshold
from vaetools.checks import (
    IMAGE_SHAPE,
    POSITIVE_INTEGER,
    PROBABILITY,
    SIZE,
    Requirement,
    is_number,
    one_of,
    refuse,
    text,
)
from vaetools.estimators.image_fields import DETECTOR, NETWORK
from vaetools.nn.layers import LAYERS_NEEDED, N_FROM_RIM, groups_of
from vaetools.persistence.rules import PARAMETERS, pair_of_levels, unwritten, written
from vaetools.schema import (
    FINITE,
    POSITIVES,
    SORTED_SCORES,
    TEXT,
    Contents,
    Rule,
    array,
    either,
    only,
    optional,
    record,
    sequence,
    size,
)

_LATER = ("whitening", "inward")  # what groups of earlier versions have not, a cost each
WEIGHTS = "model_."
_OPTIONS = ("layers", "size", "normalization")  # of a network


def _estimator(name: str, value: Any, contents: Contents) -> None:
    """Check an unfitted autoencoder of patches."""
    record({"class": TEXT})(name, value, contents)
    if value["class"] not in PARAMETERS:
        refuse(f"{name}.class", "an autoencoder", value["class"])
    only({"class": TEXT, "parameters": PARAMETERS[value["class"]]})(name, value, contents)


_BACKBONE = only({"network": optional(TEXT), **{name: written(NETWORK[name]) for name in _OPTIONS}})
_OF_NETWORK: dict[str, Rule] = {
    "levels": optional(pair_of_levels),
    "layers": sequence(TEXT, least=1),
    "n_channels": sequence(POSITIVE_INTEGER, least=1),
    "digest": text("[0-9a-f]{64}", "a digest"),
}
BACKBONE_RULE: dict[str, Rule] = {
    "parameters": only(
        {
            "network": TEXT,
            "image_shape": written(IMAGE_SHAPE),
            "device": written(NETWORK["device"]),
            **{name: written(NETWORK[name]) for name in _OPTIONS},
        }
    ),
    "fitted": only(_OF_NETWORK),
}
_PARAMETERS = only(
    {
        **{name: written(rule) for name, rule in DETECTOR.items() if name not in ("estimator", "backbone")},
        "estimator": optional(_estimator),
        "backbone": optional(either(TEXT, _BACKBONE)),
    }
)
DETECTOR_RULE = record(
    {
        "parameters": _PARAMETERS,
        "fitted": only(
            {
                "n_features_in_": size("n_features", POSITIVE_INTEGER),
                "n_samples_": POSITIVE_INTEGER,
                **_OF_NETWORK,
                "offset_": Requirement("a finite number", lambda value: is_number(value, -math.inf)),
                "calibration_scores_": array("f", "n_calibration", kept=SORTED_SCORES, least=1),
                "scope": one_of("places", "whole", "both"),
            },
            {"seen": optional(SIZE), "sharp": PROBABILITY, "calibration_": one_of("split", "cross")},
        ),
        "estimators": sequence(record({"class": TEXT})),
    }
)


_OF_LEVELS = {
    "level_center": array("f", "n_levels", kept=FINITE),
    "level_spread": array("f", "n_levels", kept=POSITIVES),
}


def own_arrays(arrays: dict[str, Any], i: int) -> dict[str, Any]:
    """Return the arrays of one of the autoencoders, under their own names."""
    prefix = f"estimators.{i}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def check_detector(
    header: dict[str, Any],
    arrays: dict[str, Any],
    check_estimator: Callable[[dict[str, Any], dict[str, Any]], int],
) -> None:
    """Raise a `ValueError` where header and arrays are not those of a detector.

    ``check_estimator`` checks an autoencoder, and returns of how many features it is.
    """
    contents = Contents(arrays)
    DETECTOR_RULE("", header, contents)
    fitted = header["fitted"]
    shape = unwritten(header["parameters"]["image_shape"])
    if shape is None or math.prod(shape) != fitted["n_features_in_"]:
        refuse("image_shape", f"of n_features = {fitted['n_features_in_']} values", shape)
    if header["reader"] is not None and tuple(header["reader"]["image_shape"]) != tuple(shape):
        refuse("reader.image_shape", f"image_shape = {shape}", header["reader"]["image_shape"])
    check_threshold(fitted, contents)
    if len(fitted["n_channels"]) < (least := LAYERS_NEEDED[fitted["scope"]]):
        refuse("n_channels", f"a list of {least} or more", fitted["n_channels"])
    *finer, coarsest = fitted["n_channels"]
    n_channels = {"places": [*finer, coarsest], "whole": [], "both": finer}[fitted["scope"]]
    groups = [sum(n_channels[layers]) for layers, _ in groups_of(len(n_channels))]
    if len(header["estimators"]) != len(groups):
        refuse("estimators", f"{len(groups)} autoencoders", len(header["estimators"]))
    for i, estimator in enumerate(header["estimators"]):
        n = check_estimator({**estimator, "reader": None}, own_arrays(arrays, i))
        if n != groups[i]:
            refuse(f"estimators[{i}]", f"of {groups[i]} features", n)
        learnt = {name: arrays.get(f"{WEIGHTS}groups.{i}.{name}") for name in _LATER}
        later = [name for name, array in learnt.items() if array is not None and array.shape[:1] != (0,)]
        for name, rule in _group(i, groups[i], later).items():
            rule(name, {"array": f"{WEIGHTS}{name}"}, contents)
    of_whole = {} if fitted["scope"] == "places" else _whole(coarsest)
    for name, rule in (_OF_LEVELS | of_whole).items():
        rule(name, {"array": f"{WEIGHTS}{name}"}, contents)


def check_threshold(fitted: dict[str, Any], contents: Contents) -> None:
    """Raise where a threshold is none of the calibration scores."""
    if not is_threshold(fitted["offset_"], contents.arrays[fitted["calibration_scores_"]["array"]].tolist()):
        refuse("offset_", "one of calibration_scores_, less rounding", fitted["offset_"])


def _whole(n_features: int) -> dict[str, Rule]:
    """Return the rules of what was learnt of whole images."""
    return {
        "whole.center": array("f", n_features, kept=FINITE),
        "whole.whitening": array("f", n_features, n_features, kept=FINITE),
        "whole.level_center": array("f", 1, kept=FINITE),
        "whole.level_spread": array("f", 1, kept=POSITIVES),
    }


def _group(i: int, n_features: int, later: Collection[str]) -> dict[str, Rule]:
    """Return the rules of what was learnt of places; groups of earlier versions know fewer costs."""
    rows, axes, n_hidden, place = f"n_references_{i}", f"n_axes_{i}", f"n_hidden_{i}", f"groups.{i}"
    n_costs = 2 + len(later)
    rules = {
        f"{place}.mean": array("f", n_features, kept=FINITE),
        f"{place}.std": array("f", n_features, kept=POSITIVES),
        f"{place}.axes": array("f", n_features, axes, kept=FINITE, least=1),
        f"{place}.references": array("f", rows, axes, kept=FINITE, least=1),
        f"{place}.floor": array("f", n_costs, kept=POSITIVES),
        f"{place}.center": array("f", rows, n_costs, kept=FINITE),
        f"{place}.variance": array("f", rows, n_costs, kept=POSITIVES),
        f"{place}.rim_center": array("f", N_FROM_RIM, n_costs, kept=FINITE),
        f"{place}.rim_variance": array("f", N_FROM_RIM, n_costs, kept=POSITIVES),
        f"{place}.overall": array("f", n_costs, kept=POSITIVES),
    }
    if "whitening" in later:  # of what autoencoders leave of places
        rules[f"{place}.whitening"] = array("f", n_features, n_features, kept=FINITE)
    if "inward" in later:  # what tells places of planted defects from good ones
        rules[f"{place}.inward"] = array("f", n_features, n_hidden, kept=FINITE, least=1)
        rules[f"{place}.bias"] = rules[f"{place}.outward"] = array("f", n_hidden, kept=FINITE)
    return rules

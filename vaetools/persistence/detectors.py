"""A `PatchDetector` in a file: what was learnt of places, autoencoders, and which frozen network it needs.

The weights of the frozen network are not in the file, only their digest: another network would make other
numbers of the same images.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from vaetools.estimators import estimator_class
from vaetools.estimators.backbone import Backbone
from vaetools.estimators.building import resolve_device
from vaetools.estimators.constructor import parameters_in_force
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.estimators.pictures import scaled
from vaetools.nn.batches import InputScale
from vaetools.nn.patch_model import PatchModel
from vaetools.persistence.detector_rules import WEIGHTS, own_arrays
from vaetools.persistence.values import read_parameters, write_parameters

_OF_NETWORK = ("network", "layers", "size", "normalization")
_FORMER_THUMBNAIL, _FORMERLY_SEEN = 64, 128  # pixels a side
_FORMERLY_SHARP = 0.5  # share of the sharpest levels in maps, of files that say none
_OF_BACKBONE = (*_OF_NETWORK, "image_shape", "device")
Write = Callable[[Any, dict[str, np.ndarray]], dict[str, Any]]
Read = Callable[[dict[str, Any], dict[str, np.ndarray]], Any]


def write_detector(
    detector: PatchDetector, arrays: dict[str, np.ndarray], write_estimator: Write
) -> dict[str, Any]:
    """Return class, parameters and fitted numbers as JSON; put arrays and weights aside."""
    estimators = []
    for i, estimator in enumerate(detector.estimators_):
        own: dict[str, np.ndarray] = {}
        estimators.append(write_estimator(estimator, own))
        arrays |= {f"estimators.{i}.{name}": array for name, array in own.items()}
    arrays |= {f"{WEIGHTS}{name}": values.cpu().numpy() for name, values in _learnt(detector.model_)}
    arrays["calibration_scores_"] = detector.calibration_scores_
    parameters = parameters_in_force(detector)
    estimator, backbone = parameters.pop("estimator"), parameters.pop("backbone")
    return {
        "class": type(detector).__name__,
        "parameters": write_parameters(detector, parameters)
        | {"estimator": estimator and _written(estimator), "backbone": _written_network(backbone)},
        "fitted": {
            "n_features_in_": detector.n_features_in_,
            "n_samples_": detector.n_samples_,
            "levels": list(detector.input_scale_.levels) if detector.input_scale_.of_levels else None,
            "offset_": detector.offset_,
            "calibration_scores_": {"array": "calibration_scores_"},
            "scope": detector.scope_,
            "layers": list(detector.backbone_.layers_),
            "n_channels": list(detector.backbone_.n_channels_),
            "digest": detector.backbone_.digest_,
            "seen": detector.backbone_.size and list(detector.backbone_.size),
            "sharp": detector.model_.sharp,
            "calibration_": detector.calibration_,
        },
        "estimators": estimators,
    }


def read_detector(
    written: dict[str, Any],
    arrays: dict[str, np.ndarray],
    network: nn.Module | None,
    device: Any,
    read_estimator: Read,
) -> PatchDetector:
    """Return what `write_detector` wrote.

    Raises
    ------
    ValueError
        If the frozen network is not the one that the detector was fitted with.
    """
    parameters, fitted = dict(written["parameters"]), written["fitted"]
    estimator, backbone = parameters.pop("estimator"), parameters.pop("backbone")
    detector = PatchDetector(
        estimator and _read(estimator),
        backbone=_read_network(backbone, network),
        **read_parameters(parameters),
    )
    if device is not None:
        detector.set_params(device=device)
    detector.n_features_in_ = n_features = fitted["n_features_in_"]
    detector.n_samples_ = fitted["n_samples_"]
    detector.input_scale_ = _scale(fitted, n_features)
    detector.offset_ = fitted["offset_"]
    detector.calibration_scores_ = arrays[fitted["calibration_scores_"]["array"]]
    detector.calibration_ = fitted.get("calibration_", "split")
    detector.scope_ = fitted["scope"]
    detector.backbone_ = detector.make_backbone().set_params(size=_seen(detector, fitted))
    _restore(detector.backbone_, detector.input_scale_, n_features, fitted)
    detector.estimators_ = [
        read_estimator(each, own_arrays(arrays, i)) for i, each in enumerate(written["estimators"])
    ]
    detector.model_ = model = detector.make_model()
    model.sharp = fitted.get("sharp", _FORMERLY_SHARP)
    for name, _ in list(_learnt(model)):
        *place, buffer = name.split(".")
        if (key := f"{WEIGHTS}{name}") in arrays:  # groups of earlier versions have no whitening
            setattr(model.get_submodule(".".join(place)), buffer, torch.from_numpy(arrays[key].copy()))
    for group, fitted_one in zip(model.groups, detector.estimators_, strict=True):
        group.autoencoder = fitted_one.model_
    model.to(resolve_device(detector))
    return detector


def _seen(detector: PatchDetector, fitted: dict[str, Any]) -> tuple[int, int] | None:
    """Return the size at which the network sees images."""
    if "seen" in fitted:
        return fitted["seen"] and tuple(fitted["seen"])
    if isinstance(detector.backbone, Backbone):
        return detector.backbone.size
    assert detector.image_shape is not None  # which was checked
    # in files of earlier versions thumbnails alone are enlarged, where a whole is judged
    is_small = max(detector.image_shape[1:]) <= _FORMER_THUMBNAIL and detector.scope_ != "places"
    return scaled(detector.image_shape[1:], _FORMERLY_SEEN) if is_small else None


def write_backbone(backbone: Backbone, names: list[str]) -> dict[str, Any]:
    """Return the frozen network of a pipeline, whose steps have these names, as JSON."""
    if not isinstance(backbone.network, str):
        raise TypeError(
            "save: Backbone: network must be a name, by which its weights are found again; got a "
            f"{type(backbone.network).__name__}. A PatchDetector takes one as its backbone, and is saved."
        )
    scale = backbone.input_scale_
    return {
        "parameters": write_parameters(backbone, {name: getattr(backbone, name) for name in _OF_BACKBONE}),
        "fitted": {
            "levels": list(scale.levels) if scale.of_levels else None,
            "layers": list(backbone.layers_),
            "n_channels": list(backbone.n_channels_),
            "digest": backbone.digest_,
        },
        "steps": names,
    }


def read_backbone(written: dict[str, Any], device_of: Callable[[Backbone], Any]) -> Backbone:
    """Return what `write_backbone` wrote, on a device.

    Raises
    ------
    ValueError
        If the network has other weights than the pipeline was fitted with.
    """
    backbone = Backbone(**read_parameters(written["parameters"]))
    backbone.set_params(device=device_of(backbone))
    n_features = math.prod(backbone.image_shape or ())
    _restore(backbone, _scale(written["fitted"], n_features), n_features, written["fitted"])
    return backbone


def _restore(backbone: Backbone, scale: InputScale, n_features: int, fitted: dict[str, Any]) -> None:
    """Load the network, and note what was learnt of images."""
    backbone.load()
    backbone.input_scale_, backbone.n_features_in_ = scale, n_features
    backbone.n_channels_ = tuple(fitted["n_channels"])
    if backbone.digest_ != fitted["digest"]:
        raise ValueError(
            f"backbone must be the network that the model was fitted with, of weights whose SHA-256 is "
            f"{fitted['digest'][:12]}…; got {backbone.digest_[:12]}…"
        )


def _scale(fitted: dict[str, Any], n_features: int) -> InputScale:
    """Return what is black and white."""
    kind, levels = "unit" if fitted["levels"] is None else "pixels", fitted["levels"] or (0, 255)
    return InputScale.fixed(kind, n_features, tuple(levels))


def wanted_module(parameters: dict[str, Any]) -> str | None:
    """Return which network a model needs from `load`, in words: its own, or a frozen one of its user."""
    backbone = parameters.get("backbone")
    if isinstance(backbone, dict) and backbone["network"] is None:
        return "the module that was its backbone, with the same weights, which are not in the file"
    if isinstance(parameters.get("network"), dict):
        return "a module of the architecture of its custom network"
    return None


def _learnt(model: PatchModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what a detector has learnt beside its autoencoders."""
    for name, values in model.state_dict().items():
        if not name.startswith("features.") and ".autoencoder." not in name:
            yield name, values


def _written(estimator: Any) -> dict[str, Any]:
    """Return an unfitted estimator as JSON."""
    parameters = write_parameters(estimator, estimator.get_params(deep=False))
    return {"class": type(estimator).__name__, "parameters": parameters}


def _read(written: dict[str, Any]) -> Any:
    """Return what `_written` wrote."""
    return estimator_class(written["class"])(**read_parameters(written["parameters"]))


def _written_network(backbone: Any) -> Any:
    """Return the parameter ``backbone`` as JSON."""
    if backbone is None or isinstance(backbone, str):
        return backbone
    given = {name: getattr(backbone, name) for name in _OF_NETWORK}
    if not isinstance(given["network"], str):
        given["network"] = None
    return write_parameters(backbone, given)


def _read_network(written: Any, network: nn.Module | None) -> Any:
    """Return what `_written_network` wrote, of a module that was passed."""
    if written is None or isinstance(written, str):
        return written
    given = read_parameters(written)
    return Backbone(**given | {"network": network if given["network"] is None else given["network"]})

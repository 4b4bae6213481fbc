"""Save a fitted model to one file, and load it without ever running code from it.

The file is safetensors: arrays, and a JSON header with format version, class, parameters,
fitted numbers and library versions. Any safetensors reader can open it.
"""

import os
import platform
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
import sklearn
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

import vaetools
from vaetools.data.reader import ImageReader
from vaetools.estimators import estimator_class, is_estimator
from vaetools.estimators.backbone import Backbone
from vaetools.estimators.building import (
    blank_model,
    resolve_device,
)
from vaetools.estimators.constructor import check_parameters, keep_parameters, parameters_in_force
from vaetools.estimators.context_columns import count_context, of_judged
from vaetools.estimators.detector import Detector
from vaetools.estimators.engine import Engine
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.estimators.reopening import put
from vaetools.estimators.vae import VAE
from vaetools.files import FORMAT_VERSION, write_model_file
from vaetools.latent.projection import LatentMap, check_map_parameters
from vaetools.nn.batches import Rows
from vaetools.persistence.detector_rules import WEIGHTS
from vaetools.persistence.detectors import (
    read_backbone,
    read_detector,
    wanted_module,
    write_backbone,
    write_detector,
)
from vaetools.persistence.header import DETECTOR, check_model, read_model
from vaetools.persistence.kinds import check_kind
from vaetools.persistence.readers import read_reader, write_reader
from vaetools.persistence.rules import LEARNT, MAP
from vaetools.persistence.values import read_parameters, read_value, write_parameters, write_value
from vaetools.schema import usable

_Path = str | os.PathLike[str]
_Kind = TypeVar("_Kind")
_Saved: TypeAlias = Detector | PatchDetector | LatentMap | Pipeline
_MODEL = WEIGHTS.removesuffix(".")


def save(model: _Saved, path: _Path) -> None:
    """Write a fitted model to one file, atomically: an interrupted write leaves the old file.

    Parameters
    ----------
    model : autoencoder, PatchDetector, LatentMap or Pipeline
        Fitted. A pipeline is one of an ImageReader, a Backbone, a model and a LatentMap, or without some of
        them but the model. Of a Backbone the name and the digest of its weights are written, of a custom
        ``network`` weights only, of a map codes and their places. Parameters are written as ``fit`` used
        them, whatever was set since, but for those that act after it: device, score_precision,
        random_state and verbose.
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
    >>> from sklearn.datasets import load_iris
    >>> import vaetools as vt
    >>> X = load_iris().data
    >>> vae = vt.VAE(max_iter=20, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.safetensors")
    ...     vt.save(vae, path)
    ...     loaded = vt.load(path)
    >>> (loaded.score_samples(X) == vae.score_samples(X)).all().item()
    True
    """
    reader, backbone, estimator, latent_map = stages = _stages(model)
    if not is_estimator(estimator) and type(estimator) not in (LatentMap, PatchDetector):
        raise TypeError(
            "save: model must be an autoencoder, PatchDetector or LatentMap, or a pipeline of an "
            f"ImageReader, a Backbone, a model and a LatentMap, or without some but the model; got "
            f"{model!r}. Of another pipeline save the last step; models standardize columns of tables "
            "themselves."
        )
    names = [name for name, _ in model.steps] if isinstance(model, Pipeline) else []
    for stage in filter(None, stages):
        check_is_fitted(stage)
    arrays: dict[str, np.ndarray] = {}
    if isinstance(estimator, PatchDetector):
        written = write_detector(estimator, arrays, _write_estimator)
    else:
        written = _write_estimator(estimator, arrays)
    header = {
        "format_version": FORMAT_VERSION,
        **written,
        "reader": reader and write_reader(reader, names),
        **({} if backbone is None else {"backbone": write_backbone(backbone, names)}),
        "map": latent_map and {**_write_estimator(latent_map, arrays, "map."), "steps": names},
        "versions": {
            "vaetools": vaetools.__version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),  # a class of its own
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
    }
    check_model(header, arrays)  # what could not be read is not written
    write_model_file(path, header, arrays)


@overload
def load(path: _Path, kind: type[_Kind], *, network: nn.Module | None = ..., device: Any = ...) -> _Kind: ...


@overload
def load(path: _Path, kind: None = ..., *, network: nn.Module | None = ..., device: Any = ...) -> _Saved: ...


def load(path: _Path, kind: Any = None, *, network: nn.Module | None = None, device: Any = None) -> Any:
    """Read a model that `save` wrote.

    Parameters
    ----------
    path : str or path-like
    kind : class or None, default=None
        What must be in it, such as `VAE`: anything else is refused, and type checkers know what comes. A
        `CVAE` is a `VAE`, too; a pipeline is a `Pipeline`. None, to these, is any of all kinds.
    network : Module or None, default=None
        For a model of a custom ``network``: a module of the same architecture. It is copied,
        and the copy gets the saved weights. For a `PatchDetector` whose backbone is a module of one's own:
        that module with its weights, which are not in the file.
    device : device name or None, default=None
        Where the model is put, instead of where its ``device`` parameter says. None puts it there
        if this machine has that device, else where ``"auto"`` does.

    Returns
    -------
    model : autoencoder, PatchDetector, LatentMap or Pipeline
        What was saved: the same scores on any device, up to the device's rounding, and the same map.

    Raises
    ------
    ModelFileError
        If the file is truncated, damaged, of another format or of a newer version.
    TypeError
        If it holds a model of another ``kind``, or that is no class.

    Examples
    --------
    >>> import tempfile
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(VAE(max_iter=2).fit(X), f"{folder}/vae.safetensors")
    ...     load(f"{folder}/vae.safetensors").transform(X).shape
    (100, 2)
    """
    header, arrays = read_model(path)
    check_kind(kind, header, path)
    if device is not None:
        asked = VAE(device=device)
        check_parameters(asked)
        resolve_device(asked)
    wanted = wanted_module(header["parameters"])
    if (wanted is None) != (network is None):
        held = "holds all of its network" if wanted is None else f"needs {wanted}"
        raise ValueError(f"load: {path} {held}; got network={network!r}.")
    try:
        with usable(path):
            reader, written = header["reader"] and read_reader(header["reader"]), header.get("backbone")
            backbone = written and read_backbone(written, lambda each: _device_here(each, device))
            if header["class"] == DETECTOR:
                estimator = read_detector(header, arrays, network, device, _read_estimator)
            else:
                estimator = _read_estimator(header, arrays, network, device)
            latent_map = header.get("map") and _read_estimator(header["map"], arrays)
    except _WrongNetwork as error:
        raise ValueError(f"load: {path} {error}") from None
    stages = [stage for stage in (reader, backbone, estimator, latent_map) if stage is not None]
    model = estimator
    if len(stages) > 1:
        names = (header.get("map") or written or header["reader"])["steps"]
        model = Pipeline(list(zip(names, stages, strict=True)))
    return model


def split_reader(model: Any) -> tuple[ImageReader | None, Any]:
    """Return the reader of a pipeline that starts with one, or None, and the model; a map is left out."""
    reader, backbone, estimator, _ = _stages(model)
    if backbone is not None:
        raise ValueError(
            "a pipeline with a Backbone is called itself, as score_samples(X) of what load returns; streams, "
            "graphs and the command line take a PatchDetector, which has scope='whole' for that."
        )
    if isinstance(estimator, LatentMap):
        raise ValueError(f"there must be an autoencoder, which makes codes; got {estimator!r} alone.")
    return reader, estimator


def _stages(model: Any) -> tuple[ImageReader | None, Backbone | None, Any, LatentMap | None]:
    """Return reader, frozen network, estimator and map; what is no such pipeline is the estimator."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else []
    first = steps.pop(0) if isinstance(next(iter(steps), None), ImageReader) else None
    second = steps.pop(0) if isinstance(next(iter(steps), None), Backbone) else None
    match steps:
        case [estimator, LatentMap() as latent_map]:
            return first, second, estimator, latent_map
        case [estimator] if (first or second) is not None:
            return first, second, estimator, None
    return None, None, model, None


class _WrongNetwork(Exception):
    """The caller's network is not what the file needs."""


def _write_estimator(estimator: Any, arrays: dict[str, np.ndarray], prefix: str = "") -> dict[str, Any]:
    """Return class, parameters and fitted numbers as JSON; put arrays and weights aside."""
    fitted = {}
    learnt = LEARNT[type(estimator).__name__]
    for name, value in (vars(estimator) | vars(of_judged(estimator))).items():
        if name == _MODEL:
            weights = value.state_dict().items()
            arrays.update({f"{WEIGHTS}{key}": _compact(weight) for key, weight in weights})
        elif any(name in rules for rules in learnt):
            fitted[name] = write_value(f"{prefix}{name}", value, arrays)
    parameters = estimator.get_params(deep=False)
    if not isinstance(estimator, LatentMap):
        fitted["score_unit_"] = estimator.score_unit_  # known without the scores' code
        parameters = parameters_in_force(estimator)
    return {
        "class": type(estimator).__name__,
        "parameters": write_parameters(estimator, parameters),
        "fitted": fitted,
    }


def _read_estimator(
    written: dict[str, Any],
    arrays: dict[str, np.ndarray],
    network: nn.Module | None = None,
    device: Any = None,
) -> Any:
    """Return what `_write_estimator` wrote; a model is put on a device that this machine has."""
    parameters, name = read_parameters(written["parameters"], network), written["class"]
    estimator = (LatentMap if name == MAP else estimator_class(name))(**parameters)
    if isinstance(estimator, LatentMap):
        check_map_parameters(estimator)
    else:
        estimator.set_params(device=_device_here(estimator, device))
        check_parameters(estimator)
    learnt = LEARNT[written["class"]]
    for name, value in written["fitted"].items():
        if any(name in rules for rules in learnt) and not hasattr(type(estimator), name):
            setattr(estimator, name, read_value(name, value, arrays))
    if not isinstance(estimator, LatentMap):
        weights = {
            key.removeprefix(WEIGHTS): torch.from_numpy(value.copy())
            for key, value in arrays.items()
            if key.startswith(WEIGHTS)
        }
        module = blank_model(estimator)  # without memory of its own
        try:
            module.load_state_dict(weights, assign=True)
        except RuntimeError as error:
            raise _WrongNetwork(
                f"needs a module of the same architecture; its weights do not fit what was passed: {error}"
            ) from None
        put(estimator, module, resolve_device(estimator))
        keep_parameters(estimator)
        if network is None:  # one that is not ours was tried by fit, and may take rows of its own kind alone
            _try(estimator)
        count_context(estimator)
    return estimator


def _try(model: Any) -> None:
    """Score a typical row: what parts make of each other's numbers, no rule of a file can tell."""
    engine = Engine(model)
    told = None if engine.context is None else np.zeros((1, engine.n_classes))
    typical = Rows(model.input_scale_.shift[None], np.arange(1), model.input_scale_, told, engine.n_classes)
    [score] = engine.map(typical, engine.score())
    if not np.isfinite(score).all():
        raise ValueError(
            f"the score {model.anomaly_score_!r} must be a finite number; got {score.item()} of a typical row"
        )


def _device_here(model: Any, device: Any) -> Any:
    """Return the device asked for, else that of a model's parameter if this machine has it, else "auto"."""
    if device is not None:
        return device
    try:
        resolve_device(model)
    except ValueError:
        return "auto"
    return model.device


def _compact(weights: torch.Tensor) -> np.ndarray:
    """Return weights as float32 where that loses nothing: they were trained so."""
    single = weights.float()
    exact = weights.dtype == torch.float64 and torch.equal(single.double(), weights)
    return (single if exact else weights).cpu().numpy()

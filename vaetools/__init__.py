"""Anomaly detection and embeddings with autoencoders, as scikit-learn estimators.

Estimators: `AE`, `VAE`, `CVAE`. Likelihoods: `Gaussian`, `Bernoulli`, `ContinuousBernoulli`.
`EncoderDecoder` wraps a network of your own.
`Backbone` makes features of images by a frozen network, `PatchDetector` finds small defects by them.
`save` and `load` keep a model in one file, `to_onnx` makes a graph of it for other runtimes.
`read_images` and `ImageReader` make rows of image files, and `Tiles` cuts large images into small ones;
`compare` says how models organize their latent spaces.
`stream_scores` and `stream_codes` take files of any number and length, CSV in any `Dialect`;
`discoveries` selects rows under a false-discovery rate; `score_with_ray` scores them on many machines.
`LatentMap` draws codes in two dimensions, `similar` finds the nearest, `picture` shows images.

The rooms of the package: `estimators` (what users construct), `nn` (networks, likelihoods,
objectives, the training loop), `anomaly` (scores, calibration, explanation), `latent` (arrays of codes),
`report` (figures and pages), `data` (what comes in), `stream` (files of any length, and many machines),
`cli` (the command `vaetools`). Names load what they need when they are first used: importing the package
loads neither torch nor plotly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaetools.anomaly.calibration import discoveries
    from vaetools.data.decoding import ImageFileError
    from vaetools.data.dialect import Dialect
    from vaetools.data.images import ImageSet, read_images
    from vaetools.data.reader import ImageReader
    from vaetools.data.tiles import Tiles
    from vaetools.estimators.ae import AE
    from vaetools.estimators.backbone import Backbone
    from vaetools.estimators.cvae import CVAE
    from vaetools.estimators.patch_detector import PatchDetector
    from vaetools.estimators.vae import VAE
    from vaetools.files import ModelFileError
    from vaetools.latent.projection import LatentMap
    from vaetools.latent.similarity import similar
    from vaetools.nn.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian
    from vaetools.nn.networks import EncoderDecoder
    from vaetools.persistence.exporting import to_onnx
    from vaetools.persistence.model_file import load, save
    from vaetools.report.compare import compare
    from vaetools.report.pictures import picture
    from vaetools.stream.flow import stream_codes, stream_scores
    from vaetools.stream.ray import score_with_ray

__version__ = "0.1.0"

_HOMES = {
    "AE": "vaetools.estimators.ae",
    "VAE": "vaetools.estimators.vae",
    "CVAE": "vaetools.estimators.cvae",
    "Backbone": "vaetools.estimators.backbone",
    "PatchDetector": "vaetools.estimators.patch_detector",
    "Gaussian": "vaetools.nn.likelihoods",
    "Bernoulli": "vaetools.nn.likelihoods",
    "ContinuousBernoulli": "vaetools.nn.likelihoods",
    "EncoderDecoder": "vaetools.nn.networks",
    "Dialect": "vaetools.data.dialect",
    "compare": "vaetools.report.compare",
    "discoveries": "vaetools.anomaly.calibration",
    "ImageFileError": "vaetools.data.decoding",
    "ImageReader": "vaetools.data.reader",
    "ImageSet": "vaetools.data.images",
    "LatentMap": "vaetools.latent.projection",
    "ModelFileError": "vaetools.files",
    "Tiles": "vaetools.data.tiles",
    "load": "vaetools.persistence.model_file",
    "picture": "vaetools.report.pictures",
    "read_images": "vaetools.data.images",
    "save": "vaetools.persistence.model_file",
    "score_with_ray": "vaetools.stream.ray",
    "similar": "vaetools.latent.similarity",
    "stream_codes": "vaetools.stream.flow",
    "stream_scores": "vaetools.stream.flow",
    "to_onnx": "vaetools.persistence.exporting",
}

__all__ = [
    "AE",
    "CVAE",
    "VAE",
    "Backbone",
    "Bernoulli",
    "ContinuousBernoulli",
    "Dialect",
    "EncoderDecoder",
    "Gaussian",
    "ImageFileError",
    "ImageReader",
    "ImageSet",
    "LatentMap",
    "ModelFileError",
    "PatchDetector",
    "Tiles",
    "compare",
    "discoveries",
    "load",
    "picture",
    "read_images",
    "save",
    "score_with_ray",
    "similar",
    "stream_codes",
    "stream_scores",
    "to_onnx",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vaetools' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted([*__all__, "__version__"])

"""Anomaly detection and embeddings with autoencoders, as scikit-learn estimators.

Estimators: `AE`, `VAE`, `CVAE`, `VQVAE`. Likelihoods: `Gaussian`, `Bernoulli`, `ContinuousBernoulli`.
`EncoderDecoder` wraps a network of your own.
`Backbone` makes features of images by a frozen network, `PatchDetector` finds small defects by them;
`recommend` says which model suits images of some size.
`save` and `load` keep a model in one file, `to_onnx` makes a graph of it for other runtimes.
`read_images` and `ImageReader` make rows of image files, and `Tiles` cuts large images into small ones;
`compare` says how models organize their latent spaces; `explore` makes a page of one that decodes by itself.
`stream_scores` and `stream_codes` take files of any number and length, CSV in any `Dialect`;
`Watch` raises an alarm when rows are not what they were; `shifted_p_values` are for other shares of them.
`discoveries` selects rows under a false-discovery rate, `rows_to_mark` some to look at;
`score_with_ray` scores them on many machines.
`LatentMap` draws codes in two dimensions, `similar` finds the nearest, `picture` shows images, and
`plot` has figures of fitted models, each one call. `show_versions` prints what a report of a fault must say.

The rooms of the package: `estimators` (what users construct), `nn` (networks, likelihoods,
objectives, the training loop), `anomaly` (scores, calibration, explanation), `latent` (arrays of codes),
`watch` (day after day),
`report` (figures and pages), `plot` (figures one by one), `explorer` (a latent space to touch), `data` (what
comes in), `datasets` (images to start with), `stream` (files of any length, and many machines), `cli` (the
command `vaetools`). Names load what they need when they are first used: importing the package loads neither
torch nor plotly.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # under its own name each is public to type checkers
    from vaetools.anomaly.calibration import discoveries as discoveries
    from vaetools.data.decoding import ImageFileError as ImageFileError
    from vaetools.data.dialect import Dialect as Dialect
    from vaetools.data.images import ImageSet as ImageSet
    from vaetools.data.images import read_images as read_images
    from vaetools.data.reader import ImageReader as ImageReader
    from vaetools.data.tiles import Tiles as Tiles
    from vaetools.estimators.ae import AE as AE
    from vaetools.estimators.backbone import Backbone as Backbone
    from vaetools.estimators.choosing import recommend as recommend
    from vaetools.estimators.cvae import CVAE as CVAE
    from vaetools.estimators.marks import rows_to_mark as rows_to_mark
    from vaetools.estimators.patch_detector import PatchDetector as PatchDetector
    from vaetools.estimators.vae import VAE as VAE
    from vaetools.estimators.vqvae import VQVAE as VQVAE
    from vaetools.explorer.explore import explore as explore
    from vaetools.explorer.explorer import Explorer as Explorer
    from vaetools.files import ModelFileError as ModelFileError
    from vaetools.geometry import similar as similar
    from vaetools.latent.projection import LatentMap as LatentMap
    from vaetools.nn.likelihoods import Bernoulli as Bernoulli
    from vaetools.nn.likelihoods import ContinuousBernoulli as ContinuousBernoulli
    from vaetools.nn.likelihoods import Gaussian as Gaussian
    from vaetools.nn.networks import EncoderDecoder as EncoderDecoder
    from vaetools.persistence.exporting import to_onnx as to_onnx
    from vaetools.persistence.model_file import load as load
    from vaetools.persistence.model_file import save as save
    from vaetools.report.compare import compare as compare
    from vaetools.report.pictures import picture as picture
    from vaetools.stream.flow import stream_codes as stream_codes
    from vaetools.stream.flow import stream_scores as stream_scores
    from vaetools.stream.ray import score_with_ray as score_with_ray
    from vaetools.versions import show_versions as show_versions
    from vaetools.watch.shift import shifted_p_values as shifted_p_values
    from vaetools.watch.watch import Watch as Watch

__version__ = "0.1.0"

_HOMES = {
    "AE": "vaetools.estimators.ae",
    "VAE": "vaetools.estimators.vae",
    "CVAE": "vaetools.estimators.cvae",
    "VQVAE": "vaetools.estimators.vqvae",
    "Backbone": "vaetools.estimators.backbone",
    "PatchDetector": "vaetools.estimators.patch_detector",
    "Gaussian": "vaetools.nn.likelihoods",
    "Bernoulli": "vaetools.nn.likelihoods",
    "ContinuousBernoulli": "vaetools.nn.likelihoods",
    "EncoderDecoder": "vaetools.nn.networks",
    "Dialect": "vaetools.data.dialect",
    "compare": "vaetools.report.compare",
    "Explorer": "vaetools.explorer.explorer",
    "explore": "vaetools.explorer.explore",
    "discoveries": "vaetools.anomaly.calibration",
    "ImageFileError": "vaetools.data.decoding",
    "ImageReader": "vaetools.data.reader",
    "ImageSet": "vaetools.data.images",
    "LatentMap": "vaetools.latent.projection",
    "ModelFileError": "vaetools.files",
    "Tiles": "vaetools.data.tiles",
    "Watch": "vaetools.watch.watch",
    "load": "vaetools.persistence.model_file",
    "picture": "vaetools.report.pictures",
    "read_images": "vaetools.data.images",
    "recommend": "vaetools.estimators.choosing",
    "rows_to_mark": "vaetools.estimators.marks",
    "save": "vaetools.persistence.model_file",
    "score_with_ray": "vaetools.stream.ray",
    "show_versions": "vaetools.versions",
    "shifted_p_values": "vaetools.watch.shift",
    "similar": "vaetools.geometry",
    "stream_codes": "vaetools.stream.flow",
    "stream_scores": "vaetools.stream.flow",
    "to_onnx": "vaetools.persistence.exporting",
}

_ROOMS = ("datasets", "plot")  # that are used by name, such as ``vaetools.plot.samples``

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name in _ROOMS:
        return importlib.import_module(f"vaetools.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'vaetools' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted([*__all__, *_ROOMS, "__version__"])

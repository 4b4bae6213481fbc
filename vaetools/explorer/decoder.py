"""A fitted decoder as a list of steps with their weights, which a page runs without PyTorch."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vaetools.explorer.units import ByColumn
from vaetools.nn import ACTIVATIONS
from vaetools.nn.batches import InputScale
from vaetools.nn.mixed import Mixed
from vaetools.nn.networks import ConvImage, DeconvStage, LabelJoin, SpatialHead, UnitMean

_NAMES = {getattr(nn, of_torch): name for name, of_torch in ACTIVATIONS.items()}
_FAR = 2  # standard deviations of a prior: about where sliders and draws may go
_MOST_OFF = 0.25 / 255  # that weights of half precision may move a pixel
_N_TRIED = 256  # codes that they are tried on


class PlainDecoder(NamedTuple):
    """What takes a code to an expected row.

    Every step is a kind with its numbers; ``weight`` and ``bias`` are places in ``weights``, of float16 or
    float32. ``parts`` of columns of several kinds are how many categories (of numbers 0) and columns each
    has, and ``place`` is where each column lies in them. ``shift`` and ``scale`` take the result to units of
    X; None where it has them already.
    """

    steps: list[dict[str, Any]]
    weights: np.ndarray
    parts: list[tuple[int, int]] | None
    place: list[int] | None
    shift: np.ndarray | None
    scale: np.ndarray | None


def plain_decoder(
    estimator: Any, units: ByColumn | None = None, condition: np.ndarray | None = None
) -> PlainDecoder:
    """Return the decoder of a fitted model whose network the estimator built.

    ``units`` take what it makes to rows of a pipeline; ``condition`` is a usual one, of a context. Weights of
    a model of images are of half precision where no pixel moves by more than a quarter of a level, of
    training codes or of wide draws.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE
    >>> vae = VAE(2, hidden_layer_sizes=(8,), random_state=0, max_iter=20).fit(load_iris().data)
    >>> decoder = plain_decoder(vae)
    >>> [step["kind"] for step in decoder.steps]
    ['dense', 'activation', 'dense', 'mean']
    >>> decoder.weights.shape, decoder.scale.shape
    ((60,), (4,))
    """
    network, likelihood = estimator.model_.network, estimator.model_.likelihood
    writer = _Writer()
    steps = list(writer.join(network.join)) if network.join is not None else []
    steps += writer.steps(network.decoder)
    parts = place = None
    if isinstance(likelihood, Mixed):
        parts = [
            (getattr(part, "n_categories", 0), n)
            for part, n in zip(likelihood.parts, likelihood.sizes, strict=True)
        ]
        place = likelihood.place.tolist()
    else:
        name = next(each.__name__ for each in type(likelihood).__mro__ if each.__name__ in _MEANS)
        steps.append({"kind": "mean", "of": _MEANS[name], "n": len(estimator.input_scale_.shift)})
    weights = np.concatenate(writer.arrays).astype(np.float32)
    if estimator.image_shape is not None and _takes_halves(estimator, condition):
        weights = weights.astype(np.float16)
    return PlainDecoder(steps, weights, parts, place, *_in_units(estimator.input_scale_, units))


def _in_units(scale: InputScale, units: ByColumn | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return what takes numbers of a network to units of X, or of the rows of a pipeline."""
    if not scale.standardizes:
        return (None, None) if units is None else units
    if units is None:
        return scale.shift, scale.scale
    return scale.shift * units.scale + units.shift, scale.scale * units.scale


_MEANS = {
    "Gaussian": "gaussian",
    "ContinuousBernoulli": "continuous_bernoulli",
    "Bernoulli": "bernoulli",
}


class _Writer:
    """Weights, one after the other, and the steps that say where they are."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.n_written = 0

    def steps(self, module: nn.Module) -> Iterator[dict[str, Any]]:
        """Yield what a part of a decoder does."""
        if isinstance(module, nn.Sequential):
            for part in module:
                yield from self.steps(part)
        elif isinstance(module, ConvImage):
            yield from self.image(module)
        elif isinstance(module, SpatialHead):
            channels, height, width = module.map_shape
            size = {"n_in": channels, "n_out": module.conv.out_channels, "area": height * width}
            yield {"kind": "pointwise", **size, **self.affine(module.conv)}
        elif isinstance(module, nn.Linear):
            sizes = {"n_in": module.in_features, "n_out": module.out_features}
            yield {"kind": "dense", **sizes, **self.affine(module)}
        elif isinstance(module, UnitMean):
            yield {"kind": "unit_mean", "n": module.n_features}
        elif not isinstance(module, nn.Identity):
            yield {"kind": "activation", "name": _NAMES[type(module)]}

    def image(self, module: ConvImage) -> Iterator[dict[str, Any]]:
        """Yield the stages that double an image."""
        shape = module.map_shape
        for stage in module.stages:
            if not isinstance(stage, DeconvStage):
                yield from self.steps(stage)
                continue
            size = {"n_in": shape[0], "from": shape[1:], "n_out": stage.conv.out_channels, "to": stage.size}
            yield {"kind": "deconv", **size, **self.affine(stage.conv)}
            shape = (stage.conv.out_channels, *stage.size)

    def join(self, join: LabelJoin) -> Iterator[dict[str, Any]]:
        """Yield how a label comes into the code."""
        own = {} if join.conditioning == "concat" else self.affine(join.project[0])
        yield {"kind": "join", "how": join.conditioning, **own}

    def affine(self, layer: Any) -> dict[str, int]:
        """Keep weight and bias of a layer, and return where."""
        return {"weight": self.keep(layer.weight), "bias": self.keep(layer.bias)}

    def keep(self, values: Tensor) -> int:
        """Keep some weights, and return where they start."""
        start = self.n_written
        self.arrays.append(values.detach().cpu().double().numpy().ravel())
        self.n_written += values.numel()
        return start


@torch.no_grad()
def _takes_halves(estimator: Any, condition: np.ndarray | None) -> bool:
    """Whether pixels stay where they are with weights of half precision, of training codes and far beyond."""
    model, halved = estimator.model_, copy.deepcopy(estimator.model_)
    for weight in halved.parameters():
        weight.copy_(weight.half())
    known = torch.from_numpy(estimator.reference_codes_[:_N_TRIED]).to(model.log_unit)
    beyond = torch.randn(_N_TRIED, known.shape[1], generator=torch.Generator().manual_seed(0))
    codes = torch.cat([known, _FAR * beyond.to(known)])
    told = None if condition is None else torch.from_numpy(condition).to(codes).expand(len(codes), -1)
    moved = (estimator.input_scale_.invert(each.decode(codes, told).cpu()) for each in (model, halved))
    return bool((next(moved) - next(moved)).abs().max() <= _MOST_OFF)

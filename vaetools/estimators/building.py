"""From constructor parameters to a network, a likelihood and a device."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from vaetools.nn.likelihoods import LIKELIHOODS, Likelihood
from vaetools.nn.networks import ACTIVATIONS, Network, default_channels

_WIDE = 128  # features above which the dense layers are wider


def resolve_device(estimator: Any) -> torch.device:
    """Return the estimator's device; ``"auto"`` takes a GPU if there is one."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if estimator.device == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    device = torch.device(estimator.device)
    if (device.type == "cuda" and not cuda) or (device.type == "mps" and not mps):
        raise ValueError(
            f"{type(estimator).__name__}: device must be one that torch finds on this machine; got "
            f"{estimator.device!r}. Use device='auto' or 'cpu'."
        )
    return device


def resolve_dtype(estimator: Any, device: torch.device) -> torch.dtype:
    """Return the precision after training; MPS has no float64."""
    return torch.float32 if device.type == "mps" else getattr(torch, estimator.score_precision)


def resolve_likelihood(estimator: Any, n_features: int) -> Likelihood:
    """Return the estimator's likelihood, bound to the columns of X."""
    given = estimator.likelihood
    likelihood = LIKELIHOODS[given]() if isinstance(given, str) else given
    return likelihood.bind(n_features)


def check_image_shape(estimator: Any, n_features: int) -> None:
    """Raise where the image's values are not as many as the columns of X."""
    shape = estimator.image_shape
    if shape is not None and math.prod(shape) != n_features:
        raise ValueError(
            f"{type(estimator).__name__}: image_shape must multiply to the {n_features} columns of X; "
            f"got {shape!r}, which makes {math.prod(shape)}."
        )


def make_network(
    estimator: Any,
    n_features: int,
    likelihood: Likelihood,
    *,
    variational: bool,
    unit_mean: bool,
    seed: int,
    n_classes: int = 0,
) -> nn.Module:
    """Return a copy of the network that was given, or a new one with seeded weights."""
    if estimator.network is not None:
        return copy.deepcopy(estimator.network)
    image_shape, channels = estimator.image_shape, estimator.hidden_channels
    if image_shape is None:
        channels = ()
    elif channels == "auto":
        channels = default_channels(image_shape)
    hidden = estimator.hidden_layer_sizes
    if hidden == "auto":
        wide = (512, 256) if n_features > _WIDE else (128, 128)
        hidden = (256,) if channels else wide
    n_components = estimator.n_components
    if n_components == "auto":
        n_components = 16 if image_shape else 1 + math.isqrt(n_features)
    label_options = {}
    if n_classes:
        label_options = {
            "n_classes": n_classes,
            "conditioning": estimator.conditioning,
            "condition_encoder": estimator.condition_encoder,
        }
    # torch's layers draw from the global generator: seed it, then give it back as it was
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Network(
            n_features,
            n_components,
            hidden,
            ACTIVATIONS[estimator.activation],
            n_parameters=likelihood.n_parameters,
            variational=variational,
            image_shape=image_shape,
            hidden_channels=channels,
            unit_mean=unit_mean and not likelihood.unit_interval,
            **label_options,
        )


@torch.no_grad()
def count_components(
    estimator: Any, network: nn.Module, x: Tensor, condition: Tensor | None, *, variational: bool
) -> int:
    """Return a network's number of components, and raise where it is not of the estimator's kind."""
    mean, log_std = network.posterior(x, condition)
    if (log_std is not None) != variational:
        found, other = ("None", "AE") if log_std is None else ("a tensor", "VAE")
        raise ValueError(
            f"{type(estimator).__name__}: network.posterior must return a mean and, but for AE, a log "
            f"standard deviation; got {found} as the second. Use {other} for this network."
        )
    return mean.shape[1]

"""A score that asks, too, whether a reconstruction looks like its image, by a loss added in training."""

import torch
from torch import Tensor

from vaetools.anomaly.reference import Fitted, Reference, State, States, usable
from vaetools.nn.model import Reading


def _costs(reading: Reading) -> Tensor:
    """Return reconstruction + KL, and the added loss, ``(n_samples, 2)``."""
    cost = reading.reconstruction.sum(dim=1) + reading.kl.sum(dim=1)
    assert reading.model.added is not None  # checked with the parameters
    return torch.stack([cost, reading.model.added(reading.x, reading.expected)], dim=1)


def fit_perceptual(reference: Reference, states: Fitted) -> State:
    """Return mean and standard deviation of both costs."""
    costs = reference.evaluate(_costs)
    mean = costs.mean(axis=0)
    return {"mean": mean, "std": usable(costs.std(axis=0), abs(mean) + 1)}


def perceptual(reading: Reading, states: States) -> Tensor:
    """Minus the sum of both costs, each in standard deviations from its mean."""
    mean, std = (states["perceptual"][key] for key in ("mean", "std"))
    return -((_costs(reading) - mean) / std).sum(dim=1)


def perceptual_map(reading: Reading) -> Tensor:
    """Return how unlike pixels and their reconstructions look, ``(n_samples, height, width)``."""
    assert reading.model.added is not None
    return reading.model.added.pixels(reading.x, reading.expected)

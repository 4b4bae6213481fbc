"""What training is measured against: a VAE and a loop as in a textbook, and the matrix products alone.

Needs PyTorch and NumPy, nothing of this package: the peers' Python imports it too.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

FOREVER = 10_000  # epochs


class Sizes(NamedTuple):
    """Sizes of an autoencoder whose decoder mirrors its encoder; ``channels`` of halving convolutions."""

    n_features: int
    hidden: tuple[int, ...]
    n_components: int
    channels: tuple[int, ...] = ()
    unit_interval: bool = True  # whether decoded rows pass a sigmoid


def sizes_of(network: str, n_features: int) -> Sizes:
    """Return the sizes of "mlp", "conv" (square gray images) or "table"."""
    if network == "mlp":
        return Sizes(n_features, (512, 256), 20)
    if network == "conv":
        return Sizes(n_features, (256,), 16, (16, 32))
    return Sizes(n_features, (128, 128), 1 + math.isqrt(n_features), unit_interval=False)


@functools.cache
def rows(path: str) -> np.ndarray:
    """Return float32 rows of a .npy file; 8-bit values are divided by 255."""
    X = np.load(path)
    return X.astype(np.float32) / (255 if X.dtype == np.uint8 else 1)


class EpochClock:
    """Seconds of an epoch and of a whole fit: call it when an epoch has ended.

    An epoch is what passes between two ends of epochs, so that setting up, the first touch of memory and
    what follows training do not count; every library can say when an epoch has ended.
    """

    def __init__(self, device: str = "cpu"):
        self.device, self.ends = device, []
        self.start = self._now()

    def _now(self) -> float:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def __call__(self, *ignored: Any) -> None:
        """Note that an epoch has ended."""
        self.ends.append(self._now())

    def figures(self) -> dict[str, float]:
        """Return seconds per epoch, and of all until now."""
        fit = self._now() - self.start
        return {"seconds": (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1), "fit": fit}


class BoundReached(Exception):
    """What ends a race."""


class RaceClock(EpochClock):
    """CPU seconds of training until new rows cost as little as a target says, or time is up.

    ``measure``, set once there is a model, returns the bound of new rows; its time does not count.
    """

    def __init__(self, target: float, most: float):
        self.target, self.most = target, most
        self.measure: Callable[[], float] | None = None
        self.start, self.bound = time.process_time(), -math.inf

    def __call__(self, *ignored: Any) -> None:
        """Measure the bound after an epoch, and end the race if it is decided."""
        before = time.process_time()
        self.seconds = before - self.start
        assert self.measure is not None
        self.bound = self.measure()
        self.start += time.process_time() - before
        if self.bound >= self.target or self.seconds >= self.most:
            raise BoundReached


def evidence_bound(
    X: np.ndarray, mean: np.ndarray, std: np.ndarray, decode: Callable[[np.ndarray], np.ndarray]
) -> float:
    """Return the mean evidence lower bound of rows, in nats, under a Gaussian whose one scale fits them best.

    One draw per row. So models that were trained with different losses are judged alike.
    """
    z = mean + std * np.random.default_rng(0).standard_normal(mean.shape)
    error = np.mean(np.square(decode(z.astype(np.float32)) - X), dtype=np.float64)
    kl = np.sum(0.5 * (mean**2 + std**2 - 1) - np.log(std), axis=1).mean(dtype=np.float64)
    return float(-0.5 * X.shape[1] * (math.log(2 * math.pi * error) + 1) - kl)


def make_encoder(sizes: Sizes, n_out: int) -> nn.Sequential:
    """Return convolutions, if any, and dense layers."""
    layers: list[nn.Module] = []
    n_in = sizes.n_features
    if sizes.channels:
        side = math.isqrt(n_in)
        layers.append(nn.Unflatten(1, (1, side, side)))
        for n_before, n_after in pairwise((1, *sizes.channels)):
            layers += [nn.Conv2d(n_before, n_after, 4, stride=2, padding=1), nn.SiLU()]
        layers.append(nn.Flatten())
        n_in = math.prod(_map_shape(sizes))
    return nn.Sequential(*layers, *_dense((n_in, *sizes.hidden, n_out)))


def make_decoder(sizes: Sizes) -> nn.Sequential:
    """Return the encoder's mirror."""
    n_out = math.prod(_map_shape(sizes)) if sizes.channels else sizes.n_features
    layers = _dense((sizes.n_components, *reversed(sizes.hidden), n_out))
    if sizes.channels:
        layers.append(nn.Unflatten(1, _map_shape(sizes)))
        for n_before, n_after in pairwise((*reversed(sizes.channels), 1)):
            layers += [nn.SiLU(), nn.ConvTranspose2d(n_before, n_after, 4, stride=2, padding=1)]
        layers.append(nn.Flatten())
    if sizes.unit_interval:
        layers.append(nn.Sigmoid())
    return nn.Sequential(*layers)


def _map_shape(sizes: Sizes) -> tuple[int, int, int]:
    """Shape of the last feature map."""
    side = math.isqrt(sizes.n_features) >> len(sizes.channels)
    return sizes.channels[-1], side, side


def _dense(widths: Sequence[int]) -> list[nn.Module]:
    """Dense layers with activations between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.SiLU()]
    return layers[:-1]


class TextbookVAE(nn.Module):
    """A variational autoencoder with a Gaussian likelihood of one learnt scale."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.encoder = make_encoder(sizes, 2 * sizes.n_components)
        self.decoder = make_decoder(sizes)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return reconstructions, means and log variances."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance

    def loss(self, x: Tensor) -> Tensor:
        """Return the mean negative evidence lower bound, but for a constant."""
        decoded, mean, log_variance = self(x)
        squares = torch.sum((decoded - x) ** 2)
        reconstruction = 0.5 * torch.exp(-2 * self.log_scale) * squares + x.numel() * self.log_scale
        kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        return (reconstruction + kl) / len(x)


def train_textbook(
    data: str, test: str, network: str, batch: int, epochs: int, device: str, seed: int
) -> dict[str, float]:
    """Train by a DataLoader over a TensorDataset and Adam."""
    X, held_out = rows(data), rows(test)
    torch.manual_seed(seed)
    clock = EpochClock(device)
    model = TextbookVAE(sizes_of(network, X.shape[1])).to(device)
    loop(model, X, batch, epochs, device, clock)
    return clock.figures() | {"ELBO": bound_of(model.encoder, model.decoder, held_out, device)}


def race_textbook(
    data: str, test: str, network: str, batch: int, target: float, most: float, seed: int
) -> dict[str, float]:
    """Train the same, with its scale started right, until new rows cost as little as a target says."""
    X, held_out = rows(data), rows(test)
    torch.manual_seed(seed)
    clock = RaceClock(target, most)
    model = TextbookVAE(sizes_of(network, X.shape[1]))
    torch.nn.init.constant_(model.log_scale, math.log(X.std()))
    clock.measure = functools.partial(bound_of, model.encoder, model.decoder, held_out, "cpu")
    with contextlib.suppress(BoundReached):
        loop(model, X, batch, FOREVER, "cpu", clock)
    return {"seconds": clock.seconds, "ELBO": clock.bound}


def loop(
    model: TextbookVAE, X: np.ndarray, batch: int, epochs: int, device: str, clock: Callable[[], object]
) -> None:
    """Train a model at a constant learning rate."""
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=batch, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(epochs):
        total = 0.0
        for (x,) in loader:
            x = x.to(device)
            optimizer.zero_grad()
            loss = model.loss(x)
            loss.backward()
            optimizer.step()
            total += loss.item()
        clock()


@torch.no_grad()
def bound_of(
    encode: Callable[[Tensor], Tensor], decode: Callable[[Tensor], Tensor], X: np.ndarray, device: str
) -> float:
    """Return the evidence bound of a model whose encoder gives means and log variances side by side."""
    mean, log_variance = encode(torch.from_numpy(X).to(device)).cpu().double().chunk(2, dim=1)
    std = torch.exp(0.5 * log_variance)

    def decoded(z: np.ndarray) -> np.ndarray:
        return decode(torch.from_numpy(z).to(device)).cpu().numpy()

    return evidence_bound(X, mean.numpy(), std.numpy(), decoded)

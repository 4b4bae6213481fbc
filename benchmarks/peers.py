"""PyOD and pythae, each with its defaults but for the sizes of the network, the batch and the epochs.

Run by the peers' Python alone; see `workers`.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from typing import Any

import numpy as np
import pyod.models.auto_encoder
import pyod.models.vae
import torch
from pyod.utils.torch_utility import TorchDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from textbook import (
    FOREVER,
    BoundReached,
    EpochClock,
    RaceClock,
    bound_of,
    evidence_bound,
    make_decoder,
    make_encoder,
    rows,
    sizes_of,
)

N_FEW = 10_000  # rows that models train on which are then to score


def make_pyod(kind: str, network: str, n_features: int, **options: Any) -> Any:
    """Return PyOD's "VAE" or "AutoEncoder" with the sizes of a network."""
    sizes = sizes_of(network, n_features)
    if kind == "VAE":
        return pyod.models.vae.VAE(
            encoder_neuron_list=list(sizes.hidden),
            decoder_neuron_list=list(reversed(sizes.hidden)),
            latent_dim=sizes.n_components,
            **options,
        )
    layers = [*sizes.hidden, sizes.n_components]
    return pyod.models.auto_encoder.AutoEncoder(hidden_neuron_list=layers, **options)


def train_pyod(
    data: str, test: str, kind: str, network: str, batch: int, epochs: int, device: str, seed: int
) -> dict[str, float]:
    """Fit one of PyOD's detectors."""
    X, held_out = rows(data), rows(test)
    clock = EpochClock(device)
    detector = make_pyod(
        kind, network, X.shape[1], epoch_num=epochs, batch_size=batch, device=device, random_state=seed
    )
    detector.epoch_update = clock  # called after every epoch, to be overridden
    detector.fit(X)
    figures = clock.figures()
    if kind == "VAE":
        figures["ELBO"] = _bound_of_pyod(detector, held_out)
    return figures


def race_pyod(
    data: str, test: str, network: str, batch: int, target: float, most: float, seed: int
) -> dict[str, float]:
    """Fit PyOD's VAE until new rows cost as little as a target says."""
    X, held_out = rows(data), rows(test)
    clock = RaceClock(target, most)
    detector = make_pyod("VAE", network, X.shape[1], epoch_num=FOREVER, batch_size=batch, random_state=seed)
    clock.measure = functools.partial(_bound_of_pyod, detector, held_out)
    detector.epoch_update = clock
    with contextlib.suppress(BoundReached):
        detector.fit(X)
    return {"seconds": clock.seconds, "ELBO": clock.bound}


@torch.no_grad()
def _bound_of_pyod(detector: Any, X: np.ndarray) -> float:
    """Evidence bound in the units of X, of a detector that standardizes."""
    model = detector.model.eval()
    scaled = TorchDataset(X, mean=detector.X_mean, std=detector.X_std)[:]
    mean, log_variance = (part.cpu().double().numpy() for part in model.encode(scaled.to(detector.device)))

    def decode(z: np.ndarray) -> np.ndarray:
        decoded = model.decoder(torch.from_numpy(z).to(detector.device)).cpu().numpy()
        return decoded * detector.X_std + detector.X_mean

    bound = evidence_bound(X, mean, np.exp(0.5 * log_variance), decode)
    model.train()
    return bound


class _Encoder(BaseEncoder):
    def __init__(self, layers: torch.nn.Module):
        super().__init__()
        self.layers = layers

    def forward(self, x: torch.Tensor) -> ModelOutput:
        mean, log_variance = self.layers(x).chunk(2, dim=1)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class _Decoder(BaseDecoder):
    def __init__(self, layers: torch.nn.Module):
        super().__init__()
        self.layers = layers

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z))


class _Stamp(TrainingCallback):
    def __init__(self, clock: EpochClock):
        self.clock = clock

    def on_epoch_end(self, training_config: Any, **ignored: Any) -> None:
        self.clock()


def make_pythae(network: str, n_features: int) -> VAE:
    """Return pythae's VAE with a network's layers."""
    sizes = sizes_of(network, n_features)
    return VAE(
        VAEConfig(input_dim=(sizes.n_features,), latent_dim=sizes.n_components),
        _Encoder(make_encoder(sizes, 2 * sizes.n_components)),
        _Decoder(make_decoder(sizes)),
    )


def fit_pythae(
    model: VAE, X: np.ndarray, clock: EpochClock, batch: int, epochs: int, device: str, seed: int
) -> VAE:
    """Return a model of pythae, trained by its pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        settings = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            per_device_train_batch_size=batch,
            no_cuda=device == "cpu",
            seed=seed,
        )
        TrainingPipeline(model, settings)(X, callbacks=[_Stamp(clock)])
    return model


def train_pythae(
    data: str, test: str, network: str, batch: int, epochs: int, device: str, seed: int
) -> dict[str, float]:
    """Fit pythae's VAE."""
    X, held_out = rows(data), rows(test)
    clock = EpochClock(device)
    model = fit_pythae(make_pythae(network, X.shape[1]), X, clock, batch, epochs, device, seed)
    figures = clock.figures()
    model.eval()
    return figures | {"ELBO": bound_of(model.encoder.layers, model.decoder.layers, held_out, device)}


def race_pythae(
    data: str, test: str, network: str, batch: int, target: float, most: float, seed: int
) -> dict[str, float]:
    """Fit pythae's VAE until new rows cost as little as a target says."""
    X, held_out = rows(data), rows(test)
    clock, model = RaceClock(target, most), make_pythae(network, X.shape[1])
    clock.measure = functools.partial(bound_of, model.encoder.layers, model.decoder.layers, held_out, "cpu")
    with contextlib.suppress(BoundReached):
        fit_pythae(model, X, clock, batch, FOREVER, "cpu", seed)
    return {"seconds": clock.seconds, "ELBO": clock.bound}


@functools.cache
def _fitted_pyod(kind: str, data: str, network: str, batch: int) -> Any:
    """Return a detector that has seen some rows once, and scored all of them."""
    X = rows(data)
    detector = make_pyod(kind, network, X.shape[1], epoch_num=1, batch_size=batch)
    detector.fit(X[:N_FEW])
    detector.decision_function(X)
    return detector


def score_pyod(data: str, kind: str, network: str, batch: int, seed: int) -> dict[str, float]:
    """Score all rows by one of PyOD's detectors."""
    X, detector = rows(data), _fitted_pyod(kind, data, network, batch)
    start = time.perf_counter()
    detector.decision_function(X)
    return {"seconds": time.perf_counter() - start}


@functools.cache
def _fitted_pythae(data: str, network: str, batch: int) -> VAE:
    """Return a model that has seen some rows once, and reconstructed all of them."""
    X = rows(data)
    made = make_pythae(network, X.shape[1])
    model = fit_pythae(made, X[:N_FEW], EpochClock(), batch, 1, "cpu", 0).eval()
    with torch.no_grad():
        model.predict(torch.from_numpy(X))
    return model


def predict_pythae(data: str, network: str, batch: int, seed: int) -> dict[str, float]:
    """Reconstruct all rows by pythae, in one call."""
    X, model = torch.from_numpy(rows(data)), _fitted_pythae(data, network, batch)
    start = time.perf_counter()
    with torch.no_grad():
        model.predict(X)
    return {"seconds": time.perf_counter() - start}


def detect_pyod(data: str, seed: int) -> dict[str, Any]:
    """Fit PyOD's VAE as it comes to a table, and score another; scores are turned, higher is more normal."""
    train, test = (np.load(f"{data}.{seed}.{part}.npy") for part in ("train", "test"))
    start = time.perf_counter()
    detector = pyod.models.vae.VAE(random_state=seed)
    detector.fit(train)
    scores = -detector.decision_function(test)
    return {"seconds": time.perf_counter() - start, "scores": scores.tolist()}

"""Test likelihood of dynamically binarized MNIST, with the network of Burda et al. (2016): 784-200-200-50.

python benchmarks/test_likelihood.py --data /path/to/data --epochs 600
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from protocols import read_idx

from vaetools import VAE
from vaetools.nn.model import Autoencoder, antithetic_noise

N_CURVE, DRAWS_CURVE = 1000, 200  # test images and draws of a point of the curve


def binarized(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return pixels of 0 and 255, drawn with the probability of their gray value."""
    return (rng.integers(255, size=gray.shape, dtype=np.uint8) < gray) * np.uint8(255)


def main() -> None:
    """Print nats of test images over minutes of training, and at the end those of all with many draws."""
    folder = os.environ.get("VAETOOLS_DATA")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=folder, required=folder is None, help="holds mnist/")
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--draws", type=int, default=5000, help="importance samples per image at the end")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, test = (
        read_idx(options.data / "mnist" / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k")
    )
    rng = np.random.default_rng(options.seed)
    X, test = binarized(train, rng), binarized(test, np.random.default_rng(1))
    some = torch.from_numpy(test[:N_CURVE] / np.float32(255))
    noise = antithetic_noise(DRAWS_CURVE, 50).float()
    start = time.perf_counter()

    def watch(record: dict[str, float], model: Autoencoder) -> None:
        # the next epoch sees other draws of the same images: of so many rows `fit` keeps no copy
        X[:] = binarized(train, rng)
        if record["epoch"] % max(1, options.epochs // 20) == 0:
            with torch.no_grad():
                nats = -model.read(some).log_likelihood(noise).mean().item()
            minutes = (time.perf_counter() - start) / 60
            print(f"{minutes:5.1f} min  epoch {record['epoch']:4.0f}  {nats:.2f} nats", flush=True)

    vae = VAE(
        50,
        image_shape=(1, 28, 28),
        hidden_channels=(),
        hidden_layer_sizes=(200, 200),
        activation="tanh",
        likelihood="bernoulli",
        batch_size=100,
        max_iter=options.epochs,
        learning_rate_init=2e-3,
        contamination=0.05,  # every row trains
        score_precision="float32",
        random_state=options.seed,
    ).fit(X, callbacks=[watch])
    print(f"trained for {(time.perf_counter() - start) / 60:.1f} min")
    nats = -vae.log_likelihood(test, n_samples=options.draws)
    error = nats.std() / len(nats) ** 0.5
    print(f"{nats.mean():.2f} ± {error:.2f} nats per test image, {options.draws} draws; Burda et al.: 86.76")
    print(f"{(time.perf_counter() - start) / 60:.1f} min in all")


if __name__ == "__main__":
    main()

"""An epoch of training beside peers, the loop of a textbook, and the matrix products alone.

python benchmarks/training.py --data /path/to/data --peers /path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import (
    Contender,
    add_data_argument,
    add_interleaving_arguments,
    add_peers_argument,
    interleave,
    ratio_table,
    show,
    write,
)
from protocols import read_idx
from sklearn.neural_network import MLPRegressor
from textbook import EpochClock, evidence_bound, rows, sizes_of
from workers import Workers, start_workers

from vaetools import VAE

LIMIT = "products float32"
OURS = "vaetools float32"
TABLE = "adbench/32_shuttle.npz"  # 9 columns, and nearly as many normal rows as MNIST


def make_vae(network: str, n_features: int, **options: Any) -> VAE:
    """Return our estimator with the sizes of a network."""
    sizes = sizes_of(network, n_features)
    side = round(n_features**0.5)
    return VAE(
        sizes.n_components,
        hidden_layer_sizes=sizes.hidden,
        hidden_channels=sizes.channels,
        image_shape=(1, side, side) if sizes.unit_interval else None,
        **options,
    )


def train_vaetools(
    data: str, test: str, network: str, batch: int, epochs: int, precision: str, device: str, seed: int
) -> dict[str, float]:
    """Fit through the public method, with its progress bar."""
    X, held_out = np.load(data), rows(test)
    options = {} if precision == "float32" else {"precision": precision}
    clock = EpochClock(device)
    vae = make_vae(
        network,
        X.shape[1],
        batch_size=batch,
        max_iter=epochs,
        contamination=0.05,  # holds nothing out: an epoch is one of all rows, as it is for the peers
        device=device,
        random_state=seed,
        verbose=1,
        **options,
    ).fit(X, callbacks=[clock])
    figures = clock.figures()
    posterior = vae.posterior(np.load(test))
    return figures | {"ELBO": evidence_bound(held_out, *posterior, vae.inverse_transform)}


def train_regressor(
    data: str, test: str, network: str, batch: int, epochs: int, seed: int
) -> dict[str, float]:
    """Fit scikit-learn's MLPRegressor to the rows themselves, epoch by epoch."""
    X = rows(data)
    sizes = sizes_of(network, X.shape[1])
    layers = (*sizes.hidden, sizes.n_components, *reversed(sizes.hidden))
    clock = EpochClock()
    regressor = MLPRegressor(hidden_layer_sizes=layers, batch_size=batch, random_state=seed)
    for _ in range(epochs):
        regressor.partial_fit(X, X)
        clock()
    return clock.figures()


def contenders(
    workers: Workers, data: dict[str, str], network: str, batch: int, options: argparse.Namespace
) -> Iterator[Contender]:
    """Yield all that train a network in batches of a size."""
    sizes = {"network": network, "batch": batch}
    device = {"device": options.device}
    training = data | sizes | {"epochs": options.epochs}
    for precision in ("float32", "bfloat16"):
        limit = sizes | device | {"data": data["data"], "precision": precision}
        yield Contender(f"products {precision}", workers.ours, "products.multiply", limit)
    for precision in options.precision:
        ours = training | device | {"precision": precision}
        yield Contender(f"vaetools {precision}", workers.ours, "training.train_vaetools", ours)
    yield Contender("textbook loop", workers.ours, "textbook.train_textbook", training | device)
    yield Contender("pythae VAE", workers.peers, "peers.train_pythae", training | device)
    if network != "conv":
        for kind in ("VAE", "AutoEncoder"):
            peer = training | device | {"kind": kind}
            yield Contender(f"PyOD {kind}", workers.peers, "peers.train_pyod", peer)
        if options.device == "cpu":
            yield Contender("MLPRegressor", workers.ours, "training.train_regressor", training)


def write_data(options: argparse.Namespace, network: str, folder: Path) -> dict[str, str]:
    """Write the rows to train on, and others, and return where they are."""
    if network == "table":
        parts = dict(zip(("data", "test"), normal_rows(options.data / TABLE), strict=True))
    else:
        names = {"data": "train", "test": "t10k"}
        mnist = options.data / "mnist"
        parts = {key: read_idx(mnist / f"{part}-images-idx3-ubyte.gz") for key, part in names.items()}
    for key, X in parts.items():
        np.save(folder / f"{network}.{key}.npy", X[: options.rows])
    return {key: str(folder / f"{network}.{key}.npy") for key in parts}


def normal_rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return nine tenths of a table's normal rows, z-scored, and the others."""
    with np.load(path, allow_pickle=False) as file:
        X = file["X"][file["y"] == 0]
    X = np.random.default_rng(0).permutation((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    return X[len(X) // 10 :], X[: len(X) // 10]


def main() -> None:
    """Print a table per network and batch: ratios of an epoch, seconds of a fit, and the evidence bound."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    add_peers_argument(parser)
    add_interleaving_arguments(parser, n_rounds=5)
    parser.add_argument("--networks", nargs="+", default=["mlp", "conv", "table"])
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512, 2048])
    parser.add_argument("--precision", nargs="+", default=["float32"], help="of vaetools: float32 bfloat16")
    parser.add_argument("--epochs", type=int, default=2, help="of a fit; the first is not timed")
    parser.add_argument("--rows", type=int, help="default: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="+", help="names of contenders, beside the unit")
    options = parser.parse_args()
    frames = []
    with start_workers(options.peers, options.threads) as workers:
        for network in options.networks:
            data = write_data(options, network, workers.folder)
            n_rows, n_features = np.load(data["data"], mmap_mode="r").shape
            for batch in options.batches:
                chosen = [
                    contender
                    for contender in contenders(workers, data, network, batch, options)
                    if options.only is None or contender.name in (*options.only, LIMIT)
                ]
                frame = interleave(chosen, options.rounds)
                frames.append(frame.assign(network=network, batch=batch))
                units = {"epoch / products": LIMIT}
                if OURS in frame["contender"].array:
                    units["epoch / ours"] = OURS
                title = f"{network}, {n_rows} × {n_features}, batch {batch}; fits of {options.epochs} epochs"
                show(title, ratio_table(frame, units, ["seconds", "fit", "ELBO"]))
                write(frames, options.output)


if __name__ == "__main__":
    main()

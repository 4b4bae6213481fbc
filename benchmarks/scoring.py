"""Scoring and encoding rows in memory, beside the bare network and peers.

python benchmarks/scoring.py --data /path/to/data --peers /path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import copy
import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from interleaved import (
    Contender,
    add_data_argument,
    add_interleaving_arguments,
    add_peers_argument,
    by_round,
    interleave,
    ratio_table,
    show,
    spread,
    write,
)
from protocols import read_idx
from sklearn.ensemble import IsolationForest
from textbook import rows
from training import make_vae
from workers import Workers, start_workers

from vaetools import VAE

N_FEW = 10_000  # rows that models train on which are then to score
BATCHES = [2**power for power in range(6, 15)]  # among which the bare network has its choice
N_CALLS = 300  # with one row
UNITS = {"score": "network float32", "encode": "encoder float32"}


@functools.cache
def fitted(data: str, network: str, precision: str, kind: str = "float32") -> VAE:
    """Return a model that has seen some rows of a kind once, and scored all of them."""
    X = _rows_of(data, kind)
    vae = make_vae(
        network, X.shape[1], max_iter=1, score_precision=precision, device="cpu", random_state=0
    ).fit(X[:N_FEW])
    vae.score_samples(X)
    return vae


def _rows_of(data: str, kind: str) -> np.ndarray:
    return rows(data) if kind == "float32" else np.load(data)


def run_vaetools(
    data: str, network: str, precision: str, method: str, seed: int, kind: str = "float32"
) -> dict[str, float]:
    """Call a method of a fitted model with all rows."""
    vae, X = fitted(data, network, precision, kind), _rows_of(data, kind)
    return {"seconds": _seconds(lambda: getattr(vae, method)(X))}


@functools.cache
def bare(data: str, network: str, precision: str) -> torch.nn.Module:
    """Return the fitted network in a precision."""
    model = copy.deepcopy(fitted(data, network, "float32").model_.network)
    return model.to(getattr(torch, precision))


@functools.cache
def scaled(data: str, precision: str) -> torch.Tensor:
    """Return the rows as the network sees them."""
    return torch.from_numpy(rows(data)).to(getattr(torch, precision))


@torch.no_grad()
def pass_forward(data: str, network: str, precision: str, part: str, batch: int) -> None:
    """Run all rows through the "encoder" or through the whole "network"."""
    model, x = bare(data, network, precision), scaled(data, precision)
    for start in range(0, len(x), batch):
        mean, _ = model.posterior(x[start : start + batch])
        if part == "network":
            model.decode(mean)


@functools.cache
def best_batch(data: str, network: str, precision: str, part: str) -> int:
    """Return the fastest of some batch sizes, the better of two tries each."""

    def seconds(batch: int) -> float:
        run = functools.partial(pass_forward, data, network, precision, part, batch)
        return min(_seconds(run) for _ in range(2))

    return min(BATCHES, key=seconds)


def run_bare(data: str, network: str, precision: str, part: str, seed: int) -> dict[str, float]:
    """Run the bare network in the batches that suit it best."""
    batch = best_batch(data, network, precision, part)
    run = functools.partial(pass_forward, data, network, precision, part, batch)
    return {"seconds": _seconds(run), "batch": batch}


@functools.cache
def forest(data: str) -> IsolationForest:
    """Return scikit-learn's IsolationForest, grown, that has scored all rows once."""
    grown = IsolationForest(random_state=0).fit(rows(data)[:N_FEW])
    grown.score_samples(rows(data))
    return grown


def run_forest(data: str, seed: int) -> dict[str, float]:
    """Score all rows by an IsolationForest."""
    X = rows(data)
    grown = forest(data)
    return {"seconds": _seconds(lambda: grown.score_samples(X))}


@torch.no_grad()
def run_single(data: str, network: str, precision: str, seed: int) -> dict[str, float]:
    """Score rows one by one, and run them through the network, in turns; medians."""
    vae, X, x = fitted(data, network, precision), rows(data), scaled(data, precision)
    model = bare(data, network, precision)
    calls = []
    for i in range(N_CALLS):
        score = _seconds(lambda i=i: vae.score_samples(X[i : i + 1]))
        calls.append((score, _seconds(lambda i=i: model.decode(model.posterior(x[i : i + 1])[0]))))
    score, network_alone = np.median(calls, axis=0)
    return {"seconds": score, "over": score - network_alone}


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def contenders(workers: Workers, data: str, network: str, what: str, batch: int) -> list[Contender]:
    """Return all that "score" rows or "encode" them."""
    part, method = ("network", "score_samples") if what == "score" else ("encoder", "transform")
    common: dict[str, Any] = {"data": data, "network": network}
    found = []
    for precision in ("float32", "float64"):
        exact = common | {"precision": precision}
        found += [
            Contender(f"{part} {precision}", workers.ours, "scoring.run_bare", exact | {"part": part}),
            Contender(
                f"{method} {precision}", workers.ours, "scoring.run_vaetools", exact | {"method": method}
            ),
        ]
    eight_bit = common | {"precision": "float32", "method": method, "kind": "uint8"}
    found.append(Contender(f"{method} float32, 8-bit rows", workers.ours, "scoring.run_vaetools", eight_bit))
    if what == "score":
        peer = common | {"batch": batch}
        found.append(Contender("pythae predict", workers.peers, "peers.predict_pythae", peer))
        if network != "conv":
            for kind in ("VAE", "AutoEncoder"):
                arguments = peer | {"kind": kind}
                name = f"PyOD {kind} decision_function"
                found.append(Contender(name, workers.peers, "peers.score_pyod", arguments))
        found.append(Contender("IsolationForest", workers.ours, "scoring.run_forest", {"data": data}))
    return found


def main() -> None:
    """Print, for each network, ratios of seconds of scoring and of encoding, and milliseconds of one row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    add_peers_argument(parser)
    add_interleaving_arguments(parser, n_rounds=7)
    parser.add_argument("--networks", nargs="+", default=["mlp", "conv"])
    parser.add_argument("--rows", type=int, help="default: all 60,000")
    parser.add_argument("--batch", type=int, default=128, help="of PyOD's detectors and of pythae's training")
    options = parser.parse_args()
    frames = []
    with start_workers(options.peers, options.threads) as workers:
        data = str(workers.folder / "mnist.npy")
        X = read_idx(options.data / "mnist" / "train-images-idx3-ubyte.gz")[: options.rows]
        np.save(data, X)
        for network in options.networks:
            for what, unit in UNITS.items():
                frame = interleave(contenders(workers, data, network, what, options.batch), options.rounds)
                frames.append(frame.assign(network=network, what=what))
                show(
                    f"{network}: {what} {len(X)} rows",
                    ratio_table(frame, {f"/ {unit}": unit}, ["seconds", "batch"]),
                )
            single = interleave(
                [
                    Contender(
                        precision,
                        workers.ours,
                        "scoring.run_single",
                        {"data": data, "network": network, "precision": precision},
                    )
                    for precision in ("float64", "float32")
                ],
                options.rounds,
            )
            frames.append(single.assign(network=network, what="one row"))
            for heading, figure in {"a call": "seconds", "over the bare network": "over"}.items():
                milliseconds = 1000 * by_round(single, figure)
                said = ", ".join(f"{name} {spread(milliseconds[name], 3)}" for name in milliseconds)
                print(f"{network}: score_samples of one row, {heading}, ms: {said}", flush=True)
            write(frames, options.output)


if __name__ == "__main__":
    main()

"""Ten times the rows: seconds of an epoch, of scoring and of encoding, and memory beside the rows.

python benchmarks/growth.py --rows 20000
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from interleaved import Contender, add_interleaving_arguments, by_round, interleave, show, spread, write
from memory import anonymous_bytes, make_map, measured
from textbook import EpochClock
from training import make_vae
from workers import Worker, Workers, start_workers

from vaetools import VAE

TASKS = ("fit", "score_samples", "transform")
TIMES = 10
N_FEW = 2_000  # rows that the models train on which are then to score


@functools.cache
def fitted(data: str) -> VAE:
    """Return a model that has seen the first rows once, and scored all of them."""
    X = np.load(data, mmap_mode="r")
    vae = make_vae("mlp", X.shape[1], max_iter=1, random_state=0).fit(X[:N_FEW])
    vae.score_samples(X)
    return vae


def run(data: str, task: str, seed: int) -> dict[str, float]:
    """Return seconds of an epoch of "fit", or of a method called with all rows."""
    X = np.load(data, mmap_mode="r")
    if task == "fit":
        clock = EpochClock()
        _fit(X, seed, clock)
        return clock.figures()
    method = getattr(fitted(data), task)
    start = time.perf_counter()
    method(X)
    return {"seconds": time.perf_counter() - start}


def _fit(X: np.ndarray, seed: int, *callbacks: Callable[..., None]) -> None:
    make_vae("mlp", X.shape[1], max_iter=2, random_state=seed).fit(X, callbacks=callbacks)


def peak(data: str, task: str) -> dict[str, float]:
    """Return megabytes of a fresh process: idle, and at most; the rows stay on disk and do not count."""
    X = np.load(data, mmap_mode="r")
    vae = make_vae("mlp", X.shape[1], max_iter=1, random_state=0).fit(X[:N_FEW])
    idle = anonymous_bytes() / 1e6
    _, gigabytes = measured(lambda: _fit(X, 0) if task == "fit" else getattr(vae, task)(X))
    return {"idle": idle, "peak": 1000 * gigabytes}


def memory_table(paths: dict[int, str], folder: Path, n_threads: int) -> pd.DataFrame:
    """Return megabytes at most of every task and number of rows, each in a process of its own."""
    lines: dict[str, dict[str, Any]] = {}
    for task in TASKS:
        peaks = {}
        for n, path in paths.items():
            worker = Worker(sys.executable, folder / "memory.log", n_threads)
            peaks[n] = worker.ask("growth.peak", data=path, task=task)
            worker.close()
        few, many = peaks.values()
        lines[task] = {f"{n} rows, MB": found["peak"] for n, found in peaks.items()}
        lines[task] |= {"ratio": many["peak"] / few["peak"], "idle, MB": few["idle"]}
    return pd.DataFrame(lines).T


def time_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return seconds, and those of ten times the rows over ten times those of the rows."""
    seconds = by_round(frame)
    lines = {}
    for task in TASKS:
        few, many = (seconds[f"{task} {n}"] for n in ("n", "10n"))
        lines[task] = {
            "n, s": few.median(),
            "10n, s": many.median(),
            "10n / (10 × n)": spread(many / (TIMES * few), 3),
        }
    return pd.DataFrame(lines).T


def contenders(workers: Workers, paths: dict[int, str]) -> list[Contender]:
    """Return every task with few and with many rows."""
    return [
        Contender(f"{task} {name}", workers.ours, "growth.run", {"data": path, "task": task})
        for task in TASKS
        for name, path in zip(("n", "10n"), paths.values(), strict=True)
    ]


def main() -> None:
    """Print a table of time and one of memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_interleaving_arguments(parser, n_rounds=5)
    parser.add_argument("--rows", type=int, default=20_000, help="n; 784 numbers of 4 bytes each, on disk")
    options = parser.parse_args()
    with start_workers(None, options.threads) as workers:
        paths = {}
        for n in (options.rows, TIMES * options.rows):
            path = workers.folder / f"{n}.npy"
            make_map(path, n)
            paths[n] = str(path)
        frame = interleave(contenders(workers, paths), options.rounds)
        write([frame], options.output)
        show(f"n = {options.rows}: an epoch, scoring, encoding", time_table(frame))
        memory = memory_table(paths, workers.folder, options.threads)
        show("memory of the process at most, without the rows, which are a memory map", memory)


if __name__ == "__main__":
    main()

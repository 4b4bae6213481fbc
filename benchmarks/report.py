"""`compare` and its page, beside what they need at least: a pass of the models over the rows, and the maps.

python benchmarks/report.py --data /path/to/data
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from interleaved import (
    Contender,
    add_data_argument,
    add_interleaving_arguments,
    interleave,
    ratio_table,
    show,
    write,
)
from protocols import read_idx
from workers import Workers, start_workers

from vaetools import AE, VAE, LatentMap, compare

N_TRAIN = 10_000
PASS, MAPS = "a pass of both models", "maps of both models, UMAP"


@functools.cache
def fitted(mnist: str) -> dict[str, AE | VAE]:
    """Return an AE and a VAE of digits, trained for an epoch: what they learnt changes no time."""
    options = {"image_shape": (1, 28, 28), "max_iter": 1, "random_state": 0}
    X = read_idx(Path(mnist) / "train-images-idx3-ubyte.gz")[:N_TRAIN]
    return {"AE": AE(16, **options).fit(X), "VAE": VAE(16, **options).fit(X)}


@functools.cache
def rows(mnist: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return test images with their labels."""
    kinds = ("images-idx3", "labels-idx1")
    images, labels = (read_idx(Path(mnist) / f"t10k-{kind}-ubyte.gz") for kind in kinds)
    return images[:n], labels[:n]


def run(mnist: str, n: int, task: str, seed: int) -> dict[str, float]:
    """Return seconds of a task, and of a page how large it is."""
    models, (X, y) = fitted(mnist), rows(mnist, n)
    if task == PASS:
        return {"seconds": _seconds(lambda: [_pass(model, X) for model in models.values()])}
    if task == MAPS:
        codes = [model.transform(X) for model in models.values()]
        return {"seconds": _seconds(lambda: [LatentMap(random_state=0).fit(Z) for Z in codes])}
    method = task.removeprefix("compare, ")
    if task != "page":
        return {"seconds": _seconds(lambda: compare(models, X, y, method=method))}
    comparison = compare(models, X, y, method="pca")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        seconds = _seconds(lambda: comparison.to_html(path))
        return {"seconds": seconds, "MB": path.stat().st_size / 1e6}


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _pass(model: AE | VAE, X: np.ndarray) -> None:
    """Encode, score and reconstruct rows, once each."""
    model.transform(X)
    model.score_samples(X)
    model.reconstruct(X)


def measure(workers: Workers, mnist: Path, n: int, n_rounds: int) -> pd.DataFrame:
    """Return the seconds of every task in every round."""
    contenders = [
        Contender(task, workers.ours, "report.run", {"mnist": str(mnist), "n": n, "task": task})
        for task in (PASS, MAPS, "compare, umap", "compare, pca", "page")
    ]
    workers.ours.ask("report.run", mnist=str(mnist), n=n, task=MAPS, seed=0)  # Numba compiles
    return interleave(contenders, n_rounds)


def main() -> None:
    """Print a table per number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    add_interleaving_arguments(parser, n_rounds=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000], help="at most 10,000")
    options = parser.parse_args()
    frames = []
    with start_workers(None, options.threads) as workers:
        for n in options.rows:
            frame = measure(workers, options.data / "mnist", n, options.rounds)
            frames.append(frame.assign(rows=n))
            units = {"/ pass": PASS, "/ maps": MAPS}
            show(f"AE and VAE of MNIST, {n:,} rows", ratio_table(frame, units, ["seconds", "MB"]))
            write(frames, options.output)


if __name__ == "__main__":
    main()

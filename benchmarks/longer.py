"""Whether a fit that may train several times as long as it would ends where new rows cost least.

python benchmarks/longer.py --data /path/to/data --times 1 5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from protocols import add_common_arguments, one_class_table, read_idx
from sklearn import datasets

from vaetools import VAE
from vaetools.nn.model import antithetic_noise

TABLES = ("14_glass", "42_WBC", "18_Ionosphere", "12_fault", "6_cardio", "38_thyroid", "28_pendigits")
MOST_NEW, DRAWS = 500, 4


class Watched:
    """Called after every epoch: the bound of new rows, in nats."""

    def __init__(self, vae: VAE, X: np.ndarray):
        self.vae, self.X, self.bounds = vae, X, []

    def __call__(self, record: dict[str, float], model: Any) -> None:
        """Note the bound."""
        x = self.vae.input_scale_.apply(self.X, device=model.log_unit.device, dtype=model.log_unit.dtype)
        model.eval()
        with torch.no_grad():
            bound = model.read(x).bound(antithetic_noise(DRAWS, model.n_components).to(x))
        model.train()
        self.bounds.append(bound.mean().item())


def sets(folder: Path, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, dict[str, Any]]]:
    """Yield rows to train on, new ones, and what a model of them is told."""
    rng = np.random.default_rng(seed)
    for name in ("digits", "wine", "breast_cancer"):
        X = rng.permutation(getattr(datasets, f"load_{name}")().data)
        options = {"image_shape": (1, 8, 8), "hidden_channels": ()} if name == "digits" else {}
        X = X / 16 if name == "digits" else X
        n_new = len(X) // 4
        yield name, X[n_new:], X[:n_new], options
    train, test = (read_idx(folder / "mnist" / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    for title, n in {"MNIST, 1,000": 1_000, "MNIST, 10,000": 10_000}.items():
        yield title, train[:n], test, {"image_shape": (1, 28, 28), "hidden_channels": ()}
    for name in TABLES:
        task = one_class_table(folder / "adbench" / f"{name}.npz", seed)
        yield name.partition("_")[2], task.train, task.test[~task.is_odd], {}


def measure(train: np.ndarray, new: np.ndarray, options: dict[str, Any], times: list[int]) -> Iterator[Any]:
    """Fit for as long as a fit takes, and several times that; yield the bound at the end and its best."""
    epochs = VAE(**options, random_state=0).fit(train).max_iter_
    for factor in times:
        start = time.process_time()
        vae = VAE(max_iter=factor * epochs, **options, random_state=0)
        watched = Watched(vae, new[:MOST_NEW])
        vae.fit(train, callbacks=[watched])
        end = vae.score(new[:MOST_NEW])
        best = max(end, *watched.bounds)
        yield {
            "times": factor,
            "epochs": f"{vae.n_iter_} of {vae.max_iter_}",
            "end": end,
            "best": best,
            "given up": best - end,
            "CPU seconds": time.process_time() - start,
        }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--sets", nargs="+", help="default: all")
    options = parser.parse_args()
    results = []
    for seed in options.seeds:
        for name, train, new, told in sets(options.data, seed):
            if options.sets is None or name in options.sets:
                for found in measure(train, new, told, options.times):
                    results.append({"set": name, "rows": len(train), "seed": seed} | found)
                    print(results[-1], flush=True)
    frame = pd.DataFrame(results)
    print(frame.drop(columns="seed").to_string(index=False, float_format="{:.1f}".format))
    if options.output:
        frame.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()

"""Held-out bounds of `VAE()` as it comes, on 22 tables and images, of one version of the package and another.

PYTHONPATH=/path/to/one/checkout python benchmarks/bounds.py --data /path/to/data --output before.csv
PYTHONPATH=/path/to/another python benchmarks/bounds.py --data /path/to/data --against before.csv
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from protocols import Task, add_common_arguments, judge, one_class_table, read_idx
from sklearn.datasets import load_digits

import vaetools
from vaetools import VAE

MOST_TRAINING, MOST_NEW = 2_000, 2_000
DIGITS = {"image_shape": (1, 8, 8)}
DENSE = {"image_shape": (1, 28, 28), "hidden_channels": ()}
IMAGES = {
    "MNIST, 1,000": ("mnist", 1_000),
    "MNIST, 20,000": ("mnist", 20_000),
    "Fashion-MNIST, 20,000": ("fashion_mnist", 20_000),
}


def tasks(folder: Path, names: list[str], seed: int) -> Iterator[tuple[str, Task, dict[str, Any]]]:
    """Yield sets, with at most so many rows to train on, and what a model of them is told."""
    for path in sorted(folder.glob("adbench/*.npz"), key=lambda path: int(path.stem.split("_")[0])):
        if any(name in path.stem for name in names):
            task = one_class_table(path, seed)
            yield path.stem, task._replace(train=task.train[:MOST_TRAINING]), {}
    X = np.random.default_rng(seed).permutation(load_digits().data) / 16
    for title, options in {"digits": DIGITS, "digits, dense": DIGITS | {"hidden_channels": ()}}.items():
        if any(name in title for name in names):
            yield title, _of_one_kind(X[450:], X[:450]), options
    for title, (part, n) in IMAGES.items():
        if any(name in title for name in names):
            files = (folder / part / f"{kind}-images-idx3-ubyte.gz" for kind in ("train", "t10k"))
            train, test = map(read_idx, files)
            yield title, _of_one_kind(train[:n], test), DENSE


def _of_one_kind(train: np.ndarray, test: np.ndarray) -> Task:
    """Return rows to train on, and others that are no odder."""
    return Task(train, test, np.zeros(len(test), bool))


def measure(task: Task, options: dict[str, Any], seed: int) -> dict[str, Any]:
    """Fit; return the bounds of new normal rows in nats, how well odd ones are told, and CPU seconds."""
    start = time.process_time()
    vae = VAE(**options, random_state=seed).fit(task.train)
    seconds = time.process_time() - start
    new = task.test[~task.is_odd][:MOST_NEW]
    bounds = vae.score_table(new, scores=["elbo"])["elbo"]
    found = {"mean": bounds.mean(), "median": bounds.median(), "CPU seconds": seconds, "epochs": vae.n_iter_}
    if task.is_odd.any():
        figures = judge("", vae.score_samples(task.test), task, seconds)
        found |= {metric: figures[metric] for metric in ("AUROC", "AP")}
    return found


def compare(now: pd.DataFrame, before: pd.DataFrame) -> None:
    """Print what changed, set by set, and in the mean over tables with its standard error over sets."""
    keys = ["set", "seed"]
    both = now.merge(before, on=keys, suffixes=("", ", before"))
    means = both.drop(columns="seed").groupby("set", sort=False).mean()
    print(means[sorted(means.columns)].to_string(float_format="{:.3f}".format))
    tables = means[means.index.str[0].str.isdigit()]
    for metric in tables.columns.intersection(["mean", "median", "AUROC", "AP"]):
        found = (tables[metric] - tables[f"{metric}, before"]).dropna()
        if len(found) > 1:
            error = found.std() / len(found) ** 0.5
            print(f"tables, {metric}: {found.mean():+.4f} ± {error:.4f} ({len(found)} sets)")
    seconds = both["CPU seconds"].sum() / both["CPU seconds, before"].sum()
    print(f"{seconds:.2f} of the CPU seconds")


def main() -> None:
    """Print the bounds, and how they compare with those of another version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", default=[""], help="parts of names, for fewer sets")
    parser.add_argument("--against", type=Path, help="CSV file of another version")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"vaetools at {Path(vaetools.__file__).parent}")
    results = []
    for seed in options.seeds:
        for name, task, told in tasks(options.data, options.sets, seed):
            results.append({"set": name, "seed": seed} | measure(task, told, seed))
            print(results[-1], flush=True)
            if options.output:
                pd.DataFrame(results).to_csv(options.output, index=False)
    if options.against:
        compare(pd.DataFrame(results), pd.read_csv(options.against))


if __name__ == "__main__":
    main()

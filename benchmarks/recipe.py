"""What each part of the training recipe is worth: the bound of new rows without it, on four kinds of data.

python benchmarks/recipe.py --data /path/to/data
"""

from __future__ import annotations

import argparse
import dataclasses
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from protocols import add_common_arguments, one_class_table, read_idx
from sklearn.datasets import load_digits

from vaetools import VAE
from vaetools.estimators import autoencoder
from vaetools.estimators.building import resolve_training
from vaetools.nn import training
from vaetools.nn.schedule import TrainingSettings, falling_from

MOST_NEW = 500
USUAL = 1e-3  # Adam's rate


def all_weights(model: Any) -> tuple[list[Any], list[Any]]:
    """Return every weight, the learnt scale among them, for Adam, and no scale that follows errors."""
    return [weight for weight in model.parameters() if weight.requires_grad], []


def from_the_peak(*args: Any, **options: Any) -> TrainingSettings:
    """Return what `resolve_training` does, of a cycle that begins where its rate is highest."""
    return dataclasses.replace(resolve_training(*args, **options), begin=falling_from(1.0))


def recipes() -> dict[str, tuple[AbstractContextManager[Any], dict[str, Any]]]:
    """Return the recipe, and the same without each of its parts: what is patched, and what `VAE` is told."""
    return {
        "the recipe": (nullcontext(), {}),
        "scale by Adam, not by errors": (patch.object(training, "trained_parts", all_weights), {}),
        "β₂ 0.999, not 0.99": (patch.object(training, "MOMENTS", (0.9, 0.999)), {}),
        "rate 0.001": (nullcontext(), {"learning_rate_init": USUAL}),
        "no warm-up of the rate": (patch.object(autoencoder, "resolve_training", from_the_peak), {}),
        "KL warm-up over half": (nullcontext(), {"kl_warmup": 0.5}),
        "no early stopping": (nullcontext(), {"early_stopping": False}),
    }


def sets(folder: Path, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, dict[str, Any]]]:
    """Yield rows to train on, new ones, and what a model of them is told."""
    for name in ("38_thyroid", "18_Ionosphere"):
        task = one_class_table(folder / "adbench" / f"{name}.npz", seed)
        yield name.partition("_")[2], task.train, task.test[~task.is_odd], {}
    X = np.random.default_rng(seed).permutation(load_digits().data) / 16
    yield "digits", X[450:], X[:450], {"image_shape": (1, 8, 8)}
    train, test = (read_idx(folder / "mnist" / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    yield "MNIST, 1,000", train[:1000], test, {"image_shape": (1, 28, 28), "hidden_channels": ()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", help="default: all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    results = []
    for seed in options.seeds:
        for name, train, new, told in sets(options.data, seed):
            if options.sets is not None and name not in options.sets:
                continue
            for recipe, (patched, changed) in recipes().items():
                start = time.process_time()
                with patched:
                    vae = VAE(**told, **changed, random_state=seed).fit(train)
                seconds = time.process_time() - start
                found = {"ELBO": vae.score(new[:MOST_NEW]), "CPU seconds": seconds}
                results.append({"set": name, "seed": seed, "recipe": recipe} | found)
                print(results[-1], flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    for metric in ("ELBO", "CPU seconds"):
        table = frame.pivot_table(index="recipe", columns="set", values=metric, sort=False)
        print(f"\n{metric}, mean over seeds\n{table.to_string(float_format='{:.1f}'.format)}")


if __name__ == "__main__":
    main()

"""`partial_fit` against one `fit` of all rows in as many steps: bounds of MNIST, and what comes first.

python benchmarks/going_on.py --data /path/to/data --seeds 0
python benchmarks/going_on.py --data /path/to/data --forgetting --seeds 0
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx
from sklearn.metrics import roc_auc_score

from vaetools import VAE

OPTIONS = {"image_shape": (1, 28, 28), "hidden_channels": (), "hidden_layer_sizes": (128,)}
BATCH, N_NEW = 128, 2_000
N_OF_A_DIGIT = 800
FIRST_AND_ODD = ((0, 9), (1, 7), (3, 8), (5, 6), (8, 3))


class Counted:
    """Count the steps and CPU seconds of a model that is trained."""

    def __init__(self, seed: int, **options: Any):
        self.vae = VAE(**OPTIONS, random_state=seed, **options)
        self.steps, self.seconds = 0, 0.0

    def train(self, method: str, X: np.ndarray, n_together: int) -> VAE:
        """Train on rows, so many of which, with those of before, make an epoch."""
        start = time.process_time()
        getattr(self.vae, method)(X)
        self.seconds += time.process_time() - start
        self.steps += self.vae.n_iter_ * math.ceil(n_together / BATCH)
        return self.vae


def in_calls(chunks: list[np.ndarray], seed: int) -> Counted:
    """Return a model that got one chunk after the other."""
    counted, n_trained = Counted(seed), 0
    for chunk in chunks:
        n_new = round(0.8 * len(chunk))  # the others calibrate
        n_together = n_new + min(n_trained, 9 * n_new) if n_trained else round(0.9 * n_new)
        vae = counted.train("partial_fit", chunk, n_together)
        n_trained = len(vae.kept_rows_["trained"]["rows"])
    return counted


def at_once(chunks: list[np.ndarray], seed: int, n_steps: int) -> Counted:
    """Return a model that got all rows at once and makes about so many steps."""
    X = np.concatenate(chunks)
    n_together = round(0.9 * 0.8 * len(X))  # the others calibrate, or watch
    counted = Counted(seed, max_iter=round(n_steps / math.ceil(n_together / BATCH)))
    counted.train("fit", X, n_together)
    return counted


def bounds(folder: Path, seed: int, n_calls: int) -> list[dict[str, Any]]:
    """Return mean bounds of new images, of some calls and of one fit."""
    train, new = (read_idx(folder / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    chunks = np.array_split(train[: N_NEW * n_calls], n_calls)
    called = in_calls(chunks, seed)
    models = {"calls": called, "one fit": at_once(chunks, seed, called.steps)}
    return [
        {
            "seed": seed,
            "model": name,
            "steps": each.steps,
            "bound": each.vae.score_table(new[:N_NEW], scores=["elbo"])["elbo"].mean(),
            "CPU seconds": each.seconds,
        }
        for name, each in models.items()
    ]


def forgetting(folder: Path, seed: int) -> list[dict[str, Any]]:
    """Return how well a digit that came first is told from one that never came: by calls and at once."""
    (train, labels), (test, test_labels) = (
        [read_idx(folder / f"{part}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")]
        for part in ("train", "t10k")
    )
    found = []
    for first, odd in FIRST_AND_ODD:
        order = [first, *(digit for digit in range(10) if digit not in (first, odd))]
        chunks = [train[labels == digit][:N_OF_A_DIGIT] for digit in order]
        is_ours = np.isin(test_labels, (first, odd))
        rows, is_odd = test[is_ours], test_labels[is_ours] == odd
        called = in_calls(chunks, seed)
        fitted = at_once(chunks, seed, called.steps)
        scores = {"calls": called.vae.score_samples(rows), "fit": fitted.vae.score_samples(rows)}
        figures = {name: roc_auc_score(is_odd, -score) for name, score in scores.items()}
        figures["lost"] = figures["fit"] - figures["calls"]
        bounds = {f"bound, {name}": score[~is_odd].mean() for name, score in scores.items()}
        found.append({"seed": seed, "first": first, "odd": odd} | figures | bounds)
        print(found[-1], flush=True)
    return found


def main() -> None:
    """Train in calls and at once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--forgetting", action="store_true", help="a digit a call")
    parser.add_argument("--calls", type=int, default=10, help="of 2,000 images each")
    options = parser.parse_args()
    folder, lines = options.data / "mnist", []
    for seed in options.seeds:
        lines += forgetting(folder, seed) if options.forgetting else bounds(folder, seed, options.calls)
    frame = pd.DataFrame(lines)
    if options.output:
        frame.to_csv(options.output, index=False)
    print(frame.to_string(index=False, float_format="{:.3f}".format))
    if options.forgetting:
        print(frame[["calls", "fit", "lost"]].mean().to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

"""Label errors in MNIST: 5 % of the training labels swapped, found by what a `CVAE` says of each label.

python benchmarks/label_errors.py --data /path/to/data --seeds 0
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx
from sklearn.metrics import roc_auc_score

from vaetools import CVAE

SHARE = 0.05  # of the labels are swapped
MODELS = {
    "concat, encoder sees y, z 16, beta 8": {"n_components": 16, "beta": 8.0},
    "concat, encoder sees y, z 16, beta 1": {"n_components": 16},
    "add, blind encoder, z 4, beta 4": {
        "n_components": 4,
        "beta": 4.0,
        "conditioning": "add",
        "condition_encoder": False,
    },
}


def swapped_labels(folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images, labels of which some were swapped for another at random, and which those are."""
    X = read_idx(folder / "train-images-idx3-ubyte.gz")
    y = read_idx(folder / "train-labels-idx1-ubyte.gz").astype(np.int64)
    rng = np.random.RandomState(seed)
    is_swapped = np.zeros(len(y), dtype=bool)
    is_swapped[rng.choice(len(y), round(SHARE * len(y)), replace=False)] = True
    y[is_swapped] = (y[is_swapped] + rng.randint(1, 10, size=is_swapped.sum())) % 10
    return X, y, is_swapped


def main() -> None:
    """Fit every model to every seed; print AUROC of two ways to rank labels, and what the label tells."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--max-iter", type=int, default=8, help="epochs; default: 8")
    options = parser.parse_args()

    results = []
    for seed in options.seeds:
        X, y, is_swapped = swapped_labels(options.data / "mnist", seed)
        for name, settings in MODELS.items():
            start = time.perf_counter()
            training = {"max_iter": options.max_iter, "learning_rate_init": 2e-3}
            cvae = CVAE(**settings, **training, score_precision="float32", random_state=seed)
            conditional = cvae.fit(X, y).score_samples(X, y)
            given = cvae.label_log_proba(X)[np.arange(len(y)), np.searchsorted(cvae.classes_, y)]
            results.append(
                {
                    "model": name,
                    "seed": seed,
                    "posterior": roc_auc_score(is_swapped, -given),
                    "conditional score": roc_auc_score(is_swapped, -conditional),
                    "label information": cvae.label_information_,
                    "seconds": time.perf_counter() - start,
                }
            )
            print(results[-1], flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    table = frame.drop(columns="seed").groupby("model", sort=False).agg(["mean", "std"])
    print(table.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

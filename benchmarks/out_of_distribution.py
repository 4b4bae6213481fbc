"""Models of all of MNIST and of all of Fashion-MNIST against images of other kinds.

python benchmarks/out_of_distribution.py --data /path/to/data --seeds 0
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from protocols import add_common_arguments, read_idx
from sklearn.metrics import roc_auc_score

from vaetools import VAE
from vaetools.anomaly.images import complexity

SHAPE = (1, 28, 28)
SCORES = ["reconstruction_kl", "elbo", "likelihood_regret", "density_of_states", "images"]


def kinds(data: Path, folder: str, n: int) -> dict[str, np.ndarray]:
    """Return uint8 rows by kind, at most n of each; the first is the model's own test split."""
    other = {"mnist": "fashion_mnist", "fashion_mnist": "mnist"}[folder]
    own = read_idx(data / folder / "t10k-images-idx3-ubyte.gz")[:n]
    rng = np.random.default_rng(0)
    return {
        folder: own,
        other: read_idx(data / other / "t10k-images-idx3-ubyte.gz")[:n],
        "omniglot": read_idx(data / "omniglot" / "images-idx3-ubyte.gz")[:n],
        "noise": rng.integers(0, 256, own.shape, dtype=np.uint8),
        "constant": np.repeat(rng.integers(0, 256, (len(own), 1), dtype=np.uint8), own.shape[1], axis=1),
        "inverted": 255 - own,
        "half contrast": own // 2,
        "mirrored": own.reshape(-1, 28, 28)[:, :, ::-1].reshape(own.shape),
    }


def bits(rows: np.ndarray) -> np.ndarray:
    """Return the complexity of every image."""
    return complexity(torch.from_numpy(rows / 255), SHAPE, torch.tensor([0.0, 1.0])).numpy()


def scores_of(vae: VAE, rows: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return every score of rows, and its seconds per 1,000 of them."""
    scores, seconds = {}, {}
    for name in SCORES:
        start = time.perf_counter()
        scores[name] = vae.score_table(rows, scores=[name])[name].to_numpy()
        seconds[name] = (time.perf_counter() - start) * 1000 / len(rows)
    scores["−complexity"] = -bits(rows)
    # Serrà et al. 2020: a likelihood ratio to a general compressor
    scores["elbo + complexity"] = scores["elbo"] + math.log(2) * bits(rows)
    return scores, seconds


def show(frame: pd.DataFrame) -> None:
    """Print the table of a set, over the seeds that were run."""
    table = frame.pivot_table(index="score", columns="kind", values="AUROC", sort=False)
    table["least over seeds"] = frame[frame["kind"] != "mirrored"].groupby("score")["AUROC"].min()
    table["s per 1,000"] = frame.groupby("score")["seconds per 1,000"].median()
    seeds = ", ".join(map(str, frame["seed"].unique()))
    print(f"\nAUROC, {frame['set'].iloc[0]} in, mean over seeds {seeds}; least: without mirrored images")
    print(table.to_string(float_format="{:.4f}".format), flush=True)


def main() -> None:
    """Print AUROC of every score for every kind of image, and what scoring costs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", default=["fashion_mnist", "mnist"])
    parser.add_argument("--n", type=int, default=2000, help="images of each kind")
    parser.add_argument("--score-precision", choices=["float64", "float32"], default="float64")
    options = parser.parse_args()

    results = []
    for folder in options.sets:
        images = kinds(options.data, folder, options.n)
        for seed in options.seeds:
            train = read_idx(options.data / folder / "train-images-idx3-ubyte.gz")
            how = {"score_precision": options.score_precision, "random_state": seed}
            vae = VAE(image_shape=SHAPE, anomaly_score="images", **how).fit(train)
            found = {kind: scores_of(vae, rows) for kind, rows in images.items()}
            own, seconds = found.pop(folder)
            for kind, (scores, _) in found.items():
                for name, values in scores.items():
                    is_own = np.r_[np.ones(len(own[name])), np.zeros(len(values))]
                    auroc = roc_auc_score(is_own, np.r_[own[name], values])
                    results.append(
                        {"set": folder, "seed": seed, "kind": kind, "score": name, "AUROC": auroc}
                        | {"seconds per 1,000": seconds.get(name, math.nan)}
                    )
            show(pd.DataFrame([line for line in results if line["set"] == folder]))
            if options.output:
                pd.DataFrame(results).to_csv(options.output, index=False)


if __name__ == "__main__":
    main()

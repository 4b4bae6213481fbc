"""Codes of words: one class of images against the others, samples, and how many words tables take.

python benchmarks/vocabularies.py --data /path/to/data --sets fashion_mnist --seeds 0
python benchmarks/vocabularies.py --data /path/to/data --samples --seeds 0
python benchmarks/vocabularies.py --data /path/to/data --tables --seeds 0
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from organization import load, measure_samples
from protocols import Task, add_common_arguments, one_class_images, one_class_table, split
from scipy.ndimage import gaussian_filter
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from vaetools import VQVAE, Gaussian

DENSE = {"image_shape": (1, 28, 28), "hidden_channels": ()}
MODELS: dict[str, dict[str, Any]] = {
    "words": {},
    "one scale": {"likelihood": Gaussian()},
    "images": {"anomaly_score": "images"},
    "structure, 3": {"added_loss": "structure", "added_weight": 3.0},
}
TABLES = ("cardio", "vowels", "WBC", "pendigits", "thyroid")  # of ADBench
WHOLE = ("digits", "wine", "breast_cancer")  # of scikit-learn, whose rows all are normal
N_WORDS = ("auto", 8, 16, 32, 64, 128, 256)
N_ROWS, N_DRAWN = 20_000, 1_500


def measure_class(task: Task, options: dict[str, Any], seed: int) -> dict[str, float]:
    """Return how well odd rows are told by score, its parts and blurs, and nats of new normal rows."""
    start = time.process_time()
    vqvae = VQVAE(**DENSE, **options, random_state=seed).fit(task.train)
    seconds = time.process_time() - start
    own = vqvae.anomaly_score
    table = vqvae.score_table(task.test, scores=list({own, "reconstruction_kl", "neg_kl"}))
    score, words = table["reconstruction_kl"], table["neg_kl"]
    errors = (task.test / 255 - vqvae.reconstruct(task.test)).reshape(-1, 28, 28)
    blurred = np.square(gaussian_filter(errors, (0, 1, 1))).sum(axis=(1, 2))
    told = {"AUROC": table[own], "by reconstruction": score - words, "by words": words, "by blur": -blurred}
    aucs = {name: roc_auc_score(task.is_odd, -each) for name, each in told.items()}
    nats = score[~task.is_odd].mean()
    return aucs | {"nats": nats, "dead words": vqvae.n_dead_words_, "CPU seconds": seconds}


def measure_drawn(folder: Path, seed: int) -> dict[str, Any]:
    """Return what samples of an autoregressive prior look like, and what words cost, of all ten digits."""
    X_train, X_test, y = load(folder, seed)
    vqvae = VQVAE(**DENSE, prior="autoregressive", random_state=seed).fit(X_train[:N_ROWS])
    samples = vqvae.sample(N_DRAWN, random_state=seed)
    found = measure_samples(samples, X_test / 255, y)
    off = found["off_data"]
    costs = vqvae.mean_terms_["kl"]
    return {name: found[name].value for name in ("off_data", "precision", "coverage", "recall")} | {
        "off_data from": off.low,
        "off_data to": off.high,
        "nats of words, train": costs["train"],
        "nats of words, held out": costs["held_out"],
        "dead words": vqvae.n_dead_words_,
    }


def measure_tables(folder: Path, seed: int) -> pd.DataFrame:
    """Return what normal rows that did not train cost, in nats, by the table and how many words there are."""
    tasks = {}
    for name in TABLES:
        [path] = (folder / "adbench").glob(f"*_{name}.npz")
        tasks[name] = one_class_table(path, seed)
    for name in WHOLE:
        X = getattr(datasets, f"load_{name}")().data
        tasks[name] = split(X, np.zeros(len(X)), seed)
    found = {}
    for name, task in tasks.items():
        new = task.test[~task.is_odd]
        models = [VQVAE(n_words=n, random_state=seed).fit(task.train) for n in N_WORDS]
        found[name] = [len(task.train), *(-model.score_samples(new).mean() for model in models)]
    return pd.DataFrame.from_dict(found, orient="index", columns=["rows", *N_WORDS])


def main() -> None:
    """Fit every class, or all digits, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--samples", action="store_true", help="of all of MNIST, instead of one class")
    parser.add_argument("--tables", action="store_true", help="by how many words there are, instead")
    parser.add_argument("--sets", nargs="+", default=["fashion_mnist", "mnist"])
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--models", nargs="+", default=["words"], choices=list(MODELS))
    options = parser.parse_args()
    if options.samples:
        drawn = {seed: measure_drawn(options.data / "mnist", seed) for seed in options.seeds}
        print(pd.DataFrame(drawn).to_string(float_format="{:.3f}".format))
        return
    if options.tables:
        nats = [measure_tables(options.data, seed) for seed in options.seeds]
        print((sum(nats) / len(nats)).to_string(float_format="{:.1f}".format))
        return
    results = []
    for name in options.sets:
        for label, task in one_class_images(options.data / name, options.classes):
            for model in options.models:
                for seed in options.seeds:
                    found = measure_class(task, MODELS[model], seed)
                    results.append({"set": name, "class": label, "model": model, "seed": seed} | found)
                    print(results[-1], flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    by_class = frame.pivot_table(index=["set", "model"], columns="class", values="AUROC")
    means = frame.drop(columns="class").groupby(["set", "model"]).mean()
    print(by_class.to_string(float_format="{:.3f}".format), means.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

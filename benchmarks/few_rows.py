"""Few normal rows: how many new ones are flagged, how well odd ones are found, and what is learnt by heart.

python benchmarks/few_rows.py
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
from protocols import NearestRows, Task
from sklearn import datasets
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from tables import RECOMMENDED

from vaetools import VAE
from vaetools.anomaly.rates import expected_rate
from vaetools.datasets import load_garments

SETS = ("iris", "wine", "breast_cancer", "digits", "digits, images", "garments")
SIZES = (30, 60, 100)  # rows that are given to fit
DIGITS, GARMENTS = (0, 3, 5, 8), (0, 1, 6)
LEAST_NEW, MOST = 10, 200  # new normal rows that a class must have left; rows scored of either kind
CALIBRATION_FRACTION = 0.2  # of the peers
MODELS: dict[str, dict[str, Any]] = {"VAE": {}, "VAE tables": RECOMMENDED}


class Mahalanobis:
    """Minus the squared Mahalanobis distance from the training rows, with a shrunk covariance."""

    def fit(self, X: np.ndarray) -> Mahalanobis:
        """Estimate mean and covariance."""
        self.covariance = LedoitWolf().fit(X)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return the score; higher is more normal."""
        return -self.covariance.mahalanobis(X)


def rows_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and labels of a set; of garments means over 4×4 pixels."""
    if name == "garments":
        garments = load_garments()
        return garments.images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49), garments.target
    return getattr(datasets, f"load_{name.split(',')[0]}")(return_X_y=True)


def tasks(seed: int, n: int, names: tuple[str, ...]) -> Iterator[tuple[str, Task, dict[str, Any]]]:
    """Yield, per class of enough rows, n to train on, the rest and other classes, and what a model needs."""
    for name in names:
        X, labels = rows_of(name)
        is_image = name.endswith("images")
        some = {"digits": DIGITS, "digits, images": DIGITS, "garments": GARMENTS}
        for label in some.get(name, np.unique(labels)):
            rng = np.random.RandomState(seed)
            normal, odd = (
                rng.permutation(np.flatnonzero(part)) for part in (labels == label, labels != label)
            )
            new = normal[n:][:MOST]
            if len(new) < LEAST_NEW:
                continue
            odd = odd[:MOST]
            tested = np.concatenate([new, odd])
            is_odd = np.arange(len(tested)) >= len(new)
            rows = X / 16 if is_image else X
            settings = {"image_shape": (1, 8, 8)} if is_image else {}
            yield f"{name} {label}", Task(rows[normal[:n]], rows[tested], is_odd), settings


def vae_figures(task: Task, seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """Return the share of new normal rows that is flagged, and was promised, that of odd ones, and AUROC.

    ``"cost"`` is that of new normal rows, and ``"by heart"`` how much more it is than of those that trained,
    in nats.
    """
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few rows calibrate is what is measured
        vae = VAE(**settings, random_state=seed).fit(task.train)
    seconds = time.process_time() - start
    decision = vae.decision_function(task.test)
    known, new = (
        vae.score_table(rows, scores=["reconstruction_kl"])["reconstruction_kl"].mean()
        for rows in (task.train, task.test[~task.is_odd])
    )
    return {
        "cost": -new,
        "by heart": known - new,
        "flagged": float(np.mean(decision[~task.is_odd] < 0)),
        "promised": expected_rate(len(vae.calibration_scores_), vae.false_alarm_rate),
        "found": float(np.mean(decision[task.is_odd] < 0)),
        "AUROC": roc_auc_score(task.is_odd, -decision),
        "seconds": seconds,
    }


def peer_figures(peer: Any, task: Task) -> dict[str, float]:
    """Do as `vae_figures` does, with the least score of rows that were held out as threshold."""
    n_held_out = int(CALIBRATION_FRACTION * len(task.train))
    held_out, train = np.split(task.train, [n_held_out])
    scaler = StandardScaler().fit(train)
    peer.fit(scaler.transform(train))
    scores, least = (peer.score_samples(scaler.transform(rows)) for rows in (task.test, held_out))
    return {
        "flagged": float(np.mean(scores[~task.is_odd] < least.min())),
        "promised": 1 / (n_held_out + 1),
        "found": float(np.mean(scores[task.is_odd] < least.min())),
        "AUROC": roc_auc_score(task.is_odd, -scores),
    }


def peers() -> dict[str, Any]:
    """Detectors beside the VAE."""
    return {"kNN-1": NearestRows(1), "Mahalanobis": Mahalanobis()}


def main() -> None:
    """Fit every detector to so many rows of every class, and print both figures by number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of training rows")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--max-iter", type=int, help="epochs; default: as many as a fit makes")
    parser.add_argument("--output", type=Path, help="CSV file for one line per fit")
    options = parser.parse_args()

    epochs = {} if options.max_iter is None else {"max_iter": options.max_iter}
    results = []
    for n in options.sizes:
        for seed in options.seeds:
            for name, task, shape in tasks(seed, n, options.sets):
                told = shape | epochs
                found = {
                    f"{model} {how}": vae_figures(task, seed, told | settings | {"calibration": how})
                    for model, settings in MODELS.items()
                    for how in ("split", "cross")
                    if model in options.models
                }
                found |= {name: peer_figures(peer, task) for name, peer in peers().items()}
                where = {"rows": n, "seed": seed, "set": name}
                results += [where | {"detector": detector} | figures for detector, figures in found.items()]
        frame = pd.DataFrame(results)
        for metric in ("flagged", "promised", "found", "AUROC", "cost", "by heart", "seconds"):
            table = frame[frame["rows"] == n].pivot_table(
                index="set", columns="detector", values=metric, sort=False
            )
            table.loc["mean"] = table.mean()
            by_fit = frame[frame["rows"] == n].groupby("detector")[metric]
            table.loc["± of a mean"] = by_fit.std() / by_fit.count() ** 0.5
            print(f"\n{metric}, {n} rows\n{table.to_string(float_format='{:.3f}'.format)}", flush=True)
    if options.output:
        frame.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()

"""The protocols that the quality tables share: data, splits, peers and how results are printed."""

from __future__ import annotations

import argparse
import gzip
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from vaetools import EncoderDecoder

MOST_ROWS = 10_000  # of a table
LEAST_PUBLISHED, MOST_PUBLISHED = 1_000, 50_000  # in published tables


class Task(NamedTuple):
    """Normal rows to train on, and rows to score with their truth (1 is odd)."""

    train: np.ndarray
    test: np.ndarray
    is_odd: np.ndarray


class NearestRows:
    """Minus the mean distance to the nearest training rows."""

    def __init__(self, n_neighbors: int):
        self.index = NearestNeighbors(n_neighbors=n_neighbors)

    def fit(self, X: np.ndarray) -> NearestRows:
        """Keep the training rows."""
        self.index.fit(X)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return the score; higher is more normal."""
        return -self.index.kneighbors(X)[0].mean(axis=1)


def read_idx(path: Path) -> np.ndarray:
    """Return a gzipped IDX file of bytes: images as rows (n, height * width), labels as (n,)."""
    data = gzip.decompress(path.read_bytes())
    n_axes = data[3]
    shape = np.frombuffer(data, ">i4", count=n_axes, offset=4)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * n_axes)
    return values.reshape(shape[0], -1) if n_axes > 1 else values


def one_class_images(folder: Path, classes: list[int]) -> Iterator[tuple[str, Task]]:
    """Yield, per class, its training images and the whole test split: the class against the others."""
    train, train_labels, test, test_labels = (
        read_idx(folder / f"{part}-{kind}-ubyte.gz")
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    for label in classes:
        yield str(label), Task(train[train_labels == label], test, test_labels != label)


def one_class_table(path: Path, seed: int) -> Task:
    """Return the rows of a set of ADBench, split."""
    with np.load(path, allow_pickle=False) as file:
        return split(file["X"], file["y"], seed)


def other_tables(folder: Path, seed: int) -> Iterator[tuple[str, Task]]:
    """Yield each class against the others: of scikit-learn's tables, and of images in cells of 4×4 pixels."""
    for name in ("digits", "breast_cancer", "wine", "iris"):
        X, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
        for label in np.unique(labels):
            yield f"{name} {label}", split(X, labels != label, seed)
    for name in ("mnist", "fashion_mnist"):
        images, labels = (
            read_idx(folder / name / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")
        )
        X = images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(len(images), -1)
        for label in range(10):
            yield f"{name} {label}", split(X, labels != label, seed)


def split(X: np.ndarray, y: np.ndarray, seed: int) -> Task:
    """Return half of the normal rows to train on, the others and all anomalies to test, z-scored."""
    rng = np.random.RandomState(seed)
    if len(X) > MOST_ROWS:
        kept = rng.choice(len(X), MOST_ROWS, replace=False)
        X, y = X[kept], y[kept]
    normal = np.flatnonzero(y == 0)
    rng.shuffle(normal)
    return halved(X, y, normal)


def halved(X: np.ndarray, y: np.ndarray, normal: np.ndarray) -> Task:
    """Return the first half of the normal rows to train on, the others and anomalies to test, z-scored."""
    n_train = round(len(normal) / 2)
    train = normal[:n_train]
    test = np.concatenate([normal[n_train:], np.flatnonzero(y == 1)])
    std = X[train].std(axis=0)
    X = (X - X[train].mean(axis=0)) / np.where(std == 0, 1, std)
    return Task(X[train], X[test], y[test] == 1)


def in_file_order(path: Path, seed: int) -> Task:
    """Split a set of ADBench as published tables do, with copies of rows in both parts of a small set.

    Of less than 1,000 rows 1,000 are drawn with replacement, of more than 50,000 so many without; the
    first half of the normal rows trains, in the order of the file where none were drawn.
    """
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"], file["y"]
    n_rows = min(max(len(X), LEAST_PUBLISHED), MOST_PUBLISHED)
    if n_rows != len(X):
        drawn = np.random.RandomState(seed).choice(len(X), n_rows, replace=n_rows > len(X))
        X, y = X[drawn], y[drawn]
    return halved(X, y, np.flatnonzero(y == 0))


def print_published(results: list[dict[str, Any]], folder: Path) -> None:
    """Print means in percent over the sets beside those that were published of other detectors."""
    frame = pd.DataFrame(results)
    names = [name.split("_", 1)[1].lower() for name in frame["set"].unique()]
    for metric, file in {"AUROC": "semi_aucroc.csv", "AP": "semi_aucpr.csv"}.items():
        published = pd.read_csv(folder / file, index_col=0).loc[names].mean().add_suffix(", published")
        means = pd.concat([100 * frame.groupby("detector")[metric].mean(), published])
        shown = means.sort_values(ascending=False).to_string(float_format="{:.1f}".format)
        print(f"\n{metric} in percent: {len(names)} sets\n{shown}")


def table_peers(n_features: int, seed: int) -> dict[str, Any]:
    """Detectors beside the VAE on tables; PCA has as many components, and its score is a log-density too."""
    return {
        "PCA": PCA(1 + math.isqrt(n_features)),
        "kNN-1": NearestRows(1),
        "kNN-5": NearestRows(5),
        "IsolationForest": IsolationForest(random_state=seed),
    }


def image_peers(seed: int) -> dict[str, Any]:
    """Detectors beside the VAE on pixels in [0, 1]; PCA's score is a log-density too."""
    return {
        "PCA-16": PCA(16, random_state=seed),
        "PCA-64": PCA(64, random_state=seed),
        "IsolationForest": IsolationForest(random_state=seed),
    }


def pca_network(train: np.ndarray, n_components: int) -> EncoderDecoder:
    """Return PCA of rows as a network, for the scores that an estimator offers."""
    pca = PCA(n_components, random_state=0).fit(train)
    axes, mean = torch.from_numpy(pca.components_), torch.from_numpy(pca.mean_)
    encoder = torch.nn.Linear(*axes.T.shape).double()
    decoder = torch.nn.Linear(*axes.shape).double()
    with torch.no_grad():
        encoder.weight.copy_(axes)
        encoder.bias.copy_(-axes @ mean)
        decoder.weight.copy_(axes.T)
        decoder.bias.copy_(mean)
    return EncoderDecoder(encoder, decoder)


def normalized_pixels(images: np.ndarray) -> np.ndarray:
    """Return means over 2×2 pixels of 28×28 images, each without its mean and of unit length."""
    pooled = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(images), -1)
    pooled = pooled - pooled.mean(axis=1, keepdims=True)
    return pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9)


def measure(name: str, detector: Any, task: Task) -> dict[str, Any]:
    """Fit, score, print and return AUROC and average precision, the odd rows positive, and seconds."""
    start = time.perf_counter()
    scores = detector.fit(task.train).score_samples(task.test)
    return judge(name, scores, task, time.perf_counter() - start)


def measure_scores(names: dict[str, str], detector: Any, task: Task) -> list[dict[str, Any]]:
    """Do as `measure` does for several scores of one fit: names of the rows, and of their scores."""
    start = time.perf_counter()
    table = detector.fit(task.train).score_table(task.test, scores=list(names.values()))
    seconds = time.perf_counter() - start
    return [judge(name, table[score], task, seconds) for name, score in names.items()]


def judge(name: str, scores: np.ndarray, task: Task, seconds: float) -> dict[str, Any]:
    """Print and return AUROC and average precision, the odd rows positive."""
    figures = {
        "detector": name,
        "AUROC": roc_auc_score(task.is_odd, -scores),
        "AP": average_precision_score(task.is_odd, -scores),
        "seconds": seconds,
    }
    print(f"{name} {figures['AUROC']:.3f}", end="  ", flush=True)
    return figures


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the data are, the seeds, and the file for raw results."""
    folder = os.environ.get("VAETOOLS_DATA")
    parser.add_argument(
        "--data", type=Path, default=folder, required=folder is None, help="default: $VAETOOLS_DATA"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--output", type=Path, help="CSV file for one line per fit")


def print_tables(results: list[dict[str, Any]], rows: str, output: Path | None) -> None:
    """Print every metric as rows × detectors, averaged over seeds, and write the raw results."""
    frame = pd.DataFrame(results)
    if output:
        frame.to_csv(output, index=False)
    for metric in ("AUROC", "AP", "seconds"):
        table = frame.pivot_table(index=rows, columns="detector", values=metric, sort=False)
        by_seed = frame.groupby(["seed", "detector"])[metric].mean().unstack("detector")[table.columns]
        table.loc["mean"] = by_seed.mean()
        if len(by_seed) > 1:
            table.loc["± over seeds"] = by_seed.std()
        names = ", ".join(frame["set"].unique()) if rows != "set" else f"{frame['set'].nunique()} sets"
        print(f"\n{metric}: {names}\n{table.to_string(float_format='{:.3f}'.format)}", flush=True)

"""One class of CIFAR-10 against the other nine: photographs of 32 pixels, judged as a whole, and rivals.

python benchmarks/thumbnails.py --data /path/to/data --train 500 --every 5

`PatchDetector` chooses by itself to judge them as a whole. Rivals: means of features at strides of 16 and 32
pixels (`Backbone`) by Mahalanobis distance and by the nearest neighbor, PCA of pixels, and with --slow the
VAE of pixels with the score that is recommended for images.
"""

import argparse
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import VAE, Backbone, PatchDetector

SHAPE = (3, 32, 32)
NORMAL = ("automobile", "cat", "dog", "ship")


def read_split(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of pixels and the names of their classes."""
    with np.load(path) as data:
        files, ends, classes = data["jpeg"].tobytes(), data["offset"], data["classes"]
        labels = classes[data["label"]]
    pictures = [Image.open(io.BytesIO(files[a:b])).convert("RGB") for a, b in pairwise(ends)]
    return np.stack([np.asarray(each).transpose(2, 0, 1).ravel() for each in pictures]), labels


def nearest(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return minus the distances to the nearest training rows."""
    return -NearestNeighbors(n_neighbors=1).fit(train).kneighbors(test)[0][:, 0]


def mahalanobis(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return minus Mahalanobis distances, by a covariance that is shrunk."""
    return -LedoitWolf().fit(train).mahalanobis(test)


def unexplained(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return minus what 50 principal components of pixels leave."""
    pca = PCA(50, random_state=0).fit(train / 255)
    return -np.square(test / 255 - pca.inverse_transform(pca.transform(test / 255))).sum(axis=1)


def main() -> None:
    """Print the AUROC of every detector and class."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", type=int, default=5000, help="Training images of a class.")
    parser.add_argument("--every", type=int, default=1, help="Take every n-th test image.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--slow", action="store_true", help="Fit the VAE of pixels, too.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, labels = read_split(arguments.data / "cifar10" / "cifar10-train.npz")
    test, kinds = (
        each[:: arguments.every] for each in read_split(arguments.data / "cifar10" / "cifar10-test.npz")
    )
    backbone = Backbone(size=(128, 128), image_shape=SHAPE).fit(test[:1])
    pooled = backbone.transform(test)
    rows = []
    for name in NORMAL:
        train = images[labels == name][: arguments.train]
        scale = make_pipeline(backbone, StandardScaler()).fit(train)
        features = scale.transform(train), scale[1:].transform(pooled)
        scores = {
            "pooled, Mahalanobis": mahalanobis(*features),
            "pooled, nearest": nearest(*features),
            "pixels, PCA": unexplained(train, test),
        }
        for seed in arguments.seeds:
            detector = PatchDetector(image_shape=SHAPE, device="cpu", random_state=seed).fit(train)
            found = {"PatchDetector": detector.score_samples(test)} | scores
            if arguments.slow:
                vae = VAE(anomaly_score="images", image_shape=SHAPE, random_state=seed).fit(train)
                found["VAE, images"] = vae.score_samples(test)
            rows += [
                {"detector": each, "class": name, "AUROC": roc_auc_score(kinds == name, score)}
                for each, score in found.items()
            ]
    table = pd.DataFrame(rows).pivot_table(index="detector", columns="class", values="AUROC", sort=False)
    print(table.assign(mean=table.mean(axis=1)).round(3).to_string())


if __name__ == "__main__":
    main()

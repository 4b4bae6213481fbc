"""What a loss that is added in training brings and costs: one class of images, with and without it.

python benchmarks/perceptual.py --data /path/to/data --seeds 0
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from protocols import Task, add_common_arguments, one_class_images
from sklearn.metrics import roc_auc_score

from vaetools import VAE
from vaetools.anomaly.reference import Reference
from vaetools.anomaly.scores import fit_states
from vaetools.estimators.engine import Engine

SETS = {"mnist": (3, 8), "fashion_mnist": (4, 6), "cifar10": (3, 8)}  # classes among the hardest
LOSSES: dict[str, dict[str, Any]] = {
    "none": {},
    "structure, 0.3": {"added_loss": "structure", "added_weight": 0.3},
    "structure, 1": {"added_loss": "structure"},
    "structure, 3": {"added_loss": "structure", "added_weight": 3.0},
    "pixels, 1": {"added_loss": "pixels"},
    "efficientnet-lite0, 1": {"added_loss": "efficientnet-lite0"},
}


def gradient_energy(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the sum of squared differences between neighboring pixels of every image."""
    images = images.reshape(-1, *shape)
    return sum(np.square(np.diff(images, axis=axis)).sum(axis=(1, 2, 3)) for axis in (2, 3))


def photographs(path: Path, *, only: int | None = None, most: int | None = None) -> tuple[Any, Any]:
    """Return the first of the JPEG images of a file, of one class or of all, as rows, and their labels."""
    with np.load(path) as file:
        chosen = np.flatnonzero(file["label"] == only) if only is not None else np.arange(len(file["label"]))
        data, offset, labels = file["jpeg"].tobytes(), file["offset"], file["label"]
    pictures = (Image.open(io.BytesIO(data[offset[i] : offset[i + 1]])) for i in chosen[:most])
    rows = [np.asarray(picture.convert("RGB")).transpose(2, 0, 1).ravel() for picture in pictures]
    return np.array(rows), labels[chosen[:most]]


def tasks(folder: Path, classes: list[int], n_test: int) -> Iterator[tuple[int, tuple[int, int, int], Task]]:
    """Yield every class against the others, and the shape of its images."""
    if folder.name == "cifar10":
        for label in classes:
            train, _ = photographs(folder / "cifar10-train.npz", only=label)
            test, labels = photographs(folder / "cifar10-test.npz", most=n_test)
            yield label, (3, 32, 32), Task(train, test, labels != label)
        return
    for label, task in one_class_images(folder, classes):
        yield int(label), (1, 28, 28), task._replace(test=task.test[:n_test], is_odd=task.is_odd[:n_test])


def measure(
    task: Task, shape: tuple[int, int, int], seed: int, options: dict[str, Any], epochs: dict[str, int]
) -> dict[str, float]:
    """Fit, and return sharpness, what new images cost, and how well odd ones are found."""
    start = time.process_time()
    dense = {"image_shape": shape, "hidden_channels": ()}  # which train quickly
    vae = VAE(**dense, anomaly_score="images", random_state=seed, **options, **epochs).fit(task.train)
    seconds = time.process_time() - start
    names = ["reconstruction_kl", "structure", "images"]
    if options:  # the state of another score beside those of the one that was fitted
        reference = Reference(lambda asked: Engine(vae).ask(task.train, asked)[0], shape)
        vae.score_state_ |= fit_states("perceptual", reference)
        names.append("perceptual")
    table = vae.score_table(task.test, scores=[*names, "elbo"])
    normal = task.test[~task.is_odd]
    sharp = gradient_energy(vae.reconstruct(normal), shape) / gradient_energy(normal / 255, shape)
    figures = {"sharpness": float(np.median(sharp)), "ELBO": table["elbo"][~task.is_odd].mean()}
    aucs = {name: roc_auc_score(task.is_odd, -table[name]) for name in names}
    return figures | aucs | {"CPU seconds": seconds}


def main() -> None:
    """Fit every loss to every class, and print the figures, averaged over classes and seeds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=list(LOSSES))
    parser.add_argument("--classes", type=int, nargs="+", help="of all sets")
    parser.add_argument("--max-iter", type=int, help="epochs; default: as many as a fit takes")
    parser.add_argument("--test", type=int, default=2_000, help="test images, the first of them")
    options = parser.parse_args()
    results = []
    for name in options.sets:
        classes = options.classes or list(SETS[name])
        for label, shape, task in tasks(options.data / name, classes, options.test):
            for loss in options.losses:
                for seed in options.seeds:
                    epochs = {} if options.max_iter is None else {"max_iter": options.max_iter}
                    found = measure(task, shape, seed, LOSSES[loss], epochs)
                    results.append({"set": name, "class": label, "seed": seed, "loss": loss} | found)
                    print(results[-1], flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    means = frame.drop(columns=["class", "seed"]).groupby(["set", "loss"], sort=False).mean()
    print(means.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

"""Small defects on photographs, learnt from good ones: the detector of patches, its parts and its rivals.

python benchmarks/photographs.py /path/to/magnetic_tile --size 256 --seeds 0 1 2
python benchmarks/photographs.py /path/to/deeppcb --size 640 --every 5

The folder is laid out as inspection sets are: train/good, test/good, test/<defect>, ground_truth/<defect>.
Rivals see the same features of the same training images: the nearest of a greedy cover and the autoencoder
alone, each without what is usual at places alike, and PCA of patches (what 90 % of the variance does not
explain). Their maps are blurred by one place; the score of an image is the maximum of its map.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import Tensor

from vaetools import PatchDetector, read_images
from vaetools.anomaly.localization import Localization
from vaetools.estimators.pictures import through
from vaetools.nn.patch_model import grid_of, within
from vaetools.nn.places import blurred

CPU = torch.device("cpu")
SEEN = 200  # training images that PCA sees places of
Maps = Callable[[Tensor], list[Tensor]]


def read_set(
    folder: Path, size: int, every: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple]:
    """Return training rows, test rows, kinds of these, masks as large as images, and the shape of images."""
    good = read_images(folder / "train" / "good", size=size)
    mode = "gray" if good.image_shape[0] == 1 else "rgb"
    test = read_images(folder / "test", size=size, mode=mode)
    masks = np.zeros((len(test.paths), *test.image_shape[1:]), bool)
    for mask, path in zip(masks, map(Path, test.paths), strict=True):
        truth = folder / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        if truth.exists():
            mask[:] = padded(truth, mask.shape)
    chosen = slice(None, None, every)
    kinds = np.array(test.labels)
    return good.X[chosen], test.X[chosen], kinds[chosen], masks[chosen], np.array(good.image_shape)


def padded(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """Return a mask, scaled and centered as images are."""
    with Image.open(path) as image:
        ratio = min(shape[0] / image.height, shape[1] / image.width)
        size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        scaled = np.asarray(image.convert("L").resize(size, Image.Resampling.NEAREST)) > 0
    whole = np.zeros(shape, bool)
    top, left = (shape[0] - size[1]) // 2, (shape[1] - size[0]) // 2
    whole[top : top + size[1], left : left + size[0]] = scaled
    return whole


def rivals(detector: PatchDetector, train: np.ndarray) -> dict[str, Maps]:
    """Return what makes maps by other means of the same features."""
    model = detector.model_

    def features(images: Tensor) -> list[Tensor]:
        maps, _ = model.maps(images)
        return [(group.features(maps) - group.mean) / group.std for group in model.groups]

    seen = through(
        detector, train[:SEEN], lambda images: [each[:, ::2, ::2] for each in features(images)], CPU
    )
    axes = [PCA(0.9, random_state=0).fit(each.reshape(-1, each.shape[-1])) for each in seen]

    def unexplained(images: Tensor) -> list[Tensor]:
        found = []
        for points, pca in zip(features(images), axes, strict=True):
            rows = points.flatten(0, 2).numpy()
            rest = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(axis=1)
            found.append(torch.from_numpy(rest).float().reshape(points.shape[:3]))
        return found

    def costs(which: int) -> Maps:
        return lambda images: [group.costs(model.maps(images)[0])[0][..., which] for group in model.groups]

    return {"nearest": costs(0), "autoencoder": costs(1), "PCA": unexplained}


def maps_of(detector: PatchDetector, rows: np.ndarray, function: Maps) -> list[np.ndarray]:
    """Return maps of the size of images, blurred by one place, the least outside."""
    shape = detector.image_shape

    def made(images: Tensor) -> list[Tensor]:
        maps, extent = detector.model_.maps(images)
        inside = within(extent, grid_of(maps))
        found = []
        for each in function(images):
            map_ = blurred(each, inside, 1.0)
            map_ = torch.where(inside > 0, map_, map_.amin(dim=(1, 2), keepdim=True))[:, None]
            found.append(torch.nn.functional.interpolate(map_, shape[1:], mode="bilinear")[:, 0])
        return found

    return through(detector, rows, made, CPU)


def figures(maps: np.ndarray, kinds: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """Return AUROC of images and of pixels, and the areas of overlap; of a map that is even, no pixels."""
    scores, odd = maps.max(axis=(1, 2)), kinds != "good"
    found, unit = Localization(), np.abs(maps).mean()
    for map_, mask in zip(maps, masks, strict=True):
        found.add(map_ / unit, mask)
    values = {"image AUROC": roc_auc_score(odd, scores), "pixel AUROC": found.pixel_auroc}
    return values | {"pixel AP": found.average_precision, "AU-PRO 0.3": found.aupro(0.3)}


def main() -> None:
    """Print how well the detector and its rivals find the defects of a set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--every", type=int, default=1, help="Take every n-th image.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--detector-only", action="store_true", help="Leave the rivals out.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train, test, kinds, masks, sides = read_set(arguments.folder, arguments.size, arguments.every)
    shape = tuple(sides.tolist())
    print(f"{len(train)} good images of {shape} train and calibrate, {len(test)} test; one thread")
    rows = []
    for seed in arguments.seeds:
        start = time.perf_counter()
        detector = PatchDetector(image_shape=shape, device="cpu", random_state=seed).fit(train)
        fitted = time.perf_counter()
        maps = detector.heat_maps(test)
        seconds = (time.perf_counter() - fitted) / len(test)
        flagged = maps.max(axis=(1, 2)) > -detector.offset_
        rows.append({"": "PatchDetector", "seed": seed} | figures(maps, kinds, masks))
        for kind in sorted(set(kinds)):
            print(f"seed {seed}: {100 * flagged[kinds == kind].mean():.1f} % of {kind} flagged")
        print(f"seed {seed}: fit {fitted - start:.0f} s, {1000 * seconds:.0f} ms an image")
        for name, function in {} if arguments.detector_only else rivals(detector, train).items():
            each = maps_of(detector, test, function)
            for group, map_ in zip(("fine", "middle"), each, strict=False):
                label = f"{name}, {group}" if len(each) > 1 else name
                rows.append({"": label, "seed": seed} | figures(map_, kinds, masks))
    table = pd.DataFrame(rows).drop(columns="seed").groupby("", sort=False)
    print(table.mean().round(3).to_string())
    if len(arguments.seeds) > 1:
        print("standard errors\n" + table.sem().round(3).to_string())


if __name__ == "__main__":
    main()

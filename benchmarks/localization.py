"""Where on a circuit board is the defect, learnt from boards without one: tiles, surprise and peers.

python benchmarks/localization.py --data /path/to/data --seeds 0
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from protocols import add_common_arguments
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from vaetools import VAE, Gaussian, Tiles, read_images
from vaetools.anomaly.calibration import threshold
from vaetools.anomaly.explanation import heat, heat_range, map_levels, overlay, pixel_surprise

SIDE = 320  # half of the boards' own resolution
TILE, OVERLAP = 32, 16
SMOOTHING = 3.0  # pixels; a defect is about 4 wide, and its box 19
N_TRAIN, N_CALIBRATE = 30_000, 100  # tiles, boards
FALSE_ALARMS = 0.05

Maps = dict[str, np.ndarray]
MapsOf = Callable[[np.ndarray], Maps]


class Boards(NamedTuple):
    """Rows of pixels; masks are (n_defective, SIDE, SIDE) and True inside the boxes of defects."""

    train: np.ndarray
    calibrate: np.ndarray
    good: np.ndarray
    defective: np.ndarray
    masks: np.ndarray


def read_boards(folder: Path, every: int, seed: int) -> Boards:
    """Read boards at half resolution: normal ones to train and calibrate, and every n-th test pair."""

    def read(part: str) -> np.ndarray:
        return read_images(folder / part, size=SIDE, mode="gray").X

    normal = np.random.RandomState(seed).permutation(read("train/good"))
    test = [read(part)[::every] for part in ("test/good", "test/defective", "ground_truth/defective")]
    masks = test[2].reshape(-1, SIDE, SIDE) > 0
    return Boards(normal[N_CALIBRATE:], normal[:N_CALIBRATE], test[0], test[1], masks)


def training_tiles(boards: np.ndarray, seed: int) -> np.ndarray:
    """Return tiles that are not blank, as many as `N_TRAIN`."""
    tiles = Tiles((1, SIDE, SIDE), size=TILE).transform(boards)
    tiles = tiles[np.ptp(tiles, axis=1) > 0]
    return np.random.RandomState(seed).permutation(tiles)[:N_TRAIN]


def tiled(explain: MapsOf, boards: np.ndarray) -> Maps:
    """Return smoothed maps (n, SIDE, SIDE) of boards from values per pixel of their tiles."""
    tiles = Tiles((1, SIDE, SIDE), size=TILE, overlap=OVERLAP)
    parts = [
        {name: tiles.stitch(values) for name, values in explain(tiles.transform(piece)).items()}
        for piece in np.array_split(boards, max(1, len(boards) // 8))
    ]
    return {name: smoothed(np.concatenate([part[name] for part in parts])) for name in parts[0]}


def smoothed(maps: np.ndarray) -> np.ndarray:
    """Smooth maps over the size of a defect."""
    return pixel_surprise(maps.reshape(len(maps), -1), (1, SIDE, SIDE), smoothing=SMOOTHING)


def of_vae(model: VAE) -> MapsOf:
    """Return what maps a fitted VAE gives of tiles: squared error, cost, and cost beyond its entropy."""

    def explain(tiles: np.ndarray) -> Maps:
        explained = model.explain(tiles)
        return {
            "squared error": np.square(explained.value - explained.expected),
            "cost": explained.reconstruction,
            "surprise": explained.surprise,
        }

    return explain


def of_pca(model: PCA) -> MapsOf:
    """Return the squared residual of every pixel."""

    def explain(tiles: np.ndarray) -> Maps:
        scaled = tiles / 255
        return {"squared error": np.square(scaled - model.inverse_transform(model.transform(scaled)))}

    return explain


def median_maps(boards: np.ndarray) -> Maps:
    """Return how far every pixel is from the median around it: a control that learns nothing."""
    images = boards.reshape(-1, SIDE, SIDE)
    medians = np.stack([median_filter(image, 5) for image in images])
    return {"difference": smoothed(np.abs(images.astype(np.float64) - medians) / 255)}


def fit_pca(tiles: np.ndarray, seed: int) -> MapsOf:
    """Fit PCA to tiles; return boards → maps."""
    model = PCA(64, random_state=seed).fit(tiles / 255)
    return lambda boards: tiled(of_pca(model), boards)


def fit_vae(tiles: np.ndarray, seed: int, **options: Any) -> MapsOf:
    """Fit a VAE to tiles; return boards → maps."""
    shape = (1, TILE, TILE)
    model = VAE(image_shape=shape, score_precision="float32", random_state=seed, **options).fit(tiles)
    return lambda boards: tiled(of_vae(model), boards)


def detectors(tiles: np.ndarray, max_iter: int, seed: int) -> dict[str, Callable[[], MapsOf]]:
    """Return by name what fits a detector and gives boards → maps."""
    small = {"n_components": 16, "max_iter": max_iter}
    spatial = {"n_components": 256, "hidden_layer_sizes": (), "hidden_channels": (16, 32, 16)}
    spatial["max_iter"] = max_iter
    predicted = {"likelihood": Gaussian("predicted", floor=0.05)}
    return {
        "median of 5×5": lambda: median_maps,
        "PCA-64": lambda: fit_pca(tiles, seed),
        "VAE": lambda: fit_vae(tiles, seed, **small),
        "VAE, predicted": lambda: fit_vae(tiles, seed, **small, **predicted),
        "VAE, spatial": lambda: fit_vae(tiles, seed, **spatial),
        "VAE, spatial, predicted": lambda: fit_vae(tiles, seed, **spatial, **predicted),
    }


def measure(
    calibrate: np.ndarray, good: np.ndarray, defective: np.ndarray, masks: np.ndarray
) -> dict[str, float]:
    """Return figures of maps: AUROC of pixels and boards, and rates at the calibrated threshold."""
    scores = {"calibrate": calibrate, "good": good, "defective": defective}
    scores = {name: -maps.max(axis=(1, 2)) for name, maps in scores.items()}
    limit = threshold(scores["calibrate"], FALSE_ALARMS)
    is_odd = np.repeat([False, True], [len(good), len(defective)])
    return {
        "pixel AUROC": roc_auc_score(masks.ravel(), defective.ravel()),
        "board AUROC": roc_auc_score(is_odd, -np.concatenate([scores["good"], scores["defective"]])),
        "false alarms": (scores["good"] < limit).mean(),
        "detected": (scores["defective"] < limit).mean(),
    }


def save_overlays(
    folder: Path, name: str, boards: Boards, calibrate: np.ndarray, defective: np.ndarray
) -> None:
    """Write some defective boards with heat over them, and the boxes beside them."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    scale = heat_range(map_levels(calibrate), FALSE_ALARMS)
    some = slice(None, None, max(1, len(defective) // 12))
    gray = boards.defective.reshape(-1, SIDE, SIDE)[some] / 255
    pictures = overlay(heat(defective[some], scale), gray)
    truth = overlay(0.6 * boards.masks[some], gray)
    for i, pair in enumerate(np.concatenate([pictures, truth], axis=2)):
        Image.fromarray(pair).save(folder / f"{name}-{i:02}.png")


def main() -> None:
    """Fit every detector to tiles of normal boards, and print how well it finds defects."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--every", type=int, default=1, help="every n-th pair of test boards")
    parser.add_argument("--max-iter", type=int, default=8, help="epochs over the tiles")
    parser.add_argument("--only", nargs="+", help="names of detectors")
    parser.add_argument("--overlays", type=Path, help="folder for pictures of some boards")
    options = parser.parse_args()

    results: list[dict[str, Any]] = []
    for seed in options.seeds:
        boards = read_boards(options.data / "deeppcb", options.every, seed)
        tiles = training_tiles(boards.train, seed)
        for name, fit in detectors(tiles, options.max_iter, seed).items():
            if options.only and name not in options.only:
                continue
            start = time.perf_counter()
            maps_of = fit()
            parts = [maps_of(part) for part in (boards.calibrate, boards.good, boards.defective)]
            seconds = time.perf_counter() - start
            for kind in parts[0]:
                maps = [part[kind] for part in parts]
                figures = measure(*maps, boards.masks)
                results.append({"seed": seed, "detector": name, "map": kind, **figures, "seconds": seconds})
                print(results[-1], flush=True)
                if options.overlays:
                    save_overlays(options.overlays, f"{name} {kind}", boards, maps[0], maps[2])
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    table = frame.drop(columns="seed").groupby(["detector", "map"], sort=False).agg(["mean", "std"])
    print(table.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

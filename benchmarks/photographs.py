"""Small defects on photographs, learnt from good ones: the detector of patches, its parts and its rivals.

python benchmarks/photographs.py /path/to/magnetic_tile --size 256 --seeds 0 1 2
python benchmarks/photographs.py /path/to/deeppcb --size 640 --every 5 --alone
python benchmarks/photographs.py --drawn parts --pixels

A folder is laid out as inspection sets are: train/good, test/good, test/<defect>, ground_truth/<defect>.
Rivals see the same features of the same training images: the nearest of a greedy cover, the autoencoder
alone, PCA of patches (what 90 % of the variance does not explain), and of whole images the Mahalanobis
distance of mean features. Maps of rivals are logs, blurred by one place, each group in units of what it is at
most on held-out good images, and the greatest counts; so thresholds are theirs too. `its places` are what the
detector says without its judgement of the whole image, with a threshold of images that also told what is
usual, beyond which more good ones lie. --pixels adds detectors that need no network: the one
of patches, and the VAE of whole images at 64 pixels; --alone leaves all rivals out. `found at 5 %` is the
share of defective images beyond the threshold that flags 5 % of the good test images; `on it` that of all
defective ones which are, and the greatest value of whose map is at most a 64th of the side from the defect.
Times are for one thread.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from drawn_photographs import DEFECTS, drawn_set
from PIL import Image
from scipy.ndimage import distance_transform_edt
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_random_state
from torch import Tensor
from torch.nn import functional as F

from vaetools import VAE, PatchDetector, read_images
from vaetools.anomaly.calibration import threshold
from vaetools.anomaly.localization import Localization
from vaetools.estimators.pictures import split_images, through
from vaetools.nn.borders import within
from vaetools.nn.patch_model import grid_of
from vaetools.nn.places import LEAST, blurred, from_rim, scale_of_maxima

CPU = torch.device("cpu")
SEEN = 200  # training images that PCA sees places of
TIMED = 50  # images
SMALL = 64  # pixels a side, for whole images
BY_GROUP = ("nearest", "autoencoder", "PCA")


def read_set(
    folder: Path, size: int, every: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[int, ...]]:
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
    return good.X[chosen], test.X[chosen], kinds[chosen], masks[chosen], good.image_shape


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


class Rivals:
    """Other judges of the same features of the same training images.

    Parameters
    ----------
    detector : PatchDetector
        Fitted.
    rows : ndarray
        Images that it was fitted to.
    """

    def __init__(self, detector: PatchDetector, rows: np.ndarray):
        rng = check_random_state(detector.random_state)
        train, *others = split_images(detector, len(rows), rng)
        held_out = np.concatenate(others)
        self.detector = detector
        seen = self._through(rows[train[:SEEN]], self._places)
        self.axes = [PCA(0.9, random_state=0).fit(each.reshape(-1, each.shape[-1])) for each in seen]
        [pooled] = self._through(rows[train], lambda images: [self._pooled(detector.model_.maps(images)[0])])
        self.pooled = LedoitWolf().fit(pooled)
        good = self.maps(rows[held_out])
        maxima = {name: np.stack([peaks(each) for each in groups], axis=1) for name, groups in good.items()}
        self.scales = {name: scale_of_maxima(torch.from_numpy(each)) for name, each in maxima.items()}
        self.thresholds = {
            name: -threshold(-peaks(maps), detector.false_alarm_rate)
            for name, maps in self.fused(good).items()
        }

    def _through(self, rows: np.ndarray, function: Callable[[Tensor], list[Tensor]]) -> list[np.ndarray]:
        return through(self.detector, rows, function, CPU)

    def _places(self, images: Tensor) -> list[Tensor]:
        """Return standardized features of every second place either way, by group."""
        maps, _ = self.detector.model_.maps(images)
        groups = self.detector.model_.groups
        return [((group.features(maps) - group.mean) / group.std)[:, ::2, ::2] for group in groups]

    @staticmethod
    def _pooled(maps: list[Tensor]) -> Tensor:
        return torch.cat([each.mean(dim=(2, 3)) for each in maps], dim=1)

    def maps(self, rows: np.ndarray) -> dict[str, list[np.ndarray]]:
        """Return the maps of every judge by group, the least outside; of pooled features one number each."""
        model = self.detector.model_
        n_groups = len(model.groups)

        def look(images: Tensor) -> list[Tensor]:
            maps, extent = model.maps(images)
            inside = within(extent, grid_of(maps))
            found, rim = [group.costs(maps) for group in model.groups], from_rim(inside)
            odd = [group.oddness(*each, rim) for group, each in zip(model.groups, found, strict=True)]
            parts = [blurred(costs[..., which].log(), inside, 1.0) for which in (0, 1) for costs, _ in found]
            parts += [blurred(self._unexplained(maps, i).log(), inside, 1.0) for i in range(n_groups)]
            parts.append(model.fused(model.pyramid(odd, inside)))
            least = [each.amin(dim=(1, 2), keepdim=True) for each in parts]
            outside = [torch.where(inside > 0, *pair) for pair in zip(parts, least, strict=True)]
            return [*outside, self._pooled(maps)]

        *parts, places, pooled = self._through(rows, look)
        by_name = {name: parts[i * n_groups : (i + 1) * n_groups] for i, name in enumerate(BY_GROUP)}
        distance = self.pooled.mahalanobis(pooled)[:, None, None]
        return {"its places": [places]} | by_name | {"Mahalanobis, whole image": [distance]}

    def _unexplained(self, maps: list[Tensor], i: int) -> Tensor:
        """Return what PCA of places does not explain."""
        group, pca = self.detector.model_.groups[i], self.axes[i]
        points = (group.features(maps) - group.mean) / group.std
        rows = points.flatten(0, 2).numpy()
        rest = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(axis=1)
        return torch.from_numpy(rest).float().reshape(points.shape[:3]).clamp(min=LEAST)

    def fused(self, maps: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
        """Return one map of every judge: the greatest of its groups, each by the scale of held-out maxima."""
        found = {}
        for name, groups in maps.items():
            center, spread = (each.numpy() for each in self.scales[name])
            standard = [(m - c) / s for m, c, s in zip(groups, center, spread, strict=True)]
            found[name] = np.max(standard, axis=0)
        return found


def peaks(maps: np.ndarray) -> np.ndarray:
    """Return the greatest values of maps."""
    return maps.max(axis=(1, 2))


def figures(maps: np.ndarray, beyond: float, kinds: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """Return AUROC of images and of pixels, areas of overlap, and shares flagged; no pixels of one number."""
    scores, odd = peaks(maps), kinds != "good"
    found_at = scores > np.quantile(scores[~odd], 0.95, method="higher")
    values = {"image AUROC": roc_auc_score(odd, scores), "found at 5 %": found_at[odd].mean()}
    if maps.shape[1] > 1 and masks.any():
        found, on_it = Localization(), []
        for map_, mask in zip(maps, masks, strict=True):
            whole = F.interpolate(torch.from_numpy(map_)[None, None].float(), mask.shape, mode="bilinear")
            found.add(whole[0, 0].numpy(), mask)
            near = distance_transform_edt(~mask) <= max(mask.shape) / 64
            on_it.append(mask.any() and near.flat[int(whole.argmax())])
        values |= {"on it": (found_at & on_it)[odd].mean(), "pixel AUROC": found.pixel_auroc}
        values |= {"pixel AP": found.average_precision, "AU-PRO 0.3": found.aupro(0.3)}
    flagged = scores > beyond
    return values | {"good flagged": flagged[~odd].mean(), "odd flagged": flagged[odd].mean()}


def without_network(
    train: np.ndarray, test: np.ndarray, shape: tuple[int, ...], seed: int
) -> dict[str, tuple[np.ndarray, float]]:
    """Return the maps of detectors of pixels, and their thresholds; of whole images one number each."""
    given = {"device": "cpu", "random_state": seed}
    patches = PatchDetector(backbone=None, image_shape=shape, **given).fit(train)
    small = shape[0], *(round(SMALL * side / max(shape[1:])) for side in shape[1:])
    images = VAE(anomaly_score="images", image_shape=small, **given).fit(shrunk(train, shape, small))
    scores = images.score_samples(shrunk(test, shape, small))
    whole = -scores[:, None, None], -images.offset_
    return {"patches of pixels": (patches.heat_maps(test), -patches.offset_), "VAE of whole images": whole}


def shrunk(rows: np.ndarray, shape: tuple[int, ...], small: tuple[int, ...]) -> np.ndarray:
    """Return images of fewer pixels, means of what they were."""
    means = F.adaptive_avg_pool2d(torch.from_numpy(rows.reshape(-1, *shape)).float(), small[1:])
    return means.round().to(torch.uint8).flatten(1).numpy()


def main() -> None:
    """Print how well the detector and its rivals find the defects of a set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--drawn", choices=DEFECTS, help="Draw a set instead of reading a folder.")
    parser.add_argument("--pixels", action="store_true", help="Add detectors that need no network.")
    parser.add_argument("--alone", action="store_true", help="Leave out all rivals.")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--every", type=int, default=1, help="Take every n-th image.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if (arguments.folder is None) == (arguments.drawn is None):
        parser.error("give either a folder or --drawn")
    if arguments.drawn:
        train, test, kinds, masks, shape = drawn_set(arguments.drawn)
    else:
        train, test, kinds, masks, shape = read_set(arguments.folder, arguments.size, arguments.every)
    print(f"{len(train)} good images of {shape} train and calibrate, {len(test)} test; one thread")
    tables = []
    for seed in arguments.seeds:
        start = time.perf_counter()
        detector = PatchDetector(image_shape=shape, device="cpu", random_state=seed).fit(train)
        fitted = time.perf_counter()
        detector.heat_maps(test[:TIMED])
        seconds = (time.perf_counter() - fitted) / len(test[:TIMED])
        found = {"PatchDetector": (detector.heat_maps(test), -detector.offset_)}
        if not arguments.alone:
            judges = Rivals(detector, train)
            maps = judges.fused(judges.maps(test))
            found |= {name: (each, judges.thresholds[name]) for name, each in maps.items()}
        if arguments.pixels:
            found |= without_network(train, test, shape, seed)
        table = pd.DataFrame({name: figures(*pair, kinds, masks) for name, pair in found.items()}).T
        maps, beyond = found["PatchDetector"]
        flagged = peaks(maps) > beyond
        shares = (f"{100 * flagged[kinds == kind].mean():.0f} % of {kind}" for kind in sorted(set(kinds)))
        print(f"\nseed {seed}: fit {fitted - start:.0f} s, {1000 * seconds:.0f} ms an image")
        print(f"{table.round(3).to_string()}\nflagged: {', '.join(shares)}", flush=True)
        tables.append(table)
    if len(tables) > 1:
        whole = pd.concat(tables).groupby(level=0, sort=False)
        print(f"\nmeans of seeds\n{whole.mean().round(3).to_string()}")
        print(f"\nstandard errors\n{whole.sem().round(3).to_string()}")


if __name__ == "__main__":
    main()

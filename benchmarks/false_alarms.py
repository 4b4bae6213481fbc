"""How often good photographs are flagged, over many random splits of them.

python benchmarks/false_alarms.py /path/to/magnetic_tile --size 256 --splits 200
python benchmarks/false_alarms.py --drawn cells
python benchmarks/false_alarms.py --drawn cells --whole 19

A third of the good images trains the networks once, and all others are looked at once. Every split draws at
random which half of these tells what is usual and calibrates, as in `PatchDetector.fit`; the other is new.
Good images of training and test are drawn from alike, so that they are exchangeable. Places and the whole
judge. With --whole so many good images, drawn at random, all train and calibrate what judges images as a
whole alone, and all others are new.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from drawn_photographs import DEFECTS, drawn_set
from torch import Tensor

from vaetools import PatchDetector, read_images
from vaetools.anomaly.calibration import threshold
from vaetools.anomaly.rates import expected_rate
from vaetools.estimators.pictures import through
from vaetools.nn.borders import unframed, within
from vaetools.nn.patch_model import PatchModel, grid_of
from vaetools.nn.places import from_rim
from vaetools.nn.planting import planted

CPU = torch.device("cpu")
MOST_PLANTED = 60  # images with a defect
RATE = 0.05


class Look(NamedTuple):
    """What a model sees of images: all that is learnt of good ones but for what trains."""

    inside: Tensor  # which places count
    directions: Tensor  # of images as a whole
    planted: Tensor  # the same with a small defect on each
    groups: list[tuple[Tensor, Tensor]]  # costs of places, and what they are near

    def of(self, images: np.ndarray) -> "Look":
        """Return what is seen of some of the images."""
        groups = [(costs[images], which[images]) for costs, which in self.groups]
        return Look(self.inside[images], self.directions[images], self.planted[images], groups)


def looked_at(detector: PatchDetector, rows: np.ndarray) -> Look:
    """Return what a detector sees of good images."""
    model, generator = detector.model_, torch.Generator().manual_seed(0)

    def look(images: Tensor) -> list[Tensor]:
        maps, extent = model.maps(images)
        costs = [each for group in model.groups for each in group.costs(maps)]
        defects, _ = planted(unframed(images)[0], extent, generator)
        wholes = [model.directions(each, extent) for each in (maps, model.features(defects))]
        return [within(extent, grid_of(maps)), *wholes, *costs]

    inside, directions, with_defect, *found = map(torch.from_numpy, through(detector, rows, look, CPU))
    return Look(inside, directions, with_defect, list(zip(found[::2], found[1::2], strict=True)))


def share_flagged(model: PatchModel, telling: Look, new: Look, rate: float) -> float:
    """Return the share of new images flagged, where others tell what is usual and calibrate."""
    assert model.whole is not None  # of photographs
    model.whole.learn_usual(telling.directions)
    pairs = zip(model.groups, telling.groups, strict=True)
    crossed = [group.learn_usual(*each, telling.inside) for group, each in pairs]
    model.learn_levels(model.pyramid(crossed, telling.inside), telling.inside)
    model.whole.learn_share(telling.directions[:MOST_PLANTED], telling.planted[:MOST_PLANTED])
    rim = from_rim(new.inside)
    odd = [group.oddness(*each, rim) for group, each in zip(model.groups, new.groups, strict=True)]
    known, scores = (
        -model.judged(groups, seen.inside, seen.directions, seen.inside.shape[1:]).amax(dim=(1, 2)).double()
        for groups, seen in ((crossed, telling), (odd, new))
    )
    return float((scores.numpy() < threshold(known.numpy(), rate)).mean())


def shares_of_whole(rows: np.ndarray, shape: tuple[int, ...], n: int, splits: int) -> list[float]:
    """Return the share of new images flagged, split by split, where n are judged as a whole alone."""
    detector = PatchDetector(image_shape=shape, scope="whole", device="cpu", random_state=0).fit(rows)
    model, rng = detector.model_, np.random.default_rng(0)
    assert model.whole is not None
    [found] = through(detector, rows, lambda images: [model.directions(*model.maps(images))], CPU)
    shares = []
    for _ in range(splits):
        known, new = np.split(rng.permutation(found), [n])
        scores = -model.whole.learn_crossed(torch.from_numpy(known), n).double().numpy()
        beyond = threshold(scores, RATE)
        shares.append(float((-model.whole(torch.from_numpy(new)).double().numpy() < beyond).mean()))
    return shares


def shares_of_places(rows: np.ndarray, shape: tuple[int, ...], splits: int) -> tuple[list[float], int]:
    """Return the share of new images flagged, split by split, and how many calibrate."""
    rng = np.random.default_rng(0)
    train, pool = np.split(rng.permutation(rows), [len(rows) // 3])
    detector = PatchDetector(image_shape=shape, scope="both", device="cpu", random_state=0).fit(train)
    seen, half, shares = looked_at(detector, pool), len(pool) // 2, []
    for _ in range(splits):
        telling, new = (seen.of(part) for part in np.split(rng.permutation(len(pool)), [half]))
        shares.append(share_flagged(detector.model_, telling, new, RATE))
    return shares, half


def read_good(folder: Path, size: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return rows of all good images of a set, and their shape."""
    good = read_images(folder / "train" / "good", size=size)
    mode = "gray" if good.image_shape[0] == 1 else "rgb"
    more = read_images(folder / "test" / "good", size=size, mode=mode)
    return np.concatenate([good.X, more.X]), good.image_shape


@torch.inference_mode()
def main() -> None:
    """Print the share of good images flagged beside what is promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--drawn", choices=DEFECTS, help="Draw images instead of reading a folder.")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--whole", type=int, help="Images that train and calibrate the whole alone.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.drawn:
        train, test, kinds, _, shape = drawn_set(arguments.drawn)
        rows = np.concatenate([train, test[kinds == "good"]])
    else:
        rows, shape = read_good(arguments.folder, arguments.size)
    if n := arguments.whole:
        shares = shares_of_whole(rows, shape, n, arguments.splits)
    else:
        shares, n = shares_of_places(rows, shape, arguments.splits)
    promised = expected_rate(n, RATE)
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    print(
        f"{arguments.splits} splits of {len(rows)} good images: {100 * np.mean(shares):.2f} % flagged, "
        f"standard error {100 * error:.2f}; promised {100 * promised:.2f} %"
    )


if __name__ == "__main__":
    main()

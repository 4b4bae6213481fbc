"""How often good photographs are flagged, over many random splits of them.

python benchmarks/false_alarms.py /path/to/magnetic_tile --size 256 --splits 200

A third of the good images trains the networks once, and all others are looked at once. Every split draws at
random which of these tell what is usual, which calibrate and which are new, as `PatchDetector.fit` does. Good
images of training and test are drawn from alike, so that they are exchangeable. Places alone judge.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaetools import PatchDetector, read_images
from vaetools.anomaly.calibration import expected_rate, threshold
from vaetools.estimators.pictures import through
from vaetools.nn.patch_model import PatchModel, grid_of, within
from vaetools.nn.places import from_rim

CPU = torch.device("cpu")


def looked_at(detector: PatchDetector, rows: np.ndarray) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Return which places count, and by group costs of places and what they are near."""
    model = detector.model_

    def look(images: Tensor) -> list[Tensor]:
        maps, extent = model.maps(images)
        costs = [each for group in model.groups for each in group.costs(maps)]
        return [within(extent, grid_of(maps)), *costs]

    inside, *found = map(torch.from_numpy, through(detector, rows, look, CPU))
    return inside, list(zip(found[::2], found[1::2], strict=True))


def share_flagged(
    model: PatchModel,
    inside: Tensor,
    found: list[tuple[Tensor, Tensor]],
    parts: list[np.ndarray],
    rate: float,
) -> float:
    """Return the share of new images flagged, of parts that tell what is usual, calibrate, and are new."""
    watched, calibrate, new = parts
    pairs = list(zip(model.groups, found, strict=True))
    places = [
        group.learn_usual(costs[watched], which[watched], inside[watched]) for group, (costs, which) in pairs
    ]
    model.learn_levels(model.pyramid(places, inside[watched]), inside[watched])
    rest = np.concatenate([calibrate, new])
    rim = from_rim(inside[rest])
    odd = [group.oddness(costs[rest], which[rest], rim) for group, (costs, which) in pairs]
    maps = model.fused(model.pyramid(odd, inside[rest])).masked_fill(inside[rest] == 0, -torch.inf)
    scores = -maps.amax(dim=(1, 2)).numpy().astype(np.float64)
    return float((scores[len(calibrate) :] < threshold(scores[: len(calibrate)], rate)).mean())


@torch.inference_mode()
def main() -> None:
    """Print the share of good images flagged beside what is promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--splits", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    good = read_images(arguments.folder / "train" / "good", size=arguments.size)
    mode = "gray" if good.image_shape[0] == 1 else "rgb"
    more = read_images(arguments.folder / "test" / "good", size=arguments.size, mode=mode)
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.concatenate([good.X, more.X]))
    train, pool = np.split(rows, [len(rows) // 3])
    detector = PatchDetector(image_shape=good.image_shape, device="cpu", scope="places", random_state=0)
    detector.fit(train)
    inside, found = looked_at(detector, pool)
    cuts = [len(pool) // 3, 2 * len(pool) // 3]
    shares = []
    for _ in range(arguments.splits):
        parts = np.split(rng.permutation(len(pool)), cuts)
        shares.append(share_flagged(detector.model_, inside, found, parts, detector.false_alarm_rate))
    promised = expected_rate(cuts[1] - cuts[0], detector.false_alarm_rate)
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    print(
        f"{arguments.splits} splits of {len(pool)} good images: {100 * np.mean(shares):.2f} % flagged, "
        f"standard error {100 * error:.2f}; promised {100 * promised:.2f} %"
    )


if __name__ == "__main__":
    main()

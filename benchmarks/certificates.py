"""How often a certified threshold flags more of normal rows than it promises, over 1,000 calibration sets.

python benchmarks/certificates.py --data /path/to/data
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx

from vaetools import VAE
from vaetools.anomaly.calibration import discovery_rank, threshold
from vaetools.anomaly.certificates import most_flagged, most_mistakes
from vaetools.anomaly.rates import n_tolerated

N_TRAINING, N_SPLITS, N_JUDGED = 500, 1000, 500
SIZES = (59, 100, 200, 1000)  # of calibration sets
RATE, CONFIDENCE, DISCOVERIES = 0.05, 0.95, 0.1
TABLES = ("28_pendigits", "30_satellite", "32_shuttle")


def sets(data: Path, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, dict[str, Any]]]:
    """Yield a name, normal rows, odd rows, and what a model of them needs."""
    rng = np.random.RandomState(seed)
    for name, label in (("mnist", 3), ("fashion_mnist", 0)):
        images, labels = (
            read_idx(data / name / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")
        )
        normal, odd = (rng.permutation(images[kept]) for kept in (labels == label, labels != label))
        yield f"{name} {label}", normal, odd, {"image_shape": (1, 28, 28)}
    for name in TABLES:
        with np.load(data / "adbench" / f"{name}.npz", allow_pickle=False) as file:
            rows = rng.permutation(np.unique(np.c_[file["X"], file["y"]], axis=0))
            yield name, rows[rows[:, -1] == 0, :-1][:10_000], rows[rows[:, -1] == 1, :-1], {}


def broken(normal: np.ndarray, odd: np.ndarray, n: int, seed: int) -> dict[str, float]:
    """Return how often promises broke over calibration sets of n normal scores, and what was flagged.

    All other normal rows tell the share that is flagged; N_JUDGED of them, and the odd ones, are judged.
    """
    rng = np.random.RandomState(seed)
    at_all = most_mistakes(N_JUDGED + len(odd), n, CONFIDENCE)
    at_one = most_flagged(N_JUDGED, n, n_tolerated(n, RATE, CONFIDENCE), CONFIDENCE)
    shares, more, most = [], 0, 0
    for _ in range(N_SPLITS):
        known, others = np.split(rng.permutation(normal), [n])
        offset = threshold(known, RATE, CONFIDENCE)
        shares.append((others < offset).mean())
        judged = others[:N_JUDGED]
        more += (judged < offset).sum() > at_one
        below = np.searchsorted(np.sort(known), np.concatenate([judged, odd]), side="right")
        if k := discovery_rank(np.bincount(below, minlength=n + 1), DISCOVERIES):
            most += (below[:N_JUDGED] < k).sum() > at_all[k - 1]
    return {
        "flagged": float(np.mean(shares)),
        "over the rate": float(np.mean(np.array(shares) > RATE)),
        "over the bound": more / N_SPLITS,
        "selected, over the bound": most / N_SPLITS,
    }


def main() -> None:
    """Fit a model of every set by every seed, and print how often its promises break."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    options = parser.parse_args()
    results = []
    for seed in options.seeds:
        for name, normal, odd, settings in sets(options.data, seed):
            vae = VAE(**settings, random_state=seed).fit(normal[:N_TRAINING])
            scores, odd_scores = vae.score_samples(normal[N_TRAINING:]), vae.score_samples(odd[:N_JUDGED])
            for n in SIZES:
                if len(scores) >= n + 2 * N_JUDGED:
                    found = broken(scores, odd_scores, n, seed)
                    results.append({"set": name, "seed": seed, "rows": n} | found)
    frame = pd.DataFrame(results)
    slack = 1 - CONFIDENCE + 3 * np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / N_SPLITS)
    print(
        f"promised: at most {1 - CONFIDENCE:.3f} of {N_SPLITS:,} splits, with 3 standard errors {slack:.3f}"
    )
    means = frame.groupby(["rows", "set"], sort=False).mean().drop(columns="seed")
    most = frame.drop(columns=["set", "seed"]).groupby("rows").max()
    for title, table in (("means over seeds", means), ("most of any fit", most)):
        print(f"\n{title}\n{table.to_string(float_format='{:.4f}'.format)}")
    if options.output:
        frame.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()

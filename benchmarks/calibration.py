"""How often verdicts are wrong: false alarms and false discoveries of every score, over 200 calibration sets.

python benchmarks/calibration.py --data /path/to/data
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from protocols import Task, add_common_arguments, one_class_images, one_class_table
from scipy.stats import chisquare
from sklearn.datasets import load_digits

from vaetools import VAE, discoveries
from vaetools.anomaly.calibration import conformal_p_values
from vaetools.anomaly.rates import expected_rate
from vaetools.anomaly.scores import SCORES

N_SPLITS = 200
N_TEST, N_ANOMALIES = 200, 50  # normal and odd rows of a test set, at most
ALPHA = 0.05
RATE = 0.1  # of false discoveries
TABLES = ("6_cardio", "28_pendigits", "30_satellite")  # with few copies of rows: ties only lower the rates


def digits_task(seed: int) -> Task:
    """Return digits with 8 as the odd one."""
    X, y = load_digits(return_X_y=True)
    X = (X * 255 / 16).astype(np.uint8)
    normal = np.random.RandomState(seed).permutation(np.flatnonzero(y != 8))
    train, test = normal[:800], np.concatenate([normal[800:], np.flatnonzero(y == 8)])
    return Task(X[train], X[test], y[test] == 8)


def tasks(data: Path, seed: int) -> Iterator[tuple[str, Task, dict[str, Any]]]:
    """Yield a name, the rows and what a model of them needs."""
    yield "digits", digits_task(seed), {"image_shape": (1, 8, 8), "hidden_channels": ()}
    _, task = next(one_class_images(data / "mnist", [3]))
    keep = np.random.RandomState(seed).permutation(len(task.test))[:4000]
    task = Task(task.train, task.test[keep], task.is_odd[keep])
    yield "mnist 3", task, {"image_shape": (1, 28, 28), "hidden_channels": ()}
    for name in TABLES:
        (path,) = (data / "adbench").glob(f"{name}.npz")
        yield name, one_class_table(path, seed), {}


def judge(scores: np.ndarray, is_odd: np.ndarray, rng: np.random.RandomState) -> dict[str, float]:
    """Split normal rows 200 times into calibration and test rows, and compare with what is promised."""
    normal, odd = scores[~is_odd], scores[is_odd]
    n_test = min(N_TEST, len(normal) // 3)
    n_calibration = len(normal) - n_test
    alarms, false_discoveries, found, firsts = [], [], [], []
    for _ in range(N_SPLITS):
        mixed = rng.permutation(normal)
        anomalies = rng.permutation(odd)[:N_ANOMALIES]
        tested = np.concatenate([mixed[:n_test], anomalies])
        p_values = conformal_p_values(tested, mixed[n_test:])
        alarms.append(np.mean(p_values[:n_test] <= ALPHA + 1e-12))
        selected = discoveries(p_values, RATE)
        false_discoveries.append(selected[:n_test].sum() / max(1, selected.sum()))
        found.append(selected[n_test:].mean())
        firsts.append(p_values[0])
    expected = expected_rate(n_calibration, ALPHA)
    error, fdp_error = np.std([alarms, false_discoveries], axis=1, ddof=1) / N_SPLITS**0.5
    counts = np.histogram(firsts, bins=10, range=(0, 1 + 1e-9))[0]
    ranks = np.histogram(np.arange(1, n_calibration + 2) / (n_calibration + 1), bins=10, range=(0, 1 + 1e-9))[
        0
    ]
    return {
        "n_cal": n_calibration,
        "expected": expected,
        "alarms": np.mean(alarms),
        "off, s.e.": (np.mean(alarms) - expected) / max(error, 1e-12),
        "FDP": np.mean(false_discoveries),
        "FDP s.e.": fdp_error,
        "found": np.mean(found),
        "uniform p": chisquare(counts, N_SPLITS * ranks / ranks.sum()).pvalue,
        "kept": abs(np.mean(alarms) - expected) <= 3 * error
        and np.mean(false_discoveries) <= RATE + fdp_error,
    }


def main() -> None:
    """Train once per data set, score once, split 200 times; print every score."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", default=[""], help="parts of names, for fewer sets")
    options = parser.parse_args()

    results = []
    for seed in options.seeds:
        for name, task, settings in tasks(options.data, seed):
            if not any(part in name for part in options.sets):
                continue
            vae = VAE(**settings, random_state=seed)
            table = vae.fit(task.train).score_table(task.test)
            for score, needs in SCORES.items():
                if needs.needs_images and vae.image_shape is None:
                    continue
                if score not in table:  # it has a state of its own, from training rows
                    table[score] = (
                        vae.set_params(anomaly_score=score).fit(task.train).score_samples(task.test)
                    )
                found = judge(table[score].to_numpy(), task.is_odd, np.random.RandomState(seed))
                results.append({"set": name, "seed": seed, "score": score} | found)
            frame = pd.DataFrame([row for row in results if row["set"] == name and row["seed"] == seed])
            print(f"\n{frame.to_string(index=False, float_format='{:.3f}'.format)}", flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    print(f"\nPromises kept: {frame['kept'].sum()} of {len(frame)}")


if __name__ == "__main__":
    main()

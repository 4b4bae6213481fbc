"""`VAE()` on 22 tabular sets of ADBench beside PyOD's, both as they come: seconds and quality.

python benchmarks/table_speed.py --data /path/to/data --peers /path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from interleaved import (
    Contender,
    add_data_argument,
    add_interleaving_arguments,
    add_peers_argument,
    by_round,
    interleave,
    show,
    spread,
    write,
)
from protocols import one_class_table
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from workers import Workers, start_workers

from vaetools import VAE

OURS, FEW = "VAE()", "VAE(), 200 rows"
METRICS = {"AUROC": roc_auc_score, "AP": average_precision_score}


def detect_vaetools(data: str, seed: int, n_rows: int | None = None) -> dict[str, Any]:
    """Fit `VAE()` to a table, or to its first rows, and score another."""
    return _detect(VAE(random_state=seed), data, seed, n_rows)


def detect_forest(data: str, seed: int) -> dict[str, Any]:
    """Fit an IsolationForest to a table, and score another."""
    return _detect(IsolationForest(random_state=seed), data, seed, None)


def _detect(detector: Any, data: str, seed: int, n_rows: int | None) -> dict[str, Any]:
    """Seconds of a fit and of scoring, and the scores."""
    train, test = (np.load(f"{data}.{seed}.{part}.npy") for part in ("train", "test"))
    start = time.perf_counter()
    scores = detector.fit(train[:n_rows]).score_samples(test)
    return {"seconds": time.perf_counter() - start, "scores": scores.tolist()}


def measure_set(path: Path, workers: Workers, n_rounds: int) -> pd.DataFrame:
    """Return seconds, AUROC and AP of every detector on a set; a round has a split of its own."""
    data, truths = str(workers.folder / path.stem), []
    for seed in range(n_rounds):
        task = one_class_table(path, seed)
        np.save(f"{data}.{seed}.train.npy", task.train)
        np.save(f"{data}.{seed}.test.npy", task.test)
        truths.append(task.is_odd)
    detectors = [
        Contender(OURS, workers.ours, "table_speed.detect_vaetools", {"data": data}),
        Contender(FEW, workers.ours, "table_speed.detect_vaetools", {"data": data, "n_rows": 200}),
        Contender("IsolationForest", workers.ours, "table_speed.detect_forest", {"data": data}),
        Contender("PyOD VAE", workers.peers, "peers.detect_pyod", {"data": data}),
    ]
    frame = interleave(detectors, n_rounds)
    scores = [-np.array(scores) for scores in frame.pop("scores")]
    for name, metric in METRICS.items():
        frame[name] = [metric(truths[turn], odd) for turn, odd in zip(frame["round"], scores, strict=True)]
    return frame.assign(set=path.stem)


def line_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a line of the table: ratios to ours, and medians."""
    seconds = by_round(frame)
    line = {f"{name} / ours": spread(seconds[name] / seconds[OURS]) for name in seconds.columns[2:]}
    line |= {f"{name}, s": seconds[name].median() for name in seconds}
    for metric in METRICS:
        values = by_round(frame, metric).drop(columns=FEW)
        line |= {f"{name} {metric}": values[name].mean() for name in values}
    return line


def main() -> None:
    """Print a line per set, and one of sums and means over them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    add_peers_argument(parser)
    add_interleaving_arguments(parser, n_rounds=3)
    parser.add_argument("--sets", nargs="+", default=[""], help="parts of file names, for fewer sets")
    options = parser.parse_args()
    paths = [
        path
        for path in (options.data / "adbench").glob("*.npz")
        if any(part in path.stem for part in options.sets)
    ]
    frames: list[pd.DataFrame] = []
    with start_workers(options.peers, options.threads) as workers:
        for path in sorted(paths, key=lambda path: int(path.stem.split("_")[0])):
            frames.append(measure_set(path, workers, options.rounds))
            write(frames, options.output)
    together = pd.concat(frames)
    lines = {frame["set"].iloc[0]: line_of(frame) for frame in frames}
    total = together.groupby(["round", "contender"], sort=False, as_index=False)
    lines["sum of seconds, mean of quality"] = line_of(
        total.agg({"seconds": "sum"} | dict.fromkeys(METRICS, "mean"))
    )
    table = pd.DataFrame(lines).T
    ratios = [column for column in table if column.endswith("/ ours")]
    seconds = [column for column in table if column.endswith(", s")]
    show("fit and score_samples: ratios of seconds, and seconds", table[ratios + seconds])
    show("quality, mean over rounds", table.drop(columns=ratios + seconds))
    few = by_round(together.assign(round=lambda frame: frame["set"] + frame["round"].astype(str)))[FEW]
    print(f"\n{FEW}: {spread(few)} s, at most {few.max():.2f} s")


if __name__ == "__main__":
    main()

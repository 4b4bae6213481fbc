"""Scoring with Ray on this machine: what a second worker adds, and what a killed one costs.

python benchmarks/ray_scoring.py --rows 200000 --repeats 3
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import signal
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import ray
from PIL import Image

from vaetools import VAE, ImageReader, score_with_ray

SIDE = 28  # pixels
PER_FOLDER = 1000


def make_images(folder: Path, n: int) -> None:
    """Write small gray images with strokes as PNG files, a thousand to a folder and folders alike."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(min(n, PER_FOLDER)):
        strokes = Image.fromarray((rng.random((7, 7)) > 0.7).astype(np.uint8) * 255)
        buffer = io.BytesIO()
        strokes.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(buffer, "PNG")
        contents.append(buffer.getvalue())
    for i in range(n):
        path = folder / f"{i // PER_FOLDER:04d}"
        if i % PER_FOLDER == 0:
            path.mkdir(parents=True)
        (path / f"{i:07d}.png").write_bytes(contents[i % PER_FOLDER])


def make_model(folder: Path) -> VAE:
    """Train an MLP, 784-512-256-20, for a moment: how good it is does not matter here."""
    paths = sorted(folder.rglob("*.png"))[:1000]
    X = ImageReader(image_shape=(1, SIDE, SIDE)).fit([]).transform(paths)
    options = {"hidden_channels": (), "hidden_layer_sizes": (512, 256), "max_iter": 1, "random_state": 0}
    return VAE(20, image_shape=(1, SIDE, SIDE), **options).fit(X)


def rate(output: Path, n_workers: int) -> float:
    """Return rows per second while all workers work: from their first files to their last but one."""
    parts = sorted((path.stat().st_mtime, path) for path in output.glob("part-*"))[:-n_workers]
    start, stop = parts[n_workers - 1][0], parts[-1][0]
    return sum(len(pd.read_parquet(path, columns=["score"])) for _, path in parts[n_workers:]) / (
        stop - start
    )


def run(model: VAE, folder: Path, parent: Path, n_workers: int) -> dict[str, float]:
    """Score everything once."""
    output = parent / f"scores-{time.time_ns()}"
    start = time.perf_counter()
    scored = score_with_ray(model, folder, output, n_workers=n_workers)
    seconds = time.perf_counter() - start
    return {
        "workers": n_workers,
        "seconds": seconds,
        "rows": scored.n_scored,
        "rate": rate(output, n_workers),
    }


def kill_one(parent: Path, n_parts: int, killed: list[int]) -> None:
    """End a worker with SIGKILL when some files are written."""
    while len(list(parent.glob(".killed.*.tmp/part-*"))) < n_parts:
        time.sleep(0.001)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may be over already
            if "MapWorker" in "".join(process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
                return


def main() -> None:
    """Print seconds and rates of one and of two workers, and what a killed worker costs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000, help="PNG files of 28×28 pixels")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, ray {ray.__version__}, {options.rows:,} PNG files")
    with tempfile.TemporaryDirectory() as name:
        parent, folder = Path(name), Path(name, "images")
        make_images(folder, options.rows)
        model = make_model(folder)
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        runs = [run(model, folder, parent, n) for _ in range(options.repeats) for n in (1, 2)]
        print(pd.DataFrame(runs).round(2).to_string(index=False))
        one, two = ([r for r in runs if r["workers"] == n] for n in (1, 2))
        for what, ratios in {
            "rate": [b["rate"] / a["rate"] for a, b in zip(one, two, strict=True)],
            "seconds": [a["seconds"] / b["seconds"] for a, b in zip(one, two, strict=True)],
        }.items():
            print(
                f"two workers against one, by {what}: {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})"
            )

        killed: list[int] = []
        killer = threading.Thread(target=kill_one, args=(parent, 10, killed), daemon=True)
        killer.start()
        start = time.perf_counter()
        scored = score_with_ray(model, folder, parent / "killed", n_workers=2)
        seconds = time.perf_counter() - start
        killer.join()
        ray.shutdown()
        paths = pd.read_parquet(parent / "killed", columns=["path"])["path"]
        lost = {str(path) for path in folder.rglob("*.png")} - set(paths)
        print(
            f"kill -9 of worker {killed[0]} after 10 files: {seconds:.1f} s, {scored.n_scored:,} rows "
            f"written, {int(paths.duplicated().sum())} duplicates, {len(lost)} lost"
        )
        if lost or paths.duplicated().any():
            raise SystemExit("FAILED: rows were lost or repeated")


if __name__ == "__main__":
    main()

"""Peak anonymous memory of fitting on a memory map, and of scoring a folder ten times as long as another.

python benchmarks/memory.py --gigabytes 6 --files 100000
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from folder_scoring import make_pngs
from sklearn.pipeline import make_pipeline

from vaetools import VAE, ImageReader, stream_scores

N_FEATURES = 784


def anonymous_bytes() -> int:
    """Return RssAnon of this process and all below it: mapped file pages do not count."""
    total = 0
    parents, sizes = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        parents[int(fields["Pid"])] = int(fields["PPid"])
        sizes[int(fields["Pid"])] = 1024 * int(fields.get("RssAnon", "0 kB").split()[0])
    for pid, size in sizes.items():
        while pid not in (0, os.getpid()):
            pid = parents.get(pid, 0)
        total += size if pid else 0
    return total


def measured(function: Callable[[], object]) -> tuple[float, float]:
    """Return seconds and peak gigabytes of one call, sampled ten times a second."""
    peak, done = [anonymous_bytes()], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        function()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    return seconds, peak[0] / 1e9


def make_map(path: Path, n: int) -> np.ndarray:
    """Write float32 rows, and return them as a memory map."""
    rows = np.random.default_rng(0).random((10_000, N_FEATURES), dtype=np.float32)
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n, N_FEATURES))
    for start in range(0, n, len(rows)):
        X[start : start + len(rows)] = rows[: n - start]
    X.flush()
    return np.load(path, mmap_mode="r")


def main() -> None:
    """Print seconds and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=6)
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    vae = VAE(hidden_layer_sizes=(64,), max_iter=1, random_state=0)
    with tempfile.TemporaryDirectory() as parent:
        if options.gigabytes:
            X = make_map(Path(parent, "rows.npy"), int(options.gigabytes * 1e9 / (4 * N_FEATURES)))
            seconds, peak = measured(lambda: vae.fit(X))
            print(f"fit on {X.nbytes / 1e9:.1f} GB: {seconds:.0f} s, peak {peak:.2f} GB", flush=True)
            del X
            Path(parent, "rows.npy").unlink()
        folder = Path(parent, "images")
        folder.mkdir()
        make_pngs(folder, options.files)
        reader = ImageReader(image_shape=(1, 28, 28)).fit([])
        files = sorted(str(path) for path in folder.iterdir())
        model = make_pipeline(reader, vae.set_params(image_shape=(1, 28, 28), hidden_channels=()))
        model.fit(files[:2000])
        times = []
        for _ in stream_scores(model, files):  # starts the processes that decode, and fills the disk's cache
            pass
        for n in (len(files) // 10, len(files)):
            seconds, peak = measured(lambda n=n: [None for _ in stream_scores(model, files[:n])])
            times.append(seconds / n)
            print(f"score {n} files: {seconds:.1f} s, peak {peak:.2f} GB", flush=True)
        print(f"time per file, of all to a tenth: {times[1] / times[0]:.2f}")


if __name__ == "__main__":
    main()

"""Training from the cache of a folder of images, against training on the same rows in memory.

python benchmarks/cached_training.py --data PATH
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from protocols import read_idx

from vaetools import VAE, read_images


def main() -> None:
    """Print seconds of both, and their ratio."""
    folder = os.environ.get("VAETOOLS_DATA")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=folder, required=folder is None, help="holds mnist/")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    mnist = Path(options.data, "mnist")
    rows = np.concatenate([read_idx(mnist / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k")])
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "images")
        folder.mkdir()
        for i, row in enumerate(rows):
            Image.fromarray(row.reshape(28, 28)).save(folder / f"{i:05d}.png")
        start = time.perf_counter()
        cached = read_images(folder, cache=Path(parent, "cache.npy")).X
        print(f"decoded {len(cached)} files in {time.perf_counter() - start:.1f} s")
        os.sync()  # a thousand small files being written would slow the first run
        assert np.array_equal(cached, rows)
        model = VAE(image_shape=(1, 28, 28), hidden_channels=(), max_iter=1, random_state=0)
        runs = []
        for _ in range(options.repeats):
            runs.append({})
            for name, X in (("memory", rows), ("cache", cached)):
                start = time.perf_counter()
                model.fit(X)
                runs[-1][name] = time.perf_counter() - start
    seconds = pd.DataFrame(runs)
    print(seconds.round(2).to_string(index=False))
    print(f"speed from the cache: {(seconds['memory'] / seconds['cache']).median():.3f} of that in memory")


if __name__ == "__main__":
    main()

"""What one core does in a second, and what a billion images then cost.

python benchmarks/scaling.py --files 500 --price 0.04
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from folder_scoring import make_pngs
from PIL import Image
from threadpoolctl import threadpool_limits

from vaetools import VAE, ImageReader
from vaetools.stream.flow import verdicts

BILLION = 1e9
MLP = {"n_components": 20, "hidden_channels": (), "hidden_layer_sizes": (512, 256)}
CONV = {"n_components": 32, "hidden_channels": (16, 32, 64), "hidden_layer_sizes": (256,)}


def make_photos(folder: Path, n: int, side: int = 224) -> None:
    """Write smooth color images with noise, as JPEG files."""
    rng = np.random.default_rng(0)
    for i in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (14, 14, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = smooth + rng.integers(-8, 9, (side, side, 1), dtype=np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{i:06d}.jpg", quality=85)


CASES = {  # files, pixels that the model reads, network
    "28×28 PNG, MLP": (make_pngs, (1, 28, 28), MLP),
    "224×224 JPEG at 64×64, conv": (make_photos, (3, 64, 64), CONV),
    "224×224 JPEG at 224×224, conv": (make_photos, (3, 224, 224), CONV),
}


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of some calls, after one that warms up: what a core is busy for."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return float(np.median(times))


def main() -> None:
    """Print a row per kind of image and precision."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=500, help="of each kind")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as parent, threadpool_limits(1):
        torch.set_num_threads(1)
        for name, (make, shape, parameters) in CASES.items():
            folder = Path(parent, name)
            folder.mkdir()
            make(folder, options.files)
            paths = sorted(map(str, folder.iterdir()))
            size = sum(Path(path).stat().st_size for path in paths) / len(paths)
            reader = ImageReader(image_shape=shape, n_jobs=1).fit([])
            X = reader.transform(paths)
            decode = seconds(lambda reader=reader, paths=paths: reader.transform(paths), options.repeats)
            for precision in ("float64", "float32"):
                model = VAE(image_shape=shape, max_iter=1, score_precision=precision, **parameters).fit(
                    X[:200]
                )
                score = seconds(lambda model=model, X=X: verdicts(model, X), options.repeats)
                per_image = (decode + score) / len(paths)
                results.append(
                    {
                        "images": name,
                        "precision": precision,
                        "bytes": size,
                        "TB": size * BILLION / 1e12,
                        "decoded/s": len(paths) / decode,
                        "scored/s": len(paths) / score,
                        "both/s": 1 / per_image,
                        "core days": per_image * BILLION / 86400,
                        "cost": per_image * BILLION / 3600 * options.price,
                    }
                )
    print(
        f"\n{platform.machine()}, one core; TB, core days and cost (a core for an hour: {options.price}) are "
        "those of a billion images"
    )
    print(pd.DataFrame(results).to_string(index=False, float_format="{:,.3g}".format))


if __name__ == "__main__":
    main()

"""Scoring a folder of images, against its two parts alone: decoding, and the forward pass.

python benchmarks/folder_scoring.py --jpegs 20000 --pngs 60000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.pipeline import make_pipeline

from vaetools import VAE, ImageReader, read_images, stream_scores

N_PROCESSES = len(__import__("os").sched_getaffinity(0))
PIECE = 256  # rows per forward pass
NETWORKS = {
    "mlp": {"hidden_channels": ()},
    "conv": {"hidden_channels": (16, 32), "hidden_layer_sizes": (256,)},
}


def make_jpegs(folder: Path, n: int) -> None:
    """Write smooth color images with noise, 256×256."""
    rng = np.random.default_rng(0)
    for i in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((256, 256), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = smooth + rng.integers(-8, 9, (256, 256, 1), dtype=np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{i:06d}.jpg", quality=85)


def make_pngs(folder: Path, n: int) -> None:
    """Write small gray images, 28×28: strokes on black."""
    rng = np.random.default_rng(0)
    for i in range(n):
        strokes = Image.fromarray((rng.random((7, 7)) > 0.7).astype(np.uint8) * 255)
        strokes.resize((28, 28), Image.Resampling.BICUBIC).save(folder / f"{i:06d}.png")


def decode_chunk(paths: list[str], size: tuple[int, int], mode: str) -> np.ndarray:
    """Decode and scale some files, and nothing else."""
    rows = []
    for path in paths:
        with Image.open(path) as image:
            image.draft(mode, (2 * size[0], 2 * size[1]))
            rows.append(np.asarray(image.convert(mode).resize(size, Image.Resampling.BILINEAR)))
    return np.stack(rows)


def decode_alone(paths: list[str], size: tuple[int, int], mode: str) -> Callable[[], None]:
    """Return bare decoding by all cores, with the workers already started."""
    pool = ProcessPoolExecutor(N_PROCESSES)
    chunks = [paths[i : i + 128] for i in range(0, len(paths), 128)]
    n = len(chunks)
    list(pool.map(decode_chunk, chunks[:N_PROCESSES], [size] * n, [mode] * n))

    def run() -> None:
        for _ in pool.map(decode_chunk, chunks, [size] * n, [mode] * n):
            pass

    return run


def forward_alone(model: VAE, rows: np.ndarray) -> Callable[[], None]:
    """Return encoding, decoding and likelihood of rows in memory, in the model's precision."""

    @torch.no_grad()
    def run() -> None:
        for start in range(0, len(rows), PIECE):
            x = torch.from_numpy(rows[start : start + PIECE]).to(model.model_.log_unit.dtype) / 255
            reading = model.model_.read(x)
            (reading.reconstruction.sum(dim=1) + reading.kl.sum(dim=1)).sum().item()

    return run


def seconds(function: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print a row per kind of file, network and precision: milliseconds per image, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jpegs", type=int, default=20_000, help="files of 256×256, scaled to 64×64")
    parser.add_argument("--pngs", type=int, default=60_000, help="files of 28×28")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as parent:
        for kind, make, n, side in (
            ("jpeg", make_jpegs, options.jpegs, 64),
            ("png", make_pngs, options.pngs, 28),
        ):
            folder = Path(parent, kind)
            folder.mkdir()
            make(folder, n)
            images = read_images(folder, size=side)
            mode = "L" if images.image_shape[0] == 1 else "RGB"
            decode = decode_alone(images.paths, (side, side), mode)
            for network, parameters in NETWORKS.items():
                for precision in ("float64", "float32"):
                    model = VAE(
                        image_shape=images.image_shape, max_iter=1, score_precision=precision, **parameters
                    ).fit(images.X[:1000])
                    reader = ImageReader(image_shape=images.image_shape).fit([])
                    forward = forward_alone(model, images.X)
                    pipeline = make_pipeline(reader, model)

                    def score(pipeline: object = pipeline, folder: Path = folder) -> None:
                        for _ in stream_scores(pipeline, folder):
                            pass

                    parts = {"decode": decode, "forward": forward, "score": score}
                    runs = [
                        {name: seconds(part) for name, part in parts.items()} for _ in range(options.repeats)
                    ]
                    per_image = pd.DataFrame(runs).median() / n * 1000
                    results.append(
                        {"files": f"{n} {kind}", "network": network, "precision": precision, **per_image}
                        | {"ratio": per_image["score"] / (per_image["decode"] + per_image["forward"])}
                    )
                    print(results[-1], flush=True)
    table = pd.DataFrame(results)
    print("\nmilliseconds per image, median; ratio = score / (decode + forward)")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()

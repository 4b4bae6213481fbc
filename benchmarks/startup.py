"""Seconds until something is imported, or a command has run: whole processes, in turns.

python benchmarks/startup.py --peers /path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from interleaved import add_interleaving_arguments, add_peers_argument, ratio_table, show, write
from PIL import Image
from sklearn.pipeline import make_pipeline
from workers import processor

from vaetools import VAE, ImageReader, save

BARE, UNIT, LEAST = "python", "import torch", "import click, json"  # what any command is made of


def prepare(folder: Path) -> tuple[Path, Path]:
    """Write a model of small images and an image, and return where they are."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(100):
        paths.append(folder / f"{i}.png")
        Image.fromarray(rng.integers(256, size=(28, 28), dtype=np.uint8)).save(paths[-1])
    reader = ImageReader(image_shape=(1, 28, 28))
    model = make_pipeline(reader, VAE(image_shape=(1, 28, 28), max_iter=1, random_state=0))
    save(model.fit([str(path) for path in paths]), folder / "model.safetensors")
    return folder / "model.safetensors", paths[0]


def commands(folder: Path, peers: Path | None) -> dict[str, list[str]]:
    """Return what is run, by the name of its line."""
    model, image = (str(path) for path in prepare(folder))

    def run(statement: str, python: Path | str = sys.executable) -> list[str]:
        return [str(python), "-c", statement]

    vaetools = [sys.executable, "-m", "vaetools"]
    found = {
        BARE: run("pass"),
        UNIT: run("import torch"),
        LEAST: run("import click, json"),
        "import sklearn.ensemble": run("import sklearn.ensemble"),
        "import vaetools": run("import vaetools"),
        "from vaetools import VAE": run("from vaetools import VAE"),
        "vaetools --version": [*vaetools, "--version"],
        "vaetools --help": [*vaetools, "--help"],
        "vaetools score --help": [*vaetools, "score", "--help"],
        "vaetools info": [*vaetools, "info", model],
        "vaetools score, one image": [*vaetools, "score", model, image, "-o", str(folder / "scores.csv")],
    }
    if peers:
        found["import torch, peers' Python"] = run("import torch", peers)
        found["PyOD's VAE"] = run("from pyod.models.vae import VAE", peers)
        found["pythae's VAE"] = run("from pythae.models import VAE", peers)
    return found


def main() -> None:
    """Print a line per command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_peers_argument(parser)
    add_interleaving_arguments(parser, n_rounds=11)
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        chosen = commands(Path(folder), options.peers)
        for turn in range(-1, options.rounds):  # the first round fills the disk's cache
            for name, command in chosen.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                lines.append({"round": turn, "contender": name, "seconds": time.perf_counter() - start})
    frame = pd.DataFrame(lines)
    frame = frame[frame["round"] >= 0]
    write([frame], options.output)
    units = {f"/ {unit}": unit for unit in (BARE, UNIT, LEAST)}
    show(f"{processor()}: seconds of a whole process", ratio_table(frame, units, ["seconds"]))


if __name__ == "__main__":
    main()

"""Ask commands to end (SIGTERM) at random moments, and look at what they leave.

python benchmarks/terminations.py --kills 20
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from vaetools import load

WAIT = 120  # seconds for a command to end


def make_images(folder: Path, n: int) -> None:
    """Write gray images of noise, of 96×96 pixels."""
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (n, 96, 96), dtype=np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i}.png")


def start(arguments: list[str], folder: Path) -> subprocess.Popen:
    """Start a command in a session of its own, by which its processes are known."""
    command = [sys.executable, "-m", "vaetools", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, start_new_session=True, **quiet)


def n_processes(session: int) -> int:
    """Count the processes of a session that are not dead yet."""
    n = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, found = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        n += int(found) == session and state != "Z"
    return n


def is_whole(path: Path) -> bool:
    """Whether a model can be loaded, or a table has as many lines as it should."""
    if path.suffix == ".safetensors":
        load(path)
    return path.stat().st_size > 0


def terminated(arguments: list[str], folder: Path, output: Path, seconds: float) -> list[str]:
    """Run a command, ask it to end after some seconds, and return what is wrong with what it leaves."""
    before, files = output.read_bytes(), set(folder.iterdir())
    process = start(arguments, folder)
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    faults = []
    try:
        status = process.wait(WAIT)
    except subprocess.TimeoutExpired:
        faults.append("goes on")
        os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    time.sleep(0.5)  # processes that helped see that they are alone
    if n_processes(process.pid):
        faults.append("processes left")
        os.killpg(process.pid, signal.SIGKILL)
    if status not in (0, 143, -signal.SIGTERM):
        faults.append(f"status {status}")
    if output.read_bytes() != before and not is_whole(output):
        faults.append("old file lost")
    stray = {path.name for path in folder.iterdir()} - {path.name for path in files}
    if stray:
        faults.append("stray file")
    return [f"status {status} (by the system)" if status < 0 else f"status {status}", *faults]


def main() -> None:
    """Print for each command how it ended, and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw, n_faults = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "images", options.images)
        fit = ["fit", "images", "-o", "model.safetensors", "--size", "32", "--max-iter", "3"]
        commands = {
            "fit": (fit, "model.safetensors"),
            "score": (
                ["score", "model.safetensors", "images", "-o", "scores.csv", "--fdr", "0.1"],
                "scores.csv",
            ),
            "embed": (["embed", "model.safetensors", "images", "-o", "codes.parquet"], "codes.parquet"),
        }
        for command, (arguments, output) in commands.items():
            begun = time.monotonic()
            if start(arguments, folder).wait():
                raise SystemExit(f"{command} does not work at all")
            whole, found = time.monotonic() - begun, Counter()
            for _ in range(options.kills):
                found.update(terminated(arguments, folder, folder / output, draw.uniform(0, whole)))
            if start(arguments, folder).wait():
                found.update(["does not work afterwards"])
            left = [path.name for path in folder.iterdir() if path.name.startswith((".", "tmp"))]
            found.update([f"left after another run: {left}"] if left else [])
            print(f"{command} ({whole:.1f} s): {dict(found)}", flush=True)
            n_faults += sum(found.values()) - options.kills
    if n_faults:
        raise SystemExit(f"{n_faults} faults")


if __name__ == "__main__":
    main()

"""Look at and decode image files that were changed at random or claim too much, each bounded.

OMP_NUM_THREADS=1 python benchmarks/fuzz_images.py --files 5000
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import warnings
from pathlib import Path

from fuzzing import Bounds, fuzz, n_faults, table

from vaetools.data.decoding import ImageFileError, Recipe, decode, inspect

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.crafted_images import crafted, originals

BOUNDS = Bounds(megabytes=600, seconds=20)
RECIPES = [
    Recipe((3, 16, 16), "pad"),
    Recipe((1, 16, 24), "crop"),
    Recipe((1, 16, 16), "stretch", "uint16"),
    Recipe((3, 16, 16), "pad", "int16"),
]


def attempt(seed: int, files: list[bytes]) -> str:
    """Look at a file and decode it; say what came of it."""
    content = crafted(seed, files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            inspect(lambda: content)
            decode(lambda: content, RECIPES[seed // 4 % len(RECIPES)])
        except ImageFileError as error:
            return re.sub(r"b'.*|[\d,]+", "N", error.reason)
    return "read"


def warm_up(files: list[bytes]) -> None:
    """Import what decoders need, and compress what is compressed, before memory is looked at."""
    for content in files:
        for recipe in RECIPES:
            with contextlib.suppress(ImageFileError):
                decode(lambda content=content: content, recipe)
    for seed in range(0, 400, 4):
        crafted(seed, files)


def main() -> None:
    """Print what came of all files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="Of the first file; the others follow.")
    options = parser.parse_args()
    files = originals()
    warm_up(files)
    seeds = range(options.seed, options.seed + options.files)
    outcomes = fuzz(lambda seed: attempt(seed, files), seeds, BOUNDS)
    print(table(outcomes))
    if n_faults(outcomes):
        raise SystemExit(f"{n_faults(outcomes)} of {len(outcomes)} files are faults")


if __name__ == "__main__":
    main()

"""One class of MNIST or Fashion-MNIST against the other nine: `VAE(image_shape=(1, 28, 28))` beside its peers.

python benchmarks/one_class.py --data /path/to/data --seeds 0 --classes 0 8
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
from protocols import add_common_arguments, image_peers, one_class_images, print_table, quality

from vaetools import VAE


def main() -> None:
    """Fit every detector to every class and seed, and print AUROC and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument(
        "--sets", nargs="+", default=["mnist", "fashion_mnist"], help="folders with IDX files"
    )
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    options = parser.parse_args()

    results = []
    for folder in options.sets:
        for label, task in one_class_images(Path(options.data, folder), options.classes):
            pixels = task._replace(train=task.train / 255, test=task.test / 255)
            for seed in options.seeds:
                vae = VAE(image_shape=(1, 28, 28), random_state=seed)
                for name, detector in {"VAE": vae, **image_peers(seed)}.items():
                    start = time.perf_counter()
                    figures = quality(detector, task if name == "VAE" else pixels)
                    row = {"set": folder, "class": label, "seed": seed, "detector": name, **figures}
                    results.append(row | {"seconds": time.perf_counter() - start})
    results = pd.DataFrame(results)
    if options.output:
        results.to_csv(options.output, index=False)
    for folder, part in results.groupby("set", sort=False):
        print(f"\n{folder}")
        for metric in ("AUROC", "seconds"):
            print_table(part, "class", metric)


if __name__ == "__main__":
    main()

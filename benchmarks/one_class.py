"""One class of MNIST or Fashion-MNIST against the other nine: `VAE(image_shape=(1, 28, 28))` and peers.

python benchmarks/one_class.py --data /path/to/data --seeds 0 --classes 0 8
"""

from __future__ import annotations

import argparse

from protocols import add_common_arguments, image_peers, measure, one_class_images, print_tables

from vaetools import VAE


def main() -> None:
    """Fit every detector to every class and seed, and print AUROC, average precision and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument(
        "--sets", nargs="+", default=["mnist", "fashion_mnist"], help="folders with IDX files"
    )
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    options = parser.parse_args()

    for folder in options.sets:
        results = []
        for label, task in one_class_images(options.data / folder, options.classes):
            pixels = task._replace(train=task.train / 255, test=task.test / 255)
            for seed in options.seeds:
                where = {"set": folder, "class": label, "seed": seed}
                vae = VAE(image_shape=(1, 28, 28), random_state=seed)
                results.append(where | measure("VAE", vae, task))
                results += [where | measure(*peer, pixels) for peer in image_peers(seed).items()]
        print_tables(results, "class", options.output and options.output.with_suffix(f".{folder}.csv"))


if __name__ == "__main__":
    main()

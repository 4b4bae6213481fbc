"""One class of MNIST or Fashion-MNIST against the other nine: `VAE(image_shape=(1, 28, 28))` and peers.

python benchmarks/one_class.py --data /path/to/data --seeds 0 --classes 0 8
"""

from __future__ import annotations

import argparse

from protocols import (
    NearestRows,
    add_common_arguments,
    image_peers,
    measure,
    measure_scores,
    normalized_pixels,
    one_class_images,
    pca_network,
    print_tables,
)

from vaetools import AE, VAE

SHAPE = (1, 28, 28)
SCORES = {
    "VAE": "reconstruction_kl",
    "VAE images": "images",
    "structure": "structure",
    "hidden": "hidden_residual",
    "kNN": "latent_knn",
    "density": "density_of_states",
}


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
            pooled = task._replace(train=normalized_pixels(task.train), test=normalized_pixels(task.test))
            for seed in options.seeds:
                where = {"set": folder, "class": label, "seed": seed}
                vae = VAE(image_shape=SHAPE, anomaly_score="images", random_state=seed)
                found = measure_scores(SCORES, vae, task)
                for n_components in (16, 64):
                    network = pca_network(pixels.train, n_components)
                    pca = AE(
                        network=network,
                        max_iter=0,
                        image_shape=SHAPE,
                        anomaly_score="images",
                        random_state=seed,
                    )
                    found.append(measure(f"PCA-{n_components} images", pca, task))
                found.append(measure("kNN pooled", NearestRows(5), pooled))
                found += [measure(*peer, pixels) for peer in image_peers(seed).items()]
                results += [where | figures for figures in found]
        print_tables(results, "class", options.output and options.output.with_suffix(f".{folder}.csv"))


if __name__ == "__main__":
    main()

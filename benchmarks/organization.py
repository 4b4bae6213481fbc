"""AE against VAE on MNIST: the measures of a latent space, and which of them tell the two apart.

python benchmarks/organization.py --data /path/to/data --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx

from vaetools import AE, VAE
from vaetools.latent import organization as o
from vaetools.latent.organization import Measure
from vaetools.latent.paths import interpolate

MODELS = {
    "AE": (AE, "gaussian"),
    "VAE Gaussian": (VAE, "gaussian"),
    "VAE Bernoulli": (VAE, "bernoulli"),
}
N_DRAWN, N_PAIRS, N_STEPS = 3000, 300, 11
# what theory says of a VAE beside an AE; of the other measures it says nothing
LOWER = [
    "moment_kl",
    "sliced_wasserstein",
    "correlation",
    "prior_empty",
    "holes",
    "off_codes",
    "off_data",
]
HIGHER = ["precision", "coverage", "class_entropy"]


def load(folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training images, and test images in an order of the seed with their labels."""
    X = read_idx(folder / "train-images-idx3-ubyte.gz")
    X_test = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    y_test = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
    order = np.random.default_rng(seed).permutation(len(X_test))
    return X, X_test[order], y_test[order]


def posterior_draws(model: Any, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a draw from the posterior of every row; an AE's codes."""
    if isinstance(model, AE):
        return model.transform(X)
    posterior = model.posterior(X)
    return posterior.mean + posterior.std * rng.normal(size=posterior.mean.shape)


def measure_codes(X: np.ndarray, y: np.ndarray, Z: np.ndarray) -> dict[str, Measure]:
    """Measure neighbors, classes and use of dimensions of latent means."""
    return {
        "trustworthiness": o.trustworthiness(X, Z),
        "continuity": o.continuity(X, Z),
        "neighborhood_overlap": o.neighborhood_overlap(X, Z),
        "knn_accuracy": o.knn_accuracy(Z, y),
        "silhouette": o.silhouette(Z, y),
        "cluster_agreement": o.cluster_agreement(Z, y),
        "linear_probe": o.linear_probe(Z, y),
        "effective_rank": o.effective_rank(Z),
        "active_units": Measure(*[o.active_units(Z)] * 3),
    }


def measure_cloud(draws: np.ndarray, train_draws: np.ndarray) -> dict[str, Measure]:
    """Measure roundness and gaps of posterior draws."""
    return {
        "moment_kl": o.moment_kl(draws),
        "sliced_wasserstein": o.sliced_wasserstein(draws),
        "correlation": o.correlation(draws),
        "prior_empty": o.prior_empty(draws),
        "holes": o.holes(train_draws),
        "off_codes": o.off_codes(train_draws, draws),
    }


def measure_samples(samples: np.ndarray, X: np.ndarray, y: np.ndarray) -> dict[str, Measure]:
    """Measure whether samples look like rows, and fall into their classes."""
    probabilities = o.knn_probabilities(X, y, samples)
    return {
        "off_data": o.off_data(samples, X),
        "precision": o.precision(samples, X),
        "recall": o.recall(samples, X),
        "density": o.density(samples, X),
        "coverage": o.coverage(samples, X),
        "class_entropy": o.class_entropy(probabilities),
        "ambiguity": o.ambiguity(probabilities),
    }


def measure_paths(paths: np.ndarray, X: np.ndarray) -> dict[str, Measure]:
    """Measure decoded interpolations."""
    return {
        "path_length": o.path_length(paths),
        "jumps": o.jumps(paths),
        "off_data_between": o.off_data(paths[:, 1:-1].reshape(-1, paths.shape[2]), X),
    }


def measure(
    model: Any, X_train: np.ndarray, X_test: np.ndarray, y: np.ndarray, seed: int
) -> dict[str, Measure]:
    """Return every measure of a fitted model."""
    rng = np.random.default_rng(seed)
    X, Z = X_test / 255, model.transform(X_test)
    draws = posterior_draws(model, X_test, rng)
    some = rng.permutation(len(X_train))[: len(X_test)]
    train_draws = posterior_draws(model, X_train[some], rng)
    prior = rng.normal(size=(N_DRAWN, Z.shape[1]))
    codes = np.concatenate([interpolate(*pair, N_STEPS) for pair in Z[: 2 * N_PAIRS].reshape(N_PAIRS, 2, -1)])
    paths = model.inverse_transform(codes).reshape(N_PAIRS, N_STEPS, -1)
    reconstructed = model.inverse_transform(Z)
    return {
        **measure_codes(X, y, Z),
        **measure_cloud(draws, train_draws),
        **measure_samples(model.inverse_transform(prior), X, y),
        **measure_paths(paths, X),
        "mse": o.mse(X, reconstructed),
        "psnr": o.psnr(X, reconstructed),
        "ssim": o.ssim(X, reconstructed, (1, 28, 28)),
    }


def verdict(ae: pd.DataFrame, vae: pd.DataFrame, name: str) -> str:
    """Say whether the intervals of all seeds lie apart, and whether theory says so."""
    if (vae["low"] > ae["high"].max()).all():
        found = HIGHER
    elif (vae["high"] < ae["low"].min()).all():
        found = LOWER
    else:
        return "overlap" if name in LOWER + HIGHER else "(overlap)"
    if name in LOWER + HIGHER:
        return "as theory says" if name in found else "REVERSED"
    return "(higher)" if found is HIGHER else "(lower)"


def print_table(frame: pd.DataFrame) -> None:
    """Print every measure of every model, the mean over seeds and the span of all intervals."""
    lines = {}
    for name, rows in frame.groupby("measure", sort=False):
        by_model = dict(list(rows.groupby("model", sort=False)))
        line = {
            model: f"{part['value'].mean():.3f} [{part['low'].min():.3f}, {part['high'].max():.3f}]"
            for model, part in by_model.items()
        }
        if "AE" in by_model:
            for model in [model for model in by_model if model.startswith("VAE")]:
                line[f"AE, {model}"] = verdict(by_model["AE"], by_model[model], name)
        lines[name] = line
    print(pd.DataFrame(lines).T.fillna("").to_string(), flush=True)


def main() -> None:
    """Fit every model to every seed, measure its latent space, and print who differs from whom."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--components", type=int, nargs="+", default=[2, 16])
    parser.add_argument("--rows", type=int, default=60_000, help="training images; default: all")
    parser.add_argument("--max-iter", type=int, default=20, help="epochs; default: 20")
    options = parser.parse_args()

    found = []
    for seed in options.seeds:
        X_train, X_test, y = load(options.data / "mnist", seed)
        X_train = X_train[: options.rows]
        half = len(X_test) // 2
        new_rows = measure_samples(X_test[half : half + N_DRAWN] / 255, X_test[:half] / 255, y[:half])
        for n_components in options.components:
            where = {"components": n_components, "seed": seed}
            found += [
                where | {"model": "new rows", "measure": name} | m._asdict() for name, m in new_rows.items()
            ]
            for name, (estimator, likelihood) in MODELS.items():
                start = time.perf_counter()
                model = estimator(
                    n_components,
                    hidden_layer_sizes=(512, 256),
                    likelihood=likelihood,
                    max_iter=options.max_iter,
                    learning_rate_init=2e-3,
                    score_precision="float32",
                    random_state=seed,
                ).fit(X_train)
                fitted = time.perf_counter()
                measures = measure(model, X_train, X_test, y, seed)
                done = time.perf_counter()
                print(
                    f"{where} {name}: fit {fitted - start:.0f} s, measures {done - fitted:.0f} s", flush=True
                )
                found += [
                    where | {"model": name, "measure": key} | m._asdict() for key, m in measures.items()
                ]
    frame = pd.DataFrame(found)
    if options.output:
        frame.to_csv(options.output, index=False)
    for n_components, part in frame.groupby("components"):
        print(f"\n{n_components} components")
        print_table(part)


if __name__ == "__main__":
    main()

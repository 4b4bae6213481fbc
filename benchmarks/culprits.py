"""Tables with one column set far off: how often `explain` names it first, or among its first three.

python benchmarks/culprits.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_wine

from vaetools import VAE, Gaussian

SETS = {"wine": load_wine, "breast cancer": load_breast_cancer}
LIKELIHOODS = {
    "per_feature": Gaussian("per_feature"),
    "gaussian, the default": "gaussian",
    "predicted": Gaussian("predicted"),
}
N_NEW = 50  # rows that train nothing
FARS = (4, 8, 20)  # standard deviations


def main() -> None:
    """Fit every likelihood to every set with every seed, and print the mean shares over seeds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parsed = parser.parse_args()
    shares = pd.DataFrame(share for name in SETS for seed in parsed.seeds for share in measure(name, seed))
    means = shares.groupby(["set", "likelihood", "k"], sort=False)[["first", "of three"]].mean()
    print(means.unstack("k").round(3).to_string())


def measure(table: str, seed: int) -> Iterator[dict[str, object]]:
    """Yield, for every likelihood and distance, how often the column is first, and among the first three."""
    X = np.random.default_rng(seed).permutation(SETS[table](return_X_y=True)[0])
    new, known = X[:N_NEW], X[N_NEW:]
    mean, std = known.mean(axis=0), known.std(axis=0)
    for name, likelihood in LIKELIHOODS.items():
        model = VAE(likelihood=likelihood, random_state=seed).fit(known)
        for k in FARS:
            odd = mean + k * std
            ranks = np.concatenate([place(model, new, column, odd[column]) for column in range(len(odd))])
            facts = {"set": table, "likelihood": name, "k": k}
            yield facts | {"first": (ranks == 0).mean(), "of three": (ranks < 3).mean()}


def place(model: VAE, rows: np.ndarray, column: int, value: float) -> np.ndarray:
    """Return how many columns are more surprising than one that is set to a value, of every row."""
    wrong = rows.copy()
    wrong[:, column] = value
    surprise = model.explain(wrong).surprise
    return (surprise > surprise[:, [column]]).sum(axis=1)


if __name__ == "__main__":
    main()

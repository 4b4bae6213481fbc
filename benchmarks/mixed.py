"""Tables with categories and missing cells: imputation, and planted odd cells.

    python benchmarks/mixed.py [--seeds 0 1 2] [--output FILE.csv]

Prints mean and standard deviation over seeds.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from vaetools import VAE

N_ROWS, N_FACTORS, MISSING = 4000, 3, 0.2
N_NUMBERS, N_CATEGORIES = 8, (2, 2, 2, 2, 3, 4, 5, 6)  # columns of two categories are booleans
NOISE = 0.3  # of numbers; what the factors explain of them has variance 1
SHARPNESS = 6.0  # of categories: how surely the factors decide
CONTRADICTION = 5.0, np.log(100)  # a number so many noise scales off, a category of at most 1 %


class World:
    """Loadings of columns on a few hidden factors: the known generator of a table."""

    def __init__(self, rng: np.random.Generator):
        numbers = rng.normal(size=(N_FACTORS, N_NUMBERS))
        self.numbers = numbers / np.linalg.norm(numbers, axis=0)
        self.categories = [rng.normal(size=(N_FACTORS, k)) for k in N_CATEGORIES]

    def expected(self, factors: np.ndarray) -> list[np.ndarray]:
        """Return what the factors say of each column: expected numbers, or log-probabilities."""
        return [
            *(factors @ self.numbers).T,
            *(log_softmax(SHARPNESS * factors @ loadings, axis=1) for loadings in self.categories),
        ]

    def draw(self, n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return factors, and rows of numbers and codes, ``(n_rows, n_columns)``."""
        factors = rng.normal(size=(n_rows, N_FACTORS))
        columns = [
            what + NOISE * rng.normal(size=n_rows)
            if what.ndim == 1
            else (what + rng.gumbel(size=what.shape)).argmax(axis=1)
            for what in self.expected(factors)
        ]
        return factors, np.column_stack(columns)

    def plant(
        self, factors: np.ndarray, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, Any]:
        """Put a value of another row, which contradicts the factors, into one cell of every row."""
        spoilt, places = rows.copy(), np.full(len(rows), -1)
        expected = self.expected(factors)
        while (places < 0).any():
            for row in np.flatnonzero(places < 0):
                column = rng.integers(rows.shape[1])
                value, what = rows[rng.integers(len(rows)), column], expected[column][row]
                if column < N_NUMBERS:
                    contradicts = abs(value - what) > CONTRADICTION[0] * NOISE
                else:
                    contradicts = -what[int(value)] > CONTRADICTION[1]
                if contradicts:
                    spoilt[row, column], places[row] = value, column
        return spoilt, places


def as_table(rows: np.ndarray, missing: np.ndarray) -> pd.DataFrame:
    """Return rows as a DataFrame of floats, booleans and texts, some of its cells missing."""
    columns: dict[str, Any] = {}
    for i in range(N_NUMBERS):
        columns[f"number {i}"] = 10.0**i * rows[:, i]
    for i, k in enumerate(N_CATEGORIES, start=N_NUMBERS):
        codes = rows[:, i].astype(int)
        columns[f"category {i}"] = (codes == 1).astype(object) if k == 2 else np.array(list("abcdef"))[codes]
    return pd.DataFrame(columns).mask(missing)


def imputation(truth: pd.DataFrame, filled: pd.DataFrame, missing: np.ndarray) -> dict[str, float]:
    """Return RMSE of missing numbers, in column standard deviations, and error rate of categories."""
    numbers, words = missing[:, :N_NUMBERS], missing[:, N_NUMBERS:]
    known = truth.iloc[:, :N_NUMBERS].astype(float)
    errors = ((filled.iloc[:, :N_NUMBERS].astype(float) - known) / known.std()).to_numpy()
    wrong = (filled.iloc[:, N_NUMBERS:] != truth.iloc[:, N_NUMBERS:]).to_numpy()
    return {"RMSE": float(np.sqrt(np.mean(errors[numbers] ** 2))), "error rate": float(wrong[words].mean())}


def measure(seed: int) -> list[dict[str, Any]]:
    """Return a row of results per way to impute; the model's own says also how many odd cells it finds."""
    rng = np.random.default_rng(seed)
    world = World(rng)
    (_, train), (factors, test) = world.draw(N_ROWS, rng), world.draw(N_ROWS, rng)
    X = as_table(train, rng.random(train.shape) < MISSING)
    missing, nothing = rng.random(test.shape) < MISSING, np.zeros(test.shape, bool)
    truth, gappy = as_table(test, nothing), as_table(test, missing)
    start = time.perf_counter()
    model = VAE(likelihood="mixed", random_state=seed).fit(X)
    seconds = time.perf_counter() - start
    plain = {**X.iloc[:, :N_NUMBERS].mean(), **X.iloc[:, N_NUMBERS:].mode().iloc[0]}
    best = np.column_stack(
        [what if what.ndim == 1 else what.argmax(axis=1) for what in world.expected(factors)]
    )
    ways = {
        "means and modes": gappy.fillna(plain),
        "VAE": gappy.fillna(model.reconstruct(gappy)),
        "the true factors": as_table(best, nothing),
    }
    results = [
        {"seed": seed, "imputed by": name, **imputation(truth, filled, missing)}
        for name, filled in ways.items()
    ]
    spoilt, places = world.plant(factors, test, rng)
    missing[np.arange(N_ROWS), places] = False
    found = np.nanargmax(model.explain(as_table(spoilt, missing)).surprise, axis=1) == places
    results[1] |= {"odd cells first": found.mean(), "seconds": seconds}
    results[1] |= {
        "numbers": found[places < N_NUMBERS].mean(),
        "categories": found[places >= N_NUMBERS].mean(),
    }
    return results


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--output", help="CSV file for one line per seed and way")
    arguments = parser.parse_args()
    results = pd.DataFrame([row for seed in arguments.seeds for row in measure(seed)])
    if arguments.output:
        results.to_csv(arguments.output, index=False)
    by_way = results.drop(columns="seed").groupby("imputed by", sort=False)
    summary = by_way.agg(["mean", "std"]).round(3)
    print("Missing cells, imputed:", summary[["RMSE", "error rate"]].to_string(), sep="\n")
    means = by_way[["RMSE", "error rate"]].mean()
    low, own, high = (means.loc[way] for way in ("the true factors", "VAE", "means and modes"))
    print("\nShare of the error of means and modes that is left:", (own / high).round(3).to_dict())
    print(
        "Share of what that error exceeds the true factors' by:",
        ((own - low) / (high - low)).round(3).to_dict(),
    )
    odd = summary.loc["VAE", ["odd cells first", "numbers", "categories", "seconds"]].unstack()
    print(
        "\nThe odd cell is the most surprising of its row, of all rows and by its kind:",
        odd.to_string(),
        sep="\n",
    )


if __name__ == "__main__":
    main()

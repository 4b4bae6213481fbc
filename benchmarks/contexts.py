"""Odd in its context: rows that are normal anywhere, wrong for their group, among columns that say nothing.

python benchmarks/contexts.py [--rows 4000] [--seeds 0 1 2]

Eight machines, and the hour of the day. Each of 30 columns depends on five hidden numbers; three of them on
the machine, too, and two on the hour. Odd rows are normal ones that are said to come from another machine, so
that by themselves they are as normal as any. Rivals see the same rows with the context as columns beside
them: the machine one-hot, the hour as cosine and sine. Both models learn a scale per column, because what a
context tells of a column leaves less of it to chance. `alarms` is the share of new normal rows that are
flagged, and `worst group` that of the machine that is farthest from what is promised, in standard errors.
"""

import argparse
import math
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from vaetools import CVAE, VAE, Gaussian

N_MACHINES, N_COLUMNS, N_HIDDEN = 8, 30, 5
MACHINES = np.array(list("abcdefgh"))


class World:
    """What machines and hours do to columns."""

    def __init__(self, rng: np.random.RandomState):
        self.rng = rng
        self.mixing = rng.randn(N_HIDDEN, N_COLUMNS)
        self.of_machine = np.zeros((N_MACHINES, N_COLUMNS))
        self.of_machine[:, :3] = 2.5 * rng.randn(N_MACHINES, 3)

    def draw(self, n: int) -> tuple[np.ndarray, pd.DataFrame]:
        """Return rows, and the machine and hour of each."""
        machine, hour = self.rng.randint(N_MACHINES, size=n), self.rng.uniform(0, 24, n)
        rows = self.rng.randn(n, N_HIDDEN) @ self.mixing + 0.7 * self.rng.randn(n, N_COLUMNS)
        rows += self.of_machine[machine]
        rows[:, 3] += 2 * np.sin(2 * math.pi * hour / 24)
        rows[:, 4] += 2 * np.cos(2 * math.pi * hour / 24)
        return rows, pd.DataFrame({"machine": MACHINES[machine], "hour": hour})

    def swapped(self, context: pd.DataFrame) -> pd.DataFrame:
        """Return contexts with another machine each."""
        place = np.searchsorted(MACHINES, context["machine"])
        others = (place + self.rng.randint(1, N_MACHINES, size=len(place))) % N_MACHINES
        return context.assign(machine=MACHINES[others])


def beside(rows: np.ndarray, context: pd.DataFrame) -> np.ndarray:
    """Return rows with their context as columns."""
    angle = 2 * math.pi * context["hour"].to_numpy() / 24
    one_hot = (context["machine"].to_numpy()[:, None] == MACHINES).astype(float)
    return np.column_stack([rows, one_hot, np.cos(angle), np.sin(angle)])


def cyclic(context: pd.DataFrame) -> pd.DataFrame:
    """Return a context whose hours go round."""
    angle = 2 * math.pi * context["hour"] / 24
    return pd.DataFrame({"machine": context["machine"], "cos": np.cos(angle), "sin": np.sin(angle)})


def measure(n: int, seed: int) -> dict[str, float]:
    """Return AUROC of all, and false alarms of the conditional model."""
    world = World(np.random.RandomState(seed))
    (train, told), (normal, of_normal), (odd, of_odd) = world.draw(n), world.draw(n), world.draw(n // 10)
    of_odd = world.swapped(of_odd)
    is_normal = np.repeat([1, 0], [len(normal), len(odd)])
    model = CVAE(likelihood=Gaussian("per_feature"), random_state=seed).fit(train, cyclic(told))
    scores = {
        "CVAE": (model.score_samples(normal, cyclic(of_normal)), model.score_samples(odd, cyclic(of_odd)))
    }
    every, both = beside(train, told), [beside(normal, of_normal), beside(odd, of_odd)]
    vae = VAE(likelihood=Gaussian("per_feature"), random_state=seed).fit(every)
    scores["VAE of all columns"] = vae.score_samples(both[0]), vae.score_samples(both[1])
    scaler = StandardScaler().fit(every)
    neighbor = NearestNeighbors(n_neighbors=1).fit(scaler.transform(every))
    far = [-neighbor.kneighbors(scaler.transform(each))[0][:, 0] for each in both]
    scores["nearest neighbor"] = far[0], far[1]
    found = {name: roc_auc_score(is_normal, np.concatenate(each)) for name, each in scores.items()}
    flagged = model.predict(normal, cyclic(of_normal)) == -1
    groups = of_normal["machine"].to_numpy()
    off = [off_by(flagged[groups == machine], n * 0.2 / N_MACHINES) for machine in MACHINES]
    return found | {"alarms": flagged.mean(), "worst group": max(off, key=abs)}


def off_by(flagged: np.ndarray, n_calibration: float, rate: float = 0.05) -> float:
    """Return how far a share of alarms is from what is promised, in standard errors of both."""
    k = math.floor(rate * (n_calibration + 1))
    promised = k / (n_calibration + 1)
    variance = promised * (1 - promised) * (1 / len(flagged) + 1 / (n_calibration + 2))
    return (flagged.mean() - promised) / math.sqrt(variance)


def main() -> None:
    """Print a line per seed, and the mean."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        table = pd.DataFrame(
            [measure(arguments.rows, seed) for seed in arguments.seeds], index=arguments.seeds
        )
    table.loc["mean"] = table.mean()
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()

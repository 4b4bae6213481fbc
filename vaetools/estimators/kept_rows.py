"""Rows that an estimator keeps of all that it has seen, each as likely as any other, so that it can go on.

They are arrays by name, as a model file has them: ``rows``, ``n_seen``, how many they were drawn from, and
``labels`` where an estimator is conditional, and ``weights`` where rows that train were told some, which are
1 where they were not.
"""

from typing import Any

import numpy as np

from vaetools.nn.batches import InputScale

MOST = {"trained": 20_000, "watching": 2_000, "calibrating": 2_000}  # rows that are kept, by their job

Kept = dict[str, Any]


def kept_of(X: np.ndarray, labels: Any = None, weights: Any = None, index: Any = slice(None)) -> Kept:
    """Return some of rows as kept ones that were drawn from no others."""
    rows = np.asarray(X[index])
    told = {"labels": labels, "weights": weights}
    known = {name: values[index] for name, values in told.items() if values is not None}
    return {"rows": rows, "n_seen": len(rows)} | known


def weights_in(job: str, weights: np.ndarray | None) -> np.ndarray | None:
    """Return weights of rows in a job: those that calibrate are taken as they are."""
    return None if job == "calibrating" else weights


def weights_of(kept: Kept) -> np.ndarray:
    """Return weights of kept rows, which are 1 where none were told."""
    weights: np.ndarray = kept.get("weights", np.ones(len(kept["rows"])))
    return weights


def mean_weight(kept: Kept) -> float:
    """Return the mean weight of kept rows, of which there are some."""
    return float(weights_of(kept).mean())


def some(kept: Kept, n: int, rng: np.random.RandomState) -> Kept:
    """Return so many of the kept rows, or all if they are fewer."""
    n_kept = len(kept["rows"])
    if n_kept <= n:
        return kept
    index = np.sort(rng.choice(n_kept, n, replace=False))
    return kept | {name: kept[name][index] for name in kept.keys() - {"n_seen"}}


def joined(scale: InputScale, first: Kept, second: Kept) -> Kept:
    """Return rows one after the other; levels of images become brightness where no integers hold both."""
    both = [first["rows"], second["rows"]]
    if scale.of_levels and np.result_type(*both).kind == "f":
        both = [scale.shown(rows) for rows in both]
    together = {"rows": np.concatenate(both), "n_seen": first["n_seen"] + second["n_seen"]}
    if "labels" in first:
        together["labels"] = np.concatenate([first["labels"], second["labels"]])
    if "weights" in first or "weights" in second:
        together["weights"] = np.concatenate([weights_of(first), weights_of(second)])
    return together


def sampled(scale: InputScale, kept: Kept, new: Kept, most: int, rng: np.random.RandomState) -> Kept:
    """Return at most so many rows, of which each of all ever seen is as likely as any other.

    References
    ----------
    Vitter (1985), "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11.

    Examples
    --------
    >>> scale, rng = InputScale.fixed("identity", 1), np.random.RandomState(0)
    >>> kept = {"rows": np.zeros((100, 1)), "n_seen": 300}
    >>> together = sampled(scale, kept, kept_of(np.ones((100, 1))), 100, rng)
    >>> together["rows"].shape, float(together["rows"].mean()), together["n_seen"]
    ((100, 1), 0.28, 400)
    """
    n_kept, n_new = len(kept["rows"]), len(new["rows"])
    n_taken = n_new
    if n_new > 0 and most < n_kept + n_new:
        n_taken = int(rng.hypergeometric(n_new, kept["n_seen"], most))
        n_taken = max(n_taken, most - n_kept)
    return joined(scale, some(kept, most - n_taken, rng), some(new, n_taken, rng))


def weights_beside(new: Kept, replayed: Kept) -> np.ndarray | None:
    """Return weights of new rows and of replayed ones, which count for all that these were drawn from."""
    n_replayed = len(replayed["rows"])
    if not n_replayed:
        return new.get("weights")
    return np.concatenate([weights_of(new), weights_of(replayed) * (replayed["n_seen"] / n_replayed)])

"""A score that a few marked rows teach: how odd rows are by their costs, and how like those marked odd.

References
----------
Elkan, Noto (2008), "Learning classifiers from only positive and unlabeled data", KDD.
Das et al. (2016), "Incorporating Expert Feedback into Active Anomaly Discovery", ICDM.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaetools.anomaly.bounds import reconstruction_kl
from vaetools.anomaly.reference import Fitted, Reference, State, States, seen, usable
from vaetools.nn.model import Reading

_N_COMPARED = 2_000  # rows that nobody marked
_NORMAL_TO_ODD = 9.0  # rows of each kind that are expected
_RIDGE = 0.1  # of squared weights, per column: a row far in all columns says as much, however many these are
_SURE = 1.5  # log-odds of a cost's usual spread
_FARTHEST = 5.0  # standard deviations


class Marks(NamedTuple):
    """Rows that somebody has looked at.

    Attributes
    ----------
    of_odd : callable
        A function of a reading → its values for rows that were marked odd, float64.
    is_normal : ndarray of shape (n_reference,), bool
        Which reference rows were marked normal.
    """

    of_odd: Callable[[Callable[[Reading], Tensor]], np.ndarray]
    is_normal: np.ndarray


def fit_marked(reference: Reference, states: Fitted) -> State:
    """Return what is usual of costs and columns, and weights of columns; without marks these are 0."""
    marks, columns = reference.marks, reference.evaluate(seen)
    costs = reference.evaluate(_cost)
    median, high = np.quantile(costs, [0.5, 0.9])
    state = {
        "cost": np.array([median, usable(high - median, abs(median) + 1)]),
        "mean": columns.mean(axis=0),
        "std": usable(columns.std(axis=0)),
        "weights": np.zeros(columns.shape[1]),
    }
    if marks is None:
        return state
    is_looked_at = marks.is_normal.copy()
    is_looked_at[:: math.ceil(len(costs) / _N_COMPARED)] = True
    known = marks.is_normal[is_looked_at]
    rows = [marks.of_odd(seen), columns[is_looked_at]]
    odds = [marks.of_odd(_cost), costs[is_looked_at]]
    n_odd = len(odds[0])
    counts = np.ones(n_odd + len(known))
    counts[n_odd:][~known] = _NORMAL_TO_ODD * n_odd / max(1, (~known).sum())
    placed = np.clip((np.concatenate(rows) - state["mean"]) / state["std"], -_FARTHEST, _FARTHEST)
    before = _SURE * np.arcsinh((np.concatenate(odds) - median) / state["cost"][1])
    weights = logistic_weights(placed, np.arange(len(counts)) < n_odd, counts, before)
    return state | {"weights": weights}


def marked(reading: Reading, states: States) -> Tensor:
    """Minus the log-odds of being odd, up to a constant: those by the costs, and what columns add to them."""
    state = states["marked"]
    median, spread = state["cost"]
    placed = ((seen(reading) - state["mean"]) / state["std"]).clamp(-_FARTHEST, _FARTHEST)
    return -_SURE * torch.asinh((_cost(reading) - median) / spread) - (placed * state["weights"]).sum(dim=1)


def logistic_weights(
    rows: np.ndarray, is_odd: np.ndarray, counts: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Return ridge weights of columns in log-odds that are given up to a constant, by maximum likelihood.

    Examples
    --------
    >>> rows, is_odd = np.array([[2.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]), np.array([True, False, False])
    >>> logistic_weights(rows, is_odd, np.ones(3), np.zeros(3)).round(2)
    array([1.68, 0.  ])
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    n_columns = rows.shape[1]
    ridge = _RIDGE * n_columns

    def loss(solution: np.ndarray) -> tuple[float, np.ndarray]:
        weights, constant = solution[:-1], solution[-1]
        log_odds = rows @ weights + before + constant
        away = counts * (expit(log_odds) - is_odd)
        costs = counts * (np.logaddexp(0, log_odds) - is_odd * log_odds)
        slope = np.append(rows.T @ away + ridge * weights, away.sum())
        return float(costs.sum() + 0.5 * ridge * weights @ weights), slope

    found: np.ndarray = minimize(loss, np.zeros(n_columns + 1), jac=True, method="L-BFGS-B").x
    return found[:-1]


def oddest_and_typical(scores: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of rows to look at: the oddest, and as many or one fewer that are typical of groups.

    Odd rows that are many of a kind may score like any other: they are a group. Where rows are the same there
    are fewer groups, and no place comes twice.

    Examples
    --------
    >>> rows = np.repeat([[0.0, 0.0], [9.0, 9.0], [4.0, -5.0]], [20, 20, 1], axis=0)
    >>> oddest, typical = oddest_and_typical(-np.abs(rows[:, 1] - 1), rows, 3)
    >>> rows[oddest].tolist(), rows[typical].tolist()
    ([[9.0, 9.0], [9.0, 9.0]], [[0.0, 0.0]])
    """
    from sklearn.cluster import KMeans

    oddest = np.argsort(scores, kind="stable")[: n - n // 2]
    others = np.setdiff1d(np.arange(len(scores)), oddest)
    others = others[:: max(1, math.ceil(len(others) / _N_COMPARED))]
    if not 0 < n // 2 < len(others):
        return oddest, others[: n // 2]
    placed = (rows[others] - rows[others].mean(axis=0)) / usable(rows[others].std(axis=0))
    placed = np.clip(placed, -_FARTHEST, _FARTHEST)
    n_groups = min(n // 2, len(np.unique(placed, axis=0)))
    groups = KMeans(n_groups, n_init=3, random_state=0).fit(placed)
    typical = groups.transform(placed).argmin(axis=0)
    return oddest, others[list(dict.fromkeys(typical.tolist()))]


def _cost(reading: Reading) -> Tensor:
    """Costs of rows in nats."""
    return -reconstruction_kl(reading, {})

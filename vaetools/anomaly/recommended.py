"""The recommended scores, one per kind of data, built from rows of the table.

Parts are put on one scale by what is usual among training rows, each judged by the others: logs
of distances are standardized, and tail probabilities share the false alarms.
"""

import math

import numpy as np
import torch
from torch import Tensor

from vaetools.anomaly.density import density_of_states
from vaetools.anomaly.images import hidden_residual, structure
from vaetools.anomaly.reference import (
    KNN_NEIGHBORS,
    Fitted,
    Reference,
    State,
    States,
    latent_knn,
    nearest,
    nearest_others,
    on,
    seen,
    usable,
)
from vaetools.nn.model import Reading

QUESTIONS = {  # of `images`, and what speaks against an image that they decide; the first has a map
    "structure": "its reconstruction fails where that of others does not",
    "hidden_residual": "the encoder sees something else in the reconstruction",
    "latent_knn": "its code is far from those of all training images",
    "density_of_states": "it is another kind of image, by its costs, complexity and contrast",
}
_GUARD = 0.1  # share of the false alarms of `images` that its density of states gets
_NEIGHBORS = 2  # of `tables`: one alone may be odd itself
_REACH = 3.0  # standard deviations beyond which values of columns are drawn in
_FEW = 100  # rows of which a network knows half as much as it could
_TINY = 1e-4  # standard deviations: less is not odd, and may be rounding


def fit_images(reference: Reference, states: Fitted) -> State:
    """Return the usual log distance of every part, and the spread of their sum."""

    def distances(reading: Reading) -> Tensor:
        found = on(states, reading.x)
        return -torch.stack([structure(reading, found), hidden_residual(reading, found)], dim=1)

    codes = torch.from_numpy(states["latent_knn"]["codes"])
    from_others = nearest_others(codes, KNN_NEIGHBORS).mean(dim=1, keepdim=True).numpy()
    logs = np.log(np.concatenate([reference.evaluate(distances), from_others], axis=1) + _TINY)
    mean, std = logs.mean(axis=0), usable(logs.std(axis=0))
    return {"mean": mean, "std": std, "spread": usable(((logs - mean) / std).sum(axis=1).std())}


def images(reading: Reading, states: States) -> Tensor:
    """Log of a tail probability, from four questions to an image.

    Does its reconstruction fail where others' does not (structure)? Does the encoder see something
    else in its reconstruction (hidden residual)? Is its code far from all codes (latent kNN)? The
    sum of these three, each a standardized log, is judged by its normal tail. Is it simply
    another kind of image, be it too simple (density of states)? That tail is exponential, and gets a
    tenth of the false alarms, because it looks in all directions. The rarer of the two tails counts,
    as in a weighted Bonferroni test.
    """
    _, failed, another_kind = _answers(reading, states)
    return torch.minimum(failed, another_kind)


def deciding_question(reading: Reading, states: States) -> Tensor:
    """Return which of `QUESTIONS` decided `images`, by its number: the guard, or the oddest of the others."""
    logs, failed, another_kind = _answers(reading, states)
    return torch.where(another_kind < failed, len(QUESTIONS) - 1, logs.argmax(dim=1))


def _answers(reading: Reading, states: States) -> tuple[Tensor, Tensor, Tensor]:
    """Return standardized logs of the three distances, the log tail of their sum, and that of the guard."""
    state = states["images"]
    parts = [part(reading, states) for part in (structure, hidden_residual, latent_knn)]
    logs = (torch.log(-torch.stack(parts, dim=1) + _TINY) - state["mean"]) / state["std"]
    total = logs.sum(dim=1) / state["spread"]
    failed = torch.special.log_ndtr(-total) - math.log(1 - _GUARD)
    level, excess = states["density_of_states"]["tail"]
    another_kind = (density_of_states(reading, states) + level) / excess
    return logs, failed, another_kind


def fit_tables(reference: Reference, states: Fitted) -> State:
    """Return reference rows, how columns are drawn in and blurred, and what is usual of both parts."""
    inputs, blur = reference.evaluate(seen), _blur(reference.evaluate(lambda reading: reading.x))
    center, reach = inputs.mean(axis=0), _REACH * np.maximum(inputs.std(axis=0), 1.0)
    rows = _drawn_in(*map(torch.from_numpy, (inputs, center, reach)))
    distances = nearest_others(rows, _NEIGHBORS).mean(dim=1).numpy()
    closest = np.array(1e-3 * usable(distances.mean()))  # copies of a row lie at a distance of 0

    def costs(reading: Reading) -> Tensor:
        return reading.blurred(torch.from_numpy(blur).to(reading.x)).sum(dim=1)

    return {
        "rows": rows.numpy(),
        "center": center,
        "reach": reach,
        "blur": blur,
        "closest": closest,
        "trust": np.array(len(rows) / (len(rows) + _FEW)),
        "distance": _usual(np.log(distances + closest)),
        "reconstruction": _usual(reference.evaluate(costs)),
    }


def _usual(values: np.ndarray) -> np.ndarray:
    """Return the median of values, and the spread from there to their 90 % quantile."""
    median, high = np.quantile(values, [0.5, 0.9])
    return np.array([median, usable(high - median, abs(median) + 1)])


def tables(reading: Reading, states: States) -> Tensor:
    """Minus the log distance to the nearest reference rows and minus the cost, each in its usual spread.

    A state without a reach is of before there was one: of the nearest row as it is, and the cost.
    """
    state, rows = states["tables"], seen(reading)
    if "reach" in state:
        rows = _drawn_in(rows, state["center"], state["reach"])
        cost, trust, k = reading.blurred(state["blur"]).sum(dim=1), state["trust"], _NEIGHBORS
    else:
        cost, trust, k = reading.reconstruction.sum(dim=1), rows.new_ones(()), 1
    distance = torch.log(nearest(rows, state["rows"], k).mean(dim=1) + state["closest"])
    median, spread = state["distance"]
    away = (distance - median) / spread
    median, spread = state["reconstruction"]
    score: Tensor = -away - trust * torch.asinh((cost - median) / spread)
    return score


def _drawn_in(rows: Tensor, center: Tensor, reach: Tensor) -> Tensor:
    """Return rows whose values beyond a reach are nearer, by a log, so that no wild one decides alone."""
    return center + reach * torch.asinh((rows - center) / reach)


def _blur(x: np.ndarray) -> np.ndarray:
    """Return half of the usual step between values of every column, but at most its standard deviation.

    What is rounded, or one of few values, is not known better than that, and predicted no better.
    """
    return np.array([_half_step(column[~np.isnan(column)]) for column in x.T])


def _half_step(values: np.ndarray) -> float:
    """Return half of the usual step between values, but at most their standard deviation."""
    steps = np.diff(np.unique(values))
    return float(min(np.median(steps) / 2, values.std())) if steps.size else 0.0

"""Who judges rows: models that did not see them.

Of many rows some are held out, and the one model judges them. Few rows are cut into folds, and each fold is
judged by a model of the same recipe that learnt from the others, so that all of them train the model that is
kept and all of them calibrate it. That new rows are flagged no oftener is then measured, and not proven: the
model that is kept learnt from a few rows more than those that calibrated it.

References
----------
Vovk (2015), "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74.
Barber, Candès, Ramdas, Tibshirani (2021), "Predictive inference with the jackknife+", Annals of
Statistics 49(1).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaetools.estimators.engine import Engine
from vaetools.nn.batches import Rows
from vaetools.nn.model import Reading, antithetic_noise

Judge = tuple[Any, Rows]  # a trained estimator, and rows to judge, as it takes them
Question = Callable[[Reading], Tensor]

_DRAWS = 2


def judged(judges: Sequence[Judge], ask: Callable[[Engine], Sequence[Question]]) -> list[np.ndarray]:
    """Return what functions of a reading, which may differ by judge, say of all rows: an array each."""
    answers = []
    for estimator, rows in judges:
        engine = Engine(estimator)
        answers.append(engine.map(rows, *ask(engine)))
    return [np.concatenate(each) for each in zip(*answers, strict=True)]


def unlabeled(judges: Sequence[Judge]) -> list[Judge]:
    """Return the same without labels of rows."""
    return [(estimator, rows.unlabeled()) for estimator, rows in judges]


def labels_of(judges: Sequence[Judge]) -> np.ndarray:
    """Return the codes of the labels of all rows."""
    return np.concatenate([rows.labels[rows.index] for _, rows in judges if rows.labels is not None])


@torch.no_grad()
def fit_scale(judges: Sequence[Judge], *others: Any, most: float = math.inf) -> None:
    """Give a learnt scale of the judges, and of other estimators, its maximum-likelihood value on the rows.

    One scale for all: where few rows train, it differs between models more than the rows do. Squared errors
    of a row that sum to more than ``most`` are shrunk to that sum.
    """
    models = [estimator.model_ for estimator, _ in judges]
    total = torch.zeros_like(models[0].log_unit)
    n_known = torch.zeros_like(total)
    for model, (_, rows) in zip(models, judges, strict=True):
        weights = rows.weights_as(total)
        rest = total.new_ones(len(rows)) if weights is None else weights
        for x, y in rows.batches(model.log_unit):
            weight, rest = rest[: len(x), None], rest[len(x) :]
            squared = (x - model.read(x, y).expected).square()
            cost = squared.nansum(dim=1, keepdim=True)
            shrunk = torch.where(cost > most, most / cost, 1.0)
            total += (weight * shrunk * squared).nansum(dim=0)
            n_known += (weight * ~x.isnan()).sum(dim=0)
    for model in [*models, *(estimator.model_ for estimator in others)]:
        model.likelihood.fit_scale(total / n_known)


def fit_scale_to_watched(estimator: Any, watched: Rows) -> None:
    """Give such a scale its maximum-likelihood value on rows that did not train."""
    if estimator.model_.likelihood.takes_watched_scale:
        [errors] = Engine(estimator).map(watched, _mean_squared_errors)
        weights = watched.weights_as(torch.from_numpy(errors))
        estimator.model_.likelihood.fit_scale(torch.tensor([np.average(errors, weights=weights)]))


def _mean_squared_errors(reading: Reading) -> Tensor:
    """Return the mean squared error of every row at draws from its posterior, ``(n_samples,)``."""
    model = reading.model
    noise = antithetic_noise(_DRAWS, len(reading.x), model.n_components)
    codes = [reading.latent.draw(draw) for draw in noise.to(reading.x)]
    expected = [model.likelihood.mean(model.network.decode(z, reading.y)) for z in codes]
    return torch.stack([(reading.x - each).square().mean(dim=1) for each in expected]).mean(dim=0)

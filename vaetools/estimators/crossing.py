"""Few rows, cut into folds, each of which is judged by a model that is trained on the others."""

import copy
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from vaetools.estimators.description import learn_score
from vaetools.estimators.engine import Engine
from vaetools.estimators.jobs import n_to_watch, weighing
from vaetools.estimators.judges import Judge, fit_scale, judged
from vaetools.estimators.marks import without_odd
from vaetools.estimators.watched import trainer_for
from vaetools.nn.batches import Rows
from vaetools.nn.model import Reading

N_FOLDS = 5
_USUAL = 0.9  # of the rows: the others count for the scale as much as the last of these


class Given(NamedTuple):
    """What `fit` was given: rows, codes of their labels, and how much they count, or None."""

    table: Any
    labels: np.ndarray | None
    weights: np.ndarray | None


def folds(n_rows: int, rng: np.random.RandomState) -> list[np.ndarray]:
    """Return the numbers of rows in folds about as large, each sorted.

    Examples
    --------
    >>> [len(fold) for fold in folds(13, np.random.RandomState(0))]
    [3, 3, 3, 2, 2]
    """
    return [np.sort(fold) for fold in np.array_split(rng.permutation(n_rows), min(N_FOLDS, n_rows))]


def crossed(estimator: Any, given: Given, rng: np.random.RandomState, seed: int) -> list[Judge]:
    """Return models like a trained one, each with the rows that it did not see.

    They and the one share a learnt scale, which these rows give. None of them counts for more than nine in
    ten do: a wild one would widen the scale until what rows cost no longer matters beside KL.
    """
    known = [_without(fold, estimator, given, rng, seed) for fold in folds(len(given.table), rng)]
    judges = [(member, left_out) for member, _, left_out in known]
    if Engine(estimator).can_decode:
        suspects = estimator.suspects_
        counted = [(member, left_out.that_count().without(suspects)) for member, left_out in judges]
        [errors] = judged(counted, lambda engine: [_squared_error])
        fit_scale(counted, estimator, most=np.quantile(errors, _USUAL, method="lower"))
    for member, rows, _ in known:
        learn_score(member, rows)
    return judges


def _squared_error(reading: Reading) -> Tensor:
    """Return the squared errors of rows, summed over what is known of them."""
    return (reading.x - reading.expected).square().nansum(dim=1)


def _without(
    fold: np.ndarray, estimator: Any, given: Given, rng: np.random.RandomState, seed: int
) -> tuple[Any, Rows, Rows]:
    """Return a model of the same recipe that does not see a fold; the rows that train it; the fold's."""
    member = copy.copy(estimator).set_params(max_iter=estimator.max_iter_, verbose=0)
    if hasattr(estimator, "n_words"):
        member.set_params(n_words=len(estimator.word_counts_))
    others = rng.permutation(np.setdiff1d(np.arange(len(given.table)), fold))
    watching, train = np.split(others, [n_to_watch(estimator, len(others), crossed=True)])
    train, watching = np.sort(train), np.sort(watching)
    if given.weights is not None:
        weights, train, watching = weighing(estimator, given.weights, train, watching)
        given = given._replace(weights=weights)
    try:
        X, kept = member._prepare(given, train, seed)
    except ValueError as error:
        raise ValueError(
            f"{error} (Few rows are judged by models that four fifths of them train: what is rare may be "
            "missing there. calibration='split' holds a fifth out once.)"
        ) from error
    places = (kept, watching, without_odd(estimator, fold))
    rows, validate, left_out = (member._rows(X, given, place) for place in places)
    trainer = trainer_for(member, rows, validate, seed)
    if trainer is not None:
        if not len(validate):
            trainer.last_epoch = max(1, estimator.n_iter_)  # which may have been interrupted
        trainer.run()
    member._finish(trainer, rows, seed)
    return member, rows, left_out

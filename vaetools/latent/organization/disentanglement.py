"""Disentanglement: what forests that predict known factors use every dimension for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from vaetools.latent.organization.factors import Factor, entropy, halves, known_factors
from vaetools.latent.organization.measure import UNKNOWN, Measure, mean, with_error

_TREES = 50
_REFITS = 10  # to know how much importances vary


def dci(
    Z: Any,
    factors: Any,
    *,
    continuous: Sequence[bool] | None = None,
    n_max: int = 2000,
    random_state: int = 0,
) -> dict[str, Measure]:
    """Return disentanglement, completeness and informativeness, by how much forests use every dimension.

    Each from 0 to 1, higher is better. A random forest predicts each factor from the codes.
    *Disentanglement*: a dimension is used for one factor alone; *completeness*: a factor is told by one
    dimension alone (one minus the entropy of importances, weighted by importance); *informativeness*:
    held-out rows are predicted, the share of classes that is right, and of numbers the share of variance.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    factors : array-like of shape (n_samples,) or (n_samples, n_factors)
        What made the rows.
    continuous : sequence of bool, optional
        Which factors are numbers; without it all are classes.
    n_max : int, default=2000
        Of more rows that many are drawn; half of them train, and half are predicted.
    random_state : int, default=0
        Draws rows, forests and the bootstrap.

    Returns
    -------
    dci : dict of str to Measure
        ``disentanglement``, NaN of a single factor, and ``completeness``, NaN of a single dimension, with the
        interval of ten refits to resampled rows; ``informativeness`` with its t interval over held-out rows.
        All NaN if no factor varies, or of fewer than four rows.

    Raises
    ------
    ValueError
        If codes and factors differ in length, ``continuous`` does not have one value per factor, or a value
        is not finite.

    Notes
    -----
    Unchanged by shift and scale of every dimension, not by rotation. Factors that depend on each other share
    dimensions for no fault; importances of noise spread evenly, so that a model that knows nothing looks
    entangled rather than ignorant: look at informativeness first.

    References
    ----------
    Eastwood, Williams (2018), "A Framework for the Quantitative Evaluation of Disentangled Representations",
    ICLR.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factors = rng.integers(4, size=(1000, 2))
    >>> found = dci(factors + 0.01 * rng.normal(size=(1000, 2)), factors)
    >>> found["disentanglement"].value > 0.95, found["informativeness"].value
    (True, 1.0)
    """
    Z, known = known_factors("dci", Z, factors, continuous)
    names = ("disentanglement", "completeness", "informativeness")
    if not known or len(Z) < 4:
        return dict.fromkeys(names, UNKNOWN)
    train, test = halves(Z, n_max, random_state)
    forests = [_forest(each, Z, train, random_state) for each in known]
    rng, drawn = np.random.default_rng(random_state), []
    for refit in range(_REFITS):
        index = train[rng.integers(len(train), size=len(train))]
        refits = [_forest(each, Z, index, random_state + refit) for each in known]
        drawn.append(_one_to_one(_importances(refits)))
    errors = np.std(drawn, axis=0, ddof=1)
    values = _one_to_one(_importances(forests))
    found = {
        name: with_error(value, error, least=0, most=1)
        for name, value, error in zip(names, values, errors, strict=False)
    }
    right = [_predicted(each, forest, Z, test) for each, forest in zip(known, forests, strict=True)]
    return found | {"informativeness": mean(np.mean(right, axis=0), most=1)}


def _forest(factor: Factor, Z: np.ndarray, index: np.ndarray, seed: int) -> Any:
    kind = RandomForestRegressor if factor.is_number else RandomForestClassifier
    return kind(n_estimators=_TREES, max_features=None, random_state=seed % 2**32).fit(
        Z[index], factor.values[index]
    )


def _importances(forests: Sequence[Any]) -> np.ndarray:
    """Return how much each dimension is used for each factor, (n_components, n_factors)."""
    return np.stack([forest.feature_importances_ for forest in forests], axis=1)


def _one_to_one(importances: np.ndarray) -> tuple[float, float]:
    return _concentration(importances), _concentration(importances.T)


def _concentration(importances: np.ndarray) -> float:
    """Return one minus the entropy of every row, weighted by its sum; NaN of a single column."""
    total, n = importances.sum(), importances.shape[1]
    if n < 2 or total <= 0:
        return np.nan
    told = [1 - entropy(row) / np.log(n) if row.sum() > 0 else 0.0 for row in importances]
    return float(np.average(told, weights=importances.sum(axis=1) / total))


def _predicted(factor: Factor, forest: Any, Z: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return of every held-out row whether its class is right, or one minus what is not explained."""
    true, told = factor.values[test], forest.predict(Z[test])
    if not factor.is_number:
        is_right: np.ndarray = (true == told).astype(np.float64)
        return is_right
    variance = true.var()
    return 1 - (true - told) ** 2 / variance if variance > 0 else np.zeros(len(test))

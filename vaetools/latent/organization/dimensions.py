"""Dimensions: whether single ones stand for something, a factor that is known or what another seed found.

Factors are what made the rows, known from outside: an angle, a size, a class. Classes are told apart and
numbers are measured, and which a factor is, the caller says.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from vaetools.latent.organization.measure import (
    UNKNOWN,
    Measure,
    bootstrap,
    checked,
    mean,
    sampled,
    with_error,
)

_TREES = 50
_REFITS = 10  # to know how much importances vary
_C = 0.01  # regularization of the probe, as in Locatello et al. (2019)


def mutual_information_gap(
    Z: Any, factors: Any, *, continuous: Sequence[bool] | None = None, n_bins: int = 20, random_state: int = 0
) -> Measure:
    """Return how much more one dimension knows of a factor than any other, as a share of all there is.

    From 0 to 1, higher is better: the gap between the two greatest mutual informations with a factor, divided
    by its entropy, in the mean over factors.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    factors : array-like of shape (n_samples,) or (n_samples, n_factors)
        What made the rows.
    continuous : sequence of bool, optional
        Which factors are numbers, and are binned as codes are; without it all are classes.
    n_bins : int, default=20
        Equally wide, from the least to the greatest value.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    mutual_information_gap : Measure
        With its bootstrap interval over rows; NaN if no factor varies.

    Raises
    ------
    ValueError
        If codes and factors differ in length, ``continuous`` does not have one value per factor, or a value
        is not finite.

    Notes
    -----
    Unchanged by shift and scale of every dimension and by their order, not by rotation. A factor that takes
    two dimensions, such as an angle, has no gap although it is known; a few codes far out leave the others in
    one bin; and mutual information grows with bins and falls with rows, so compare equally many.

    References
    ----------
    Chen, Li, Grosse, Duvenaud (2018), "Isolating Sources of Disentanglement in Variational Autoencoders",
    NeurIPS.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factors = rng.integers(4, size=(1000, 2))
    >>> mutual_information_gap(factors + 0.01 * rng.normal(size=(1000, 2)), factors).value > 0.95
    True
    """
    Z, known = _known("mutual_information_gap", Z, factors, continuous)
    if not known or len(Z) < 2:
        return UNKNOWN
    codes = np.stack([_binned(values, n_bins) for values in Z.T], axis=1)
    classes = np.stack(
        [_binned(each.values, n_bins) if each.is_number else each.values for each in known], axis=1
    )

    def gap(codes: np.ndarray, classes: np.ndarray) -> float:
        gaps = []
        for own in classes.T:
            entropy = _entropy(np.bincount(own))
            if entropy > 0:
                gaps.append(_first_to_second([_information(code, own) for code in codes.T]) / entropy)
        return float(np.mean(gaps)) if gaps else np.nan

    return bootstrap(gap, codes, classes, random_state=random_state, least=0, most=1)


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
    Z, known = _known("dci", Z, factors, continuous)
    names = ("disentanglement", "completeness", "informativeness")
    if not known or len(Z) < 4:
        return dict.fromkeys(names, UNKNOWN)
    train, test = _halves(Z, n_max, random_state)
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


def attribute_predictability(
    Z: Any,
    factors: Any,
    *,
    continuous: Sequence[bool] | None = None,
    n_max: int = 2000,
    random_state: int = 0,
) -> Measure:
    """Return how much better one dimension alone predicts a factor than any other alone: the SAP score.

    From 0 to 1, higher is better: of a number the share of its variance that a line explains, of a class the
    share of held-out rows that a linear probe names; the gap between the two best, in the mean over factors.

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
        Draws rows and the bootstrap.

    Returns
    -------
    attribute_predictability : Measure
        With its bootstrap interval over held-out rows; NaN if no factor varies, or of fewer than four rows.

    Raises
    ------
    ValueError
        If codes and factors differ in length, ``continuous`` does not have one value per factor, or a value
        is not finite.

    Notes
    -----
    Unchanged by shift and scale of every dimension, not by rotation. A line parts few of many classes, so
    gaps of factors with many classes are small for every model, and a dimension that goes up and down with a
    factor predicts nothing.

    References
    ----------
    Kumar, Sattigeri, Balakrishnan (2018), "Variational Inference of Disentangled Latent Concepts from
    Unlabeled Observations", ICLR. Locatello, Bauer, Lucic, Rätsch, Gelly, Schölkopf, Bachem (2019),
    "Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations", ICML.

    Examples
    --------
    >>> factor = np.random.default_rng(0).normal(size=500)
    >>> Z = np.stack([factor, np.ones(500)], axis=1)
    >>> round(attribute_predictability(Z, factor, continuous=[True]).value, 6)
    1.0
    """
    Z, known = _known("attribute_predictability", Z, factors, continuous)
    if not known or len(Z) < 4:
        return UNKNOWN
    train, test = _halves(Z, n_max, random_state)
    scaled = StandardScaler().fit(Z[train]).transform(Z)
    columns = []  # of every factor: per held-out row and dimension what its score is made of
    for each in known:
        own = each.values.astype(np.float64)
        right = None if each.is_number else _named(scaled, each.values, train, test)
        columns.append(np.c_[scaled[test], own[test]] if right is None else right)
    widths = np.cumsum([column.shape[1] for column in columns])[:-1]

    def gap(columns: np.ndarray) -> float:
        scores = [
            _explained(part[:, :-1], part[:, -1]) if each.is_number else part.mean(axis=0)
            for each, part in zip(known, np.split(columns, widths, axis=1), strict=True)
        ]
        return float(np.mean([_first_to_second(own) for own in scores]))

    return bootstrap(gap, np.concatenate(columns, axis=1), random_state=random_state, least=0, most=1)


def matched_correlation(Z: Any, other: Any, *, random_state: int = 0) -> Measure:
    """Return how far two models found the same dimensions: the mean correlation of matched pairs.

    From 0 to 1, higher means that a dimension has a meaning that another seed finds too. Every dimension of
    the model that has fewer is matched with another one, so that the sum of absolute correlations is
    greatest.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes of one model, such as that of one seed.
    other : array-like of shape (n_samples, n_other)
        Codes of the same rows by another.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    matched_correlation : Measure
        With its bootstrap interval over rows; NaN for fewer than three rows.

    Raises
    ------
    ValueError
        If they differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by shift, scale, sign and order of dimensions, not by rotation, which is what it asks about. A
    dimension that does not vary has a correlation of 0, so leave out what is not in use; about √(2 / (π n))
    and more by chance, because the best match is taken.

    References
    ----------
    Khemakhem, Kingma, Monti, Hyvärinen (2020), "Variational Autoencoders and Nonlinear ICA: A Unifying
    Framework", AISTATS (the mean correlation coefficient).
    Duan, Matthey, Saraiva, Watters, Burgess, Lerchner, Higgins (2020), "Unsupervised Model Selection for
    Variational Disentangled Representation Learning", ICLR.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(500, 2))
    >>> round(matched_correlation(Z, -3 * Z[:, ::-1]).value, 6)
    1.0
    """
    Z, other = checked("matched_correlation", Z, other)
    if len(Z) < 3:
        return UNKNOWN

    def matched(Z: np.ndarray, other: np.ndarray) -> float:
        absolute = np.abs(_correlations(Z, other))
        return float(absolute[linear_sum_assignment(absolute, maximize=True)].mean())

    return bootstrap(matched, Z, other, random_state=random_state, least=0, most=1)


class _Factor(NamedTuple):
    """What made the rows: numbers, or classes by number."""

    values: np.ndarray
    is_number: bool


def _known(
    owner: str, Z: Any, factors: Any, continuous: Sequence[bool] | None
) -> tuple[np.ndarray, list[_Factor]]:
    """Return codes, and the factors that vary."""
    (Z,), given = checked(owner, Z), np.asarray(factors)
    columns = given[:, None] if given.ndim == 1 else given
    if columns.ndim != 2 or len(columns) != len(Z):
        raise ValueError(f"{owner}: factors must have a row per code; got {given.shape} for {Z.shape}.")
    numbers = [False] * columns.shape[1] if continuous is None else list(continuous)
    if len(numbers) != columns.shape[1]:
        raise ValueError(
            f"{owner}: continuous must say of every factor whether it is a number; got {len(numbers)} values "
            f"for {columns.shape[1]} factors."
        )
    found = []
    for values, is_number in zip(columns.T, numbers, strict=True):
        if is_number:
            [own] = checked(owner, values.astype(np.float64)[:, None])
            found.append(_Factor(own[:, 0], True))
        else:
            found.append(_Factor(np.unique(values, return_inverse=True)[1], False))
    return Z, [each for each in found if len(Z) and (each.values != each.values[0]).any()]


def _halves(Z: np.ndarray, n_max: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of rows that train, and of those that are predicted."""
    index = np.random.default_rng(random_state).permutation(sampled(Z, n_max, random_state))
    return index[::2], index[1::2]


def _binned(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the number of the bin of every value."""
    inner = np.linspace(values.min(), values.max(), n_bins + 1)[1:-1]
    return np.searchsorted(inner, values, side="right")


def _entropy(counts: np.ndarray) -> float:
    """Return the entropy of counts, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _information(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mutual information of two columns of small integers, in nats."""
    width = int(second.max()) + 1
    together = np.bincount(first * width + second)
    return _entropy(np.bincount(first)) + _entropy(np.bincount(second)) - _entropy(together)


def _first_to_second(scores: Any) -> float:
    """Return how far the greatest score lies above the next, or where there is none above 0."""
    second, first = np.sort(np.append(0.0, scores))[-2:]
    return float(first - second)


def _forest(factor: _Factor, Z: np.ndarray, index: np.ndarray, seed: int) -> Any:
    """Return a forest that has learnt a factor."""
    kind = RandomForestRegressor if factor.is_number else RandomForestClassifier
    return kind(n_estimators=_TREES, max_features=None, random_state=seed % 2**32).fit(
        Z[index], factor.values[index]
    )


def _importances(forests: Sequence[Any]) -> np.ndarray:
    """Return how much each dimension is used for each factor, (n_components, n_factors)."""
    return np.stack([forest.feature_importances_ for forest in forests], axis=1)


def _one_to_one(importances: np.ndarray) -> tuple[float, float]:
    """Return disentanglement and completeness."""
    return _concentration(importances), _concentration(importances.T)


def _concentration(importances: np.ndarray) -> float:
    """Return one minus the entropy of every row, weighted by its sum; NaN of a single column."""
    total, n = importances.sum(), importances.shape[1]
    if n < 2 or total <= 0:
        return np.nan
    told = [1 - _entropy(row) / np.log(n) if row.sum() > 0 else 0.0 for row in importances]
    return float(np.average(told, weights=importances.sum(axis=1) / total))


def _predicted(factor: _Factor, forest: Any, Z: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return of every held-out row whether its class is right, or one minus what is not explained."""
    true, told = factor.values[test], forest.predict(Z[test])
    if not factor.is_number:
        return (true == told).astype(np.float64)
    variance = true.var()
    return 1 - (true - told) ** 2 / variance if variance > 0 else np.zeros(len(test))


def _named(Z: np.ndarray, classes: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return whether each dimension alone names the class of held-out rows, (n_test, n_components)."""
    if len(np.unique(classes[train])) < 2:
        return np.zeros((len(test), Z.shape[1]))
    probe = LinearSVC(C=_C, class_weight="balanced", random_state=0)
    told = [probe.fit(values[train, None], classes[train]).predict(values[test, None]) for values in Z.T]
    return (np.stack(told, axis=1) == classes[test, None]).astype(np.float64)


def _explained(Z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the share of variance of a number that a line in each dimension explains."""
    return _correlations(Z, values[:, None])[:, 0] ** 2


def _correlations(Z: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return correlations of all dimensions with all others; 0 where one does not vary."""
    unit = []
    for values in (Z, other):
        centered = values - values.mean(axis=0)
        length = np.linalg.norm(centered, axis=0)
        varies = length > 1e-9 * np.maximum(1.0, np.abs(values).max(axis=0)) * np.sqrt(len(values))
        unit.append(np.where(varies, centered / np.where(varies, length, 1.0), 0.0))
    return np.clip(unit[0].T @ unit[1], -1, 1)

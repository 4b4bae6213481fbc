"""Factors: whether single dimensions stand for what made the rows, where that is known.

They are known from outside: an angle, a size, a class. Classes are told apart and numbers are measured, and
which a factor is, the caller says.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from vaetools.checks import looks_continuous
from vaetools.latent.organization.agreement import correlations
from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, checked, sampled

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
    Z, known = known_factors("mutual_information_gap", Z, factors, continuous)
    if not known or len(Z) < 2:
        return UNKNOWN
    codes = np.stack([_binned(values, n_bins) for values in Z.T], axis=1)
    classes = np.stack(
        [_binned(each.values, n_bins) if each.is_number else each.values for each in known], axis=1
    )

    def gap(codes: np.ndarray, classes: np.ndarray) -> float:
        gaps = []
        for own in classes.T:
            whole = entropy(np.bincount(own))
            if whole > 0:
                gaps.append(_first_to_second([_information(code, own) for code in codes.T]) / whole)
        return float(np.mean(gaps)) if gaps else np.nan

    return bootstrap(gap, codes, classes, random_state=random_state, least=0, most=1)


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
    Z, known = known_factors("attribute_predictability", Z, factors, continuous)
    if not known or len(Z) < 4:
        return UNKNOWN
    train, test = halves(Z, n_max, random_state)
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


class Factor(NamedTuple):
    """What made the rows: numbers, or classes by number."""

    values: np.ndarray
    is_number: bool


def known_factors(
    owner: str, Z: Any, factors: Any, continuous: Sequence[bool] | None
) -> tuple[np.ndarray, list[Factor]]:
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
            found.append(Factor(own[:, 0], True))
        elif looks_continuous(values):
            raise ValueError(
                f"{owner}: continuous must be true of factors that are numbers; got one of "
                f"{len(np.unique(values))} different values in {len(values)} rows that are told as classes."
            )
        else:
            found.append(Factor(np.unique(values, return_inverse=True)[1], False))
    return Z, [each for each in found if len(Z) and (each.values != each.values[0]).any()]


def halves(Z: np.ndarray, n_max: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of rows that train, and of those that are predicted."""
    index = np.random.default_rng(random_state).permutation(sampled(Z, n_max, random_state))
    return index[::2], index[1::2]


def _binned(values: np.ndarray, n_bins: int) -> np.ndarray:
    inner = np.linspace(values.min(), values.max(), n_bins + 1)[1:-1]
    return np.searchsorted(inner, values, side="right")


def entropy(counts: np.ndarray) -> float:
    """Return the entropy of counts, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _information(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mutual information of two columns of small integers, in nats."""
    width = int(second.max()) + 1
    together = np.bincount(first * width + second)
    return entropy(np.bincount(first)) + entropy(np.bincount(second)) - entropy(together)


def _first_to_second(scores: Any) -> float:
    """Return how far the greatest score lies above the next, or where there is none above 0."""
    second, first = np.sort(np.append(0.0, scores))[-2:]
    return float(first - second)


def _named(Z: np.ndarray, classes: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return whether each dimension alone names the class of held-out rows, (n_test, n_components)."""
    if len(np.unique(classes[train])) < 2:
        return np.zeros((len(test), Z.shape[1]))
    probe = LinearSVC(C=_C, class_weight="balanced", random_state=0)
    told = [probe.fit(values[train, None], classes[train]).predict(values[test, None]) for values in Z.T]
    is_right: np.ndarray = (np.stack(told, axis=1) == classes[test, None]).astype(np.float64)
    return is_right


def _explained(Z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the share of variance of a number that a line in each dimension explains."""
    return correlations(Z, values[:, None])[:, 0] ** 2

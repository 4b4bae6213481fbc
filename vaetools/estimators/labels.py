"""Labels of rows: what they may be, their codes, and whether a conditional estimator uses them."""

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_softmax
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length

from vaetools.words import counted

_LEAST_INFORMATION = 0.2  # of the entropy of the labels
_LISTED = 5  # labels in a message


def one_per_row(owner: str, name: str, one: str, values: Any, n_rows: int, dtype: Any = None) -> np.ndarray:
    """Return an argument of one value for each of so many rows as an array; an error calls it by its name.

    Examples
    --------
    >>> one_per_row("VAE", "sample_weight", "weight", [[1], [2]], 2, np.float64)
    array([1., 2.])
    """
    rule = f"{owner}: {name} must have one {one} for each of {counted(n_rows, 'row')} of X; got "
    plain = {"ensure_2d": False, "ensure_all_finite": False, "ensure_min_samples": 0}
    told = check_array(values, dtype=dtype, input_name=name, **plain)
    if told.ndim == 0:
        raise ValueError(f"{rule}{values!r} alone.")
    column: np.ndarray = column_or_1d(told)
    if len(column) != n_rows:
        raise ValueError(f"{rule}{len(column):,}.")
    return column


def labels_of_rows(owner: str, n_rows: int, y: Any) -> np.ndarray:
    """Return one label per row: integers, booleans or strings; refuse others by name."""
    labels: np.ndarray = column_or_1d(y, warn=True)
    check_consistent_length(range(n_rows), labels)
    if labels.dtype.kind in "iubU":
        return labels
    if labels.dtype.kind == "f" and np.isfinite(labels).all() and np.all(labels == np.floor(labels)):
        return labels.astype(np.int64)  # as once they were
    some: dict[Any, Any] = {str: str, (bool, np.bool_): bool, (int, np.integer): np.int64}
    for kinds, dtype in some.items():
        if labels.dtype.kind == "O" and all(isinstance(label, kinds) for label in labels):
            return labels.astype(dtype)
    plain = (str, int, np.integer, np.bool_)
    others = (label for label in labels.tolist() if not isinstance(label, plain))
    odd = next(
        (label for label in others if not (isinstance(label, float) and label.is_integer())), labels[0]
    )
    raise ValueError(
        f"{owner}: Unknown label type: y must be integers, booleans or strings, all of one kind; got {odd!r} "
        f"({type(odd).__name__})."
    )


def label_codes(owner: str, classes: np.ndarray, n_rows: int, y: Any) -> np.ndarray:
    """Return the places in ``classes`` of labels of rows, of which a single one is that of all rows."""
    y = labels_of_rows(owner, n_rows, np.full(n_rows, y) if np.ndim(y) == 0 else y)
    codes: np.ndarray = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = y[classes[codes] != y]
    if len(unknown):
        raise ValueError(f"{owner}: label y must be one of {classes.tolist()}; got {unknown[0].item()!r}.")
    return codes


def untrained(estimator: Any) -> str:
    """Return a warning of labels of a fitted estimator that no row has which trained; else nothing."""
    absent = estimator.classes_[estimator.class_prior_ == 0].tolist()
    if not absent:
        return ""
    trimmed = ", or a smaller trimmed_fraction" if len(estimator.suspects_) else ""
    more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
    return (
        f"{type(estimator).__name__}: no row that trains has one of the labels {absent[:_LISTED]}{more}: "
        f"they count as impossible. Give more rows of them{trimmed}."
    )


def hardly_used(estimator: Any) -> str:
    """Return a warning where a fitted conditional estimator hardly uses its labels; else nothing."""
    entropy = float(entr(estimator.class_prior_).sum())
    if estimator.label_information_ >= _LEAST_INFORMATION * entropy:
        return ""
    return (
        f"{type(estimator).__name__}: the label is hardly used: a row tells "
        f"{estimator.label_information_:.2g} of the {entropy:.2g} nats of its label, so scores given a "
        "label say little of the label. If labels can be told from rows at all, try "
        "conditioning='concat', condition_encoder=True, fewer components or a larger beta."
    )


def label_information(log_joint: np.ndarray, codes: np.ndarray, prior: np.ndarray) -> float:
    """Return how much better labels are predicted than by their frequencies, in nats per row.

    The greatest mean of log p_t(y | x) − log p(y) over tempered posteriors p_t ∝ p(y) p(x | y)^t with
    t from 0 to 1: usable information, never negative, and 0 if rows tell nothing of labels. ``log_joint`` is
    log p(y) + log p(x | y) of every label; rows of a label without frequency do not count.

    References
    ----------
    Xu, Zhao, Song, Stewart, Ermon (2020), "A Theory of Usable Information under Computational
    Constraints", ICLR.

    Examples
    --------
    >>> sure = np.log([[0.999, 0.001], [0.001, 0.999]])
    >>> codes, prior = np.array([0, 1]), np.array([0.5, 0.5])
    >>> round(label_information(sure, codes, prior), 2)
    0.69
    >>> round(label_information(sure, 1 - codes, prior), 2)
    0.0
    """
    possible = prior[codes] > 0
    log_joint, codes = log_joint[possible][:, prior > 0], np.cumsum(prior > 0)[codes[possible]] - 1
    log_prior = np.log(prior[prior > 0])
    if not len(codes):
        return 0.0

    def loss(t: float) -> float:
        tempered = log_prior + t * (log_joint - log_prior)
        given = np.take_along_axis(log_softmax(tempered, axis=1), codes[:, None], axis=1)[:, 0]
        return float(np.mean(log_prior[codes] - given))

    # on a logarithmic scale: the best temper of a density of many columns is small
    best = minimize_scalar(lambda log_t: loss(math.exp(log_t)), bounds=(-12, 0), method="bounded")
    return max(0.0, -float(best.fun))

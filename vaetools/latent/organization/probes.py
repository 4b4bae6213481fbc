"""What a probe classifier makes of samples: into which classes they fall, and how clearly.

A probe knows the classes of the data; the model need not.
"""

import math
from typing import Any

import numpy as np
from scipy import stats

from vaetools.geometry import nearest
from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, checked, share


def knn_probabilities(X: Any, y: Any, rows: Any = None, k: int = 10) -> np.ndarray:
    """Return which share of every row's k nearest neighbors has which class: a probe classifier.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows, or codes, whose classes are known.
    y : array-like of shape (n_samples,)
        Their classes.
    rows : array-like of shape (n_rows, n_features), optional
        What is judged; by default X, every row by the others.
    k : int, default=10
        Neighbors; of fewer rows, all.

    Returns
    -------
    probabilities : ndarray of shape (n_rows, n_classes), float64
        Classes ascending, as in ``np.unique(y)``. NaN if there is no row to judge by.

    Raises
    ------
    ValueError
        If rows and classes differ in length, or a value is not finite.

    References
    ----------
    Cover, Hart (1967), "Nearest neighbor pattern classification", IEEE Transactions on Information
    Theory 13.

    Examples
    --------
    >>> knn_probabilities([[0.0], [1.0], [2.0]], ["a", "a", "b"], [[0.6], [1.6]], k=2)
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    X, y = labeled("knn_probabilities", X, y)
    classes, which = np.unique(y, return_inverse=True)
    k = min(k, len(X) - (rows is None))
    if k < 1:
        return np.full((len(X) if rows is None else len(rows), len(classes)), np.nan)
    if rows is not None:
        (rows,) = checked("knn_probabilities", rows)
    neighbors = nearest(X, k, rows).indices
    return np.stack([(which[neighbors] == c).mean(axis=1) for c in range(len(classes))], axis=1)


def class_entropy(probabilities: Any, *, random_state: int = 0) -> Measure:
    """Return how evenly samples fall into the classes: the entropy of their shares, over the greatest.

    From 0 (one class) to 1 (all alike), higher is better if the data's classes are even. A sample falls
    into its likeliest class.

    Parameters
    ----------
    probabilities : array-like of shape (n_drawn, n_classes)
        Of every sample, under a probe such as `knn_probabilities` or any classifier's ``predict_proba``.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    class_entropy : Measure
        With its bootstrap interval over samples; NaN for one class, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by the order of samples and of classes. Of uneven classes compare it with that of the data.
    It says nothing of quality: noise that a probe spreads over all classes has 1.

    References
    ----------
    Shannon (1948), "A Mathematical Theory of Communication", Bell System Technical Journal 27.

    Examples
    --------
    >>> class_entropy([[0.9, 0.1], [0.2, 0.8]]).value, class_entropy([[0.9, 0.1], [0.6, 0.4]]).value
    (1.0, 0.0)
    """
    (probabilities,) = checked("class_entropy", probabilities)
    n_drawn, n_classes = probabilities.shape
    if n_classes < 2 or not n_drawn:
        return UNKNOWN

    def evenness(which: np.ndarray) -> float:
        return float(stats.entropy(np.bincount(which, minlength=n_classes))) / math.log(n_classes)

    return bootstrap(evenness, probabilities.argmax(axis=1), random_state=random_state, least=0, most=1)


def ambiguity(probabilities: Any, level: float = 0.75) -> Measure:
    """Return the share of samples that a probe cannot name.

    Their likeliest class is less likely than a level.

    From 0 to 1, lower is better; compare with that of new rows, which are not all clear either.

    Parameters
    ----------
    probabilities : array-like of shape (n_drawn, n_classes)
        Of every sample, under a probe such as `knn_probabilities` or any classifier's ``predict_proba``.
    level : float, default=0.75
        Least probability of a clear class.

    Returns
    -------
    ambiguity : Measure
        With its Wilson interval over samples; NaN for one class, or no sample.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by the order of samples and of classes. A probe is sure of what lies far from all data as
    well, so the wild samples of an AE may look clear: it means something only where `off_data` is low.
    Samples that are all of one kind are clear too. Honest in-between images of a VAE count as
    ambiguous. AE and VAE differ in either direction, by seed.

    References
    ----------
    Hendrycks, Gimpel (2017), "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in
    Neural Networks", ICLR (the greatest probability, and what it misses).

    Examples
    --------
    >>> ambiguity([[0.9, 0.1], [0.6, 0.4]]).value
    0.5
    """
    (probabilities,) = checked("ambiguity", probabilities)
    if probabilities.shape[1] < 2:
        return UNKNOWN
    return share(probabilities.max(axis=1) < level)


def labeled(owner: str, Z: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return rows or codes and their classes as checked arrays."""
    (Z,), y = checked(owner, Z), np.asarray(y)
    if y.shape != (len(Z),):
        raise ValueError(
            f"{owner}: there must be one class per code; got {Z.shape} codes and {y.shape} classes."
        )
    return Z, y

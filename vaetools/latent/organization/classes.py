"""Classes: whether codes of the same kind lie together.

Labels may be of any kind; the model need not have seen them.
"""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, mean, sampled, share
from vaetools.latent.organization.probes import knn_probabilities, labeled

_FOLDS = 5
_STEPS = 1000  # many more than a probe on standardized codes takes


def knn_accuracy(Z: Any, y: Any, k: int = 5, *, Z_train: Any = None, y_train: Any = None) -> Measure:
    """Return the share of codes whose class is the commonest among the k nearest codes.

    From 0 to 1, higher is better; chance is about the share of the commonest class. Without training codes
    every code is judged by the others.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,)
        Their classes.
    k : int, default=5
        Neighbors; of fewer codes, all.
    Z_train : array-like of shape (n_train, n_components), optional
        Other codes that judge, those of training rows.
    y_train : array-like of shape (n_train,), optional
        Their classes.

    Returns
    -------
    knn_accuracy : Measure
        With its Wilson interval over codes; NaN for a single class, if no two codes share one, or if
        there is no code to judge by.

    Raises
    ------
    ValueError
        If codes and classes differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of all codes, and by the order of rows unless
    distances tie. It does not tell AE from VAE: both keep classes apart.

    References
    ----------
    Cover, Hart (1967), "Nearest neighbor pattern classification", IEEE Transactions on Information
    Theory 13.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> knn_accuracy(Z, list("aaabbb"), k=1).value
    1.0
    >>> knn_accuracy(Z, list("ababab"), k=1).value
    0.0
    """
    Z, y = labeled("knn_accuracy", Z, y)
    if Z_train is None:
        classes, probabilities = np.unique(y), knn_probabilities(Z, y, k=k)
    else:
        classes, probabilities = np.unique(y_train), knn_probabilities(Z_train, y_train, Z, k=k)
    alone = Z_train is None and len(classes) == len(y)  # every code is the only one of its class
    if len(np.union1d(classes, y)) < 2 or alone or np.isnan(probabilities).any():
        return UNKNOWN
    return share(classes[probabilities.argmax(axis=1)] == y)


def silhouette(Z: Any, y: Any, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return how much closer codes are to their own class than to the next.

    From −1 to 1, higher is better; 0 where classes overlap, and for equal codes.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,)
        Their classes.
    n_max : int, default=3000
        Of more codes that many are drawn: time grows with their square.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    silhouette : Measure
        With its t interval over codes; NaN for a single class, or if no two codes share one.

    Raises
    ------
    ValueError
        If codes and classes differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling, and by the order of rows. It asks for round, distant
    classes; long or touching ones are called bad although a neighbor names every code. A VAE is
    pulled towards one cloud, so its silhouette may be lower for no fault.

    References
    ----------
    Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis", Journal of Computational and Applied Mathematics 20.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> round(silhouette(Z, list("aabb")).value, 3)
    0.98
    >>> round(silhouette(Z, list("abab")).value, 3)
    -0.49
    """
    Z, y = labeled("silhouette", Z, y)
    index = sampled(Z, n_max, random_state)
    n_classes = len(np.unique(y[index]))
    if not 2 <= n_classes < len(index):
        return UNKNOWN
    return mean(silhouette_samples(Z[index] - Z.mean(axis=0), y[index]), least=-1, most=1)


def cluster_agreement(Z: Any, y: Any, *, n_max: int = 10_000, random_state: int = 0) -> Measure:
    """Return how well k-means with as many clusters as classes finds the classes: adjusted Rand index.

    From −0.5 to 1, higher is better; 0 is chance, and so are equal codes.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,)
        Their classes.
    n_max : int, default=10_000
        Of more codes that many are drawn.
    random_state : int, default=0
        Draws them, starts k-means (the best of three starts) and draws the bootstrap.

    Returns
    -------
    cluster_agreement : Measure
        With its bootstrap interval over codes, clusters given; NaN for a single class.

    Raises
    ------
    ValueError
        If codes and classes differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling, but for how k-means ends, which may differ with
    rounding and with the order of rows. The interval leaves that out. It asks for round classes of like
    size.

    References
    ----------
    Hubert, Arabie (1985), "Comparing partitions", Journal of Classification 2.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> cluster_agreement(Z, list("aabb")).value
    1.0
    >>> cluster_agreement(Z, list("abab")).value
    -0.5
    """
    Z, y = labeled("cluster_agreement", Z, y)
    index = sampled(Z, n_max, random_state)
    Z, (classes, which) = Z[index], np.unique(y[index], return_inverse=True)
    if len(classes) < 2:
        return UNKNOWN
    n_clusters = min(len(classes), len(np.unique(Z, axis=0)))
    clusters = KMeans(n_clusters, n_init=3, random_state=random_state).fit_predict(Z)
    return bootstrap(adjusted_rand_score, which, clusters, random_state=random_state, least=-0.5, most=1)


def linear_probe(Z: Any, y: Any, *, n_max: int = 10_000, random_state: int = 0) -> Measure:
    """Return the share of codes whose class a logistic regression on other codes names.

    From 0 to 1, higher is better; chance is the share of the commonest class. Codes are standardized;
    five-fold cross-validation.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    y : array-like of shape (n_samples,)
        Their classes; one of fewer than ten codes is left out.
    n_max : int, default=10_000
        Of more codes that many are drawn.
    random_state : int, default=0
        Draws them, and the folds.

    Returns
    -------
    linear_probe : Measure
        With its Wilson interval over codes; NaN if fewer than two classes are left.

    Raises
    ------
    ValueError
        If codes and classes differ in length, or a value is not finite.

    Notes
    -----
    Unchanged by translation and by scaling of every component. It grows with the number of components
    whatever the model, and says nothing of gaps or of sampling.

    References
    ----------
    Alain, Bengio (2017), "Understanding intermediate layers using linear classifier probes", ICLR
    workshop.

    Examples
    --------
    >>> Z = np.repeat([[0.0], [1.0]], 20, axis=0)
    >>> linear_probe(Z, Z[:, 0] > 0).value
    1.0
    """
    Z, y = labeled("linear_probe", Z, y)
    index = sampled(Z, n_max, random_state)
    _, which, counts = np.unique(y[index], return_inverse=True, return_counts=True)
    kept = counts[which] >= 2 * _FOLDS
    if len(np.unique(which[kept])) < 2:
        return UNKNOWN
    Z, which = Z[index][kept], which[kept]
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=_STEPS))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=random_state)
    return share(cross_val_predict(probe, Z, which, cv=folds) == which)

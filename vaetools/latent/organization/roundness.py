"""Roundness: whether the cloud of codes is what the prior N(0, I) is; and how many components are in use.

Of roundness give draws from the posterior, one per row: means of a VAE are narrower than the cloud that its
decoder has learnt to decode. An AE has no posterior; give its codes.
"""

import math
from typing import Any

import numpy as np
from scipy import stats

from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, checked, sampled

_BIT = math.log(2)  # nats
_ENOUGH = 0.5  # of the variance of rows
_LEAST_VARIANCE = 1e-12  # a constant dimension costs 13.3 nats, not infinitely many


def moment_kl(Z: Any, *, random_state: int = 0) -> Measure:
    """Return the KL of mean and spread of the codes from N(0, 1), averaged over dimensions.

    In nats per dimension: KL(N(m, s²) ‖ N(0, 1)) = (m² + s² − 1 − log s²) / 2. From 0, lower is rounder.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Draws from the posterior, or codes of an AE.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    moment_kl : Measure
        With its bootstrap interval over rows; NaN for fewer than two rows.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by the order of rows. It sees means and spreads alone: gaps, clusters and correlations
    leave it as it is. Variances below 1e-12 count as that, so a constant dimension costs 13.3 nats.

    References
    ----------
    Kingma, Welling (2014), "Auto-Encoding Variational Bayes", ICLR (appendix B).

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(moment_kl(Z).value, 3), round(moment_kl(10 * Z).value, 1)
    (0.001, 47.3)
    """
    (Z,) = checked("moment_kl", Z)

    def cost(Z: np.ndarray) -> float:
        variance = np.maximum(Z.var(axis=0), _LEAST_VARIANCE)
        return float(np.mean(Z.mean(axis=0) ** 2 + variance - 1 - np.log(variance)) / 2)

    return bootstrap(cost, Z, random_state=random_state, least=0) if len(Z) > 1 else UNKNOWN


def sliced_wasserstein(
    Z: Any, n_directions: int = 100, *, n_max: int = 3000, random_state: int = 0
) -> Measure:
    """Return the Wasserstein distance of the codes from N(0, I), along random directions.

    The root of the mean, over directions, of the squared 2-Wasserstein distance between codes along a
    direction and N(0, 1). Its unit is the prior's standard deviation, in any number of dimensions:
    N(0, s² I) is ``|s − 1|`` away. From 0, lower is rounder.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Draws from the posterior, or codes of an AE.
    n_directions : int, default=100
        The same for every Z of as many components.
    n_max : int, default=3000
        Of more rows that many are drawn.
    random_state : int, default=0
        Draws rows, directions and the bootstrap.

    Returns
    -------
    sliced_wasserstein : Measure
        With its bootstrap interval over rows; NaN if there is none.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by the order of rows unless they are drawn, and by rotation but for the choice of
    directions. It sees scale, shift and large gaps along lines; most gaps vanish along a line, the more
    so in many dimensions, where any cloud looks normal (Diaconis, Freedman 1984). Codes from N(0, I)
    itself are about 0.03 away if there are 3,000, so compare equally many.

    References
    ----------
    Bonneel, Rabin, Peyré, Pfister (2015), "Sliced and Radon Wasserstein Barycenters of Measures",
    Journal of Mathematical Imaging and Vision 51.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(sliced_wasserstein(Z).value, 2), round(sliced_wasserstein(3 * Z).value, 2)
    (0.05, 2.0)
    """
    (Z,) = checked("sliced_wasserstein", Z)
    Z = Z[sampled(Z, n_max, random_state)]
    if not len(Z):
        return UNKNOWN
    directions = np.random.default_rng(random_state).normal(size=(n_directions, Z.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    normal = stats.norm.ppf((np.arange(len(Z)) + 0.5) / len(Z))

    def distance(along: np.ndarray) -> float:  # (n_samples, n_directions)
        return math.sqrt(np.mean((np.sort(along.T) - normal) ** 2))

    return bootstrap(distance, Z @ directions.T, random_state=random_state, least=0)


def effective_rank(Z: Any, *, random_state: int = 0) -> Measure:
    """Return how many dimensions the codes fill: the exponential of the entropy of their singular values.

    From 1 to n_components; neither end is better. Codes are centered.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes: latent means.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    effective_rank : Measure
        With its bootstrap interval over rows; NaN if all codes are equal.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of all components together, and by the order of rows. It
    does not tell AE from VAE: a VAE may switch dimensions off on purpose. It is large for noise.

    References
    ----------
    Roy, Vetterli (2007), "The effective rank: A measure of effective dimensionality", EUSIPCO.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(1000, 3))
    >>> round(effective_rank(Z).value, 2), round(effective_rank(Z * [1, 1, 0]).value, 2)
    (3.0, 2.0)
    """
    (Z,) = checked("effective_rank", Z)
    if not len(Z):
        return UNKNOWN

    def rank(Z: np.ndarray) -> float:
        centered = _centered(Z)
        values = np.sqrt(np.maximum(np.linalg.eigvalsh(centered.T @ centered), 0))
        return math.exp(stats.entropy(values)) if values.any() else math.nan

    return bootstrap(rank, Z, random_state=random_state, least=1, most=Z.shape[1])


def correlation(Z: Any, *, random_state: int = 0) -> Measure:
    """Return the mean absolute correlation between two different dimensions.

    From 0 to 1, lower is rounder.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Draws from the posterior, or codes of an AE.
    random_state : int, default=0
        Draws the bootstrap.

    Returns
    -------
    correlation : Measure
        With its bootstrap interval over rows; NaN if fewer than two dimensions vary. Constant ones are
        left out.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation and by scaling of every dimension, and by the order of rows; not by
    rotation. Of n independent codes it is about 0.8 / √n, not 0. With two dimensions it is one number,
    which says little: an AE's may be low by chance.

    References
    ----------
    Kumar, Sattigeri, Balakrishnan (2018), "Variational Inference of Disentangled Latent Concepts from
    Unlabeled Observations", ICLR (why an aggregated posterior should not be correlated).

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(correlation(Z).value, 2), round(correlation(Z @ [[1, 1], [0, 1]]).value, 2)
    (0.02, 0.71)
    """
    (Z,) = checked("correlation", Z)

    def mean_correlation(Z: np.ndarray) -> float:
        centered = _centered(Z)
        spread = np.linalg.norm(centered, axis=0)
        varying = spread > 0
        if varying.sum() < 2:
            return math.nan
        unit = centered[:, varying] / spread[varying]
        return float(np.abs((unit.T @ unit)[np.triu_indices(unit.shape[1], 1)]).mean())

    return (
        bootstrap(mean_correlation, Z, random_state=random_state, least=0, most=1) if len(Z) > 1 else UNKNOWN
    )


def active_units(Z: Any, least_variance: float = 0.01) -> int:
    """Return how many components' means vary over rows.

    From 0 to n_components; neither end is better.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Latent means, not draws.
    least_variance : float, default=0.01
        Of an active unit, in squared units of codes: the prior has 1.

    Returns
    -------
    n_active : int

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation and by the order of rows; not by scaling, so it means something only where the
    prior sets a scale: the codes of an AE have any, so count all that vary at all.

    References
    ----------
    Burda, Grosse, Salakhutdinov (2016), "Importance Weighted Autoencoders", ICLR.

    Examples
    --------
    >>> active_units([[0.0, 1.0, 0.01], [0.0, -1.0, 0.02]])
    1
    """
    (Z,) = checked("active_units", Z)
    return int(np.sum(Z.var(axis=0) > least_variance)) if len(Z) else 0


def collapsed(kl_per_component: Any, least_kl: float = _BIT, *, explained: float | None = None) -> bool:
    """Return whether the posterior is as good as the prior: codes say next to nothing of their rows.

    Parameters
    ----------
    kl_per_component : array-like of shape (n_components,)
        Mean KL of the posterior from the prior, in nats. An AE has none, so do not ask.
    least_kl : float, default=log(2)
        Nats per row, all components together, below which codes say nothing: one bit.
    explained : float or None, default=None
        Share of the variance of rows that their reconstructions explain, from codes alone; None if it is not
        known. From half on codes say enough, as of rows that hold no more than a bit.

    Returns
    -------
    collapsed : bool

    Raises
    ------
    ValueError
        If a value is not finite.

    References
    ----------
    Bowman et al. (2016), "Generating Sentences from a Continuous Space", CoNLL.

    Examples
    --------
    >>> collapsed([0.001, 0.002]), collapsed([0.001, 3.0])
    (True, False)
    >>> collapsed([0.6]), collapsed([0.6], explained=0.9)
    (True, False)
    """
    (kl,) = checked("collapsed", np.atleast_2d(np.asarray(kl_per_component, dtype=np.float64)))
    return bool(kl.sum() < least_kl and (explained is None or explained < _ENOUGH))


def _centered(Z: np.ndarray) -> np.ndarray:
    """Codes around their mean, exactly zero in constant dimensions."""
    around = Z - Z[0]
    centered: np.ndarray = around - around.mean(axis=0)
    return centered

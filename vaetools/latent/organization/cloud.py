"""The cloud of codes: how many dimensions it really has, and whether it is one cloud or several."""

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import linkage

from vaetools.geometry import nearest
from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, checked, sampled, with_error

_DISCARDED = 0.1  # of the greatest ratios, which fit the line worst
_BLOCKS = 10  # of a jackknife
_FEWEST = 10  # codes that have a median bar
_PART = 0.01  # of the codes that a bar must part from the others


def intrinsic_dimension(Z: Any, *, n_max: int = 10_000, random_state: int = 0) -> Measure:
    """Return in how many directions neighbors of a code lie: the TwoNN estimate.

    By the ratio of the distances to the second and to the first neighbor, which in d dimensions is beyond μ
    with probability μ⁻ᵈ, however dense codes are: d is the slope of a line through its logarithms, without
    the greatest tenth. Neither end is better.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes, or rows.
    n_max : int, default=10_000
        Of more codes that many are drawn.
    random_state : int, default=0
        Draws them, and the bootstrap.

    Returns
    -------
    intrinsic_dimension : Measure
        With its bootstrap interval over ratios; NaN for fewer than three different codes.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation, scaling and the order of rows. It asks about the smallest scale that
    the codes resolve: noise there counts in full, so draws from a posterior have more dimensions than means,
    and in ten dimensions and more it is too low for want of codes. Copies of a code are left out.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio (2017), "Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information", Scientific Reports 7.

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(2000, 2))
    >>> bent = np.c_[plane, plane[:, 0] * plane[:, 1]]
    >>> 1.9 < intrinsic_dimension(bent).value < 2.2
    True
    """
    (Z,) = checked("intrinsic_dimension", Z)
    Z = Z[sampled(Z, n_max, random_state)]
    if len(Z) < 3:
        return UNKNOWN
    first, second = nearest(Z, 2).distances.T
    ratios = np.log(second[first > 0] / first[first > 0])
    if len(ratios) < 3:
        return UNKNOWN
    n_kept = int(len(ratios) * (1 - _DISCARDED))
    beyond = -np.log(1 - np.arange(1, n_kept + 1) / len(ratios))

    def slope(ratios: np.ndarray) -> float:
        kept = np.sort(ratios)[:n_kept]
        squares = float(kept @ kept)
        return float(kept @ beyond) / squares if squares > 0 else np.nan

    return bootstrap(slope, ratios, random_state=random_state, least=0)


def separation(Z: Any, *, n_max: int = 1000, random_state: int = 0) -> Measure:
    """Return how far the codes fall into parts: the longest bar that parts them, in median bars.

    The bars are those of connected components (H₀ persistence): balls around the codes grow, and where two
    parts touch, the bar of one ends at the distance between them. A bar counts that parts at least 1 % of the
    codes from the others, so that a few strangers do not. A single cloud has 1 to 3, far clusters have much
    more; neither end is better.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    n_max : int, default=1000
        Of more codes that many are drawn: time and memory grow with their square.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    separation : Measure
        With the interval of a jackknife over tenths of the codes; NaN for fewer than ten codes, or where half
        of them are copies.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling. A bridge of a few codes between two clusters joins them,
    and clusters that touch are one. In many dimensions all distances are alike, and so are all bars.

    References
    ----------
    Edelsbrunner, Letscher, Zomorodian (2002), "Topological Persistence and Simplification", Discrete &
    Computational Geometry 28.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(500, 2))
    >>> separation(Z).value < 4 < separation(np.concatenate([Z, Z + 20])).value
    True
    """
    (Z,) = checked("separation", Z)
    Z = np.random.default_rng(random_state).permutation(Z[sampled(Z, n_max, random_state)])
    if len(Z) < _FEWEST:
        return UNKNOWN
    value = _longest_bar(Z)
    blocks = np.array([_longest_bar(np.delete(Z, np.s_[i::_BLOCKS], axis=0)) for i in range(_BLOCKS)])
    error = np.sqrt((_BLOCKS - 1) * blocks.var())
    return UNKNOWN if np.isnan(value + error) else with_error(value, error, least=0)


def _longest_bar(Z: np.ndarray) -> float:
    """Return the longest bar that parts enough codes from the others, in multiples of the median bar."""
    merges = linkage(Z, "single")
    n, lengths = len(Z), merges[:, 2]
    sizes = np.append(np.ones(n), merges[:, 3])
    smaller = sizes[merges[:, :2].astype(int)].min(axis=1)
    parting = lengths[smaller >= max(2, np.ceil(_PART * n))]
    median = float(np.median(lengths))
    return float(parting.max(initial=median)) / median if median > 0 else np.nan

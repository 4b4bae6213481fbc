"""Gaps: whether what is drawn from a Gaussian lands among the codes.

Two questions are easily confused. *Does N(0, I) itself work as a source of codes?* is what `prior_empty`
asks of codes as they are, on the scale of the prior's own spacing. (The spacing of the codes would not do:
those of an AE spread so wide that every draw falls among them.) *Is the codes' own ellipsoid filled?* is
what `holes` and `off_codes` ask: codes are whitened, so that neither scale nor shape counts, and holes
inside are what is left.
"""

import math
from typing import Any

import numpy as np

from vaetools.geometry import covariance, far, reached, whitening
from vaetools.latent.organization.measure import UNKNOWN, Measure, checked, sampled, share

_FLAT = 1e-12  # of the largest variance: codes do not extend that way
_STREAM = 1  # of random numbers


def prior_empty(Z: Any, k: int = 5, *, n_max: int = 3000, random_state: int = 0) -> Measure:
    """Return the share of draws from N(0, I) that have no code within reach.

    From 0 to 1, lower is better. A draw reaches as far as its k-th nearest other draw, and there are as
    many draws as codes, so codes from N(0, I) itself have about 2⁻ᵏ, 0.03, in any number of dimensions.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Draws from the posterior, or codes of an AE.
    k : int, default=5
        Neighbors; of fewer draws, all.
    n_max : int, default=3000
        Of more codes that many are drawn: memory grows with the square.
    random_state : int, default=0
        Draws codes and from N(0, I).

    Returns
    -------
    prior_empty : Measure
        With its Wilson interval over draws; NaN for fewer than two codes.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by the order of codes unless they are drawn, and by rotation but for which draws it meets.
    Scale and position count, as they do for sampling: codes that spread wider than the prior leave it
    empty, and so do codes that are all in one place. An AE was never asked for N(0, I); see `holes`.

    References
    ----------
    Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for Generative Models", ICML (the
    coverage of the prior by codes, subtracted from 1).

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(2000, 2))
    >>> prior_empty(Z).value < 0.05, prior_empty(20 * Z).value > 0.9, prior_empty(Z / 20).value > 0.9
    (True, True, True)
    """
    (Z,) = checked("prior_empty", Z)
    Z = Z[sampled(Z, n_max, random_state)]
    if len(Z) < 2:
        return UNKNOWN
    return share(~reached(Z, _prior(len(Z), Z.shape[1], random_state), k).any(axis=0))


def holes(Z: Any, *, quantile: float = 0.99, n_draws: int = 10_000, random_state: int = 0) -> Measure:
    """Return the share of draws from the Gaussian fitted to the codes that land far from all of them.

    From 0 to 1, lower is better. Far is farther from all codes than a quantile of the distances between
    a code and its nearest other, so codes without holes have about 1 − ``quantile``.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Draws from the posterior, or codes of an AE.
    quantile : float, default=0.99
        Of the codes' own spacing.
    n_draws : int, default=10_000
        From the Gaussian with the mean and covariance of Z.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    holes : Measure
        With its Wilson interval over draws; NaN for fewer than two codes, or equal ones. Directions in
        which codes do not extend are left out.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    Unchanged by every invertible linear map of the codes (but for which draws it meets), by translation and
    by the order of rows. In many dimensions nearly every draw is far from every code of any model, because
    codes have neighbors of their class and draws have not: see `off_codes`, and compare models of equally
    many codes and components. The far tail of the spacing decides, so a few hundred codes say little.

    References
    ----------
    Kynkäänniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative Models",
    NeurIPS (distances on the scale of a sample's own spacing).

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(2000, 2))
    >>> holes(Z @ [[5, 2], [0, 1]]).value < 0.02
    True
    >>> ring = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    >>> holes(ring).value > 0.9
    True
    """
    (Z,) = checked("holes", Z)
    if len(Z) < 2 or (Z[0] == Z).all():
        return UNKNOWN
    center, scale = Z.mean(axis=0), _to_ball(Z)
    Z = (Z - center) @ scale
    return share(far(_prior(n_draws, Z.shape[1], random_state), Z, quantile))


def off_codes(
    Z: Any, Z_held_out: Any, *, quantile: float = 0.99, n_draws: int = 10_000, random_state: int = 0
) -> Measure:
    """Return how much more often draws are far from all codes than held-out codes are.

    Draws come from the Gaussian fitted to the codes. The measure is a ratio of two shares.

    From 0, lower is better; 1 if draws and held-out codes are alike, at most about 1 / (1 − ``quantile``)
    if held-out codes lie as codes do. Far is what it is for `holes`.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_components)
        Codes.
    Z_held_out : array-like of shape (n_held_out, n_components)
        Codes of rows that are not among those of Z, made in the same way.
    quantile : float, default=0.99
        Of the spacing of Z.
    n_draws : int, default=10_000
        From the Gaussian with the mean and covariance of Z.
    random_state : int, default=0
        Draws them.

    Returns
    -------
    off_codes : Measure
        With the interval of Katz et al. on the logarithm of the ratio, half a row added to each count; NaN
        for fewer than two codes, equal ones, or none held out.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    As invariant as `holes`. It corrects `holes` for what any code suffers in
    many dimensions, and for overfitting: of a model that packs its training rows, held-out codes are
    far as well, and the ratio falls. So read both, and the held-out loss.

    References
    ----------
    Katz, Baptista, Azen, Pike (1978), "Obtaining Confidence Intervals for the Risk Ratio in Cohort
    Studies", Biometrics 34.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(4000, 2))
    >>> measure = off_codes(Z[:2000], Z[2000:])
    >>> measure.low < 1 < measure.high
    True
    """
    Z, held_out = checked("off_codes", Z, Z_held_out, paired=False)
    if len(Z) < 2 or not len(held_out) or (Z[0] == Z).all():
        return UNKNOWN
    center, scale = Z.mean(axis=0), _to_ball(Z)
    Z, held_out = (Z - center) @ scale, (held_out - center) @ scale
    above = far(_prior(n_draws, Z.shape[1], random_state), Z, quantile)
    below = far(held_out, Z, quantile)
    counts = np.array([above.sum(), below.sum()]) + 0.5  # finite whatever they are
    totals = np.array([len(above), len(below)]) + 0.5
    log_ratio = float(np.log(counts / totals) @ [1, -1])
    margin = 1.96 * math.sqrt(np.sum(1 / counts - 1 / totals))
    return Measure(*(math.exp(log_ratio + shift) for shift in (0, -margin, margin)))


def _prior(n_draws: int, n_components: int, random_state: int) -> np.ndarray:
    """Draws from N(0, I), not those that made the codes if these were drawn with the same seed."""
    return np.random.default_rng([_STREAM, random_state]).normal(size=(n_draws, n_components))


def _to_ball(Z: np.ndarray) -> np.ndarray:
    """Map of centered codes, not all equal, to unit covariance in the directions in which they extend."""
    return whitening(covariance(Z), lambda v: np.where(v > _FLAT * v.max(), v, 0))

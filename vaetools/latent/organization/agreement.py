"""Agreement: whether single dimensions mean something, so that another seed finds them too."""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from vaetools.latent.organization.measure import UNKNOWN, Measure, bootstrap, checked


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
        absolute = np.abs(correlations(Z, other))
        return float(absolute[linear_sum_assignment(absolute, maximize=True)].mean())

    return bootstrap(matched, Z, other, random_state=random_state, least=0, most=1)


def correlations(Z: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return correlations of all dimensions with all others; 0 where one does not vary."""
    unit = []
    for values in (Z, other):
        centered = values - values.mean(axis=0)
        length = np.linalg.norm(centered, axis=0)
        varies = length > 1e-9 * np.maximum(1.0, np.abs(values).max(axis=0)) * np.sqrt(len(values))
        unit.append(np.where(varies, centered / np.where(varies, length, 1.0), 0.0))
    cosines: np.ndarray = np.clip(unit[0].T @ unit[1], -1, 1)
    return cosines

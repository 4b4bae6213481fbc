"""Use of dimensions: how many components say something of their rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vaetools.latent.organization.measure import checked

_BIT = math.log(2)  # nats
_ENOUGH = 0.5  # of the variance of rows


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

"""P-values for new rows that are usual rows in other shares than before."""

from typing import Any, NamedTuple

import numpy as np

from vaetools.anomaly.rates import n_rows_needed
from vaetools.anomaly.shift import Odds, effective_number, weighted_ranks
from vaetools.checks import Requirement, check, is_number
from vaetools.persistence.model_file import split_reader
from vaetools.watch.statistics import Measure
from vaetools.watch.watch import SEED
from vaetools.words import warn

_BOUND = Requirement("a number of at least 1", lambda value: is_number(value, 1))
_FEWEST = 20  # rows of either
_HARDLY = 0.2  # of the reference: where fewer tell, some new rows are of a kind that it lacks


class ShiftedPValues(NamedTuple):
    """P-values, and how much they rest on.

    Attributes
    ----------
    p_values : ndarray of shape (n_samples,)
        Small for odd rows.
    n_effective : float
        Of rows of the reference, those that would tell as much if all counted alike.
    """

    p_values: np.ndarray
    n_effective: float


def shifted_p_values(
    model: Any, X: Any, reference: Any, *, bound: float = 10.0, random_state: int = 0
) -> ShiftedPValues:
    """Return p-values where usual rows came in other shares: more night, another season, a larger customer.

    Rows of the reference count by how likely they are among new rows, as a classifier between the two
    says, which sees what `Watch` watches: columns, or what images look like, and codes. New rows are judged
    by one that did not see them. With the same shares p-values are about those of ``model.p_values`` after
    ``recalibrate(reference)``. New *kinds* of rows, that the reference lacks, weights cannot make known:
    recalibrate with some.

    Parameters
    ----------
    model : autoencoder or PatchDetector, or a pipeline of an ImageReader and one of those
        Fitted.
    X : array-like of shape (n_samples, n_features)
        New rows, 20 or more, most of them normal.
    reference : array-like of shape (n_reference, n_features)
        Normal rows that ``fit`` did not see, 20 or more.
    bound : float, default=10.0
        Of weights, and of their inverse: odd rows, which are likely among new ones alone, must not count
        for much.
    random_state : int, default=0
        Seed of the halves into which new rows are cut.

    Returns
    -------
    result : ShiftedPValues

    Warns
    -----
    UserWarning
        If the effective number of rows of the reference is below a fifth of all, or below that which the
        model's ``false_alarm_rate`` takes: then more normal rows than that have a small p-value.

    Examples
    --------
    >>> import vaetools as vt
    >>> rng = np.random.default_rng(0)
    >>> def rows(n, share):  # of two kinds, of which one varies more
    ...     return rng.normal(size=(n, 4)) * np.where(rng.random((n, 1)) < share, 3, 1)
    >>> vae = vt.VAE(max_iter=20, random_state=0).fit(rows(400, 0.1))
    >>> known, new = rows(1000, 0.1), rows(1000, 0.4)
    >>> plain = vae.recalibrate(known).p_values(new)
    >>> weighted = vt.shifted_p_values(vae, new, known).p_values
    >>> bool((plain <= 0.05).mean() > 0.12 > 0.08 > (weighted <= 0.05).mean())
    True
    """
    check("shifted_p_values", "bound", bound, _BOUND)
    check("shifted_p_values", "random_state", random_state, SEED)
    for name, rows in (("X", X), ("reference", reference)):
        if len(rows) < _FEWEST:
            raise ValueError(
                f"shifted_p_values: {name} must have {_FEWEST} rows or more; got {len(rows)}. Fewer tell "
                "nothing of their shares."
            )
    _, estimator = split_reader(model)
    measure = Measure(estimator)
    new, known = measure(X), measure(reference)
    p_values, effective = np.empty(len(new.scores)), []
    halves = np.array_split(np.random.default_rng(random_state).permutation(len(new.scores)), 2)
    for judged, learnt in (halves, halves[::-1]):
        odds = Odds(new.values[learnt], known.values, bound)
        weights = odds(known.values)
        p_values[judged] = weighted_ranks(new.scores[judged], odds(new.values[judged]), known.scores, weights)
        effective.append(effective_number(weights))
    n_effective, n = min(effective), len(known.scores)
    if n_effective < max(_HARDLY * n, n_rows_needed(estimator.false_alarm_rate)):
        warn(
            f"shifted_p_values: rows of the reference must be like new ones, in other shares; got {n:,} "
            f"that count as {n_effective:.0f}. P-values are too small or tell little: recalibrate with "
            "normal rows of the new kind.",
        )
    return ShiftedPValues(p_values, n_effective)

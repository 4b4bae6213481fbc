"""What may be wrong with a trained model: what was seen, and what to try, the likeliest cause first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_BLANK, _LITTLE = 0.05, 0.5  # of what makes a typical row differ that reconstructions explain
_SAME = 1e-6  # scaled standard deviations, of columns that are constant
_SQUEEZED = 0.2  # scaled standard deviations that nine tenths of a column span; 3.3 if it is normal
_FAINT = 0.05  # scaled standard deviations of typical columns, where the network expects about 1
_LOUD = 10  # scaled values of any column, root mean square
_FAST, _SLOW = 0.01, 0.001  # learning rates that may be too high, and that are none


class Seen(NamedTuple):
    """What fit saw of a trained model.

    Attributes
    ----------
    kl : float or None
        Nats per row; None without a posterior.
    active : ndarray of shape (n_components,), bool
    x : ndarray of shape (n_rows, n_features) or None
        Some training rows, scaled; None where columns are of several kinds.
    explained : float or None
        Share of a typical row's squared distance from the median row that its reconstruction explains;
        None if it is not known.
    flat : str
        The levels that images keep to, and what to do, if they use a small part of their range.
    is_told : bool
        Whether reconstructions are told labels: what they explain is not what codes say then.
    """

    kl: float | None
    active: np.ndarray
    x: np.ndarray | None
    explained: float | None
    flat: str = ""
    is_told: bool = False


class Settings(NamedTuple):
    """How the model was trained.

    Attributes
    ----------
    scaling : str
        Kind of `InputScale`, ``"standardize"`` also of pixels that are.
    n_steps : int
    learning_rate : float
        The highest of all steps.
    beta : float or None
        None without a posterior.
    kl_warmup : float
    """

    scaling: str
    n_steps: int
    learning_rate: float
    beta: float | None
    kl_warmup: float


def explained_share(x: np.ndarray, expected: np.ndarray) -> float | None:
    """Return the share of a typical row's squared distance from the median row that is explained.

    Medians, because a few rows far out are easily explained, and say nothing of the rest. None if
    typical rows are that row.

    Examples
    --------
    >>> x = np.array([[-1.0], [0.0], [1.0], [2.0], [900.0]])
    >>> explained_share(x, x), explained_share(x, np.full((5, 1), 1.0))
    (1.0, 0.0)
    """
    distance = np.median(np.square(x - np.median(x, axis=0)).sum(axis=1))
    if distance <= _SAME**2:
        return None
    return float(1 - np.median(np.square(x - expected).sum(axis=1)) / distance)


def judgment(seen: Seen, settings: Settings) -> str:
    """Return what is wrong with codes or reconstructions, and what to try; nothing if nothing is."""
    if seen.x is not None and (np.ptp(seen.x, axis=0) <= _SAME).all():
        return f"all of {len(seen.x):,} training rows are the same: there is nothing to learn from them."
    found = _fault(seen)
    return f"{found}. {_remedies(seen, settings)}" if found else ""


def _fault(seen: Seen) -> str:
    """Return what was seen of codes or reconstructions that say little of their rows."""
    kl, active, explained = seen.kl, seen.active, seen.explained
    n_active, n = int(active.sum()), len(active)
    if _has_collapsed(seen):
        return (
            f"the posterior collapsed: KL is {kl:.2g} nats per row, less than a bit, and {n_active} of {n} "
            "latent dimensions are active, so codes say little of their rows"
        )
    if kl is not None and not n_active:
        return (
            f"codes are all in about one place: none of {n} latent dimensions is active, at a KL of {kl:.2g} "
            "nats per row"
        )
    if explained is None or explained >= _LITTLE:
        return ""
    found = (
        f"explain {100 * max(0.0, explained):.0f} % of what makes a typical row differ from the median row"
    )
    if explained < _BLANK:
        return f"reconstructions {found}"
    if kl is not None and n_active < n / 2:
        return f"only {n_active} of {n} latent dimensions are active, and reconstructions {found}"
    return ""


def _has_collapsed(seen: Seen) -> bool:
    """Return whether codes say less than a bit of their rows, where more would help."""
    from vaetools.latent.organization import collapsed  # loads SciPy's statistics

    return seen.kl is not None and collapsed([seen.kl], explained=None if seen.is_told else seen.explained)


def _remedies(seen: Seen, settings: Settings) -> str:
    """Return what to try: the scale of rows first, then training, then the KL weight unless it is high."""
    tried = [_training(seen, settings)]
    if settings.beta:
        warmup = "" if settings.kl_warmup else " or kl_warmup=0.5"
        tried.insert(0 if settings.beta > 1 else 1, f"a smaller beta (it was {settings.beta:g}){warmup}")
    try_them = f"try {', then '.join(tried)}"
    scale = "" if seen.x is None else _scale(seen.x, settings.scaling)
    if seen.flat:
        scale = f"Look at the scale of X first: images keep to {seen.flat}"
    if scale:
        return f"{scale} If that is as it should be, {try_them}."
    return f"T{try_them[1:]}; columns that have nothing to do with each other leave nothing to find."


def _training(seen: Seen, settings: Settings) -> str:
    """Return how to train otherwise: longer or faster, or slower where training may have leapt away."""
    steps = f"more steps (max_iter; it made {settings.n_steps:,})"
    rate = f"learning_rate_init (it was {settings.learning_rate:.2g})"
    has_leapt = seen.kl is not None and not seen.active.any() and settings.learning_rate > _SLOW
    if settings.learning_rate > _FAST or (has_leapt and not _has_collapsed(seen)):
        return f"a lower {rate}, then {steps}"
    return f"{steps} or a higher {rate}"


def _scale(x: np.ndarray, scaling: str) -> str:
    """Say that the scale of rows leaves a network little to see, if so."""
    loudest = float(np.sqrt(np.square(x).mean(axis=0).max()))
    if scaling == "identity" and loudest > _LOUD:
        return (
            f"Look at the scale of X first: values of a column are about {loudest:.2g} (root mean square), "
            "where a network expects about 1: pass standardize=True."
        )
    varied = x[:, np.ptp(x, axis=0) > _SAME]
    spread = np.subtract(*np.quantile(varied, [0.95, 0.05], axis=0))
    n_squeezed = int((spread < _SQUEEZED).sum())
    if scaling == "standardize" and 2 * n_squeezed >= varied.shape[1]:
        return (
            f"Look at the scale of X first: in {n_squeezed} of {x.shape[1]} columns nine tenths of the "
            f"values lie within {_SQUEEZED} standard deviations, because a few lie far out. Clip these or "
            "take logarithms, or leave odd rows out (trimmed_fraction)."
        )
    typical = float(np.sqrt(np.mean(np.var(varied, axis=0))))
    if scaling != "standardize" and typical < _FAINT:
        how = "pass standardize=True" if scaling == "identity" else "stretch them over [0, 1]"
        return (
            f"Look at the scale of X first: scaled values differ by {typical:.2g} (root mean square), where "
            f"a network expects about 1: {how}."
        )
    return ""

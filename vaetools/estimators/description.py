"""What fit notes of a trained model, and what may be wrong with it: the likeliest cause first."""

import dataclasses
import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from vaetools.anomaly.overfitting import learnt_by_heart
from vaetools.anomaly.reference import Reference
from vaetools.anomaly.scores import fit_states
from vaetools.estimators.engine import Engine
from vaetools.estimators.judges import Judge, judged
from vaetools.estimators.marks import marks_among
from vaetools.estimators.rows import RATHER_FLAT, flat_images
from vaetools.nn.batches import Rows
from vaetools.nn.model import Reading
from vaetools.words import warn

N_REFERENCE = 10_000  # training rows that describe the latent space after fit
N_DESCRIBED = 2_000  # rows that mean costs are taken over: decoding is the dear part
_ACTIVE_VARIANCE = 0.01  # of latent means over rows (Burda et al. 2016)
_ACTIVE_KL = 0.1  # nats per row that a dimension tells at least, where it has a spread
_JUDGED_STEPS = 200  # before that a posterior near the prior is not collapsed but untrained
_LEAST_JUDGED = 10  # rows: fewer are alike by chance
_N_SHOWN, _SHOWN_VALUES = 256, 2**22  # rows whose reconstructions are looked at, and what they have at most
_BLANK, _LITTLE = 0.05, 0.5  # of what makes a typical row differ that reconstructions explain
_SAME = 1e-6  # scaled standard deviations, of columns that are constant
_SQUEEZED = 0.2  # scaled standard deviations that nine tenths of a column span; 3.3 if it is normal
_FAINT = 0.05  # scaled standard deviations of typical columns, where the network expects about 1
_LOUD = 10  # scaled values of any column, root mean square
_HEART = 10.0  # nats that held-out rows cost more, which chance seldom makes
_MANY_DEAD = 1 / 3  # of the words of a vocabulary
_FAST, _SLOW = 0.01, 0.001  # learning rates that may be too high, and that are none


class Seen(NamedTuple):
    """What fit saw of a trained model, and how it was trained."""

    kl: float | None  # nats per row; None without a posterior
    active: np.ndarray  # (n_components,), bool
    x: np.ndarray | None  # some training rows, scaled; None where columns are of several kinds
    explained: float | None  # by reconstructions, of a typical row's squared distance from a constant row
    flat: str  # the levels that images keep to, and what to do, if they use a small part of their range
    is_told: bool  # reconstructions are told labels: what they explain is not what codes say then
    scaling: str  # kind of `InputScale`, "standardize" also of pixels that are
    n_steps: int
    learning_rate: float  # the highest of all steps
    beta: float | None  # None without a posterior
    kl_warmup: float
    ended_early: bool  # held-out rows ended training


def describe(estimator: Any, rows: Rows, held_out: Sequence[Judge], rng: np.random.RandomState) -> None:
    """Note how the latent space of a trained estimator is used, and warn where it is not.

    Of the rows that trained and of those that did not; ``rng`` chooses among many.
    """
    engine, reference = Engine(estimator), referred(rows, rng)
    codes, kl = engine.map(reference, attrgetter("mean"), attrgetter("kl"))
    marginal = codes
    if reference.labels is not None and engine.can_decode:
        [marginal] = engine.map(reference.unlabeled(), attrgetter("mean"))
    estimator.reference_codes_ = marginal.astype(np.float32)
    estimator.code_range_ = np.stack([codes.min(axis=0), codes.max(axis=0)])
    estimator.active_units_ = codes.var(axis=0) > _ACTIVE_VARIANCE
    estimator.kl_per_component_ = kl.mean(axis=0)
    if engine.has_spread:
        estimator.active_units_ &= estimator.kl_per_component_[: codes.shape[1]] > _ACTIVE_KL
    estimator.mean_terms_ = pd.DataFrame(columns=["reconstruction", "kl"], dtype=np.float64)
    for name, judges in {"train": [(estimator, reference)], "held_out": held_out}.items():
        if engine.can_decode and judges:
            few = [(judge, part.some(N_DESCRIBED)) for judge, part in judges]
            [costs] = judged(few, lambda _: [_terms])
            estimator.mean_terms_.loc[name] = costs.mean(axis=0)
    learn_score(estimator, reference)
    if len(rows) >= _LEAST_JUDGED and trained_enough(estimator, len(rows)):
        seen = _seen(engine, reference, n_steps=_n_steps(estimator, len(rows)))
        found = "" if engine.context is not None else judgment(seen)  # codes may have nothing to add to it
        by_heart = _overfit(estimator, sum(len(part) for _, part in held_out))
        for words in filter(None, (found, by_heart, _dead_words(estimator))):
            warn(f"{engine.owner}: {words}", ConvergenceWarning)


def referred(rows: Rows, rng: np.random.RandomState) -> Rows:
    """Return the rows, or so many of them that describing a model by them takes no time."""
    if len(rows) <= N_REFERENCE:
        return rows
    return dataclasses.replace(rows, index=np.sort(rng.choice(rows.index, N_REFERENCE, replace=False)))


def learn_score(estimator: Any, reference: Rows) -> None:
    """Note which score is the estimator's, and what it learns from training rows."""
    engine = Engine(estimator)
    estimator.anomaly_score_, estimator.score_state_ = estimator.anomaly_score, {}
    if engine.can_score(estimator.anomaly_score):
        marks = marks_among(engine, reference)
        seen_rows = Reference(lambda f: engine.map(reference.unlabeled(), f)[0], estimator.image_shape, marks)
        estimator.score_state_ = fit_states(estimator.anomaly_score, seen_rows)


def _terms(reading: Reading) -> Tensor:
    """Return the costs of rows, ``(n_samples, 2)``."""
    return torch.stack([reading.reconstruction.sum(dim=1), reading.kl.sum(dim=1)], dim=1)


def _overfit(estimator: Any, n_held_out: int) -> str:
    """Return that training rows were learnt by heart, and what to try; nothing if they were not."""
    costs, kind = estimator.mean_terms_.sum(axis=1).to_dict(), type(estimator.model_.likelihood).__name__
    if len(costs) < 2 or n_held_out < _LEAST_JUDGED:
        return ""
    train, others = costs["train"], costs["held_out"]
    by_heart = learnt_by_heart(train, others, len(estimator.input_scale_.shift), likelihood=kind)
    if others - train < _HEART or not by_heart:
        return ""
    watched = "held_out_loss" in estimator.history_
    watch = "" if watched else "early_stopping=True, "
    return (
        f"rows that were held out cost {others:.1f} nats, those that trained {train:.1f}: much of these was "
        f"learnt by heart. Try {watch}fewer epochs (max_iter; it made {estimator.n_iter_:,}), input_noise or "
        "more rows. Thresholds from held-out rows hold all the same."
    )


def _dead_words(estimator: Any) -> str:
    """Return that codes do without many words of a vocabulary, and what to try; nothing if they do not."""
    counts = getattr(estimator, "word_counts_", np.ones(1))
    n_dead = int((counts == 0).sum())
    if n_dead <= _MANY_DEAD * len(counts):
        return ""
    return (
        f"{n_dead:,} of {len(counts):,} words are in no row that trained, so that fewer say as much. Try "
        f"n_words={max(2, len(counts) - n_dead)} or fewer."
    )


def trained_enough(estimator: Any, n_rows: int) -> bool:
    """Whether training on so many rows was long enough to blame anything but its length.

    One that was watched may end in its second half, because more would not have helped: what counts then is
    how long it might have been.
    """
    n_epochs = estimator.n_iter_
    if "held_out_loss" in estimator.history_ and 2 * n_epochs >= estimator.max_iter_:
        n_epochs = estimator.max_iter_
    return bool(n_epochs * math.ceil(n_rows / estimator.batch_size) >= _JUDGED_STEPS)


def _elsewhere(rows: Rows) -> Rows:
    """Return rows, each with the context of another."""
    others = rows.labels.copy()
    others[rows.index] = np.roll(rows.labels[rows.index], 1, axis=0)
    return dataclasses.replace(rows, labels=others)


def context_information(judges: Sequence[Judge]) -> float:
    """Return how much more probable rows are given their own context than given another row's, in nats."""
    own, other = (
        judged(each, lambda engine: [engine.score("reconstruction_kl")])[0]
        for each in (judges, [(judge, _elsewhere(rows)) for judge, rows in judges])
    )
    known = np.isfinite(own) & np.isfinite(other)
    return float(np.mean(own[known] - other[known])) if known.any() else 0.0


def _n_steps(estimator: Any, n_rows: int) -> int:
    return int(estimator.n_iter_ * math.ceil(n_rows / estimator.batch_size))


def _seen(engine: Engine, rows: Rows, *, n_steps: int) -> Seen:
    """Look at what a trained model makes of training rows."""
    estimator = engine.estimator
    n_shown = min(_N_SHOWN, _SHOWN_VALUES // rows.X.shape[1])
    x = explained = None
    if engine.columns is None and n_shown >= _LEAST_JUDGED:
        x, expected = engine.map(rows.some(n_shown), attrgetter("x"), attrgetter("expected"))
        explained = explained_share(x, expected)
    return Seen(
        kl=float(estimator.kl_per_component_.sum()) if engine.has_spread else None,
        active=estimator.active_units_,
        x=x,
        explained=explained,
        flat=flat_images(engine.scale, rows.X, RATHER_FLAT),
        is_told=rows.labels is not None,
        scaling="standardize" if engine.scale.standardizes else engine.scale.kind,
        n_steps=n_steps,
        learning_rate=float(estimator.history_["learning_rate"].max()),
        beta=estimator.beta if engine.has_spread else None,
        kl_warmup=estimator.kl_warmup if engine.has_spread else 0.0,
        ended_early="held_out_loss" in estimator.history_ and estimator.n_iter_ < estimator.max_iter_,
    )


def explained_share(x: np.ndarray, expected: np.ndarray) -> float | None:
    """Return the share of a typical row's squared distance from the mean or median row that is explained.

    From the nearer of the two: among zeros and ones a constant mean is nearer than most rows to each other.
    Medians of distances, because a few rows far out are easily explained, and say nothing of the rest. None
    if typical rows are that row.

    Examples
    --------
    >>> x = np.array([[-1.0], [0.0], [1.0], [2.0], [900.0]])
    >>> explained_share(x, x), explained_share(x, np.full((5, 1), 1.0))
    (1.0, 0.0)
    """
    distance = min(
        np.median(np.square(x - constant(x, axis=0)).sum(axis=1)) for constant in (np.mean, np.median)
    )
    if distance <= _SAME**2:
        return None
    return float(1 - np.median(np.square(x - expected).sum(axis=1)) / distance)


def judgment(seen: Seen) -> str:
    """Return what is wrong with codes or reconstructions, and what to try; nothing if nothing is."""
    if seen.x is not None and (np.ptp(seen.x, axis=0) <= _SAME).all():
        return f"all of {len(seen.x):,} training rows are the same: there is nothing to learn from them."
    found = _fault(seen)
    return f"{found}. {_remedies(seen)}" if found else ""


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
    share = 100 * max(0.0, explained)
    found = f"explain {share:.0f} % of what makes a typical row differ from the mean or median row"
    if explained < _BLANK:
        return f"reconstructions {found}"
    if kl is not None and n_active < n / 2:
        return f"only {n_active} of {n} latent dimensions are active, and reconstructions {found}"
    return ""


def _has_collapsed(seen: Seen) -> bool:
    """Return whether codes say less than a bit of their rows, where more would help."""
    from vaetools.latent.organization import collapsed  # loads SciPy's statistics

    return seen.kl is not None and collapsed([seen.kl], explained=None if seen.is_told else seen.explained)


def _remedies(seen: Seen) -> str:
    """Return what to try: the scale of rows first, then training, then the KL weight unless it is high."""
    tried = [_training(seen)]
    if seen.ended_early:
        tried.insert(0, "early_stopping=False (held-out rows ended training)")
    if seen.beta:
        warmup = "" if seen.kl_warmup else " or kl_warmup=0.5"
        tried.insert(0 if seen.beta > 1 else 1, f"a smaller beta (it was {seen.beta:g}){warmup}")
    try_them = f"try {', then '.join(tried)}"
    scale = "" if seen.x is None else _scale(seen.x, seen.scaling)
    if seen.flat:
        scale = f"Look at the scale of X first: images keep to {seen.flat}"
    if scale:
        return f"{scale} If that is as it should be, {try_them}."
    return f"T{try_them[1:]}; columns that have nothing to do with each other leave nothing to find."


def _training(seen: Seen) -> str:
    """Return how to train otherwise: longer or faster, or slower where training may have leapt away."""
    steps = f"more steps (max_iter; it made {seen.n_steps:,})"
    rate = f"learning_rate_init (it was {seen.learning_rate:.2g})"
    has_leapt = seen.kl is not None and not seen.active.any() and seen.learning_rate > _SLOW
    if seen.learning_rate > _FAST or (has_leapt and not _has_collapsed(seen)):
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

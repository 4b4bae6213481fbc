"""Faults of one model in words: what to mistrust of it, and why."""

from __future__ import annotations

import math

import numpy as np

from vaetools.latent.organization import collapsed
from vaetools.report.comparison import Data, ModelView
from vaetools.report.text import called
from vaetools.words import number

_KNOWN = 0.2  # share of rows whose codes are those of training rows
_HEART = 0.25  # nats per value, or share, by which rows that did not train may cost more than others
_MEND = (
    "Look at the scale of the data first: a few values far out, or hardly any contrast, hide all else. Then "
    "more epochs or a higher learning rate may mend it, and last a smaller beta or kl_warmup=0.5."
)
_FLATTERED = "It is collapsed: what looks good here is the prior itself."
_FALLEN = {
    "neighbors": "It is collapsed: codes are all about the same; maps and neighbors magnify what is left.",
    "gaps": _FLATTERED,
    "round": _FLATTERED,
    "samples": _FLATTERED,
    "between": "It is collapsed: every code decodes to about the same row, so nothing can jump.",
}


def warn(model: ModelView, data: Data, *, blank: bool = False) -> dict[str, str]:
    """Return what to mistrust of one model, by the section where it matters.

    Parameters
    ----------
    model : ModelView
    data : Data
    blank : bool, default=False
        Whether its squared error is no less than that of the mean of the data.

    Returns
    -------
    warnings : dict of str to str
        Keys are those of `SECTIONS`.
    """
    fallen = _FALLEN if collapse(model) else {}
    notes = {
        "neighbors": [fallen.get("neighbors", ""), _apart_from_labels(model, data)],
        "gaps": [fallen.get("gaps", "")],
        "round": [fallen.get("round", "")],
        "samples": [fallen.get("samples", "")],
        "between": [fallen.get("between", "")],
        "odd": [_uncalibrated(model)],
        "dimensions": [
            collapse(model, _MEND),
            unused(model, "More epochs (max_iter) may help, or a higher learning rate."),
            _idle(model),
        ],
        "reconstruction": [
            trained_on(model),
            useless(model) if blank else "",
            overfit(model, data, "More rows may help, or fewer epochs, or input_noise=0.1."),
            _shift(model, data),
        ],
    }
    found = {section: " ".join(filter(None, texts)) for section, texts in notes.items()}
    return {section: text for section, text in found.items() if text}


def learnt_by_heart(train: float, others: float, n_features: int, *, likelihood: str) -> bool:
    """Whether rows cost so much more than those that trained that these were learnt by heart.

    Parameters
    ----------
    train, others : float
        Mean costs of rows that trained and of rows that did not, in nats.
    n_features : int
    likelihood : str

    Returns
    -------
    learnt : bool
        If a value costs a quarter of a nat more; under a Gaussian of learnt scale the squared error is
        then half as large again. Bernoulli costs are never negative: there a quarter more is enough.
    """
    most = _HEART * n_features
    if likelihood.lower().startswith("bernoulli"):
        most = min(most, _HEART * train)
    return others - train >= most


def collapse(model: ModelView, advice: str = "") -> str:
    """Say that codes tell next to nothing, if they do not tell one bit of their row."""
    if not model.variational or not collapsed(model.kl_per_component):
        return ""
    kl = number(model.kl_per_component.sum(), 2)
    name = called(model.name, first=True)
    return f"{name} is collapsed: KL is {kl} nats per row, less than a bit. {advice}".rstrip()


def unused(model: ModelView, advice: str = "") -> str:
    """Say that no mean varies over rows, if none does though codes are not those of the prior."""
    if not model.variational or collapse(model) or model.active_units.any():
        return ""
    kl = number(model.kl_per_component.sum(), 2)
    return (
        f"{called(model.name, first=True)} puts all rows in about one place: none of "
        f"{len(model.active_units)} components is in use, at a KL of {kl} nats per row. It may be trained "
        f"too little. {advice}".rstrip()
    )


def _idle(model: ModelView) -> str:
    """Say that many components carry nothing, if they do."""
    n_idle, n = int((~model.active_units).sum()), len(model.active_units)
    if not model.variational or collapse(model) or n_idle < n / 2 or n_idle == n:
        return ""
    return f"{n_idle} of {n} components carry nothing: they are collapsed onto the prior."


def trained_on(model: ModelView) -> str:
    """Say that many of these rows trained the model, if so: their codes are those of training rows."""
    codes, counts = np.unique(model.reference_codes, axis=0, return_counts=True)
    telling = codes[counts == 1]  # what many rows share tells none of them
    known = {code.tobytes() for code in telling.astype(np.float32)}
    share = np.mean([code.tobytes() in known for code in model.codes.astype(np.float32)])
    if share <= _KNOWN:
        return ""
    return (
        f"{called(model.name, first=True)} was trained on at least {math.floor(100 * share)} % of these "
        "rows, or on their copies: on new ones it does worse than it seems."
    )


def useless(model: ModelView) -> str:
    """Say that the mean row would do as well, which goes without saying of a collapsed model."""
    if collapse(model):
        return ""
    return f"{called(model.name, first=True)} reconstructs no better than the mean of the data."


def overfit(model: ModelView, data: Data, advice: str = "") -> str:
    """Say that training rows were learnt by heart if they were, or that nobody knows."""
    costs = model.terms.sum(axis=1)
    judge = "held_out" if "held_out" in costs else "new"
    if "train" not in costs or not _costlier(model, data, "train", judge):
        return ""
    name = called(model.name, first=True)
    train, other = number(costs["train"], 1), number(costs[judge], 1)
    if judge == "new":
        return (
            f"{name} is overfitted, or the new rows are of another kind: rows that trained cost {train} "
            f"nats, new ones {other}, and no rows were held out to tell which."
        )
    return (
        f"{name} is overfitted: rows that trained cost {train} nats, held-out ones {other}. {advice}".rstrip()
    )


def _costlier(model: ModelView, data: Data, some: str, others: str) -> bool:
    """Whether the second kind of rows costs far more than the first."""
    first, second = (model.terms.loc[rows].sum() for rows in (some, others))
    return learnt_by_heart(first, second, len(data.columns), likelihood=model.facts["likelihood"])


def _shift(model: ModelView, data: Data) -> str:
    """Say that these rows cost more than held-out ones of the training data, if they do."""
    costs = model.terms.sum(axis=1)
    if "held_out" not in costs or not _costlier(model, data, "held_out", "new"):
        return ""
    return (
        f"New rows cost {number(costs['new'], 1)} nats, and held-out ones of the training data "
        f"{number(costs['held_out'], 1)}: the new rows are of another kind."
    )


def _apart_from_labels(model: ModelView, data: Data) -> str:
    """Say that a conditional model need not keep classes apart."""
    if model.kind != "CVAE" or data.labels is None:
        return ""
    return "Its decoder is given the label, so that codes need not tell classes apart: it is no fault."


def _uncalibrated(model: ModelView) -> str:
    """Say that verdicts lack rows that trained nothing, if so."""
    if model.p_values is not None or model.threshold is None:
        return ""
    return (
        "No rows were held out to calibrate: there are no p-values, and the threshold, set by training "
        "rows, may flag more of new normal rows than of those."
    )

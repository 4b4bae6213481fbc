"""Findings in words, computed from the numbers: what differs, what does not, and what to mistrust.

A difference is stated where 95 % intervals do not overlap; else it is said that the data do not tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from vaetools.latent.organization import collapsed
from vaetools.report.comparison import MEASURES, Data, ModelView
from vaetools.report.text import number, shortened

_BIT = math.log(2)  # nats
_HEART = 0.25  # nats per value, or share, by which rows that did not train may cost more than others
_LONGEST = 40  # characters of a name
_FEW_ROWS, _FEW_PER_CLASS, _FEW_OUTLIERS = 200, 10, 20


class Standing(NamedTuple):
    """How models stand in one measure, by their names.

    Attributes
    ----------
    values : dict of str to float
        Best first.
    tied : list of str
        The best, and whose interval overlaps its.
    """

    values: dict[str, float]
    tied: list[str]

    @property
    def behind(self) -> list[str]:
        """Models that are worse than the best by more than chance."""
        return [name for name in self.values if name not in self.tied]


def stand(measures: pd.DataFrame, name: str) -> Standing | None:
    """Return how models stand in a measure, or None where there are no intervals.

    Parameters
    ----------
    measures : DataFrame
        As in `Comparison`.
    name : str
        Key of `MEASURES`, of a measure of which one end is better.

    Returns
    -------
    standing : Standing or None

    Examples
    --------
    >>> measures = pd.DataFrame(
    ...     [("AE", "holes", 0.4, 0.3, 0.5), ("VAE", "holes", 0.1, 0.0, 0.2), ("B", "holes", 0.2, 0.1, 0.35)],
    ...     columns=["model", "measure", "value", "low", "high"],
    ... )
    >>> standing = stand(measures, "holes")
    >>> standing.tied, standing.behind
    (['VAE', 'B'], ['AE'])
    """
    own = measures[measures["measure"] == name].dropna()
    own = own.sort_values("value", ascending=MEASURES[name].better == "lower", kind="stable")
    if own.empty:
        return None
    best = own.iloc[0]
    overlaps = (own["low"] <= best["high"]) & (own["high"] >= best["low"])
    return Standing(dict(zip(own["model"], own["value"], strict=True)), own["model"][overlaps].tolist())


def answer(data: Data, models: Sequence[ModelView], measures: pd.DataFrame) -> tuple[str, ...]:
    """Return what the numbers say, the most important first.

    Parameters
    ----------
    data : Data
    models : sequence of ModelView
    measures : DataFrame
        As in `Comparison`.

    Returns
    -------
    answer : tuple of str
        Sentences.
    """
    faults = [fault for model in models for fault in (_collapse(model), _overfit(model, data))]
    # a collapsed model is the prior itself, and perfect wherever codes are compared with that
    sound = [model.name for model in models if not _collapse(model)]
    unlabeled = [model.name for model in models if model.name in sound and model.kind != "CVAE"]
    measures = measures[measures["model"].isin(sound)]
    told = [
        _tell(measures, "prior_empty", "{name} leaves {value} of the prior empty"),
        _tell(measures, "off_data", "Of what {name} decodes from the prior, {value} lies off the data"),
        _rates(models, measures),
        _errors(measures),
        _tell(
            measures[measures["model"].isin(unlabeled)],
            "knn_accuracy",
            "In {name}, {value} of the rows lie among their own class",
        ),
        _tell(measures, "auroc", "{name} finds known outliers with an AUROC of {value}"),
    ]
    return tuple(sentence for sentence in (*faults, *told, _too_few(data)) if sentence)


def warn(model: ModelView, data: Data) -> dict[str, str]:
    """Return what to mistrust of one model, by the section where it matters.

    Parameters
    ----------
    model : ModelView
    data : Data

    Returns
    -------
    warnings : dict of str to str
        Keys are those of `SECTIONS`.
    """
    flattered = "It is collapsed: what looks perfect here is the prior itself." if _collapse(model) else ""
    notes = {
        "neighbors": [_apart_from_labels(model, data)],
        "gaps": [flattered],
        "round": [flattered],
        "samples": [flattered],
        "odd": [_uncalibrated(model)],
        "dimensions": [
            _collapse(model, "A smaller beta, kl_warmup=0.5 or more epochs may mend it."),
            _idle(model),
        ],
        "reconstruction": [
            _overfit(model, data, "More rows help, or fewer epochs, or input_noise=0.1."),
            _shift(model, data),
        ],
    }
    found = {section: " ".join(filter(None, texts)) for section, texts in notes.items()}
    return {section: text for section, text in found.items() if text}


def note(data: Data) -> dict[str, str]:
    """Return what to mistrust in all models, by the section where it matters.

    Parameters
    ----------
    data : Data

    Returns
    -------
    notes : dict of str to str
        Keys are those of `SECTIONS`.
    """
    found = {"neighbors": _small_classes(data), "samples": _too_few(data), "odd": _few_outliers(data)}
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


def _collapse(model: ModelView, advice: str = "") -> str:
    """Say that codes tell next to nothing, if they do not tell one bit of their row."""
    n_used = int(model.active_units.sum())
    if not model.variational or (n_used and not collapsed(model.kl_per_component, _BIT)):
        return ""
    kl = number(model.kl_per_component.sum(), 2)
    return (
        f"{_called(model.name, first=True)} is collapsed: KL is {kl} nats per row, less than a bit, and "
        f"{n_used} of {len(model.active_units)} components are in use. {advice}".rstrip()
    )


def _idle(model: ModelView) -> str:
    """Say that many components carry nothing, if they do."""
    n_idle, n = int((~model.active_units).sum()), len(model.active_units)
    if not model.variational or _collapse(model) or n_idle < n / 2:
        return ""
    return f"{n_idle} of {n} components carry nothing: they are collapsed onto the prior, and fewer would do."


def _overfit(model: ModelView, data: Data, advice: str = "") -> str:
    """Say that training rows were learnt by heart, if they were."""
    costs = model.terms.sum(axis=1)
    judge = "held_out" if "held_out" in costs else "new"
    if "train" not in costs or not _costlier(model, data, "train", judge):
        return ""
    train = number(costs["train"], 1)
    return (
        f"{_called(model.name, first=True)} is overfitted: rows that trained cost {train} nats, "
        f"{judge.replace('_', '-')} ones {number(costs[judge], 1)}. {advice}".rstrip()
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


def _too_few(data: Data) -> str:
    """Say that there are few rows, if so."""
    n = len(data.names) - (0 if data.outliers is None else int(data.outliers.sum()))
    return f"Only {n} rows were compared: small differences cannot show." if n < _FEW_ROWS else ""


def _apart_from_labels(model: ModelView, data: Data) -> str:
    """Say that a conditional model need not keep classes apart."""
    if model.kind != "CVAE" or data.labels is None:
        return ""
    return "Its decoder is given the label, so that codes need not tell classes apart: it is no fault."


def _small_classes(data: Data) -> str:
    """Say that a class has few rows, if one has."""
    if data.labels is None:
        return ""
    classes, counts = np.unique(data.labels, return_counts=True)
    least = counts.argmin()
    if counts[least] >= _FEW_PER_CLASS:
        return ""
    name = shortened(str(classes[least]), _LONGEST)
    return f"Class {name} has {counts[least]} rows: too few to say whether its neighbors are alike."


def _uncalibrated(model: ModelView) -> str:
    """Say that verdicts lack rows that trained nothing, if so."""
    if model.p_values is not None:
        return ""
    return (
        "No rows were held out to calibrate: there are no p-values, and the threshold, set by training "
        "rows, flags more of new normal rows than it should."
    )


def _few_outliers(data: Data) -> str:
    """Say that few outliers are known, if so."""
    n = _FEW_OUTLIERS if data.outliers is None else int(data.outliers.sum())
    return f"Only {n} outliers are known: AUROC and average precision are rough." if n < _FEW_OUTLIERS else ""


def _tell(measures: pd.DataFrame, name: str, clause: str) -> str:
    """Say who is best in a measure and who is behind, or that the data do not tell."""
    standing = stand(measures, name)
    if standing is None:
        return ""
    words = {model: MEASURES[name].words(value) for model, value in standing.values.items()}
    best, *tied = standing.tied
    if not standing.behind and tied:
        return f"The data do not tell {_listed(words, standing.tied)} apart: {MEASURES[name].label}."
    said = clause.format(name=_called(best, first=clause.startswith("{name}")), value=words[best])
    if standing.behind:
        said += ", against " + _joined(f"{words[name]} for {_called(name)}" for name in standing.behind)
    return f"{said}{_not_told(words, tied)}."


def _rates(models: Sequence[ModelView], measures: pd.DataFrame) -> str:
    """Say what variational models pay, and whether an AE is behind them for it."""
    rates = measures[measures["measure"] == "rate"].set_index("model")["value"]
    if rates.empty:
        return ""
    plain = {model.name for model in models if not model.variational}
    standings = [stand(measures, name) for name in ("prior_empty", "off_data")]
    earned = bool(plain) and any(standing and plain <= set(standing.behind) for standing in standings)
    (first, rate), *others = [(name, MEASURES["rate"].words(rate)) for name, rate in rates.items()]
    more = "".join(f", {_called(name)} {rate}" for name, rate in others)
    payer = f"For that {_called(first)}" if earned else _called(first, first=True)
    return f"{payer} pays {rate} of KL per row{more}."


def _errors(measures: pd.DataFrame) -> str:
    """Say by how much squared errors differ, if they do."""
    standing = stand(measures, "mse")
    if standing is None or len(standing.values) == 1 or not min(standing.values.values()):
        return ""
    best, *tied = standing.tied
    if not standing.behind:
        names = _joined(map(_called, standing.tied))
        return f"The data do not tell the squared errors of {names} apart."
    ratios = {name: error / standing.values[best] for name, error in standing.values.items()}
    above = _joined(f"{100 * (ratios[name] - 1):.0f} % for {_called(name)}" for name in standing.behind)
    words = {name: MEASURES["mse"].words(error) for name, error in standing.values.items()}
    best = _called(best, first=True)
    return f"{best} has the least squared error; it is higher by {above}{_not_told(words, tied)}."


def _not_told(words: dict[str, str], tied: Sequence[str]) -> str:
    """Say which models are as good, as far as the data tell."""
    return f"; {_listed(words, tied)} cannot be told from it" if tied else ""


def _listed(words: dict[str, str], names: Sequence[str]) -> str:
    """Return names with their values."""
    return _joined(f"{_called(name)} ({words[name]})" for name in names)


def _called(name: str, *, first: bool = False) -> str:
    """Return a name as it stands in a sentence: the VAE, but “boards”."""
    name = shortened(name, _LONGEST)
    if not name.endswith("AE"):
        return f"“{name}”"
    return f"The {name}" if first else f"the {name}"


def _joined(texts: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last

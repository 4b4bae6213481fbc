"""Findings in words, computed from the numbers: what differs, what does not, and what to mistrust.

A difference is stated where 95 % intervals do not overlap; else it is said that the data do not tell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from vaetools.report.comparison import MEASURES, Data, ModelView
from vaetools.report.faults import collapse, overfit, trained_on, unused, useless
from vaetools.report.text import LONGEST, called
from vaetools.words import counted, joined, shortened

_UNTOLD = "The data do not tell"
_BOUGHT = {"prior_empty": "To fill the prior", "off_data": "To decode samples near the data"}
_MOST, _LEAST = 7, 3  # sentences of an answer, and of them on what models do
_COVERED = 0.25  # share of the rows that samples reach: what reaches fewer repeats a few
_NOTHING = 0.99  # share of samples off the data: none looks like it
_FEW_ROWS, _FEW_PER_CLASS, _FEW_OUTLIERS = 200, 10, 20
_COPIES = 0.1  # share of rows that are copies of others


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


def answer(
    data: Data, models: Sequence[ModelView], measures: pd.DataFrame, *, blank: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what the numbers say, the most important first.

    Parameters
    ----------
    data : Data
    models : sequence of ModelView
    measures : DataFrame
        As in `Comparison`.
    blank : collection of str, default=()
        Names of models whose squared error is no less than that of the mean of the data.

    Returns
    -------
    answer : tuple of str
        Sentences.
    """
    faults = [
        fault
        for model in models
        for fault in (
            trained_on(model),
            collapse(model),
            unused(model),
            useless(model) if model.name in blank else "",
            overfit(model, data),
        )
    ]
    # a collapsed model is the prior itself, and perfect wherever codes are compared with that
    sound = [model.name for model in models if not collapse(model)]
    unlabeled = [model.name for model in models if model.name in sound and model.kind != "CVAE"]
    found = _tell(
        measures,
        "auroc",
        "{name} finds known outliers with an AUROC of {value}",
        "how well they find known outliers, by AUROC",
    )
    measures = measures[measures["model"].isin(sound)]
    told = [
        _tell(
            measures,
            "prior_empty",
            "{name} leaves {value} of the prior empty",
            "how much of the prior they leave empty",
        ),
        *_samples(measures),
        _rates(models, measures),
        _errors(measures),
        _tell_difference(
            measures, "moment_kl", "The moments of {name} are {value} per dimension from N(0, I)"
        ),
        _tell_difference(
            measures, "off_data_between", "Between two codes {value} of what {name} decodes lies off the data"
        ),
        _tell(
            measures[measures["model"].isin(unlabeled)],
            "knn_accuracy",
            "In {name}, {value} of the rows lie among their own class",
            "how many rows lie among their own class",
        ),
    ]
    # who names outliers asks for them
    first, last = list(filter(None, faults)), list(filter(None, [found, _too_few(data), _copied(data)]))
    n_told = max(_LEAST, _MOST - len(first) - len(last))
    return (*first, *_chosen(list(filter(None, told)), n_told), *last)


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
    found = {
        "neighbors": " ".join(filter(None, [_too_few(data), _copied(data), _small_classes(data)])),
        "samples": _too_few(data),
        "odd": _few_outliers(data),
    }
    return {section: text for section, text in found.items() if text}


def _too_few(data: Data) -> str:
    """Say that there are few rows, if so."""
    kind = "" if data.outliers is None else " that are not known to be odd"
    n = data.n_different
    return f"Only {n} rows{kind} were compared: small differences cannot show." if n < _FEW_ROWS else ""


def _copied(data: Data) -> str:
    """Say that many rows are copies of others, if so."""
    n = len(data.names) if data.outliers is None else int((~data.outliers).sum())
    if data.n_different > (1 - _COPIES) * n:
        return ""
    return (
        f"Of {n} rows {n - data.n_different} are copies of others: a row lies beside its copies, "
        "whatever the model."
    )


def _small_classes(data: Data) -> str:
    """Say that classes have few rows, if some have."""
    if data.labels is None:
        return ""
    classes, counts = np.unique(data.labels, return_counts=True)
    small = counts < _FEW_PER_CLASS
    if not small.any():
        return ""
    if small.sum() > 1:
        return (
            f"{small.sum()} of {len(classes)} classes have fewer than {_FEW_PER_CLASS} rows: too few to say "
            "whether their neighbors are alike."
        )
    name = shortened(str(classes[small][0]), LONGEST)
    has = f"Class {name} has {counted(counts[small][0], 'row')}"
    return f"{has}: too few to say whether its neighbors are alike."


def _few_outliers(data: Data) -> str:
    """Say that few outliers are known, if so."""
    n = _FEW_OUTLIERS if data.outliers is None else int(data.outliers.sum())
    if n >= _FEW_OUTLIERS:
        return ""
    known = f"{counted(n, 'outlier')} {'is' if n == 1 else 'are'} known"
    return f"Only {known}: AUROC and average precision are rough."


def _tell(measures: pd.DataFrame, name: str, clause: str, respect: str = "") -> str:
    """Say who is best in a measure and who is behind, or in which respect the data do not tell."""
    standing = stand(measures, name)
    if standing is None:
        return ""
    words = {model: MEASURES[name].words(value) for model, value in standing.values.items()}
    best, *tied = standing.tied
    if not standing.behind and tied:
        return f"{_UNTOLD} {_listed(words, standing.tied)} apart in {respect}."
    said = clause.format(name=called(best, first=clause.startswith("{name}")), value=words[best])
    if standing.behind:
        said += ", against " + joined(f"{words[name]} for {called(name)}" for name in standing.behind)
    return f"{said}{_not_told(words, tied)}."


def _samples(measures: pd.DataFrame) -> list[str]:
    """Say how much of what models decode lies off the data; one that decodes few rows is not praised."""
    off, coverage = (
        measures[measures["measure"] == name].set_index("model")["value"] for name in ("off_data", "coverage")
    )
    if len(off) and off.min() >= _NOTHING:
        names = f"any of {joined(map(called, off.index))}" if len(off) > 1 else called(off.index[0])
        return [f"Nothing that {names} decodes from the prior looks like the data."]
    narrow = coverage.index[(coverage < _COVERED).to_numpy()]
    told = _tell(
        measures[~measures["model"].isin(narrow)],
        "off_data",
        "Of what {name} decodes from the prior, {value} lies off the data",
        "how much of what they decode from the prior lies off the data",
    )
    few = [
        f"What {called(name)} decodes from the prior comes near only "
        f"{MEASURES['coverage'].words(coverage[name])} of the rows, and "
        f"{MEASURES['off_data'].words(off[name])} of it lies off the data."
        for name in narrow.intersection(off.index, sort=False)
    ]
    return [told, *few]


def _tell_difference(measures: pd.DataFrame, name: str, clause: str) -> str:
    """Say who is best in a measure and who is behind, if anybody is."""
    standing = stand(measures, name)
    return _tell(measures, name, clause) if standing and standing.behind else ""


def _chosen(sentences: Sequence[str], n: int) -> list[str]:
    """Return at most n sentences in their order; who tells of no difference goes first, then the last."""
    order = sorted(range(len(sentences)), key=lambda i: (sentences[i].startswith(_UNTOLD), i))
    return [sentences[i] for i in sorted(order[:n])]


def _rates(models: Sequence[ModelView], measures: pd.DataFrame) -> str:
    """Say what variational models pay, and for what, where every AE is behind some of them."""
    rates = measures[measures["measure"] == "rate"].set_index("model")["value"].map(MEASURES["rate"].words)
    if rates.empty:
        return ""
    plain = {model.name for model in models if not model.variational}
    standings = [(what, stand(measures, name)) for name, what in _BOUGHT.items()]
    what, payers = next(
        ((what, found.tied) for what, found in standings if plain and found and plain <= set(found.behind)),
        ("", rates.index),
    )
    (first, rate), *others = rates[rates.index.isin(payers)].items()
    payer = f"{what}, {called(first)}" if what else called(first, first=True)
    more = "".join(f", {called(name)} {rate}" for name, rate in others)
    rest = "".join(f"; {called(name)} {rate}" for name, rate in rates[~rates.index.isin(payers)].items())
    return f"{payer} pays {rate} of KL per row{more}{rest}."


def _errors(measures: pd.DataFrame) -> str:
    """Say by how much squared errors differ, if they do."""
    standing = stand(measures, "mse")
    if standing is None or len(standing.values) == 1 or not min(standing.values.values()):
        return ""
    best, *tied = standing.tied
    if not standing.behind:
        names = joined(map(called, standing.tied))
        return f"The data do not tell the squared errors of {names} apart."
    ratios = {name: error / standing.values[best] for name, error in standing.values.items()}
    above = joined(f"{100 * (ratios[name] - 1):.0f} % for {called(name)}" for name in standing.behind)
    words = {name: MEASURES["mse"].words(error) for name, error in standing.values.items()}
    best = called(best, first=True)
    return f"{best} has the least squared error; it is higher by {above}{_not_told(words, tied)}."


def _not_told(words: dict[str, str], tied: Sequence[str]) -> str:
    """Say which models are as good, as far as the data tell."""
    return f"; {_listed(words, tied)} cannot be told from it" if tied else ""


def _listed(words: dict[str, str], names: Sequence[str]) -> str:
    """Return names with their values."""
    return joined(f"{called(name)} ({words[name]})" for name in names)

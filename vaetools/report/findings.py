"""What may be said in words: findings computed from the numbers, and faults of a model or of the data.

A difference is stated where 95 % intervals do not overlap; else it is said that the data do not tell.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vaetools.anomaly.overfitting import learnt_by_heart
from vaetools.latent.organization import collapsed
from vaetools.report.records import Data, MeasureRow, ModelView
from vaetools.words import joined, number, shortened

UNTOLD = "The data do not tell"
LONGEST = 40  # characters of a name in a sentence
_KNOWN = 0.2  # share of rows whose codes are those of training rows
_FEW_ROWS = 200
_COPIES = 0.1  # share of rows that are copies of others


def called(name: str, *, first: bool = False) -> str:
    """Return a name as it stands in a sentence: the VAE, but “boards”."""
    name = shortened(name, LONGEST)
    if not name.endswith("AE"):
        return f"“{name}”"
    return f"The {name}" if first else f"the {name}"


# Findings: how models differ


def stand(measures: pd.DataFrame, row: MeasureRow) -> tuple[dict[str, float], list[str], list[str]] | None:
    """Return how models stand in a measure of which one end is better; None where there are no intervals.

    These are the values by model, the best first; who cannot be told from the best, and the best itself; and
    who is worse by more than chance.

    Examples
    --------
    >>> from vaetools.report.questions.gaps import HOLES
    >>> measures = pd.DataFrame(
    ...     [("AE", "holes", 0.4, 0.3, 0.5), ("VAE", "holes", 0.1, 0.0, 0.2), ("B", "holes", 0.2, 0.1, 0.35)],
    ...     columns=["model", "measure", "value", "low", "high"],
    ... )
    >>> values, tied, behind = stand(measures, HOLES)
    >>> list(values), tied, behind
    (['VAE', 'B', 'AE'], ['VAE', 'B'], ['AE'])
    """
    own = measures[measures["measure"] == row.name].dropna()
    own = own.sort_values("value", ascending=row.better == "lower", kind="stable")
    if own.empty:
        return None
    best = own.iloc[0]
    overlaps = (own["low"] <= best["high"]) & (own["high"] >= best["low"])
    models = own["model"]
    values = dict(zip(models, own["value"], strict=True))
    return values, models[overlaps].tolist(), models[~overlaps].tolist()


def tell(measures: pd.DataFrame, row: MeasureRow) -> str:
    """Say who is best in a measure and who is behind, or in which respect the data do not tell."""
    standing = stand(measures, row)
    if standing is None:
        return ""
    values, (best, *tied), behind = standing
    words = {model: row.words(value) for model, value in values.items()}
    if not behind and not row.respect:
        return ""
    if not behind and tied:
        return f"{UNTOLD} {_listed(words, [best, *tied])} apart in {row.respect}."
    name = called(best, first=row.clause.startswith("{name}"))
    said = row.clause.format(name=name, value=words[best])
    if behind:
        said += ", against " + joined(f"{words[name]} for {called(name)}" for name in behind)
    return f"{said}{not_told(words, tied)}."


def not_told(words: dict[str, str], tied: Sequence[str]) -> str:
    """Say which models are as good, as far as the data tell."""
    return f"; {_listed(words, tied)} cannot be told from it" if tied else ""


def _listed(words: dict[str, str], names: Sequence[str]) -> str:
    return joined(f"{called(name)} ({words[name]})" for name in names)


# Faults: what to mistrust, and why; "" where there is nothing to say


def collapse(model: ModelView, advice: str = "") -> str:
    """Say that codes tell next to nothing, if they do not tell one bit of their row."""
    if not model.has_prior or not collapsed(model.kl_per_component, explained=model.explained):
        return ""
    kl = number(model.kl_per_component.sum(), 2)
    name = called(model.name, first=True)
    return f"{name} is collapsed: KL is {kl} nats per row, less than a bit. {advice}".rstrip()


def flattered(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say that a collapsed model looks good without merit."""
    return ["It is collapsed: what looks good here is the prior itself."] * bool(collapse(model))


def unfilled(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say the same, and that words do not fill space, so that nothing is measured of how codes do."""
    words = "Its codes are words, which stand in some places alone: how they fill space is not measured."
    return flattered(model, data, blank) + [words] * model.has_words


def unused(model: ModelView, advice: str = "") -> str:
    """Say that no mean varies over rows, if none does though codes are not those of the prior."""
    if not model.has_prior or collapse(model) or model.active_units.any():
        return ""
    kl = number(model.kl_per_component.sum(), 2)
    return (
        f"{called(model.name, first=True)} puts all rows in about one place: none of "
        f"{len(model.active_units)} components is in use, at a KL of {kl} nats per row. It may be trained "
        f"too little. {advice}".rstrip()
    )


def trained_on(model: ModelView) -> str:
    """Say that many of these rows trained the model, if so: their codes are those of training rows.

    Of words they may be without that.
    """
    if model.has_words:
        return ""
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
    if "train" not in costs or not costlier(model, data, "train", judge):
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


def costlier(model: ModelView, data: Data, some: str, others: str) -> bool:
    """Whether the second kind of rows costs far more than the first."""
    first, second = (model.terms.loc[rows].sum() for rows in (some, others))
    return learnt_by_heart(first, second, len(data.columns), likelihood=model.facts["likelihood"])


def too_few(data: Data) -> str:
    """Say that there are few rows, if so."""
    kind = "" if data.outliers is None else " that are not known to be odd"
    n = data.n_different
    return f"Only {n} rows{kind} were compared: small differences cannot show." if n < _FEW_ROWS else ""


def copied(data: Data) -> str:
    """Say that many rows are copies of others, if so."""
    n = len(data.names) if data.outliers is None else int((~data.outliers).sum())
    if data.n_different > (1 - _COPIES) * n:
        return ""
    return (
        f"Of {n} rows {n - data.n_different} are copies of others: a row lies beside its copies, "
        "whatever the model."
    )

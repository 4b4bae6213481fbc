"""Findings in words, computed from the numbers: what differs, and what does not.

A difference is stated where 95 % intervals do not overlap; else it is said that the data do not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from vaetools.report.faults import called
from vaetools.report.question import MeasureRow
from vaetools.words import joined

UNTOLD = "The data do not tell"


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


def stand(measures: pd.DataFrame, row: MeasureRow) -> Standing | None:
    """Return how models stand in a measure, or None where there are no intervals.

    Parameters
    ----------
    measures : DataFrame
        As in `Comparison`.
    row : MeasureRow
        Of a measure of which one end is better.

    Returns
    -------
    standing : Standing or None

    Examples
    --------
    >>> from vaetools.report.questions.gaps import HOLES
    >>> measures = pd.DataFrame(
    ...     [("AE", "holes", 0.4, 0.3, 0.5), ("VAE", "holes", 0.1, 0.0, 0.2), ("B", "holes", 0.2, 0.1, 0.35)],
    ...     columns=["model", "measure", "value", "low", "high"],
    ... )
    >>> standing = stand(measures, HOLES)
    >>> standing.tied, standing.behind
    (['VAE', 'B'], ['AE'])
    """
    own = measures[measures["measure"] == row.name].dropna()
    own = own.sort_values("value", ascending=row.better == "lower", kind="stable")
    if own.empty:
        return None
    best = own.iloc[0]
    overlaps = (own["low"] <= best["high"]) & (own["high"] >= best["low"])
    return Standing(dict(zip(own["model"], own["value"], strict=True)), own["model"][overlaps].tolist())


def tell(measures: pd.DataFrame, row: MeasureRow) -> str:
    """Say who is best in a measure and who is behind, or in which respect the data do not tell."""
    standing = stand(measures, row)
    if standing is None or not (standing.behind or row.respect):
        return ""
    words = {model: row.words(value) for model, value in standing.values.items()}
    best, *tied = standing.tied
    if not standing.behind and tied:
        return f"{UNTOLD} {listed(words, standing.tied)} apart in {row.respect}."
    name = called(best, first=row.clause.startswith("{name}"))
    said = row.clause.format(name=name, value=words[best])
    if standing.behind:
        said += ", against " + joined(f"{words[name]} for {called(name)}" for name in standing.behind)
    return f"{said}{not_told(words, tied)}."


def not_told(words: dict[str, str], tied: Sequence[str]) -> str:
    """Say which models are as good, as far as the data tell."""
    return f"; {listed(words, tied)} cannot be told from it" if tied else ""


def listed(words: dict[str, str], names: Sequence[str]) -> str:
    """Return names with their values."""
    return joined(f"{called(name)} ({words[name]})" for name in names)

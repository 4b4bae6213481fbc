"""Measures as tables: values that align by their decimal point, for a page and for a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from vaetools.report.histogram import grouped
from vaetools.report.question import MeasureRow
from vaetools.report.questions import QUESTIONS
from vaetools.report.records import Compared
from vaetools.words import ABSENT, printable, shortened, text_table

_WIDTH = 100
_NAME = 16  # characters of a model's name


class Cell(NamedTuple):
    """A value, in two parts that meet at the decimal point, and its interval; "" where there is none."""

    whole: str
    part: str
    interval: str


def measure_rows(
    measures: pd.DataFrame, names: list[str], rows: Sequence[MeasureRow]
) -> list[tuple[MeasureRow, list[Cell]]]:
    """Return measures that any model has, each with its cells.

    Parameters
    ----------
    measures : DataFrame
        As in `Comparison`.
    names : list of str
        Models, in the order of the cells.
    rows : sequence of MeasureRow
        Of a question.

    Returns
    -------
    rows : list of (MeasureRow, list of Cell)
    """
    found = {
        (row.model, row.measure): (row.value, row.low, row.high) for row in measures.itertuples(index=False)
    }
    values = {row: [found.get((name, row.name), (math.nan,) * 3) for name in names] for row in rows}
    return [
        (row, [measure_cell(row, *each) for each in own])
        for row, own in values.items()
        if not all(math.isnan(value) for value, _, _ in own)
    ]


def measure_cell(measure: MeasureRow, value: float, low: float, high: float) -> Cell:
    """Return a value and its interval as they are shown; shares in percent.

    Examples
    --------
    >>> from vaetools.report.questions import MEASURES
    >>> measure_cell(MEASURES["holes"], 0.414, 0.39, 0.44)
    Cell(whole='41', part='', interval='39 – 44')
    >>> measure_cell(MEASURES["silhouette"], -0.125, float("nan"), float("nan"))
    Cell(whole='−0', part='.12', interval='')
    """
    if math.isnan(value):
        return Cell(ABSENT, "", "")
    factor = 100 if measure.unit == "%" else 1
    shown, *ends = (grouped(factor * number, measure.digits) for number in (value, low, high))
    whole, point, part = shown.partition(".")
    return Cell(whole, point + part, "" if math.isnan(low) or math.isnan(high) else " – ".join(ends))


def comparison_text(comparison: Compared) -> str:
    """Return findings and measures, at most 100 columns wide up to four models.

    Parameters
    ----------
    comparison : Compared

    Returns
    -------
    text : str
        Intervals stand beside the values where there is room for them.
    """
    findings = [
        textwrap.fill(printable(sentence), _WIDTH, initial_indent="• ", subsequent_indent="  ")
        for sentence in comparison.answer
    ]
    table = _table(comparison, with_intervals=True)
    if max(map(len, table.splitlines())) > _WIDTH:
        table = _table(comparison, with_intervals=False)
    return "\n".join([*findings, "", table])


def _table(comparison: Compared, *, with_intervals: bool) -> str:
    """Return the measures, section by section."""
    names = [model.name for model in comparison.models]
    lines = []
    for question in QUESTIONS.values():
        rows = measure_rows(comparison.measures, names, question.measures)
        lines += [[question.title, *[""] * len(names)]] if rows else []
        for measure, cells in rows:
            label = ", ".join(filter(None, [measure.label, measure.unit]))
            lines.append([f"  {label}", *(_shown(cell, with_intervals) for cell in cells)])
    headings = ["", *(shortened(printable(name), _NAME) for name in names)]
    return text_table(headings, lines, "<" + ">" * len(names))


def _shown(cell: Cell, with_interval: bool) -> str:
    """Return a value and its interval."""
    interval = f" ({cell.interval.replace(' ', '')})" if with_interval and cell.interval else ""
    return cell.whole + cell.part + interval

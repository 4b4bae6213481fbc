"""A comparison for a terminal: the findings in words, and the measures as a table."""

from __future__ import annotations

import textwrap

from vaetools.report.comparison import Comparison
from vaetools.report.measures import SECTIONS
from vaetools.report.measuring import Cell, measure_rows
from vaetools.words import printable, shortened, text_table

_WIDTH = 100
_NAME = 16  # characters of a model's name


def comparison_text(comparison: Comparison) -> str:
    """Return findings and measures, at most 100 columns wide up to four models.

    Parameters
    ----------
    comparison : Comparison

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


def _table(comparison: Comparison, *, with_intervals: bool) -> str:
    """Return the measures, section by section."""
    names = [model.name for model in comparison.models]
    lines = []
    for section, question in SECTIONS.items():
        rows = measure_rows(comparison.measures, names, section)
        lines += [[question, *[""] * len(names)]] if rows else []
        for _, measure, cells in rows:
            label = ", ".join(filter(None, [measure.label, measure.unit]))
            lines.append([f"  {label}", *(_shown(cell, with_intervals) for cell in cells)])
    headings = ["", *(shortened(printable(name), _NAME) for name in names)]
    return text_table(headings, lines, "<" + ">" * len(names))


def _shown(cell: Cell, with_interval: bool) -> str:
    """Return a value and its interval."""
    interval = f" ({cell.interval.replace(' ', '')})" if with_interval and cell.interval else ""
    return cell.whole + cell.part + interval

"""The measures of a comparison as rows of tables: values that align by their decimal point."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from vaetools.report.comparison import MEASURES, MeasureRow
from vaetools.report.histogram import grouped
from vaetools.words import ABSENT


class Cell(NamedTuple):
    """A value, in two parts that meet at the decimal point, and its interval; "" where there is none."""

    whole: str
    part: str
    interval: str


class Row(NamedTuple):
    """A measure of all models, and the name of its row in ``Comparison.to_frame``."""

    key: str
    measure: MeasureRow
    cells: list[Cell]


def measure_rows(measures: pd.DataFrame, names: list[str], section: str) -> list[Row]:
    """Return the measures of a section that any model has, in the order of `MEASURES`.

    Parameters
    ----------
    measures : DataFrame
        As in `Comparison`.
    names : list of str
        Models, in the order of the cells.
    section : str
        Key of `SECTIONS`.

    Returns
    -------
    rows : list of Row
    """
    found = {
        (row.model, row.measure): (row.value, row.low, row.high) for row in measures.itertuples(index=False)
    }
    rows = []
    for key, measure in MEASURES.items():
        if measure.section == section:
            values = [found.get((name, key), (math.nan,) * 3) for name in names]
            if any(not math.isnan(value) for value, _, _ in values):
                rows.append(Row(key, measure, [measure_cell(measure, *each) for each in values]))
    return rows


def measure_cell(measure: MeasureRow, value: float, low: float, high: float) -> Cell:
    """Return a value and its interval as they are shown; shares in percent.

    Examples
    --------
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

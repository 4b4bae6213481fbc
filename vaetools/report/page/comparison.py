"""A comparison becomes one self-contained page, with figures, pictures and scripts inside it, or text."""

import base64
import functools
import gzip
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from vaetools import __version__
from vaetools.report.figures import COLORS, GLYPHS, MOST_POINTS, grouped
from vaetools.report.findings import trained_on
from vaetools.report.page import json_text, render_template
from vaetools.report.page.scripts import bundled
from vaetools.report.pictures import sprite
from vaetools.report.questions import QUESTIONS
from vaetools.report.questions.neighbors import METHODS, classes, ranks
from vaetools.report.records import MeasureRow, Question
from vaetools.words import ABSENT, printable, shortened, text_table

if TYPE_CHECKING:
    from markupsafe import Markup

    from vaetools.report.compare import Comparison

_SPRITE_BYTES = 3_500_000  # of all thumbnails
_LONGEST_MODEL, _LONGEST_NAME, _LONGEST_LABEL = 60, 80, 40  # characters
_WIDTH, _LONGEST_HEADING = 100, 16  # of a terminal, and of a model's name there

# a value in two parts that meet at the decimal point, and its interval; "" where there is none
Cell = tuple[str, str, str]


def render(comparison: "Comparison", explorers: Mapping[str, str] | None = None) -> str:
    """Return the page: HTML that fetches nothing, in which labels, names and columns are escaped.

    ``explorers`` are paths, relative to the page, of explorers of models by their names: it links to them.
    """
    from markupsafe import Markup

    data, models = comparison.data, comparison.models
    hovered = len(data.names) <= MOST_POINTS
    thumbnails = sprite(data.thumbnails, _SPRITE_BYTES) if hovered and data.thumbnails is not None else None
    facts = dict.fromkeys(name for model in models for name in model.facts)
    return render_template(
        "comparison.html",
        comparison=comparison,
        version=__version__,
        method=METHODS[comparison.method],
        models=[
            {"name": model.name, "color": COLORS[i % len(COLORS)], "glyph": GLYPHS[i % len(GLYPHS)]}
            for i, model in enumerate(models)
        ],
        facts={name: [model.facts.get(name, "–") for model in models] for name in facts},
        n_rows=f"{len(data.names):,}",
        are_new=not any(map(trained_on, models)),
        sections=[_section(comparison, question) for question in QUESTIONS.values()],
        sprite=thumbnails,
        rows=_described(comparison, thumbnails) if hovered else "null",
        plotly=_packed_plotly(),
        script=Markup(bundled("comparison")),
        explorers={name: quote(path) for name, path in (explorers or {}).items()},
    )


def _section(comparison: "Comparison", question: Question) -> dict[str, Any]:
    """Return a question with whatever applies to these data and models."""
    models, key = comparison.models, question.key
    warned = [("The data", comparison.notes), *((model.name, model.warnings) for model in models)]
    read, doubt = question.read(comparison)
    return {
        "key": key,
        "question": question.title,
        "read": read,
        "doubt": doubt,
        "warnings": [
            (shortened(printable(name), _LONGEST_MODEL), notes[key]) for name, notes in warned if key in notes
        ],
        "blocks": list(question.draw(comparison)),
        "rows": measure_rows(comparison.measures, [model.name for model in models], question.measures),
    }


def _described(comparison: "Comparison", picture: dict[str, Any] | None) -> "Markup":
    """Return all that a page knows of the rows, as JSON, and of the picture of all thumbnails where they are.

    Names and labels are shortened and printable; a script must show them as text.
    """
    data = comparison.data
    codes, names = (None, None) if data.labels is None else classes(data.labels)
    models = []
    for model in comparison.models:
        apart = [np.linalg.norm(model.codes - model.codes[column], axis=1) for column in model.neighbors.T]
        models.append(
            {
                "name": shortened(printable(model.name), _LONGEST_LABEL),
                "unit": model.score_unit,
                "scores": model.scores.astype("<f4"),
                "ranks": ranks(model.scores).astype("<f4"),
                "p_values": None if model.p_values is None else model.p_values.astype("<f4"),
                "neighbors": model.neighbors.astype("<u2" if len(model.codes) <= 2**16 else "<u4"),
                "n_neighbors": model.neighbors.shape[1],
                "distances": np.stack(apart, axis=1).astype("<f4"),
            }
        )
    return json_text(
        {
            "names": [shortened(printable(str(name)), _LONGEST_NAME) for name in data.names],
            "labels": names,
            "codes": None if codes is None else codes.astype("<u2"),
            "outliers": None if data.outliers is None else data.outliers.astype("u1"),
            "sprite": None if picture is None else picture | {"uri": ""},
            "models": models,
        }
    )


@functools.cache
def _packed_plotly() -> Any:
    """Return plotly.js, compressed to a third, as text that needs no escaping."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    packed = gzip.compress(get_plotlyjs().encode(), mtime=0)
    return Markup(base64.b64encode(packed).decode("ascii"))


def measure_rows(
    measures: pd.DataFrame, names: list[str], rows: Sequence[MeasureRow]
) -> list[tuple[MeasureRow, list[Cell]]]:
    """Return those of some measures that any model has, each with a cell per model.

    Examples
    --------
    >>> from vaetools.report.questions import MEASURES
    >>> known = [("A", "holes", 0.414, 0.39, 0.44), ("B", "silhouette", -0.125, math.nan, math.nan)]
    >>> for row, cells in measure_rows(pd.DataFrame(known), ["A", "B"], list(MEASURES.values())):
    ...     print(row.name, cells)
    silhouette [('–', '', ''), ('−0', '.12', '')]
    holes [('41', '', '39 – 44'), ('–', '', '')]
    """
    found = {(model, name): interval for model, name, *interval in measures.itertuples(index=False)}
    table = []
    for row in rows:
        cells = []
        for name in names:
            interval = found.get((name, row.name), [math.nan] * 3)
            factor = 100 if row.unit == "%" else 1
            shown, *ends = (grouped(factor * number, row.digits) for number in interval)
            whole, point, part = shown.partition(".")
            between = "" if np.isnan(interval).any() else " – ".join(ends)
            cells.append((ABSENT, "", "") if math.isnan(interval[0]) else (whole, point + part, between))
        if any(cell[0] != ABSENT for cell in cells):
            table.append((row, cells))
    return table


def comparison_text(comparison: "Comparison") -> str:
    """Return findings and measures for a terminal, at most 100 columns wide up to four models.

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


def _table(comparison: "Comparison", *, with_intervals: bool) -> str:
    """Return the measures, section by section."""
    names = [model.name for model in comparison.models]
    lines = []
    for question in QUESTIONS.values():
        rows = measure_rows(comparison.measures, names, question.measures)
        lines += [[question.title, *[""] * len(names)]] if rows else []
        for measure, cells in rows:
            label = ", ".join(filter(None, [measure.label, measure.unit]))
            values = [
                whole + part + (f" ({interval.replace(' ', '')})" if with_intervals and interval else "")
                for whole, part, interval in cells
            ]
            lines.append([f"  {label}", *values])
    headings = ["", *(shortened(printable(name), _LONGEST_HEADING) for name in names)]
    return text_table(headings, lines, "<" + ">" * len(names))

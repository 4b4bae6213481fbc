"""A `Comparison` becomes one self-contained page: figures, pictures and scripts are inside it."""

from __future__ import annotations

import base64
import functools
import gzip
from typing import Any, NamedTuple

from vaetools import __version__
from vaetools.report.comparison import SECTIONS, Comparison, ModelView
from vaetools.report.faults import trained_on
from vaetools.report.figures import COLORS
from vaetools.report.figures.maps import METHODS, MOST_POINTS
from vaetools.report.measuring import Row, measure_rows
from vaetools.report.page import render_template
from vaetools.report.page.rows import describe_rows
from vaetools.report.reading import Reading, reading
from vaetools.report.sections import GLYPHS, Block, blocks
from vaetools.report.strips import sprite
from vaetools.words import printable, shortened

_SPRITE_BYTES = 3_500_000  # of all thumbnails
_LONGEST_NAME = 60  # characters, of who is warned about


class Section(NamedTuple):
    """A question, and what answers it."""

    key: str
    question: str
    reading: Reading
    warnings: list[tuple[str, str]]
    blocks: list[Block]
    rows: list[Row]


class Heading(NamedTuple):
    """How a model is named and marked throughout the page."""

    name: str
    kind: str
    color: str
    glyph: str


def render(comparison: Comparison) -> str:
    """Return the page.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    page : str
        HTML that fetches nothing. Labels, names and columns are escaped.
    """
    data, models = comparison.data, comparison.models
    hovered = len(data.names) <= MOST_POINTS
    thumbnails = sprite(data.thumbnails, _SPRITE_BYTES) if hovered and data.thumbnails is not None else None
    return render_template(
        "comparison.html",
        comparison=comparison,
        version=__version__,
        method=METHODS[comparison.method],
        models=[_heading(i, model) for i, model in enumerate(models)],
        facts=_facts(models),
        n_rows=f"{len(data.names):,}",
        are_new=not any(map(trained_on, models)),
        sections=[_section(comparison, key) for key in SECTIONS],
        sprite=thumbnails,
        rows=describe_rows(comparison, thumbnails) if hovered else "null",
        plotly=_packed_plotly(),
    )


def _heading(i: int, model: ModelView) -> Heading:
    """Return name and marks of the i-th model, those of the figures."""
    return Heading(model.name, model.kind, COLORS[i % len(COLORS)], GLYPHS[i % len(GLYPHS)])


def _facts(models: tuple[ModelView, ...]) -> dict[str, list[str]]:
    """Return what is known of the models, a list in their order for every fact."""
    names = dict.fromkeys(name for model in models for name in model.facts)
    return {name: [model.facts.get(name, "–") for model in models] for name in names}


def _section(comparison: Comparison, key: str) -> Section:
    """Return a section with whatever applies to these data and models."""
    models = comparison.models
    warned = [("The data", comparison.notes), *((model.name, model.warnings) for model in models)]
    return Section(
        key,
        SECTIONS[key],
        reading(comparison, key),
        [(shortened(printable(name), _LONGEST_NAME), notes[key]) for name, notes in warned if key in notes],
        blocks(comparison, key),
        measure_rows(comparison.measures, [model.name for model in models], key),
    )


@functools.cache
def _packed_plotly() -> Any:
    """Return plotly.js, compressed to a third, as text that needs no escaping."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    packed = gzip.compress(get_plotlyjs().encode(), mtime=0)
    return Markup(base64.b64encode(packed).decode("ascii"))

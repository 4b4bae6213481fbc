"""A comparison becomes one self-contained page: figures, pictures and scripts are inside it."""

from __future__ import annotations

import base64
import functools
import gzip
from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools import __version__
from vaetools.report.faults import trained_on
from vaetools.report.figures import COLORS, GLYPHS, MOST_POINTS
from vaetools.report.page import json_text, render_template
from vaetools.report.pictures import sprite
from vaetools.report.question import Question
from vaetools.report.questions import QUESTIONS
from vaetools.report.questions.neighbors import METHODS, classes, ranks
from vaetools.report.records import Compared, ModelView
from vaetools.report.table import measure_rows
from vaetools.words import printable, shortened

if TYPE_CHECKING:
    from markupsafe import Markup

_SPRITE_BYTES = 3_500_000  # of all thumbnails
_LONGEST_MODEL, _LONGEST_NAME, _LONGEST_LABEL = 60, 80, 40  # characters


def render(comparison: Compared) -> str:
    """Return the page.

    Parameters
    ----------
    comparison : Compared

    Returns
    -------
    page : str
        HTML that fetches nothing. Labels, names and columns are escaped.
    """
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
        rows=describe_rows(comparison, thumbnails) if hovered else "null",
        plotly=_packed_plotly(),
    )


def _section(comparison: Compared, question: Question) -> dict[str, Any]:
    """Return a question with whatever applies to these data and models."""
    models, key = comparison.models, question.key
    warned = [("The data", comparison.notes), *((model.name, model.warnings) for model in models)]
    return {
        "key": key,
        "question": question.title,
        "words": question.read(comparison),
        "warnings": [
            (shortened(printable(name), _LONGEST_MODEL), notes[key]) for name, notes in warned if key in notes
        ],
        "blocks": list(question.draw(comparison)),
        "rows": measure_rows(comparison.measures, [model.name for model in models], question.measures),
    }


def describe_rows(comparison: Compared, picture: dict[str, Any] | None) -> Markup:
    """Return all that a page knows of the rows, as JSON.

    Parameters
    ----------
    comparison : Compared
    picture : dict or None
        Where the thumbnails are.

    Returns
    -------
    text : Markup
        Names and labels are shortened and printable; a script must show them as text.
    """
    data = comparison.data
    codes, names = (None, None) if data.labels is None else classes(data.labels)
    return json_text(
        {
            "names": [shortened(printable(str(name)), _LONGEST_NAME) for name in data.names],
            "labels": names,
            "codes": None if codes is None else codes.astype("<u2"),
            "outliers": None if data.outliers is None else data.outliers.astype("u1"),
            "sprite": None if picture is None else picture | {"uri": ""},
            "models": [_describe(model) for model in comparison.models],
        }
    )


def _describe(model: ModelView) -> dict[str, Any]:
    """Return what a model makes of every row."""
    return {
        "name": shortened(printable(model.name), _LONGEST_LABEL),
        "unit": model.score_unit,
        "scores": model.scores.astype("<f4"),
        "ranks": ranks(model.scores).astype("<f4"),
        "p_values": None if model.p_values is None else model.p_values.astype("<f4"),
        "neighbors": model.neighbors.astype("<u2" if len(model.codes) <= 2**16 else "<u4"),
        "n_neighbors": model.neighbors.shape[1],
        "distances": distances(model.codes, model.neighbors).astype("<f4"),
    }


def distances(codes: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Return how far every code is from each of its neighbors.

    Examples
    --------
    >>> distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[1], [0]]))
    array([[5.],
           [5.]])
    """
    return np.stack([np.linalg.norm(codes - codes[column], axis=1) for column in neighbors.T], axis=1)


@functools.cache
def _packed_plotly() -> Any:
    """Return plotly.js, compressed to a third, as text that needs no escaping."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    packed = gzip.compress(get_plotlyjs().encode(), mtime=0)
    return Markup(base64.b64encode(packed).decode("ascii"))

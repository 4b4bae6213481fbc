"""What every figure gets last: a title, how to read it, and the colors that the user has chosen."""

import textwrap
from typing import TYPE_CHECKING

from vaetools.report.figures import INK, LEGEND_GAP, escaped
from vaetools.words import joined

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

GRAY = "#7f7f7f"  # stands out from light and from dark ground
_PER_LINE = 100  # signs
_LINE, _TITLE = 18, 40  # pixels
_GAP = 0.3  # share of a panel, between narrow ones


def finished(figure: "Figure", title: str, reading: str) -> "Figure":
    """Return a figure with a title and a sentence below it that says how to read it.

    Text and ground are colored as ``plotly.io.templates.default`` says.
    """
    import plotly.io

    lines = textwrap.wrap(reading, _PER_LINE)
    top = (
        _TITLE
        + _LINE * len(lines)
        + (LEGEND_GAP if figure.layout.showlegend and figure.layout.legend.orientation == "h" else 0)
    )
    if (figure.layout.grid.columns or 1) > 2:
        figure.layout.grid.xgap = _GAP  # there is no page that gives panels more room
    for trace in figure.data:
        if trace.meta == INK:
            trace.line.color = GRAY
    return figure.update_layout(
        template=plotly.io.templates.default,
        paper_bgcolor=None,
        plot_bgcolor=None,
        meta={"reading": reading},
        margin_t=figure.layout.margin.t + top,
        height=figure.layout.height + top,
        title={
            "text": f"<b>{title}</b>",
            "x": 0,
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14, "l": 14},
            "font": {"size": 17},
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 13}},
        },
    )


def named(names: list[str]) -> str:
    """Return names of models as a title has them, which may come from anywhere."""
    return joined(escaped(name) for name in names)

"""What all figures share: colors with a symbol and a dash each, escaped names, panels side by side."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vaetools.words import printable, shortened

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Okabe-Ito without black, its yellow darkened for white ground, then gray, violet and brown
COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#B5A600",
    "#8C8C8C",
    "#7F5BC4",
    "#8D5A2B",
)
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "pentagon",
    "hexagon2",
    "triangle-left",
    "triangle-right",
)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
INK, SCALE = "ink", "scale"  # traces with such a meta take a color of the page
LEGEND_GAP = 26  # pixels between panels and legend, for titles
_MOST_COLUMNS = 3
_MOST_NUMBERS = 16  # on an axis, each with a mark of its own
_AXIS_TITLE: dict[str, Any] = {"standoff": 6, "font": {"size": 12.5}}


def escaped(name: object, limit: int = 28) -> str:
    """Return a name as plotly may show it: short, printable, without markup; quotes need no escape."""
    return html.escape(shortened(printable(str(name)), limit), quote=False)


def faded(color: str, opacity: float) -> str:
    """Return a hexadecimal color as CSS takes it with an opacity."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def series(i: int) -> dict[str, Any]:
    """Return color, symbol and dash of the i-th thing in a figure, as arguments of a line with markers."""
    color = COLORS[i % len(COLORS)]
    return {
        "marker": {"color": color, "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 8},
        "line": {"color": color, "dash": DASHES[i % len(DASHES)], "width": 2},
    }


def whole_numbers(n: int) -> dict[str, Any]:
    """Return how an axis from 1 to n is marked: at no number twice, nor between two."""
    return {"tickformat": "d"} | ({"tick0": 1, "dtick": 1} if n <= _MOST_NUMBERS else {})


def n_columns(n_panels: int) -> int:
    """Return how many panels stand side by side where there is room."""
    return 2 if n_panels == 4 else min(n_panels, _MOST_COLUMNS)


def panels(
    titles: Sequence[str], *, x: str, y: str, height: int, gap: int = 96, aspect: float | None = None
) -> Figure:
    """Return a figure with an empty panel per title; the page puts fewer side by side where it is narrow.

    Parameters
    ----------
    titles : sequence of str
        Of unknown origin; an empty one takes no room for it.
    x, y : str
        Titles of the axes, with unit.
    height : int
        Of a panel in pixels.
    gap : int, default=96
        Pixels between panels above each other, for an axis and a title.
    aspect : float, optional
        One unit upwards in units to the right; free by default.

    Returns
    -------
    figure : Figure
        Panel i has the axes ``x{i + 1}`` and ``y{i + 1}``; see `axes`.
    """
    from plotly.graph_objects import Figure

    columns = n_columns(len(titles))
    rows = math.ceil(len(titles) / columns)
    figure = bare(Figure(), height=height * rows)
    for i, title in enumerate(titles):
        own = axes(i)
        along: dict[str, Any] = {"anchor": own["yaxis"], "title": {"text": x, **_AXIS_TITLE}}
        up: dict[str, Any] = {"anchor": own["xaxis"], "title": {"text": y, **_AXIS_TITLE}}
        if aspect is not None:
            along |= {"constrain": "domain"}
            up |= {"scaleanchor": own["xaxis"], "scaleratio": aspect, "constrain": "domain"}
        figure.layout[f"xaxis{i + 1}"], figure.layout[f"yaxis{i + 1}"] = along, up
        figure.add_annotation(
            text=f"<b>{escaped(title)}</b>",
            x=0,
            y=1,
            xref=f"{own['xaxis']} domain",
            yref=f"{own['yaxis']} domain",
            xanchor="left",
            yanchor="bottom",
            yshift=5,
            showarrow=False,
        )
    grid: dict[str, Any] = {
        "rows": rows,
        "columns": columns,
        "pattern": "independent",
        "xgap": 0.16,
        "ygap": gap / height,
    }
    return figure.update_layout(grid=grid, meta={"panels": len(titles), "height": height})


def axes(i: int) -> dict[str, str]:
    """Return which axes the traces of the i-th panel are drawn on."""
    number = "" if i == 0 else str(i + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def with_legend(figure: Figure) -> Figure:
    """Show the legend above the titles of the panels."""
    top = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    return figure.update_layout(showlegend=True, legend_y=1 + LEGEND_GAP / top)


def bare(figure: Figure, *, height: int) -> Figure:
    """Leave colors of text and ground to the page, which also puts as many panels side by side as fit."""
    return figure.update_layout(
        template="none",
        autosize=True,
        height=height,
        margin={"l": 58, "r": 14, "t": 40, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        legend={"orientation": "h", "yanchor": "bottom", "x": 0, "itemwidth": 36},
        hovermode="closest",
        xaxis_title=_AXIS_TITLE,
        yaxis_title=_AXIS_TITLE,
        meta={"panels": 1, "height": height},
        font={"family": "system-ui, sans-serif", "size": 13},
    )

"""What figures share: plain arrays become a plotly Figure; a question draws its own with these parts.

Figures carry no text color and no background: the page sets both for light and dark. Names are
escaped, because plotly reads markup in them. Every color is backed by a symbol or a dash.
"""

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaetools.report.records import Data
from vaetools.words import printable, shortened

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Okabe-Ito without black, its yellow darkened for white ground, then gray, violet and brown
COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"),
    *("#CC79A7", "#B5A600", "#8C8C8C", "#7F5BC4", "#8D5A2B"),
)
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "triangle-down"),
    *("cross", "pentagon", "hexagon2", "triangle-left", "triangle-right"),
)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GLYPHS = "●■◆▲▼✚⬟⬢◀▶"  # of the symbols, in their order
MOST_POINTS = 100_000  # of a map; more rows are drawn as a density
INK, SCALE = "ink", "scale"  # traces with such a meta take a color of the page
LEGEND_GAP = 26  # pixels between panels and legend, for titles
_MOST_COLUMNS = 3
_MOST_NUMBERS = 16  # on an axis, each with a mark of its own
_AXIS_TITLE: dict[str, Any] = {"standoff": 6, "font": {"size": 12.5}}
_PER_SIGN = 5.5  # pixels that a slanted name of a column reaches to the left
_MOST_PROFILED = 20  # columns of a table, in a picture of rows
MOST_PANELS = 6
_N_BINS = 40
_REACH = 4  # interquartile ranges beyond the quartiles that get bars of their own


# rows of a table that are drawn alike: their name, (n_rows, n_columns), and the number of their color and
# dash, where None is the color of text
Lines = tuple[str, np.ndarray, int | None]


class Plot(NamedTuple):
    """A figure, words for who cannot see it, and what stands below; of maps also what switches them."""

    figure: "Figure"
    words: str
    caption: str = ""
    maps: dict[str, Any] | None = None
    kind: str = "plot"


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


def panels(
    titles: Sequence[str], *, x: str, y: str, height: int, gap: int = 96, aspect: float | None = None
) -> "Figure":
    """Return a figure with an empty panel per title; the page puts fewer side by side where it is narrow.

    Titles are of unknown origin. Panels that stand ``gap`` pixels above each other leave room for an axis and
    a title; ``aspect`` is one unit upwards in units to the right, free by default. The i-th panel has
    the axes ``x{i + 1}`` and ``y{i + 1}``, see `axes`.
    """
    columns = 2 if len(titles) == 4 else min(len(titles), _MOST_COLUMNS)
    rows = math.ceil(len(titles) / columns)
    figure = bare(height * rows)
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
    grid = {"rows": rows, "columns": columns, "pattern": "independent", "xgap": 0.16, "ygap": gap / height}
    return figure.update_layout(grid=grid, meta={"panels": len(titles), "height": height})


def axes(i: int) -> dict[str, str]:
    """Return which axes the traces of the i-th panel are drawn on."""
    number = "" if i == 0 else str(i + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def with_legend(figure: "Figure") -> "Figure":
    """Show the legend above the titles of the panels."""
    top = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    return figure.update_layout(showlegend=True, legend_y=1 + LEGEND_GAP / top)


def bare(height: int) -> "Figure":
    """Return a figure that leaves colors of text and ground to the page, which puts panels side by side."""
    from plotly.graph_objects import Figure

    return Figure().update_layout(
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


def add_density(figure: "Figure", i: int, points: np.ndarray, style: int) -> None:
    """Draw counts per square cell into the i-th panel, on a logarithmic scale, empty cells left out."""
    color = COLORS[style % len(COLORS)]
    side = np.ptp(points, axis=0).max() / np.clip(np.sqrt(len(points)) / 1.6, 12, 120) or 1.0
    low = points.min(axis=0)
    cells = np.floor((points - low) / side).astype(int)
    counts = np.zeros(cells.max(axis=0) + 1)
    np.add.at(counts, tuple(cells.T), 1)
    with np.errstate(divide="ignore"):
        z = np.log10(counts.T)
    figure.add_heatmap(
        z=np.where(np.isfinite(z), z, np.nan).astype(np.float32),
        x0=low[0] + side / 2,
        y0=low[1] + side / 2,
        dx=side,
        dy=side,
        colorscale=[(0, faded(color, 0.35)), (1, color)],
        zmin=0,
        showscale=False,
        text=counts.T.astype(int),
        hovertemplate="%{text} codes here<extra></extra>",
        **axes(i),
    )


def profiles(
    content: Mapping[str, Sequence[Lines]], columns: Sequence[str], *, unit: str, grows: bool = False
) -> "Figure":
    """Draw rows of a table as lines over its columns, a panel per title.

    With ``grows`` rows are steps of a way: lines grow wider from the first to the last.
    """
    figure = panels(list(content), x="", y=unit, height=370, gap=150)
    names = [escaped(column, 18) for column in columns]
    seen: set[str] = set()
    for i, groups in enumerate(content.values()):
        for group, rows, style in groups:
            look = {} if style is None else series(style)["line"]
            look |= {"dash": "solid"} if grows else {}
            widths = np.linspace(1, 3.5, len(rows)) if grows else np.full(len(rows), 1.5)
            for row, width in zip(rows, widths, strict=True):
                figure.add_scatter(
                    x=np.arange(len(names)),
                    y=row.astype(np.float32),
                    mode="lines+markers",
                    name=escaped(group),
                    legendgroup=group,
                    showlegend=group not in seen,
                    line=look | {"width": width},
                    marker={"size": 4},
                    meta=INK if style is None else None,
                    hovertemplate="%{y:.2f}",
                    **axes(i),
                )
                seen.add(group)
        figure.layout[f"xaxis{i + 1}"].update(
            tickvals=np.arange(len(names)), ticktext=names, tickangle=-40, zeroline=False
        )
    left = _PER_SIGN * len(html.unescape(names[0]))
    figure.update_layout(margin_b=100, margin_l=max(figure.layout.margin.l, left))
    return with_legend(figure) if len(seen) > 1 else figure


def table_rows(data: Data, content: dict[str, list[Lines]], words: str, *, grows: bool = False) -> Plot:
    """Return rows of a table as lines, in standard deviations of the data; the liveliest columns.

    A column that does not vary has no such unit, and a gap.
    """
    assert data.mean is not None
    assert data.std is not None
    figure, n_kept = standardized(content, data.columns, data.mean, data.std, grows=grows)
    known = " that are not known to be odd" if data.outliers is not None else ""
    caption = f"In standard deviations of the rows{known}, from their mean."
    if len(data.columns) > n_kept:
        caption += f" The {n_kept} columns that vary most, of {len(data.columns)}."
    return Plot(figure, words, caption)


def standardized(
    content: Mapping[str, Sequence[Lines]],
    columns: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    *,
    grows: bool = False,
) -> tuple["Figure", int]:
    """Draw rows of a table as `profiles` does, in standard deviations, and return how many columns are shown.

    These are the liveliest ones; where the deviation is 0, a line has a gap.
    """
    spread = np.where(std > 0, std, np.nan)
    every = np.concatenate([rows for group in content.values() for _, rows, _ in group])
    kept = np.sort(np.argsort(-((every - mean) / spread).std(axis=0), kind="stable")[:_MOST_PROFILED])
    shown = {
        title: [(name, ((rows - mean) / spread)[:, kept], style) for name, rows, style in group]
        for title, group in content.items()
    }
    return profiles(shown, list(columns[kept]), unit="standard deviations", grows=grows), len(kept)


def left_out(data: Data) -> str:
    """Say which rows a figure does not show."""
    return "" if data.outliers is None else "Known outliers are left out, as they are of the measures."


def bin_scores(scores: np.ndarray, threshold: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of scores in about 40 bins, none of which the threshold cuts, and their edges.

    A bin holds its left edge; NaN counts as the lowest. The first edge is −inf, or the last one inf, where
    few scores lie so far out that bins up to them would squeeze all others into one.

    Examples
    --------
    >>> counts, edges = bin_scores(np.array([1.0, 2, 2, 3, 3, 3, 4, 4, 5, -1e6]), threshold=2.0)
    >>> edges[[0, 1, -1]].round(1), int(counts.sum()), int(counts[edges[:-1] < 2.0].sum())
    (array([-inf, -5. ,  5.2]), 10, 2)
    """
    scores = np.where(np.isnan(scores), -np.inf, np.asarray(scores, dtype=np.float64))
    inner = scores[np.isfinite(scores)]
    marks = [] if threshold is None else [threshold]
    if not len(inner):
        inner = np.array(marks or [0.0])
    lower, upper = np.percentile(inner, [25, 75])
    reach = _REACH * (upper - lower) or np.inf  # most scores are equal: take all
    low = min([max(inner.min(), lower - reach), *marks])
    high = max([min(inner.max(), upper + reach), *marks])
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = max((high - low) / _N_BINS, 1e-9 * max(abs(low), abs(high)))  # narrower, edges would coincide
    anchor = low if threshold is None else threshold
    n_left, n_right = math.floor((anchor - low) / width) + 1, math.floor((high - anchor) / width) + 1
    edges = anchor + width * np.arange(-n_left, n_right + 1)
    counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
    edges[0] = -np.inf if (scores < edges[0]).any() else edges[0]
    edges[-1] = np.inf if (scores > edges[-1]).any() else edges[-1]
    return counts, edges


def closed(edges: np.ndarray) -> np.ndarray:
    """Return the edges with open bins as wide as their neighbors."""
    inner = edges[np.isfinite(edges)]
    width = inner[1] - inner[0] if len(inner) > 1 else 1.0
    edges = edges.copy()
    edges[0] = inner[0] - width if np.isinf(edges[0]) else edges[0]
    edges[-1] = inner[-1] + width if np.isinf(edges[-1]) else edges[-1]
    return edges


def grouped(value: float, digits: int) -> str:
    """Return a number with its thousands apart and a proper minus sign."""
    return f"{value:z,.{digits}f}".replace("-", "−").replace("inf", "∞")

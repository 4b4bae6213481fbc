"""How codes fill each dimension, and what rows of tables look like, column by column."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaetools.report.figures.style import COLORS, INK, axes, escaped, faded, panels, series, with_legend

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_HALF_WIDTH = 0.42  # of a shape, where components stand one apart
_PER_SIGN = 5.5  # pixels that a slanted name of a column reaches to the left
_BEYOND = 0.005  # share of draws at either end that may lie outside the picture


class Lines(NamedTuple):
    """Rows of a table that are drawn alike.

    Attributes
    ----------
    name : str
    rows : ndarray of shape (n_rows, n_columns)
    style : int or None
        Number of the color and dash; None takes the page's text color.
    grows : bool
        Whether the rows are steps of a way: lines grow wider from the first to the last.
    """

    name: str
    rows: np.ndarray
    style: int | None
    grows: bool = False


def aggregated_posterior(
    draws: Sequence[np.ndarray], components: Sequence[np.ndarray], titles: Sequence[str]
) -> Figure:
    """Draw how the aggregated posterior fills each dimension, against N(0, 1).

    Parameters
    ----------
    draws : sequence of ndarray of shape (n_drawn, n_components)
        Per model, a draw from the posterior of every row.
    components : sequence of ndarray of shape (n_shown,), int
        Numbers of the components to show, per model.
    titles : sequence of str
        Names of the models.

    Returns
    -------
    figure : Figure
        Per model a trace of filled shapes, one per component, and a trace with the outline of N(0, 1)
        at each; every shape is as wide as its own highest density.
    """
    from plotly.graph_objects import Scatter

    figure = panels(titles, x="component", y="value of the code (no unit)", height=330)
    bell = np.linspace(-3.2, 3.2, 65)
    for i, (own, shown) in enumerate(zip(draws, components, strict=True)):
        own = own[:, shown]
        shapes = [_shape(at, *_smooth(values)) for at, values in enumerate(own.T)]
        outlines = [_shape(at, bell, np.exp(-(bell**2) / 2)) for at in range(len(shown))]
        color = COLORS[i % len(COLORS)]
        for name, parts, style in (
            ("codes", shapes, {"fill": "toself", "fillcolor": faded(color, 0.45), "line": {"color": color}}),
            ("N(0, 1)", outlines, {"meta": INK, "line": {"dash": "dot"}}),
        ):
            x, y = np.concatenate(parts, axis=1)
            figure.add_trace(Scatter(x=x, y=y, mode="lines", name=name, hoverinfo="skip", **style, **axes(i)))
        figure.update_traces(line_width=1.2)
        low, high = np.quantile(own, [_BEYOND, 1 - _BEYOND])
        numbers = [str(number + 1) for number in shown]
        margin = 0.06 * (high - low)
        figure.layout[f"yaxis{i + 1}"].range = [min(-3.4, low - margin), max(3.4, high + margin)]
        figure.layout[f"xaxis{i + 1}"].update(
            tickvals=np.arange(len(shown)), ticktext=numbers, range=[-0.7, len(shown) - 0.3], showgrid=False
        )
    return figure


def _smooth(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places and a kernel estimate of the density there; a constant is a spike."""
    from scipy.stats import gaussian_kde

    low, high = values.min(), values.max()
    if high - low < 1e-9 * max(1.0, abs(low)):
        return np.array([low - 0.02, low, low + 0.02]), np.array([0.0, 1.0, 0.0])
    margin = 0.06 * (high - low)
    places = np.linspace(low - margin, high + margin, 96)
    return places, gaussian_kde(values)(places)


def _shape(at: int, places: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return a density mirrored about a vertical, as a closed line that ends in a gap."""
    reach = _HALF_WIDTH * heights / heights.max()
    x = np.concatenate([at + reach, at - reach[::-1], [at + reach[0], np.nan]])
    y = np.concatenate([places, places[::-1], [places[0], np.nan]])
    return np.stack([x, y]).astype(np.float32)


def profiles(content: Mapping[str, Sequence[Lines]], columns: Sequence[str], *, unit: str) -> Figure:
    """Draw rows of a table as lines over its columns.

    Parameters
    ----------
    content : mapping of str to sequence of Lines
        What every panel shows, by title.
    columns : sequence of str
        Names of the columns.
    unit : str
        Of all values.

    Returns
    -------
    figure : Figure
        A trace per row.
    """
    from plotly.graph_objects import Scatter

    figure = panels(list(content), x="", y=unit, height=370, gap=150)
    names = [escaped(column, 18) for column in columns]
    seen: set[str] = set()
    for i, groups in enumerate(content.values()):
        for group in groups:
            look = {} if group.style is None else series(group.style)["line"]
            look |= {"dash": "solid"} if group.grows else {}
            widths = np.linspace(1, 3.5, len(group.rows)) if group.grows else np.full(len(group.rows), 1.5)
            for row, width in zip(group.rows, widths, strict=True):
                figure.add_trace(
                    Scatter(
                        x=np.arange(len(names)),
                        y=row.astype(np.float32),
                        mode="lines+markers",
                        name=escaped(group.name),
                        legendgroup=group.name,
                        showlegend=group.name not in seen,
                        line=look | {"width": width},
                        marker={"size": 4},
                        meta=INK if group.style is None else None,
                        hovertemplate="%{y:.2f}",
                        **axes(i),
                    )
                )
                seen.add(group.name)
        figure.layout[f"xaxis{i + 1}"].update(
            tickvals=np.arange(len(names)), ticktext=names, tickangle=-40, zeroline=False
        )
    left = _PER_SIGN * len(html.unescape(names[0]))
    figure.update_layout(margin_b=100, margin_l=max(figure.layout.margin.l, left))
    return with_legend(figure) if len(seen) > 1 else figure

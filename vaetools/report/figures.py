"""One function per figure: plain arrays become a plotly Figure.

Figures carry no text color and no background: the page sets both for light and dark. Labels are
escaped, because plotly reads markup in names.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Okabe-Ito without black, then gray, violet and brown; a symbol backs every color
COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
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
INK = "ink"  # traces with this meta take the page's text color
_OUTLINE = "rgba(110, 110, 110, 0.7)"


def latent_map(points: np.ndarray, labels: np.ndarray, *, unknown: Any, title: str) -> Figure:
    """Draw codes projected to two dimensions, colored by label.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
    labels : ndarray of shape (n_samples,)
    unknown : object
        The label that was kept out of training; drawn last, as crosses.
    title : str

    Returns
    -------
    figure : Figure
        A trace per label, in the order of the sorted labels, the unknown one last.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    names = np.unique(labels)
    for i, name in enumerate([*names[names != unknown], *names[names == unknown]]):
        own = points[labels == name]
        text = html.escape(str(name))
        is_unknown = name == unknown
        style = {
            "color": "#000000" if is_unknown else COLORS[i % len(COLORS)],
            "symbol": "x-thin-open" if is_unknown else SYMBOLS[i % len(SYMBOLS)],
            "size": 7 if is_unknown else 8,
            "line": {"width": 1.6 if is_unknown else 0.6, "color": _OUTLINE},
        }
        figure.add_trace(
            Scatter(
                x=own[:, 0],
                y=own[:, 1],
                mode="markers",
                name=f"{text} (unknown)" if is_unknown else text,
                meta=INK if is_unknown else None,
                marker=style,
                hovertemplate=f"{text}<extra></extra>",
            )
        )
    axis = {"showticklabels": False, "zeroline": False}
    figure.update_layout(
        title=html.escape(title),
        xaxis={"title": "UMAP 1 (no unit)", **axis},
        yaxis={"title": "UMAP 2 (no unit)", **axis},
        legend={"entrywidth": 42},
        hovermode="closest",
    )
    return _bare(figure, height=480, below=130)


def score_histogram(known: np.ndarray, unknown: np.ndarray, *, threshold: float, unknown_name: str) -> Figure:
    """Draw how the scores of known and unknown rows are distributed, and where the verdict falls.

    Parameters
    ----------
    known : ndarray of shape (n_known,)
        Scores in nats, higher for more normal rows.
    unknown : ndarray of shape (n_unknown,)
    threshold : float
        Rows below it are flagged.
    unknown_name : str

    Returns
    -------
    figure : Figure
        Two bar traces over the same bins, each the share of its rows in percent; the bars of a
        trace sum to 100.
    """
    from plotly.graph_objects import Bar, Figure

    # the odd tail is long: whatever lies below goes into the first bin
    low = np.percentile(np.concatenate([known, unknown]), 1)
    edges = np.linspace(low, max(known.max(), unknown.max()), 41)
    figure = Figure()
    names = ("known digits, held out", f"unknown digit {html.escape(unknown_name)}")
    for name, scores, color in zip(names, (known, unknown), (COLORS[0], COLORS[3]), strict=True):
        counts, _ = np.histogram(np.maximum(scores, low), edges)
        figure.add_trace(
            Bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=100 * counts / len(scores),
                width=np.diff(edges),
                name=name,
                marker={"color": color, "line": {"width": 0}},
                opacity=0.65,
                hovertemplate="%{y:.1f} % near %{x:.0f} nats<extra></extra>",
            )
        )
    figure.add_vline(x=threshold, line={"dash": "dash", "width": 1.5, "color": "#8C8C8C"})
    figure.add_annotation(
        x=threshold,
        y=1,
        yref="paper",
        yanchor="bottom",
        text="◂ flagged as odd",
        showarrow=False,
        xanchor="right",
    )
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        xaxis={"title": "score in nats (higher = more normal)"},
        yaxis={"title": "share of rows, %"},
    )
    return _bare(figure, height=380, below=100)


def _bare(figure: Figure, *, height: int, below: int) -> Figure:
    """Leave colors of text and ground to the page, fit any width, and put the legend at the foot."""
    figure.update_layout(
        template="none",
        autosize=True,
        height=height,
        margin={"l": 48, "r": 12, "t": 48, "b": below},
        xaxis={"title": {"standoff": 8}},
        yaxis={"title": {"standoff": 8}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom", "itemwidth": 30},
        font={"family": "system-ui, sans-serif", "size": 13},
    )
    return figure

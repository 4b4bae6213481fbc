"""Where codes lie: maps of whole latent spaces, and how dense codes are in a plane of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools.report.figures.style import COLORS, INK, SCALE, SYMBOLS, axes, faded, panels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 100_000  # of a map; more rows are drawn as a density
METHODS = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}
_OUTLINE = "rgba(110, 110, 110, 0.7)"
_N_OUTLINED = 3_000  # more points hide each other's outlines


def latent_maps(
    points: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    labels: np.ndarray | None = None,
    scores: Sequence[np.ndarray] | None = None,
    method: str = "umap",
) -> Figure:
    """Draw maps of latent spaces side by side, colored by label or by score.

    Parameters
    ----------
    points : sequence of ndarray of shape (n_samples, 2)
        A map per model; the same rows in each.
    titles : sequence of str
        Names of the models.
    labels : ndarray of shape (n_samples,), optional
        Numbers of the classes, from 0.
    scores : sequence of ndarray of shape (n_samples,), optional
        In place of labels: shares of rows that are odder, in [0, 1], per model.
    method : {"umap", "tsne", "pca"}, default="umap"
        How the maps were made, which names their axes.

    Returns
    -------
    figure : Figure
        A WebGL trace per model, whose i-th point is the i-th row; of more than `MOST_POINTS` rows a
        density per model.

    Raises
    ------
    ValueError
        If both labels and scores are given.
    """
    from plotly.graph_objects import Scattergl

    if labels is not None and scores is not None:
        raise ValueError("latent_maps: color by labels or by scores; got both. Drop one of them.")
    name = "principal component {}" if method == "pca" else f"{METHODS[method]} {{}} (no unit)"
    figure = panels(titles, x=name.format(1), y=name.format(2), height=430)
    frame = {"showticklabels": False, "ticks": "", "zeroline": False, "showgrid": False, "mirror": True}
    figure.update_xaxes(**frame)
    figure.update_yaxes(**frame)
    if len(points[0]) > MOST_POINTS:
        for i, own in enumerate(points):
            figure.add_trace(_density(own, COLORS[i % len(COLORS)], **axes(i)))
        return figure
    for i, own in enumerate(points):
        figure.add_trace(
            Scattergl(
                x=own[:, 0].astype(np.float32),
                y=own[:, 1].astype(np.float32),
                mode="markers",
                marker=_markers(len(own), labels, None if scores is None else scores[i]),
                meta=None if scores is None else SCALE,
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 0.07}},
                hoverinfo="none",
                **axes(i),
            )
        )
    return figure.update_layout(dragmode="lasso")


def _markers(n_samples: int, labels: np.ndarray | None, scores: np.ndarray | None) -> dict[str, Any]:
    """Return how points look: large where they are few, a color and a symbol per label."""
    size = float(np.clip(160 / np.sqrt(n_samples), 2.5, 9))
    look: dict[str, Any] = {"size": size, "opacity": 0.85, "line": {"width": 0}}
    if n_samples <= _N_OUTLINED:
        look["line"] = {"width": 0.5, "color": _OUTLINE}
    if labels is not None:
        color = labels % len(COLORS)
        look |= {"color": color.astype(np.uint8), "cmin": -0.5, "cmax": len(COLORS) - 0.5}
        look |= {"colorscale": _steps(), "symbol": [SYMBOLS[i] for i in symbol_numbers(labels)]}
    elif scores is not None:
        look |= {"color": scores.astype(np.float32), "cmin": 0, "cmax": 1}
    else:
        look |= {"color": COLORS[0]}
    return look


def symbol_numbers(labels: np.ndarray) -> np.ndarray:
    """Return a symbol per label: with their colors, the first hundred labels differ."""
    return (labels + labels // len(COLORS)) % len(SYMBOLS)


def _steps() -> list[tuple[float, str]]:
    """Return the palette as a scale of steps."""
    n = len(COLORS)
    return [(edge / n, COLORS[i]) for i in range(n) for edge in (i, i + 1)]


def code_density(
    codes: Sequence[np.ndarray],
    components: Sequence[tuple[int, int]],
    titles: Sequence[str],
    *,
    styles: Sequence[int] | None = None,
) -> Figure:
    """Draw how many codes lie where in a plane of the latent space, and where N(0, I) would put them.

    Parameters
    ----------
    codes : sequence of ndarray of shape (n_samples, 2)
        Two components, per model: of draws from the posterior, of which gaps are asked.
    components : sequence of (int, int)
        Their numbers.
    titles : sequence of str
        Names of the models.
    styles : sequence of int, optional
        Numbers of their colors; 0, 1 and so on by default.

    Returns
    -------
    figure : Figure
        Per model a density, empty where there is no code, and two circles that hold 50 % and 95 % of N(0, I).
    """
    from plotly.graph_objects import Scatter

    figure = panels(titles, x="", y="", height=440, aspect=1)
    angles = np.linspace(0, 2 * np.pi, 91)
    styles = range(len(codes)) if styles is None else styles
    for i, (own, numbers, style) in enumerate(zip(codes, components, styles, strict=True)):
        figure.add_trace(_density(own, COLORS[style % len(COLORS)], **axes(i)))
        low, high = np.minimum(own.min(axis=0), -2.6), np.maximum(own.max(axis=0), 2.6)
        reach = 0.53 * (high - low).max()
        for name, number, middle in zip("xy", numbers, (low + high) / 2, strict=True):
            figure.layout[f"{name}axis{i + 1}"].update(
                title_text=f"component {number + 1} (no unit)", range=[middle - reach, middle + reach]
            )
        for share, dash in ((0.5, "dot"), (0.95, "solid")):
            radius = np.sqrt(-2 * np.log(1 - share))
            figure.add_trace(
                Scatter(
                    x=radius * np.cos(angles),
                    y=radius * np.sin(angles),
                    mode="lines",
                    line={"width": 1.5, "dash": dash},
                    meta=INK,
                    hoverinfo="skip",
                    **axes(i),
                )
            )
    return figure


def _density(points: np.ndarray, color: str, **where: str) -> Any:
    """Return a trace of counts per square cell, on a logarithmic scale, empty cells left out."""
    from plotly.graph_objects import Heatmap

    side = np.ptp(points, axis=0).max() / np.clip(np.sqrt(len(points)) / 1.6, 12, 120) or 1.0
    low = points.min(axis=0)
    cells = np.floor((points - low) / side).astype(int)
    counts = np.zeros(cells.max(axis=0) + 1)
    np.add.at(counts, tuple(cells.T), 1)
    with np.errstate(divide="ignore"):
        z = np.log10(counts.T)
    return Heatmap(
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
        **where,
    )

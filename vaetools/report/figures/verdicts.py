"""How models judge: the distribution of their scores, and how well it parts known outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaetools.report.figures.style import INK, axes, escaped, panels, series, with_legend
from vaetools.report.histogram import bin_scores, closed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_STEPS = 400  # of a curve
_ODD = "known outliers"
_GRAY = "#7a7a7a"  # stands out from light and from dark ground
_HATCHED = {
    "color": _GRAY,
    "line": {"width": 1, "color": _GRAY},
    "pattern": {"shape": "/", "size": 5, "fillmode": "replace"},
}


def score_histograms(
    scores: Mapping[str, np.ndarray],
    thresholds: Sequence[float | None],
    units: Sequence[str],
    outliers: np.ndarray | None = None,
) -> Figure:
    """Draw how scores are distributed, and where the verdict falls.

    Parameters
    ----------
    scores : mapping of str to ndarray of shape (n_samples,)
        By model, higher for more normal rows.
    thresholds : sequence of float or None
        Of every model; rows with a lower score are flagged.
    units : sequence of str
        What every model's score is, with its unit.
    outliers : ndarray of shape (n_samples,), bool, optional
        Rows that are known to be odd get bars of their own.

    Returns
    -------
    figure : Figure
        Per model bars of its color that sum to 100, and hatched ones of known outliers that do too;
        scores that lie far out are in the first and the last.
    """
    from plotly.graph_objects import Bar

    figure = panels(list(scores), x="", y="share of rows, %", height=310)
    kinds = [("all rows", np.ones(len(next(iter(scores.values()))), dtype=bool))]
    if outliers is not None:
        kinds = [("normal", ~outliers), (_ODD, outliers)]
    for i, (own, threshold, unit) in enumerate(zip(scores.values(), thresholds, units, strict=True)):
        edges = closed(bin_scores(own, threshold)[1])
        for name, rows in kinds:
            inside = np.clip(np.nan_to_num(own[rows], nan=-np.inf), edges[0], edges[-1])
            counts, _ = np.histogram(inside, edges)
            figure.add_trace(
                Bar(
                    x=(edges[:-1] + edges[1:]) / 2,
                    y=100 * counts / max(1, counts.sum()),
                    width=np.diff(edges),
                    name=name,
                    legendgroup=name,
                    showlegend=i == 0 and name == _ODD,
                    marker=_HATCHED if name == _ODD else {"color": series(i)["line"]["color"]},
                    opacity=0.8,
                    hovertemplate="%{y:.1f} % near %{x:.4g}<extra></extra>",
                    **axes(i),
                )
            )
        if threshold is not None:
            _mark(figure, i, threshold)
        figure.layout[f"xaxis{i + 1}"].update(title_text=escaped(unit, 60), zeroline=False)
    figure.update_layout(barmode="overlay", bargap=0)
    return figure if outliers is None else with_legend(figure)


def _mark(figure: Figure, i: int, threshold: float) -> None:
    """Draw a threshold into the i-th panel."""
    from plotly.graph_objects import Scatter

    own = axes(i)
    where = {"xref": own["xaxis"], "yref": f"{own['yaxis']} domain"}
    line = {"dash": "dash", "width": 1.5}
    figure.add_shape(type="line", x0=threshold, x1=threshold, y0=0, y1=1, line=line, **where)
    text = {"text": "◂ flagged", "font_size": 12, "showarrow": False}
    figure.add_annotation(x=threshold, y=1, xanchor="right", yanchor="top", **text, **where)
    # shapes do not widen an axis, and this line must be seen
    unseen = {"mode": "markers", "marker_opacity": 0, "showlegend": False, "hoverinfo": "skip"}
    figure.add_trace(Scatter(x=[threshold], y=[0], **unseen, **own))


def detection_curves(scores: Mapping[str, np.ndarray], outliers: np.ndarray) -> Figure:
    """Draw how many known outliers are found for how many false alarms, and how often an alarm is right.

    Parameters
    ----------
    scores : mapping of str to ndarray of shape (n_samples,)
        By model, higher for more normal rows.
    outliers : ndarray of shape (n_samples,), bool
        At least one row of each kind.

    Returns
    -------
    figure : Figure
        Two panels, ROC and precision-recall, with a line per model in each, and dotted what guessing gives.
    """
    from plotly.graph_objects import Scatter
    from sklearn.metrics import precision_recall_curve, roc_curve

    titles = ["ROC", "Precision and recall"]
    figure = panels(titles, x="", y="", height=380)
    share = 100 * outliers.mean()
    for i, (x, y) in enumerate(
        [
            ("false alarms, % of normal rows", "found, % of outliers"),
            ("found, % of outliers", "right, % of alarms"),
        ]
    ):
        figure.layout[f"xaxis{i + 1}"].update(title_text=x, range=[-2, 102], zeroline=False)
        figure.layout[f"yaxis{i + 1}"].update(title_text=y, range=[-2, 102], zeroline=False)
        guess = [0, 100] if i == 0 else [share, share]
        figure.add_trace(
            Scatter(
                x=[0, 100],
                y=guess,
                mode="lines",
                name="guessing",
                showlegend=i == 0,
                line={"dash": "dot", "width": 1},
                meta=INK,
                hoverinfo="skip",
                **axes(i),
            )
        )
    for number, (name, own) in enumerate(scores.items()):
        false, found, _ = roc_curve(outliers, -own)
        right, recall, _ = precision_recall_curve(outliers, -own)
        for i, (x, y) in enumerate([(false, found), (recall, right)]):
            kept = np.unique(np.linspace(0, len(x) - 1, _MOST_STEPS).astype(int))
            figure.add_trace(
                Scatter(
                    x=(100 * x[kept]).astype(np.float32),
                    y=(100 * y[kept]).astype(np.float32),
                    mode="lines",
                    name=escaped(name),
                    legendgroup=name,
                    showlegend=i == 0,
                    line=series(number)["line"],
                    hovertemplate="%{x:.1f} %, %{y:.1f} %",
                    **axes(i),
                )
            )
    return with_legend(figure)

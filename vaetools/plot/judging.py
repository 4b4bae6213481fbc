"""How rows are judged: their scores with the threshold, and whether as many are flagged as was promised."""

from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools.anomaly.calibration import flagged_interval
from vaetools.checks import booleans
from vaetools.plot.finish import GRAY, finished
from vaetools.plot.subjects import estimators, is_array, numbers, rows_of
from vaetools.report.figures import axes, faded, panels, series, with_legend
from vaetools.report.questions.odd import score_histograms

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_N_RATES = 200


def score_histogram(
    model: Any, X: Any = None, outliers: Any = None, *, threshold: float | None = None
) -> "Figure":
    """Draw how the scores of rows are distributed, and the threshold below which rows are flagged.

    Parameters
    ----------
    model : fitted autoencoder or PatchDetector, dict of some by name, or array-like of shape (n_samples,)
        Pipelines that end in one are taken, too; an array holds scores, higher is more normal.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Rows to score. Scores need none.
    outliers : array-like of shape (n_samples,), bool, or None, default=None
        Which rows are known to be odd; they get bars of their own.
    threshold : float or None, default=None
        Of an array of scores; a model has its own.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A panel per model, bars of every kind of rows that sum to 100 %.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, or rows and outliers do not go together.

    Examples
    --------
    >>> from vaetools import plot
    >>> figure = plot.score_histogram([-9.0, 1.0, 2.0, 2.5], threshold=0.0)
    >>> int(figure.data[0].y.sum()), figure.layout.shapes[0].x0
    (100, 0.0)
    """
    scores: dict[str, np.ndarray]
    if is_array(model):
        array = np.asarray(model, dtype=np.float64)
        if X is not None or array.ndim != 1 or not len(array):
            raise ValueError(
                "plot.score_histogram: scores must be an array of one dimension, and X None; got shape "
                f"{array.shape} and X of type {type(X).__name__}."
            )
        scores, limits, units = {"scores": array}, [threshold], ["score (→ more normal)"]
    else:
        models = estimators("score_histogram", model, judges=True)
        if X is None or threshold is not None:
            raise ValueError(
                "plot.score_histogram: a model needs X, rows to score, and has a threshold of its own; got "
                f"X of type {type(X).__name__} and threshold={threshold!r}."
            )
        scores = {name: each.score_samples(X) for name, each in models.items()}
        ends = [each[-1] if hasattr(each, "steps") else each for each in models.values()]
        limits = [getattr(each, "offset_", None) for each in ends]
        units = [f"{each.anomaly_score_}, {each.score_unit_} (→ more normal)" for each in ends]
    if outliers is not None:
        outliers = booleans("plot.score_histogram", "outliers", outliers, len(next(iter(scores.values()))))
    figure = score_histograms(scores, limits, units, outliers)
    marked = any(limit is not None for limit in limits)
    reading = "A higher score is more normal" + (
        "; rows left of the dashed line are flagged." if marked else "."
    )
    if outliers is not None:
        reading += (
            " Bars of each kind of rows sum to 100 %: the less they overlap, the better both can be told."
        )
    return finished(figure, "Scores and threshold" if marked else "Scores", reading)


def calibration_curve(model: Any, X: Any = None, y: Any = None) -> "Figure":
    """Draw which share of normal rows is flagged at every false-alarm rate that one may ask for.

    Parameters
    ----------
    model : fitted autoencoder or PatchDetector, dict of some by name, or array-like of shape (n_samples,)
        Pipelines that end in one are taken, too; an array holds p-values.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Normal rows that `fit` did not see. P-values need none.
    y : array-like of shape (n_samples,), a label or None, default=None
        Labels to judge the rows as, for a `CVAE`.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A panel per model: the shares, what was asked for, and what 95 % of calibrations would give.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, or has no rows that calibrate it.

    Examples
    --------
    >>> from vaetools import plot
    >>> curve = plot.calibration_curve([0.1, 0.2, 0.5, 0.9]).data[-1]
    >>> curve.name, float(curve.y[curve.x == 20][0])
    ('flagged', 50.0)
    """
    if is_array(model):
        values = numbers("calibration_curve", "p-values", model, 1)
        if X is not None or values.min() < 0 or values.max() > 1:
            raise ValueError(
                "plot.calibration_curve: p-values must lie in [0, 1], and X must be None; got "
                f"{values.min():g} to {values.max():g} and X of type {type(X).__name__}."
            )
        p_values: dict[str, np.ndarray] = {"p-values": values}
        n_calibrating: dict[str, int | None] = {"p-values": None}
    else:
        models = estimators("calibration_curve", model, judges=True)
        if X is None:
            raise ValueError("plot.calibration_curve: X must be normal rows that fit did not see; got None.")
        ends = {name: each[-1] if hasattr(each, "steps") else each for name, each in models.items()}
        p_values = {name: ends[name].p_values(rows_of(each, X), y) for name, each in models.items()}
        n_calibrating = {
            name: len(each.calibration_scores_) if y is None else None for name, each in ends.items()
        }
    figure = panels(
        list(p_values), x="false-alarm rate asked for, %", y="normal rows flagged, %", height=380, aspect=1
    )
    for i, (name, own) in enumerate(p_values.items()):
        _add_curve(figure, i, own, n_calibrating[name])
    reading = (
        "On the dotted line as many normal rows are flagged as were asked for; above it more. A curve "
        "inside the band is as good as calibration can be with so few rows; outside it, these rows are not "
        "like those that calibrated: call recalibrate."
    )
    return finished(with_legend(figure), "Calibration of p-values", reading)


def _add_curve(figure: "Figure", i: int, p_values: np.ndarray, n_calibrating: int | None) -> None:
    """Draw shares of p-values at most as large as each rate, and the band that chance explains."""
    rates = np.linspace(0, 1, _N_RATES + 1)
    shares = np.searchsorted(np.sort(p_values), rates + 1e-12, side="right") / len(p_values)
    low, high = flagged_interval(rates, len(p_values), n_calibrating)
    percent, color = 100 * rates, series(i)["line"]["color"]
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", **axes(i)}
    figure.add_scatter(x=percent, y=100 * low, showlegend=False, **band)
    figure.add_scatter(
        x=percent,
        y=100 * high,
        fill="tonexty",
        fillcolor=faded(GRAY, 0.25),
        name="95 % of calibrations",
        showlegend=i == 0,
        **band,
    )
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"dash": "dot", "width": 1.5, "color": GRAY},
        name="as asked",
        showlegend=i == 0,
        hoverinfo="skip",
        **axes(i),
    )
    figure.add_scatter(
        x=percent,
        y=100 * shares,
        mode="lines",
        line={"color": color, "width": 2, "shape": "hv"},
        name="flagged",
        showlegend=i == 0,
        hovertemplate="asked %{x:.1f} %, flagged %{y:.1f} %<extra></extra>",
        **axes(i),
    )
    for axis in (f"xaxis{i + 1}", f"yaxis{i + 1}"):
        figure.layout[axis].update(range=[-2, 102], zeroline=False)
    figure.layout[f"xaxis{i + 1}"].constraintoward = "left"

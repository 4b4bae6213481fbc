"""What models pay, in nats: per component, per epoch, and in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.report.figures.style import axes, bare, escaped, panels, series, whole_numbers, with_legend

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_CLIPPED = 0.97  # share of the losses that must fit: the first epochs would squeeze all others


def kl_per_component(kl: Mapping[str, np.ndarray], active: Mapping[str, np.ndarray]) -> Figure:
    """Draw what each component costs, the dearest first.

    Parameters
    ----------
    kl : mapping of str to ndarray of shape (n_components,)
        Mean KL per component in nats, by model; one without any KL is left out and keeps its color.
    active : mapping of str to ndarray of shape (n_components,), bool
        Which components are in use.

    Returns
    -------
    figure : Figure
        A line per model; markers of components that are not in use are hollow.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = bare(Figure(), height=340)
    for i, (name, own) in enumerate(kl.items()):
        if not own.any():
            continue
        order = np.argsort(-own, kind="stable")
        style = series(i)
        symbol = style["marker"]["symbol"]
        style["marker"]["symbol"] = [symbol if used else f"{symbol}-open" for used in active[name][order]]
        figure.add_trace(
            Scatter(
                x=np.arange(1, len(own) + 1),
                y=own[order],
                mode="lines+markers",
                name=escaped(name),
                customdata=order + 1,
                hovertemplate="component %{customdata}: %{y:.2f} nats",
                **style,
            )
        )
    figure.update_layout(
        xaxis={"title_text": "components, the dearest first (hollow: not in use)"}
        | whole_numbers(max(map(len, kl.values()))),
        yaxis={"title_text": "KL, nats", "rangemode": "tozero"},
    )
    return with_legend(figure)


def loss_curves(history: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the loss over the epochs of training, against that of held-out rows where it was watched.

    Parameters
    ----------
    history : mapping of str to DataFrame
        By model, a row per epoch: epoch, loss, and maybe held_out_loss, in nats.

    Returns
    -------
    figure : Figure
        A panel per model; the axis may cut off the first few epochs.
    """
    from plotly.graph_objects import Scatter

    figure = panels(list(history), x="epoch", y="loss, nats", height=290)
    seen: set[str] = set()
    for i, own in enumerate(history.values()):
        figure.layout[f"xaxis{i + 1}"].update(whole_numbers(len(own)))
        columns = [name for name in ("loss", "held_out_loss") if name in own and own[name].notna().any()]
        for column in columns:
            name = "trained on" if column == "loss" else "held out"
            figure.add_trace(
                Scatter(
                    x=own["epoch"],
                    y=own[column],
                    mode="lines" if len(own) > 1 else "markers",
                    name=name,
                    legendgroup=name,
                    showlegend=name not in seen,
                    connectgaps=True,
                    hovertemplate="epoch %{x}: %{y:.2f} nats",
                    line=series(i)["line"] | {"dash": "solid" if column == "loss" else "dash"},
                    **axes(i),
                )
            )
            seen.add(name)
        if columns:
            losses = own[columns].to_numpy(dtype=float)
            low, high = np.nanmin(losses), np.nanquantile(losses, _CLIPPED)
            margin = 0.06 * (high - low) or 1.0
            figure.layout[f"yaxis{i + 1}"].range = [low - margin, high + margin]
    return with_legend(figure) if len(seen) > 1 else figure


def rate_distortion(rate: Mapping[str, np.ndarray], distortion: Mapping[str, np.ndarray]) -> Figure:
    """Draw what codes cost against what reconstructions still cost.

    Parameters
    ----------
    rate, distortion : mapping of str to ndarray of shape (3,)
        By model: value, low and high, in nats; NaN for bounds that are not known. A model whose rate
        is NaN or 0 has no place on that axis: its distortion is drawn as a level line.

    Returns
    -------
    figure : Figure
        A trace per model.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = bare(Figure(), height=380)
    rates = [own[0] for own in rate.values() if own[0] > 0]
    ends = np.array([0.0, 1.2 * max(rates, default=1.0)])
    for i, (name, cost) in enumerate(distortion.items()):
        own, style = rate.get(name, np.full(3, np.nan)), series(i)
        if own[0] > 0:
            marks = {
                "x": own[:1],
                "y": cost[:1],
                "mode": "markers",
                "marker": style["marker"] | {"size": 13},
                "error_x": _error(own, style),
                "error_y": _error(cost, style),
            }
        else:
            marks = {"x": ends, "y": cost[[0, 0]], "mode": "lines", "line": style["line"]}
        kind = "" if own[0] > 0 else " (no rate)"
        hover = "rate %{x:.1f}, distortion %{y:.1f} nats" if own[0] > 0 else "distortion %{y:.1f} nats"
        figure.add_trace(Scatter(**marks, name=escaped(name) + kind, hovertemplate=hover))
    figure.update_layout(
        xaxis={"title_text": "rate: KL, nats", "rangemode": "tozero", "showticklabels": bool(rates)},
        yaxis={"title_text": "distortion: reconstruction, nats", "zeroline": False},
    )
    return with_legend(figure)


def _error(own: np.ndarray, style: dict[str, Any]) -> dict[str, Any]:
    """Return bars from low to high; none where they are not known."""
    value, low, high = own
    known = bool(np.isfinite(own).all())
    bars = {"array": [high - value], "arrayminus": [value - low], "symmetric": False} if known else {}
    return {"visible": known, "thickness": 1.4, "color": style["marker"]["color"]} | bars

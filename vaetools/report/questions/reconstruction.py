"""What does it cost, and how well does it reconstruct? Rate and distortion, rows made anew, losses."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.latent import organization as of
from vaetools.latent.organization.measure import mean
from vaetools.report.figures import (
    MOST_PANELS,
    Lines,
    Plot,
    axes,
    bare,
    escaped,
    panels,
    series,
    table_rows,
    whole_numbers,
    with_legend,
)
from vaetools.report.findings import called, costlier, not_told, overfit, stand, trained_on, useless
from vaetools.report.passes import Seen
from vaetools.report.pictures import Pictures, strip
from vaetools.report.questions import gaps, samples
from vaetools.report.records import Data, MeasureRow, ModelView, Question
from vaetools.words import joined, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

_N_LOOKED_AT = 2_000  # images whose structure is compared with their reconstruction's
_CLIPPED = 0.97  # share of the losses that must fit: the first epochs would squeeze all others

_ALIKE = "Compare models of one likelihood only."
RATE = MeasureRow("rate", "rate: KL", "nats", "", 1)
ERROR = MeasureRow("mse", "mean squared error", "", "lower", 4)
_MEASURES = (
    RATE,
    MeasureRow("distortion", "distortion: reconstruction cost", "nats", "lower", 1, _ALIKE),
    ERROR,
    MeasureRow("psnr", "PSNR", "dB", "higher", 1),
    MeasureRow("ssim", "SSIM", "", "higher", 3),
)
TWO_SCALES = (
    "Rows that train are counted by one scale for all pixels, held-out ones by one for each: how high one "
    "loss lies says nothing of the other."
)
_BOUGHT = {gaps.EMPTY: "To fill the prior", samples.OFF_DATA: "To decode samples near the data"}


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Rate and distortion in nats, and how near reconstructions come."""
    rows, made = seen.basis.rows, seen.reconstructions / seen.basis.scale
    found = {"distortion": mean(seen.costs["reconstruction"].to_numpy()), "mse": of.mse(rows, made)}
    if seen.model.has_prior:
        found["rate"] = mean(seen.costs["kl"].to_numpy(), least=0)
    if seen.basis.image_shape is not None:
        some = slice(_N_LOOKED_AT)
        found["psnr"] = of.psnr(rows, made)
        found["ssim"] = of.ssim(rows[some], made[some], seen.basis.image_shape)
    return found


def _read(comparison: "Comparison") -> tuple[str, str]:
    models = comparison.models
    kl = any(model.kl_per_component.any() for model in models)
    held_out = any(
        "held_out_loss" in model.history and model.history["held_out_loss"].notna().any() for model in models
    )
    better = ", and down and to the left is better" if len(models) > 1 and kl else ""
    rate = "Rate is what a code costs, distortion" if kl else "Distortion is"
    worse = (
        "; in the loss curves, held-out rows that get worse while those trained on get better mean "
        "overfitting"
        if held_out
        else "; the loss curves are of the rows trained on alone and cannot show overfitting"
        if any(len(model.history) for model in models)
        else ""
    )
    read = f"{rate} what the reconstruction still costs{better}{worse}."
    doubt = (
        "Nats compare models of one likelihood only, and fall below 0 where a density exceeds 1; squared "
        "error and PSNR favor blur, and a good reconstruction says nothing about gaps, samples or "
        "roundness."
    )
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot | Pictures]:
    """Give rate against distortion, rows beside their reconstructions, and losses."""
    data, models = comparison.data, comparison.models
    costs: dict[str, dict[str, np.ndarray]] = {"rate": {}, "distortion": {}}
    for model, measure, *interval in comparison.measures.itertuples(index=False):
        if measure in costs:
            costs[measure][model] = np.array(interval, dtype=float)
    rate, distortion = costs.values()
    in_order = {model.name: distortion[model.name] for model in models if model.name in distortion}
    if len(in_order) == len(models) > 1:
        yield Plot(rate_distortion(rate, in_order), "Rate and distortion of the models")
    if data.image_shape is None:
        n = min(MOST_PANELS, len(data.shown))
        content: dict[str, list[Lines]] = {
            str(data.names[data.shown_index[row]]): [("data", data.shown[[row]], None)]
            + [(model.name, model.reconstructions[[row]], i) for i, model in enumerate(models)]
            for row in range(n)
        }
        yield table_rows(data, content, "Rows and their reconstructions, column by column")
    else:
        strips = [strip("data", data.shown, data.image_shape, "Rows of the data")]
        strips += [
            strip(model.name, model.reconstructions, data.image_shape, f"The same rows from {model.name}")
            for model in models
        ]
        yield Pictures("Reconstructions", strips)
    history = {model.name: model.history for model in models if len(model.history)}
    if history:
        yield Plot(loss_curves(history), "Loss over the epochs of training")


def loss_curves(history: Mapping[str, pd.DataFrame]) -> "Figure":
    """Draw the loss over the epochs of training, against that of held-out rows where it was watched.

    The axis may cut off the first few epochs.
    """
    figure = panels(list(history), x="epoch", y="loss, nats", height=290)
    seen: set[str] = set()
    for i, own in enumerate(history.values()):
        figure.layout[f"xaxis{i + 1}"].update(whole_numbers(len(own)))
        columns = [name for name in ("loss", "held_out_loss") if name in own and own[name].notna().any()]
        for column in columns:
            name = "trained on" if column == "loss" else "held out"
            figure.add_scatter(
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
            seen.add(name)
        if columns:
            losses = own[columns].to_numpy(dtype=float)
            low, high = np.nanmin(losses), np.nanquantile(losses, _CLIPPED)
            margin = 0.06 * (high - low) or 1.0
            figure.layout[f"yaxis{i + 1}"].range = [low - margin, high + margin]
    return with_legend(figure) if len(seen) > 1 else figure


def rate_distortion(rate: Mapping[str, np.ndarray], distortion: Mapping[str, np.ndarray]) -> "Figure":
    """Draw what codes cost against what reconstructions still cost.

    By model value, low and high, in nats; NaN for bounds that are not known. A model whose rate is NaN or 0
    has no place on that axis: its distortion is drawn as a level line.
    """
    figure = bare(380)
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
        figure.add_scatter(**marks, name=escaped(name) + kind, hovertemplate=hover)
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


def _rates(models: tuple[ModelView, ...], measures: pd.DataFrame) -> str:
    """Say what variational models pay, and for what, where every AE is behind some of them."""
    rates = measures[measures["measure"] == "rate"].set_index("model")["value"].map(RATE.words)
    if rates.empty:
        return ""
    plain = {model.name for model in models if not model.has_prior}
    standings = [(what, stand(measures, row)) for row, what in _BOUGHT.items()]
    what, payers = next(
        ((what, found[1]) for what, found in standings if plain and found and plain <= set(found[2])),
        ("", rates.index),
    )
    (first, rate), *others = rates[rates.index.isin(payers)].items()
    payer = f"{what}, {called(first)}" if what else called(first, first=True)
    more = "".join(f", {called(name)} {rate}" for name, rate in others)
    rest = "".join(f"; {called(name)} {rate}" for name, rate in rates[~rates.index.isin(payers)].items())
    return f"{payer} pays {rate} of KL per row{more}{rest}."


def _errors(measures: pd.DataFrame) -> str:
    """Say by how much squared errors differ, if they do."""
    standing = stand(measures, ERROR)
    if standing is None or len(standing[0]) == 1 or not min(standing[0].values()):
        return ""
    errors, (best, *tied), behind = standing
    if not behind:
        return f"The data do not tell the squared errors of {joined(map(called, [best, *tied]))} apart."
    above = joined(f"{100 * (errors[name] / errors[best] - 1):.0f} % for {called(name)}" for name in behind)
    words = {name: ERROR.words(error) for name, error in errors.items()}
    best = called(best, first=True)
    return f"{best} has the least squared error; it is higher by {above}{not_told(words, tied)}."


def _warn(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say that rows were learnt by heart or trained on, or are of another kind."""
    costs = model.terms.sum(axis=1)
    shift = ""
    if "held_out" in costs and costlier(model, data, "held_out", "new"):
        shift = (
            f"New rows cost {number(costs['new'], 1)} nats, and held-out ones of the training data "
            f"{number(costs['held_out'], 1)}: the new rows are of another kind."
        )
    return [
        trained_on(model),
        useless(model) if blank else "",
        overfit(model, data, "More rows may help, or fewer epochs, or input_noise=0.1."),
        shift,
        TWO_SCALES if model.trains_by_one_scale and "held_out_loss" in model.history else "",
    ]


RECONSTRUCTION = Question(
    "reconstruction",
    "What does it cost, and how well does it reconstruct?",
    _MEASURES,
    _measure,
    _read,
    _draw,
    find=lambda models, measures: [_rates(models, measures), _errors(measures)],
    rank=2,
    warn=_warn,
)

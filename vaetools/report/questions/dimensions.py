"""What does each dimension do? What it costs, and what it does to a row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.latent import organization as of
from vaetools.report.figures import (
    MOST_PANELS,
    Lines,
    Plot,
    bare,
    escaped,
    grouped,
    series,
    table_rows,
    whole_numbers,
    with_legend,
)
from vaetools.report.findings import collapse, unused
from vaetools.report.passes import Basis, Seen
from vaetools.report.pictures import Pictures, strip
from vaetools.report.records import Data, MeasureRow, ModelView, Question

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

_MEND = (
    "Look at the scale of the data first: a few values far out, or hardly any contrast, hide all else. Then "
    "more epochs or a higher learning rate may mend it, and last a smaller beta or kl_warmup=0.5."
)


_ROTATION = "A rotation of all codes, which loses nothing, lowers it."
_IGNORANT = "A model that knows nothing of the factors looks entangled: see how well they are predicted."
_OF_WORDS = (
    "Its components are those of words, and none stands for anything by itself: nothing to show or measure."
)
_MEASURES = (
    MeasureRow("active_units", "components in use", "", "", 0),
    MeasureRow(
        "mutual_information_gap", "mutual information gap of known factors", "", "higher", 2, _ROTATION
    ),
    MeasureRow("disentanglement", "components used for one factor alone", "", "higher", 2, _IGNORANT),
    MeasureRow("completeness", "factors told by one component alone", "", "higher", 2, _IGNORANT),
    MeasureRow("informativeness", "known factors predicted from codes", "%", "higher", 0),
    MeasureRow("attribute_predictability", "SAP score of known factors", "", "higher", 2, _ROTATION),
    MeasureRow(
        "matched_correlation",
        "correlation with matched components of other models of the kind",
        "",
        "higher",
        2,
        "Of components in use. A little by chance, since the best match is taken.",
    ),
)


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Count components in use, and where factors are known, ask whether single ones stand for them."""
    used = {"active_units": of.Measure(float(seen.model.in_use.sum()), np.nan, np.nan)}
    factors, basis = seen.basis.factors, seen.basis
    if factors is None:
        return used
    codes = seen.codes[basis.index]
    given: dict[str, Any] = {"continuous": factors.continuous, "random_state": basis.seed}
    if seen.model.has_words:
        return used | {"informativeness": of.dci(codes, factors.values, **given)["informativeness"]}
    return used | {
        "mutual_information_gap": of.mutual_information_gap(codes, factors.values, **given),
        **of.dci(codes, factors.values, **given),
        "attribute_predictability": of.attribute_predictability(codes, factors.values, **given),
    }


def agreement(models: Sequence[ModelView], basis: Basis) -> pd.DataFrame:
    """Return how far models of one kind found the same dimensions, each against all others of its kind.

    Dimensions of words are none.
    """
    models = [model for model in models if not model.has_words]
    used = {model.name: model.codes[basis.index][:, model.active_units] for model in models}
    rows = []
    for model in models:
        others = [other for other in models if other.kind == model.kind and other is not model]
        pairs = [(used[model.name], used[other.name]) for other in others]
        found = [
            of.matched_correlation(*pair, random_state=basis.seed)
            for pair in pairs
            if all(codes.shape[1] for codes in pair)
        ]
        if found and not np.isnan(found).all():
            rows.append((model.name, "matched_correlation", *np.mean(found, axis=0)))
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high"])


def _read(comparison: "Comparison") -> tuple[str, str]:
    if all(model.has_words for model in comparison.models):
        read = "The curve says how many nats each component costs: an even share of what its word does."
        return read, "Which word stands for what is arbitrary: another seed finds others."
    way = ", from the thin line to the wide one," if comparison.data.image_shape is None else ""
    kl = any(model.kl_per_component.any() for model in comparison.models)
    cost = "; the curve says how many nats each of them costs" if kl else ""
    read = (
        f"One component at a time moves over its range{way} while the others stay at the mean code, the "
        f"component that tells most first{cost}."
    )
    doubt = (
        "A component is not a cause and has no name of its own: another seed finds other axes, the axes "
        "of an AE are arbitrary, and a long way from the mean code a traversal shows what no row ever "
        "asked of the decoder."
    )
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot | Pictures]:
    """Give what components cost, and what they do to a row."""
    data, models = comparison.data, comparison.models
    if any(model.kl_per_component.any() for model in models):
        kl = {model.name: model.kl_per_component for model in models}
        active = {model.name: model.active_units for model in models}
        yield Plot(kl_per_component(kl, active), "KL of each component")
    for i, model in enumerate(models):
        if model.has_words:
            continue
        if data.image_shape is None:
            content: dict[str, list[Lines]] = {
                f"{model.name}, component {component + 1}": [("low to high", rows, i)]
                for component, rows in zip(
                    model.traversed[:MOST_PANELS], model.traversals[:MOST_PANELS], strict=True
                )
            }
            yield table_rows(data, content, f"Traversals of {model.name}, column by column", grows=True)
        else:
            yield from _pictures(model, data.image_shape)


def _pictures(model: ModelView, image_shape: tuple[int, int, int]) -> Iterator[Pictures]:
    """Give a strip per traversed component, and the decoded plane of the first two, the first upwards."""
    strips = [
        strip(
            f"{component + 1}: {_span(values)}",
            rows,
            image_shape,
            f"Component {component + 1} of {model.name} from low to high",
        )
        for component, rows, values in zip(
            model.traversed, model.traversals, model.traversal_values, strict=True
        )
    ]
    yield Pictures(model.name, strips, narrow=True)
    if len(model.traversed) > 1:
        up, right = (
            f"component {component + 1}, {_span(values)}"
            for component, values in zip(model.traversed[:2], model.grid_values, strict=True)
        )
        upwards, rightwards = model.traversed[:2] + 1
        words = f"Decoded plane of components {upwards} and {rightwards} of {model.name}"
        n_columns, n_features = model.grid.shape[1:]
        picture = strip("", model.grid[::-1].reshape(-1, n_features), image_shape, words, n_columns)
        yield Pictures(f"{model.name}, decoded plane", [picture], f"Up: {up}. Right: {right}.", narrow=True)


def _span(values: np.ndarray) -> str:
    """Return the first and the last of some values in words."""
    return f"{grouped(values[0], 1)} to {grouped(values[-1], 1)}"


def kl_per_component(kl: Mapping[str, np.ndarray], active: Mapping[str, np.ndarray]) -> "Figure":
    """Draw what each component costs in nats, the dearest first, and hollow what is not in use.

    A model without any KL is left out and keeps its color.
    """
    figure = bare(340)
    for i, (name, own) in enumerate(kl.items()):
        if not own.any():
            continue
        order = np.argsort(-own, kind="stable")
        style = series(i)
        symbol = style["marker"]["symbol"]
        style["marker"]["symbol"] = [symbol if used else f"{symbol}-open" for used in active[name][order]]
        figure.add_scatter(
            x=np.arange(1, len(own) + 1),
            y=own[order],
            mode="lines+markers",
            name=escaped(name),
            customdata=order + 1,
            hovertemplate="component %{customdata}: %{y:.2f} nats",
            **style,
        )
    figure.update_layout(
        xaxis={"title_text": "components, the dearest first (hollow: not in use)"}
        | whole_numbers(max(map(len, kl.values()))),
        yaxis={"title_text": "KL, nats", "rangemode": "tozero"},
    )
    return with_legend(figure)


def _warn(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say that components tell nothing, and what may help, or that many carry nothing."""
    fallen = collapse(model, _MEND)
    n_idle, n = int((~model.active_units).sum()), len(model.active_units)
    idle = model.has_prior and not fallen and n / 2 <= n_idle < n
    return [
        fallen,
        unused(model, "More epochs (max_iter) may help, or a higher learning rate."),
        f"{n_idle} of {n} components carry nothing: they are collapsed onto the prior." if idle else "",
        _OF_WORDS if model.has_words else "",
    ]


DIMENSIONS = Question(
    "dimensions",
    "What does each dimension do?",
    _MEASURES,
    _measure,
    _read,
    _draw,
    warn=_warn,
)

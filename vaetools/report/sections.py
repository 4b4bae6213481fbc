"""What each section of a comparison shows: figures, strips and cards, and nothing that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from vaetools.report import figures
from vaetools.report.cards import Cards, odd_cards
from vaetools.report.comparison import Comparison, ModelView
from vaetools.report.figures import Lines
from vaetools.report.figures.maps import MOST_POINTS, symbol_numbers
from vaetools.report.histogram import grouped
from vaetools.report.page.rows import classes, json_text, ranks
from vaetools.report.strips import Strip, strip, thumbnail_strip

if TYPE_CHECKING:
    from markupsafe import Markup
    from plotly.graph_objects import Figure

GLYPHS = "●■◆▲▼✚⬟⬢◀▶"  # of the symbols of figures, in their order
_MOST_COMPONENTS = 16  # in a picture of dimensions
_MOST_COLUMNS = 20  # of a table, in a picture of rows
_MOST_PANELS = 6
_MOST_SAMPLES = 16
_MOST_CLASSES = 60  # in a legend


class Plot(NamedTuple):
    """A figure of panels of a height in pixels, words for who cannot see it, and what stands below."""

    figure: Markup
    panels: int
    height: int
    words: str
    caption: str = ""
    kind: str = "plot"


class Key(NamedTuple):
    """A class in the legend of the maps."""

    glyph: str
    color: str
    name: str
    n_rows: int


class Maps(NamedTuple):
    """Linked maps, the ways to color them, and the classes."""

    plot: Plot
    colorings: list[str]
    keys: list[Key]
    n_unnamed: int
    linked: bool
    kind: str = "maps"


class Pictures(NamedTuple):
    """Strips of images under one heading."""

    title: str
    strips: list[Strip]
    caption: str = ""
    narrow: bool = False
    kind: str = "pictures"


Block = Plot | Maps | Pictures | Cards


def blocks(comparison: Comparison, section: str) -> list[Block]:
    """Return what a section shows, in order.

    Parameters
    ----------
    comparison : Comparison
    section : str
        Key of `SECTIONS`.

    Returns
    -------
    blocks : list of Plot, Maps, Pictures or Cards
    """
    return list(_CONTENT[section](comparison))


def _plot(figure: Figure, words: str, caption: str = "") -> Plot:
    """Return a figure for the template."""
    meta = figure.layout.meta
    return Plot(json_text(figure.to_json()), meta["panels"], meta["height"], words, caption)


def _names(comparison: Comparison) -> list[str]:
    return [model.name for model in comparison.models]


def _neighbors(comparison: Comparison) -> Iterator[Block]:
    """Give maps of all models, colored by label where there are labels."""
    data, models = comparison.data, comparison.models
    codes, names = (None, []) if data.labels is None else classes(data.labels)
    scores = [ranks(model.scores) for model in models] if codes is None else None
    figure = figures.latent_maps(
        [model.points for model in models],
        _names(comparison),
        labels=codes,
        scores=scores,
        method=comparison.method,
    )
    n_rows = np.zeros(0, int) if codes is None else np.bincount(codes, minlength=len(names))
    symbols = symbol_numbers(np.arange(len(names)))
    keys = [
        Key(GLYPHS[symbols[i]], figures.COLORS[i % len(figures.COLORS)], name, int(n_rows[i]))
        for i, name in enumerate(names[:_MOST_CLASSES])
    ]
    colorings = [*(["label"] if codes is not None else []), "score"]
    colorings += [] if data.outliers is None else ["known outliers"]
    yield Maps(
        _plot(figure, f"Maps of {len(models)} latent spaces"),
        colorings,
        keys,
        len(names) - len(keys),
        linked=len(data.names) <= MOST_POINTS,
    )


def _gaps(comparison: Comparison) -> Iterator[Block]:
    """Give the density of the aggregated posterior in the two components that tell most."""
    shown = [i for i, model in enumerate(comparison.models) if len(model.traversed) > 1]
    models = [comparison.models[i] for i in shown]
    if models:
        figure = figures.code_density(
            [model.posterior_draws[:, model.traversed[:2]] for model in models],
            [(int(model.traversed[0]), int(model.traversed[1])) for model in models],
            [model.name for model in models],
            styles=shown,
        )
        words = "Density of the codes' posteriors in two components, with circles of N(0, I)"
        yield _plot(figure, words, _left_out(comparison))


def _round(comparison: Comparison) -> Iterator[Block]:
    """Give the aggregated posterior against the prior."""
    models = comparison.models
    figure = figures.aggregated_posterior(
        [model.posterior_draws for model in models], [_dearest(model) for model in models], _names(comparison)
    )
    n_most = max(model.codes.shape[1] for model in models)
    dearest = f"The {_MOST_COMPONENTS} dearest of {n_most} components. " if n_most > _MOST_COMPONENTS else ""
    words = "Distribution of the codes in each dimension, against N(0, 1)"
    yield _plot(figure, words, (dearest + _left_out(comparison)).rstrip())


def _left_out(comparison: Comparison) -> str:
    """Say which rows a figure does not show."""
    return (
        ""
        if comparison.data.outliers is None
        else "Known outliers are left out, as they are of the measures."
    )


def _dearest(model: ModelView) -> np.ndarray:
    """Return the components to show in figures, in their own order: those of most KL, or of most variance."""
    kl = model.kl_per_component
    weight = kl if kl.any() else model.posterior_draws.var(axis=0)
    return np.sort(np.argsort(-weight, kind="stable")[:_MOST_COMPONENTS])


def _samples(comparison: Comparison) -> Iterator[Block]:
    """Give decoded draws from the prior, and the rows that are nearest to them."""
    data = comparison.data
    if data.image_shape is None:
        content = {
            model.name: [
                Lines("rows of the data", data.shown[:_MOST_PANELS], None),
                Lines(model.name, model.samples[:_MOST_SAMPLES], i),
            ]
            for i, model in enumerate(comparison.models)
        }
        yield _profiles(comparison, content, "Prior samples and rows of the data, column by column")
        return
    assert data.thumbnails is not None
    for model in comparison.models:
        n = min(_MOST_SAMPLES, len(model.samples))
        nearest = data.thumbnails[model.nearest_to_samples[:n]]
        yield Pictures(
            model.name,
            [
                strip("samples", model.samples[:n], data.image_shape, f"Prior samples of {model.name}"),
                thumbnail_strip("nearest rows", nearest, "The rows that are nearest to them"),
            ],
        )


def _between(comparison: Comparison) -> Iterator[Block]:
    """Give interpolations between rows."""
    data = comparison.data
    if data.image_shape is None:
        content = {
            model.name: [Lines("from the first row to the second", model.interpolations[0], i, grows=True)]
            for i, model in enumerate(comparison.models)
        }
        yield _profiles(comparison, content, "One row becoming another, column by column")
        return
    for model in comparison.models:
        strips = []
        for rows, (a, b) in zip(model.interpolations, model.interpolated_pairs, strict=True):
            words = f"{data.names[a]} becomes {data.names[b]} in {model.name}"
            name = "" if data.labels is None else f"{data.labels[a]} → {data.labels[b]}"
            strips.append(strip(name, rows, data.image_shape, words))
        yield Pictures(model.name, strips)


def _odd(comparison: Comparison) -> Iterator[Block]:
    """Give scores, verdicts on known outliers, and the oddest rows."""
    models, outliers = comparison.models, comparison.data.outliers
    scores = {model.name: model.scores for model in models}
    units = [f"{model.score_name}, {model.score_unit} (→ more normal)" for model in models]
    histogram = figures.score_histograms(scores, [model.threshold for model in models], units, outliers)
    yield _plot(histogram, "Histograms of the scores")
    if outliers is not None and outliers.any() and not outliers.all():
        words = "ROC and precision-recall curves of the known outliers"
        yield _plot(figures.detection_curves(scores, outliers), words)
    yield from odd_cards(comparison)


def _dimensions(comparison: Comparison) -> Iterator[Block]:
    """Give what components cost, and what they do to a row."""
    data, models = comparison.data, comparison.models
    if any(model.kl_per_component.any() for model in models):
        kl = {model.name: model.kl_per_component for model in models}
        active = {model.name: model.active_units for model in models}
        yield _plot(figures.kl_per_component(kl, active), "KL of each component")
    for i, model in enumerate(models):
        if data.image_shape is None:
            content = {
                f"{model.name}, component {component + 1}": [Lines("low to high", rows, i, grows=True)]
                for component, rows in zip(
                    model.traversed[:_MOST_PANELS], model.traversals[:_MOST_PANELS], strict=True
                )
            }
            yield _profiles(comparison, content, f"Traversals of {model.name}, column by column")
        else:
            yield Pictures(model.name, _traversal_strips(model, data.image_shape), narrow=True)
            if len(model.traversed) > 1:
                yield _grid(model, data.image_shape)


def _traversal_strips(model: ModelView, image_shape: tuple[int, int, int]) -> list[Strip]:
    """Return a strip per traversed component."""
    return [
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


def _grid(model: ModelView, image_shape: tuple[int, int, int]) -> Pictures:
    """Return the decoded plane of two components, the first upwards."""
    upwards, rightwards = model.traversed[:2]
    n_columns = model.grid.shape[1]
    rows = model.grid[::-1].reshape(-1, model.grid.shape[-1])
    words = f"Decoded plane of components {upwards + 1} and {rightwards + 1} of {model.name}"
    up, right = model.grid_values
    caption = f"Up: component {upwards + 1}, {_span(up)}. Right: component {rightwards + 1}, {_span(right)}."
    picture = strip("", rows, image_shape, words, n_columns)
    return Pictures(f"{model.name}, decoded plane", [picture], caption, narrow=True)


def _span(values: np.ndarray) -> str:
    """Return the first and the last of some values in words."""
    return f"{grouped(values[0], 1)} to {grouped(values[-1], 1)}"


def _reconstruction(comparison: Comparison) -> Iterator[Block]:
    """Give rate against distortion, rows beside their reconstructions, and losses."""
    data, models = comparison.data, comparison.models
    table = comparison.measures.set_index(["measure", "model"])[["value", "low", "high"]]
    rate, distortion = (
        {name: own.to_numpy(dtype=float) for name, own in _of(table, measure).iterrows()}
        for measure in ("rate", "distortion")
    )
    in_order = {model.name: distortion[model.name] for model in models if model.name in distortion}
    if len(in_order) == len(models) > 1:
        yield _plot(figures.rate_distortion(rate, in_order), "Rate and distortion of the models")
    if data.image_shape is None:
        n = min(_MOST_PANELS, len(data.shown))
        content = {
            str(data.names[data.shown_index[row]]): [Lines("data", data.shown[[row]], None)]
            + [Lines(model.name, model.reconstructions[[row]], i) for i, model in enumerate(models)]
            for row in range(n)
        }
        yield _profiles(comparison, content, "Rows and their reconstructions, column by column")
    else:
        strips = [strip("data", data.shown, data.image_shape, "Rows of the data")]
        strips += [
            strip(model.name, model.reconstructions, data.image_shape, f"The same rows from {model.name}")
            for model in models
        ]
        yield Pictures("Reconstructions", strips)
    history = {model.name: model.history for model in models if len(model.history)}
    if history:
        yield _plot(figures.loss_curves(history), "Loss over the epochs of training")


def _of(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure by model; none if there is none."""
    return table.loc[measure] if measure in table.index.get_level_values(0) else table.iloc[:0]


def _profiles(comparison: Comparison, content: dict[str, list[Lines]], words: str) -> Plot:
    """Return rows of a table as lines, in standard deviations of the data; the liveliest columns.

    A column that does not vary has no such unit, and a gap.
    """
    data = comparison.data
    assert data.mean is not None
    assert data.std is not None
    spread = np.where(data.std > 0, data.std, np.nan)
    scaled = {
        title: [lines._replace(rows=(lines.rows - data.mean) / spread) for lines in group]
        for title, group in content.items()
    }
    n_all = len(data.columns)
    rows = np.concatenate([lines.rows for group in scaled.values() for lines in group])
    kept = np.sort(np.argsort(-rows.std(axis=0), kind="stable")[:_MOST_COLUMNS])
    shown = {
        title: [lines._replace(rows=lines.rows[:, kept]) for lines in group]
        for title, group in scaled.items()
    }
    figure = figures.profiles(shown, list(data.columns[kept]), unit="standard deviations")
    known = " that are not known to be odd" if data.outliers is not None else ""
    caption = f"In standard deviations of the rows{known}, from their mean."
    if n_all > len(kept):
        caption += f" The {len(kept)} columns that vary most, of {n_all}."
    return _plot(figure, words, caption)


_CONTENT: dict[str, Callable[[Comparison], Iterator[Block]]] = {
    "neighbors": _neighbors,
    "gaps": _gaps,
    "round": _round,
    "samples": _samples,
    "between": _between,
    "odd": _odd,
    "dimensions": _dimensions,
    "reconstruction": _reconstruction,
}

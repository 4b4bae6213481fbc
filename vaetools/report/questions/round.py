"""Is it round, as N(0, I) is? The aggregated posterior against the prior, dimension by dimension."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaetools.latent import organization as of
from vaetools.report.figures import COLORS, INK, Plot, axes, faded, left_out, panels
from vaetools.report.findings import unfilled
from vaetools.report.passes import Seen
from vaetools.report.records import MeasureRow, Question

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

_MOST_COMPONENTS = 16  # in a picture
_HALF_WIDTH = 0.42  # of a shape, where components stand one apart
_BEYOND = 0.005  # share of draws at either end that may lie outside the picture

_COLLAPSED = "Sees means and spreads alone. A collapsed model is perfectly round."
_LINES = "About 0.03 for 3,000 draws from N(0, I) itself. Gaps vanish along lines in many dimensions."
_NO_END = "Does not tell AE from VAE; neither end is better."
_LOCAL = "Of neighbors alone, noise included; too low in ten dimensions and more. Neither end is better."
_CHANCE = "In few dimensions it may be low by chance."
_MEASURES = (
    MeasureRow(
        "moment_kl",
        "moments against N(0, 1), per dimension",
        "nats",
        "lower",
        2,
        _COLLAPSED,
        clause="The moments of {name} are {value} per dimension from N(0, I)",
    ),
    MeasureRow("sliced_wasserstein", "sliced Wasserstein distance to N(0, I)", "std", "lower", 2, _LINES),
    MeasureRow("effective_rank", "effective rank", "", "", 1, _NO_END),
    MeasureRow("intrinsic_dimension", "intrinsic dimension of the codes", "", "", 1, _LOCAL),
    MeasureRow("correlation", "mean absolute correlation between dimensions", "", "lower", 2, _CHANCE),
)


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Measure draws from the posterior of the codes."""
    if seen.model.has_words:
        return {}
    draws, seed = seen.draws[seen.basis.index], seen.basis.seed
    return {
        "moment_kl": of.moment_kl(draws, random_state=seed),
        "sliced_wasserstein": of.sliced_wasserstein(draws, random_state=seed),
        "effective_rank": of.effective_rank(draws, random_state=seed),
        "intrinsic_dimension": of.intrinsic_dimension(seen.codes[seen.basis.index], random_state=seed),
        "correlation": of.correlation(draws, random_state=seed),
    }


def _read(comparison: "Comparison") -> tuple[str, str]:
    read = (
        "Each filled shape is how the codes, blurred by their own posterior, fill one dimension, and the "
        "dotted outline is N(0, 1): a round space fills its outlines, and its dimensions are "
        "uncorrelated."
    )
    doubt = (
        "A dimension that carries nothing fills its outline perfectly, so a collapsed model is the "
        "roundest of all: read this together with the components in use; effective rank counts directions "
        "and ranks nobody."
    )
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot]:
    """Give the aggregated posterior against the prior."""
    models, shown = [model for model in comparison.models if not model.has_words], []
    if not models:
        return
    for model in models:  # components of most KL, of an AE of most variance, in their own order
        kl = model.kl_per_component
        weight = kl if kl.any() else model.posterior_draws.var(axis=0)
        shown.append(np.sort(np.argsort(-weight, kind="stable")[:_MOST_COMPONENTS]))
    draws, names = [model.posterior_draws for model in models], [model.name for model in models]
    figure = aggregated_posterior(draws, shown, names)
    n_most = max(model.codes.shape[1] for model in models)
    dearest = f"The {_MOST_COMPONENTS} dearest of {n_most} components. " if n_most > _MOST_COMPONENTS else ""
    words = "Distribution of the codes in each dimension, against N(0, 1)"
    yield Plot(figure, words, (dearest + left_out(comparison.data)).rstrip())


def aggregated_posterior(
    draws: Sequence[np.ndarray], components: Sequence[np.ndarray], titles: Sequence[str]
) -> "Figure":
    """Draw how the aggregated posterior fills each dimension, against N(0, 1).

    Per model a trace of filled shapes, one for each component that is shown, of draws from the posterior of
    every row, and a trace with the outline of N(0, 1) at each; every shape is as wide as its own highest
    density.
    """
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
            figure.add_scatter(x=x, y=y, mode="lines", name=name, hoverinfo="skip", **style, **axes(i))
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


ROUND = Question(
    "round", "Is it round, as N(0, I) is?", _MEASURES, _measure, _read, _draw, rank=3, warn=unfilled
)

"""Are there gaps? Where draws from the prior meet nothing that the decoder knows."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaetools.latent import organization as of
from vaetools.report.figures import INK, Plot, add_density, axes, left_out, panels
from vaetools.report.findings import unfilled
from vaetools.report.passes import Seen
from vaetools.report.records import MeasureRow, ModelView, Question

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

_OWN = "About 1 % if they are Gaussian; scale and place do not count, so it says nothing of N(0, I)."
_HELD_OUT = "1 is as rarely as these. It falls when they are far as well, as in an overfitted model."
_LEARNT = "About 5 % for rows like those of training; far more if these were learnt by heart."
EMPTY = MeasureRow(
    "prior_empty",
    "prior left empty: draws with no code in reach",
    "%",
    "lower",
    0,
    "About 3 % for codes from N(0, I) itself; an AE was never asked for that.",
    "{name} leaves {value} of the prior empty",
    "how much of the prior they leave empty",
)
HOLES = MeasureRow("holes", "holes: far draws from the codes' own Gaussian", "%", "lower", 0, _OWN)
_OFF_CODES = MeasureRow(
    "off_codes", "holes, over the same share of held-out codes", "", "lower", 1, _HELD_OUT
)
_PARTS = MeasureRow(
    "separation",
    "longest bar that parts the codes, in median bars",
    "",
    "",
    1,
    "Below 4 in a single cloud. A bridge of a few codes joins two clusters; neither end is better.",
)
_OFF_TRAINING = MeasureRow(
    "off_training", "new codes that lie off the training codes", "%", "lower", 1, _LEARNT
)


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Gaps between draws from the posterior of the codes, and between codes of training."""
    if seen.model.has_words:
        return {}
    seed, index = seen.basis.seed, seen.basis.index
    draws = seen.draws[index]
    half = np.random.default_rng(seed).permutation(len(draws)) < len(draws) / 2
    return {
        "prior_empty": of.prior_empty(draws, random_state=seed),
        "holes": of.holes(draws, random_state=seed),
        "off_codes": of.off_codes(draws[half], draws[~half], random_state=seed),
        "separation": of.separation(draws, random_state=seed),
        "off_training": of.off_data(
            seen.codes[index], seen.model.estimator.reference_codes_, random_state=seed
        ),
    }


def _read(comparison: "Comparison") -> tuple[str, str]:
    planes = any(map(_in_plane, comparison.models))
    hidden = any(model.codes.shape[1] > 2 for model in comparison.models)
    shading = (
        "Shading shows where draws from the posteriors of the rows lie (of an AE: their codes) in the two "
        "dimensions that tell most; the circles hold 50 % (dotted) and 95 % of N(0, I), so whatever is bare "
        "within them is where a draw from the prior meets nothing the decoder knows."
    )
    read = shading if planes else "What is drawn should land where codes are, which the decoder knows."
    doubt = (
        ("Two dimensions of many hide most gaps, and a" if planes and hidden else "A")
        + " model that was never asked to fill N(0, I), as an AE, may leave it empty without fault: holes "
        "are looked for in the codes' own Gaussian, where a ratio of 1 says that its draws land as near to "
        "codes as held-out codes do."
    )
    return read, doubt


def _in_plane(model: ModelView) -> bool:
    """Whether codes may be anywhere in a plane."""
    return len(model.traversed) > 1 and not model.has_words


def _draw(comparison: "Comparison") -> Iterator[Plot]:
    """Give the density of the aggregated posterior in the two components that tell most."""
    shown = [i for i, model in enumerate(comparison.models) if _in_plane(model)]
    models = [comparison.models[i] for i in shown]
    if models:
        figure = code_density(
            [model.posterior_draws[:, model.traversed[:2]] for model in models],
            [(int(model.traversed[0]), int(model.traversed[1])) for model in models],
            [model.name for model in models],
            shown,
        )
        words = "Density of the codes' posteriors in two components, with circles of N(0, I)"
        yield Plot(figure, words, left_out(comparison.data))


def code_density(
    codes: Sequence[np.ndarray],
    components: Sequence[tuple[int, int]],
    titles: Sequence[str],
    styles: Sequence[int],
) -> "Figure":
    """Draw how many codes lie where in a plane of the latent space, and where N(0, I) would put them.

    Per model a density of draws from the posterior, of which gaps are asked, in two components: empty where
    there is none, in the color of the number in ``styles``; and circles that hold 50 % and 95 % of N(0, I).
    """
    figure = panels(titles, x="", y="", height=440, aspect=1)
    for i, (own, numbers, style) in enumerate(zip(codes, components, styles, strict=True)):
        add_density(figure, i, own, style)
        center(figure, i, own, numbers, least=2.6)
        add_prior(figure, i)
    return figure


def center(figure: "Figure", i: int, codes: np.ndarray, components: Sequence[int], *, least: float) -> None:
    """Let both axes of the i-th panel reach as far, from −least to least or over all codes, and name them."""
    low, high = np.minimum(codes.min(axis=0), -least), np.maximum(codes.max(axis=0), least)
    reach = 0.53 * (high - low).max()
    for name, number, middle in zip("xy", components, (low + high) / 2, strict=True):
        figure.layout[f"{name}axis{i + 1}"].update(
            title_text=f"component {number + 1} (no unit)", range=[middle - reach, middle + reach]
        )


def add_prior(figure: "Figure", i: int) -> None:
    """Draw circles that hold 50 % and 95 % of N(0, I) into the i-th panel."""
    angles = np.linspace(0, 2 * np.pi, 91)
    for share, dash in ((0.5, "dot"), (0.95, "solid")):
        radius = np.sqrt(-2 * np.log(1 - share))
        figure.add_scatter(
            x=radius * np.cos(angles),
            y=radius * np.sin(angles),
            mode="lines",
            line={"width": 1.5, "dash": dash},
            meta=INK,
            showlegend=False,
            hoverinfo="skip",
            **axes(i),
        )


GAPS = Question(
    "gaps",
    "Are there gaps?",
    (EMPTY, HOLES, _OFF_CODES, _PARTS, _OFF_TRAINING),
    _measure,
    _read,
    _draw,
    rank=0,
    warn=unfilled,
)

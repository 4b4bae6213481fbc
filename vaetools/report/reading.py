"""How to read each section of a comparison, and when not to trust it: no word of what is not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vaetools.report.comparison import Comparison
from vaetools.report.figures.maps import MOST_POINTS


class Reading(NamedTuple):
    """Two sentences that stand beside the numbers: what they say, and when they mislead."""

    read: str
    doubt: str


class _Seen(NamedTuple):
    """What of a comparison decides which words apply."""

    tables: bool
    several: bool  # models
    points: bool  # in maps; many rows are shaded
    bent: bool  # maps that keep no distances
    planes: bool  # of two components or more
    hidden: bool  # components beyond the two of a plane
    thresholds: bool
    outliers: bool
    kl: bool
    losses: bool
    held_out: bool  # among the losses


def reading(comparison: Comparison, section: str) -> Reading:
    """Return how to read a section.

    Parameters
    ----------
    comparison : Comparison
    section : str
        Key of `SECTIONS`.

    Returns
    -------
    reading : Reading
        Words for these data and models: figures that are not there are not explained.
    """
    return _READINGS[section](_see(comparison))


def _see(comparison: Comparison) -> _Seen:
    """Return what there is to be read."""
    data, models = comparison.data, comparison.models
    return _Seen(
        tables=data.image_shape is None,
        several=len(models) > 1,
        points=len(data.names) <= MOST_POINTS,
        bent=comparison.method != "pca",
        planes=any(len(model.traversed) > 1 for model in models),
        hidden=any(model.codes.shape[1] > 2 for model in models),
        thresholds=any(model.threshold is not None for model in models),
        outliers=data.outliers is not None,
        kl=any(model.kl_per_component.any() for model in models),
        losses=any(len(model.history) for model in models),
        held_out=any(
            "held_out_loss" in model.history and model.history["held_out_loss"].notna().any()
            for model in models
        ),
    )


def _neighbors(seen: _Seen) -> Reading:
    """Return how to read maps."""
    same = ", and the same rows are in every map" if seen.several else ""
    doubt = (
        "A map bends distances, so trust which points stand together, not how far groups are apart or how "
        "large they look"
        if seen.bent
        else "A projection lays over each other what lies apart in other directions, so trust which points "
        "stand apart, not which stand together"
    )
    choice = (
        "; and do not choose between an AE and a VAE here, because an AE keeps neighbors and classes about "
        "as well, often better."
    )
    what = "Each point is the code of one row" if seen.points else "Shading shows where the codes of rows lie"
    return Reading(
        f"{what}, flattened to two dimensions{same}: rows that a model takes for alike stand together.",
        doubt + (choice if seen.several else "."),
    )


def _gaps(seen: _Seen) -> Reading:
    """Return how to read densities of codes."""
    shading = (
        "Shading shows where draws from the posteriors of the rows lie (of an AE: their codes) in the two "
        "dimensions that tell most; the circles hold 50 % (dotted) and 95 % of N(0, I), so whatever is bare "
        "within them is where a draw from the prior meets nothing the decoder knows."
    )
    return Reading(
        shading if seen.planes else "What is drawn should land where codes are, which the decoder knows.",
        ("Two dimensions of many hide most gaps, and a" if seen.planes and seen.hidden else "A")
        + " model that was never asked to fill N(0, I), as an AE, may leave it empty without fault: holes "
        "are looked for in the codes' own Gaussian, where a ratio of 1 says that its draws land as near to "
        "codes as held-out codes do.",
    )


def _round(seen: _Seen) -> Reading:
    """Return how to read the aggregated posterior."""
    return Reading(
        "Each filled shape is how the codes, blurred by their own posterior, fill one dimension, and the "
        "dotted outline is N(0, 1): a round space fills its outlines, and its dimensions are "
        "uncorrelated.",
        "A dimension that carries nothing fills its outline perfectly, so a collapsed model is the "
        "roundest of all: read this together with the components in use; effective rank counts directions "
        "and ranks nobody.",
    )


def _samples(seen: _Seen) -> Reading:
    """Return how to read decoded draws."""
    return Reading(
        "Each colored line is a row decoded from a draw of N(0, I) and shows nobody's data; the others are "
        "rows of the data: samples should go up and down with them, and no further."
        if seen.tables
        else "The upper of two rows is decoded from draws of N(0, I) and shows nobody's data; below each "
        "sample stands the row of the data that is nearest to it, which tells a plausible sample from an "
        "odd one, and a new one from a copy.",
        "Precision and density flatter a model that repeats a few safe samples, so read them with recall, "
        "coverage and evenness, and take no classifier's confidence for quality; an AE is trained on no "
        "prior, and drawn from a Gaussian fitted to its codes it may do as well as a VAE.",
    )


def _between(seen: _Seen) -> Reading:
    """Return how to read interpolations."""
    way = " from the thin line to the wide one" if seen.tables else ""
    return Reading(
        f"The straight line between the codes of two rows, decoded in even steps{way}: in a well-filled "
        "space every step looks like data, and no step does most of the way.",
        "A plain cross-fade of the two ends has length 1 and no jump though its middle looks like nothing "
        "in the data, and a blurry decoder comes close to it: judge by the pictures and by the share that "
        "lies off the data.",
    )


def _odd(seen: _Seen) -> Reading:
    """Return how to read scores."""
    flagged = ", and rows left of the dashed line are flagged" if seen.thresholds else ""
    units = (
        "; scores of two models may have different units and cannot be compared with each other"
        if seen.several
        else ""
    )
    few = "; verdicts on few known outliers are uncertain, as the intervals say" if seen.outliers else ""
    return Reading(
        f"A higher score is more normal{flagged}; the oddest rows follow, with what makes them odd.",
        f"Odd means unlike the rows trained on, not wrong{units}{few}.",
    )


def _dimensions(seen: _Seen) -> Reading:
    """Return how to read traversals."""
    way = ", from the thin line to the wide one," if seen.tables else ""
    cost = "; the curve says how many nats each of them costs" if seen.kl else ""
    return Reading(
        f"One component at a time moves over its range{way} while the others stay at the mean code, the "
        f"component that tells most first{cost}.",
        "A component is not a cause and has no name of its own: another seed finds other axes, the axes "
        "of an AE are arbitrary, and a long way from the mean code a traversal shows what no row ever "
        "asked of the decoder.",
    )


def _reconstruction(seen: _Seen) -> Reading:
    """Return how to read costs."""
    better = ", and down and to the left is better" if seen.several and seen.kl else ""
    rate = "Rate is what a code costs, distortion" if seen.kl else "Distortion is"
    worse = (
        "; in the loss curves, held-out rows that get worse while those trained on get better mean "
        "overfitting"
        if seen.held_out
        else "; the loss curves are of the rows trained on alone and cannot show overfitting"
        if seen.losses
        else ""
    )
    return Reading(
        f"{rate} what the reconstruction still costs{better}{worse}.",
        "Nats compare models of one likelihood only, and fall below 0 where a density exceeds 1; squared "
        "error and PSNR favor blur, and a good reconstruction says nothing about gaps, samples or "
        "roundness.",
    )


_READINGS: dict[str, Callable[[_Seen], Reading]] = {
    "neighbors": _neighbors,
    "gaps": _gaps,
    "round": _round,
    "samples": _samples,
    "between": _between,
    "odd": _odd,
    "dimensions": _dimensions,
    "reconstruction": _reconstruction,
}

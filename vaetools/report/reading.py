"""How to read each section of a comparison, and when not to trust it."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """Two sentences that stand beside the numbers: what they say, and when they mislead."""

    read: str
    doubt: str


_READINGS: dict[str, Reading] = {
    "neighbors": Reading(
        "Each point is the code of one row, flattened to two dimensions, and the same rows are in every map: "
        "rows that a model takes for alike stand together.",
        "A map bends distances, so trust which points stand together, not how far groups are apart or how "
        "large they look; and do not choose between an AE and a VAE here, because an AE keeps neighbors "
        "and classes about as well, often better.",
    ),
    "gaps": Reading(
        "Shading shows where codes lie in the two dimensions that tell most; the circles hold 50 % "
        "(dotted) and 95 % of N(0, I), so whatever is bare within them is where a drawn code meets "
        "nothing the decoder knows.",
        "Two dimensions of many hide most gaps, and beyond a few dimensions nearly every prior sample "
        "lies far from every code, whatever the model: then compare with held-out codes, where a ratio of "
        "1 says that the prior is no emptier than the data themselves.",
    ),
    "round": Reading(
        "Each filled shape is how the codes, blurred by their own posterior, fill one dimension, and the "
        "dotted outline is N(0, 1): a round space fills its outlines, and its dimensions are "
        "uncorrelated.",
        "A dimension that carries nothing fills its outline perfectly, so a collapsed model is the "
        "roundest of all: read this together with the components in use; effective rank counts directions "
        "and ranks nobody.",
    ),
    "samples": Reading(
        "The upper of two rows is decoded from draws of N(0, I) and shows nobody's data; below each "
        "sample stands the row of the data that is nearest to it, which tells a plausible sample from an "
        "odd one, and a new one from a copy.",
        "Precision and density flatter a model that repeats a few safe samples, so read them with recall, "
        "coverage and evenness, and take no classifier's confidence for quality; an AE is trained on no "
        "prior, and drawn from a Gaussian fitted to its codes it may do as well as a VAE.",
    ),
    "between": Reading(
        "The straight line between the codes of two rows, decoded in even steps: in a well-filled space "
        "every step looks like data, and no step does most of the way.",
        "A plain cross-fade of the two ends has length 1 and no jump though its middle looks like nothing "
        "in the data, and a blurry decoder comes close to it: judge by the pictures and by the share that "
        "lies off the data.",
    ),
    "odd": Reading(
        "A higher score is more normal, and rows left of the dashed line are flagged; the oddest rows "
        "follow, with what makes them odd.",
        "Odd means unlike the rows trained on, not wrong; scores of two models may have different units "
        "and cannot be compared with each other, and their verdicts on few known outliers are uncertain, "
        "as the intervals say.",
    ),
    "dimensions": Reading(
        "One component at a time moves over its range while the others stay at the mean code, the "
        "component that tells most first; the curve says how many nats each of them costs.",
        "A component is not a cause and has no name of its own: another seed finds other axes, the axes "
        "of an AE are arbitrary, and a long way from the mean code a traversal shows what no row ever "
        "asked of the decoder.",
    ),
    "reconstruction": Reading(
        "Rate is what a code costs, distortion what the reconstruction still costs, and down and to the "
        "left is better; in the loss curves, held-out rows that get worse while those trained on get "
        "better mean overfitting.",
        "Nats compare models of one likelihood only, and fall below 0 where a density exceeds 1; squared "
        "error and PSNR favor blur, and a good reconstruction says nothing about gaps, samples or "
        "roundness.",
    ),
}

# what differs where rows are no images, but lines over the columns of a table
_TABLE_READS: dict[str, str] = {
    "samples": (
        "Each colored line is a row decoded from a draw of N(0, I) and shows nobody's data; the others are "
        "rows of the data: samples should go up and down with them, and no further."
    ),
    "between": (
        "The straight line between the codes of two rows, decoded in even steps from the thin line to the "
        "wide one: in a well-filled space every step looks like data, and no step does most of the way."
    ),
    "dimensions": (
        "One component at a time moves over its range, from the thin line to the wide one, while the others "
        "stay at the mean code, the component that tells most first; the curve says how many nats each costs."
    ),
}


def reading(section: str, *, tables: bool) -> Reading:
    """Return how to read a section of images or of tables.

    Examples
    --------
    >>> reading("samples", tables=True).read.split()[:3]
    ['Each', 'colored', 'line']
    """
    found = _READINGS[section]
    return found._replace(read=_TABLE_READS.get(section, found.read)) if tables else found

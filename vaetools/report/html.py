"""A `Demo` becomes one self-contained page: images, figures and scripts are inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools.report.demo import N_SAMPLED, Demo, ModelViews, TableRow
from vaetools.report.figures import latent_map, score_histogram
from vaetools.report.images import png_uri, tile
from vaetools.report.page import render_template
from vaetools.report.table import COLUMNS
from vaetools.report.text import number, percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def render(demo: Demo) -> str:
    """Return the page.

    Parameters
    ----------
    demo : Demo

    Returns
    -------
    page : str
        HTML that fetches nothing. Labels and names are escaped.
    """
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    unknown = str(demo.unknown_label)
    histogram = score_histogram(
        demo.known_scores, demo.unknown_scores, threshold=demo.threshold, unknown_name=unknown
    )
    maps = {
        view.name: latent_map(view.points, demo.mapped_labels, unknown=demo.unknown_label, title=view.name)
        for view in demo.views
    }
    return render_template(
        "template.html",
        plotly_js=Markup(get_plotlyjs()),
        demo=demo,
        has_labels=any(view.samples_have_labels for view in demo.views),
        summary=summarize(demo),
        headings=[(heading, align == ">") for heading, align, _ in COLUMNS],
        table=[[cell(row) for _, _, cell in COLUMNS] for row in demo.table],
        histogram=Markup(_figure_json(histogram)),
        maps={name: Markup(_figure_json(figure)) for name, figure in maps.items()},
        reconstructions=_reconstructions(demo),
        samples=[_samples(demo, view) for view in demo.views],
        morphs=_morphs(demo),
        oddest=_oddest_cards(demo),
        n_unknown_among_oddest=int((demo.oddest.labels == demo.unknown_label).sum()),
        share_unknown=percent(len(demo.unknown_scores) / (len(demo.unknown_scores) + len(demo.known_scores))),
    )


def summarize(demo: Demo) -> str:
    """Return what the numbers say about the judge, in plain words.

    Parameters
    ----------
    demo : Demo

    Returns
    -------
    summary : str
    """
    judge = next(row for row in demo.table if row.name == demo.judge)
    others = [row for row in demo.table if row not in _pictured(demo)]
    unknown = demo.unknown_label
    sentences = [
        f"Three autoencoders learnt from {demo.n_train:,} handwritten digits, and none ever saw a {unknown}.",
        f"Then the {demo.judge} was shown {len(demo.known_scores)} new digits of the kinds it knows,",
        f"and {len(demo.unknown_scores)} images of a {unknown}.",
        f"Given one of each, it finds the {unknown} the odder one {_in_hundred(judge.auroc)} times in 100.",
    ]
    if others:
        rivals = ", ".join(f"{row.name} {_in_hundred(row.auroc)}" for row in others)
        sentences.append(f"For comparison, others do so this often: {rivals}.")
    if judge.detected is not None and judge.false_alarms is not None:
        sentences.append(
            "With its alarm set to go off for 5 % of known digits, it went off for "
            f"{percent(judge.false_alarms)} of the new ones and {percent(judge.detected)} of the {unknown}s."
        )
    return " ".join(sentences)


def _pictured(demo: Demo) -> list[TableRow]:
    """Return the rows of the models that have pictures."""
    names = {view.name for view in demo.views}
    return [row for row in demo.table if row.name in names]


def _in_hundred(share: float) -> str:
    """Return a share as a whole number of cases in 100, which never rounds up to all."""
    return f"{min(99, round(100 * share))}" if share < 1 else "100"


def _figure_json(figure: Figure) -> str:
    """Return a figure as JSON that cannot end the script element it stands in."""
    text = figure.to_json()
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _strip(demo: Demo, name: str, rows: np.ndarray, alt: str, n_columns: int) -> dict[str, str]:
    """Return a picture for the template: its name, its address, and words for who cannot see it."""
    return {"name": name, "uri": png_uri(tile(rows, demo.image_shape, n_columns)), "alt": alt}


def _reconstructions(demo: Demo) -> list[dict[str, str]]:
    """Return originals, and below them what every model makes of them."""
    n = len(demo.originals)
    names = ", ".join(map(str, demo.original_labels))
    strips = [_strip(demo, "original", demo.originals, f"Held-out digits: {names}", n)]
    for view in demo.views:
        alt = f"The same digits reconstructed by {view.name}"
        strips.append(_strip(demo, view.name, view.reconstructions, alt, n))
    return strips


def _samples(demo: Demo, view: ModelViews) -> dict[str, Any]:
    """Return samples of one model, a strip per row."""
    rows = np.split(view.samples, len(demo.known_labels))
    strips = []
    for label, row in zip(demo.known_labels, rows, strict=True):
        name = str(label) if view.samples_have_labels else ""
        alt = f"Samples of {view.name}" + (f" as a {label}" if name else "")
        strips.append(_strip(demo, name, row, alt, N_SAMPLED))
    return {"name": view.name, "strips": strips}


def _morphs(demo: Demo) -> list[dict[str, str]]:
    """Return one digit becoming another, a strip per model."""
    start, end = demo.morph_labels
    return [
        _strip(demo, view.name, view.morph, f"A {start} becomes a {end} in {view.name}", len(view.morph))
        for view in demo.views
    ]


def _oddest_cards(demo: Demo) -> list[dict[str, Any]]:
    """Return the oddest images beside their reconstructions, with the numbers."""
    odd = demo.oddest
    return [
        {
            **_strip(
                demo,
                str(odd.labels[i]),
                np.stack([odd.images[i], odd.reconstructions[i]]),
                f"A {odd.labels[i]} and its reconstruction by {demo.judge}",
                2,
            ),
            "is_unknown": bool(odd.labels[i] == demo.unknown_label),
            "score": number(odd.scores[i], 1),
            "p_value": f"{odd.p_values[i]:.3f}",
            "verdict": "flagged" if odd.flagged[i] else "not flagged",
        }
        for i in range(len(odd.scores))
    ]

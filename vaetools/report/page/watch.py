"""One self-contained page of a watch: whether there is an alarm, why, and how the evidence grew."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vaetools.report.figures import COLORS
from vaetools.report.page import render_template
from vaetools.report.page.gallery import shown, split_path, ticks
from vaetools.report.pictures import photo

HEIGHT = 220  # pixels of the chart
_LEAST, _MOST = -4.0, 12.0  # decimal logarithms of evidence that are drawn
_LINES = (COLORS[0], COLORS[3], COLORS[2], COLORS[5])
_N_NAMED = 60


class Found(NamedTuple):
    """Something that has changed, in words for a table."""

    what: str
    since: int
    n_rows: int
    change: str
    evidence: float | None


class Line(NamedTuple):
    """Evidence of one kind of change by rows: decimal logarithms."""

    name: str
    evidence: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class WatchPage:
    """What the page shows; rows are counted from 1."""

    model: str  # in words
    source: str  # what came last, in words
    noun: str  # row or image
    n_rows: int
    n_flagged: int
    false_alarm_rate: float
    probability: float  # of a false alarm
    alarm: str  # in a sentence, or nothing
    found: Sequence[Found]
    rows: np.ndarray  # of the history
    lines: Sequence[Line]
    alarm_row: int | None
    since: int | None
    usual_picture: np.ndarray | None  # (channels, height, width), in [0, 1]
    recent_picture: np.ndarray | None
    changed: Sequence[str]  # names of rows since the change


def render_watch(page: WatchPage) -> str:
    """Return the page: HTML without a script, which fetches nothing; all text is escaped."""
    return render_template(
        "watch.html",
        page=page,
        chart=chart_of(page) if len(page.rows) > 1 else None,
        chart_height=HEIGHT,
        pictures=_pictures(page),
        found=[each._replace(change=each.change or "–") for each in page.found],
        named=[split_path(name) for name in page.changed[:_N_NAMED]],
        n_more=max(0, len(page.changed) - _N_NAMED),
    )


def chart_of(page: WatchPage) -> dict[str, Any]:
    """Return what a template needs to draw evidence by rows, as wide as there is room.

    Returns
    -------
    chart : dict
        ``lines`` with ``name``, ``color`` and ``points`` (percent of the width, pixels from the top), numbers
        beside the axes, ``across`` (percent) and ``down`` (pixels), each with its place, the place of the
        ``limit`` in pixels, and of the ``alarm`` and of the change, ``since``, in percent, or None.
    """
    limit = -math.log10(page.probability)
    finite = [line.evidence[np.isfinite(line.evidence)] for line in page.lines]
    highest = min(_MOST, max([limit + 1, *(each.max(initial=limit) for each in finite)]))
    lowest = max(_LEAST, min([-2.0, *(each.min(initial=0) for each in finite)]))
    first, last = float(page.rows[0]), float(page.rows[-1])

    def across(row: float) -> float:
        return round(100 * (row - first) / (last - first), 3)

    def down(evidence: float) -> float:
        return float(round(HEIGHT * (highest - min(max(evidence, lowest), highest)) / (highest - lowest), 1))

    lines = [
        {
            "name": line.name,
            "color": color,
            "points": " ".join(
                f"{across(row)},{down(evidence)}"
                for row, evidence in zip(page.rows, line.evidence, strict=True)
            ),
        }
        for line, color in zip(page.lines, _LINES, strict=False)
        if np.isfinite(line.evidence).all()
    ]
    powers = range(math.ceil(lowest / 2) * 2, math.floor(highest) + 1, 2)
    return {
        "lines": lines,
        "across": [(across(row), f"{row:,.0f}") for row in ticks(first, last) if row == int(row)],
        "down": [(down(power), _power(power)) for power in powers],
        "limit": down(limit),
        "alarm": None if page.alarm_row is None else across(min(max(page.alarm_row, first), last)),
        "since": None if page.since is None else across(min(max(page.since, first), last)),
    }


def _power(power: int) -> str:
    """Return a power of ten as people write small ones."""
    if -3 <= power <= 4:
        return f"{10.0**power:,.10g}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _pictures(page: WatchPage) -> list[dict[str, Any]]:
    """Return the mean of usual images beside that of recent ones, and what the second has more of."""
    usual, recent = page.usual_picture, page.recent_picture
    if usual is None or recent is None or usual.shape[0] not in (1, 3):
        return []
    shape = usual.shape
    difference = (recent - usual).mean(axis=0)
    reach = max(float(np.abs(difference).max()), 1e-9)
    means = [
        shown(name, photo(mean.reshape(1, -1), shape), words)
        for name, mean, words in (
            ("usual", usual, "Mean of the images of the reference"),
            ("recent", recent, "Mean of about the last 32 images"),
        )
    ]
    colors = _diverging(difference / reach)
    last = shown("difference", colors, "Where recent images are brighter, in orange, and darker, in blue")
    return [*means, last | {"reach": f"{reach:.2f}"}]


def _diverging(values: np.ndarray) -> np.ndarray:
    """Return numbers in [−1, 1] as colors: blue, gray in the middle, orange."""
    blue, gray, orange = (np.array(color) for color in ((0, 114, 178), (236, 236, 236), (213, 94, 0)))
    share = np.abs(values)[..., None]
    end = np.where(values[..., None] < 0, blue, orange)
    colors: np.ndarray = np.rint(gray + share * (end - gray)).astype(np.uint8)
    return colors

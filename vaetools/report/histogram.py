"""A histogram small enough to be drawn by a template: numbers of bars and ticks, no script."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

HEIGHT = 180  # pixels
_N_BINS = 40
_LOWEST_BAR = 3  # pixels: one image among thousands must be seen
_REACH = 4  # interquartile ranges beyond the quartiles that get bars of their own


class Bar(NamedTuple):
    """A bar, or its part on one side of the threshold; percent across, pixels down."""

    left: float
    width: float
    top: float
    height: float
    flagged: bool
    words: str


class Tick(NamedTuple):
    """A number beside an axis: percent across, or pixels down."""

    at: float
    text: str


class Chart(NamedTuple):
    """What a template needs to draw a histogram of `HEIGHT` pixels, as wide as there is room.

    Attributes
    ----------
    bars : list of Bar
        From left to right; none for empty bins.
    across, down : list of Tick
        Scores and counts.
    threshold : float or None
        Percent across.
    open_below, open_above : str or None
        Where the first and the last bar hold whatever lies beyond: the score where they start to.
    """

    bars: list[Bar]
    across: list[Tick]
    down: list[Tick]
    threshold: float | None
    open_below: str | None
    open_above: str | None


def bin_scores(scores: np.ndarray, threshold: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of scores in about 40 bins, none of which the threshold cuts.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        NaN counts as the lowest.
    threshold : float, optional

    Returns
    -------
    counts : ndarray of shape (n_bins,), int
    edges : ndarray of shape (n_bins + 1,), float64
        A bin holds its left edge. The first edge is −inf, or the last one inf, where few scores lie
        so far out that bins up to them would squeeze all others into one.

    Examples
    --------
    >>> counts, edges = bin_scores(np.array([1.0, 2, 2, 3, 3, 3, 4, 4, 5, -1e6]), threshold=2.0)
    >>> edges[[0, 1, -1]].round(1), int(counts.sum()), int(counts[edges[:-1] < 2.0].sum())
    (array([-inf, -5. ,  5.2]), 10, 2)
    """
    scores = np.where(np.isnan(scores), -np.inf, np.asarray(scores, dtype=np.float64))
    inner = scores[np.isfinite(scores)]
    marks = [] if threshold is None else [threshold]
    if not len(inner):
        inner = np.array(marks or [0.0])
    lower, upper = np.percentile(inner, [25, 75])
    reach = _REACH * (upper - lower) or np.inf  # most scores are equal: take all
    low = min([max(inner.min(), lower - reach), *marks])
    high = max([min(inner.max(), upper + reach), *marks])
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = max((high - low) / _N_BINS, 1e-9 * max(abs(low), abs(high)))  # narrower, edges would coincide
    anchor = low if threshold is None else threshold
    n_left, n_right = math.floor((anchor - low) / width) + 1, math.floor((high - anchor) / width) + 1
    edges = anchor + width * np.arange(-n_left, n_right + 1)
    counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
    edges[0] = -np.inf if (scores < edges[0]).any() else edges[0]
    edges[-1] = np.inf if (scores > edges[-1]).any() else edges[-1]
    return counts, edges


def layout(counts: np.ndarray, edges: np.ndarray, *, threshold: float | None, unit: str) -> Chart:
    """Return where the bars and ticks of a histogram stand.

    Parameters
    ----------
    counts : ndarray of shape (n_bins,), int
    edges : ndarray of shape (n_bins + 1,)
        The first may be −inf and the last inf, as `bin_scores` returns them.
    threshold : float or None
        Scores below it are flagged; shown even where no bin reaches it.
    unit : str
        Of the scores.

    Returns
    -------
    chart : Chart
    """
    drawn = closed(np.asarray(edges, dtype=np.float64))
    ends = [drawn[0], drawn[-1], *([] if threshold is None else [threshold])]
    low, high = min(ends), max(ends)
    most = max(1, int(np.max(counts)))

    def across(score: float) -> float:
        return round(100 * (score - low) / (high - low), 3)

    scale = _ticks(low, high)
    digits = _decimals(np.diff(drawn).min() / 10)
    bars = []
    for i in np.flatnonzero(counts):
        height = round(max(_LOWEST_BAR, HEIGHT * counts[i] / most), 1)
        limit = drawn[i] if threshold is None else min(max(threshold, drawn[i]), drawn[i + 1])
        words = _range(edges[i], edges[i + 1], digits, unit) + f": {counts[i]:,}"
        for left, right, flagged in ((drawn[i], limit, True), (limit, drawn[i + 1], False)):
            width = round(across(right) - across(left), 3)
            if width > 0:
                bars.append(Bar(across(left), width, HEIGHT - height, height, flagged, words))
    return Chart(
        bars=bars,
        across=[Tick(across(score), grouped(score, _decimals(scale[1] - scale[0]))) for score in scale],
        down=[Tick(round(HEIGHT * (1 - n / most), 1), f"{n:,.0f}") for n in _ticks(0, most) if n == int(n)],
        threshold=None if threshold is None else across(threshold),
        open_below=grouped(edges[1], digits) if np.isinf(edges[0]) else None,
        open_above=grouped(edges[-2], digits) if np.isinf(edges[-1]) else None,
    )


def grouped(value: float, digits: int) -> str:
    """Return a number with its thousands apart and a proper minus sign."""
    return f"{value:z,.{digits}f}".replace("-", "−").replace("inf", "∞")


def closed(edges: np.ndarray) -> np.ndarray:
    """Return the edges with open bins as wide as their neighbors."""
    inner = edges[np.isfinite(edges)]
    width = inner[1] - inner[0] if len(inner) > 1 else 1.0
    edges = edges.copy()
    edges[0] = inner[0] - width if np.isinf(edges[0]) else edges[0]
    edges[-1] = inner[-1] + width if np.isinf(edges[-1]) else edges[-1]
    return edges


def _ticks(low: float, high: float) -> list[float]:
    """Return 2 to 6 round numbers from low to high, evenly apart."""
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _decimals(step: float) -> int:
    """Return how many decimals tell numbers one step apart from each other."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _range(low: float, high: float, digits: int, unit: str) -> str:
    if np.isinf(low):
        return f"below {grouped(high, digits)} {unit}"
    if np.isinf(high):
        return f"from {grouped(low, digits)} {unit}"
    return f"{grouped(low, digits)} to {grouped(high, digits)} {unit}"

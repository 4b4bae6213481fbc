"""A histogram small enough to be drawn by a template: numbers of bars and ticks, no script."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

HEIGHT = 180  # pixels
_N_BINS = 40
_LOWEST_BAR = 3  # pixels: one image among thousands must be seen
_REACH = 4  # interquartile ranges beyond the quartiles that get bars of their own


def bin_scores(scores: np.ndarray, threshold: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of scores in about 40 bins, none of which the threshold cuts, and their edges.

    A bin holds its left edge; NaN counts as the lowest. The first edge is −inf, or the last one inf, where
    few scores lie so far out that bins up to them would squeeze all others into one.

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


def layout(counts: np.ndarray, edges: np.ndarray, *, threshold: float | None, unit: str) -> dict[str, Any]:
    """Return what a template needs to draw a histogram of `HEIGHT` pixels, as wide as there is room.

    Parameters
    ----------
    counts, edges : ndarray
        As `bin_scores` returns them.
    threshold : float or None
        Scores below it are flagged; shown even where no bin reaches it.
    unit : str
        Of the scores.

    Returns
    -------
    chart : dict
        ``bars`` from left to right, none for empty bins, in parts where the threshold cuts one: ``left`` and
        ``width`` in percent, ``top`` and ``height`` in pixels, ``flagged`` and ``words``; numbers beside the
        axes, ``across`` (percent) and ``down`` (pixels), each with its place; ``threshold`` in percent, or
        None; and ``open_below`` and ``open_above``, the score from where the first and the last bar hold
        whatever lies beyond, or None.
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
        words = f"{_range(edges[i], edges[i + 1], digits)} {unit}: {counts[i]:,}"
        for left, right, flagged in ((drawn[i], limit, True), (limit, drawn[i + 1], False)):
            place = {"left": across(left), "width": round(across(right) - across(left), 3)}
            if place["width"] > 0:
                bars.append(
                    place | {"top": HEIGHT - height, "height": height, "flagged": flagged, "words": words}
                )
    step = _decimals(scale[1] - scale[0])
    return {
        "bars": bars,
        "across": [(across(score), grouped(score, step)) for score in scale],
        "down": [(round(HEIGHT * (1 - n / most), 1), f"{n:,.0f}") for n in _ticks(0, most) if n == int(n)],
        "threshold": None if threshold is None else across(threshold),
        "open_below": grouped(edges[1], digits) if np.isinf(edges[0]) else None,
        "open_above": grouped(edges[-2], digits) if np.isinf(edges[-1]) else None,
    }


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


def _range(low: float, high: float, digits: int) -> str:
    """Return what a bin holds in words."""
    if np.isinf(low):
        return f"below {grouped(high, digits)}"
    if np.isinf(high):
        return f"from {grouped(low, digits)}"
    return f"{grouped(low, digits)} to {grouped(high, digits)}"

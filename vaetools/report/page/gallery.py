"""One self-contained page of images: the oddest beside their reconstructions, or one beside its likes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vaetools.report.figures import COLORS, closed, grouped
from vaetools.report.page import render_template
from vaetools.report.pictures import photo, png_uri
from vaetools.words import percent

N_FAILED_SHOWN = 100
HEIGHT = 180  # pixels of the histogram
_LOWEST_BAR = 3  # pixels: one image among thousands must be seen
_CRISP, _CRISP_ENLARGED = 64, 192  # pixels of the longer side up to which single pixels are shown as squares


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """What the page shows of a folder, as plain arrays; scores are higher for more normal images."""

    model: str  # in words, such as "VAE, 16 components"
    source: str  # what was scored, such as the path of a folder
    n_scored: int  # all images, shown or not
    n_flagged: int | None  # of them; None where the model has no threshold
    failed: Sequence[tuple[str, str]]  # path and reason of every file that could not be read
    score_name: str
    unit: str
    threshold: float | None  # images with a lower score are flagged
    false_alarm_rate: float | None  # of normal images that the model alone flags, and colors red somewhere
    image_shape: tuple[int, int, int]  # with 1 or 3 channels
    paths: Sequence[str]  # of the oddest images, oddest first, as are all arrays
    images: np.ndarray  # (n_oddest, n_features), pixels in [0, 1]
    reconstructions: np.ndarray
    scores: np.ndarray
    overlays: np.ndarray | None = None  # (n_oddest, height, width, 3), uint8, as of `Explanation.overlays`
    heat_colors: Sequence[str] = ()  # of the overlays, from hardly odd to odd, as CSS takes them
    reconstruction: np.ndarray | None = None  # cost in nats
    kl: np.ndarray | None = None  # cost in nats
    p_values: np.ndarray | None = None
    floor: str = ""  # that they are the least there are, if they are
    flagged: np.ndarray | None = None
    histogram: tuple[np.ndarray, np.ndarray] | None = None  # of all scores, from `bin_scores`
    selection: str | None = None  # where images were flagged by comparing them all: how, or why none was


def render_gallery(gallery: Gallery) -> str:
    """Return the page: HTML without a script, which fetches nothing.

    Paths, reasons and names are escaped, and characters that cannot be seen are spelled out, so that it can
    be encoded as UTF-8.
    """
    _, height, width = gallery.image_shape
    chart = None
    if gallery.histogram is not None:
        chart = layout(*gallery.histogram, threshold=gallery.threshold, unit=gallery.unit)
    n_flagged_hidden = 0
    if gallery.flagged is not None:
        n_flagged_hidden = (gallery.n_flagged or 0) - int(np.sum(gallery.flagged))
    return render_template(
        "gallery.html",
        gallery=gallery,
        summary=summarize(gallery),
        threshold=None if gallery.threshold is None else _rounded(gallery.threshold),
        chart=chart,
        chart_height=HEIGHT,
        colors=COLORS,
        red_rate=None if gallery.false_alarm_rate is None else percent(gallery.false_alarm_rate),
        cards=[_card(gallery, i) for i in range(len(gallery.paths))],
        n_flagged_hidden=n_flagged_hidden,
        width=width,
        height=height,
        crisp=max(width, height) <= _CRISP,
        crisp_enlarged=max(width, height) <= _CRISP_ENLARGED,
        failed=[(split_path(path), reason) for path, reason in gallery.failed[:N_FAILED_SHOWN]],
        n_failed_hidden=max(0, len(gallery.failed) - N_FAILED_SHOWN),
    )


def summarize(gallery: Gallery) -> str:
    """Return how many images were flagged, and how or how many would be by chance, in plain words."""
    n, n_flagged, rate = gallery.n_scored, gallery.n_flagged, gallery.false_alarm_rate
    if n == 0:
        return "No image could be scored."
    if n_flagged is None:
        images = "image was" if n == 1 else "images were"
        return f"{n:,} {images} scored. The model has no threshold, so it flags none."
    if n == 1:
        verdict = f"The only image was {'' if n_flagged else 'not '}flagged"
    else:
        were = "none was" if not n_flagged else "1 was" if n_flagged == 1 else f"{n_flagged:,} were"
        verdict = f"Of {n:,} images {were} flagged"
    if gallery.selection is not None:
        return f"{verdict}; {gallery.selection}."
    if rate is None:
        return f"{verdict}."
    if n == 1:
        return f"{verdict}; of normal images {percent(rate)} are."
    expected = f"about {round(rate * n):,}" if rate * n >= 1 else "fewer than 1"
    return f"{verdict}; {expected} would be if all were normal."


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


def _card(gallery: Gallery, i: int) -> dict[str, Any]:
    """Return one image for the template: pictures with words for who cannot see them, and numbers."""
    path, shape = gallery.paths[i], gallery.image_shape
    pictures = [
        ("image", photo(gallery.images[i], shape), path),
        ("reconstruction", photo(gallery.reconstructions[i], shape), f"Reconstruction of {path}"),
    ]
    if gallery.overlays is not None:
        pictures.append(("what is odd", gallery.overlays[i], f"What is odd about {path}, in colors"))
    known = [
        (f"score, {gallery.unit}", gallery.scores, _rounded),
        ("p-value", gallery.p_values, _p_value),
        ("reconstruction, nats", gallery.reconstruction, _rounded),
        ("KL, nats", gallery.kl, _rounded),
    ]
    return {
        "path": split_path(path),
        "flagged": None if gallery.flagged is None else bool(gallery.flagged[i]),
        "pictures": [(name, png_uri(picture), words) for name, picture, words in pictures],
        "numbers": [(name, words(values[i])) for name, values, words in known if values is not None],
    }


def split_path(path: str) -> tuple[str, str]:
    """Return the folder, with its slash, and the name of a file."""
    end = max(path.rfind("/"), path.rfind("\\")) + 1
    return path[:end], path[end:]


def _rounded(value: float) -> str:
    """Return a number with the decimals that its size leaves room for."""
    return grouped(value, 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2)


def _p_value(p: float) -> str:
    """Return a p-value with three decimals, or as many as its first digit needs."""
    return f"{p:.{max(3, math.ceil(-math.log10(p)))}f}" if p > 0 else "0.000"


def render_likeness(
    *,
    query: str,
    query_image: np.ndarray,
    names: Sequence[str],
    images: np.ndarray,
    distances: np.ndarray,
    image_shape: tuple[int, int, int],
    **facts: Any,
) -> str:
    """Return a page with an image and those that are nearest to it in latent space, as `render_gallery` does.

    Parameters
    ----------
    query : str
        Path or name of the image whose likes are wanted.
    query_image : ndarray of shape (n_features,)
        Its pixels in [0, 1], as the model saw them.
    names : sequence of str
        Paths or names of the nearest images, nearest first, as are the following.
    images : ndarray of shape (n_hits, n_features)
        Pixels in [0, 1].
    distances : ndarray of shape (n_hits,)
        Between the latent means.
    image_shape : tuple of int
        (channels, height, width), with 1 or 3 channels.
    **facts : object
        The ``model`` in words, the ``source`` that was searched, such as the path of a folder, how many
        images were compared, ``n_searched``, and how many files could not be read, ``n_failed``.
    """
    _, height, width = image_shape
    return render_template(
        "likeness.html",
        query={"path": split_path(query), "uri": png_uri(photo(query_image, image_shape))},
        cards=[
            {
                "path": split_path(name),
                "uri": png_uri(photo(image, image_shape)),
                "distance": f"{distance:#.3g}",
            }
            for name, image, distance in zip(names, images, distances, strict=True)
        ],
        width=width,
        height=height,
        crisp=max(width, height) <= _CRISP,
        title=query,
        **facts,
    )

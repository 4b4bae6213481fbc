"""One self-contained page of images: the oddest and what is odd about them, or one beside its likes."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vaetools.report.figures import COLORS, closed, grouped
from vaetools.report.page import render_template
from vaetools.report.pictures import photo, png_uri, webp_uri
from vaetools.words import about, percent

N_FAILED_SHOWN = 100
HEIGHT = 180  # pixels of the histogram
_LOWEST_BAR = 3  # pixels: one image among thousands must be seen
_MOST_DECIMALS = 9
_QUALITY = 85  # of photographs
_CRISP, _CRISP_ENLARGED = 64, 192  # pixels of the longer side up to which single pixels are shown as squares


class Card(NamedTuple):
    """An image on the page, and what is known of it."""

    path: str
    pictures: Sequence[dict[str, Any]]  # of `shown`
    score: float
    flagged: bool | None = None
    p_value: float | None = None
    costs: Mapping[str, float] = {}  # in nats, by name
    because: str = ""  # what of several questions decided, in a sentence


class Group(NamedTuple):
    """Images that belong together: of a sub-folder, or all of them."""

    name: str  # of the sub-folder, or nothing
    n_scored: int
    n_flagged: int
    cards: Sequence[Card]  # oddest first; of a sub-folder those that are flagged
    others: Sequence[Card] = ()  # of a sub-folder whose images are odd, those that are not


class Scale(NamedTuple):
    """What the colors on the images mean."""

    colors: Sequence[
        str
    ]  # from hardly odd to odd, as CSS takes them; the last is that of what is beyond the limit
    is_verdict: bool  # whether images with that color, and no others, are flagged
    shows: str = "pixels that the model did not expect"  # unless it is the verdict


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """What the page shows of a folder; scores are higher for more normal images."""

    model: str  # in words, such as "VAE, 16 components"
    source: str  # what was scored, such as the path of a folder
    n_scored: int  # all images, shown or not
    n_flagged: int | None  # of them; None where the model has no threshold
    failed: Sequence[tuple[str, str]]  # path and reason of every file that could not be read
    score_name: str
    unit: str
    threshold: float | None  # images with a lower score are flagged
    false_alarm_rate: float | None  # of normal images that the model alone flags, and colors red somewhere
    groups: Sequence[Group]  # the one of all images, or of sub-folders
    scale: Scale | None = None  # of colors, if there are any
    floor: str = ""  # that p-values are the least there are, if they are
    histogram: tuple[np.ndarray, np.ndarray] | None = None  # of all scores, from `bin_scores`
    selection: str | None = None  # where images were flagged by comparing them all: how, or why none was
    certificate: str = ""  # how many of the flagged images are normal at most, to end a sentence
    unit_in_words: str = ""  # of a detector, whose score is minus the greatest value of a map
    cautions: Sequence[str] = ()  # what the model does not see, and how often it is wrong


def render_gallery(gallery: Gallery) -> str:
    """Return the page: HTML without a script, which fetches nothing.

    Paths, reasons and names are escaped, and characters that cannot be seen are spelled out, so that it can
    be encoded as UTF-8.
    """
    chart = None
    if gallery.histogram is not None:
        chart = layout(*gallery.histogram, threshold=gallery.threshold, unit=gallery.unit)
    groups = gallery.groups
    cards = [card for group in groups for card in (*group.cards, *group.others)]
    told = _decimals_apart(gallery.threshold, [card.score for card in cards])
    return render_template(
        "gallery.html",
        gallery=gallery,
        summary=summarize(gallery),
        threshold=None if gallery.threshold is None else _rounded(gallery.threshold, told),
        chart=chart,
        chart_height=HEIGHT,
        colors=COLORS,
        red_rate=None if gallery.false_alarm_rate is None else percent(gallery.false_alarm_rate),
        groups=[_section(group, gallery, told) for group in groups] if cards else [],
        by_folder=len(groups) > 1,
        has=_what_is_there(cards),
        n_pictures=max((len(card.pictures) for card in cards), default=0),
        widest=max((picture["width"] for card in cards for picture in card.pictures), default=0),
        failed=[(split_path(path), reason) for path, reason in gallery.failed[:N_FAILED_SHOWN]],
        n_failed_hidden=max(0, len(gallery.failed) - N_FAILED_SHOWN),
    )


def shown(name: str, picture: np.ndarray, words: str) -> dict[str, Any]:
    """Return a picture for a card, gray or RGB: its name, and words for who cannot see it."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    crisp = (
        "pixels" if longest <= _CRISP else "enlarged-pixels" if longest <= _CRISP_ENLARGED else "photograph"
    )
    uri = png_uri(picture) if longest <= _CRISP_ENLARGED else webp_uri(picture, _QUALITY)
    return {"name": name, "uri": uri, "words": words, "width": width, "height": height, "crisp": crisp}


def _section(group: Group, gallery: Gallery, told: int) -> dict[str, Any]:
    """Return a group for the template, with counts of what is not shown."""
    n_shown = sum(bool(card.flagged) for card in group.cards)
    n_others = group.n_scored - group.n_flagged
    return {
        "name": group.name,
        "n_scored": group.n_scored,
        "n_flagged": group.n_flagged,
        "share": 100 * group.n_flagged / max(1, group.n_scored),
        "cards": [_card(card, gallery, told) for card in group.cards],
        "n_hidden": group.n_flagged - n_shown,
        "others": [_card(card, gallery, told) for card in group.others],
        "n_others": n_others,
    }


def _what_is_there(cards: Sequence[Card]) -> set[str]:
    """Return which names need an explanation."""
    names = {str(picture["name"]) for card in cards for picture in card.pictures}
    names |= {name for card in cards for name in card.costs}
    return names | ({"p-value"} if any(card.p_value is not None for card in cards) else set())


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
    return f"{verdict}; {about(rate * n)} would be if all were normal{gallery.certificate}."


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
        return float(round(100 * (score - low) / (high - low), 3))

    scale = ticks(low, high)
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
        "down": [(round(HEIGHT * (1 - n / most), 1), f"{n:,.0f}") for n in ticks(0, most) if n == int(n)],
        "threshold": None if threshold is None else across(threshold),
        "open_below": grouped(edges[1], digits) if np.isinf(edges[0]) else None,
        "open_above": grouped(edges[-2], digits) if np.isinf(edges[-1]) else None,
    }


def ticks(low: float, high: float) -> list[float]:
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


def _card(card: Card, gallery: Gallery, told: int) -> dict[str, Any]:
    """Return one image for the template; its score with more decimals where it is near the threshold."""
    limit = gallery.threshold
    is_near = limit is not None and abs(card.score - limit) <= 10.0 ** -_usual_decimals(limit)
    numbers = [(f"score, {gallery.unit}", _rounded(card.score, told if is_near else 0))]
    if card.p_value is not None:
        numbers.append(("p-value", _p_value(card.p_value)))
    numbers += [(f"{name}, nats", _rounded(cost)) for name, cost in card.costs.items()]
    return {
        "path": split_path(card.path),
        "flagged": card.flagged,
        "pictures": card.pictures,
        "numbers": numbers,
        "because": card.because,
    }


def split_path(path: str) -> tuple[str, str]:
    """Return the folder, with its slash, and the name of a file."""
    end = max(path.rfind("/"), path.rfind("\\")) + 1
    return path[:end], path[end:]


def _usual_decimals(value: float) -> int:
    """Return how many decimals the size of a number leaves room for."""
    return 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2


def _rounded(value: float, least: int = 0) -> str:
    """Return a number with the decimals that its size leaves room for, or more if so many are asked for."""
    return grouped(value, max(least, _usual_decimals(value)))


def _decimals_apart(threshold: float | None, scores: Sequence[float]) -> int:
    """Return with how many decimals every score below a threshold reads as below it, and no other does."""
    if threshold is None or not math.isfinite(threshold):
        return 0
    is_below = np.asarray(scores) < threshold
    for digits in range(_usual_decimals(threshold), _MOST_DECIMALS):
        if np.array_equal(np.round(scores, digits) < np.round(threshold, digits), is_below):
            return digits
    return _MOST_DECIMALS


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

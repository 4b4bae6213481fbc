"""The oddest rows of each model as cards: a picture or the surprising columns, and the facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaetools.report.comparison import Comparison, ModelView, Oddest
from vaetools.report.projector import make_thumbnails
from vaetools.report.strips import Strip, thumbnail_strip
from vaetools.words import number

_MOST_CARDS = 12  # in all, shared by the models, but at least _FEWEST_CARDS each
_FEWEST_CARDS = 4
_LARGEST = 96  # pixels of the longer side of a picture
_MOST_COLUMNS = 4  # of a table


class Card(NamedTuple):
    """One odd row: its picture or its surprising columns, its name and what is known of it."""

    picture: Strip | None
    name: str
    facts: list[tuple[str, str]]
    because: list[list[str]]


class Cards(NamedTuple):
    """The oddest rows of one model."""

    title: str
    cards: list[Card]
    caption: str
    kind: str = "cards"


def odd_cards(comparison: Comparison) -> Iterator[Cards]:
    """Give the oddest rows of every model.

    Parameters
    ----------
    comparison : Comparison

    Yields
    ------
    cards : Cards
        Fewer per model where there are more models.
    """
    models, said = comparison.models, ""
    n = max(_FEWEST_CARDS, _MOST_CARDS // len(models))
    for model in models:
        shown = range(min(n, len(model.oddest.index)))
        if shown:
            title = f"Oddest to {model.name}" if len(models) > 1 else "The oddest rows"
            caption = _caption(comparison, model)
            cards = [_card(comparison, model, i) for i in shown]
            yield Cards(title, cards, "" if caption == said else caption)
            said = caption


def _caption(comparison: Comparison, model: ModelView) -> str:
    """Say what the pictures on cards are; of tables there are none."""
    if comparison.data.image_shape is None:
        return ""
    if model.oddest.overlays is None:
        return "On each card from left to right: the image, and its reconstruction."
    return (
        "On each card from left to right: the image, what is odd in it, and its reconstruction. Odd are "
        "pixels that the model did not expect, from clear over yellow to red, on one scale for all images "
        "that was fixed in training: normal images are seldom red anywhere."
    )


def _card(comparison: Comparison, model: ModelView, i: int) -> Card:
    """Return the i-th oddest row of a model."""
    data, odd = comparison.data, model.oddest
    row = odd.index[i]
    facts = [("score", number(model.scores[row], 1))]
    if model.p_values is not None:
        facts.append(("p-value", f"{model.p_values[row]:.3f}"))
    if model.threshold is not None:
        facts.append(("verdict", "flagged" if model.scores[row] < model.threshold else "not flagged"))
    if data.labels is not None:
        facts.append(("label", str(data.labels[row])))
    if data.outliers is not None:
        facts.append(("known as", "outlier" if data.outliers[row] else "normal"))
    if data.image_shape is not None:
        picture = _odd_picture(odd, i, data.image_shape, str(data.names[row]))
        return Card(picture, str(data.names[row]), facts, [])
    return Card(None, str(data.names[row]), facts, _because(odd.because[i]))


def _odd_picture(odd: Oddest, i: int, image_shape: tuple[int, int, int], name: str) -> Strip:
    """Return a row, its heat map and its reconstruction side by side, all in color."""
    channels, height, width = image_shape
    parts = [odd.values[i], odd.reconstructions[i]]
    images = [np.broadcast_to(part.reshape(channels, -1), (3, height * width)).ravel() for part in parts]
    if odd.overlays is not None:
        images.insert(1, odd.overlays[i].transpose(2, 0, 1).reshape(-1) / 255)
    thumbnails = make_thumbnails(np.clip(images, 0, 1), (3, height, width), longest=_LARGEST)
    return thumbnail_strip("", thumbnails, f"{name}, what is odd in it, and its reconstruction")


def _because(surprises: pd.DataFrame) -> list[list[str]]:
    """Return the most surprising columns of a row as text: column, value, expected."""
    return [
        [str(row.column), _plain(row.value), _plain(row.expected)]
        for row in surprises.head(_MOST_COLUMNS).itertuples(index=False)
    ]


def _plain(value: Any) -> str:
    """Return a cell of a table of unknown type as text."""
    return f"{value:.4g}".replace("-", "−") if isinstance(value, (int, float, np.number)) else str(value)

"""The page of ``vaetools score --html``: what a model says of the images that were scored, put together."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from vaetools.anomaly.explanation import HEAT_COLORS, overlay, ringed
from vaetools.anomaly.recommended import QUESTIONS
from vaetools.cli import command
from vaetools.cli.answers import PICTURED, Answers
from vaetools.data.batches import Batch
from vaetools.data.decoding import ImageFileError, Recipe
from vaetools.data.originals import Original, read_original
from vaetools.data.reader import ImageReader, as_sources, reader_for
from vaetools.estimators.context import in_words as in_words_of
from vaetools.estimators.image_fields import UNIT_IN_WORDS
from vaetools.files import write_atomically
from vaetools.nn import PIXELS
from vaetools.report.figures import bin_scores
from vaetools.report.page.gallery import Card, Gallery, Group, Scale, render_gallery, shown
from vaetools.report.pictures import photo
from vaetools.stream.evaluation import is_good
from vaetools.stream.flow import ODD
from vaetools.stream.keeping import Examples
from vaetools.stream.pixel_maps import PixelMaps, pixel_maps
from vaetools.stream.sinks import expected_rate_of
from vaetools.words import few, floor_in_words

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.data.beside import Beside

_FEWEST = 4  # of a sub-folder
_SHOWN = "where the reconstruction fails, and that of normal images does not"
_LONGEST = 512  # pixels of the longer side of a photograph on the page


def write_page(
    path: Path, answers: Answers, failed: list[Any], data: tuple[str, ...], beside: "Beside | None" = None
) -> None:
    """Write the gallery of the oddest images, by sub-folder if there are several."""
    tally, oddest, opened = answers.tally, answers.oddest, answers.opened
    model, n = opened.estimator, tally.n_calibration
    draw = Drawing(opened, beside)
    folders = tally.folders()
    if len(folders) > 1:
        of_each = answers.asked.top or max(_FEWEST, PICTURED // len(folders))
        groups = list(_by_folder(folders, answers.examples, draw, of_each))
    else:
        cards = list(draw.cards(oddest.table, oddest.X.to_numpy()))
        groups = [Group("", tally.n_rows, tally.n_odd, cards)]
    page = render_gallery(
        Gallery(
            model=in_words(opened),
            source=few(data, 3),
            n_scored=tally.n_rows,
            n_flagged=tally.n_odd,
            failed=failed,
            score_name=model.anomaly_score_,
            unit=model.score_unit_,
            threshold=tally.threshold,
            false_alarm_rate=expected_rate_of(model),
            groups=groups,
            scale=draw.scale,
            floor=floor_in_words(oddest.table["p_value"], n, "image"),
            histogram=bin_scores(np.concatenate(answers.scores.parts), tally.threshold),
            selection=None if tally.selection is None else tally.selection.words(),
            certificate=tally.certificate() if tally.selection is None else "",
            cautions=[*click.get_current_context().obj, *answers.cautions],
            unit_in_words=UNIT_IN_WORDS if hasattr(model, "heat_maps") else "",
        )
    )
    write_atomically(path, page.encode())


def in_words(opened: command.Opened) -> str:
    """Return what the page calls a model."""
    if not hasattr(opened.estimator, "heat_maps"):
        return opened.in_words
    backbone = opened.estimator.backbone or PIXELS
    network = backbone if isinstance(backbone, str) else getattr(backbone, "network", None)
    features = f"features of {network}" if isinstance(network, str) else "features"
    judged = {"whole": "the whole", "both": "patches and the whole"}.get(opened.estimator.scope_, "patches")
    _, height, width = opened.image_shape
    return f"{type(opened.estimator).__name__}, {judged} by {features}, images of {height}×{width}"


def _by_folder(
    folders: dict[str, dict[str, int]], examples: Examples, draw: "Drawing", n: int
) -> Iterator[Group]:
    """Yield the groups of sub-folders: where most are flagged first, and good images last."""

    def place(name: str) -> tuple[bool, float]:
        return is_good(name), -folders[name]["n_odd"] / folders[name]["n_scored"]

    for name in sorted(folders, key=place):
        odd, others = examples.of(name)
        missed = [] if is_good(name) else list(draw.cards(others.head(max(_FEWEST, n // 2))))
        found = list(draw.cards(odd.head(n)))
        yield Group(name, folders[name]["n_scored"], folders[name]["n_odd"], found, missed)


class Drawing:
    """Makes cards of images: the photographs, what is odd about them, and what a model makes of them."""

    def __init__(self, opened: command.Opened, beside: "Beside | None" = None):
        self.opened, self.model, self.beside = opened, opened.estimator, beside
        self._reader: ImageReader | None = opened.reader or reader_for(self.model)
        self.scale: Scale | None = None

    def cards(self, table: "pd.DataFrame", X: np.ndarray | None = None) -> Iterator[Card]:
        """Yield the cards of rows of a table of scores; images in files are read again."""
        names = list(table.iloc[:, 0])
        if self._reader is None or not all(isinstance(name, str) for name in names):
            assert X is not None  # of an array, kept
            yield from self._of_some(table, X, [self._kept(row) for row in X])
            return
        for batch in self._again(names):
            originals = {}
            for place, i in enumerate(batch.ids):
                with contextlib.suppress(ImageFileError):  # gone since it was scored
                    originals[place, i] = self._photograph(names[i])
            places, numbers = (list(each) for each in zip(*originals, strict=True)) if originals else ([], [])
            yield from self._of_some(table.iloc[numbers], batch.X[places], list(originals.values()))

    def _again(self, names: Sequence[str]) -> Iterator[Batch]:
        """Yield images that were read before, when it was said what they are like."""
        assert self._reader is not None  # who asks has looked
        batches = self._reader.batches(as_sources(names), range(len(names))) if names else iter(())
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _photograph(self, name: str) -> Original:
        """Return an image in a file as the page shows it."""
        assert self._reader is not None  # who asks has looked
        [source] = as_sources([name])
        recipe = Recipe(self._reader.image_shape_, self._reader.aspect, self._reader.dtype_)
        return read_original(source, recipe, n_channels=recipe.image_shape[0], longest=_LONGEST)

    def _kept(self, row: np.ndarray) -> Original:
        channels, height, width = self.opened.image_shape
        return Original(row.reshape(channels, height, width), (0, 0, width, height), (width, height))

    def _of_some(self, table: "pd.DataFrame", X: np.ndarray, originals: Sequence[Original]) -> Iterator[Card]:
        """Yield the cards of images that were read."""
        if not len(X):
            return
        told = None if self.beside is None else self.beside.cells.loc[list(table.iloc[:, 0])]
        given = [""] * len(X) if told is None else [f"Given {words}." for words in in_words_of(told, len(X))]
        maps = pixel_maps(self.model, X, context=told)
        if any(map(maps.is_drawn, range(len(X)))):
            self.scale = Scale(HEAT_COLORS, maps.is_verdict, *[_SHOWN] * (maps.questions is not None))
        made = self.model.reconstruct(X, told) if self.opened.can_decode else [None] * len(X)
        rows = zip(table.to_dict(orient="records"), originals, made, strict=True)
        for i, (row, original, reconstruction) in enumerate(rows):
            name = str(table.iloc[i, 0])
            pictures = list(self._pictures(name, original, reconstruction, maps, i))
            costs = {said: row[key] for key, said in _COSTS.items() if key in row}
            if not hasattr(self.model, "posterior"):
                costs.pop("KL", None)
            yield Card(
                path=name,
                pictures=pictures,
                score=row["score"],
                flagged=row["verdict"] == ODD,
                p_value=None if np.isnan(row["p_value"]) else row["p_value"],
                costs=costs,
                because=f"{given[i]} {_because(maps, i)}".strip(),
            )

    def _pictures(
        self, name: str, original: Original, reconstruction: Any, maps: PixelMaps, i: int
    ) -> Iterator[dict[str, Any]]:
        pixels = np.asarray(self.model.input_scale_.shown(original.pixels))
        yield shown("image", photo(pixels.reshape(1, -1), pixels.shape), name)
        if reconstruction is not None:
            made = photo(reconstruction[None], self.opened.image_shape)
            yield shown("reconstruction", original.without_padding(made), f"Reconstruction of {name}")
        if maps.is_drawn(i):
            gray = pixels.mean(axis=0) / (255 if pixels.dtype == np.uint8 else 1)
            values = original.put_back(maps.values[i])
            colors = overlay(maps.heat(values)[None], gray[None])[0]
            yield shown(
                "what is odd", ringed(colors, values > maps.limit), f"What is odd about {name}, in colors"
            )


def _because(maps: PixelMaps, i: int) -> str:
    """Return which of several questions decided about an image, in a sentence."""
    if maps.questions is None:
        return ""
    question = str(maps.questions[i])
    said = f"Decided by {question}: {QUESTIONS[question]}."
    return said if maps.is_of_decision(i) else f"{said} That has no place on the image, so there is no map."


_COSTS = {"reconstruction": "reconstruction", "kl": "KL"}

"""``vaetools evaluate``: how well a model finds the defects of a test set."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command
from vaetools.cli.saying import Talk, cell, list_failures, print_json, short_name, source_as_json
from vaetools.words import few, text_table

if TYPE_CHECKING:
    from vaetools.stream.evaluation import Evaluation

_WIDEST_KIND = 30  # characters
_ALL = "all defects"
_COLUMNS = {
    "images": "n",
    "AUROC": "image_auroc",
    "AP": "average_precision",
    "flagged": "share_flagged",
    "pixel AUROC": "pixel_auroc",
    "AU-PRO 0.3": "aupro_30",
    "AU-PRO 0.05": "aupro_05",
}


@click.command(short_help="Measure how well a model finds known defects.")
@command.model_argument
@click.argument("test", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--truth",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of masks, laid out as TEST; unless said, ground_truth beside it if that is there.",
)
@command.reading_options
@command.talk_options
def evaluate(
    model: Path, test: Path, truth: Path | None, reading: dict[str, Any], device: str | None, talk: Talk
) -> int:
    """Measure how well a MODEL of images finds the defects of a TEST set.

    TEST is a folder with a sub-folder of images without defects, called good, ok, normal or free, and one of
    each kind of defect, as inspection sets have. Masks, not 0 where a defect is, lie in a folder laid out
    alike, under the names of their images, with or without "_mask" behind.

    AUROC and average precision (AP) compare images with defects with those without; "flagged" is the share
    beyond the threshold, which of good images should be about what the model promises. With masks, pixel
    AUROC compares pixels of defects with others, and AU-PRO is the mean share of a defect that is covered,
    averaged over thresholds at which up to 0.3, or 0.05, of the other pixels are too.

    \b
    Examples:
      vaetools evaluate parts.safetensors parts/test
      vaetools evaluate parts.safetensors parts/test --truth parts/ground_truth --json

    \b
    Keys of --json:
      n, image_auroc, average_precision, share_flagged, pixel_auroc, aupro_30, aupro_05 (null without masks),
      good {n, share_flagged, share_expected, p_value}, kinds {kind: the same}, unmarked [paths],
      blank [masks], strays [masks], n_failed, failed [{id, reason}], n_ignored, ignored {kind: files},
      ignored_paths, dialect, notes
    """
    from vaetools.cli.describing import few_find_less_in_words, good_in_words
    from vaetools.stream import stream_scores
    from vaetools.stream.evaluation import Evaluation

    opened = command.Opened(model, device)
    if opened.image_shape is None:
        raise click.ClickException(f"evaluate needs a model of images; {model} takes rows.")
    parts = stream_scores(opened.whole, str(test), verbose=talk.progress, **reading)
    evaluation = Evaluation(opened.whole, test, truth)
    parts.into(evaluation)
    figures = evaluation.figures()
    failed = parts.failed + evaluation.failed
    if talk.as_json:
        masks = {name: getattr(evaluation, name) for name in ("unmarked", "blank", "strays")}
        print_json(figures | masks | source_as_json(parts.source, failed))
    else:
        click.echo(_table(figures))
        talk.say(good_in_words(figures["good"]))
        misses = figures["share_flagged"] < figures["image_auroc"]  # though it tells more of them apart
        for line in (few_find_less_in_words(opened.estimator) * misses, *_of_masks(evaluation, figures)):
            if line:
                talk.say(line)
    return list_failures(failed)


def _of_masks(evaluation: "Evaluation", figures: dict[str, Any]) -> Iterator[str]:
    """Yield why there are no figures of pixels, if so, and which masks are not in them, a sentence each."""
    if evaluation.truth is None:
        yield "No masks, so no figures of pixels: name their folder by --truth."
    elif figures["pixel_auroc"] is None:
        yield "No figures of pixels: no mask marks a defect of an image."
    if evaluation.unmarked:
        yield f"Without a mask, and so not in figures of pixels: {few(evaluation.unmarked, 3)}."
    if evaluation.blank:
        yield f"Masks that mark nothing, though their images are of defects: {few(evaluation.blank, 3)}."
    if evaluation.strays:
        yield f"Masks of no image: {few(evaluation.strays, 3)}."


def _table(figures: dict[str, Any]) -> str:
    """Return the figures of every kind of defect, of all of them, and of good images, as a table."""
    columns = {heading: key for heading, key in _COLUMNS.items() if figures[key] is not None}
    lines = [*figures["kinds"].items(), (_ALL, figures), ("good", figures["good"])]
    rows = [
        [short_name(kind, _WIDEST_KIND), f"{found['n']:,}"]
        + [cell(found.get(key, math.nan), 3) for key in list(columns.values())[1:]]
        for kind, found in lines
    ]
    return text_table(["folder", *columns], rows, "<" + ">" * len(columns))

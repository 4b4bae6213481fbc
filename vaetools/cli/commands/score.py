"""``vaetools score``: which of these are odd, how odd, and how often that is wrong."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.answers import Answers, Asked
from vaetools.cli.marking import check_can_mark
from vaetools.cli.oddest import explain, print_top
from vaetools.cli.saying import (
    Talk,
    counted_rows,
    failed_as_json,
    left_out_as_json,
    list_failures,
    print_json,
    say,
    say_left_out,
    short_name,
    source_as_json,
)
from vaetools.words import text_table

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.stream.sinks import Tally

_HAS_MAPS = "a detector, or one that can decode."
_OF_EARLIER = (
    "the model has no scale of its maps, of an earlier version as it is: vaetools recalibrate sets one."
)
_LISTED, _WIDEST_FOLDER = 30, 60  # sub-folders in a table; characters of a name
_DIGITS = {"nats": 1}  # of a score in a table, by its unit


@click.command(short_help="Score images or rows with a model: which are odd?")
@command.model_argument
@command.data_argument
@command.output_option(
    "CSV or Parquet file to write; with --engine ray a folder or an address.", kind=command.PathOrAddress
)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Print a table of the N oddest.")
@command.file_option(
    "--html", "Page to write: the oddest images, by sub-folder, and what is odd about them (--top of each)."
)
@click.option(
    "--maps",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder to write: what is odd on every image, as an overlay and a raw map of its size.",
)
@command.file_option(
    "--marks",
    "CSV or Parquet file to write: rows to look at (--top, or 10), and mark for vaetools fit --marks.",
)
@click.option(
    "--marked",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TABLE",
    help="With --marks: marks of before, whose rows are not handed out again. Can be repeated.",
)
@click.option(
    "--fdr",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="RATE",
    help="Flag rows so that at most this share of the flagged is expected to be normal, such as 0.1.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Score here, or with the machines of a Ray cluster (needs vaetools[ray]).",
)
@click.option("--address", help="Of the Ray cluster; without one Ray starts on this machine.")
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes of Ray; by default one per core."
)
@command.reading_options
@command.context_option
@command.talk_options
def score(
    model: Path,
    data: tuple[str, ...],
    engine: str,
    address: str | None,
    workers: int | None,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
    **options: Any,
) -> int:
    """Score images or rows with a trained MODEL.

    DATA is a folder of images, image files, a text file of paths ("-": paths from standard input), or
    a table (CSV, Parquet, Arrow or Excel: a file, or a folder or several files of one table), or one
    NPY, NPZ or IDX file, of any length. Images are read as they were in training; a
    table must have the columns of training.

    There is a line for every image or row: its score (higher is more normal), its reconstruction and
    KL costs in nats, a conformal p-value, and the verdict "normal" or, if it is flagged, "odd".
    Without --output, --top or --json the lines go to standard output as CSV. What cannot be read is
    listed with the reason, all else is scored, and the exit status is 1. Of a folder it is said how many
    files are left out, and how many images of each sub-folder are flagged.

    By default a row is flagged if its p-value is small, so that about 5 % of normal rows are flagged too.
    The page of --html shows images beside what is odd about them in colors, of every sub-folder those that
    are flagged and, unless it is called good, ok, normal or free, the oddest of those that are not.

    With --fdr, verdicts are made once all rows are known, so that the share of normal rows *among the
    flagged* is at most the rate, in expectation. No p-value is below 1 / (calibration rows + 1), so a few odd
    rows among very many cannot be told from chance: where none is found, it is said how many it takes.

    With --maps every image gets files of its own size, called like it and in sub-folders like its own: for
    crack/7.jpg crack/7.png, colors over the gray image; crack/7.tif, the map as 32-bit numbers in the unit
    of the model; and of a detector of patches, whose map is its verdict, crack/7_mask.png, white where the
    map goes beyond the threshold. Red is what flagged the image; of a model of whole images, red is what
    few normal images have anywhere, and the verdict may have other reasons. Files of an earlier run about
    these images that have no successor are removed.

    With --marks ten rows are written to be looked at: half of them the oddest, the others typical ones of
    groups of rows. Say odd or normal in their column mark, and give the file to "vaetools fit DATA --marks".
    A file that has such marks is not replaced: give it to --marked, and its rows are not handed out again.
    With --top N so many rows are written.

    Images that are judged given columns of a table are scored with --context TABLE, of today: those without a
    row in it are listed.

    With --engine ray many machines share the work: images or Parquet files, here or at an address such
    as s3://bucket/photos, become a folder of Parquet files, also if machines fail. It needs --output.

    \b
    Examples:
      vaetools score boards.safetensors photos/ -o scores.csv --html odd.html
      vaetools score boards.safetensors photos/ -o scores.csv --maps maps/
      vaetools score boards.safetensors photos/ --top 20
      vaetools score sales.safetensors sales.csv --marks looked.csv
      vaetools score taught.safetensors sales.csv --marked looked.csv --marks again.csv
      vaetools score boards.safetensors photos/ -o scores.csv --fdr 0.1
      vaetools score sales.safetensors today.csv --id order | head
      vaetools score boards.safetensors s3://bucket/photos -o s3://bucket/scores --engine ray

    \b
    Keys of --json:
      n_scored, n_odd, folders {sub-folder: {n_scored, n_odd}}, score, threshold,
      false_alarm_rate, confidence, most_mistakes, false_discovery_rate, why_none_odd, id,
      oddest [rows], small_defects, cautions [sentences], output, html, marks,
      maps {folder, unit, red_above, is_verdict, renamed {image: file}, without {image: question},
        removed [files]},
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    asked, inputs = Asked(**options), [model, *data, reading.get("context")]
    if engine == "ray":
        _check_ray(asked, reading, inputs)
        cluster = {"address": address, "n_workers": workers, "device": device or "cpu"}
        return _score_with_ray(model, data, asked.output, reading | cluster, talk)
    _check_local(asked, {"--address": address, "--workers": workers}, reading)
    inputs += asked.marked
    outputs.check_output(asked.output, outputs.TABLES, inputs)
    outputs.check_output(asked.html, (".html",), inputs, "--html")
    outputs.check_output(asked.marks, outputs.TABLES, inputs, "--marks")
    outputs.check_output(asked.maps, (), inputs, "--maps")
    from vaetools.stream import stream_scores

    opened = command.Opened(model, device)
    _check_model(opened, asked)
    parts = stream_scores(opened.whole, data, verbose=talk.progress, **reading)
    answers = Answers(asked, opened, parts.source.listing, is_silent=talk.as_json)
    parts.into(*answers.sinks)
    failed = parts.failed + answers.failed
    if asked.html is not None:
        from vaetools.cli.gallery import write_page

        write_page(asked.html, answers, failed, data, parts.beside)
    explain(answers.oddest, opened)
    answers.write_marks(parts.beside)
    if talk.as_json:
        summary = _summary(opened.estimator, answers.tally, answers.oddest.table.head(asked.n_oddest))
        print_json(summary | answers.facts() | source_as_json(parts.source, failed))
    elif asked.top:
        digits = _DIGITS.get(opened.estimator.score_unit_, 2)
        oddest = answers.oddest.table.head(asked.top)
        print_top(oddest, digits, answers.tally, opened.kind.removesuffix("s"), talk)
    _conclude(answers.tally, opened.kind, talk)
    for each in (*answers.cautions, *answers.said_of_maps()):
        talk.say(each)
    return talk.end(parts.source, failed, asked.output, asked.html, asked.maps, asked.marks)


def _check_local(asked: Asked, elsewhere: Mapping[str, Any], reading: Mapping[str, Any]) -> None:
    """Raise for options that do not go with scoring here."""
    for name, value in elsewhere.items():
        if value is not None:
            raise command.misuse(name, f"needs --engine ray; got {value}.")
    if isinstance(asked.output, str):
        raise command.misuse("--output", f"an address needs --engine ray; got {asked.output!r}.")
    if reading.get("id_column") == "because":
        raise command.misuse("--id", "'because' is called like a column of the result: rename it.")


def _check_model(opened: command.Opened, asked: Asked) -> None:
    """Raise for options that do not go with a model, or without another."""
    from vaetools.stream.pixel_maps import has_maps

    estimator = opened.estimator
    if asked.maps is not None and not has_maps(estimator):
        earlier = hasattr(estimator, "heat_range_")
        raise command.misuse("--maps", _OF_EARLIER if earlier else "needs a model of images: " + _HAS_MAPS)
    shows_images = opened.image_shape is not None and (has_maps(estimator) or opened.can_decode)
    if asked.html is not None and not shows_images:
        raise command.misuse(
            "--html", f"needs a model of images: {_HAS_MAPS} Of rows, --top names what is odd."
        )
    if asked.fdr is not None and hasattr(estimator, "context_"):
        raise command.misuse(
            "--fdr", "needs p-values of all rows alike, and those of a context are of groups."
        )
    if asked.fdr is not None and not hasattr(estimator, "calibration_scores_"):
        from vaetools.estimators.verdicts import least_rows

        how = "without --contamination"
        if estimator.contamination == "auto":
            how = f"with at least {least_rows(estimator):,} rows; it had {estimator.n_samples_:,}"
        raise command.misuse(
            "--fdr", f"needs rows that calibrate, and the model held none out. Fit it again {how}."
        )
    if asked.marked and asked.marks is None:
        raise command.misuse("--marked", "goes with --marks, the file to write.")
    if asked.marks is not None:
        check_can_mark(asked.marks, opened)


def _check_ray(asked: Asked, reading: Mapping[str, Any], inputs: list[Any]) -> None:
    """Raise for options that need all rows in one place."""
    for name, value in dataclasses.asdict(asked).items():
        if value not in (None, ()) and name != "output":
            keeps = f"does not go with --engine ray, which keeps no rows; got {value}"
            raise command.misuse(f"--{name}", f"{keeps}. Read the output instead.")
    if others := sorted(reading.keys() - {"id_column", "include", "exclude"}):
        option = {"dialect": "CSV's dialect"}.get(others[0], f"--{others[0]}")
        came = repr(reading[others[0]])
        raise command.misuse(
            option, f"does not go with --engine ray, of images and Parquet files; got {came}."
        )
    if asked.output is None:
        raise command.misuse("--output", "is needed with --engine ray: a folder to make.")
    if isinstance(asked.output, Path):
        outputs.check_output(asked.output, (".parquet",), inputs)


def _score_with_ray(
    model: Path, data: tuple[str, ...], output: Any, options: dict[str, Any], talk: Talk
) -> int:
    """Have many machines score, and say what came of it."""
    import pandas as pd

    from vaetools.stream import Tally, score_with_ray

    opened = command.Opened(model, None)
    tally = Tally(opened.estimator)
    scored = score_with_ray(opened.whole, data, output, verbose=talk.progress, **options)
    tally.n_rows, tally.n_odd, tally.judged = scored.n_scored, scored.n_odd, dict(scored.folders)
    if talk.as_json:
        summary = _summary(opened.estimator, tally, pd.DataFrame()) | failed_as_json(scored.failed)
        print_json(
            summary | {"output": output, "html": None, "maps": None} | left_out_as_json(scored.ignored)
        )
    _conclude(tally, opened.kind, talk)
    talk.written(output)
    if talk.verbose or talk.to_people:
        say_left_out(scored.ignored, verbose=talk.verbose)
    return list_failures(scored.failed)


def _summary(model: Any, tally: "Tally", oddest: "pd.DataFrame") -> dict[str, Any]:
    """Return what came of it as JSON takes it."""
    return {
        "n_scored": tally.n_rows,
        "n_odd": tally.n_odd,
        "folders": tally.folders(),
        "score": model.anomaly_score_,
        "threshold": tally.threshold,
        "false_alarm_rate": tally.false_alarm_rate,
        "confidence": tally.confidence if tally.selection is None else tally.selection.confidence,
        "most_mistakes": tally.most_mistakes,
        "false_discovery_rate": tally.selection and tally.selection.false_discovery_rate,
        "why_none_odd": tally.selection and tally.selection.why_none,
        **({"id": oddest.columns[0]} if len(oddest) else {}),
        "oddest": oddest.to_dict(orient="records"),
    }


def _conclude(tally: "Tally", kind: str, talk: Talk) -> None:
    """Say what came of it, in all and by sub-folder."""
    talk.say(f"{counted_rows(tally.n_rows, kind)} scored, {tally.n_odd:,} flagged as odd{tally.expected()}.")
    folders = tally.folders()
    if len(folders) < 2 or not talk.to_people:
        return
    rows = [
        [short_name(name, _WIDEST_FOLDER), f"{count['n_scored']:,}", f"{count['n_odd']:,}"]
        for name, count in list(folders.items())[:_LISTED]
    ]
    for line in text_table(["folder", "scored", "flagged"], rows, "<>>").splitlines():
        say(line)
    if len(folders) > _LISTED:
        say(f"and {len(folders) - _LISTED:,} more, which --json lists")

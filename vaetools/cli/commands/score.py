"""``vaetools score``: which of these are odd, how odd, and how often that is wrong."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.folders import say_folders
from vaetools.cli.info import finite
from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
    PathOrAddress,
    data_argument,
    device_option,
    id_option,
    json_option,
    loudness_options,
    model_argument,
    one_or_many,
    output_option,
    reading_options,
    shown_progress,
)
from vaetools.cli.saying import UNREAD, counted_rows, list_failures, say, short_name
from vaetools.cli.tally import Tally, expected_rate_of
from vaetools.cli.writing import SUFFIXES, check_any, check_output, open_table_writer, revised
from vaetools.words import few, number, printable, shortened, text_table

if TYPE_CHECKING:
    import pandas as pd


_PICTURED = 24  # images on the page if --top does not say
_WIDEST_NAME, _WIDEST_COLUMN, _WIDEST_CELL = 48, 16, 9  # characters; the table has 100 columns


@click.command(short_help="Score images or rows with a model: which are odd?")
@model_argument
@data_argument
@output_option("CSV or Parquet file to write; with --engine ray a folder or an address.", PathOrAddress)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Print a table of the N oddest.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Page to write: the oddest images ({_PICTURED}, or --top) beside their reconstructions.",
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
@id_option
@reading_options
@json_option
@device_option
@loudness_options
def score(
    model: Path,
    data: tuple[str, ...],
    output: Path | str | None,
    top: int | None,
    html: Path | None,
    fdr: float | None,
    engine: str,
    address: str | None,
    workers: int | None,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
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
    With --fdr, verdicts are made once all rows are known, so that the share of normal rows *among the
    flagged* is at most the rate, in expectation. No p-value is below 1 / (calibration rows + 1), so a few odd
    rows among very many cannot be told from chance: where none is found, it is said how many it takes.

    With --engine ray many machines share the work: images or Parquet files, here or at an address such
    as s3://bucket/photos, become a folder of Parquet files, also if machines fail. It needs --output.

    \b
    Examples:
      vaetools score boards.safetensors photos/ -o scores.csv --html odd.html
      vaetools score boards.safetensors photos/ --top 20
      vaetools score boards.safetensors photos/ -o scores.csv --fdr 0.1
      vaetools score sales.safetensors today.csv --id order | head
      vaetools score boards.safetensors s3://bucket/photos -o s3://bucket/scores --engine ray
    """
    if engine == "ray":
        from vaetools.cli.ray_engine import score_with_ray_engine

        return score_with_ray_engine(
            model,
            data,
            output,
            elsewhere={"--top": top, "--html": html, "--fdr": fdr},
            reading=reading,
            id_column=id_column,
            address=address,
            n_workers=workers,
            device=device or "cpu",
            as_json=as_json,
            quiet=quiet,
            verbose=verbose,
        )
    for name, value in {"--address": address, "--workers": workers}.items():
        if value is not None:
            raise click.BadParameter(f"needs --engine ray; got {value}.", param_hint=name)
    if isinstance(output, str):
        raise click.BadParameter(f"an address needs --engine ray; got {output!r}.", param_hint="--output")
    check_output(output, SUFFIXES, [model, *data])
    check_output(html, (".html",), [model, *data], "--html")
    if id_column == "because":
        raise click.BadParameter(
            "'because' is called like a column of the result: rename it.", param_hint="--id"
        )
    from vaetools.estimators.engine import Engine
    from vaetools.persistence import load, split_reader
    from vaetools.streaming import stream_scores

    detector = load(model, device=device)
    reader, estimator = split_reader(detector)
    image_shape = estimator.image_shape if reader is None else reader.image_shape_
    can_decode = Engine(estimator).can_decode
    if html is not None and (image_shape is None or not can_decode):
        raise click.BadParameter(
            "needs a model of images that can decode; of rows, --top names what is odd.", param_hint="--html"
        )
    source = one_or_many(data)
    parts = stream_scores(detector, source, id_column=id_column, verbose=shown_progress(quiet), **reading)
    tally = Tally(
        estimator,
        fdr,
        n_oddest=max(top or 0, 0 if html is None else top or _PICTURED),
        keep_scores=html is not None,
        folder=data[0] if len(data) == 1 and parts.source.listing.paths and os.path.isdir(data[0]) else None,
    )
    lines_wanted = output is not None or not (top or as_json)
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(open_table_writer(output))
        if tally.selection is not None and lines_wanted:
            folder = None if output is None else output.absolute().parent
            write = stack.enter_context(revised(write, tally.selection.judge, folder))
        for part in parts:
            tally.add(part)
            if lines_wanted and len(part.table):
                write(part.table)
        check_any(tally.n_scored, tally.failed, data)
        tally.settle()
    if html is not None:
        _write_page(html, tally, estimator, image_shape, data)
    if top and image_shape is None and can_decode:
        tally.oddest = tally.oddest.assign(because=_reasons(estimator, tally.oddest_rows))
    if as_json:
        summary = finite(tally.summary(estimator, output, html) | source_as_json(parts.source))
        click.echo(json.dumps(summary, indent=2, allow_nan=False))
    elif top:
        click.echo(_top_table(tally.oddest.head(top)))
        if (floor := tally.floor_in_words(top)) and not quiet:
            say(floor)
    if not (quiet or as_json):
        conclude(tally, estimator, output, html)
    if verbose or not (quiet or as_json):
        say_source(parts.source, verbose=verbose)
    list_failures(tally.failed)
    return UNREAD if tally.failed else 0


def conclude(tally: Tally, model: Any, output: Path | str | None, html: Path | None) -> None:
    """Say what came of it, and what would have come of normal rows alone."""
    expected = ""
    if tally.selection is not None:
        expected = f"; {tally.selection.words()}"
    elif tally.false_alarm_rate is not None:
        expected = f"; about {tally.false_alarm_rate * tally.n_scored:,.0f} would be if all were normal"
    kind = "rows" if model.image_shape is None else "images"
    say(f"{counted_rows(tally.n_scored, kind)} scored, {tally.n_odd:,} flagged as odd{expected}.")
    say_folders(tally.folders.counts())
    for path in (output, html):
        if path is not None:
            say(f"Written: {path}")


def _reasons(model: Any, rows: pd.DataFrame) -> list[str]:
    """Return the most surprising column of every row in words."""
    names = getattr(model, "feature_names_in_", None)
    X = rows.to_numpy() if names is None else rows.set_axis(names, axis=1)
    return [
        ""  # no cell is known
        if math.isnan(surprise) and model.columns_ is not None
        else f"{short_name(column, _WIDEST_COLUMN)} {_short(value)} (expected {_short(expected)})"
        for _, column, value, expected, surprise in model.explain(X).table(top=1).itertuples(index=False)
    ]


def _short(value: Any) -> str:
    """Return a number of unknown size in three digits, and the start of any other cell."""
    if isinstance(value, float):
        return f"{value:.3g}".replace("-", "−")
    return shortened(printable(str(value)), _WIDEST_CELL, lost="end")


def _top_table(oddest: pd.DataFrame) -> str:
    """Return the oddest rows as a table of at most 100 columns."""

    def cell(heading: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        return number(None if math.isnan(value) else value, 4 if heading == "p_value" else 1)

    name, *headings = oddest.columns
    rows = [
        [short_name(first, _WIDEST_NAME), *map(cell, headings, values)]
        for first, *values in oddest.itertuples(index=False)
    ]
    text = headings[headings.index("verdict") :]
    alignments = "<" + ">" * (len(headings) - len(text)) + "<" * len(text)
    return text_table([name, *headings], rows, alignments)


def _write_page(path: Path, tally: Tally, model: Any, image_shape: Any, data: tuple[str, ...]) -> None:
    """Write the gallery of the oddest images."""
    import numpy as np

    from vaetools.anomaly.explanation import HEAT_COLORS
    from vaetools.anomaly.scores import SCORES
    from vaetools.files import write_atomically
    from vaetools.report.histogram import bin_scores
    from vaetools.report.page.gallery import Gallery, render_gallery

    oddest, rows = tally.oddest, tally.oddest_rows.to_numpy()
    explanation = model.explain(rows)
    page = render_gallery(
        Gallery(
            model=f"{type(model).__name__}, {model._n_features_out} components",
            source=few(data, 3),
            n_scored=tally.n_scored,
            n_flagged=tally.n_odd,
            failed=tally.failed,
            score_name=model.anomaly_score_,
            unit=SCORES[model.anomaly_score_].unit,
            threshold=tally.threshold,
            false_alarm_rate=expected_rate_of(model),
            image_shape=image_shape,
            paths=[str(name) for name in oddest.iloc[:, 0]],
            images=explanation.value,
            reconstructions=explanation.expected,
            scores=oddest["score"].to_numpy(),
            overlays=explanation.overlays() if explanation.heat_range is not None else None,
            heat_colors=HEAT_COLORS,
            reconstruction=oddest["reconstruction"].to_numpy(),
            kl=oddest["kl"].to_numpy() if hasattr(model, "posterior") else None,
            floor=tally.floor_in_words(len(oddest)),
            p_values=oddest["p_value"].to_numpy() if hasattr(model, "calibration_scores_") else None,
            flagged=(oddest["verdict"] == "odd").to_numpy(),
            histogram=bin_scores(np.concatenate(tally.scores), tally.threshold),
            selection=None if tally.selection is None else tally.selection.words(),
        )
    )
    write_atomically(path, page.encode())

"""``vaetools labels``: which labels are likely wrong, according to a CVAE."""

from __future__ import annotations

import functools
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.info import finite
from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
    data_argument,
    device_option,
    id_option,
    json_option,
    labels_option,
    loudness_options,
    model_argument,
    one_or_many,
    output_option,
    reading_options,
    shown_progress,
)
from vaetools.cli.saying import UNREAD, counted_rows, failed_as_json, list_failures, say, short_name
from vaetools.cli.writing import SUFFIXES, check_any, check_output, open_table_writer
from vaetools.words import few, number, readable, text_table

if TYPE_CHECKING:
    import pandas as pd

_WIDEST_NAME, _WIDEST_LABEL = 40, 16  # characters; the table has 100 columns
_LISTED = 5  # labels in a sentence
_some = functools.partial(few, most=_LISTED, gap=" … ")


@click.command(short_help="Find labels that are likely wrong, with a CVAE.")
@model_argument
@data_argument
@labels_option
@output_option("CSV or Parquet file to write.")
@click.option(
    "--top", type=click.IntRange(1), metavar="N", help="Print a table of the N least likely labels."
)
@id_option
@reading_options
@json_option
@device_option
@loudness_options
def labels(
    model: Path,
    data: tuple[str, ...],
    label_name: str | None,
    output: Path | None,
    top: int | None,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Say how likely the labels of DATA are, according to a trained MODEL, which must be a CVAE.

    DATA is what it is for "vaetools score", and is read into memory. Images are labeled by their folders:
    those in one folder by its sub-folders, files named one by one by the folders they lie in, if these are
    several. DATA may be what MODEL was trained on: a few wrong labels among many right ones stand out.

    There is a line for every image or row: its label, the log of the label's posterior probability (0 is
    certain; the lower, the less likely), the likeliest label, and a conformal p-value, which is small where
    the row is odd for its label and holds for rows that MODEL was not fitted on. A label that no row that
    trained has gets neither of these two numbers, and the exit status is 1. Without --output, --top or
    --json the lines go to standard output as CSV.

    A row that is odd for every label has an unlikely one too: "vaetools score" tells.

    \b
    Examples:
      vaetools labels digits.safetensors digits/ --top 20
      vaetools labels iris.safetensors iris.csv --labels species -o labels.csv

    \b
    Keys of --json:
      n_rows, n_unlikely (rows of which another label is likelier), unknown {label: rows},
      least_likely [{label, log_probability, likeliest, p_value, and what "id" says}], id,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, output
    """
    check_output(output, SUFFIXES, [model, *data])
    if id_column in ("label", "log_probability", "likeliest", "p_value"):
        raise click.BadParameter(
            f"{id_column!r} is what a column of the result is called: rename it.", param_hint="--id"
        )
    from vaetools.cli.labeled import codes_of, judged, read_labeled
    from vaetools.data.ids import as_column
    from vaetools.estimators.labels import hardly_used
    from vaetools.persistence import load, split_reader

    whole = load(model, device=device)
    estimator = split_reader(whole)[1]
    if not hasattr(estimator, "classes_"):
        raise click.ClickException(
            f"labels needs a CVAE, of vaetools fit --model cvae; got a {type(estimator).__name__}."
        )
    read = read_labeled(one_or_many(data), whole, label_name, id_column, needed=True, **reading)
    id_name, X, y, failed, source = read
    check_any(len(X), failed, data)
    if y is None:
        images = estimator.image_shape is not None
        hint = "put images into sub-folders and name their folder" if images else "use --labels"
        raise click.ClickException(f"{data[0]} has no labels: {hint}.")
    codes, given = codes_of(estimator, y)
    table = judged(estimator, X, codes, verbose=shown_progress(quiet))
    table.insert(0, "label", as_column(given))
    table.insert(0, id_name, X.index)
    unknown = dict(Counter(map(str, given[codes < 0])).most_common())
    least = table.sort_values("log_probability", kind="stable").head(top or 20)
    judgments = table.loc[codes >= 0, ["label", "likeliest"]].itertuples(index=False)
    n_unlikely = sum(str(label) != str(likeliest) for label, likeliest in judgments)
    if output is not None or not (top or as_json):
        with open_table_writer(output) as write:
            write(table)
    if as_json:
        records = [
            {key: readable(value) for key, value in row.items()} for row in least.to_dict(orient="records")
        ]
        summary = {
            "n_rows": len(table),
            "n_unlikely": n_unlikely,
            "unknown": {readable(label): n for label, n in unknown.items()},
            "id": id_name,
            "least_likely": records,
            "n_failed": len(failed),
            "failed": failed_as_json(failed),
            **source_as_json(source),
            "output": None if output is None else readable(str(output)),
        }
        click.echo(json.dumps(finite(summary), indent=2, allow_nan=False))
    elif top:
        click.echo(_table(least))
    if not (quiet or as_json):
        kind = "rows" if estimator.image_shape is None else "images"
        say(f"{counted_rows(len(table), kind)} with labels; of {n_unlikely:,} another label is likelier.")
        if output is not None:
            say(f"Written: {output}")
    if words := hardly_used(estimator):
        say(f"vaetools: warning: {words}")
    if unknown:
        _say_unknown(unknown, estimator.classes_.tolist())
    if verbose or not (quiet or as_json):
        say_source(source, verbose=verbose)
    list_failures(failed)
    return UNREAD if failed or unknown else 0


def _say_unknown(unknown: dict[str, int], known: list[Any]) -> None:
    """Print which labels no row that trained has, and which there are."""
    shown = _some([f"'{label}' ({n:,})" for label, n in unknown.items()])
    say(f"No row that trained has the label of {sum(unknown.values()):,} of them: {shown}.")
    names = [f"'{label}'" if isinstance(label, str) else str(label) for label in known]
    say(f"The model knows {_some(names)}.")


def _table(least: pd.DataFrame) -> str:
    """Return the least likely labels as a table of at most 100 columns."""
    import math

    rows = [
        [
            short_name(name, _WIDEST_NAME),
            short_name(label, _WIDEST_LABEL),
            number(None if math.isnan(log_probability) else log_probability, 1),
            short_name(likeliest, _WIDEST_LABEL),
            number(None if math.isnan(p_value) else p_value, 4),
        ]
        for name, label, log_probability, likeliest, p_value in least.itertuples(index=False)
    ]
    return text_table(list(least.columns), rows, "<<><>")

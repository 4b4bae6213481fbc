"""``vaetools labels``: which labels are likely wrong, according to a CVAE."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaetools.cli.info import finite
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
    shows_progress,
)
from vaetools.cli.saying import counted, list_failures, say, shortened
from vaetools.cli.score import UNREAD
from vaetools.cli.writing import SUFFIXES, check_any, check_output, open_table_writer
from vaetools.files import readable

if TYPE_CHECKING:
    import pandas as pd

_WIDEST_NAME, _WIDEST_LABEL = 40, 16  # characters; the table has 100 columns


@click.command(short_help="Find labels that are likely wrong, with a CVAE.")
@model_argument
@data_argument
@labels_option
@output_option("CSV or Parquet file to write.")
@click.option(
    "--top", type=click.IntRange(1), metavar="N", help="Print a table of the N least likely labels."
)
@id_option
@json_option
@device_option
@loudness_options
def labels(
    model: Path,
    data: tuple[str, ...],
    labels: str | None,
    output: Path | None,
    top: int | None,
    id_column: str | None,
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Say how likely the labels of DATA are, according to a trained MODEL, which must be a CVAE.

    DATA is what it is for "vaetools score", with labels as for "vaetools fit", and is read into memory.
    It may be what MODEL was trained on: a few wrong labels among many right ones stand out.

    There is a line for every image or row: its label, the log of the label's posterior probability (0 is
    certain; the lower, the less likely), the likeliest label, and a conformal p-value that is small where
    the row is odd for its label. P-values are of rows that were not trained on. Without --output, --top
    or --json the lines go to standard output as CSV.

    \b
    Examples:
      vaetools labels digits.safetensors digits/ --top 20
      vaetools labels iris.safetensors iris.csv --labels species -o labels.csv

    \b
    Keys of --json:
      n_rows, n_unlikely (rows of which another label is likelier), least_likely [{id, label,
      log_probability, likeliest, p_value}], n_failed, failed [{id, reason}], output
    """
    check_output(output, SUFFIXES, [model, *data])
    import pandas as pd

    from vaetools.cli.labeled import judged, known_labels, read_labeled
    from vaetools.persistence import load, split_reader

    whole = load(model, device=device)
    estimator = split_reader(whole)[1]
    if not hasattr(estimator, "classes_"):
        raise click.ClickException(
            f"labels needs a CVAE, of vaetools fit --model cvae; got a {type(estimator).__name__}."
        )
    X, y, failed = read_labeled(one_or_many(data), whole, labels, id_column)
    check_any(len(X), failed, data)
    if y is None:
        raise click.ClickException(f"{data[0]} has no labels: name a folder of sub-folders, or use --labels.")
    codes, unknown = known_labels(estimator, pd.Series(y, X.index))
    failed += unknown
    known = codes >= 0
    check_any(known.sum(), failed, data)
    id_name = id_column or ("row" if X.index.inferred_type == "integer" else "path")
    table = judged(estimator, X[known], codes[known], verbose=shows_progress(quiet, verbose))
    table.insert(0, id_name, X.index[known])
    least = table.sort_values("log_probability", kind="stable").head(top or 20)
    n_unlikely = int((table["label"] != table["likeliest"]).sum())
    if output is not None or not (top or as_json):
        with open_table_writer(output) as write:
            write(table)
    if as_json:
        records = least.rename(columns={id_name: "id"}).to_dict(orient="records")
        summary = {
            "n_rows": len(table),
            "n_unlikely": n_unlikely,
            "least_likely": [{key: readable(value) for key, value in row.items()} for row in records],
            "n_failed": len(failed),
            "failed": [{"id": readable(name), "reason": readable(reason)} for name, reason in failed],
            "output": None if output is None else str(output),
        }
        click.echo(json.dumps(finite(summary), indent=2, allow_nan=False))
    elif top:
        click.echo(_table(least))
    if not (quiet or as_json):
        kind = "rows" if estimator.image_shape is None else "images"
        say(f"{counted(len(table), kind)} with labels; of {n_unlikely:,} another label is likelier.")
        if output is not None:
            say(f"Written: {output}")
    list_failures(failed)
    return UNREAD if failed else 0


def _table(least: pd.DataFrame) -> str:
    """Return the least likely labels as a table of at most 100 columns."""
    import math

    from vaetools.report.text import number, text_table

    rows = [
        [
            shortened(name, _WIDEST_NAME),
            shortened(label, _WIDEST_LABEL),
            number(log_probability, 1),
            shortened(likeliest, _WIDEST_LABEL),
            number(None if math.isnan(p_value) else p_value, 4),
        ]
        for name, label, log_probability, likeliest, p_value in least.itertuples(index=False)
    ]
    return text_table(list(least.columns), rows, "<<><>")

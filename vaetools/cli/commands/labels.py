"""``vaetools labels``: which labels are likely wrong, according to a CVAE."""

import functools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import UNREAD, Talk, cell, counted_rows, print_json, say, short_name, source_as_json
from vaetools.words import few, text_table, warn

if TYPE_CHECKING:
    import pandas as pd

_WIDEST_NAME, _WIDEST_LABEL = 40, 16  # characters; the table has 100 columns
_some = functools.partial(few, gap=" … ")  # labels in a sentence


@click.command(short_help="Find labels that are likely wrong, with a CVAE.")
@command.model_argument
@command.data_argument
@command.labels_option
@command.output_option("CSV or Parquet file to write.")
@click.option(
    "--top", type=click.IntRange(1), metavar="N", help="Print a table of the N least likely labels."
)
@command.reading_options
@command.talk_options
def labels(
    model: Path,
    data: tuple[str, ...],
    label_name: str | None,
    output: Path | None,
    top: int | None,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
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
      output, n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    outputs.check_output(output, outputs.TABLES, [model, *data])
    if (name := reading.get("id_column")) in ("label", "log_probability", "likeliest", "p_value"):
        raise command.misuse("--id", f"{name!r} is what a column of the result is called: rename it.")
    from vaetools.estimators.labels import hardly_used
    from vaetools.stream.labeled import as_column, codes_of, judged
    from vaetools.stream.table_file import write_table

    opened = command.Opened(model, device)
    estimator = opened.estimator
    rows = _read(opened, data, label_name, reading)
    codes, given = codes_of(estimator, rows.y)
    table = judged(estimator, rows.X, codes, verbose=talk.progress)
    table.insert(0, "label", as_column(given))
    table.insert(0, rows.source.id_name, rows.X.index)
    unknown = dict(Counter(map(str, given[codes < 0])).most_common())
    least = table.sort_values("log_probability", kind="stable").head(top or 20)
    pairs = table.loc[codes >= 0, ["label", "likeliest"]].itertuples(index=False)
    n_unlikely = sum(str(label) != str(likeliest) for label, likeliest in pairs)
    if output is not None or not (top or talk.as_json):
        write_table(output, table)
    if words := hardly_used(estimator):
        warn(words)
    if talk.as_json:
        summary = {"n_rows": len(table), "n_unlikely": n_unlikely, "unknown": unknown}
        summary |= {"id": rows.source.id_name, "least_likely": least.to_dict(orient="records")}
        print_json(summary | {"output": output} | source_as_json(rows.source, rows.failed))
    elif top:
        click.echo(_table(least))
    rows_or_images = counted_rows(len(table), opened.kind)
    talk.say(f"{rows_or_images} with labels; of {n_unlikely:,} another label is likelier.")
    talk.written(output)
    if unknown:
        _say_unknown(unknown, estimator.classes_.tolist())
    return max(talk.end(rows.source, rows.failed), UNREAD * bool(unknown))


def _read(
    opened: command.Opened, data: tuple[str, ...], label_name: str | None, reading: dict[str, Any]
) -> Any:
    """Read rows with labels for a model that judges these."""
    if not hasattr(opened.estimator, "classes_"):
        raise click.ClickException(
            "labels needs a CVAE of labels, of vaetools fit --model cvae; got a "
            f"{type(opened.estimator).__name__}, which has none."
        )
    rows = opened.read(data, label_name, needed=True, **reading)
    if rows.y is None:
        images = opened.image_shape is not None
        hint = "put images into sub-folders and name their folder" if images else "use --labels"
        raise click.ClickException(f"{data[0]} has no labels: {hint}.")
    return rows


def _say_unknown(unknown: dict[str, int], known: list[Any]) -> None:
    """Print which labels no row that trained has, and which there are."""
    shown = _some(f"'{label}' ({n:,})" for label, n in unknown.items())
    say(f"No row that trained has the label of {sum(unknown.values()):,} of them: {shown}.")
    names = [f"'{label}'" if isinstance(label, str) else str(label) for label in known]
    say(f"The model knows {_some(names)}.")


def _table(least: "pd.DataFrame") -> str:
    """Return the least likely labels as a table of at most 100 columns."""
    rows = [
        [
            short_name(name, _WIDEST_NAME),
            short_name(label, _WIDEST_LABEL),
            cell(log_probability, 1),
            short_name(likeliest, _WIDEST_LABEL),
            cell(p_value, 4),
        ]
        for name, label, log_probability, likeliest, p_value in least.itertuples(index=False)
    ]
    return text_table(list(least.columns), rows, "<<><>")

"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vaetools.axes import CHANNELS
from vaetools.progress import LINES

model_argument = click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
data_argument = click.argument("data", nargs=-1, required=True, metavar="DATA...")
device_option = click.option(
    "--device",
    metavar="NAME",
    help='Where to compute, such as "cpu" or "cuda"; by default where it was trained.',
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON instead.")
id_option = click.option(
    "--id", "id_column", metavar="COLUMN", help="Column of a table that names its rows; it is no feature."
)

labels_option = click.option(
    "--labels",
    "label_name",
    metavar="NAME",
    help="Labels: column of a table, array of an NPZ, or a file. Images have those of their folders.",
)


_READING = {
    "include": click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help='Images to read, such as "good/" or "*.png"; all unless said. Can be repeated.',
    ),
    "exclude": click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help='Images to leave out, such as "*_mask.png" or "ground_truth/". Can be repeated.',
    ),
    "array": click.option("--array", metavar="NAME", help="Array of an NPZ file that holds the rows."),
    "channels": click.option(
        "--channels",
        type=click.Choice(CHANNELS),
        help="Where images of an array have their channels; found out where the shape leaves no doubt.",
    ),
}
_CHARACTERS = {"tab": "\t", "\\t": "\t", "space": " ", "none": ""}


def _check_dialect(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """Return what an option says of a dialect, or refuse it."""
    if value is None:
        return None
    from vaetools.data.dialect import Dialect

    value = _CHARACTERS.get(value, value)
    try:
        Dialect(**{str(option.name): value})
    except ValueError as error:
        rule = str(error).removeprefix(f"Dialect: {option.name} ")
        raise click.BadParameter(rule, ctx, option) from None
    return value


_DIALECT = {
    "encoding": click.option(
        "--encoding",
        metavar="NAME",
        callback=_check_dialect,
        help="CSV: its encoding, such as cp1252; UTF-8, and UTF-16 where that is sure, unless said.",
    ),
    "separator": click.option(
        "--separator",
        metavar="CHARACTER",
        callback=_check_dialect,
        help='CSV: what stands between cells, such as ";" or tab; found out unless said.',
    ),
    "decimal": click.option(
        "--decimal",
        metavar="CHARACTER",
        callback=_check_dialect,
        help='CSV: what stands before fractions, "." or ","; found out unless said.',
    ),
    "thousands": click.option(
        "--thousands",
        metavar="CHARACTER",
        callback=_check_dialect,
        help='CSV: what stands between thousands, such as ",", space or none; found out unless said.',
    ),
    "skipped": click.option(
        "--skip",
        "skipped",
        type=click.IntRange(min=0),
        metavar="N",
        help="CSV: lines before the names of columns, which may then be numbers; found out unless said.",
    ),
}


def reading_options(command: Callable) -> Callable:
    """Add the options that say what is read; the command gets those that were given as ``reading``."""

    @functools.wraps(command)
    def with_reading(**values: Any) -> Any:
        given = {name: values.pop(name) for name in _READING}
        given["dialect"] = _dialect({name: values.pop(name) for name in _DIALECT})
        return command(reading={name: value for name, value in given.items() if value}, **values)

    for option in reversed([*_READING.values(), *_DIALECT.values()]):
        with_reading = option(with_reading)
    return with_reading


def _dialect(said: dict[str, Any]) -> Any:
    """Return what was said of a dialect, or None if nothing was."""
    if set(said.values()) == {None}:
        return None
    from vaetools.data.dialect import Dialect

    return Dialect(**said)


def loudness_options(command: Callable) -> Callable:
    """Add --quiet and --verbose."""
    quiet = click.option("-q", "--quiet", is_flag=True, help="Print results and errors alone.")
    verbose = click.option("-v", "--verbose", is_flag=True, help="List what was left out, too.")
    return quiet(verbose(command))


def shown_progress(quiet: bool) -> int:
    """Return what ``verbose`` is: a bar if someone watches, else a line now and then."""
    if quiet:
        return 0
    return 1 if sys.stderr.isatty() else LINES


class PathOrAddress(click.Path):
    """A path; an address of another filesystem, such as ``s3://bucket/file``, stays text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the user wrote as a path, or as it is."""
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


def output_option(default_help: str, kind: type[click.Path] = click.Path) -> Callable:
    """Return the option for the file to write."""
    return click.option("-o", "--output", type=kind(dir_okay=False, path_type=Path), help=default_help)


def one_or_many(data: tuple[str, ...]) -> Any:
    """Return one path as itself, several as they are."""
    return data[0] if len(data) == 1 else data

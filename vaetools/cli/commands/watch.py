"""``vaetools watch``: an alarm, day by day, if new data are no longer like before."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, counted_rows, failed_as_json, list_failures, print_json, source_as_json
from vaetools.words import few

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.data.batches import Failure
    from vaetools.stream.flow import Parts
    from vaetools.watch.watch import Watch

ALARM = 3  # exit status while there is an alarm


@click.command(short_help="Raise an alarm when data are no longer what they were.")
@command.model_argument
@click.argument("data", nargs=-1, metavar="DATA...")
@command.file_option(
    "--state",
    "State of the watch (*.safetensors): made if it is not there, else gone on with.",
    required=True,
)
@click.option(
    "--reference",
    multiple=True,
    metavar="DATA",
    help="Normal data that fit did not see, to compare with, when the state is made; without them the "
    "model's calibration scores, and of all else the first 200 rows. Can be repeated.",
)
@click.option("--reset", is_flag=True, help="Forget an alarm before DATA are read, and begin to watch anew.")
@command.file_option(
    "--since",
    "Text file to write if there is an alarm: which images, or ids, came since the change, for recalibrate.",
)
@command.file_option("--html", "Page to write: the alarm, what changed, and the history.")
@command.reading_options
@command.context_option
@command.talk_options
def watch(
    model: Path,
    data: tuple[str, ...],
    state: Path,
    reference: tuple[str, ...],
    reset: bool,
    since: Path | None,
    html: Path | None,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
) -> int:
    """Watch whether DATA are still like the data that MODEL was made for, and raise an alarm if not.

    DATA is what it is for "vaetools score". The same line can run every day, by cron: the state remembers
    what came before, and while nothing changes the alarm is EVER raised with a probability of at most 1 %,
    however often it is asked. The exit status is 3 while there is an alarm, and 0 if there is none.

    Watched are the share of odd rows, the score of the others, and of those every column, or
    brightness, contrast and blocks of images, and every latent dimension in use. An alarm says
    which of them changed, since when, and by how many standard deviations. It stays until --reset. If what
    changed is the new normal, give what --since writes to "vaetools recalibrate" (of a table, the rows with
    these ids), and begin a new state.

    Rows are taken in their order, images of a folder by name. Images, and rows of a table with --id, which
    the state remembers, are counted once: a name that was among the last million is left out, so that a
    folder may just grow; a name of several rows of one file is refused. Other rows count whenever they come.
    The state is written at the end, whole or not at all: after a crash the same line reads the same data
    again, and ends in the same numbers.

    Images that are judged given columns of a table are watched with --context TABLE. Make the state from
    --reference alone, with the table of these; then give DATA with theirs.

    \b
    Examples:
      vaetools watch boards.safetensors new/ --state watch.safetensors --reference may/good
      vaetools watch boards.safetensors new/ --state watch.safetensors --html watch.html --since since.txt
      vaetools watch boards.safetensors --state watch.safetensors --reset
      vaetools watch sales.safetensors today.csv --id order --state sales-watch.safetensors

    \b
    Keys of --json:
      n_rows (that are new), n_known (left out, because they came before), n_watched (in all), n_flagged,
      alarm {row, since, of_normal, of_odd, words, causes [{kind, name, row, since, n_rows, moved, share,
      evidence, of}]}, evidence {share, score, rows, latent}, limit, false_alarm_probability, n_since,
      id (column that names rows), state, since, html,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    inputs = [model, *data, reading.get("context"), *reference]
    outputs.check_output(state, (".safetensors",), inputs, "--state")
    outputs.check_output(since, (".txt",), [*inputs, state], "--since")
    outputs.check_output(html, (".html",), [*inputs, state], "--html")
    if "context" in reading and reference and data:
        rule = "and DATA have a --context each: make the state from it alone, then give DATA."
        raise command.misuse("--reference", rule)
    opened = command.Opened(model, device)
    watched, failed = _opened_or_made(opened, state, reference, reading)
    reading = _named(watched, reading)
    if reset:
        watched.reset()
    before, n_read, parts = watched.n_rows, 0, None
    if data:
        parts, n_unnamed = _update(watched, opened, data, reading, talk)
        n_read, failed = parts.n_rows, failed + parts.failed
        if n_unnamed:
            rows = counted_rows(n_unnamed, opened.kind)
            talk.say(f"{rows} without a name, which count whenever they come: --id names a table's column.")
    watched.save(state)
    new = watched.n_rows - before
    since = since and _write_since(since, watched)
    if html is not None:
        _write_page(html, watched, opened, data)
    if talk.as_json:
        told = _summary(watched) | {"n_rows": new, "n_known": n_read - new}
        told |= {"id": watched.id_column, "state": state, "since": since, "html": html}
        print_json(told | (source_as_json(parts.source, failed) if parts else failed_as_json(failed)))
    known = f", {n_read - new:,} that came before left out" if n_read > new else ""
    talk.say(f"{counted_rows(new, opened.kind)} came{known}; {watched.n_rows:,} in all.")
    talk.say(_in_words(watched, opened))
    status = 0
    if parts:
        status = talk.end(parts.source, failed, state, since, html)
    else:
        talk.written(state, since, html)
        status = list_failures(failed)
    return ALARM if watched.alarm else status


def _opened_or_made(
    opened: command.Opened, state: Path, reference: tuple[str, ...], reading: dict[str, Any]
) -> tuple["Watch", list["Failure"]]:
    """Return the watch that goes on, or a new one, and what of its reference could not be read."""
    from vaetools.watch.watch import Watch

    if state.exists():
        return Watch.load(state, opened.whole), []
    if not reference:
        return Watch(opened.whole), []
    rows = opened.read(reference, None, in_context=True, **reading)
    told = rows.y if hasattr(opened.estimator, "context_") else None  # others have labels there
    return Watch(opened.whole, rows.X, told), rows.failed


def _named(watched: "Watch", reading: dict[str, Any]) -> dict[str, Any]:
    """Return how data are read, with the column that names rows of tables, which the state remembers."""
    known, given = watched.id_column, reading.get("id_column")
    if known and given and given != known:
        raise command.misuse("--id", f"must be {known!r}, by which the state knows rows; got {given!r}.")
    watched.id_column = known or given
    return reading if watched.id_column is None else reading | {"id_column": watched.id_column}


def _update(
    watched: "Watch", opened: command.Opened, data: tuple[str, ...], reading: dict[str, Any], talk: Talk
) -> tuple["Parts", int]:
    """Let a watch see data, part by part; return what was read, and how many rows have no name."""
    from vaetools.stream.flow import Parts, nothing_read
    from vaetools.stream.labeled import rows_alone
    from vaetools.stream.preparing import apart

    parts = Parts(opened.whole, data, rows_alone, talk.progress, **reading)
    n_unnamed = 0
    for part in parts:
        if len(part.table):
            X, told = apart(opened.estimator, part.X, part.context)
            names = _names(part.table.iloc[:, 0])
            watched.update(X, names, told)
            n_unnamed += len(X) if names is None else names.count("")
    if not parts.n_rows:
        raise nothing_read(parts.failed, data[0])
    return parts, n_unnamed


def _names(column: "pd.Series") -> list[Any] | None:
    """Return names that tell whether rows came before: ids, or where images lie; numbers of rows do not."""
    if column.name == "row":
        return None
    if column.name != "path":
        names: list[Any] = column.tolist()
        return names
    return [name if "://" in name else os.path.abspath(name) for name in column]


def _in_words(watched: "Watch", opened: command.Opened) -> str:
    """Return whether there is an alarm, in a sentence or two."""
    if watched.alarm is not None:
        return f"{watched.alarm} It stays until --reset."
    if not watched.n_waiting:
        return "No alarm."
    rows = counted_rows(watched.n_waiting, opened.kind)
    return f"No alarm. The score is watched; all else is from {rows} on, which must be normal."


def _write_since(path: Path, watched: "Watch") -> Path | None:
    """Write what came since the change, a name per line; nothing if there is no alarm, or no names."""
    from vaetools.files import write_atomically

    if not any(watched.since):
        return None
    write_atomically(path, b"".join(os.fsencode(name) + b"\n" for name in watched.since if name))
    return path


def _summary(watched: "Watch") -> dict[str, Any]:
    """Return the state of a watch as JSON takes it."""
    alarm = watched.alarm
    told = alarm and {
        "row": alarm.row,
        "since": alarm.since,
        "of_normal": alarm.of_normal,
        "of_odd": alarm.of_odd,
        "words": str(alarm),
        "causes": [dataclasses.asdict(cause) for cause in alarm.causes],
    }
    last = watched.history.iloc[-1:].drop(columns="row").to_dict(orient="records")
    return {
        "n_watched": watched.n_rows,
        "n_flagged": watched.n_flagged,
        "alarm": told,
        "evidence": last[0] if last else None,
        "limit": watched.limit,
        "false_alarm_probability": watched.false_alarm_probability,
        "n_since": len(watched.since),
    }


def _write_page(path: Path, watched: "Watch", opened: command.Opened, data: tuple[str, ...]) -> None:
    from vaetools.cli.gallery import in_words
    from vaetools.files import write_atomically
    from vaetools.report.page.watch import render_watch
    from vaetools.watch.showing import page_of

    page = page_of(watched, model=in_words(opened), source=few(data, 3))
    write_atomically(path, render_watch(page).encode())

"""What commands say to people: on standard error, so that standard output holds results alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from vaetools.files import readable
from vaetools.report.text import printable

UNREAD = 1  # exit status: finished, but not everything could be read
INTERRUPTED = 130  # exit status after Ctrl-C


def say(line: str) -> None:
    """Print a line."""
    click.echo(line, err=True)


def list_failures(failed: Sequence[Any]) -> None:
    """Print what could not be read, one per line, with the reason."""
    if failed:
        say(f"{len(failed):,} could not be read:")
    for name, reason in failed:
        where = printable(name) if isinstance(name, str) else f"row {name}"
        say(f"  {where}: {printable(reason)}")


def failed_as_json(failed: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what could not be read as JSON takes it."""
    return [{"id": readable(name), "reason": readable(reason)} for name, reason in failed]


def shortened(name: Any, width: int) -> str:
    """Return the end of a name of unknown origin, on one line of limited width."""
    text = printable(str(name))
    return text if len(text) <= width else "…" + text[1 - width :]


def few(words: Sequence[str], most: int) -> str:
    """Return the first of some words, and how many more there are."""
    more = len(words) - most
    shown = ", ".join(words[:most])
    return f"{shown} … and {more:,} more" if more > 0 else shown


def counted(n: int, kind: str) -> str:
    """Return "1 image" or "1,000 rows"."""
    noun = {"images": "image"}.get(kind, "row")
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

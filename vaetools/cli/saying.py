"""What commands say to people: on standard error, so that standard output holds results alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from vaetools.report.text import printable

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


def shortened(name: Any, width: int) -> str:
    """Return the end of a name of unknown origin, on one line of limited width."""
    text = printable(str(name))
    return text if len(text) <= width else "…" + text[1 - width :]


def counted(n: int, kind: str) -> str:
    """Return "1 image" or "1,000 rows"."""
    noun = {"images": "image"}.get(kind, "row")
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

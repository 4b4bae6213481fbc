"""What commands say to people: on standard error, so that standard output holds results alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from vaetools.words import counted, printable, readable, shortened

UNREAD = 1  # exit status: finished, but not everything could be read
FAILED = 2  # exit status after an error
_ASSIGNED = re.compile(r"\b([a-z]\w*)=('[^']*'|\['[^']*'\]|\([^()]*\)|\d+(?:\.\d+)?|True|False)")
_NAMED = re.compile(r"(?:(?<=: )([a-z]\w*)(?= must| needs)|\b([a-z]\w*)(?= \(it was)|(?<=\()([a-z]\w*)(?=;))")
_BARE = re.compile(r"[\w.-]*\w$")  # a shell takes it as it is, and a sentence can end behind it
_TWO_SIDES = re.compile(r"^\((\d+), (\d+)\)$")


def in_options(message: str) -> str:
    """Return a message of the library with the options of the command line in place of arguments of Python.

    Parameters of estimators that have no option of their own are said as ``--set`` takes them. Names without
    a value are options where errors and advice speak of parameters: "X: name must", "name (it was", "(name;".
    """
    from vaetools.cli.fit import fit

    valued = (option for option in fit.params if isinstance(option, click.Option) and not option.is_flag)
    options = {option.name: option.opts[-1] for option in valued}
    estimators = sys.modules.get("vaetools.estimators.fields")  # who speaks of these has imported them
    parameters = () if estimators is None else estimators.PARAMETERS

    def said(found: re.Match[str]) -> str:
        name, value = found[1], found[2].strip("[']")
        if name in options:
            value = _TWO_SIDES.sub(r"\1x\2", value)
            return f"{options[name]} {value}" if _BARE.match(value) else f'{options[name]} "{value}"'
        if name in parameters:
            return f'--set "{name}={value}"' if " " in value else f"--set {name}={value}"
        return found[0]

    def named(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        return options.get(name) or (f"--set {name}" if name in parameters else found[0])

    return _NAMED.sub(named, _ASSIGNED.sub(said, message))


def say(line: str) -> None:
    """Print a line, whatever names are in it."""
    click.echo(printable(line), err=True)


def list_failures(failed: Sequence[Any]) -> None:
    """Print what could not be read, one per line, with the reason."""
    if failed:
        say(f"{len(failed):,} could not be read:")
    for name, reason in failed:
        where = printable(name) if isinstance(name, str) else f"row {name}"
        say(f"  {where}: {printable(in_options(reason))}")


def failed_as_json(failed: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what could not be read as JSON takes it."""
    return [{"id": readable(name), "reason": readable(in_options(reason))} for name, reason in failed]


def short_name(name: Any, width: int) -> str:
    """Return the end of a name of unknown origin, on one line of limited width."""
    return shortened(printable(str(name)), width, lost="start")


def counted_rows(n: int, kind: str) -> str:
    """Return "1 image" or "1,000 rows"."""
    return counted(n, {"images": "image"}.get(kind, "row"))

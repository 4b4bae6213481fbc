"""What commands say to people, on standard error, and as JSON; results alone go to standard output."""

import dataclasses
import json
import math
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vaetools.progress import LINES
from vaetools.words import counted, number, printable, readable, shortened

if TYPE_CHECKING:
    from vaetools.data.batches import Source

UNREAD = 1  # exit status: finished, but not everything could be read
FAILED = 2  # exit status after an error
_LISTED = 1000  # files, by -v and in JSON
_ASSIGNED = re.compile(r"\b([a-z]\w*)=('[^']*'|\['[^']*'\]|\([^()]*\)|\d+(?:\.\d+)?|True|False)")
_NAMED = re.compile(r"(?:(?<=: )([a-z]\w*)(?= must| needs)|\b([a-z]\w*)(?= \(it was)|(?<=\()([a-z]\w*)(?=;))")
_TABLES = {"estimators": "PARAMETERS", "estimators.image_fields": "DETECTOR"}  # of parameters of estimators
_BARE = re.compile(r"[\w.-]*\w$")  # a shell takes it as it is, and a sentence can end behind it
_TWO_SIDES = re.compile(r"^\((\d+), (\d+)\)$")


class Talk(NamedTuple):
    """How much a command says, and whether a program or a person reads it."""

    as_json: bool
    quiet: bool
    verbose: bool

    @property
    def to_people(self) -> bool:
        """Whether anything is said beside results and errors."""
        return not (self.quiet or self.as_json)

    @property
    def progress(self) -> int:
        """What ``verbose`` of the library is: a bar if someone watches, else a line now and then."""
        if self.quiet:
            return 0
        return 1 if sys.stderr.isatty() else LINES

    def say(self, line: str) -> None:
        """Print a line, if anybody is to read it."""
        if self.to_people:
            say(line)

    def written(self, *paths: Any) -> None:
        """Say which files were written, if any."""
        for path in paths:
            if path is not None and self.to_people:
                say(f"Written: {path}")

    def end(self, source: "Source", failed: Sequence[Any], *written: Any) -> int:
        """Print what was written, left out and could not be read; return the exit status."""
        self.written(*written)
        if self.verbose or self.to_people:
            say_left_out(source.listing.ignored, verbose=self.verbose)
            if hint := mask_hint(source.listing.paths):
                say(f"{hint}.")
            if source.dialect is not None and (self.verbose or not source.dialect.is_plain):
                say(f"Read as {source.dialect}.")
            for note in source.notes:
                say(note)
        return list_failures(failed)


def in_options(message: str) -> str:
    """Return a message of the library with the options of the command line in place of arguments of Python.

    Parameters of estimators that have no option of their own are said as ``--set`` takes them. Names without
    a value are options where errors and advice speak of parameters: "X: name must", "name (it was", "(name;".
    """
    from vaetools.cli import command_named

    parameters_of_fit = command_named("fit").params
    valued = (each for each in parameters_of_fit if isinstance(each, click.Option) and not each.is_flag)
    options = {option.name: option.opts[-1] for option in valued}
    parameters: set[str] = set()
    for name, table in _TABLES.items():
        if fields := sys.modules.get(f"vaetools.{name}"):  # who speaks of these has imported them
            parameters.update(getattr(fields, table))

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


def print_json(summary: Mapping[str, Any], warned: Sequence[str] | None = None) -> None:
    """Print a summary and the warnings of the command on standard output, without what JSON does not have."""
    warned = click.get_current_context().obj if warned is None else warned
    click.echo(json.dumps(finite({**summary, "warnings": list(warned)}), indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """Return plain values without those that JSON does not have: NaN, records, paths, names beyond UTF-8."""
    if isinstance(value, Mapping):
        return {readable(name): finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    if hasattr(value, "reason"):  # a Failure
        return finite({"id": value.id, "reason": in_options(value.reason)})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return finite(dataclasses.asdict(value))
    if isinstance(value, Path):
        return readable(str(value))
    return None if isinstance(value, float) and not math.isfinite(value) else readable(value)


def source_as_json(source: "Source", failed: Sequence[Any]) -> dict[str, Any]:
    """Return what could not be read, what was left out and how CSV was read, as JSON takes it."""
    understood = {"dialect": source.dialect, "notes": list(source.notes)}
    return failed_as_json(failed) | left_out_as_json(source.listing.ignored) | understood


def failed_as_json(failed: Sequence[Any]) -> dict[str, Any]:
    """Return what could not be read, and how much it is, as JSON takes it."""
    return {"n_failed": len(failed), "failed": list(failed)}


def say_left_out(ignored: Mapping[str, str], *, verbose: bool) -> None:
    """Print how many files of each kind were left out, and with ``verbose`` which."""
    if not ignored:
        return
    from vaetools.data.formats import ARCHIVE
    from vaetools.data.listing import counted_kinds

    kinds = counted_kinds(ignored)
    say(f"{counted(len(ignored), 'file')} left out: {kinds}" + (":" if verbose else " (-v lists them)."))
    if verbose:
        for path, kind in list(ignored.items())[:_LISTED]:
            say(f"  {path} ({kind})")
        if len(ignored) > _LISTED:
            say(f"  and {len(ignored) - _LISTED:,} more")
    if any(kind.endswith(ARCHIVE) for kind in ignored.values()):
        say("Archives are not read: unpack them, and name the folder.")


def left_out_as_json(ignored: Mapping[str, str]) -> dict[str, Any]:
    """Return counts, and the first of the files, as JSON takes them."""
    from vaetools.data.listing import kind_counts

    paths = list(ignored)[:_LISTED]
    return {"n_ignored": len(ignored), "ignored": kind_counts(ignored), "ignored_paths": paths}


def mask_hint(paths: Sequence[Any]) -> str:
    """Return how to leave out files that are named like masks of others; nothing if there are none."""
    from vaetools.data.patterns import find_masks

    masks, patterns = find_masks(path for path in paths if isinstance(path, str))
    if not masks:
        return ""
    options = " ".join(f"--exclude {shlex.quote(pattern)}" for pattern in patterns)
    which = f"{counted(len(masks), 'file')} {'is' if len(masks) == 1 else 'are'} named like masks of others"
    return printable(f"{which}, such as {masks[0]}: {options} leaves them out")


def list_failures(failed: Sequence[Any]) -> int:
    """Print what could not be read, one per line, with the reason; return the exit status."""
    if failed:
        say(f"{len(failed):,} could not be read:")
    for name, reason in failed:
        where = printable(name) if isinstance(name, str) else f"row {name}"
        say(f"  {where}: {printable(in_options(reason))}")
    return UNREAD if failed else 0


def short_name(name: Any, width: int) -> str:
    """Return the end of a name of unknown origin, on one line of limited width."""
    return shortened(printable(str(name)), width, lost="start")


def counted_rows(n: int, kind: str) -> str:
    """Return "1 image" or "1,000 rows"."""
    return counted(n, {"images": "image"}.get(kind, "row"))


def cell(value: Any, digits: int) -> str:
    """Return a value as a table shows it: text as it is, a number with so many digits, nothing as a dash."""
    if isinstance(value, str):
        return value
    return number(None if math.isnan(value) else value, digits)

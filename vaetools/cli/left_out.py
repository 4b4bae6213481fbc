"""What commands say of how they read files, and of those that they left out, or had better left out."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vaetools.cli.saying import say
from vaetools.words import counted, printable, readable

if TYPE_CHECKING:
    from vaetools.data.dialect import Dialect
    from vaetools.data.sources import Source

_LISTED = 1000  # files, by -v and in JSON


def say_source(source: Source, *, verbose: bool) -> None:
    """Print what was left out, whether files look like masks, and how CSV was read if that is not plain."""
    say_left_out(source.listing.ignored, verbose=verbose)
    if hint := mask_hint(source.listing.paths):
        say(f"{hint}.")
    if source.dialect is not None and (verbose or not source.dialect.is_plain):
        say(f"Read as {source.dialect}.")
    for note in source.notes:
        say(printable(note))


def source_as_json(source: Source) -> dict[str, Any]:
    """Return what was left out and how CSV was read, as JSON takes it."""
    return left_out_as_json(source.listing.ignored) | understood_as_json(source.dialect, source.notes)


def understood_as_json(dialect: Dialect | None, notes: Sequence[str]) -> dict[str, Any]:
    """Return how CSV was read, and what else was understood of a table, as JSON takes it."""
    return {
        "dialect": None if dialect is None else dataclasses.asdict(dialect),
        "notes": [readable(note) for note in notes],
    }


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

    return {
        "n_ignored": len(ignored),
        "ignored": {readable(kind): n for kind, n in kind_counts(ignored).items()},
        "ignored_paths": [readable(path) for path in list(ignored)[:_LISTED]],
    }


def mask_hint(paths: Sequence[Any]) -> str:
    """Return how to leave out files that are named like masks of others; nothing if there are none."""
    from vaetools.data.patterns import find_masks

    masks = find_masks(path for path in paths if isinstance(path, str))
    if masks is None:
        return ""
    options = " ".join(f"--exclude {shlex.quote(pattern)}" for pattern in masks.patterns)
    which = f"{counted(masks.n, 'file')} {'is' if masks.n == 1 else 'are'} named like masks of others"
    return printable(f"{which}, such as {masks.example}: {options} leaves them out")

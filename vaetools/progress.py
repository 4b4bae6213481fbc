"""Progress of long work: a bar for somebody who watches, a line now and then for a log."""

import sys
import time
from typing import Any, TextIO

LINES = 2  # what verbose is where no bar can be drawn
_FIRST, _LAST = 10.0, 600.0  # seconds to the first line, and at most between two
_LINE = "{desc}: {n:,} of {total:,} {unit}s, {elapsed} gone, about {remaining} left"
_ENDLESS = "{desc}: {n:,} {unit}s, {elapsed} gone"


class _Lines:
    """A stream on which what a bar draws over itself becomes lines, each twice as late as the one before."""

    def __init__(self, stream: TextIO):
        self.stream, self.start = stream, time.monotonic()
        self.due = self.start + _FIRST

    def write(self, text: str) -> None:
        """Write a line, if one is due and anything shows in it."""
        now = time.monotonic()
        if now >= self.due and (line := text.strip()):
            self.stream.write(f"{line}\n")
            self.due = now + min(now - self.start, _LAST)

    def flush(self) -> None:
        """Pass on what was written."""
        self.stream.flush()


def bar_options(verbose: Any, *, has_end: bool = True) -> dict[str, Any]:
    """Return arguments of tqdm for a ``verbose`` parameter: 0 nothing, 1 a bar, 2 lines as of a log.

    The first line comes after ten seconds, if the job is not done by then, and the gaps grow. Where the
    end is not known, none is told.

    Examples
    --------
    >>> bar_options(0), bar_options(1), bar_options(2)["mininterval"]
    ({'disable': True}, {'disable': False}, 10.0)
    """
    if verbose is True or verbose != LINES:
        return {"disable": not verbose}
    return {
        "file": _Lines(sys.stderr),
        "delay": _FIRST,
        "mininterval": _FIRST,
        "miniters": 1,
        "bar_format": _LINE if has_end else _ENDLESS,
    }

"""How many images of each sub-folder are flagged: of good ones, of each kind of defect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vaetools.cli.saying import say, short_name
from vaetools.cli.selecting import Selection
from vaetools.words import readable, text_table

if TYPE_CHECKING:
    import pandas as pd

_MOST = 1000  # sub-folders that are counted one by one
_LISTED, _WIDEST = 30, 60  # in a table; characters of a name


class FolderTally:
    """Counts what is scored and flagged in each folder right below one.

    Parameters
    ----------
    folder : str or None
        None counts nothing.
    selection : Selection or None
        Makes the verdicts at the end.
    """

    def __init__(self, folder: str | None, selection: Selection | None):
        self.folder, self.selection = folder, selection
        self.judged: dict[str, Counter] = {}  # by sub-folder: verdicts, or p-values if they decide

    def add(self, table: pd.DataFrame) -> None:
        """Count the rows of a batch."""
        if self.folder is None or len(self.judged) > _MOST:
            return
        from vaetools.data.sub_folders import count_by_folder

        verdicts = table["verdict" if self.selection is None else "p_value"]
        for name, counts in count_by_folder(self.folder, table.iloc[:, 0], verdicts).items():
            self.judged.setdefault(name, Counter()).update(counts)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many are scored and odd by sub-folder; nothing if it is one, or if they are too many."""
        if not 1 < len(self.judged) <= _MOST:
            return {}
        return {readable(name): self._count(judged) for name, judged in sorted(self.judged.items())}

    def _count(self, judged: Counter) -> dict[str, int]:
        """Return how many rows there are, and how many of them are odd."""
        is_odd = "odd".__eq__ if self.selection is None else self.selection.is_odd
        return {
            "n_scored": judged.total(),
            "n_odd": sum(n for verdict, n in judged.items() if is_odd(verdict)),
        }


def say_folders(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Print such counts as a table."""
    if not counts:
        return
    rows = [
        [short_name(name, _WIDEST), f"{count['n_scored']:,}", f"{count['n_odd']:,}"]
        for name, count in list(counts.items())[:_LISTED]
    ]
    for line in text_table(["folder", "scored", "flagged"], rows, "<>>").splitlines():
        say(line)
    if len(counts) > _LISTED:
        say(f"and {len(counts) - _LISTED:,} more, which --json lists")

"""Images of every sub-folder that are worth a look: the oddest that are flagged, and those that are not."""

import pandas as pd

from vaetools.stream.flow import ODD, Part
from vaetools.stream.keeping import lowest
from vaetools.stream.sinks import MOST_FOLDERS, Selection, Sink, sub_folders


class Examples(Sink):
    """Keeps, of every sub-folder, what streams by of its oddest images: those that are odd, and the others.

    Parameters
    ----------
    n : int
        How many of each at most.
    folder : str or None
        Of images, or its address; None keeps nothing.
    selection : Selection or None, default=None
        Makes the verdicts, once all rows are known.
    """

    def __init__(self, n: int, folder: str | None, selection: Selection | None = None):
        self.n, self.folder, self.selection = n, folder, selection
        self._kept: dict[tuple[str, str], pd.DataFrame] = {}

    def add(self, part: Part) -> None:
        """Keep the oddest rows of a part, as far as they are among the oddest of their folder."""
        if self.folder is None or len(self._kept) > MOST_FOLDERS:
            return
        numbers: dict[tuple[str, str], list[int]] = {}
        places = zip(sub_folders(part.table, self.folder), part.table["verdict"], strict=True)
        for i, place in enumerate(places):
            numbers.setdefault(place, []).append(i)
        for place, rows in numbers.items():
            kept = part.table.iloc[rows]
            kept = pd.concat([self._kept[place], kept]) if place in self._kept else kept
            self._kept[place] = kept.iloc[lowest(kept, self.n)]

    def of(self, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of a sub-folder that are odd, and others, the oddest first."""
        kept = pd.concat([rows for (folder, _), rows in self._kept.items() if folder == name])
        kept = kept.iloc[lowest(kept, len(kept))]
        if self.selection is not None:
            kept = self.selection.judge(kept)
        is_odd = (kept["verdict"] == ODD).to_numpy()
        return kept[is_odd], kept[~is_odd]

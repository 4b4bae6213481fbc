"""What is asked of rows as they are scored, and what answers it: sinks that they stream into."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetools.cli.command import Opened
from vaetools.cli.marking import N_SAMPLED, TO_MARK, warn_of_unknown, write_to_mark
from vaetools.words import counted, joined

if TYPE_CHECKING:
    from vaetools.data.beside import Beside
    from vaetools.data.listing import Listing

PICTURED = 24  # images on a page if nothing else is said


@dataclass(frozen=True)
class Asked:
    """Options of ``vaetools score`` that each ask for an answer."""

    output: Any
    top: int | None
    html: Path | None
    maps: Path | None
    marks: Path | None
    marked: tuple[Path, ...]
    fdr: float | None

    @property
    def n_oddest(self) -> int:
        """How many of the oddest rows any answer needs."""
        return self.top or max(PICTURED * bool(self.html), TO_MARK * bool(self.marks))

    @property
    def prints_rows(self) -> bool:
        """Whether all lines go to standard output, if nothing is printed as JSON."""
        return self.output is None and not (self.top or self.marks)


class Answers:
    """Sinks for what is asked, and the files that are written once all rows have streamed by.

    Parameters
    ----------
    asked : Asked
    opened : Opened
        The model that scores.
    listing : Listing
        Of the source of the rows.
    is_silent : bool
        Whether standard output is to be left alone.
    """

    def __init__(self, asked: Asked, opened: Opened, listing: "Listing", *, is_silent: bool):
        from vaetools.cli.describing import (
            few_calibrated_in_words,
            few_find_less_in_words,
            small_defects_in_words,
        )
        from vaetools.data.marks import marked_before, marked_of
        from vaetools.estimators.groups import small_groups
        from vaetools.stream import Collected, Examples, MapFiles, Oddest, Selection, TableFile, Tally
        from vaetools.stream.keeping import Sampled

        model = opened.estimator
        self.asked, self.opened = asked, opened
        self.selection = None if asked.fdr is None else Selection(model, asked.fdr)
        self.tally = Tally(model, self.selection, listing.folder)
        self.marked = marked_before(asked.marked)  # rows that are not handed out again
        self.oddest = Oddest(asked.n_oddest + len(self.marked), self.selection)
        self.met = Collected(lambda part: marked_of(part.table.iloc[:, 0], self.marked))
        self.examples = Examples(asked.n_oddest, listing.folder, self.selection)
        self.scores = Collected(lambda part: part.table["score"].to_numpy())
        self.sampled = Sampled(N_SAMPLED)
        self.map_files = None if asked.maps is None else MapFiles(asked.maps, opened.whole, listing.root)
        writes_rows = asked.output is not None or (asked.prints_rows and not is_silent)
        self.sinks = [
            *([self.selection] if self.selection else []),  # before those that use its verdicts
            self.tally,
            *([self.oddest] if asked.n_oddest else []),
            *([self.scores, self.examples] if asked.html else []),
            *([self.sampled] if asked.marks else []),
            *([self.met] if asked.marked else []),
            *([TableFile(asked.output, self.selection)] if writes_rows else []),
            *([self.map_files] if self.map_files else []),
        ]
        self.small_defects = small_defects_in_words(opened.reader, model, listing.paths)
        of_few = few_calibrated_in_words(model) or few_find_less_in_words(model)
        self._of_model = [each for each in (self.small_defects, of_few, small_groups(model)) if each]

    @property
    def cautions(self) -> list[str]:
        """What to beware of: of the model, and of good images that were scored, if too many are flagged."""
        return self._of_model + list(self._of_good())

    def _of_good(self) -> Iterator[str]:
        """Yield that more is flagged in folders of good images than the model promises, if so."""
        from vaetools.cli.describing import good_in_words, too_many
        from vaetools.stream.evaluation import good_flagged, is_good

        if self.selection is not None or self.opened.image_shape is None:
            return
        tally = self.tally
        folders = tally.folders()
        if not folders and tally.folder is not None:
            folders = {Path(tally.folder).resolve().name: {"n_odd": tally.n_odd, "n_scored": tally.n_rows}}
        good = [counts for name, counts in folders.items() if is_good(name)]
        n_odd, n = (sum(counts[key] for counts in good) for key in ("n_odd", "n_scored"))
        if n and too_many(found := good_flagged(self.opened.estimator, n_odd, n)):
            yield good_in_words(found)

    @property
    def failed(self) -> list[Any]:
        """Images of which no map could be written."""
        return [] if self.map_files is None else self.map_files.failed

    def said_of_maps(self) -> Iterator[str]:
        """Yield which images have no map and why, and what of an earlier run is removed, a sentence each."""
        if self.map_files is None:
            return
        if without := Counter(self.map_files.without.values()):
            by_question = joined(f"{n:,} by {question}" for question, n in without.most_common())
            yield (
                f"Without a map: {without.total():,} of {counted(self.tally.n_rows, 'image')}, decided by "
                f"what has no place on an image ({by_question}); --json lists them."
            )
        if removed := self.map_files.removed:
            files = f"{counted(len(removed), 'file')} of an earlier run about these images"
            yield f"Removed from {self.asked.maps}: {files}, such as {removed[0]}."

    def write_marks(self, beside: "Beside | None") -> None:
        """Write the rows to mark, if that is asked; what a table beside images says may be their context."""
        if self.asked.marks is not None:
            warn_of_unknown(self.marked, set().union(*self.met.parts))
            write_to_mark(self, beside)

    def facts(self) -> dict[str, Any]:
        """Return what was written, and what to beware of, as JSON takes it."""
        return {
            "small_defects": self.small_defects or None,
            "cautions": self.cautions,
            "output": self.asked.output,
            "html": self.asked.html,
            "marks": self.asked.marks,
            "maps": self.map_files and self.map_files.facts(),
        }

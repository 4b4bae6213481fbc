"""What an alarm says: what changed, since when, and by how much."""

import dataclasses

from vaetools.watch.statistics import COLUMN, IMAGE, LATENT
from vaetools.words import joined, number, percent

SHARE, SCORE = "share", "score"
NORMAL, ALL = "normal", "all"
_OF = {
    SHARE: "share of odd rows",
    SCORE: "score of rows that are not odd",
    IMAGE: "{}",
    COLUMN: "column {!r}",
    LATENT: "latent {}",
}
_NAMED = 3  # in a sentence


@dataclasses.dataclass(frozen=True)
class Cause:
    """What has changed, as an alarm names it.

    Attributes
    ----------
    kind : {"share", "score", "column", "image", "latent"}
        Of odd rows the share, of the others the score, or what number of the statistics.
    name : str
    row : int
        That it was found at, counted from 1.
    since : int
        The row that it probably began with.
    n_rows : int
        Rows that tell, from then to when it was found.
    moved : float or None
        Their mean minus that of the reference, in standard deviations of it; None of shares, and of what
        did not vary there.
    share : float or None
        Of odd rows among them; None of all else.
    evidence : float or None
        Decimal logarithm of the capital that bets on it made of 1; None where there was no bet.
    of : {"normal", "all"}, default="normal"
        Rows of which it is the change: those that are not flagged, or all since more of them are odd.
    """

    kind: str
    name: str
    row: int
    since: int
    n_rows: int
    moved: float | None
    share: float | None
    evidence: float | None
    of: str = NORMAL

    def called(self) -> str:
        """Return what it is of."""
        return _OF[self.kind].format(self.name)

    def change_in_words(self, rate: float) -> str:
        """Return by how much it changed, where so many rows are odd by rights; nothing without a size."""
        if self.kind == SHARE:
            return f"{percent(self.share)}, not {percent(rate)}"
        return "" if self.moved is None else f"{signed(self.moved)} SD"


@dataclasses.dataclass(frozen=True)
class Alarm:
    """That rows are no longer what they were.

    Attributes
    ----------
    row : int
        At which it was raised, counted from 1.
    since : int
        At which the change probably began.
    causes : tuple of Cause
        The clearest first; what was found after the alarm follows.
    rate : float
        Share of odd rows that is expected.
    """

    row: int
    since: int
    causes: tuple[Cause, ...]
    rate: float

    @property
    def of_odd(self) -> bool:
        """Whether there are more odd rows."""
        return any(cause.kind == SHARE for cause in self.causes)

    @property
    def of_normal(self) -> bool:
        """Whether what is normal has changed."""
        return any(cause.kind != SHARE and cause.of == NORMAL for cause in self.causes)

    def __str__(self) -> str:
        """Say it in a sentence.

        Examples
        --------
        >>> import textwrap
        >>> heat = Cause("column", "heat", 540, 501, 40, 0.97, None, 4.1)
        >>> odd = Cause("share", "share", 560, 510, 51, None, 0.21, 4.0)
        >>> print(textwrap.fill(str(Alarm(540, 501, (heat, odd), 0.05)), 96))
        Alarm at row 540. Since about row 501 what is normal has changed: column 'heat' by +0.97 SD; and
        more rows are odd: 21.0 %, not 5.0 %.
        """
        normal, beside = (self._moved(of) for of in (NORMAL, ALL))
        parts = [f"what is normal has changed: {normal}"] if normal else []
        for share in (cause for cause in self.causes if cause.kind == SHARE):
            differ = f", and rows differ in {beside}" if beside else ""
            parts.append(f"more rows are odd: {share.change_in_words(self.rate)}{differ}")
        return f"Alarm at row {self.row:,}. Since about row {self.since:,} {'; and '.join(parts)}."

    def _moved(self, of: str) -> str:
        """Return the first statistics that changed, and by how much."""
        moved = [cause for cause in self.causes if cause.kind != SHARE and cause.of == of][:_NAMED]
        named = [
            cause.called() + (f" by {cause.change_in_words(self.rate)}" if cause.moved is not None else "")
            for cause in moved
        ]
        return joined(named) if named else ""


def groups_in_words(*, of_images: bool) -> list[str]:
    """Return what kinds of change there are, in the order of the groups of evidence."""
    return [
        "share of odd rows",
        "score of the others",
        "look of images" if of_images else "columns",
        "latents",
    ]


def signed(value: float) -> str:
    """Return a number with its sign, also that of more.

    Examples
    --------
    >>> signed(0.4), signed(-12.0)
    ('+0.40', '−12.00')
    """
    return ("+" if value >= 0 else "") + number(value, 2)

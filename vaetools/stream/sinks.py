"""What takes parts as they stream by, and two that count: verdicts of all rows together, and by folder."""

import os
from collections import Counter
from typing import Any, Self

import numpy as np
import pandas as pd

from vaetools.anomaly.calibration import discovery_rank
from vaetools.anomaly.certificates import most_flagged, most_mistakes
from vaetools.anomaly.rates import flagged_rate, n_discoverable, n_rows_needed
from vaetools.data.batches import Failure
from vaetools.stream.flow import NORMAL, ODD, Part
from vaetools.words import about

MOST_FOLDERS = 1000  # that are counted one by one
_CONFIDENCE = 0.95  # in numbers of mistakes, where the model has none of its own
_ITSELF = "."  # as which a folder's own images are counted


class Sink:
    """What takes parts as they stream by; a subclass says what it does with one.

    A sink that holds something open overrides ``__enter__`` and ``__exit__`` too, and gives up in the latter
    what `close` has not finished.

    Attributes
    ----------
    takes_maps : bool
        Whether parts are to have the maps that a detector of patches judges by.
    """

    takes_maps = False

    def add(self, part: Part) -> None:
        """Take a part, which has at least one row."""
        raise NotImplementedError

    def miss(self, failed: list[Failure]) -> None:
        """Hear what of a part could not be read, which may be all of it; `add` comes after."""

    def close(self) -> None:
        """Finish: all parts have come. Sinks are closed in the order in which they were named."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Selection(Sink):
    """Counts p-values, of which there are few, and says at the end which of them are odd.

    At most a share of the rows that it selects is expected to be normal. Name it before the sinks that use
    its verdicts.

    Parameters
    ----------
    model : autoencoder
        Fitted, with calibration rows.
    false_discovery_rate : float
        That share, between 0 and 1.

    Raises
    ------
    ValueError
        If the model has no calibration rows.
    """

    def __init__(self, model: Any, false_discovery_rate: float):
        calibration = getattr(model, "calibration_scores_", None)
        if calibration is None:
            raise ValueError(
                "Selection: model must have calibration rows; got one that held none out. Fit it with "
                "contamination='auto' on more rows, or recalibrate it."
            )
        if hasattr(model, "context_"):
            raise ValueError(
                f"Selection: model must compare all rows with one another; got a {type(model).__name__} of a "
                "context, whose p-values are those of groups. Use its verdicts."
            )
        self.false_discovery_rate = false_discovery_rate
        self.confidence = model.confidence or _CONFIDENCE
        self.calibration_scores = calibration
        self._noun = "row" if model.image_shape is None else "image"
        self.counts = np.zeros(len(calibration) + 1, dtype=np.int64)

    def add(self, part: Part) -> None:
        """Count the p-values of a part."""
        ranks = np.rint(part.table["p_value"].to_numpy() * len(self.counts)).astype(np.int64)
        self.counts += np.bincount(ranks - 1, minlength=len(self.counts))

    @property
    def rank(self) -> int:
        """How many of the values that a p-value can have are odd."""
        return discovery_rank(self.counts, self.false_discovery_rate)

    @property
    def n_odd(self) -> int:
        """How many rows are odd."""
        return int(self.counts[: self.rank].sum())

    @property
    def false_alarm_rate(self) -> float:
        """The share of normal rows whose p-value is odd: the greatest such p-value."""
        return self.rank / len(self.counts)

    @property
    def threshold(self) -> float | None:
        """The score below which a row is odd; None if none is."""
        return float(self.calibration_scores[self.rank - 1]) if self.rank else None

    def judge(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with these verdicts."""
        if not self.counts.any():
            raise ValueError(
                "Selection: it must count rows before it judges them; got none. Name it among the sinks, "
                "before those that use it."
            )
        return table.assign(verdict=np.where(self.is_odd(table["p_value"]), ODD, NORMAL))

    def is_odd(self, p_value: Any) -> Any:
        """Whether a p-value, or each of several, is odd."""
        return p_value < (self.rank + 0.5) / len(self.counts)  # between two values that it can have

    @property
    def most_mistakes(self) -> int:
        """How many of the odd rows are normal at most, with `confidence`."""
        if not self.rank:
            return 0
        bounds = most_mistakes(int(self.counts.sum()), len(self.calibration_scores), self.confidence)
        return min(self.n_odd, int(bounds[self.rank - 1]))

    @property
    def why_none(self) -> str | None:
        """Why no row is odd: how many odd rows, or calibration rows, it takes to find any."""
        if self.n_odd:
            return None
        n_rows, n_calibration = int(self.counts.sum()), len(self.calibration_scores)
        calibration = f"calibration {self._noun}s"
        fewest = n_discoverable(n_rows, n_calibration, self.false_discovery_rate)
        if fewest > n_rows:
            return (
                f"no selection is possible: a rate of {100 * self.false_discovery_rate:g} % takes "
                f"{n_rows_needed(self.false_discovery_rate):,} {calibration} or more; the model has "
                f"{n_calibration:,}"
            )
        return (
            f"it takes at least {fewest:,} of {n_rows:,} to tell any from chance, with {n_calibration:,} "
            f"{calibration}"
        )

    def words(self) -> str:
        """Return what the verdicts mean, or why there is none."""
        rate = f"{100 * self.false_discovery_rate:g} %"
        most, sure = f"{self.most_mistakes:,}", f"{100 * self.confidence:g} %"
        return self.why_none or (
            f"selected so that at most {rate} of them are expected to be normal; with {sure} confidence at "
            f"most {most} are"
        )


class Tally(Sink):
    """Counts rows, and those that are odd, in all and by sub-folder: of good images, of each kind of defect.

    Parameters
    ----------
    model : autoencoder
        Fitted.
    selection : Selection or None, default=None
        Makes the verdicts, once all rows are known.
    folder : str or None, default=None
        Of images, or its address: what lies right below it is counted apart. None counts in all alone.

    Attributes
    ----------
    n_rows, n_odd : int
    threshold : float or None
        The score below which a row is odd; None of a model of a context, whose groups have their own.
    false_alarm_rate : float or None
        Share of normal rows that is expected to be odd; None where no rows were held out to know it, and
        where it is one of groups.
    confidence : float or None
        Of the model in its rate of false alarms.
    n_calibration : int
        Rows that were held out for that.
    judged : dict from str to Counter
        By sub-folder: how many of each verdict, or of each p-value if a selection decides.
    """

    def __init__(self, model: Any, selection: Selection | None = None, folder: str | None = None):
        self.selection, self.folder = selection, folder
        self.n_rows = self.n_odd = 0
        has_groups = hasattr(model, "context_")
        self.threshold: float | None = None if has_groups else getattr(model, "offset_", None)
        self.n_calibration = len(getattr(model, "calibration_scores_", ()))
        self.false_alarm_rate = expected_rate_of(model)
        self.confidence: float | None = model.confidence
        self.judged: dict[str, Counter[str]] = {}

    def add(self, part: Part) -> None:
        """Count the rows of a part."""
        self.n_rows += len(part.table)
        self.n_odd += int((part.table["verdict"] == ODD).sum())
        if self.folder is None or len(self.judged) > MOST_FOLDERS:
            return
        verdicts = part.table["verdict" if self.selection is None else "p_value"]
        for name, verdict in zip(sub_folders(part.table, self.folder), verdicts, strict=True):
            self.judged.setdefault(name, Counter())[verdict] += 1

    def close(self) -> None:
        """Make the verdicts that need to know all rows."""
        if self.selection is not None:
            self.n_odd, self.threshold = self.selection.n_odd, self.selection.threshold
            self.false_alarm_rate = self.selection.false_alarm_rate

    def folders(self) -> dict[str, dict[str, int]]:
        """Return how many are scored and odd by sub-folder; nothing if there is none, or too many are."""
        if not self.judged.keys() - {_ITSELF} or len(self.judged) > MOST_FOLDERS:
            return {}
        is_odd = ODD.__eq__ if self.selection is None else self.selection.is_odd
        return {
            name: {
                "n_scored": judged.total(),
                "n_odd": sum(n for verdict, n in judged.items() if is_odd(verdict)),
            }
            for name, judged in sorted(self.judged.items())
        }

    def expected(self) -> str:
        """Return how many would be odd if all were normal, or what a selection means, to end a sentence."""
        if self.selection is not None:
            return f"; {self.selection.words()}"
        if self.false_alarm_rate is None:
            return ""
        expected = about(self.false_alarm_rate * self.n_rows)
        return f"; {expected} would be if all were normal{self.certificate()}"

    @property
    def most_mistakes(self) -> int | None:
        """How many of the odd rows are normal at most; None without a confidence."""
        if self.selection is not None:
            return self.selection.most_mistakes
        if self.confidence is None or self.false_alarm_rate is None:
            return None
        rank = round(self.false_alarm_rate * (self.n_calibration + 1))
        return min(self.n_odd, most_flagged(self.n_rows, self.n_calibration, rank, self.confidence))

    def certificate(self) -> str:
        """Return how many of the odd rows are normal at most, to go on with; nothing without a confidence."""
        if self.confidence is None or self.most_mistakes is None or not self.n_odd:
            return ""
        sure = f"with {100 * self.confidence:g} % confidence"
        return f", and {sure} at most {self.most_mistakes:,} of those flagged are normal"


def sub_folders(table: pd.DataFrame, folder: str) -> list[str]:
    """Return which sub-folder of a folder, or of an address, every image of a table lies in."""
    divider = "/" if "://" in folder else os.sep
    start = len(folder.removesuffix(divider)) + 1
    parts = (path[start:].partition(divider) for path in table.iloc[:, 0])
    return [name if below else _ITSELF for name, below, _ in parts]


def expected_rate_of(model: Any) -> float | None:
    """Return the share of normal rows that is flagged, where rows were held out to know it, of all alike."""
    if not hasattr(model, "calibration_scores_") or hasattr(model, "context_"):
        return None
    return flagged_rate(model.offset_, model.calibration_scores_, model.false_alarm_rate, model.confidence)

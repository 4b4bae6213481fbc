"""Verdicts under a false-discovery rate, made once all rows have streamed by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from vaetools.anomaly.calibration import discovery_rank, n_discoverable, n_rows_needed
from vaetools.stream.parts import NORMAL, ODD, Part, Sink


class Selection(Sink):
    """Counts p-values, of which there are few, and says at the end which of them are odd.

    At most a share of the rows that it selects is expected to be normal. Name it before the sinks that use
    its verdicts.

    Parameters
    ----------
    model : AE, VAE or CVAE
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
        self.false_discovery_rate = false_discovery_rate
        self.calibration_scores = calibration
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
    def why_none(self) -> str | None:
        """Why no row is odd: how many odd rows, or calibration rows, it takes to find any."""
        if self.n_odd:
            return None
        n_rows, n_calibration = int(self.counts.sum()), len(self.calibration_scores)
        fewest = n_discoverable(n_rows, n_calibration, self.false_discovery_rate)
        if fewest > n_rows:
            needed = n_rows_needed(self.false_discovery_rate)
            return (
                f"no selection is possible: a rate of {self._percent} takes {needed:,} calibration "
                f"rows or more; the model has {n_calibration:,}"
            )
        return (
            f"it takes at least {fewest:,} of {n_rows:,} to tell any from chance, with {n_calibration:,} "
            "calibration rows"
        )

    def words(self) -> str:
        """Return what the verdicts mean, or why there is none."""
        return self.why_none or (
            f"selected so that at most {self._percent} of them are expected to be normal"
        )

    @property
    def _percent(self) -> str:
        return f"{100 * self.false_discovery_rate:g} %"

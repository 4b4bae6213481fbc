"""Verdicts under a false-discovery rate, made once all rows have streamed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd


class Selection:
    """Counts p-values, of which there are few, and says at the end which of them are odd."""

    def __init__(self, model: Any, false_discovery_rate: float):
        import numpy as np

        if not hasattr(model, "calibration_scores_"):
            how = "without --contamination"
            if model.contamination == "auto":
                how = f"with at least {model._n_rows_needed:,} rows; it had {model.n_samples_:,}"
            raise click.BadParameter(
                f"needs rows that calibrate, and the model held none out. Fit it again {how}.",
                param_hint="--fdr",
            )
        self.false_discovery_rate = false_discovery_rate
        self.calibration_scores = model.calibration_scores_
        self.counts = np.zeros(len(self.calibration_scores) + 1, dtype=np.int64)

    def add(self, table: pd.DataFrame) -> None:
        """Count the p-values of a batch."""
        import numpy as np

        ranks = np.rint(table["p_value"].to_numpy() * len(self.counts)).astype(np.int64)
        self.counts += np.bincount(ranks - 1, minlength=len(self.counts))

    @property
    def rank(self) -> int:
        """How many of the values that a p-value can have are odd."""
        from vaetools.anomaly.calibration import discovery_rank

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
        import numpy as np

        from vaetools.streaming import NORMAL, ODD

        return table.assign(verdict=np.where(self.is_odd(table["p_value"]), ODD, NORMAL))

    def is_odd(self, p_value: Any) -> Any:
        """Whether a p-value, or each of several, is odd."""
        return p_value < (self.rank + 0.5) / len(self.counts)  # between two values that it can have

    @property
    def why_none(self) -> str | None:
        """Why no row is odd: how many odd rows, or calibration rows, it takes to find any."""
        from vaetools.anomaly.calibration import n_discoverable, n_rows_needed

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

"""What is kept of all that streams by while it is scored: counts, failures, the oddest rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetools.cli.folders import FolderTally
from vaetools.cli.saying import failed_as_json
from vaetools.cli.selecting import Selection
from vaetools.words import floor_in_words, readable

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.streaming import Part


class Tally:
    """What is kept of all that streams by: counts, failures, the oddest rows."""

    def __init__(
        self, model: Any, fdr: float | None, *, n_oddest: int, keep_scores: bool, folder: str | None = None
    ):
        self.threshold, self.false_alarm_rate = model.offset_, expected_rate_of(model)
        self.selection = None if fdr is None else Selection(model, fdr)
        self.n_oddest, self.n_calibration = n_oddest, len(getattr(model, "calibration_scores_", ()))
        self.n_scored = self.n_odd = 0
        self.folders = FolderTally(folder, self.selection)
        self.failed: list[Any] = []
        self.keep_scores = keep_scores
        self.scores: list[Any] = []
        self.oddest: Any = None  # a DataFrame once there is a row
        self.oddest_rows: Any = None  # a DataFrame too

    def add(self, part: Part) -> None:
        """Count a batch and keep its oddest rows, as far as they are among the oddest of all."""
        import pandas as pd

        self.failed += part.failed
        if not len(part.table):
            return
        self.n_scored += len(part.table)
        self.n_odd += int((part.table["verdict"] == "odd").sum())
        if self.selection is not None:
            self.selection.add(part.table)
        self.folders.add(part.table)
        if self.keep_scores:
            self.scores.append(part.table["score"].to_numpy())
        if not self.n_oddest:
            return
        order = _oddest(part.table, self.n_oddest)
        best, rows = part.table.iloc[order], pd.DataFrame(part.X).iloc[order]
        if self.oddest is not None:
            best, rows = pd.concat([self.oddest, best]), pd.concat([self.oddest_rows, rows])
        order = _oddest(best, self.n_oddest)
        self.oddest, self.oddest_rows = best.iloc[order], rows.iloc[order]

    def settle(self) -> None:
        """Make the verdicts that need to know all rows."""
        if self.selection is not None:
            self.n_odd = self.selection.n_odd
            self.threshold, self.false_alarm_rate = self.selection.threshold, self.selection.false_alarm_rate
            self.oddest = None if self.oddest is None else self.selection.judge(self.oddest)

    def floor_in_words(self, n: int) -> str:
        """Return that the oddest share the least p-value there is, if they do; else nothing."""
        return floor_in_words(self.oddest["p_value"].head(n), self.n_calibration)

    def summary(self, model: Any, output: Path | str | None, html: Path | None) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        oddest = [] if self.oddest is None else self.oddest.to_dict(orient="records")
        names = {} if self.oddest is None else {"id": self.oddest.columns[0]}
        return {
            "n_scored": self.n_scored,
            "n_odd": self.n_odd,
            "n_failed": len(self.failed),
            "folders": self.folders.counts(),
            "score": model.anomaly_score_,
            "threshold": self.threshold,
            "false_alarm_rate": self.false_alarm_rate,
            "false_discovery_rate": self.selection and self.selection.false_discovery_rate,
            "why_none_odd": self.selection and self.selection.why_none,
            **names,
            "oddest": [{key: readable(value) for key, value in row.items()} for row in oddest],
            "failed": failed_as_json(self.failed),
            "output": None if output is None else readable(str(output)),
            "html": None if html is None else readable(str(html)),
        }


def _oddest(table: pd.DataFrame, n: int) -> Any:
    """Return the places of the rows that score lowest; a score beyond all numbers (NaN) is the oddest."""
    import numpy as np

    return np.argsort(table["score"].fillna(-np.inf).to_numpy(), kind="stable")[:n]


def expected_rate_of(model: Any) -> float | None:
    """Return the share of normal rows that is flagged, where rows were held out to know it."""
    from vaetools.anomaly.calibration import flagged_rate

    if not hasattr(model, "calibration_scores_"):
        return None
    return flagged_rate(model.offset_, model.calibration_scores_, model.false_alarm_rate)

"""What takes parts as they stream by: verdicts of all rows together, counts, files of tables."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from vaetools.anomaly.calibration import discovery_rank, flagged_rate, n_discoverable, n_rows_needed
from vaetools.data.ids import as_arrow, as_csv
from vaetools.files import atomically, naming
from vaetools.stream.flow import NORMAL, ODD, Part

_MOST_FOLDERS = 1000  # that are counted one by one
_ITSELF = "."  # as which a folder's own images are counted

Write = Callable[[pd.DataFrame], object]


class Sink:
    """What takes parts as they stream by; a subclass says what it does with one.

    A sink that holds something open overrides ``__enter__`` and ``__exit__`` too, and gives up in the latter
    what `close` has not finished.
    """

    def add(self, part: Part) -> None:
        """Take a part, which has at least one row."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish: all parts have come. Sinks are closed in the order in which they were named."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error: object) -> None:
        pass


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
            return (
                f"no selection is possible: a rate of {100 * self.false_discovery_rate:g} % takes "
                f"{n_rows_needed(self.false_discovery_rate):,} calibration rows or more; the model has "
                f"{n_calibration:,}"
            )
        return (
            f"it takes at least {fewest:,} of {n_rows:,} to tell any from chance, with {n_calibration:,} "
            "calibration rows"
        )

    def words(self) -> str:
        """Return what the verdicts mean, or why there is none."""
        rate = f"{100 * self.false_discovery_rate:g} %"
        return self.why_none or f"selected so that at most {rate} of them are expected to be normal"


class Tally(Sink):
    """Counts rows, and those that are odd, in all and by sub-folder: of good images, of each kind of defect.

    Parameters
    ----------
    model : AE, VAE or CVAE
        Fitted.
    selection : Selection or None, default=None
        Makes the verdicts, once all rows are known.
    folder : str or None, default=None
        Of images, or its address: what lies right below it is counted apart. None counts in all alone.

    Attributes
    ----------
    n_rows, n_odd : int
    threshold : float or None
        The score below which a row is odd.
    false_alarm_rate : float or None
        Share of normal rows that is expected to be odd; None where no rows were held out to know it.
    n_calibration : int
        Rows that were held out for that.
    judged : dict from str to Counter
        By sub-folder: how many of each verdict, or of each p-value if a selection decides.
    """

    def __init__(self, model: Any, selection: Selection | None = None, folder: str | None = None):
        self.selection, self.folder = selection, folder
        self.n_rows = self.n_odd = 0
        self.threshold: float | None = getattr(model, "offset_", None)
        self.n_calibration = len(getattr(model, "calibration_scores_", ()))
        self.false_alarm_rate = expected_rate_of(model)
        self.judged: dict[str, Counter] = {}

    def add(self, part: Part) -> None:
        """Count the rows of a part."""
        self.n_rows += len(part.table)
        self.n_odd += int((part.table["verdict"] == ODD).sum())
        if self.folder is None or len(self.judged) > _MOST_FOLDERS:
            return
        divider = "/" if "://" in self.folder else os.sep
        start = len(self.folder.removesuffix(divider)) + 1
        verdicts = part.table["verdict" if self.selection is None else "p_value"]
        for path, verdict in zip(part.table.iloc[:, 0], verdicts, strict=True):
            name, below, _ = path[start:].partition(divider)
            self.judged.setdefault(name if below else _ITSELF, Counter())[verdict] += 1

    def close(self) -> None:
        """Make the verdicts that need to know all rows."""
        if self.selection is not None:
            self.n_odd, self.threshold = self.selection.n_odd, self.selection.threshold
            self.false_alarm_rate = self.selection.false_alarm_rate

    def folders(self) -> dict[str, dict[str, int]]:
        """Return how many are scored and odd by sub-folder; nothing if it is one, or if they are too many."""
        if not 1 < len(self.judged) <= _MOST_FOLDERS:
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
        return f"; about {self.false_alarm_rate * self.n_rows:,.0f} would be if all were normal"


def expected_rate_of(model: Any) -> float | None:
    """Return the share of normal rows that is flagged, where rows were held out to know it."""
    if not hasattr(model, "calibration_scores_"):
        return None
    return flagged_rate(model.offset_, model.calibration_scores_, model.false_alarm_rate)


class TableFile(Sink):
    """Writes the tables of parts to a CSV or Parquet file, which appears when all is written.

    Parameters
    ----------
    path : str, PathLike or None
        Ends in ``.csv`` or ``.parquet``; None is CSV to standard output.
    selection : Selection or None, default=None
        Whose verdicts are written, of all rows together: until then these are kept on disk.
    form : callable or None, default=None
        What is made of a table before it is written: a function of a DataFrame that returns one.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        selection: Selection | None = None,
        *,
        form: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    ):
        self.path = None if path is None else Path(path)
        self.selection, self.form = selection, form

    def __enter__(self) -> TableFile:
        with contextlib.ExitStack() as stack:
            entered = stack.enter_context
            if self.path is None:
                if hasattr(sys.stdout, "reconfigure"):
                    sys.stdout.reconfigure(encoding="utf-8")  # file names do not ask what a terminal shows
                self._write = _csv_writer(sys.stdout)
            else:
                temporary = entered(atomically(self.path))
                if self.path.suffix.lower() == ".csv":
                    file = stack.enter_context(open(temporary, "w", encoding="utf-8", newline=""))
                    self._write = _csv_writer(file)
                else:
                    self._write = entered(_parquet_file(temporary))
            if self.selection is not None:
                folder = None if self.path is None else self.path.absolute().parent
                self._write = entered(_revised(self._write, self.selection, folder))
            self._open = stack.pop_all()
        return self

    def add(self, part: Part) -> None:
        """Write the table of a part."""
        self._write(part.table if self.form is None else self.form(part.table))

    def close(self) -> None:
        """Let the file appear."""
        self._open.close()

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)


def write_table(path: Path | None, table: pd.DataFrame) -> None:
    """Write one table as `TableFile` does."""
    with TableFile(path) as file:
        file.add(Part(table, table, []))
        file.close()


@contextlib.contextmanager
def _revised(write: Write, selection: Selection, folder: Path | None) -> Iterator[Write]:
    """Give a function that keeps tables on disk until the block ends well; then they are written, judged.

    ``folder`` is where the disk has room; None leaves the choice to the system.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name, "rows.parquet")
        with naming(path), _parquet_file(path) as keep:
            yield keep
        with open(path, "rb") as file:
            for batch in parquet.ParquetFile(file).iter_batches():
                write(selection.judge(batch.to_pandas()))


def _csv_writer(file: Any) -> Write:
    """Return a function that appends a table to CSV, the first with a header.

    Numbers have 10 digits: the noise of rounding, which depends on the machine, lies below.
    """
    headers = iter([True])
    style: Any = {"index": False, "float_format": "%.10g", "lineterminator": "\n"}
    return lambda table: file.write(as_csv(table).to_csv(header=next(headers, False), **style))


@contextlib.contextmanager
def _parquet_file(path: Path) -> Iterator[Write]:
    """Give a function that appends a table to Parquet, which has the types of the first."""
    with open(path, "wb") as file, contextlib.ExitStack() as stack:  # Arrow opens no name beyond UTF-8
        writer: Any = None

        def write(table: pd.DataFrame) -> None:
            nonlocal writer
            rows = as_arrow(table, None if writer is None else writer.schema)
            if writer is None:
                writer = stack.enter_context(parquet.ParquetWriter(file, rows.schema))
            writer.write_table(rows)

        yield write

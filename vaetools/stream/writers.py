"""Tables that grow part by part: to a file that appears when it is whole, or to standard output."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import parquet

from vaetools.data.ids import as_arrow, as_csv
from vaetools.files import atomically, naming
from vaetools.stream.parts import Part, Sink
from vaetools.stream.selection import Selection

Write = Callable[[pd.DataFrame], None]


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
            self._write = stack.enter_context(table_writer(self.path))
            if self.selection is not None:
                folder = None if self.path is None else self.path.absolute().parent
                self._write = stack.enter_context(revised(self._write, self.selection.judge, folder))
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
    with table_writer(path) as write:
        write(table)


@contextlib.contextmanager
def table_writer(path: Path | None) -> Iterator[Write]:
    """Give a function that appends a DataFrame to a CSV or Parquet file; None is CSV to standard output.

    Numbers in CSV have 10 digits: the noise of rounding, which depends on the machine, lies below.
    """
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")  # names of files do not ask what a terminal can show
        yield _CsvWriter(sys.stdout).write
        return
    with atomically(path) as temporary:
        if path.suffix.lower() == ".csv":
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                yield _CsvWriter(file).write
        else:
            with _ParquetWriter(temporary) as writer:
                yield writer.write


@contextlib.contextmanager
def revised(
    write: Write, revise: Callable[[pd.DataFrame], pd.DataFrame], folder: Path | None
) -> Iterator[Write]:
    """Give a function that keeps tables on disk until the block ends well; then they are written, revised.

    ``folder`` is where the disk has room; None leaves the choice to the system.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name, "rows.parquet")
        with naming(path), _ParquetWriter(path) as kept:
            yield kept.write
        with open(path, "rb") as file:
            for batch in parquet.ParquetFile(file).iter_batches():
                write(revise(batch.to_pandas()))


class _CsvWriter:
    """Writes a header with the first table."""

    def __init__(self, file: Any):
        self.file, self.wants_header = file, True

    def write(self, table: pd.DataFrame) -> None:
        text = as_csv(table).to_csv(
            index=False, header=self.wants_header, float_format="%.10g", lineterminator="\n"
        )
        self.file.write(text)
        self.wants_header = False


class _ParquetWriter:
    """Takes its schema from the first table; opens the file itself, for Arrow takes no name beyond UTF-8."""

    def __init__(self, path: Path):
        self.file = open(path, "wb")  # noqa: SIM115 (closed on exit)
        self.writer: Any = None

    def __enter__(self) -> _ParquetWriter:
        return self

    def __exit__(self, *error: object) -> None:
        with self.file:
            if self.writer is not None:
                self.writer.close()

    def write(self, table: pd.DataFrame) -> None:
        rows = as_arrow(table, None if self.writer is None else self.writer.schema)
        if self.writer is None:
            self.writer = parquet.ParquetWriter(self.file, rows.schema)
        self.writer.write_table(rows)

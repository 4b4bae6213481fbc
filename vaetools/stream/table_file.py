"""Tables of parts in files: CSV that runs nothing where it is opened, or Parquet; whole or not at all."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from vaetools.files import atomically, naming
from vaetools.stream.flow import Part
from vaetools.stream.sinks import Selection, Sink
from vaetools.words import readable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # where a spreadsheet begins to calculate

Write = Callable[[pd.DataFrame], object]


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

    def __enter__(self) -> Self:
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


def as_arrow(table: pd.DataFrame, schema: Any = None) -> pa.Table:
    """Return a table as Parquet takes it, of a schema of Arrow, or of the types of its rows."""
    rows = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype):
            rows.isetitem(place, [readable(cell) for cell in table.iloc[:, place]])
    return pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata(None)


def as_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as CSV takes it, with an apostrophe before texts that a spreadsheet takes for a formula.

    A file name or a label of a stranger could otherwise run what it says where CSV is opened. Texts that are
    numbers, such as "-3", stay as they are.

    Examples
    --------
    >>> as_csv(pd.DataFrame({"path": ["=1+2", "a-b", "-3"], "score": [-1.0, 2.0, 3.0]}))
        path  score
    0  '=1+2   -1.0
    1    a-b    2.0
    2     -3    3.0
    """
    result = table.set_axis([_inert(name) for name in table.columns], axis=1)
    for place, dtype in enumerate(table.dtypes):
        if pd.api.types.is_object_dtype(dtype):
            result.isetitem(place, [_inert(readable(cell)) for cell in table.iloc[:, place]])
        elif pd.api.types.is_string_dtype(dtype):
            result.isetitem(place, [_inert(cell) for cell in table.iloc[:, place]])
    return result


def _inert(cell: Any) -> Any:
    """Return a cell; a text that begins as a formula, and is no number, with an apostrophe before it."""
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell

"""Tables that grow batch by batch: to a file that appears when it is whole, or to standard output."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    Write = Any  # a function of a DataFrame

SUFFIXES = (".csv", ".parquet")
_LEAST_ROOM = 1_000_000  # bytes that any file may need


def check_output(
    path: Path | None, suffixes: tuple[str, ...], inputs: Sequence[Any] = (), option: str = "--output"
) -> None:
    """Raise, before any work is done, where a file cannot be written at the end, or is an input too."""
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise click.BadParameter(
            f"must end in {' or '.join(suffixes)}; got {str(path)!r}.", param_hint=option
        )
    if not path.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder of {str(path)!r} does not exist.", param_hint=option)
    if os.path.realpath(path) in {os.path.realpath(other) for other in inputs if other is not None}:
        raise click.BadParameter(f"{str(path)!r} is an input too, and would be lost.", param_hint=option)
    check_apart(path, inputs, option, _would_read)
    try:
        with tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent):
            pass
    except OSError as error:
        raise click.BadParameter(
            f"{str(path)!r} cannot be written: {error.strerror}.", param_hint=option
        ) from None
    check_room(path, _LEAST_ROOM, option)


def check_apart(
    path: Path, inputs: Sequence[Any], option: str, would_read: Callable[[Path, Any], bool] = lambda *_: True
) -> None:
    """Raise where something would lie in a folder that is an input, and be read with it from then on."""
    place = Path(os.path.realpath(path))
    for folder in filter(None, inputs):
        top = Path(os.path.realpath(folder))
        if top.is_dir() and top in (place, *place.parents) and would_read(path, folder):
            raise click.BadParameter(
                f"{str(path)!r} lies in {str(folder)!r}, and would be read as data from then on. Name "
                "another folder.",
                param_hint=option,
            )


def _would_read(path: Path, folder: Any) -> bool:
    """Return whether a file of this name is read where it lies in a folder of data."""
    from vaetools.data.formats import EXTENSIONS
    from vaetools.data.recognition import kind_of
    from vaetools.data.table_formats import table_format

    is_table = table_format(path) is not None
    return path.suffix.lower() in EXTENSIONS or (is_table and kind_of(folder) == "table")


def check_room(path: Path, n_bytes: int, option: str = "--output") -> None:
    """Raise, before any work is done, where a disk has too little room for a file of about so many bytes."""
    folder = Path(os.path.realpath(path)).parent
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise click.BadParameter(
            f"{str(path)!r} will take about {n_bytes / 1e6:,.0f} MB, and {free / 1e6:,.1f} MB are left "
            "there. Make room, or name a file on another disk.",
            param_hint=option,
        )


def check_any(n_rows: int, failed: Sequence[Any], data: Sequence[str]) -> None:
    """Raise, before a file without rows is written, where nothing could be read."""
    from vaetools.data.batches import where

    if not n_rows:
        first = "".join(f"; the first: {where(name)}: {reason}" for name, reason in failed[:1])
        raise click.ClickException(f"{data[0]}: there is nothing that could be read{first}.")


@contextlib.contextmanager
def open_table_writer(path: Path | None) -> Iterator[Write]:
    """Give a function that appends a DataFrame to a CSV or Parquet file; None is CSV to standard output.

    Numbers in CSV have 10 digits: the noise of rounding, which depends on the machine, lies below.
    """
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")  # names of files do not ask what a terminal can show
        yield _CsvWriter(sys.stdout).write
        return
    from vaetools.files import atomically

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
    from vaetools.files import naming

    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name, "rows.parquet")
        with naming(path), _ParquetWriter(path) as kept:
            yield kept.write
        from pyarrow import parquet

        with open(path, "rb") as file:
            for batch in parquet.ParquetFile(file).iter_batches():
                write(revise(batch.to_pandas()))


class _CsvWriter:
    """Writes a header with the first table."""

    def __init__(self, file: Any):
        self.file, self.wants_header = file, True

    def write(self, table: pd.DataFrame) -> None:
        from vaetools.data.ids import with_readable_texts, without_formulas

        text = without_formulas(with_readable_texts(table)).to_csv(
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
        from pyarrow import parquet

        from vaetools.data.ids import as_arrow

        rows = as_arrow(table, None if self.writer is None else self.writer.schema)
        if self.writer is None:
            self.writer = parquet.ParquetWriter(self.file, rows.schema)
        self.writer.write_table(rows)

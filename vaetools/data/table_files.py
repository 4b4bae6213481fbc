"""CSV and Parquet files → blocks of cells, as they came; `tables` decides what becomes of them."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import reprlib
import textwrap
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow
from pyarrow import parquet

from vaetools.data.batches import Failure
from vaetools.data.cells import first_type, parsed_numbers, values_of
from vaetools.data.idx import open_unzipped
from vaetools.data.kinds import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    Kind,
    learn_kinds,
    plain_type,
    without_missing,
)

SEPARATORS = (",", ";", "\t", "|")
BLOCK = 2**21  # characters of CSV read at once
MAX_ROW = 2**24  # characters, of the header too
_NUMBERS = (INTEGER, NUMBER, BOOLEAN)


class Block(NamedTuple):
    """Some rows as they came.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Their numbers, from 0.
    features : list of arrays of Arrow
        Cells, column by column: of CSV text, of Parquet in the type they have.
    beside : list of arrays of Arrow
        Cells of other columns.
    lost : list of Failure
        Rows that are left out, for they have too many or too few cells.
    """

    rows: np.ndarray
    features: list
    beside: list
    lost: list[Failure]


class CsvFile:
    """A CSV file.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    names : list of str
        Of all columns.
    n_rows, group_rows : None
        Only reading would tell.
    typed : bool
        False: whether a column is numbers shows cell by cell.
    """

    n_rows = group_rows = None
    typed = False

    def __init__(self, path: Path):
        self.path = path
        separators = SEPARATORS[::-1] if ".tsv" in path.suffixes else SEPARATORS
        with readable(path, "CSV"), self._open() as text:
            if "\0" in text.read(2**16):
                raise ValueError(f"{path}: not a CSV file in UTF-8: it holds zero bytes.")
            headers = {separator: _read_header(text, separator) for separator in separators}
        self._separator = next((s for s, names in headers.items() if len(names) > 1), separators[0])
        self.names = headers[self._separator]
        if not self.names:
            raise ValueError(f"{path}: a table must start with the names of its columns; got no text.")

    def not_numbers(self, features: list[str]) -> dict[str, str]:
        """Return the features of which at most half the first cells are numbers, with one that is none."""
        lost: list[Failure] = []
        for block in self.blocks(features, ()):
            lost += block.lost
            if len(block.rows):
                break
        else:
            came = f"row 0 that {lost[0].reason}" if lost else "only a header"
            raise ValueError(f"{self.path}: a table must have rows like its header; got {came}.")
        X, words = parsed_numbers(block.features)
        first = {column: word for (_, column), word in reversed(words.items())}
        n_words = np.bincount([column for _, column in words], minlength=len(features))
        n_numbers = np.count_nonzero(~np.isnan(X), axis=0)
        return {
            features[column]: reprlib.repr(first[column]) if column in first else "empty"
            for column in np.flatnonzero(n_words >= n_numbers).tolist()
        }

    def kinds(self, features: list[str], as_text: Collection[str]) -> dict[str, Kind]:
        """Return what all cells of features together say that these are."""
        return learn_kinds((block.features for block in self.blocks(features, ())), features, as_text)

    def misfits(self, kinds: Mapping[str, Kind]) -> dict[str, str]:
        """Return no columns: whether text is of a kind shows cell by cell."""
        return {}

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows in order, as text."""
        place = {name: str(i) for i, name in enumerate(self.names)}
        keys, others = ([place[name] for name in names] for names in (features, beside))
        stop = 0
        with readable(self.path, "CSV"), self._open() as text:
            _read_header(text, self._separator)
            for piece in _whole_rows(text, self._separator):
                table, lost = self._parse(piece, [*keys, *others], stop)
                start, stop = stop, stop + table.num_rows + len(lost)
                rows = np.delete(np.arange(start, stop), [row - start for row in lost])
                for low in range(start, stop, n_rows):
                    first, last = np.searchsorted(rows, [low, low + n_rows])
                    part = table.slice(first, last - first)
                    between = [Failure(row, lost[row]) for row in lost if low <= row < low + n_rows]
                    cells = [part[key].combine_chunks() for key in others]
                    yield Block(rows[first:last], [part[key] for key in keys], cells, between)

    def labels(self, cells: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return labels that are not missing, and where one is missing.

        They are of the first type that holds them all: integers, floats, booleans, text.
        """
        cells = without_missing(cells)
        return values_of(first_type(cells.drop_null())), np.asarray(cells.is_null())

    def _open(self) -> io.TextIOWrapper:
        """Open the file; a byte that is not UTF-8 becomes a backslash, x and its two digits."""
        return io.TextIOWrapper(open_unzipped(self.path), encoding="utf-8-sig", errors="backslashreplace")

    def _parse(self, piece: str, wanted: list[str], start: int) -> tuple[Any, dict[int, str]]:
        """Return columns as text, named by their places; and which rows are left out, with the reason."""

        def skip(row: Any) -> str:
            lost[start + row.number - 1] = f"has {row.actual_columns} cells instead of {row.expected_columns}"
            return "skip"

        lost: dict[int, str] = {}
        data = piece.encode()
        names = [str(i) for i in range(len(self.names))]
        wanted = list(dict.fromkeys(wanted))
        table = arrow.read_csv(
            pa.py_buffer(data),
            # with more threads, a row that is skipped has no number
            arrow.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            arrow.ParseOptions(delimiter=self._separator, newlines_in_values=True, invalid_row_handler=skip),
            arrow.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted),
        )
        return table, lost


class ParquetFile:
    """A Parquet file, or some of its row groups.

    Parameters
    ----------
    path : Path
    filesystem : pyarrow.fs.FileSystem or None, default=None
        None is that of this machine.
    groups : range or None, default=None
        Of row groups; rows are counted from the first of them. None is all.

    Attributes
    ----------
    names : list of str
        Of all columns.
    group_rows : list of int
        Rows of every group.
    n_rows : int
    typed : bool
        True: the types of its columns are known.
    """

    typed = True

    def __init__(self, path: Path, filesystem: Any = None, groups: range | None = None):
        self.path = path
        self._filesystem = filesystem
        with self._open() as file:
            self._groups = range(file.num_row_groups) if groups is None else groups
            self.group_rows: list[int] = [file.metadata.row_group(i).num_rows for i in self._groups]
            self.n_rows = sum(self.group_rows)
            self.names: list[str] = file.schema_arrow.names
            self._written_types = dict(zip(self.names, file.schema_arrow.types, strict=True))
            self._types = {name: plain_type(kind) for name, kind in self._written_types.items()}
            self._categories = _categories(file.schema_arrow)

    def not_numbers(self, features: list[str]) -> dict[str, str]:
        """Return the features that are not columns of numbers, with the type of each."""
        return self._listed(name for name in features if self._types[name] not in _NUMBERS)

    def kinds(self, features: list[str], as_text: Collection[str]) -> dict[str, Kind]:
        """Return what the types of features say that these are; text is what `misfits` will name, too."""
        known = {kind: kind for kind in _NUMBERS} | {NULL: NUMBER}

        def kind_of(name: str) -> Kind:
            is_category = name in self._categories or name in as_text
            return Kind(known.get(self._types[name], TEXT), () if is_category else None)

        return {name: kind_of(name) for name in features}

    def misfits(self, kinds: Mapping[str, Kind]) -> dict[str, str]:
        """Return the columns that are of another kind, with the type of each."""

        def fits(name: str, kind: Any) -> bool:
            numbers = kind in _NUMBERS and self._types[name] in _NUMBERS
            return numbers or self._types[name] in (kind, NULL)

        return self._listed(name for name, kind in kinds.items() if not fits(name, kind.type))

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows in order."""
        names = [*features, *beside]
        stop = 0
        with self._open() as file:
            for batch in file.iter_batches(n_rows, row_groups=self._groups, columns=names):
                start, stop = stop, stop + batch.num_rows
                cells, others = ([batch.column(name) for name in each] for each in (features, beside))
                yield Block(np.arange(start, stop), cells, others, [])

    def labels(self, cells: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return labels that are not missing, as text unless they are numbers, and where one is missing."""
        missing = np.asarray(cells.is_null(nan_is_null=True))
        return values_of(cells.filter(~missing)), missing

    def _listed(self, names: Iterable[str]) -> dict[str, str]:
        """Return columns with the type of each."""
        return {name: textwrap.shorten(str(self._written_types[name]), 40) for name in names}

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        """Open the file so that it is read in pieces, however large its groups of rows are.

        From elsewhere whole groups are read, with few requests.
        """
        options: dict[str, Any] = {"buffer_size": 2**20, "pre_buffer": False}
        source: Any = self.path
        if self._filesystem is not None:
            source, options = str(self.path), {"pre_buffer": True, "filesystem": self._filesystem}
        with readable(self.path, "Parquet"), parquet.ParquetFile(source, **options) as file:
            yield file


def _categories(schema: Any) -> set[str]:
    """Return the columns of Parquet that are categories: of text by their type, of others pandas noted it."""
    coded = {field.name for field in schema if pa.types.is_dictionary(field.type)}
    noted = (schema.pandas_metadata or {}).get("columns", [])
    return coded | {column["name"] for column in noted if column["pandas_type"] == "categorical"}


@contextlib.contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn the errors of libraries at a damaged file into one; that there is no file stays its own."""
    try:
        yield
    except (pa.ArrowException, csv.Error, zlib.error, EOFError, UnicodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ValueError(f"{path}: not a readable {kind} file: {str(error).splitlines()[0]}.") from None


def _read_header(text: io.TextIOWrapper, separator: str) -> list[str]:
    """Return the names in the first line that is not empty, and stop behind it."""

    def lines() -> Iterator[str]:
        while line := text.readline(MAX_ROW):
            if len(line) == MAX_ROW:
                raise csv.Error(f"its first line is longer than {MAX_ROW:,} characters")
            yield line

    text.seek(0)
    return next(filter(None, csv.reader(lines(), delimiter=separator)), [])


def _whole_rows(text: io.TextIOWrapper, separator: str) -> Iterator[str]:
    """Yield the rest of a text in pieces that end where rows end."""
    cell = rf'(?:"(?:[^"]++|"")*+"|(?!"))[^{separator}\n]*+'
    rows = re.compile(rf"(?:(?:{cell}{separator})*+{cell}\n)*+")  # possessive: in linear time
    piece = ""
    while more := text.read(BLOCK):
        piece += more
        if len(more) < BLOCK:  # the last, where a row may end without a new line
            end = len(piece)
        else:
            match = rows.match(piece) if '"' in piece else None
            end = match.end() if match else piece.rfind("\n") + 1
        if end:
            yield piece[:end]
        piece = piece[end:]
        if len(piece) > MAX_ROW:
            raise csv.Error(f"a row is longer than {MAX_ROW:,} characters; is a quote never closed?")
    if piece:
        yield piece

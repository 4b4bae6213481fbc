"""Parquet, Arrow and Excel files → blocks of cells in the types that they have."""

import contextlib
import mmap
import os
import textwrap
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import ipc, parquet

from vaetools.data.addresses import Address
from vaetools.data.batches import Block
from vaetools.data.dialect import BOOLEAN, INTEGER, NULL, NUMBER, TEXT, Dialect, Kind, plain_type
from vaetools.data.encodings import readable
from vaetools.data.table_columns import is_index

_NUMBERS = (INTEGER, NUMBER, BOOLEAN)
_NOT_NOTED = (ValueError, KeyError, TypeError, AttributeError)  # no JSON as pandas writes it
_SAMPLED = 65536  # rows that tell what numbers mean
_MAX_WORKBOOK = 2**28  # bytes that Excel's files may unpack to: they are read whole


class TypedFile:
    """A file whose columns have types; a subclass reads batches of Arrow.

    Attributes
    ----------
    names : list of str
        Of all columns.
    n_rows : int or None
    group_rows : list of int or None
        Rows of every row group of Parquet; None for other files.
    typed : bool
        True: the types of its columns are known.
    notes : sequence of str
        What else is to be said of it, a sentence each.
    """

    typed = True
    notes: Sequence[str] = ()
    dialect = None
    n_rows: int | None = None
    group_rows: list[int] | None = None

    def __init__(self, path: Path | Address, schema: pa.Schema):
        self.path = path
        self.names: list[str] = schema.names
        self._written_types = dict(zip(self.names, schema.types, strict=True))
        self._types = {name: plain_type(kind) for name, kind in self._written_types.items()}
        noted: Any = {}
        with contextlib.suppress(*_NOT_NOTED):
            noted = schema.pandas_metadata or {}
        self._categories = {field.name for field in schema if pa.types.is_dictionary(field.type)}
        with contextlib.suppress(*_NOT_NOTED):  # of others than text pandas noted that they are categories
            columns = noted.get("columns", [])
            self._categories |= {each["name"] for each in columns if each["pandas_type"] == "categorical"}
        self._indices: set[str] = set()
        with contextlib.suppress(*_NOT_NOTED):  # with a name
            self._indices = {name for name in noted.get("index_columns", []) if isinstance(name, str)}

    def batches(self, names: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns in order."""
        raise NotImplementedError

    def sample(self, features: list[str]) -> dict[str, Any]:
        """Return the first cells of features that are numbers; none of a damaged file: reading it tells."""
        numbers = [name for name in features if self._types[name] in (INTEGER, NUMBER)]
        batch = None
        with contextlib.suppress(ValueError):
            batch = next(self.batches(numbers, _SAMPLED), None) if numbers else None
        return {} if batch is None else {name: batch.column(name) for name in numbers}

    def not_numbers(self, features: list[str], dialect: Dialect | None) -> dict[str, str]:
        """Return the features that are not columns of numbers, with the type of each."""
        return self._listed(name for name in features if self._types[name] not in _NUMBERS)

    def kinds(self, features: list[str], as_text: Collection[str]) -> dict[str, Kind]:
        """Return what the types of features say that these are; text is what `misfits` will name, too."""
        known = {kind: kind for kind in _NUMBERS} | {NULL: NUMBER}
        coded = {*self._categories, *as_text}
        return {
            name: Kind(known.get(self._types[name], TEXT), () if name in coded else None) for name in features
        }

    def misfits(self, kinds: Mapping[str, Kind]) -> dict[str, str]:
        """Return the columns that are of another kind, with the type of each."""
        fitting = {
            name: (*_NUMBERS, NULL) if kind.type in _NUMBERS else (kind.type, NULL)
            for name, kind in kinds.items()
        }
        return self._listed(name for name in kinds if self._types[name] not in fitting[name])

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows in order."""
        stop = 0
        for batch in self.batches(list(dict.fromkeys([*features, *beside])), n_rows):
            start, stop = stop, stop + batch.num_rows
            cells, others = ([batch.column(name) for name in each] for each in (features, beside))
            yield Block(np.arange(start, stop), cells, others, [])

    def index_columns(self) -> list[tuple[str, str]]:
        """Return the columns that are an index, by name and in words."""
        return [
            (name, repr(name) if name else f"column {place}, which has no name")
            for place, name in enumerate(self.names, 1)
            if is_index(name) or name in self._indices
        ]

    def _listed(self, names: Iterable[str]) -> dict[str, str]:
        """Return columns with the type of each."""
        return {name: textwrap.shorten(str(self._written_types[name]), 40) for name in names}


class ParquetFile(TypedFile):
    """A Parquet file, or some of its row groups, from the first of which rows are counted."""

    def __init__(self, path: Path | Address, groups: range | None = None):
        self.path = path
        with self._open() as file:
            super().__init__(path, file.schema_arrow)
            self._groups = range(file.num_row_groups) if groups is None else groups
            self.group_rows = [file.metadata.row_group(i).num_rows for i in self._groups]
            self.n_rows = sum(self.group_rows)

    def batches(self, names: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns in order."""
        with self._open() as file:
            yield from file.iter_batches(n_rows, row_groups=self._groups, columns=names)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        """Open the file so that it is read in pieces, however large its groups of rows are.

        From elsewhere whole groups are read, with few requests. Here Python opens it: Arrow takes no name
        beyond UTF-8.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(readable(self.path, "Parquet"))
            if isinstance(self.path, Address):
                filesystem = self.path.filesystem
                file = parquet.ParquetFile(self.path.path, pre_buffer=True, filesystem=filesystem)
            else:
                source = stack.enter_context(open(self.path, "rb"))
                file = parquet.ParquetFile(source, buffer_size=2**20, pre_buffer=False)
            yield stack.enter_context(file)


class ArrowFile(TypedFile):
    """A file of Arrow, which Feather is too, or a stream of Arrow in a file."""

    def __init__(self, path: Path):
        self.path = path
        with self._open() as reader:
            super().__init__(path, reader.schema)

    def batches(self, names: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns in order."""
        with self._open([self.names.index(name) for name in names]) as reader:
            is_stream = isinstance(reader, ipc.RecordBatchStreamReader)
            whole = reader if is_stream else map(reader.get_batch, range(reader.num_record_batches))
            for batch in whole:
                batch.validate(full=True)  # or what the file says of places would be believed
                for start in range(0, batch.num_rows, n_rows):
                    yield batch.slice(start, n_rows)

    @contextlib.contextmanager
    def _open(self, places: list[int] | None = None) -> Iterator[Any]:
        """Open the file to read columns at some places, all if there are none."""
        options = ipc.IpcReadOptions(included_fields=places or [])
        with readable(self.path, "Arrow"):
            content = pa.py_buffer(b"")  # an empty file cannot be mapped
            with open(self.path, "rb") as file:
                if os.fstat(file.fileno()).st_size:
                    content = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            is_file = content.slice(0, 6).to_pybytes() == b"ARROW1"
            with (ipc.open_file if is_file else ipc.open_stream)(content, options=options) as reader:
                yield reader


class ExcelFile(TypedFile):
    """The first sheet of a workbook of Excel, which is read into memory."""

    def __init__(self, path: Path):
        sheet, names = _first_sheet(path)
        self._table = pa.Table.from_pandas(sheet, preserve_index=False)
        super().__init__(path, self._table.schema)
        self.n_rows = self._table.num_rows
        self.notes = [f"Read: the first of {len(names)} sheets, {names[0]!r}."] if len(names) > 1 else []

    def batches(self, names: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns in order."""
        yield from self._table.select(names).to_batches(n_rows)


def _first_sheet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return a sheet as a table whose columns are each of one type, and the names of all sheets."""
    with open(path, "rb"):  # that there is no file is an error of its own
        pass
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > _MAX_WORKBOOK:
            raise ValueError(f"its {size:,} bytes are too many to be read at once: save it as CSV")
        with pd.ExcelFile(path) as book:
            names = list(map(str, book.sheet_names))
            sheet = pd.read_excel(book)
    except ImportError:
        raise ValueError(
            f"{path}: workbooks of Excel are read with the package openpyxl; it is not installed. Run pip "
            "install openpyxl, or save the sheet as CSV."
        ) from None
    except Exception as error:  # a dozen kinds, of the packages that read it
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: not a readable Excel file: {reason}.") from None
    sheet.columns = [str(name) for name in sheet.columns]
    mixed = [name for name, kind in sheet.dtypes.items() if kind == np.dtype(object)]
    return sheet.astype(dict.fromkeys(mixed, "string")), names

"""Files in pieces, plain descriptions of rows, and the worker that scores one after the other."""

import dataclasses
import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from vaetools.data.addresses import is_address
from vaetools.data.batches import Batch, Failure
from vaetools.data.dialect import Kind
from vaetools.data.formats import is_parquet
from vaetools.data.listing import Listing, list_images
from vaetools.data.path_lists import as_paths
from vaetools.data.sources import check_choice, kind_of, named
from vaetools.data.tables import Table, list_tables, open_table
from vaetools.persistence.model_file import load
from vaetools.stream.flow import part_of, verdicts
from vaetools.stream.preparing import prepared
from vaetools.stream.sinks import Tally
from vaetools.stream.table_file import as_arrow

MAX_ROWS = 2**14  # of a piece, and so of a file that is written
MAX_VALUES = 2**29  # of a piece, so that a worker soon has something to show for it
_PIECES_PER_WORKER = 16  # at least, so that all end at about the same time
_OPENERS = 16  # Parquet files whose ends are read at once


@dataclasses.dataclass(frozen=True, eq=False)
class RowReader:
    """How workers read pieces.

    Attributes
    ----------
    kind : {"images", "table"}
    columns : list of str, dict from str to Kind, or None
        Features of a table.
    id_column : str or None
    n_features : int
        Values in a row.
    folder : str or None
        Of images: the folder that all lie in, if it was named.
    """

    kind: str
    columns: list[str] | dict[str, Kind] | None
    id_column: str | None
    n_features: int
    folder: str | None = None

    @property
    def id_name(self) -> str:
        """What ids are: ``"path"``, ``"row"`` or a column of the table."""
        return "path" if self.kind == "images" else self.id_column or "row"

    def batches(self, piece: dict[str, Any], reader: Any) -> Iterator[Batch]:
        """Yield the rows of a piece, in bounded memory; images with a fitted ImageReader."""
        if self.kind == "images":
            yield from reader.batches(piece["paths"], piece["paths"])
            return
        table = self.open(piece["paths"][0], range(*piece["groups"]))
        for ids, X, failed in table.batches():
            first = piece["first"]
            numbered = ids if self.id_column is not None else [first + row for row in ids]
            yield Batch(numbered, X, [Failure(first + int(row), reason) for row, reason in failed])

    def open(self, path: str, groups: range | None = None) -> Table:
        """Return a Parquet file, or a part of it, that has the columns."""
        known: dict[str, Any] = {"columns": self.columns, "n_features": self.n_features}
        return open_table(path, id_column=self.id_column, groups=groups, **known)


def find_files(
    data: Any, *, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()
) -> tuple[str, Listing]:
    """Return which images or Parquet files a user means, "images" or "table", and where they are."""
    names = as_paths(data)
    if not names:
        raise FileNotFoundError("an empty list: there is no image.")
    kind = "table" if all(map(is_parquet, names)) else kind_of(names)
    if kind == "array":
        raise ValueError(f"{names[0]}: Ray takes images and Parquet files; got another {kind}.")
    check_choice(names, kind, include, exclude)
    if kind == "images":
        return kind, list_images(names, include=include, exclude=exclude)
    listing = list_tables(names)
    if not listing.paths:
        raise FileNotFoundError(f"{named(names)}: a folder without Parquet files.")
    if other := next((path for path in listing.paths if not is_parquet(path)), None):
        raise ValueError(f"{other}: Ray takes images and Parquet files; got another table.")
    here = [path for path in listing.paths if not is_address(path)]
    if missing := next((path for path in here if not os.path.exists(path)), None):
        raise FileNotFoundError(f"{missing}: no such file or folder.")
    return kind, listing


def plan(paths: list[str], read: RowReader, n_workers: int) -> tuple[list[dict[str, Any]], bool]:
    """Cut files into pieces, small enough for all workers to have some; a row group is never cut.

    A piece is a dict of plain values: ``first`` is the number of its first row among all, ``n_rows`` how many
    it has, ``paths`` its files, and ``groups`` the first and the last of a Parquet file's row groups, counted
    as `range` does. Also tells whether columns of a table are taken by position.
    """
    if read.kind == "images":
        n = _piece_rows(len(paths), n_workers, read.n_features)
        parts = {start: paths[start : start + n] for start in range(0, len(paths), n)}
        return [_piece(first, len(part), part, []) for first, part in parts.items()], False
    with ThreadPoolExecutor(_OPENERS) as pool:
        tables = list(pool.map(read.open, paths))
    groups = [table.group_rows or [] for table in tables]
    n, first, pieces = _piece_rows(sum(map(sum, groups)), n_workers, read.n_features), 0, []
    for path, sizes in zip(paths, groups, strict=True):
        for part in _together(sizes, n):
            n_rows = sum(sizes[part.start : part.stop])
            pieces.append(_piece(first, n_rows, [path], [part.start, part.stop]))
            first += n_rows
    return pieces, any(table.by_position for table in tables)


def _piece(first: int, n_rows: int, paths: list[str], groups: list[int]) -> dict[str, Any]:
    return {"first": first, "n_rows": n_rows, "paths": paths, "groups": groups}


def _piece_rows(n_rows: int, n_workers: int, n_features: int) -> int:
    share = -(-n_rows // (_PIECES_PER_WORKER * n_workers))
    return max(1, min(MAX_ROWS, MAX_VALUES // n_features, share))


def _together(sizes: list[int], n: int) -> Iterator[range]:
    """Yield neighbors that have n rows together, or as few more as can be.

    Examples
    --------
    >>> list(_together([5, 5, 20, 5], 10))
    [range(0, 2), range(2, 3), range(3, 4)]
    """
    start = 0
    for stop in range(1, len(sizes) + 1):
        if sum(sizes[start:stop]) >= n or stop == len(sizes):
            yield range(start, stop)
            start = stop


class Worker:
    """What an actor of Ray does: load the model once, then score and write piece after piece."""

    def __init__(self, model: bytes, device: str, read: RowReader, filesystem: Any, folder: str):
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, "model.safetensors")
            path.write_bytes(model)
            self.reader, self.model, _ = prepared(load(path, device=device), read.kind, "")
        if self.reader is not None:
            self.reader.set_params(n_jobs=1, verbose=0)
        self.read, self.filesystem, self.folder = read, filesystem, folder

    def __call__(self, pieces: pa.Table) -> pa.Table:
        """Return a receipt for every piece; what is wrong with the data is no failure of a worker."""
        return packed([self._receipt(piece) for piece in unpacked(pieces)])

    def _receipt(self, piece: dict[str, Any]) -> dict[str, Any]:
        """Write the scores of a piece to a file that is named after it, and say what came of it."""
        tables: list[pa.Table] = []
        failed: list[Failure] = []
        tally = Tally(self.model, folder=self.read.folder)
        try:
            for batch in self.read.batches(piece, self.reader):
                part = part_of(self.model, batch, self.read.id_name, verdicts)
                failed += part.failed
                if len(part.table):
                    tally.add(part)
                    tables.append(as_arrow(part.table))
        except ValueError as error:
            return {"first": piece["first"], "error": str(error)}
        if tables:
            path = f"{self.folder}/{file_name(piece)}"
            parquet.write_table(pa.concat_tables(tables), path, filesystem=self.filesystem)
        counts = {"n_rows": tally.n_rows, "n_odd": tally.n_odd, "judged": tally.judged}
        return {"first": piece["first"], "error": None, "failed": failed} | counts


def packed(things: list[dict[str, Any]]) -> pa.Table:
    """Return pieces or receipts as rows of a table, which is what travels between machines."""
    return pa.table({"": [pickle.dumps(thing) for thing in things]})


def unpacked(table: pa.Table) -> list[dict[str, Any]]:
    """Return what was packed."""
    return [pickle.loads(row) for row in table[0].to_pylist()]


def file_name(piece: dict[str, Any]) -> str:
    """Return the name of the file for a piece, or for its receipt: names sort as the rows do."""
    return f"part-{piece['first']:012}.parquet"

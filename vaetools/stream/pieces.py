"""Files in pieces, of which a worker reads one after the other: plain descriptions, and their rows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vaetools.cluster.storage import Found, fetched
from vaetools.data.batches import Batch, Failure, regroup
from vaetools.data.kinds import Kind
from vaetools.data.reader import ImageReader
from vaetools.data.tables import Table, open_table

MAX_ROWS = 2**14  # of a piece, and so of a file that is written
MAX_VALUES = 2**29  # of a piece, so that a worker soon has something to show for it
_PIECES_PER_WORKER = 16  # at least, so that all end at about the same time
_OPENERS = 16  # Parquet files whose ends are read at once


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What is to be read, in pieces.

    A piece is a dict of plain values: ``first`` is the number of its first row among all, ``paths`` its
    files as bytes, and ``groups`` the first and the last of a Parquet file's row groups, counted as
    `range` does.

    Attributes
    ----------
    n_rows : int
        Of all pieces.
    pieces : list of dict
    read : RowReader
        Reads one.
    by_position : bool
        Whether columns of a table are taken by position.
    """

    n_rows: int
    pieces: list[dict[str, Any]]
    read: RowReader
    by_position: bool


@dataclasses.dataclass(frozen=True, eq=False)
class RowReader:
    """How workers read pieces.

    Attributes
    ----------
    kind : {"images", "table"}
    filesystem : pyarrow.fs.FileSystem or None
    prefix : str
        As `Found` has them.
    columns : list of str, dict from str to Kind, or None
        Features of a table.
    id_column : str or None
    n_features : int
        Values in a row.
    folder : str or None
        Of images: the folder that all lie in, if it was named.
    """

    kind: str
    filesystem: Any
    prefix: str
    columns: list[str] | dict[str, Kind] | None
    id_column: str | None
    n_features: int
    folder: str | None = None

    @property
    def id_name(self) -> str:
        """What ids are: ``"path"``, ``"row"`` or a column of the table."""
        return "path" if self.kind == "images" else self.id_column or "row"

    def batches(self, piece: dict[str, Any], reader: ImageReader | None) -> Iterator[Batch]:
        """Yield the rows of a piece, in bounded memory."""
        paths = [os.fsdecode(path) for path in piece["paths"]]
        if self.kind == "images":
            yield from self._image_batches(paths, reader)
            return
        table = self.open(paths[0], range(*piece["groups"]))
        for ids, X, failed in table.batches():
            first = piece["first"]
            numbered = ids if self.id_column is not None else [first + row for row in ids]
            yield Batch(numbered, X, [Failure(first + int(row), reason) for row, reason in failed])

    def open(self, path: str, groups: range | None = None) -> Table:
        """Return a Parquet file, or a part of it, that has the columns."""
        return open_table(
            path,
            columns=self.columns,
            n_features=self.n_features,
            id_column=self.id_column,
            filesystem=self.filesystem,
            groups=groups,
        )

    def _image_batches(self, paths: list[str], reader: Any) -> Iterator[Batch]:
        names = [self.prefix + path for path in paths]
        if self.filesystem is None:
            yield from reader.batches(paths, names)
            return

        def decoded() -> Iterator[Batch]:
            start = 0
            for contents in fetched(self.filesystem, paths):
                yield from reader.batches(contents, names[start : start + len(contents)])
                start += len(contents)

        yield from regroup(decoded(), reader._batch_rows)


def plan(
    found: Found,
    columns: list[str] | dict[str, Kind] | None,
    id_column: str | None,
    n_workers: int,
    n_features: int,
) -> Plan:
    """Cut files into pieces.

    Parameters
    ----------
    found : Found
    columns : list of str, dict from str to Kind, or None
        Features of a table; None takes all its columns.
    id_column : str or None
        Column of a table that names its rows.
    n_workers : int
        Pieces are small enough for all to have some. A row group of a Parquet file is never cut.
    n_features : int
        Values in a row; a piece has at most `MAX_VALUES`, and `MAX_ROWS` rows.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ValueError
        If a table is damaged, or lacks a column.
    """
    read = RowReader(found.kind, found.filesystem, found.prefix, columns, id_column, n_features, found.folder)
    if found.kind == "images":
        n_rows = len(found.paths)
        n = _piece_rows(n_rows, n_workers, n_features)
        pieces = [_piece(start, found.paths[start : start + n], []) for start in range(0, n_rows, n)]
        return Plan(n_rows, pieces, read, by_position=False)
    with ThreadPoolExecutor(_OPENERS) as pool:
        tables = list(pool.map(read.open, found.paths))
    groups = [table.group_rows or [] for table in tables]
    n_rows = sum(map(sum, groups))
    n, first, pieces = _piece_rows(n_rows, n_workers, n_features), 0, []
    for path, sizes in zip(found.paths, groups, strict=True):
        for part in _together(sizes, n):
            pieces.append(_piece(first, [path], [part.start, part.stop]))
            first += sum(sizes[part.start : part.stop])
    return Plan(n_rows, pieces, read, any(table.by_position for table in tables))


def _piece_rows(n_rows: int, n_workers: int, n_features: int) -> int:
    share = -(-n_rows // (_PIECES_PER_WORKER * n_workers))
    return max(1, min(MAX_ROWS, MAX_VALUES // n_features, share))


def _piece(first: int, paths: list[str], groups: list[int]) -> dict[str, Any]:
    return {"first": first, "paths": [os.fsencode(path) for path in paths], "groups": groups}


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

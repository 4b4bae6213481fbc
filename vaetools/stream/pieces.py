"""Files in pieces, of which a worker reads one after the other: plain descriptions, and their rows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vaetools.data.addresses import is_address
from vaetools.data.batches import Batch, Failure
from vaetools.data.kinds import Kind
from vaetools.data.listing import Listing, is_parquet, list_images, list_tables
from vaetools.data.path_lists import as_paths
from vaetools.data.sources import check_choice, kind_of
from vaetools.data.tables import Table, open_table

MAX_ROWS = 2**14  # of a piece, and so of a file that is written
MAX_VALUES = 2**29  # of a piece, so that a worker soon has something to show for it
_PIECES_PER_WORKER = 16  # at least, so that all end at about the same time
_OPENERS = 16  # Parquet files whose ends are read at once


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What is to be read, in pieces.

    A piece is a dict of plain values: ``first`` is the number of its first row among all, ``paths`` its
    files, and ``groups`` the first and the last of a Parquet file's row groups, counted as `range` does.

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
    """Return which images or Parquet files a user means.

    Parameters
    ----------
    data : path, glob, address, or sequence of those
        Images, as `list_images` takes them, or Parquet files: a folder without images is searched for
        them.
    include, exclude : str or iterable of str, default=()
        Patterns of images, as `list_images` takes them.

    Returns
    -------
    kind : {"images", "table"}
    listing : Listing

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such files, or of another kind.
    """
    paths = as_paths(data)
    names = [paths] if isinstance(paths, str) else paths
    if not names:
        raise FileNotFoundError("an empty list: there is no image.")
    kind = "table" if all(map(is_parquet, names)) else kind_of(paths)
    if kind == "array":
        raise ValueError(f"{names[0]}: Ray takes images and Parquet files; got another {kind}.")
    check_choice(names, kind, include, exclude)
    if kind == "images":
        return kind, list_images(paths, include=include, exclude=exclude)
    listing = list_tables(paths)
    if not listing.paths:
        raise FileNotFoundError(f"{paths}: a folder without Parquet files.")
    if other := next((path for path in listing.paths if not is_parquet(path)), None):
        raise ValueError(f"{other}: Ray takes images and Parquet files; got another table.")
    here = [path for path in listing.paths if not is_address(path)]
    if missing := next((path for path in here if not os.path.exists(path)), None):
        raise FileNotFoundError(f"{missing}: no such file or folder.")
    return kind, listing


def plan(paths: list[str], read: RowReader, n_workers: int) -> Plan:
    """Cut files into pieces.

    Parameters
    ----------
    paths : list of str
    read : RowReader
        A piece has at most `MAX_VALUES` of its values, and `MAX_ROWS` rows.
    n_workers : int
        Pieces are small enough for all to have some. A row group of a Parquet file is never cut.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ValueError
        If a table is damaged, or lacks a column.
    """
    if read.kind == "images":
        n_rows = len(paths)
        n = _piece_rows(n_rows, n_workers, read.n_features)
        starts = range(0, n_rows, n)
        pieces = [{"first": start, "paths": paths[start : start + n], "groups": []} for start in starts]
        return Plan(n_rows, pieces, read, by_position=False)
    with ThreadPoolExecutor(_OPENERS) as pool:
        tables = list(pool.map(read.open, paths))
    groups = [table.group_rows or [] for table in tables]
    n_rows = sum(map(sum, groups))
    n, first, pieces = _piece_rows(n_rows, n_workers, read.n_features), 0, []
    for path, sizes in zip(paths, groups, strict=True):
        for part in _together(sizes, n):
            pieces.append({"first": first, "paths": [path], "groups": [part.start, part.stop]})
            first += sum(sizes[part.start : part.stop])
    return Plan(n_rows, pieces, read, any(table.by_position for table in tables))


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

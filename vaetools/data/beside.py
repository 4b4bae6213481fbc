"""A table beside images, which has a row for every file: one column names it, others are its context."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from vaetools.data.addresses import is_address
from vaetools.data.batches import Batch, Failure, TrainingData
from vaetools.data.dialect import Kind
from vaetools.data.in_context import kinds_in_context
from vaetools.data.listing import Listing
from vaetools.data.tables import open_table
from vaetools.words import few, joined


class Beside(NamedTuple):
    """What a table says of files.

    Attributes
    ----------
    cells : DataFrame of shape (n_files, n_columns)
        By the paths of files.
    reasons : dict from str to str
        Why other files have no such row.
    notes : list of str
        What was understood, a sentence each.
    """

    cells: pd.DataFrame
    reasons: dict[str, str]
    notes: list[str]

    def of(self, batch: Batch) -> tuple[Batch, pd.DataFrame]:
        """Return those images of a batch that have a row, and these rows; the others failed."""
        has_row = [name in self.cells.index for name in batch.ids]
        lost = [name for name, has in zip(batch.ids, has_row, strict=True) if not has]
        names = [name for name, has in zip(batch.ids, has_row, strict=True) if has]
        failed = [Failure(name, self.reasons[name]) for name in lost]
        return Batch(names, batch.X[has_row], [*batch.failed, *failed]), self.cells.loc[names]


def read_beside(
    table: str | os.PathLike[str], listing: Listing, columns: Mapping[str, Kind] | Mapping[str, str | None]
) -> Beside:
    r"""Read what a table says of images.

    Parameters
    ----------
    table : str or PathLike
        As of `open_table`. One column names files, from their folder on or whole; which one is found out.
    listing : Listing
        Of the images.
    columns : dict from str to Kind, str or None
        How columns of the context are read; or, where these are yet to be learnt, ``"category"`` for one that
        is that though it looks like a number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path, listing = Path(folder, "meta.csv"), Listing()
    ...     size = path.write_text("camera,file\nfront,1.png\nback,2.png\nback,2.png\n")
    ...     listing.paths, listing.folder = [f"{folder}/{i}.png" for i in (1, 2, 3)], folder
    ...     beside = read_beside(path, listing, {"camera": None})
    >>> reasons = [reason.partition("meta.csv ")[2] for reason in beside.reasons.values()]
    >>> beside.cells["camera"].tolist(), reasons
    (['front'], ['has no row of it', 'has 2 rows of it: 1, 2'])
    """
    known = _known(listing)
    column, names = _names_of_files(table, known, columns)
    kinds: Any = columns
    if not all(isinstance(kind, Kind) for kind in columns.values()):
        kinds = kinds_in_context(table, kinds)
    cells, _, failed = open_table(table, columns=kinds).read()
    rows: dict[str, list[Any]] = {}
    for row, name in names.items():
        if name in known:
            rows.setdefault(known[name], []).append(row)
    reasons = {path: f"{table} has no row of it" for path in listing.paths if path not in rows}
    reasons |= {
        path: f"{table} has {len(each)} rows of it: {few(map(str, each))}"
        for path, each in rows.items()
        if len(each) > 1
    }
    lost = {failure.id: failure.reason for failure in failed}
    only = {path: each[0] for path, each in rows.items() if len(each) == 1}
    reasons |= {path: f"{table}, row {row}: {lost[row]}" for path, row in only.items() if row in lost}
    kept = [(path, row) for path, row in only.items() if row in cells.index]
    found = cells.loc[[row for _, row in kept]].set_axis([path for path, _ in kept])
    n_others = sum(name not in known for name in names)
    others = f"; {n_others:,} of its {len(names):,} rows name files that are not there" if n_others else ""
    return Beside(found, reasons, [f"Images are named by the column {column!r} of {table}{others}."])


def within(read: TrainingData, told: Beside) -> TrainingData:
    """Return those images that have a context, with it."""
    batch, cells = told.of(Batch(list(read.ids), read.X, list(read.failed)))
    if not len(cells):
        first = batch.failed[0]
        raise ValueError(f"{first.id}: {first.reason}; and no other image has its context.")
    X = read.X if len(cells) == len(read.X) else batch.X  # else the rows stay on disk
    return dataclasses.replace(
        read, X=X, ids=batch.ids, labels=None, failed=batch.failed, notes=told.notes, context=cells
    )


def _known(listing: Listing) -> dict[str, str]:
    """Return the paths of files by what a table may call them."""
    folder = listing.root
    known = {os.path.normpath(path): path for path in listing.paths}
    for path in listing.paths:
        if is_address(path):
            known[path] = path
            continue
        known[os.path.abspath(path)] = path
        if folder is not None:
            known[os.path.relpath(path, folder)] = path
    return known


def _names_of_files(
    table: Any, known: Mapping[str, str], context: Mapping[str, Any]
) -> tuple[str, "pd.Series[str]"]:
    """Return the column that names files, and its cells as these are known, by row."""
    whole, _, _ = open_table(table, mixed=True).read()
    texts = whole.drop(columns=list(context), errors="ignore").select_dtypes(exclude="number")
    named = texts.apply(lambda cells: cells.dropna().map(lambda cell: _plain(str(cell)))).fillna("")
    counts = {str(name): int(cells.isin(list(known)).sum()) for name, cells in named.items()}
    column = max(counts, key=lambda name: counts[name], default="")
    if not counts.get(column):
        some = min(known, key=len, default="")  # as it is called from the folder on, if that is one
        there = joined([repr(str(name)) for name in whole.columns])
        raise ValueError(
            f"{table}: a column must name the images from their folder on, as {some!r}; "
            f"got {there}, of which none does."
        )
    if len(best := [name for name, n in counts.items() if n == counts[column]]) > 1:
        raise ValueError(f"{table}: one column must name the images; got {joined(list(map(repr, best)))}.")
    return column, named[column]


def _plain(name: str) -> str:
    """Return a path as it is known."""
    name = name.strip()
    return name if is_address(name) else os.path.normpath(name)

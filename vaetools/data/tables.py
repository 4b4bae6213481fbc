"""Tables → rows in chunks; a row that cannot be used is listed, and the rest goes on."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vaetools.data.batches import Batch, Failure, where
from vaetools.data.cells import complete_rows, gappy_rows, labels_among
from vaetools.data.csv_files import first_line_must_name
from vaetools.data.dialect import Dialect
from vaetools.data.kinds import NUMBER, Kind, lost_integer, warn_of_large_integers
from vaetools.data.listing import Listing
from vaetools.data.numerals import is_number, warn_of_points
from vaetools.data.packed import Block, readable
from vaetools.data.several_files import as_one, named_files, open_parts, partition_columns
from vaetools.data.table_columns import check_kinds, check_names, find_features, not_text, places
from vaetools.data.table_formats import open_file

MAX_VALUES = 2**21  # numbers in a batch: wide tables come in fewer rows


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A file of rows, or several, as `open_table` found them; they are read when asked for.

    Attributes
    ----------
    path : Path or str
    columns : list of str
        Names of the features, in the order of X.
    kinds : dict or None
        What the columns are, if their cells may be missing; None if all must be numbers.
    labels : str or None
        Name of the column of labels.
    id_column : str or None
        Name of the column of ids.
    dialect : Dialect or None
        How the cells of CSV are written; None if cells have types.
    notes : list of str
        What else was understood, a sentence each.
    by_position : bool
        Whether features are all columns there are, and not found by name.
    listing : Listing
        Its files; what is left out of a folder, and what could not be read.
    """

    path: Path | str
    columns: list[str]
    kinds: Mapping[str, Kind] | None
    labels: str | None
    id_column: str | None
    dialect: Dialect | None
    notes: list[str]
    by_position: bool
    listing: Listing
    _file: Any = dataclasses.field(repr=False)

    @property
    def id_name(self) -> str:
        """What the ids are: ``"row"`` or the name of a column."""
        return "row" if self.id_column is None else self.id_column

    @property
    def n_rows(self) -> int | None:
        """Number of rows; None where only reading would tell, as in CSV."""
        return self._file.n_rows

    @property
    def group_rows(self) -> list[int] | None:
        """Rows of every row group of one Parquet file; None of others."""
        return self._file.group_rows

    def batches(self, n_rows: int = 65536) -> Iterator[Batch]:
        """Yield the rows in order, in bounded memory.

        Parameters
        ----------
        n_rows : int, default=65536
            A batch has at most so many rows; fewer if the table is wide.

        Yields
        ------
        batch : Batch
            X is float64, or a DataFrame if there are ``kinds``. The ids are row numbers, from 0 and
            counting unusable rows, after a colon behind the file where there are several; or the texts of
            the id column. A failure names its row as the former, or a file that could not be read.

        Raises
        ------
        ValueError
            If the file is damaged, or a row of CSV is longer than 16 million characters.
        """
        lost = self.listing.failed
        for block in self._blocks([] if self.id_column is None else [self.id_column], n_rows):
            good, X, failed = self._part(block)
            yield Batch(self._ids(block, good), X, lost + _called(block, failed))
            lost = []
        if lost:  # and no other file has a row
            yield Batch([], self._no_rows(), lost)

    def read(self, classes: Sequence | None = None) -> tuple[pd.DataFrame, np.ndarray | None, list[Failure]]:
        """Read all rows into memory.

        Parameters
        ----------
        classes : sequence or None, default=None
            Labels that a model knows, as which labels are read, however they are written.

        Returns
        -------
        X : DataFrame of shape (n_samples, n_features)
            With the names of the columns: float64, or as ``kinds`` say. Its index is what `batches`
            calls rows.
        y : ndarray of shape (n_samples,) or None
            The labels if the table has any: integers, floats, booleans or text; or with ``classes``
            objects, of which some may be none of them.
        failed : list of Failure
            Rows that are in neither; to have no label is a fault too.

        Raises
        ------
        ValueError
            If no row is left, or as `batches` does.
        """
        parts, ids, given, failed = [], [], [], list(self.listing.failed)
        large: dict[str, int] = {}
        beside = [name for name in (self.id_column, self.labels) if name is not None]
        for block in self._blocks(beside):
            good, X, failures = self._part(block)
            if not len(good):
                failed += _called(block, failures)
                continue
            large |= self._lost_integers(block)
            if self.labels is not None:
                labels, is_known = self._labels(block.beside[-1].take(pa.array(good)), classes)
                given.append(labels)
                reason = f"column {self.labels!r} is missing"
                failures = sorted(
                    failures + [Failure(int(row), reason) for row in block.rows[good[~is_known]]]
                )
                good, X = good[is_known], X[is_known]
            parts.append(X)
            ids += self._ids(block, good)
            failed += _called(block, failures)
        if not ids:
            first = f" ({where(failed[0].id)}: {failed[0].reason})" if failed else ""
            raise ValueError(f"{self.path}: a model needs rows; got none that can be used{first}.")
        warn_of_large_integers(self.path, large)
        return self._together(parts).set_axis(ids), self._all_labels(given, classes), failed

    def _lost_integers(self, block: Block) -> dict[str, int]:
        """Return an integer that becomes another one of each column of numbers that has such."""
        found = {
            name: lost_integer(cells)
            for name, cells in zip(self.columns, block.features, strict=True)
            if self.kinds is None or self.kinds[name] == Kind(NUMBER)
        }
        return {name: value for name, value in found.items() if value is not None}

    def _part(self, block: Block) -> tuple[np.ndarray, Any, list[Failure]]:
        """Return places and rows of a block that can be used, and what is wrong with the others."""
        X: Any
        if not len(block.rows):
            return block.rows, self._no_rows(), block.lost
        if self.kinds is None:
            X, faults = complete_rows(block.features, self.columns, self.dialect)
        else:
            X, faults = gappy_rows(block.features, self.kinds, self.dialect)
        failed = [Failure(int(block.rows[place]), reason) for place, reason in faults.items()]
        good = np.setdiff1d(np.arange(len(block.rows)), list(faults))
        if faults:
            X = X[good] if self.kinds is None else X.iloc[good]
        return good, X, sorted(block.lost + failed)

    def _no_rows(self) -> Any:
        if self.kinds is None:
            return np.empty((0, len(self.columns)))
        return pd.DataFrame(columns=self.columns)

    def _together(self, parts: list) -> pd.DataFrame:
        """Return the rows of all blocks as one table."""
        if self.kinds is None:  # so that the numbers of a row lie together
            return pd.DataFrame(np.concatenate(parts), columns=self.columns)
        coded = {name: "category" for name, kind in self.kinds.items() if kind.values is not None}
        return pd.concat(parts).astype(coded)

    def _labels(self, cells: Any, classes: Sequence | None) -> tuple[Any, np.ndarray]:
        """Return the labels that are not missing, and which these are."""
        if classes is None:
            cells = self._file.known(cells)
            return cells.drop_null(), np.asarray(cells.is_valid())
        labels = labels_among(cells, classes, self.dialect)
        is_known = np.array([label is not None for label in labels], bool)
        return labels[is_known], is_known

    def _all_labels(self, given: list, classes: Sequence | None) -> np.ndarray | None:
        """Return the labels of all blocks as one array, or None if the table has none."""
        if self.labels is None:
            return None
        if classes is not None:
            return np.concatenate(given)
        with readable(self.path, "table"):
            tables = [pa.table({"labels": cells}) for cells in given]
            return self._file.values(
                pa.concat_tables(tables, promote_options="permissive")["labels"].combine_chunks()
            )

    def _ids(self, block: Block, places: np.ndarray) -> list:
        """Return what some rows of a block are called, whose ids are the first of what is beside it."""
        if self.id_column is None or not len(places):
            return [_name(block, row) for row in block.rows[places].tolist()]
        return [
            "" if cell is None else str(cell) for cell in block.beside[0].take(pa.array(places)).to_pylist()
        ]

    def _blocks(self, beside: list[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the features and columns beside them."""
        return self._file.blocks(self.columns, beside, min(n_rows, max(1, MAX_VALUES // len(self.columns))))


def open_table(
    path: str | os.PathLike[str] | Sequence,
    *,
    columns: Sequence[str] | Mapping[str, Kind] | None = None,
    n_features: int | None = None,
    mixed: bool = False,
    as_text: Collection[str] = (),
    drop: Collection[str] = (),
    labels: str | None = None,
    id_column: str | None = None,
    dialect: Dialect | None = None,
    groups: range | None = None,
) -> Table:
    r"""Read a table's header, and decide which columns are features.

    Every column of numbers or booleans is one, unless it holds labels or ids, is dropped, or is an
    index: the first column of CSV if it has no name, another without a name that counts rows, or what
    pandas writes as such. In CSV the first million characters say how numbers are written, and a column
    is numbers if more than half of its first cells are, missing ones aside. ``mixed`` takes text and missing
    cells too, and decides by all cells, as `learn_kinds` does.

    Parameters
    ----------
    path : str, PathLike or sequence of those
        A file, a folder of files of one format, a glob, or several files, which then make one table.
        Parquet, Arrow or Excel if named so (``.parquet``, ``.feather``, ``.xlsx``); else CSV, also packed,
        with the names of its columns above the rows.
    columns : sequence of str, or dict from str to Kind, optional
        Features by name, as ``feature_names_in_`` of a fitted model; other columns are ignored. With
        kinds: what they are, and their cells may be missing.
    n_features : int or None, default=None
        How many features a model has that knows no names: without ``columns`` those that are called 0, 1, …,
        or else all columns, which must be so many.
    mixed : bool, default=False
        Whether columns of all kinds are features.
    as_text : collection of str, default=()
        If ``mixed``, columns that are categories though they look like numbers: of CSV as they stand.
    drop : collection of str, default=()
        Columns that are no features.
    labels, id_column : str, optional
        Columns that are no features either.
    dialect : Dialect or None, default=None
        How CSV is written; what it does not say is found out.
    groups : range or None, default=None
        Row groups of a Parquet file that the table is made of; None is all.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError
        If the file is damaged or empty, two dialects are possible, a name is missing or not unique, a column
        is not what it must be, or no feature is left.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "rows.csv")
    ...     size = path.write_text("name,x,y\nAnn,1,2\nBob,,4\nEve,5,6\n")
    ...     table = open_table(path, id_column="name")
    ...     (batch,) = table.batches()
    >>> table.columns, batch.ids, batch.failed
    (['x', 'y'], ['Ann', 'Eve'], [Failure(id=1, reason="column 'x' is missing")])
    """
    said = dialect or Dialect()
    if groups is None:
        opened, listing = open_parts(path, said)
    else:
        opened = [open_file(named_files(path)[0], said, groups)]
        listing = Listing.empty()
    apart = [*drop, *(name for name in (labels, id_column) if name is not None)]
    wanted = [*(columns or ()), *apart]
    file = as_one(opened, wanted)
    names = file.names
    if columns is None and n_features is not None and set(places(n_features)) <= set(names):
        columns = places(n_features)
    if said.skipped is None:
        _check_header(file, columns)
    check_names(file.path, names, wanted)
    notes = [f"Not read: {name}, after which folders are named." for name in partition_columns(path)]
    features, choice = find_features(file, columns, apart, n_features)
    kinds = columns if isinstance(columns, Mapping) else None
    numbers = not_text(features, kinds, as_text)
    written = file.numerals(numbers)
    if written is not None and written.has_plain_numbers:
        warn_of_points(file.path, file.sample(numbers), said)
    notes += [*file.notes, *choice]
    if len(opened) > 1:
        listing.failed.extend(file.set_aside(numbers, written))
    if kinds is None and mixed:
        kinds = file.kinds(features, as_text, written)
    is_new = columns is None and n_features is None
    check_kinds(file, features, kinds, written, is_new=is_new, by_position=columns is None)
    return Table(
        file.path, features, kinds, labels, id_column, written, notes, columns is None, listing, file
    )


def _check_header(file: Any, columns: Iterable[str] | None) -> None:
    """Raise where names of columns are numbers that nobody wants, as if the first line were a row."""
    names = file.names
    are_known = names == places(len(names)) or (columns is not None and set(columns) <= set(names))
    if not (file.typed or are_known) and all(map(is_number, names)):
        raise ValueError(f"{file.path}: {first_line_must_name(names)}")


def _called(block: Block, failed: list[Failure]) -> list[Failure]:
    """Return failures of a block with the names of their rows."""
    return [failure._replace(id=_name(block, failure.id)) for failure in failed]


def _name(block: Block, row: Any) -> Any:
    """Return what a row is called that has no id: its number, behind its file if there are several."""
    return f"{block.file}:{row}" if block.file else row

"""Tables → rows in chunks; a row that cannot be used is listed, and the rest goes on."""

import dataclasses
import glob
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vaetools.data.addresses import Address, addresses, files_below, is_address
from vaetools.data.batches import Batch, Block, Failure, Source, where
from vaetools.data.cells import complete_rows, gappy_rows, known_labels, label_values, labels_among
from vaetools.data.dialect import TEXT, Dialect, Kind, lost_integer
from vaetools.data.encodings import readable
from vaetools.data.formats import HIDDEN, Called, is_parquet, left_out_as
from vaetools.data.listing import Listing, as_names, tables_in
from vaetools.data.several_files import TableFiles
from vaetools.words import equal_as_floats, few, warn

MAX_VALUES = 2**21  # numbers in a batch: wide tables come in fewer rows
_DELTA = "_delta_log"


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A file of rows, or several, as `open_table` found them; they are read when asked for.

    Attributes
    ----------
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
    """

    columns: list[str]
    kinds: Mapping[str, Kind] | None
    labels: str | None
    id_column: str | None
    dialect: Dialect | None
    notes: list[str]
    by_position: bool
    _files: TableFiles = dataclasses.field(repr=False)

    @property
    def listing(self) -> Listing:
        """What is left out of a folder, and what could not be read."""
        return self._files.listing

    @property
    def id_name(self) -> str:
        """What the ids are: ``"row"`` or the name of a column."""
        return "row" if self.id_column is None else self.id_column

    @property
    def n_rows(self) -> int | None:
        """Number of rows; None where only reading would tell, as in CSV."""
        return self._files.n_rows

    @property
    def group_rows(self) -> list[int] | None:
        """Rows of every row group of one Parquet file; None of others."""
        return self._files.group_rows

    @property
    def source(self) -> Source:
        """Its rows to stream."""
        listing, dialect = self.listing, self.dialect
        return Source(
            "table", self.id_name, self.n_rows, self.batches, listing, dialect, self.notes, self.by_position
        )

    def batches(self, n_rows: int = 65536) -> Iterator[Batch]:
        """Yield the rows in order, in bounded memory: at most ``n_rows`` in a batch, fewer if they are wide.

        X is float64, or a DataFrame if there are ``kinds``. The ids are row numbers, from 0 and counting
        unusable rows, after a colon behind the file where there are several; or the texts of the id column.
        A failure names its row as the former, or a file that could not be read. If the only file is damaged,
        that is a ValueError.
        """
        lost = self.listing.failed
        for block in self._blocks([] if self.id_column is None else [self.id_column], n_rows):
            batch, _ = self._part(block)
            yield batch._replace(failed=lost + batch.failed)
            lost = []
        if lost:  # and no other file has a row
            yield Batch([], self._no_rows(), lost)

    def read(
        self, classes: Sequence[Any] | None = None
    ) -> tuple[pd.DataFrame, np.ndarray | None, list[Failure]]:
        """Read all rows into memory; to have no label is a fault.

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
        """
        parts, ids, failed = [], [], list(self.listing.failed)
        given: list[Any] = []
        large: dict[str, int] = {}
        for block in self._blocks([name for name in (self.id_column, self.labels) if name is not None]):
            batch, labels = self._part(block, classes, labeled=self.labels is not None)
            failed += batch.failed
            if batch.ids:
                large |= self._lost_integers(block)
                parts.append(batch.X)
                ids += batch.ids
                given.append(labels)
        if not ids:
            first = f" ({where(failed[0].id)}: {failed[0].reason})" if failed else ""
            raise ValueError(f"{self._files.path}: a model needs rows; got none that can be used{first}.")
        if large:
            warn(equal_as_floats(self._files.path, large))
        if self.kinds is None:  # so that the numbers of a row lie together
            X = pd.DataFrame(np.concatenate(parts), columns=self.columns)
        else:
            coded = {name: "category" for name, kind in self.kinds.items() if kind.values is not None}
            X = pd.concat(parts).astype(coded)
        y = None
        if self.labels is not None:
            y = self._typed(given) if classes is None else np.concatenate(given)
        return X.set_axis(ids), y, failed

    def _lost_integers(self, block: Block) -> dict[str, int]:
        """Return an integer that becomes another one of each column of numbers that has such."""
        found = {
            name: lost_integer(cells)
            for name, cells in zip(self.columns, block.features, strict=True)
            if self.kinds is None or self.kinds[name].is_number
        }
        return {name: value for name, value in found.items() if value is not None}

    def _part(
        self, block: Block, classes: Sequence[Any] | None = None, *, labeled: bool = False
    ) -> tuple[Batch, Any]:
        """Return the rows of a block that can be used, and their labels if asked; one without has failed."""
        X: Any
        labels: Any = None
        if not len(block.rows):
            X, faults = self._no_rows(), dict[int, str]()
        elif self.kinds is None:
            X, faults = complete_rows(block.features, self.columns, self.dialect)
        else:
            X, faults = gappy_rows(block.features, self.kinds, self.dialect)
        if labeled and len(block.rows):
            if classes is None:
                labels = known_labels(block.beside[-1], are_text=self.dialect is not None)
                lacks = np.flatnonzero(labels.is_null())
            else:
                labels = labels_among(block.beside[-1], classes, self.dialect)
                lacks = np.flatnonzero([label is None for label in labels])
            faults = dict.fromkeys(lacks.tolist(), f"column {self.labels!r} is missing") | faults
        good = np.setdiff1d(np.arange(len(block.rows)), list(faults))
        if faults:
            X = X[good] if self.kinds is None else X.iloc[good]
        failed = [Failure(int(block.rows[place]), reason) for place, reason in faults.items()]
        failed = [failure._replace(id=block.called(failure.id)) for failure in sorted(block.lost + failed)]
        if self.id_column is None or not len(good):
            ids = [block.called(row) for row in block.rows[good].tolist()]
        else:
            cells = block.beside[0].take(pa.array(good)).to_pylist()
            ids = ["" if cell is None else str(cell) for cell in cells]
        return Batch(ids, X, failed), labels if labels is None else labels.take(good)

    def _no_rows(self) -> Any:
        return np.empty((0, len(self.columns))) if self.kinds is None else pd.DataFrame(columns=self.columns)

    def _typed(self, given: list[Any]) -> np.ndarray:
        """Return the labels of all blocks in one type."""
        with readable(self._files.path, "table"):
            tables = [pa.table({"labels": cells}) for cells in given]
            labels = pa.concat_tables(tables, promote_options="permissive")["labels"].combine_chunks()
            return label_values(labels, are_text=self.dialect is not None)

    def _blocks(self, beside: list[str], n_rows: int = 65536) -> Iterator[Block]:
        most = max(1, MAX_VALUES // len(self.columns))
        return self._files.blocks(self.columns, beside, min(n_rows, most))


def open_table(
    path: str | os.PathLike[str] | Sequence[Any],
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
    drop, labels, id_column
        Columns that are no features.
    dialect : Dialect or None, default=None
        How CSV is written; what it does not say is found out.
    groups : range or None, default=None
        Row groups of a Parquet file that the table is made of; None is all.

    Examples
    --------
    >>> from pathlib import Path
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
    apart = [*drop, *(name for name in (labels, id_column) if name is not None)]
    listing = list_tables(path) if groups is None else Listing()
    listing.paths = listing.paths if groups is None else named_files(path)[:1]
    files = TableFiles(listing, said, [*(columns or ()), *apart], groups)
    columns = files.as_called(columns, n_features)
    files.check_names(columns, apart)
    features, choice = files.choose_features(columns, apart, n_features)
    if not features:
        raise ValueError(f"{files.path}: no column is left as a feature, of {few(map(repr, files.names))}.")
    kinds = columns if isinstance(columns, Mapping) else None
    texts = as_text if kinds is None else {name for name, kind in kinds.items() if kind.type == TEXT}
    numbers = [name for name in features if name not in texts]
    written = files.numerals(numbers)
    if kinds is None and mixed:
        kinds = files.kinds(features, as_text, written)
    is_new = columns is None and n_features is None
    files.check_kinds(features, kinds, written, is_new=is_new, by_position=columns is None)
    unread = [
        f"Not read: {name}, after which folders are named." for name in sorted(files.listing.partitions)
    ]
    notes = [*unread, *files.notes, *choice]
    return Table(features, kinds, labels, id_column, written, notes, columns is None, files)


def named_files(data: Any) -> list[str]:
    """Return the paths that a user named; of a glob that finds tables alone, what it finds."""
    names = as_names(data)
    is_glob = len(names) == 1 and not os.path.lexists(names[0])
    found = sorted(glob.glob(names[0], recursive=True)) if is_glob else []
    return found if found and all(Called(path).table for path in found) else names


def list_tables(data: Any) -> Listing:
    """Return the files of a table, those of a folder sorted by name, and what is left out of folders.

    Links are followed, and none twice into the same folder; a path that is named twice is read once.
    """
    listing = Listing()
    names = named_files(data)
    for name in addresses(names) if any(map(is_address, names)) else names:
        if isinstance(name, Address):
            files = files_below(name)
            for file, place in [(name, name.path)] if files is None else files:
                kind = left_out_as(place)
                if is_parquet(place) and kind != HIDDEN:
                    listing.paths.append(file)
                else:
                    listing.ignored[file] = kind or os.path.splitext(place)[1].lower()
        elif not os.path.isdir(name):
            listing.paths.append(name)
        elif os.path.isdir(os.path.join(name, _DELTA)):
            raise ValueError(
                f"{name}: a Delta table has a log of the files that count. Export it as Parquet."
            )
        else:
            found = tables_in(name)
            formats = {Called(path).table: path for path in found.paths}
            if len(formats) > 1:
                came = " and ".join(formats.values())
                raise ValueError(f"{name}: the tables in a folder must be of one format; got {came}.")
            listing.paths += found.paths
            listing.failed += found.failed
            listing.ignored |= found.ignored
            listing.partitions |= found.partitions
    listing.drop_repeated()
    return listing

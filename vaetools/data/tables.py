"""Tables (CSV, Parquet) → rows in chunks; a row that cannot be used is listed, and the rest goes on."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vaetools.data.batches import Batch, Failure
from vaetools.data.cells import complete_rows, gappy_rows, labels_among
from vaetools.data.kinds import NAMES, NUMBER, Kind
from vaetools.data.table_files import Block, CsvFile, ParquetFile

_PARQUET = (".parquet", ".pq")
MAX_VALUES = 2**21  # numbers in a batch: wide tables come in fewer rows


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A file of rows, as `open_table` found it; they are read when asked for.

    Attributes
    ----------
    path : Path
    columns : list of str
        Names of the features, in the order of X.
    kinds : dict or None
        What the columns are, if their cells may be missing; None if all must be numbers.
    labels : str or None
        Name of the column of labels.
    id_column : str or None
        Name of the column of ids.
    """

    path: Path
    columns: list[str]
    kinds: Mapping[str, Kind] | None
    labels: str | None
    id_column: str | None
    _file: CsvFile | ParquetFile = dataclasses.field(repr=False)

    @property
    def id_name(self) -> str:
        """What the ids are: ``"row"`` or the name of a column."""
        return "row" if self.id_column is None else self.id_column

    @property
    def n_rows(self) -> int | None:
        """Number of rows; None for CSV, where only reading would tell."""
        return self._file.n_rows

    @property
    def group_rows(self) -> list[int] | None:
        """Rows of every row group of Parquet; None for CSV, which has none."""
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
            counting unusable rows, or the texts of the id column. A failure names its row by number.

        Raises
        ------
        ValueError
            If the file is damaged, or a row of CSV is longer than 16 million characters, as when a
            quote is never closed.
        """
        for block in self._blocks([] if self.id_column is None else [self.id_column], n_rows):
            good, X, failed = self._part(block)
            yield Batch(self._ids(block, good), X, failed)

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
        parts, rows, ids, cells, failed = [], [], [], [], []
        for block in self._blocks([name for name in (self.id_column, self.labels) if name is not None]):
            good, X, failures = self._part(block)
            failed += failures
            parts.append(X)
            rows.append(block.rows[good])
            ids += self._ids(block, good)
            cells += [] if self.labels is None else [block.beside[-1].take(good)]
        X, y = pd.DataFrame(), None
        if parts and self.kinds is None:  # so that the numbers of a row lie together
            X = pd.DataFrame(np.concatenate(parts), columns=self.columns)
        elif parts and self.kinds is not None:
            X = pd.concat(parts)
            coded = {name: "category" for name, kind in self.kinds.items() if kind.values is not None}
            X = X.astype(coded)
        X = X.set_axis(ids)
        if self.labels is not None and len(X):
            given = pa.concat_arrays(cells)
            if classes is None:
                y, missing = self._file.labels(given)
            else:
                y = labels_among(given, classes, is_csv=not self._file.typed)
                missing = np.array([label is None for label in y])
                y = y[~missing]
            reason = f"column {self.labels!r} is missing"
            failed = sorted(failed + [Failure(row, reason) for row in np.concatenate(rows)[missing].tolist()])
            X = X[~missing]
        if not len(X):
            first = f" (row {failed[0].id}: {failed[0].reason})" if failed else ""
            raise ValueError(f"{self.path}: a model needs rows; got none that can be used{first}.")
        return X, y, failed

    def _part(self, block: Block) -> tuple[np.ndarray, Any, list[Failure]]:
        """Return places and rows of a block that can be used, and what is wrong with the others."""
        X: Any
        if self.kinds is None:
            X, faults = complete_rows(block.features, self.columns)
        else:
            X, faults = gappy_rows(block.features, self.kinds, is_csv=not self._file.typed)
        failed = [Failure(int(block.rows[place]), reason) for place, reason in faults.items()]
        good = np.setdiff1d(np.arange(len(block.rows)), list(faults))
        if faults:
            X = X[good] if self.kinds is None else X.iloc[good]
        return good, X, sorted(block.lost + failed)

    def _ids(self, block: Block, places: np.ndarray) -> list:
        """Return what some rows of a block are called, whose ids are the first of what is beside it."""
        if self.id_column is None:
            return block.rows[places].tolist()
        return ["" if cell is None else str(cell) for cell in block.beside[0].take(places).to_pylist()]

    def _blocks(self, beside: list[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the features and columns beside them."""
        return self._file.blocks(self.columns, beside, min(n_rows, max(1, MAX_VALUES // len(self.columns))))


def open_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | Mapping[str, Kind] | None = None,
    mixed: bool = False,
    as_text: Collection[str] = (),
    drop: Collection[str] = (),
    labels: str | None = None,
    id_column: str | None = None,
    filesystem: Any = None,
    groups: range | None = None,
) -> Table:
    r"""Read a table's header, and decide which columns are features.

    Every column of numbers or booleans is one, unless it holds labels or ids, is dropped, or is an
    index that pandas wrote: a column without a name. In CSV the first two million characters decide:
    a column is numbers if more than half of its cells are, missing ones aside. ``mixed`` takes text and
    missing cells too, and decides by all cells, as `learn_kinds` does.

    Parameters
    ----------
    path : str or PathLike
        Parquet if named so (``.parquet``, ``.pq``); else CSV, raw or gzip, in UTF-8, separated by
        comma, semicolon, tab or |, with names in its first line.
    columns : sequence of str, or dict from str to Kind, optional
        Features by name, as ``feature_names_in_`` of a fitted model; other columns are ignored. With
        kinds: what they are, and their cells may be missing.
    mixed : bool, default=False
        Whether columns of all kinds are features.
    as_text : collection of str, default=()
        If ``mixed``, columns that are categories though they look like numbers: of CSV as they stand.
    drop : collection of str, default=()
        Columns that are no features.
    labels, id_column : str, optional
        Columns that are no features either.
    filesystem : pyarrow.fs.FileSystem or None, default=None
        Where a Parquet file lies; None is this machine.
    groups : range or None, default=None
        Row groups of a Parquet file that the table is made of; None is all.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError
        If the file is damaged or empty, a name is missing or not unique, a column is not what it must
        be, or no feature is left.

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
    path = Path(path)
    is_parquet = path.suffix.lower() in _PARQUET
    file = ParquetFile(path, filesystem, groups) if is_parquet else CsvFile(path)
    if (
        not file.typed
        and file.names != [str(i) for i in range(len(file.names))]
        and all(map(_is_number, file.names))
    ):
        raise ValueError(f"{path}: the first line must name the columns; got {_some(file.names)}.")
    apart = [*drop, *(name for name in (labels, id_column) if name is not None)]
    _check_names(path, file.names, [*(columns or ()), *apart])
    if columns is None:
        features = [name for name in file.names if name not in apart and not _is_index(name)]
    else:
        features = list(columns)
    if not features:
        raise ValueError(f"{path}: no column is left as a feature, of {_some(map(repr, file.names))}.")
    if isinstance(columns, Mapping):
        kinds: Mapping[str, Kind] | None = columns
    else:
        kinds = file.kinds(features, as_text) if mixed else None
    _check_kinds(file, features, kinds, is_new=columns is None)
    return Table(path, features, kinds, labels, id_column, file)


def _check_kinds(
    file: CsvFile | ParquetFile, features: list[str], kinds: Mapping[str, Kind] | None, *, is_new: bool
) -> None:
    """Raise if columns are not what a new model can take, or what a model was trained on."""
    if kinds is not None:
        wrong = file.misfits(kinds)
    else:
        wrong = file.not_numbers(features) if is_new or file.typed else {}
    if not wrong:
        return
    advice = "Drop such a column, or use it as labels or id."
    if not is_new:
        wanted = dict.fromkeys(features, Kind(NUMBER)) if kinds is None else kinds
        came = {name: f"{what}, not {NAMES[wanted[name].type]}" for name, what in wrong.items()}
        must, advice = "columns must be what they were in training", "Convert such a column first."
    elif kinds is not None:
        came, must = wrong, "features must be columns of numbers, booleans or text"
    else:
        came, must = wrong, "features must be columns of numbers or booleans"
        advice = "Drop such a column, use it as labels or id, or choose likelihood='mixed', which takes text."
    raise ValueError(f"{file.path}: {must}; got {_columns(came)}. {advice}")


def _columns(wrong: dict[str, str]) -> str:
    """Return columns with what they are."""
    return _some(f"{name!r} ({what})" for name, what in wrong.items())


def _is_number(text: str) -> bool:
    """Return whether a text is a number, and so hardly a name."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_index(name: str) -> bool:
    """Return whether pandas calls an index so when it writes a table."""
    return name == "" or name.startswith("__index_level_")


def _check_names(path: Path, names: list[str], wanted: Iterable[str]) -> None:
    """Raise if the names of columns are not unique, or wanted ones are not among them."""
    if twice := [name for name, n in Counter(names).items() if n > 1 and not _is_index(name)]:
        raise ValueError(
            f"{path}: names of columns must be unique; got {_some(map(repr, twice))} more than once."
        )
    known = set(names)
    if missing := [name for name in dict.fromkeys(wanted) if name not in known]:
        alike = {name.strip().casefold(): f" (but {name!r})" for name in names}
        came = _some(f"{name!r}{alike.get(name.strip().casefold(), '')}" for name in missing)
        raise ValueError(f"{path}: there is no column {came}. Its columns are {_some(map(repr, names))}.")


def _some(texts: Iterable[str]) -> str:
    """Return up to five texts, and how many more there are."""
    texts = list(texts)
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")

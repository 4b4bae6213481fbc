"""Several files as one table: parts in a folder, as Spark writes them, of a glob, or named together."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vaetools.data.addresses import Address, addresses, files_below, is_address
from vaetools.data.batches import Failure
from vaetools.data.csv_files import CsvFile
from vaetools.data.dialect import Dialect
from vaetools.data.formats import HIDDEN, NO_EXTENSION, left_out_as
from vaetools.data.kinds import Kind, learn_kinds
from vaetools.data.listing import Listing, Search, as_names, drop_repeated, left_out_elsewhere
from vaetools.data.numerals import find_numerals, negatives_in_parentheses
from vaetools.data.packed import Block
from vaetools.data.patterns import chosen_by
from vaetools.data.table_formats import PARQUET, TEXT, open_file, table_format, unread_part

_SAMPLED = 20  # files that say how numbers are written
_DELTA = "_delta_log"
_HIDDEN = (".", "_")  # the latter are what Spark leaves beside the parts
_TEXT = {*TEXT, NO_EXTENSION}


class SeveralFiles:
    """Files with the same columns, in one order or another.

    Parameters
    ----------
    files : list of CsvFile or TypedFile
        Of one format.

    Attributes
    ----------
    path : str
        What they are called in messages.
    names : list of str
        Of the columns, as in the first file.
    dialect : Dialect or None
        That of the first file; each is read in its own, but numbers are written alike in all.
    n_rows : int or None
    group_rows : None
        Rows are not cut at row groups.
    typed : bool
    notes : list of str
        What else is to be said of the files.
    """

    group_rows = None

    def __init__(self, files: Sequence[Any]):
        first, *others = self._files = list(files)
        self.path = f"{first.path} and {len(others)} more"
        self.names, self.typed, self.dialect = first.names, first.typed, first.dialect
        self.notes = [f"{file.path}: {note}" for file in self._files for note in file.notes]
        for other in others:
            _check_alike(first, other)
        counts = [file.n_rows for file in files]
        self.n_rows = None if None in counts else sum(counts)

    def index_columns(self) -> list[tuple[str, str]]:
        """Return the columns that are an index, by name and in words."""
        return self._files[0].index_columns()

    def sample(self, features: list[str]) -> dict[str, Any]:
        """Return the first cells of features in the first file that has any."""
        return next(filter(None, (file.sample(features) for file in self._files)), {})

    def check_rows(self) -> None:
        """Raise if most of the first rows of a file do not fit its header."""
        for file in self._files:
            file.check_rows()

    def numerals(self, features: list[str]) -> Dialect | None:
        """Return the dialect with decimal and thousands as the first cells in all files have them."""
        if self.typed:
            return None
        samples = [file.sample(features) for file in islice(self._files, _SAMPLED)]
        columns = {name: _end_to_end([each[name] for each in samples if each]) for name in features}
        columns = columns if any(samples) else {}
        try:
            found = find_numerals(columns, self.dialect)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        self.notes += negatives_in_parentheses(columns, found)
        return found

    def set_aside(self, features: list[str], dialect: Dialect | None) -> list[Failure]:
        """Leave out files whose numbers are written in a way of their own, and return them as failures."""
        others = {} if dialect is None else {file: _own(file, features, dialect) for file in self._files}
        failed = [
            Failure(
                str(file.path),
                f"its numbers are written otherwise ({own.numbers_in_words}) than those of the other files "
                f"({dialect.numbers_in_words}): read it alone",
            )
            for file, own in others.items()
            if dialect is not None and own is not None
        ]
        self._files = [file for file in self._files if others.get(file) is None]
        return failed

    def not_numbers(self, features: list[str], dialect: Dialect | None) -> dict[str, str]:
        """Return the features that are not columns of numbers, with what they are."""
        if self.typed:
            return {
                name: what
                for file in self._files
                for name, what in file.not_numbers(features, dialect).items()
            }
        errors: list[ValueError] = []
        for file in self._files:
            try:
                return file.not_numbers(features, dialect)
            except ValueError as error:  # it has no rows, or is damaged
                errors.append(error)
        raise errors[0]

    def kinds(
        self, features: list[str], as_text: Collection[str], dialect: Dialect | None
    ) -> dict[str, Kind]:
        """Return what features are, in all files of text together, or by the types of the first file."""
        if dialect is None:
            return self._files[0].kinds(features, as_text, dialect)
        blocks = (block.features for block in self.blocks(features, ()) if block.features)
        return learn_kinds(blocks, features, as_text, dialect.written)

    def misfits(self, kinds: Mapping[str, Kind]) -> dict[str, str]:
        """Return the columns that are of another kind in some file, with the type of each."""
        return {name: what for file in self._files for name, what in file.misfits(kinds).items()}

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows of one file after the other; a file that is damaged within costs the rest of it."""
        for file in self._files:
            n_read = 0
            try:
                for block in file.blocks(features, beside, n_rows):
                    n_read += len(block.rows)
                    yield block._replace(file=str(file.path))
            except (OSError, ValueError) as error:
                reason = str(error).removeprefix(f"{file.path}: ").removesuffix(".")
                came = f"{reason}; {n_read:,} rows before that were read"
                yield Block(np.arange(0), [], [], [Failure(str(file.path), came)])

    def known(self, cells: Any) -> Any:
        """Return labels, null where one is missing."""
        return self._files[0].known(cells)

    def values(self, labels: Any) -> np.ndarray:
        """Return known labels."""
        return self._files[0].values(labels)


def _own(file: Any, features: list[str], dialect: Dialect) -> Dialect | None:
    """Return how a file writes its numbers if they are none in the dialect of all files; else None."""
    with contextlib.suppress(ValueError):  # damaged, which reading it tells
        if any(map(len, file.sample(features).values())):
            wrong = file.not_numbers(features, dialect)
            own = file.numerals(features) if wrong else dialect
            return own if wrong.keys() - file.not_numbers(features, own).keys() else None
    return None


def _end_to_end(columns: list) -> Any:
    """Return columns of text as one column."""
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())


def _check_alike(first: Any, other: Any) -> None:
    """Raise where two files have not the same columns, naming one that only one of them has."""
    for here, there in ((first, other), (other, first)):
        if lone := [name for name in here.names if name not in set(there.names)]:
            raise ValueError(
                f"{there.path}: files of one table must have the same columns; got no {lone[0]!r}, which "
                f"{here.path} has."
            )


def as_one(opened: list[Any], wanted: Collection[str]) -> Any:
    """Return files as one, whose columns are called alike, and as they are wanted where that may be."""
    for each in opened:
        each.call_as(wanted)
    for each in opened[1:]:
        each.call_as(opened[0].names)
    return opened[0] if len(opened) == 1 else SeveralFiles(opened)


def named_files(data: Any) -> list[str]:
    """Return the paths that a user named; of a glob that finds tables alone, what it finds."""
    names = as_names(data)
    if isinstance(names, list):
        return names
    if glob.has_magic(names) and not os.path.lexists(names):
        found = sorted(glob.glob(names, recursive=True))
        if found and all(map(table_format, found)):
            return found
    return [names]


def list_tables(data: Any) -> Listing:
    """Return the files of a table, those of a folder sorted by name, and what is left out of folders.

    What holds rows in a format that is not read has failed.

    Links are followed, and none twice into the same folder; a path that is named twice is read once.

    Raises
    ------
    ValueError
        If the tables in a folder are of several formats, or only a log tells which of them count.
    """
    listing = Listing.empty()
    names = named_files(data)
    for name in addresses(names) if any(map(is_address, names)) else names:
        if isinstance(name, Address):
            _take_elsewhere(name, listing)
            continue
        if not os.path.isdir(name):
            listing.paths.append(name)
            continue
        if os.path.isdir(os.path.join(name, _DELTA)):
            raise ValueError(
                f"{name}: a Delta table has a log of the files that count. Export it as Parquet."
            )
        found = _in_folder(name)
        formats = {table_format(path): path for path in found.paths}
        if len(formats) > 1:
            came = " and ".join(formats.values())
            raise ValueError(f"{name}: the tables in a folder must be of one format; got {came}.")
        listing.paths.extend(found.paths)
        listing.failed.extend(found.failed)
        listing.ignored.update(found.ignored)
    drop_repeated(listing)
    return listing


def is_parquet(name: str) -> bool:
    """Return whether a file calls itself Parquet, the only table that is read at an address."""
    return table_format(name) == PARQUET


def _take_elsewhere(name: Address, listing: Listing) -> None:
    """Add a Parquet file at an address, or those in a folder there and below it, to a listing."""
    files = files_below(name)
    for file, place in [(name, name.path)] if files is None else files:
        kind = left_out_elsewhere(place)
        if is_parquet(place) and kind != HIDDEN:
            listing.paths.append(file)
        else:
            listing.ignored[file] = kind or os.path.splitext(place)[1].lower()


def holds_tables(folder: str) -> bool:
    """Return whether there are tables in a folder or below it; what Spark leaves beside them is none."""
    return bool(_in_folder(folder).paths)


def partition_columns(data: Any) -> list[str]:
    """Return the columns after which folders in a folder are named, as in ``year=2024/part-0.parquet``."""
    folders = {
        part
        for name in named_files(data)
        if os.path.isdir(name)
        for path in _in_folder(name).paths
        for part in Path(os.path.relpath(path, name)).parts[:-1]
    }
    return sorted({folder.partition("=")[0] for folder in folders if "=" in folder})


def open_parts(data: Any, said: Dialect) -> tuple[list[Any], Listing]:
    """Open the files of a table; of several, those that cannot be opened are listed as failed.

    Text in a folder of CSV that is not named as a table is a part, too, if it has the same columns.

    Raises
    ------
    OSError, ValueError
        As of the first file, if none can be opened; or as of `list_tables`.
    """
    listing = list_tables(data)
    files: list[Any] = []
    errors: list[Exception] = []
    for path in listing.paths:
        try:
            files.append(open_file(path, said))
        except (OSError, ValueError) as error:
            errors.append(error)
            listing.failed.append(Failure(path, str(error).removeprefix(f"{path}: ")))
    if not files:
        raise errors[0]
    if not files[0].typed:
        for file in _texts(listing, set(files[0].names), said):
            files.append(file)
            del listing.ignored[str(file.path)]
    return files, listing


def _texts(listing: Listing, names: set[str], said: Dialect) -> list[CsvFile]:
    """Return the texts among what is left out that are tables with columns of these names."""
    files = []
    for path in [path for path, kind in listing.ignored.items() if kind in _TEXT]:
        try:
            file = CsvFile(Path(path), said)
        except (OSError, ValueError):
            continue
        files += [file] * (set(file.names) == names)
    return files


def _in_folder(folder: str) -> Listing:
    """Return the tables in a folder and below it, and with its kind what else was met."""
    listing = Listing.empty()
    search = Search(listing, chosen_by(), hidden=_HIDDEN)
    start = len(os.path.join(folder, ""))
    for inside, names in search.walk(folder):
        for name in names:
            hidden = name.startswith(_HIDDEN)
            if not hidden and (reason := unread_part(name)):
                listing.failed.append(Failure(inside + name, reason))
                continue
            kind = None if table_format(name) is not None and not hidden else _kind(name)
            search.take(inside + name, (inside + name)[start:], kind)
    return listing


def _kind(name: str) -> str:
    """Return as what a file that is no table is left out."""
    return HIDDEN if name.startswith(_HIDDEN) else left_out_as(name) or os.path.splitext(name)[1].lower()

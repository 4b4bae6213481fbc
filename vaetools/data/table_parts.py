"""Which files make one table together: those of a folder, of a glob, or several that are named."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

from vaetools.data.batches import Failure
from vaetools.data.csv_files import CsvFile
from vaetools.data.dialect import Dialect
from vaetools.data.formats import HIDDEN, NO_EXTENSION, left_out_as
from vaetools.data.listing import Listing, Search, as_names, drop_repeated
from vaetools.data.patterns import chosen_by
from vaetools.data.table_formats import TEXT, open_file, table_format, unread_part

_DELTA = "_delta_log"
_HIDDEN = (".", "_")  # the latter are what Spark leaves beside the parts
_TEXT = {*TEXT, NO_EXTENSION}


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
    for name in named_files(data):
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
            files.append(open_file(Path(path), said))
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

"""Which kind of data a user means: images, a table or an array; by name, and else by a look at the file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pandas as pd

from vaetools.data.addresses import addresses, files_below, is_address
from vaetools.data.encodings import is_text
from vaetools.data.formats import EXTENSIONS, HIDDEN, archive, left_out_as
from vaetools.data.idx import is_idx
from vaetools.data.listing import as_names, counted_kinds, has_image, left_out_elsewhere
from vaetools.data.packed import DamagedFile, open_unzipped, undamaged
from vaetools.data.path_lists import lists_files
from vaetools.data.several_files import holds_tables, is_parquet, named_files
from vaetools.data.table_formats import PARQUET, table_format, unread_table

_ARRAYS = (".npy", ".npz")
_LOOK = 2**16  # bytes of a file


def kind_of(data: Any) -> str:
    """Return which kind of data is meant: ``"images"``, ``"table"`` or ``"array"``.

    Parameters
    ----------
    data : path, glob, or sequence of those
        Tables and arrays are known by their extensions, or are IDX files. A folder is a table if there
        are tables in it and no image. Text is a table unless it lists paths. All else is images.

    Raises
    ------
    FileNotFoundError
        If the one file is not there.
    ValueError
        If files are of several kinds or several arrays, or the one file is an archive, or a table of a
        format that is not read.
    """
    names = named_files(data)
    if any(map(is_address, names)):
        return _kind_elsewhere(names)
    if len(names) == 1:
        return _kind_of_one(names[0])
    called = [name for name in names if table_format(name) or _is_folder_of_tables(name)]
    looked_at = list(filter(_is_table_of_text, names))
    tables = called + looked_at if called or len(looked_at) == len(names) else []  # notes lie beside images
    other = next((name for name in names if name.lower().endswith(_ARRAYS)), None)
    if other is not None:
        raise ValueError(f"{other}: arrays are read one at a time; got {len(names)} files.")
    if not tables:
        return "images"
    if len(tables) < len(names):
        other = next(name for name in names if name not in set(tables))
        raise ValueError(f"{tables[0]}: tables are read with tables alone; got {other} beside it.")
    return "table"


def _kind_elsewhere(names: list[str]) -> str:
    """Return which kind of data is at addresses: images, or Parquet files, in a folder without images."""
    n_images = n_tables = 0
    ignored: dict[str, str] = {}
    for name in addresses(names):
        files = None if left_out_as(name.path.rpartition("/")[2]) is None else files_below(name)
        if files is None:
            if table_format(name) not in (None, PARQUET) or name.lower().endswith(_ARRAYS):
                raise ValueError(f"{name}: at an address images and Parquet files are read. Copy it here.")
            n_images, n_tables = n_images + (not is_parquet(name)), n_tables + is_parquet(name)
            continue
        kinds = {file: left_out_elsewhere(place) for file, place in files}
        has_images = None in kinds.values()
        n_images += has_images
        n_tables += not has_images and any(is_parquet(file) and kinds[file] != HIDDEN for file in kinds)
        ignored |= {file: kind for file, kind in kinds.items() if kind is not None}
    if not n_images + n_tables:
        hint = f"; left out: {counted_kinds(ignored)}" if ignored else ""
        raise FileNotFoundError(f"{names[0]}: there is no image and no Parquet file{hint}.")
    if n_images and n_tables:
        raise ValueError(
            f"{names[0]}: files must all be images or all be Parquet; got {n_tables} Parquet files and "
            f"{n_images} others."
        )
    return "table" if n_tables else "images"


def names_of_files(data: Any) -> str | list[str]:
    """Return the names of files as text.

    Raises
    ------
    TypeError
        If data are something else, such as rows in memory.
    """
    if isinstance(data, (str, bytes, os.PathLike)):
        return as_names(data)
    is_iterable = isinstance(data, Iterable) and not isinstance(data, pd.DataFrame)
    names = list(data) if is_iterable and not hasattr(data, "read") else []
    if not names or not all(isinstance(name, (str, bytes, os.PathLike)) for name in names):
        came = (
            "an empty list" if is_iterable and not names and isinstance(data, list) else type(data).__name__
        )
        raise TypeError(
            f"data must be a path, a glob or a sequence of those; got {came}. Rows in memory are for "
            "score_samples and transform."
        )
    return as_names(names)


def _kind_of_one(path: str) -> str:
    """Return which kind of data a path is."""
    if os.path.isdir(path):
        return "table" if _is_folder_of_tables(path) else "images"
    name = path.lower()
    calls_itself_rows = table_format(path) is not None or name.endswith(_ARRAYS)
    if calls_itself_rows and not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file or folder.")
    if os.path.isfile(path) and (reason := archive(path) or unread_table(path)):
        raise ValueError(f"{path}: {reason}.")
    if calls_itself_rows:
        return "table" if table_format(path) else "array"
    if is_idx(path):
        return "array"
    is_image = os.path.splitext(name)[1] in EXTENSIONS or not os.path.isfile(path)
    return "images" if is_image or not _is_text_of_a_table(path) else "table"


def _is_folder_of_tables(path: str) -> bool:
    """Return whether a folder holds tables, and no image."""
    return os.path.isdir(path) and not has_image(path) and holds_tables(path)


def _is_table_of_text(path: str) -> bool:
    """Return whether a file that may be a list of paths is a table."""
    return path.lower().endswith(".txt") and os.path.isfile(path) and _is_text_of_a_table(path)


def _is_text_of_a_table(path: str) -> bool:
    """Return whether a file is text whose lines name no files."""
    if path.lower().endswith(".lst"):
        return False
    try:
        with undamaged(), open_unzipped(path) as file:
            start = file.read(_LOOK)
    except DamagedFile:  # or not packed at all
        return False
    return is_text(start) and not lists_files(start)

"""What a user's words for data mean: images, a table or an array, to train on or to stream."""

import dataclasses
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from vaetools.data.addresses import addresses, files_below, is_address
from vaetools.data.arrays import array_batches, is_idx, read_array
from vaetools.data.batches import Batch, Source, TrainingData
from vaetools.data.beside import read_beside, within
from vaetools.data.dialect import Dialect, Kind
from vaetools.data.encodings import DamagedFile, is_text, open_unzipped, undamaged
from vaetools.data.formats import ARRAYS, EXTENSIONS, HIDDEN, PARQUET, READ, Called, is_parquet, left_out_as
from vaetools.data.images import read_images
from vaetools.data.in_context import read_table
from vaetools.data.listing import (
    PATHS,
    Listing,
    as_names,
    counted_kinds,
    has_image,
    list_images,
    tables_in,
)
from vaetools.data.path_lists import as_paths, lists_files
from vaetools.data.reader import ImageReader
from vaetools.data.tables import named_files, open_table
from vaetools.words import counted

_LOOK = 2**16  # bytes of a file


def names_of_files(data: Any) -> list[str]:
    """Return the names of files as text; raise TypeError for something else, such as rows in memory."""
    if isinstance(data, PATHS):
        return as_names(data)
    is_iterable = isinstance(data, Iterable) and not isinstance(data, pd.DataFrame)
    names = list(data) if is_iterable and not hasattr(data, "read") else []
    if not names or not all(isinstance(name, PATHS) for name in names):
        came = "an empty list" if not names and isinstance(data, list) else type(data).__name__
        raise TypeError(
            f"data must be a path, a glob or a sequence of those; got {came}. Rows in memory are for "
            "score_samples and transform."
        )
    return as_names(names)


def kind_of(data: Any) -> str:
    """Return which kind of data is meant: ``"images"``, ``"table"`` or ``"array"``.

    Parameters
    ----------
    data : path, glob, or sequence of those
        Tables and arrays are known by their extensions, or are IDX files. A folder is a table if there
        are tables in it and no image. Text is a table unless it lists paths. All else is images.

    """
    names = named_files(data)
    if any(map(is_address, names)):
        return _kind_elsewhere(names)
    if len(names) != 1:
        return _kind_of_several(names)
    [path] = names
    if os.path.isdir(path):
        return "table" if _is_folder_of_tables(path) else "images"
    called, is_file = Called(path), os.path.isfile(path)
    calls_itself_rows = called.table is not None or path.lower().endswith(ARRAYS)
    if calls_itself_rows and not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file or folder.")
    if is_file and (reason := called.unread()):
        raise ValueError(f"{path}: {reason}.")
    if calls_itself_rows:
        return "table" if called.table else "array"
    if is_idx(path):
        return "array"
    is_image = os.path.splitext(path.lower())[1] in EXTENSIONS or not is_file
    return "images" if is_image or not _is_text_of_a_table(path) else "table"


def _kind_of_several(names: list[str]) -> str:
    """Return which kind of data several paths are."""
    called = [name for name in names if Called(name).table or _is_folder_of_tables(name)]
    texts = [name for name in names if name.lower().endswith(".txt") and os.path.isfile(name)]
    texts = list(filter(_is_text_of_a_table, texts))
    tables = called + texts if called or len(texts) == len(names) else []  # notes lie beside images
    other = next((name for name in names if name.lower().endswith(ARRAYS)), None)
    if other is not None:
        raise ValueError(f"{other}: arrays are read one at a time; got {len(names)} files.")
    if tables and len(tables) < len(names):
        other = next(name for name in names if name not in set(tables))
        raise ValueError(f"{tables[0]}: tables are read with tables alone; got {other} beside it.")
    return "table" if tables else "images"


def _kind_elsewhere(names: list[str]) -> str:
    """Return which kind of data is at addresses: images, or Parquet files, in a folder without images."""
    n_images = n_tables = 0
    ignored: dict[str, str] = {}
    for name in addresses(names):
        files = None if left_out_as(name.path.rpartition("/")[2]) is None else files_below(name)
        if files is None:
            if Called(name).table not in (None, PARQUET) or name.lower().endswith(ARRAYS):
                raise ValueError(f"{name}: at an address images and Parquet files are read. Copy it here.")
            n_images, n_tables = n_images + (not is_parquet(name)), n_tables + is_parquet(name)
            continue
        kinds = {file: left_out_as(place) for file, place in files}
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


def _is_folder_of_tables(path: str) -> bool:
    """Return whether a folder holds tables, and no image."""
    return os.path.isdir(path) and not has_image(path) and bool(tables_in(path).paths)


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


def open_source(
    data: Any,
    *,
    kind: str | None = None,
    reader: ImageReader | None = None,
    columns: Sequence[str] | Mapping[str, Kind] | None = None,
    n_features: int | None = None,
    id_column: str | None = None,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    array: str | None = None,
    channels: str | None = None,
    image_shape: tuple[int, int, int] | None = None,
    dialect: Dialect | None = None,
) -> Source:
    """Open data to stream, of any length.

    Parameters
    ----------
    data : path, glob, or sequence of those
        Images: a folder, a glob, files, a text file (``*.txt``) of paths, or ``"-"`` for paths from
        standard input. A table, or a folder, glob or several files that make one: CSV, Parquet, Arrow,
        Excel. An array: NPY, NPZ or IDX.
    kind : str or None, default=None
        What `kind_of` says of them; None asks it.
    reader : ImageReader or None, default=None
        Fitted; needed for images, of which ``include`` and ``exclude`` are patterns.
    columns, id_column, dialect
        Of a table, as of `open_table`.
    n_features : int or None, default=None
        Values that a row of a table without ``columns``, or of an array, must have.
    array, channels, image_shape
        Of an array, as of `read_array`, whose ``name`` the former is.
    """
    kind = kind or kind_of(data)
    if id_column is not None and kind != "table":
        raise ValueError(f"{named(data)}: an id column needs a table; got {kind}.")
    check_choice(data, kind, include, exclude, array, channels, dialect)
    if kind == "table":
        known: dict[str, Any] = {"columns": columns, "n_features": n_features, "id_column": id_column}
        return open_table(data, dialect=dialect, **known).source
    if kind == "array":
        X = read_array(_only(data), name=array, channels=channels, image_shape=image_shape).X
        if n_features not in (None, X.shape[1]):
            raise ValueError(
                f"{named(data)}: rows must have {n_features} values; got {X.shape[1]}. Keep only the "
                "columns of training, in their order."
            )
        return Source(kind, "row", len(X), lambda: array_batches(X), Listing())
    if reader is None:
        raise ValueError(f"{named(data)}: the model takes rows of numbers; {_got_no_rows(named(data))}.")
    listing = list_images(as_paths(data), include=include, exclude=exclude)
    paths, failed = listing.paths, listing.failed
    lost = [Batch([], np.empty((0, reader._n_features_out), reader.dtype_), failed)] * bool(failed)
    n = len(paths) + len(failed)
    return Source(kind, "path", n, lambda: chain(lost, reader.batches(paths, paths)), listing)


def read_training(
    data: Any,
    *,
    labels: str | None = None,
    context: Mapping[str, str | None] | None = None,
    beside: str | os.PathLike[str] | None = None,
    drop: Sequence[str] = (),
    id_column: str | None = None,
    mixed: bool = False,
    as_text: Collection[str] = (),
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    array: str | None = None,
    channels: str | None = None,
    dialect: Dialect | None = None,
    listing: Listing | None = None,
    **images: Any,
) -> TrainingData:
    """Read data to train on.

    Parameters
    ----------
    data : path, glob, or sequence of those
        As for `open_source`.
    labels : str or None, default=None
        Column of a table, array of an NPZ file, or file of labels beside an NPY or IDX file. Images
        have the names of their sub-folders.
    context : dict from str to str or None
        Columns of a table that rows are judged given, as of `open_in_context`; of images of the table
        ``beside`` them, as of `read_beside`.
    drop, id_column, mixed, as_text, dialect
        Of a table, as of `open_table`.
    include, exclude, **images
        Of images, as of `read_images`.
    listing : Listing or None, default=None
        Of images that were looked for already, by `list_training_images`.
    array, channels
        Of an array, as of `read_array`, whose ``name`` the former is.
    """
    kind = kind_of(data)
    check_choice(data, kind, include, exclude, array, channels, dialect)
    if kind == "table":
        features: dict[str, Any] = {"drop": drop, "mixed": mixed, "as_text": as_text}
        return read_table(data, labels, context, features | {"id_column": id_column, "dialect": dialect})
    if context and (beside is None or kind != "images"):
        raise ValueError(
            f"{named(data)}: a context is of columns of a table, or of a table beside images; got {kind}."
        )
    if drop or id_column is not None:
        raise ValueError(f"{named(data)}: columns to drop or to take as ids need a table; got {kind}.")
    if mixed:
        raise ValueError(f"{named(data)}: likelihood='mixed' is for tables (CSV, Parquet); got {kind}.")
    if kind == "array":
        read = read_array(_only(data), labels, name=array, channels=channels)
        failed = [failure for batch in array_batches(read.X) for failure in batch.failed]
        if failed:  # else the rows stay on disk
            good = np.setdiff1d(np.arange(len(read.X)), [failure.id for failure in failed])
            y = None if read.labels is None else read.labels[good]
            read = dataclasses.replace(read, X=read.X[good], ids=good.tolist(), labels=y, failed=failed)
        if not len(read.X):
            first = f" (row {failed[0].id}: {failed[0].reason})" if failed else ""
            raise ValueError(f"{named(data)}: a model needs rows; got none that can be used{first}.")
        return read
    if labels is not None:
        raise ValueError(f"{named(data)}: images take their labels from sub-folders; got labels={labels!r}.")
    listing = listing or list_training_images(data, include, exclude)
    return _read_images(listing, context, beside, images)


def _read_images(
    listing: Listing, context: Mapping[str, str | None] | None, beside: Any, images: dict[str, Any]
) -> TrainingData:
    """Read images to train on, and where they have a context in a table beside them those that have it."""
    told = None if beside is None or context is None else read_beside(beside, listing, context)
    found = read_images(listing, **images)
    read = TrainingData(
        "images",
        found.X,
        found.paths,
        found.labels,
        found.image_shape,
        found.reader,
        found.failed,
        found.ignored,
    )
    return read if told is None else within(read, told)


def list_training_images(
    data: Any, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()
) -> Listing:
    """Return the files of images to train on; standard input is read, which can be done but once."""
    return list_images(as_paths(data), include=include, exclude=exclude)


def check_choice(
    data: Any,
    kind: str,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    array: str | None = None,
    channels: str | None = None,
    dialect: Dialect | None = None,
) -> None:
    """Raise for a choice of files, of an array or of a dialect where there is none."""
    if not isinstance(dialect, Dialect | None):
        raise TypeError(
            f"{named(data)}: dialect must be a Dialect; got {dialect!r}. Pass one, such as "
            "Dialect(decimal=',')."
        )
    rules = (
        ("table", dialect is not None, "a table is written in a dialect"),
        ("images", include or exclude, "patterns to include or exclude need images"),
        ("array", channels is not None, f"channels={channels!r} is for images in an array"),
        ("array", array is not None, "an array is named in an NPZ file"),
    )
    for needed, is_said, rule in rules:
        if is_said and kind != needed:
            raise ValueError(f"{named(data)}: {rule}; got {kind}.")


def _got_no_rows(name: str) -> str:
    """Return what else than rows of numbers was named, in words."""
    extension = os.path.splitext(name)[1].lower()
    if os.path.isdir(name) and not has_image(name):
        return "got a folder without a table. Of arrays (.npy, .npz) and text (.txt) the files are named"
    if extension in EXTENSIONS or not os.path.isfile(name):
        return "got images"
    return f"got a file of another kind. It must be {READ}, or an array (.npy, .npz or IDX)"


def _only(data: Any) -> str:
    """Return the path if there is just one, else nothing."""
    names = as_names(data)
    return names[0] if len(names) == 1 else ""


def named(data: Any) -> str:
    """Return what messages call data."""
    return _only(data) or f"{os.fsdecode(data[0])} and {counted(len(data) - 1, 'other')}"

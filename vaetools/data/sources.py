"""What a user's words for data mean: images, a table or an array, to train on or to stream."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from vaetools.data.arrays import array_batches, read_array
from vaetools.data.batches import Batch, Failure
from vaetools.data.dialect import Dialect
from vaetools.data.formats import EXTENSIONS
from vaetools.data.images import read_images
from vaetools.data.kinds import Kind
from vaetools.data.listing import Listing, as_names, has_image, list_images
from vaetools.data.path_lists import as_paths
from vaetools.data.reader import ImageReader
from vaetools.data.recognition import kind_of
from vaetools.data.table_formats import READ
from vaetools.data.tables import Table, open_table


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Rows to stream.

    Attributes
    ----------
    kind : {"images", "table", "array"}
    id_name : str
        What ids are: ``"path"``, ``"row"`` or a column of the table.
    n_rows : int or None
        Files or rows to come, where that is known without reading them.
    batches : callable
        ``batches()`` reads them, as an iterator of `Batch`.
    listing : Listing
        Of images: their files; of these and of tables what is left out of folders.
    dialect : Dialect or None
        Of CSV: how it is written.
    notes : list of str
        Of a table: what else was understood, a sentence each.
    by_position : bool
        Of a table: whether its columns are taken by position.
    """

    kind: str
    id_name: str
    n_rows: int | None
    batches: Callable[[], Iterator[Batch]]
    listing: Listing = dataclasses.field(default_factory=Listing.empty)
    dialect: Dialect | None = None
    notes: Sequence[str] = ()
    by_position: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows to train on, all at hand; arrays and cached images stay on disk.

    Attributes
    ----------
    kind : {"images", "table", "array"}
    X : ndarray or DataFrame of shape (n_samples, n_features)
    ids : sequence of str or int
        What rows are called: paths, numbers from 0, or the texts of the id column.
    labels : ndarray of shape (n_samples,) or None
    image_shape : tuple (channels, height, width) or None
    reader : ImageReader or None
        Reads other images as these were read.
    failed : list of Failure
    ignored : dict from str to str
        What was met in folders and is left out, with its kind.
    dialect : Dialect or None
        Of CSV: how it is written.
    notes : list of str
        Of a table: what else was understood, a sentence each.
    """

    kind: str
    X: Any
    ids: Sequence
    labels: np.ndarray | None
    image_shape: tuple[int, int, int] | None
    reader: ImageReader | None
    failed: list[Failure]
    ignored: dict[str, str]
    dialect: Dialect | None = None
    notes: Sequence[str] = ()


def open_source(
    data: Any,
    *,
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
    reader : ImageReader or None, default=None
        Fitted; needed for images.
    columns : sequence of str, dict from str to Kind, or None, default=None
        Columns of a table to read, with kinds if their cells may be missing; None reads all, which
        must be numbers.
    n_features : int or None, default=None
        Values that a row of a table without ``columns``, or of an array, must have.
    id_column : str or None, default=None
        Column of a table that names its rows; None numbers them from 0.
    include, exclude : str or iterable of str, default=()
        Patterns of images; see `read_images`.
    array : str or None, default=None
        Which array of an NPZ file holds the rows.
    channels : {"first", "last"} or None, default=None
        Where images in an array have their channels; None finds out.
    image_shape : tuple (channels, height, width) or None, default=None
        What images in an array must be.
    dialect : Dialect or None, default=None
        How a CSV file is written; what it does not say is found out.

    Returns
    -------
    source : Source

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or of another kind than the arguments are for.
    """
    kind = kind_of(data)
    if id_column is not None and kind != "table":
        raise ValueError(f"{_words(data)}: an id column needs a table; got {kind}.")
    check_choice(data, kind, include, exclude, array, channels, dialect)
    if kind == "table":
        return source_of(
            open_table(data, columns=columns, n_features=n_features, id_column=id_column, dialect=dialect)
        )
    if kind == "array":
        X = read_array(_only(data), name=array, channels=channels, image_shape=image_shape).X
        if n_features not in (None, X.shape[1]):
            raise ValueError(
                f"{_words(data)}: rows must have {n_features} values; got {X.shape[1]}. Keep only the "
                "columns of training, in their order."
            )
        return Source(kind, "row", len(X), lambda: array_batches(X))
    if reader is None:
        raise ValueError(f"{_words(data)}: the model takes rows of numbers; {_got_no_rows(_words(data))}.")
    listing = list_images(as_paths(data), include=include, exclude=exclude)
    unread = Batch([], np.empty((0, reader._n_features_out), reader.dtype_), listing.failed)
    return Source(
        kind,
        "path",
        len(listing.paths),
        lambda: chain([unread] if listing.failed else [], reader.batches(listing.paths, listing.paths)),
        listing,
    )


def source_of(table: Table) -> Source:
    """Return the rows of a table to stream."""
    return Source(
        "table",
        table.id_name,
        table.n_rows,
        table.batches,
        table.listing._replace(paths=[]),
        table.dialect,
        table.notes,
        table.by_position,
    )


def read_training(
    data: Any,
    *,
    labels: str | None = None,
    drop: Sequence[str] = (),
    id_column: str | None = None,
    mixed: bool = False,
    as_text: Collection[str] = (),
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    array: str | None = None,
    channels: str | None = None,
    dialect: Dialect | None = None,
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
    drop : sequence of str, default=()
        Columns of a table to leave out.
    id_column : str or None, default=None
        A column of a table that names its rows, and is left out too.
    mixed : bool, default=False
        Whether a table may have missing cells, and columns of text.
    as_text : collection of str, default=()
        If ``mixed``, columns that are categories though they look like numbers: of CSV as they stand.
    include, exclude : str or iterable of str, default=()
        Patterns of images; see `read_images`.
    array : str or None, default=None
        Which array of an NPZ file holds the rows.
    channels : {"first", "last"} or None, default=None
        Where images in an array have their channels; None finds out.
    dialect : Dialect or None, default=None
        How a CSV file is written; what it does not say is found out.
    **images : dict
        Other parameters of `read_images`.

    Returns
    -------
    data : TrainingData

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or of another kind than the arguments are for.
    """
    kind = kind_of(data)
    check_choice(data, kind, include, exclude, array, channels, dialect)
    if kind == "table":
        table = open_table(
            data,
            labels=labels,
            drop=drop,
            id_column=id_column,
            mixed=mixed,
            as_text=as_text,
            dialect=dialect,
        )
        X, y, failed = table.read()
        ids = X.index.tolist()
        ignored = table.listing.ignored
        return TrainingData(kind, X, ids, y, None, None, failed, ignored, table.dialect, table.notes)
    if drop or id_column is not None:
        raise ValueError(f"{_words(data)}: columns to drop or to take as ids need a table; got {kind}.")
    if mixed:
        raise ValueError(f"{_words(data)}: likelihood='mixed' is for tables (CSV, Parquet); got {kind}.")
    if kind == "array":
        read = read_array(_only(data), labels, name=array, channels=channels)
        X, ids, y, failed = _finite_rows(read.X, read.labels)
        if not len(X):
            first = f" (row {failed[0].id}: {failed[0].reason})" if failed else ""
            raise ValueError(f"{_words(data)}: a model needs rows; got none that can be used{first}.")
        return TrainingData(kind, X, ids, y, read.image_shape, None, failed, {})
    if labels is not None:
        raise ValueError(f"{_words(data)}: images take their labels from sub-folders; got labels={labels!r}.")
    found = read_images(as_paths(data), include=include, exclude=exclude, **images)
    return TrainingData(
        kind, found.X, found.paths, found.labels, found.image_shape, found.reader, found.failed, found.ignored
    )


def _finite_rows(
    X: np.ndarray, y: np.ndarray | None
) -> tuple[np.ndarray, Sequence[int], np.ndarray | None, list[Failure]]:
    """Return an array as it is if all of it is finite, else a copy of the rows that are; and row numbers."""
    failed = [failure for batch in array_batches(X) for failure in batch.failed]
    if not failed:
        return X, range(len(X)), y, []
    good = np.setdiff1d(np.arange(len(X)), [failure.id for failure in failed])
    return X[good], good.tolist(), None if y is None else y[good], failed


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
            f"{_words(data)}: dialect must be a Dialect; got {dialect!r}. Pass one, such as "
            "Dialect(decimal=',')."
        )
    if kind != "table" and dialect is not None:
        raise ValueError(f"{_words(data)}: a table is written in a dialect; got {kind}.")
    if kind != "images" and (include or exclude):
        raise ValueError(f"{_words(data)}: patterns to include or exclude need images; got {kind}.")
    if kind != "array" and channels is not None:
        raise ValueError(f"{_words(data)}: channels={channels!r} is for images in an array; got {kind}.")
    if kind != "array" and array is not None:
        raise ValueError(f"{_words(data)}: an array is named in an NPZ file; got {kind}.")


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
    if isinstance(names, str):
        return names
    return names[0] if len(names) == 1 else ""


def _words(data: Any) -> str:
    """Name data in a message."""
    return _only(data) or f"{os.fsdecode(data[0])} and {len(data) - 1} others"

"""What every reader of files gives: rows, what each is called, and what could not be read."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.data.dialect import Dialect
    from vaetools.data.listing import Listing


class PixelRows(np.ndarray):
    """Rows of an image reader: an estimator takes their integers for levels of brightness.

    Parts of them are pixels too; what is computed from them is a plain array.

    Attributes
    ----------
    are_pixels : bool
        True.
    """

    are_pixels = True

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """Return the result of a calculation as numbers that are no pixels."""
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain


class Failure(NamedTuple):
    """Something that could not be read.

    Attributes
    ----------
    id : str or int
        Path of a file, or number of a row (from 0).
    reason : str
        One line.
    """

    id: str | int
    reason: str


class Batch(NamedTuple):
    """Some rows, in the order of their files.

    Attributes
    ----------
    ids : list of str or int
        Path or row number (from 0) of every row.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        May have no rows. A DataFrame where columns are of several kinds.
    failed : list of Failure
        What could not be read since the batch before.
    """

    ids: list[Any]
    X: "np.ndarray | pd.DataFrame"
    failed: list[Failure]


class Block(NamedTuple):
    """Some rows of a table as they came.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Their numbers, from 0 in every file.
    features : list of arrays of Arrow
        Cells, column by column: text where a file has no types. Nothing where the rest of a file is damaged.
    beside : list of arrays of Arrow
        Cells of other columns.
    lost : list of Failure
        Rows that are left out, for they have too many or too few cells; or the file that is damaged.
    file : str
        Which file they are of, where a table has several; else nothing.
    """

    rows: np.ndarray
    features: list[Any]
    beside: list[Any]
    lost: list[Failure]
    file: str = ""

    def called(self, row: Any) -> Any:
        """Return what a row is called that has no id: its number, behind its file if there are several."""
        return f"{self.file}:{row}" if self.file else row


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
    listing: "Listing"
    dialect: "Dialect | None" = None
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
    dialect, notes
        As of a `Source`.
    context : DataFrame or None
        Of images, what they are judged given.
    """

    kind: str
    X: Any
    ids: Sequence[Any]
    labels: np.ndarray | None
    image_shape: tuple[int, int, int] | None = None
    reader: Any = None
    failed: Sequence[Failure] = ()
    ignored: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dialect: "Dialect | None" = None
    notes: Sequence[str] = ()
    context: "pd.DataFrame | None" = None


def where(id: str | int) -> str:
    """Return what a failure is of in words: a path as it is, or "row 3"."""
    return id if isinstance(id, str) else f"row {id}"


def regroup(batches: Iterable[Batch], n_rows: int) -> Iterator[Batch]:
    """Yield the same rows in batches of ``n_rows``, the last one shorter; none fails apart from rows.

    Examples
    --------
    >>> pieces = [Batch([i], np.array([[i]]), []) for i in range(5)]
    >>> [batch.ids for batch in regroup(pieces, 2)]
    [[0, 1], [2, 3], [4]]
    """
    ids: list[Any] = []
    pieces: list[np.ndarray] = []
    failed: list[Failure] = []
    for batch in batches:
        ids, failed = ids + batch.ids, failed + batch.failed
        pieces.append(batch.X)
        while len(ids) > n_rows:  # a row stays, for what fails behind it
            X = np.concatenate(pieces)
            yield Batch(ids[:n_rows], X[:n_rows], failed)
            ids, pieces, failed = ids[n_rows:], [X[n_rows:]], []
    if ids or failed:
        yield Batch(ids, np.concatenate(pieces), failed)

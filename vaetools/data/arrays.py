"""Arrays on disk (``.npy``, ``.npz``, IDX) → rows."""

from __future__ import annotations

import contextlib
import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from vaetools.axes import CHANNELS, Shape, likely_reading, readings
from vaetools.data.batches import Batch, Failure
from vaetools.data.idx import read_idx


class ArrayData(NamedTuple):
    """Rows from a file of arrays.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Of the file's type; a memory map for ``.npy``.
    image_shape : tuple of int or None
        (channels, height, width) if the file holds images.
    labels : ndarray of shape (n_samples,) or None
    """

    X: np.ndarray
    image_shape: tuple[int, int, int] | None
    labels: np.ndarray | None


def read_array(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    channels: str | None = None,
    image_shape: Shape | None = None,
) -> ArrayData:
    """Read rows or images from a file of arrays; nothing is ever unpickled.

    A 3-D array is taken as gray images, a 4-D array as images whose channels come first or last. Images
    become rows without a copy where memory's order allows it: not for channels that are stored last. A
    fourth channel is one like the others: nothing is taken for transparency.

    Parameters
    ----------
    path : str or PathLike
        A ``.npy`` file, which stays on disk; a ``.npz`` file; any other name: an IDX file, raw or gzip.
    labels : str or PathLike, optional
        For ``.npz`` the name of an array in it, default ``y`` if it has one; otherwise the path of
        another ``.npy`` or IDX file.
    name : str or None, default=None
        For ``.npz`` the name of the array of samples. None takes ``X``, or the only array of two or more
        axes that is not the labels.
    channels : {"first", "last"} or None, default=None
        Where an image has its channels: (channels, height, width) or (height, width, channels). None
        finds out, by ``image_shape``, or where only one of the two has at most 4 channels, fewer than
        pixels a side.
    image_shape : tuple (channels, height, width) or None, default=None
        What images must be.

    Returns
    -------
    data : ArrayData

    Raises
    ------
    ValueError
        If a file is damaged, or holds no numbers, no rows by features or other labels than rows; if
        images are others than they must be, or their channels may be first or last.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "images.npz")
    ...     np.savez(path, X=np.zeros((10, 8, 8)), y=np.arange(10))
    ...     data = read_array(path)
    >>> data.X.shape, data.image_shape, data.labels.shape
    ((10, 64), (1, 8, 8), (10,))
    """
    array, y = _read(path, labels, name)
    return ArrayData(*_as_rows(path, array, channels, image_shape), y)


def read_labels(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None, name: str | None
) -> np.ndarray | None:
    """Return the labels alone of what `read_array` reads."""
    return _read(path, labels, name)[1]


def _read(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None, name: str | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return samples and labels, checked."""
    if Path(path).suffix.lower() == ".npz":
        array, y = _read_npz(path, labels, name)
    elif name is not None:
        raise ValueError(f"{path}: only an NPZ file has arrays to choose from; got array={name!r}.")
    else:
        array, y = _read_one(path), None if labels is None else _read_one(labels)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{path}: an array must hold integers, floats or booleans; got {array.dtype}.")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)  # torch knows no other
    if array.ndim not in (2, 3, 4) or 0 in array.shape[1:]:
        raise ValueError(
            f"{path}: an array must be rows × features, or images of 2 or 3 axes; got shape {array.shape}."
        )
    if y is not None and (y.shape != array.shape[:1] or y.dtype.kind not in "biufUS"):
        raise ValueError(
            f"{path}: labels must be {len(array)} numbers or texts, one per row; got shape "
            f"{y.shape} of {y.dtype}."
        )
    return array, y


def array_batches(X: np.ndarray, n_rows: int = 4096) -> Iterator[Batch]:
    """Yield an array in slices, without the rows that hold NaN or infinity.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    n_rows : int, default=4096
        Of every slice but the last.

    Yields
    ------
    batch : Batch
        Its ids are row numbers; rows that are not finite are in ``failed``.

    Examples
    --------
    >>> (batch,) = array_batches(np.array([[0, 1], [0, np.nan], [2, 3]]))
    >>> batch.ids, batch.failed
    ([0, 2], [Failure(id=1, reason='column 1 is nan')])
    """
    for start in range(0, len(X), n_rows):
        rows = X[start : start + n_rows]
        ids = range(start, start + len(rows))
        good = np.isfinite(rows).all(axis=1) if X.dtype.kind == "f" else np.ones(len(rows), bool)
        if good.all():
            yield Batch(list(ids), rows, [])  # a view
        else:
            failed = [Failure(ids[i], _first_fault(rows[i])) for i in np.flatnonzero(~good)]
            yield Batch([ids[i] for i in np.flatnonzero(good)], rows[good], failed)


def _first_fault(row: np.ndarray) -> str:
    """Return what is wrong in a row that is not finite."""
    column = np.argmin(np.isfinite(row))
    return f"column {column} is {row[column]}"


def _read_one(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the array of a ``.npy`` file as a memory map, or of an IDX file."""
    if Path(path).suffix.lower() != ".npy":
        return read_idx(path)
    with _readable(path):
        return npy.open_memmap(path, mode="r")


def _read_npz(
    path: str | os.PathLike[str], labels: Any, chosen: str | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the samples in a ``.npz`` file, and the labels if it has any."""
    with _readable(path), zipfile.ZipFile(path) as file:
        names = [name[:-4] for name in file.namelist() if name.endswith(".npy")]
        shapes = {name: _shape(file, name) for name in names}
    if set(shapes) >= {"format", "shape", "data"} and chosen is None:
        raise ValueError(
            f"{path}: an array must be dense; got a sparse matrix of SciPy. Save its rows in full, by "
            "numpy.save('rows.npy', scipy.sparse.load_npz(path).toarray())."
        )
    name, labels = _named(path, shapes, labels, chosen)
    with _readable(path), zipfile.ZipFile(path) as file:
        return _member(file, name), None if labels is None else _member(file, labels)


def _named(
    path: Any, shapes: dict[str, tuple[int, ...]], labels: str | None, chosen: str | None
) -> tuple[str, str | None]:
    """Return the names of the samples and of the labels among arrays."""
    held = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    for role, wanted in {"labels": labels, "array": chosen}.items():
        if wanted is not None and wanted not in shapes:
            raise ValueError(f"{path}: {role} must name one of its arrays, {held}; got {wanted!r}.")
    candidates = [name for name, shape in shapes.items() if len(shape) >= 2 and name != (labels or "y")]
    name = chosen or ("X" if "X" in shapes else candidates[0] if len(candidates) == 1 else None)
    if name is None:
        raise ValueError(
            f"{path}: it must hold an array 'X' or one array of two or more axes; got {held}. Say which, "
            f"such as array={next(iter(shapes), 'X')!r}."
        )
    if labels is None and "y" in shapes and (chosen is None or shapes["y"] == shapes[name][:1]):
        labels = "y"
    return name, labels


def _shape(file: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """Return the shape of an array in a ``.npz`` file, from its header."""
    with file.open(f"{name}.npy") as member:
        first = npy.read_magic(member) == (1, 0)
        shape, _, _ = (npy.read_array_header_1_0 if first else npy.read_array_header_2_0)(member)
        return shape


def _member(file: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read an array of a ``.npz`` file."""
    with file.open(f"{name}.npy") as member:
        return npy.read_array(member, allow_pickle=False)


@contextlib.contextmanager
def _readable(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn all that numpy and zipfile raise at a damaged file, a dozen kinds, into one."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # no such file, no permission
            raise
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path}: not a readable {Path(path).suffix} file: {reason}") from None


def _as_rows(
    path: Any, array: np.ndarray, channels: str | None, image_shape: Shape | None
) -> tuple[np.ndarray, Shape | None]:
    """Return samples as rows, and the shape of an image if they are images."""
    if channels not in (None, *CHANNELS):
        raise ValueError(f"{path}: channels must be one of {CHANNELS}; got {channels!r}.")
    if channels is not None and array.ndim != 4:
        raise ValueError(
            f"{path}: channels={channels!r} is for images with an axis of channels; got an array of shape "
            f"{array.shape}."
        )
    if array.ndim == 2:
        return array, None
    if array.ndim == 3:
        array = array[:, np.newaxis]  # (n_samples, 1, height, width)
    elif _place_of_channels(path, array.shape, channels, image_shape) == "last":
        array = array.transpose(0, 3, 1, 2)  # (n_samples, channels, height, width)
    _, *shape = array.shape
    if image_shape not in (None, tuple(shape)):
        raise ValueError(
            f"{path}: images must be of shape {image_shape}, (channels, height, width), as the model takes "
            f"them; got {tuple(shape)}."
        )
    return array.reshape(len(array), math.prod(shape)), tuple(shape)


def _place_of_channels(path: Any, shape: tuple[int, ...], said: str | None, image_shape: Shape | None) -> str:
    """Return where images have their channels: as said, as the model takes them, or as their shape tells."""
    possible = readings(shape)
    fitting = [place for place, each in possible.items() if each == image_shape]
    place = said or (fitting[0] if len(fitting) == 1 else likely_reading(shape))
    if place is None:
        first, last = (
            f"{n} channel{'s' * (n != 1)} of {height} × {width} pixels"
            for n, height, width in possible.values()
        )
        raise ValueError(
            f"{path}: images of shape {shape[1:]} may have {first} (height × width), or {last}. Say "
            "channels='first' or channels='last'."
        )
    return place

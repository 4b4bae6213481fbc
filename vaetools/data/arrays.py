"""Arrays on disk → rows: ``.npy``, ``.npz`` and IDX, the format of MNIST; nothing is ever unpickled."""

import contextlib
import math
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from vaetools.axes import CHANNELS, Shape, likely_reading, readings
from vaetools.data.batches import Batch, Failure, TrainingData
from vaetools.data.encodings import open_unzipped, undamaged

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
_IDX_NAME = re.compile(r"(\.idx|idx\d-[a-z]+)(\.gz)?$")
_PIECE = 2**20  # bytes read at once


def read_array(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    channels: str | None = None,
    image_shape: Shape | None = None,
) -> TrainingData:
    """Read rows or images from a file of arrays.

    A 3-D array is taken as gray images, a 4-D array as images whose channels come first or last, none of
    which is transparency. Images become rows without a copy unless their channels are stored last.

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
    array, y = read_arrays(path, labels, name)
    X, shape = _as_rows(path, array, channels, image_shape)
    return TrainingData("array", X, range(len(X)), y, shape)


def read_arrays(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None, name: str | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return samples and labels of what `read_array` reads, as they are in the file."""
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
    """Yield an array in slices, without the rows that hold NaN or infinity, which have failed.

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
            columns = np.isfinite(rows).argmin(axis=1)  # the first that is not finite
            failed = [
                Failure(ids[i], f"column {columns[i]} is {rows[i, columns[i]]}")
                for i in np.flatnonzero(~good)
            ]
            yield Batch([ids[i] for i in np.flatnonzero(good)], rows[good], failed)


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
    shapes: dict[str, tuple[int, ...]] = {}
    with _readable(path), zipfile.ZipFile(path) as file:
        for name in file.namelist():
            if name.endswith(".npy"):
                with file.open(name) as member:  # the header says it
                    first = npy.read_magic(member) == (1, 0)
                    header = (npy.read_array_header_1_0 if first else npy.read_array_header_2_0)(member)
                    shapes[name[:-4]] = header[0]
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


def _member(file: zipfile.ZipFile, name: str) -> np.ndarray:
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
    """Return samples as rows, and the shape of an image if they are images.

    Their channels are where it is said, where the model takes them, or where their shape tells.
    """
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
    else:
        possible = readings(array.shape)
        fitting = [place for place, each in possible.items() if each == image_shape]
        place = channels or (fitting[0] if len(fitting) == 1 else likely_reading(array.shape))
        if place is None:
            first, last = (
                f"{n} channel{'s' * (n != 1)} of {height} × {width} pixels"
                for n, height, width in possible.values()
            )
            raise ValueError(
                f"{path}: images of shape {array.shape[1:]} may have {first} (height × width), or {last}. "
                "Say channels='first' or channels='last'."
            )
        if place == "last":
            array = array.transpose(0, 3, 1, 2)  # (n_samples, channels, height, width)
    _, *shape = array.shape
    if image_shape not in (None, tuple(shape)):
        raise ValueError(
            f"{path}: images must be of shape {image_shape}, (channels, height, width), as the model takes "
            f"them; got {tuple(shape)}."
        )
    return array.reshape(len(array), math.prod(shape)), tuple(shape)


def is_idx(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is there that is named like IDX, as ``-idx3-ubyte.gz``, or starts like it."""
    if not Path(path).is_file():
        return False
    if _IDX_NAME.search(Path(path).name.lower()):
        return True
    try:
        with undamaged(), open_unzipped(path) as file:
            _idx_header(file)
    except ValueError:
        return False
    return True


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file whole, raw or gzip; memory follows what it holds, whatever its header claims.

    References
    ----------
    LeCun, Cortes, Burges (1998), "The MNIST database of handwritten digits",
    http://yann.lecun.com/exdb/mnist.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels-idx1-ubyte")
    ...     size = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    try:
        with undamaged(), open_unzipped(path) as file:
            dtype, shape = _idx_header(file)
            size = math.prod(shape) * dtype.itemsize
            data = bytearray()  # which grows with what comes
            while piece := file.read(min(_PIECE, size + 1 - len(data))):
                data += piece
        if len(data) != size:
            came = f"only {len(data):,}" if len(data) < size else "more"
            raise ValueError(f"its shape {shape} of {dtype.name} needs {size:,} bytes of data; got {came}")
        return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:
        raise ValueError(f"{path}: not a readable IDX file: {error}.") from None


def _idx_header(file: BinaryIO) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the type, big-endian, and the shape of what follows."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES:
        codes, came = bytes(IDX_TYPES).hex(" "), magic.hex(" ") or "no byte"
        raise ValueError(f"it must start with 00 00, one of {codes}, and its number of axes; got {came}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"its {magic[3]} axes need {4 * magic[3]} bytes; got {len(sizes)}")
    return np.dtype(f">{IDX_TYPES[magic[2]]}"), struct.unpack(f">{magic[3]}I", sizes)

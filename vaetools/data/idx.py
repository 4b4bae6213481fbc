"""IDX files, the format of MNIST: a header of sizes, then numbers; raw or in gzip."""

from __future__ import annotations

import math
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vaetools.data.packed import open_unzipped, undamaged

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
_NAME = re.compile(r"(\.idx|idx\d-[a-z]+)(\.gz)?$")
_PIECE = 2**20  # bytes read at once


def is_idx(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is named like IDX (``.idx``, ``-idx3-ubyte.gz``) or starts like it.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    is_idx : bool
        False for a folder or a file that does not exist.
    """
    if not Path(path).is_file():
        return False
    if _NAME.search(Path(path).name.lower()):
        return True
    try:
        with undamaged(), open_unzipped(path) as file:
            _read_header(file)
    except ValueError:
        return False
    return True


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file whole.

    Memory follows what the file holds, whatever its header claims.

    Parameters
    ----------
    path : str or PathLike
        Raw or gzip, which its content decides.

    Returns
    -------
    array : ndarray
        Of the shape and type in the header, in native byte order.

    Raises
    ------
    ValueError
        If the file is not IDX, holds more or less than its header says, or is damaged gzip.

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
            dtype, shape = _read_header(file)
            size = math.prod(shape) * dtype.itemsize
            data = _read_at_most(file, size + 1)
        if len(data) != size:
            came = f"only {len(data):,}" if len(data) < size else "more"
            raise ValueError(f"its shape {shape} of {dtype.name} needs {size:,} bytes of data; got {came}")
        return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:
        raise ValueError(f"{path}: not a readable IDX file: {error}.") from None


def _read_header(file: BinaryIO) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the type, big-endian, and the shape of what follows."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        codes, came = bytes(TYPES).hex(" "), magic.hex(" ") or "no byte"
        raise ValueError(f"it must start with 00 00, one of {codes}, and its number of axes; got {came}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"its {magic[3]} axes need {4 * magic[3]} bytes; got {len(sizes)}")
    return np.dtype(f">{TYPES[magic[2]]}"), struct.unpack(f">{magic[3]}I", sizes)


def _read_at_most(file: BinaryIO, size: int) -> bytearray:
    """Read up to a number of bytes, without allocating for more than come."""
    data = bytearray()
    while piece := file.read(min(_PIECE, size - len(data))):
        data += piece
    return data

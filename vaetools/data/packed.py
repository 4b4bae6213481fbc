"""Files of tables, which may be packed or damaged, and the blocks of cells that their readers yield."""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import pyarrow as pa

from vaetools.data.batches import Failure

PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4")  # what such files are called


def _opens(codec: str) -> Callable[[Any], Any]:
    """Return what opens a file that a codec of Arrow packed."""
    return lambda path: pa.CompressedInputStream(open(path, "rb"), codec)


_SIGNS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _opens("zstd"),
    b"\x04\x22\x4d\x18": _opens("lz4"),
}


def open_unzipped(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes, unpacked if its content is packed; the name does not matter."""
    with open(path, "rb") as file:
        start = file.read(max(map(len, _SIGNS)))
    for sign, unpack in _SIGNS.items():
        if start.startswith(sign):
            return cast(BinaryIO, unpack(path))
    return open(path, "rb")


class DamagedFile(ValueError):
    """Packed content breaks off, or is no such content."""


@contextlib.contextmanager
def undamaged() -> Iterator[None]:
    """Turn what is raised at a damaged packed file into one error; that there is no file stays its own."""
    try:
        yield
    except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DamagedFile(str(error)) from None


class Block(NamedTuple):
    """Some rows as they came.

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
    features: list
    beside: list
    lost: list[Failure]
    file: str = ""


@contextlib.contextmanager
def readable(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Turn the errors of libraries at a damaged file into one; that there is no file stays its own."""
    try:
        with undamaged():
            yield
    except (pa.ArrowException, csv.Error, UnicodeError, DamagedFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: not a readable {kind} file: {reason}.") from None

"""Decoded images in a memory-mapped file, beside an index that says which files they were.

The rows are appended to a ``.npy`` file, and after them, line by line, the index gets path, size, time
of change and fate of each file. So a cache that was interrupted holds what its index says, and goes
on from there.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from vaetools.data.batches import Failure
from vaetools.files import naming

if TYPE_CHECKING:
    from vaetools.data.reader import ImageReader

_FORMAT = "vaetools image cache 1"


def cached_rows(
    cache: str | os.PathLike[str], paths: Sequence[str], reader: ImageReader
) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of files as a memory map, decoding only what the cache does not hold.

    The cache is a ``.npy`` file; its index is the file beside it with ``.index`` appended. What could not be
    read is called by its place among the paths.
    """
    target, index = Path(cache), Path(f"{os.fspath(cache)}.index")
    if target.suffix != ".npy":
        raise ValueError(f"{target}: a cache must be named *.npy.")
    if target.exists() and not index.exists():
        raise ValueError(f"{target}: is no cache of images, and is left alone. Choose another cache.")
    index.touch()
    with _alone(index), naming(target):
        return _filled(target, index, paths, reader)


@contextlib.contextmanager
def _alone(index: Path) -> Iterator[None]:
    """Keep other processes from filling the same cache."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with open(index, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{index}: another process is filling this cache; wait until it is done."
            ) from None
        yield


def _filled(
    target: Path, index: Path, paths: Sequence[str], reader: ImageReader
) -> tuple[np.ndarray, list[Failure]]:
    """Return rows and failures, after what is missing was decoded."""
    settings = {"format": _FORMAT, "image_shape": list(reader.image_shape_), "aspect": reader.aspect}
    dtype = np.dtype(reader.dtype_)
    if dtype != np.uint8:
        settings["dtype"] = reader.dtype_
    states = list(map(_state, paths))
    known = _read_index(target, index, settings, states)
    if known is None:
        target.unlink(missing_ok=True)  # never emptied in place: someone may have it mapped
        index.write_text(json.dumps(settings) + "\n")
        known = []
    n_rows = sum(entry[-1] is None for entry in known)
    if len(known) < len(paths):
        with open(target, "r+b" if target.exists() else "w+b") as rows, open(index, "a") as lines:
            rows.write(_header(n_rows, reader._n_features_out, dtype))
            rows.truncate(rows.tell() + n_rows * reader._n_features_out * dtype.itemsize)
            rows.seek(0, os.SEEK_END)
            for batch in reader.batches(paths[len(known) :], range(len(known), len(paths))):
                rows.write(np.ascontiguousarray(batch.X).data)
                fates: dict[int, str | None] = dict.fromkeys(batch.ids)
                fates |= {int(failure.id): failure.reason for failure in batch.failed}
                entries = [[*states[i], fates[i]] for i in sorted(fates)]
                _reach_disk(rows)
                lines.write(json.dumps(entries) + "\n")
                _reach_disk(lines)
                known += entries
                n_rows += len(batch.X)
            rows.seek(0)
            rows.write(_header(n_rows, reader._n_features_out, dtype))
    failed = [Failure(i, entry[-1]) for i, entry in enumerate(known) if entry[-1] is not None]
    if not n_rows:  # an empty file cannot be mapped
        return np.empty((0, reader._n_features_out), dtype), failed
    return np.load(target, mmap_mode="r"), failed


def _state(path: str) -> list:
    """Return what changes when a file does."""
    try:
        status = os.stat(path)
    except OSError:
        return [os.path.abspath(path), -1, -1]
    return [os.path.abspath(path), status.st_size, status.st_mtime_ns]


def _read_index(target: Path, index: Path, settings: dict[str, Any], states: list[list]) -> list | None:
    """Return the entries that still hold, or None if the cache must be made anew."""
    known: list = []
    whole = 0
    with open(index, "rb") as lines:
        for number, line in enumerate(lines):
            try:
                content = json.loads(line)
            except ValueError:
                break  # written last, when it was interrupted
            if number == 0 and not (isinstance(content, dict) and content.get("format") == _FORMAT):
                raise ValueError(f"{index}: is no index of a cache, and is left alone. Choose another cache.")
            if number == 0 and content != settings:
                return None
            known += content if number else []
            whole += len(line)
    os.truncate(index, whole)
    if not whole or not target.exists() or [entry[:-1] for entry in known] != states[: len(known)]:
        return None
    n_rows = sum(entry[-1] is None for entry in known)
    n_features, dtype = math.prod(settings["image_shape"]), np.dtype(settings.get("dtype", "uint8"))
    n_bytes = len(_header(n_rows, n_features, dtype)) + n_rows * n_features * dtype.itemsize
    return known if target.stat().st_size >= n_bytes else None


def _header(n_rows: int, n_features: int, dtype: np.dtype) -> bytes:
    """Return the header of a .npy file, as long for any number of rows: numpy leaves room for more."""
    header = io.BytesIO()
    description = {"descr": dtype.str, "fortran_order": False, "shape": (n_rows, n_features)}
    npy.write_array_header_1_0(header, description)
    return header.getvalue()


def _reach_disk(file: Any) -> None:
    """Wait until what was written will survive."""
    file.flush()
    os.fsync(file.fileno())

"""Files written whole or not at all, and the model file: readable without torch."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import reprlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

try:
    import fcntl

    _HAS_LOCKS = True
except ImportError:  # Windows
    _HAS_LOCKS = False

if TYPE_CHECKING:
    import numpy as np

FORMAT_VERSION = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_REMEDIES = {
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "Name a file in another folder",
}
_HEADER, _CHECKSUM = "vaetools", "sha256"
_CODES = {8: "b", 16: "h", 32: "i", 64: "q"}  # of integers, by bits


@contextlib.contextmanager
def atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside a target, and rename what was written there over the target.

    A reader sees the old content or the new, never a part. Whatever fails, interruption included,
    the temporary file is removed and the old file stays. The folder must exist; a link is followed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "rows.csv")
    ...     with atomically(path) as temporary:
    ...         size = temporary.write_bytes(b"path,score")
    ...         path.exists()
    ...     path.read_bytes(), len(list(path.parent.iterdir()))
    False
    (b'path,score', 1)
    """
    target = Path(os.fsdecode(path)).resolve()
    _remove_leftovers(target)
    # not tempfile.mkstemp: its files are private, and the result should obey the umask
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with naming(target):
            with open(temporary, "xb") as file:
                _lock(file)  # so that nobody takes it for a leftover
                yield temporary
                os.fsync(file.fileno())
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(target: Path) -> Iterator[None]:
    """Let an error that says that a disk is full say which file was being written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL or isinstance(error, _Full):
            raise
        raise _Full(error.errno, error.strerror, str(target)) from error


class _Full(OSError):
    """A disk is full, and the error says which file was being written."""


def without_room(error: OSError) -> str:
    """Return what to tell of a file that could not be written for lack of room; nothing of other errors."""
    if error.errno not in _FULL or error.filename is None:
        return ""
    how = _REMEDIES.get(error.errno, "Make room, or name a file on another disk")
    return f"{error.filename} cannot be written: {error.strerror}. {how}; the old file, if any, is as it was."


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file through `atomically`."""
    with atomically(path) as temporary, open(temporary, "wb") as file:
        file.write(data)


@contextlib.contextmanager
def folder_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside a target, and move what was written there into the target.

    Files of the target that are called alike are replaced, others stay. Whatever fails before, interruption
    included, the temporary folder is removed, and the target is as it was. The folder around it must exist.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "maps")
    ...     with folder_atomically(path) as temporary:
    ...         size = (temporary / "7.png").write_bytes(b"...")
    ...         path.exists()
    ...     [file.name for file in path.iterdir()], len(list(path.parent.iterdir()))
    False
    (['7.png'], 1)
    """
    target = Path(os.fsdecode(path)).resolve()
    _remove_left_folders(target)
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with naming(target):
            temporary.mkdir()
            with _locked(temporary):
                yield temporary
            if target.exists():
                _move_files(temporary, target)
            else:
                os.replace(temporary, target)
    finally:
        _remove(temporary)


def _remove(folder: Path) -> None:
    """Remove a folder, if it exists, and what lies in it, as far as one may."""
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)


def _move_files(source: Path, target: Path) -> None:
    """Move the files in a folder and below it to the same places in another."""
    for folder, _, files in os.walk(source):
        place = target / os.path.relpath(folder, source)
        place.mkdir(exist_ok=True)
        for file in files:
            os.replace(os.path.join(folder, file), place / file)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder as `_lock` does a file; tell whether that is so."""
    descriptor = os.open(folder, os.O_RDONLY) if _HAS_LOCKS else None  # Windows opens no folders
    try:
        yield descriptor is not None and _lock(descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _remove_left_folders(target: Path) -> None:
    """Remove what processes that were killed while they wrote a folder left beside it."""
    for temporary in target.parent.glob(f".{glob.escape(target.name)}.????????.tmp"):
        with contextlib.suppress(OSError), _locked(temporary) as is_ours:
            if is_ours:
                _remove(temporary)


def _remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed while they wrote a file left beside it."""
    for temporary in target.parent.glob(f".{glob.escape(target.name)}.????????.tmp"):
        with contextlib.suppress(OSError), open(temporary, "r+b") as file:
            if _lock(file):
                temporary.unlink()


def _lock(file: BinaryIO | int) -> bool:
    """Lock a file, or a folder by its descriptor; return False if another has it, or there are no locks."""
    if not _HAS_LOCKS:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class ModelFileError(ValueError):
    """A file is not the model or checkpoint that was asked for, or not whole; the message names its path.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from vaetools import load
    >>> with TemporaryDirectory() as folder:
    ...     size = Path(folder, "some.safetensors").write_bytes(b"no model")
    ...     try:
    ...         load(Path(folder, "some.safetensors"))
    ...     except ModelFileError as error:
    ...         print(type(error).__name__)
    ModelFileError
    """


class StoredType(NamedTuple):
    """A type of numbers: as numpy calls it, and its kind, and as `struct` does."""

    name: str
    kind: str
    code: str


_TYPES = {  # as safetensors calls them
    "BOOL": StoredType("bool", "b", "?"),
    **{f"F{n}": StoredType(f"float{n}", "f", code) for n, code in {16: "e", 32: "f", 64: "d"}.items()},
    **{f"I{n}": StoredType(f"int{n}", "i", code) for n, code in _CODES.items()},
    **{f"U{n}": StoredType(f"uint{n}", "u", code.upper()) for n, code in _CODES.items()},
}


class StoredArray(NamedTuple):
    """An array as it stands in a model file: its type, shape and numbers, without numpy.

    Examples
    --------
    >>> StoredArray(StoredType("float32", "f", "f"), (1, 2), bytes(8)).tolist()
    [0.0, 0.0]
    """

    dtype: StoredType
    shape: tuple[int, ...]
    data: bytes

    def tolist(self) -> list[Any]:
        """Return the numbers, one after another."""
        return [value for (value,) in struct.iter_unpack(f"<{self.dtype.code}", self.data)]

    def numpy(self) -> "np.ndarray":
        """Return the numbers as an array."""
        import numpy as np

        return np.frombuffer(self.data, self.dtype.name).reshape(self.shape)


def write_model_file(path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write a JSON header and named numpy arrays as one safetensors file, atomically.

    The checksum covers header and arrays: a file that was changed on its way is refused whole.
    """
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata = {_HEADER: json.dumps(header)}
    digest = _digest(*_split(save(arrays, metadata)))
    write_atomically(path, save(arrays, metadata | {_CHECKSUM: digest}))


def read_model_file(path: str | os.PathLike[str]) -> "tuple[dict[str, Any], dict[str, np.ndarray]]":
    """Return header and arrays of a model file, or refuse it; code in a file is never run."""
    header, stored = read_stored(path)
    return header, {name: array.numpy() for name, array in stored.items()}


def read_stored(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, StoredArray]]:
    """Return header and arrays of a model file as they stand there, or refuse it; without numpy."""
    from safetensors import SafetensorError, deserialize

    path = os.fsdecode(path)
    data = Path(path).read_bytes()
    try:
        entries, values = _split(data)
        metadata = entries["__metadata__"]
        header, digest = json.loads(metadata[_HEADER]), metadata[_CHECKSUM]
        version = header["format_version"]
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        raise ModelFileError(
            f"{path}: not a model file of vaetools: got {len(data)} bytes that start with "
            f"{data[:12]!r}. Models are safetensors files written by vaetools.save; pickles are "
            "never loaded."
        ) from None
    # first: another version may count the checksum otherwise
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: the file has format version {reprlib.repr(version)}, and this vaetools reads up to "
            f"{FORMAT_VERSION}. Upgrade vaetools."
        )
    if digest != _digest(entries, values):
        raise ModelFileError(
            f"{path}: the file is damaged: its checksum should be {str(digest)[:12]!r}…, and its "
            f"{len(data)} bytes make {_digest(entries, values)[:12]!r}…. Copy it again, or save again."
        )
    try:
        return header, {
            name: StoredArray(_TYPES[each["dtype"]], tuple(each["shape"]), each["data"])
            for name, each in deserialize(data)  # type: ignore[no-untyped-call]
        }
    except (KeyError, SafetensorError) as reason:  # of a type that numpy does not know, or overlapping
        raise ModelFileError(f"{path}: the file holds no usable arrays: {str(reason)[:200]!r}") from None


def _split(data: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the JSON entries of a safetensors file and the bytes of its tensors."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 + size:
        raise ValueError("shorter than its header says")
    return json.loads(data[8 : 8 + size]), memoryview(data)[8 + size :]


def _digest(entries: dict[str, Any], values: memoryview) -> str:
    """Return the checksum of everything but the checksum."""
    metadata = {key: text for key, text in entries["__metadata__"].items() if key != _CHECKSUM}
    digest = hashlib.sha256(json.dumps(entries | {"__metadata__": metadata}, sort_keys=True).encode())
    digest.update(values)
    return digest.hexdigest()

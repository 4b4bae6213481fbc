"""Files at addresses such as ``s3://bucket/folder``: how they are found, fetched and written."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from vaetools.data.formats import raw_photograph
from vaetools.files import folder_atomically

MAX_BYTES = 2**28  # of an image file that is fetched whole into memory
_FETCHERS = 16  # files that a worker waits for at once: distant storage is slow to answer, not to send
_AHEAD = 64  # files that are fetched while as many others are decoded
_MARKER = "_SUCCESS"


class Address(str):
    """The name of a file elsewhere, which knows how to get there.

    Attributes
    ----------
    filesystem : pyarrow.fs.FileSystem
    path : str
        As the filesystem takes it.
    """

    filesystem: Any
    path: str

    @classmethod
    def of(cls, prefix: str, path: str, filesystem: Any) -> Self:
        """Return the address of a path, which stands behind a prefix in the name."""
        address = cls(prefix + path)
        address.filesystem, address.path = filesystem, path
        return address

    def __reduce__(self) -> tuple[Any, ...]:
        return Address.of, (self.removesuffix(self.path), self.path, self.filesystem)


def is_address(name: Any) -> bool:
    """Whether a file is named with its filesystem, as in ``s3://bucket/file``."""
    return "://" in os.fspath(name)


def addresses(names: Sequence[str]) -> list[Address]:
    """Return files and folders that are named in one filesystem, of which none is a glob."""
    known = [name for name in names if isinstance(name, Address)]
    if len(known) == len(names):
        return known
    if pattern := next((name for name in names if "*" in name), None):
        raise ValueError(f"{pattern}: a glob is for files of this machine. Name the folder, or the files.")
    from pyarrow.fs import PyFileSystem

    filesystem, first = open_filesystem(names[0])
    if not isinstance(filesystem, PyFileSystem):  # Arrow's own take addresses, in which %20 is a space
        names = [unquote(name) for name in names]
    prefix, middle, _ = names[0].partition(first)
    if not middle:  # the filesystem writes paths in another way
        prefix = ""
    if stranger := next((name for name in names[1:] if not prefix or not name.startswith(prefix)), None):
        raise ValueError(f"{names[0]}: all files must lie in one filesystem; got {stranger} too.")
    paths = [first, *(name.removeprefix(prefix) for name in names[1:])]
    return [Address.of(prefix, path, filesystem) for path in paths]


def open_filesystem(address: str) -> tuple[Any, str]:
    """Return the filesystem of an address such as ``s3://bucket/folder``, and the path in it.

    What Arrow does not know, fsspec may: a ValueError says if no filesystem of that name is known, an
    ImportError if the package for it is not installed.
    """
    from pyarrow import ArrowInvalid, fs

    with contextlib.suppress(ArrowInvalid):  # a scheme that Arrow has not, and fsspec may have
        opened: tuple[Any, str] = fs.FileSystem.from_uri(address)
        return opened
    try:
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(address)
    except ValueError as error:
        raise ValueError(f"{address}: there is no such filesystem: {error}.") from None
    except ImportError as error:
        raise ImportError(
            f"{address}: such addresses are read with the package fsspec, and some with another beside it; "
            f"got {str(error)!r}. Run pip install 'vaetools[remote]', and install what fsspec asks for."
        ) from None
    return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path


def files_below(folder: Address) -> list[tuple[Address, str]] | None:
    """Return the files in a folder and below it, sorted, each with its path from there on; None of a file."""
    from pyarrow.fs import FileSelector, FileType

    kind = folder.filesystem.get_file_info(folder.path).type
    if kind == FileType.NotFound:
        raise FileNotFoundError(f"{folder}: no such file or folder.")
    if kind != FileType.Directory:
        return None
    start = len(folder.path.rstrip("/")) + 1
    infos = folder.filesystem.get_file_info(FileSelector(folder.path, recursive=True))
    paths = sorted(info.path for info in infos if info.type == FileType.File)
    prefix = folder.removesuffix(folder.path)
    return [(Address.of(prefix, path, folder.filesystem), path[start:]) for path in paths]


def fetched(files: Sequence[Address]) -> Iterator[list[Callable[[], bytes]]]:
    """Yield functions that give the contents of the next files; threads fetch them ahead of whoever calls.

    Each returns bytes, or raises what the filesystem raised.
    """
    from concurrent.futures import ThreadPoolExecutor  # not light, and processes that decode import this

    ahead: deque[list[Callable[[], bytes]]] = deque()
    for file in files[:1]:  # an archive lists its files when it is first asked, and bears no threads then
        file.filesystem.get_file_info(file.path)
    with ThreadPoolExecutor(_FETCHERS) as pool:
        for start in range(0, len(files), _AHEAD):
            ahead.append([pool.submit(content_of, file).result for file in files[start : start + _AHEAD]])
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead


def content_of(file: Address) -> bytes:
    """Return the content of a file."""
    if reason := raw_photograph(file):
        raise ValueError(reason)
    with file.filesystem.open_input_stream(file.path, compression=None) as stream:
        content: bytes = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return content


@contextlib.contextmanager
def new_folder(output: str | os.PathLike[str]) -> Iterator[tuple[Any, str]]:
    """Give a filesystem, and a new folder in it to write files to, which readers can tell from a part of it.

    On this machine it has a temporary name until the block ends well. At an address, where folders
    cannot be renamed, an empty file ``_SUCCESS`` is written last. Whatever fails, the files are removed.
    Nothing may be there yet, but the folder in which it lies.
    """
    from pyarrow import fs

    exists = f"{output}: exists already, and would be mixed with the new. Remove it, or name another output."
    if is_address(output):
        filesystem, folder = open_filesystem(os.fspath(output))
        if filesystem.get_file_info(folder).type != fs.FileType.NotFound:
            raise FileExistsError(exists)
        filesystem.create_dir(folder)
        try:
            yield filesystem, folder
            filesystem.open_output_stream(f"{folder}/{_MARKER}").close()
        except BaseException:
            filesystem.delete_dir(folder)
            raise
        return
    target = Path(output).resolve()
    if target.exists():
        raise FileExistsError(exists)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{output}: the output must be in a folder that exists.")
    with folder_atomically(target) as temporary:
        yield fs.LocalFileSystem(), str(temporary)
        if target.exists():  # by now
            raise FileExistsError(exists)

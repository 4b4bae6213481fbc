"""Files wherever they are: on this machine, or at an address such as ``s3://bucket/folder``."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote

from vaetools.data.batches import Failure
from vaetools.data.decoding import ImageFileError
from vaetools.data.formats import HIDDEN, left_out_as, raw_photograph
from vaetools.data.listing import EXCLUDED, Listing, counted_kinds, list_images
from vaetools.data.path_lists import as_paths
from vaetools.data.patterns import chosen_by
from vaetools.data.recognition import kind_of
from vaetools.data.several_files import list_tables
from vaetools.data.sources import check_choice

PARQUET = (".parquet", ".pq")
MAX_BYTES = 2**28  # of an image file that is fetched whole into memory
_FETCHERS = 16  # files that a worker waits for at once: distant storage is slow to answer, not to send
_AHEAD = 64  # files that are fetched while as many others are decoded
_MARKER = "_SUCCESS"


class Found(NamedTuple):
    """Files of one kind.

    Attributes
    ----------
    kind : {"images", "table"}
    paths : list of str
        As the filesystem takes them.
    filesystem : pyarrow.fs.FileSystem or None
        None: they are opened like any file of this machine.
    prefix : str
        What stands before a path in the name of a file.
    failed : list of Failure
        Folders that could not be looked into.
    ignored : mapping from str to str
        What was met and is left out, with its kind.
    folder : str or None
        Of images: the folder that was named, if it is one, as the names of files begin.
    """

    kind: str
    paths: list[str]
    filesystem: Any = None
    prefix: str = ""
    failed: Sequence[Failure] = ()
    ignored: Mapping[str, str] = MappingProxyType({})
    folder: str | None = None


def is_address(name: Any) -> bool:
    """Whether a file is named with its filesystem, as in ``s3://bucket/file``."""
    return "://" in os.fspath(name)


def find_files(data: Any, *, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()) -> Found:
    """Return the images or the Parquet files that a user means.

    Parameters
    ----------
    data : path, glob, address, or sequence of those
        Images, as `list_images` takes them, or Parquet files: a folder without images is searched for
        them. Globs are for files of this machine, and addresses must lie in one filesystem.
    include, exclude : str or iterable of str, default=()
        Patterns of images, as `list_images` takes them.

    Returns
    -------
    found : Found
        A folder's files sorted by name, everything else in the order given.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such files, or of another kind.
    """
    paths = as_paths(data)
    names = [paths] if isinstance(paths, str) else paths
    if not names:
        raise FileNotFoundError("an empty list: there is no image.")
    if any(map(is_address, names)):
        return _find_elsewhere(names, chosen_by(include, exclude))
    if all(map(_is_parquet, names)):
        check_choice(names, "table", include, exclude)
        return _tables(paths)
    kind = kind_of(paths)
    if kind == "table" and os.path.isdir(names[0]):
        check_choice(names, "table", include, exclude)
        return _tables(paths)
    if kind != "images":
        raise ValueError(f"{names[0]}: Ray takes images and Parquet files; got another {kind}.")
    listing = list_images(paths, include=include, exclude=exclude)
    folder = names[0] if len(names) == 1 and os.path.isdir(names[0]) else None
    return Found("images", listing.paths, failed=listing.failed, ignored=listing.ignored, folder=folder)


def open_filesystem(address: str) -> tuple[Any, str]:
    """Return a filesystem, and the path in it; what Arrow does not know, fsspec may.

    Parameters
    ----------
    address : str
        Such as ``s3://bucket/folder``.

    Returns
    -------
    filesystem : pyarrow.fs.FileSystem
    path : str

    Raises
    ------
    ValueError, ImportError
        If no filesystem of that name is known, or the package for it is not installed.
    """
    import fsspec
    from pyarrow import ArrowInvalid, fs

    try:
        return fs.FileSystem.from_uri(address)
    except ArrowInvalid:
        filesystem, path = fsspec.core.url_to_fs(address)
        return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path


def _find_elsewhere(names: list[str], is_wanted: Callable[[str], bool]) -> Found:
    """Return the files at addresses."""
    from pyarrow.fs import FileType, PyFileSystem

    if pattern := next((name for name in names if "*" in name), None):
        raise ValueError(f"{pattern}: a glob is for files of this machine. Name the folder, or the files.")
    filesystem, first = open_filesystem(names[0])
    if not isinstance(filesystem, PyFileSystem):  # Arrow's own take addresses, in which %20 is a space
        names = [unquote(name) for name in names]
    prefix, middle, _ = names[0].partition(first)
    if not middle:  # the filesystem writes paths in another way
        prefix = ""
    if stranger := next((name for name in names[1:] if not prefix or not name.startswith(prefix)), None):
        raise ValueError(f"{names[0]}: all files must lie in one filesystem; got {stranger} too.")
    found, folder = Listing.empty(), None
    for path in [first, *(name.removeprefix(prefix) for name in names[1:])]:
        if left_out_as(path.rpartition("/")[2]) is None:
            _take(path, path, found, is_wanted)  # one that is not there is found out later
            continue
        kind = filesystem.get_file_info(path).type
        if kind == FileType.NotFound:
            raise FileNotFoundError(f"{prefix}{path}: no such file or folder.")
        if kind == FileType.Directory:
            _search(filesystem, path, found, is_wanted)
            folder = prefix + path if len(names) == 1 else None
        else:
            found.paths.append(path)
    if not found.paths:
        hint = f"; left out: {counted_kinds(found.ignored)}" if found.ignored else ""
        raise FileNotFoundError(f"{names[0]}: there is no image and no Parquet file{hint}.")
    n_tables = sum(map(_is_parquet, found.paths))
    if 0 < n_tables < len(found.paths):
        raise ValueError(
            f"{names[0]}: files must all be images or all be Parquet; got {n_tables} Parquet files "
            f"and {len(found.paths) - n_tables} others."
        )
    if n_tables:
        return Found("table", found.paths, filesystem, prefix)
    ignored = {prefix + path: kind for path, kind in found.ignored.items()}
    return Found("images", found.paths, filesystem, prefix, ignored=ignored, folder=folder)


def _search(filesystem: Any, folder: str, found: Listing, is_wanted: Callable[[str], bool]) -> None:
    """Add the images in and below a folder to a listing, or else its Parquet files."""
    from pyarrow.fs import FileSelector, FileType

    infos = filesystem.get_file_info(FileSelector(folder, recursive=True))
    start = len(folder.rstrip("/")) + 1
    files = sorted(info.path for info in infos if info.type == FileType.File)
    has_images = any(_kind(path[start:]) is None for path in files)
    for path in files:
        if has_images or not _is_parquet(path):
            _take(path, path[start:], found, is_wanted)
        elif _kind(path[start:]) != HIDDEN:
            found.paths.append(path)


def _take(path: str, place: str, found: Listing, is_wanted: Callable[[str], bool]) -> None:
    """Add a file to a listing, which is at a place in the folder that was named."""
    kind = _kind(place) or (None if is_wanted(place) else EXCLUDED)
    if kind is None:
        found.paths.append(path)
    else:
        found.ignored[path] = kind


def _kind(place: str) -> str | None:
    """Return as what a file is left out, as `left_out_as` does: hidden where its folder is."""
    folders, _, name = place.rpartition("/")
    return HIDDEN if "/." in f"/{folders}" else left_out_as(name)


def _tables(paths: str | list[str]) -> Found:
    """Return Parquet files of this machine, with what else lies in their folders."""
    listing = list_tables(paths)
    if not listing.paths:
        raise FileNotFoundError(f"{paths}: a folder without Parquet files.")
    if other := next((path for path in listing.paths if not _is_parquet(path)), None):
        raise ValueError(f"{other}: Ray takes images and Parquet files; got another table.")
    if missing := next((path for path in listing.paths if not os.path.exists(path)), None):
        raise FileNotFoundError(f"{missing}: no such file or folder.")
    return Found("table", listing.paths, failed=listing.failed, ignored=listing.ignored)


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(PARQUET)


def fetched(filesystem: Any, paths: Sequence[str]) -> Iterator[list[Callable[[], bytes]]]:
    """Yield functions that give the contents of files; threads fetch them ahead of whoever calls.

    Parameters
    ----------
    filesystem : pyarrow.fs.FileSystem
    paths : sequence of str

    Yields
    ------
    contents : list of callable
        Of the next files; each returns bytes, or raises what the filesystem raised.
    """
    ahead: deque[list[Callable[[], bytes]]] = deque()
    with ThreadPoolExecutor(_FETCHERS) as pool:
        for start in range(0, len(paths), _AHEAD):
            part = paths[start : start + _AHEAD]
            ahead.append([pool.submit(_read, filesystem, path).result for path in part])
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead


def _read(filesystem: Any, path: str) -> bytes:
    """Return the content of a file."""
    if reason := raw_photograph(path):
        raise ImageFileError(path, reason)
    with filesystem.open_input_stream(path, compression=None) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return content


@contextlib.contextmanager
def new_folder(output: str | os.PathLike[str]) -> Iterator[tuple[Any, str]]:
    """Give a new folder to write files to, which readers can tell from a part of it.

    On this machine it has a temporary name until the block ends well. At an address, where folders
    cannot be renamed, an empty file ``_SUCCESS`` is written last. Whatever fails, the files are removed.

    Parameters
    ----------
    output : path or address
        Nothing may be there yet.

    Yields
    ------
    filesystem : pyarrow.fs.FileSystem
    folder : str

    Raises
    ------
    FileExistsError
        If there is something of that name.
    FileNotFoundError
        If it would lie in a folder that does not exist.
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
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    temporary.mkdir()
    try:
        yield fs.LocalFileSystem(), str(temporary)
        os.rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

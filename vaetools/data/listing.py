"""Which images a user means: a folder, a glob, a list of paths."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from vaetools.data.batches import Failure

EXTENSIONS = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
EXTENSIONS |= {".ppm", ".pgm", ".pbm", ".pnm"}


class Listing(NamedTuple):
    """Image files in a fixed order.

    Attributes
    ----------
    paths : list of str
    labels : list of str or None
        Name of the sub-folder of every file, where one folder was named and all its images lie in
        sub-folders.
    ignored : list of str
        Files that do not call themselves images, and hidden ones.
    failed : list of Failure
        Folders that could not be looked into.
    """

    paths: list[str]
    labels: list[str] | None
    ignored: list[str]
    failed: list[Failure]


def list_images(source: Any) -> Listing:
    """Return the images of a folder and its sub-folders, of a glob, or of a list of those.

    Parameters
    ----------
    source : path, glob or iterable of paths and globs
        A path that names a file counts as an image whatever its extension; in folders only files
        with an image's extension do. Links are followed, and none twice into the same folder.

    Returns
    -------
    listing : Listing
        A folder's files sorted by name, everything else in the order given.

    Raises
    ------
    FileNotFoundError
        If the only path or glob names nothing, or nothing in a folder is an image.
    """
    single = isinstance(source, (str, os.PathLike))
    names = [source] if single else list(source)
    listing = Listing([], None, [], [])
    folders: set[tuple[int, int]] = set()
    for name in names:
        for path in _expand(os.fspath(name), strict=len(names) == 1):
            if os.path.isdir(path):
                _walk(path, listing, folders)
            else:
                listing.paths.append(path)
    if not listing.paths:
        hint = f"; got {len(listing.ignored)} other files" if listing.ignored else ""
        raise FileNotFoundError(f"{_shortened(source)}: there is no image{hint}.")
    if single and os.path.isdir(source):
        start = len(os.path.join(source, ""))
        below = [path[start:].partition(os.sep) for path in listing.paths]
        if all(name for _, _, name in below):
            return listing._replace(labels=[label for label, _, _ in below])
    return listing


def _expand(path: str, strict: bool) -> list[str]:
    """Return what a glob finds, or the path itself; one of many that is not there is found out later."""
    if os.path.lexists(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not found and not strict:
        return [path]
    if not found:
        raise FileNotFoundError(f"{path}: no such file or folder.")
    return found


def _walk(top: str, listing: Listing, seen: set[tuple[int, int]]) -> None:
    """Add the images in a folder and below it to a listing."""

    def is_new(folder: str) -> bool:
        status = os.stat(folder)
        place = (status.st_dev, status.st_ino)
        known = place in seen
        seen.add(place)
        return not known

    def note(error: OSError) -> None:
        listing.failed.append(Failure(error.filename, error.strerror or str(error)))

    if not is_new(top):
        return
    for folder, folders, files in os.walk(top, onerror=note, followlinks=True):
        for name in sorted(files + folders):
            path = os.path.join(folder, name)
            if name.startswith("."):
                listing.ignored.append(path)
            elif os.path.splitext(name)[1].lower() in EXTENSIONS:
                listing.paths.append(path)  # a folder too: reading it tells that it is one
            elif name in files:
                listing.ignored.append(path)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and is_new(os.path.join(folder, name))
        )


def _shortened(source: Iterable) -> str:
    """Return what was asked for, in a line."""
    names = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    return ", ".join(map(str, names[:3])) + ("…" if len(names) > 3 else "") or "an empty list"

"""Which images a user means: a folder, a glob, a list of paths."""

from __future__ import annotations

import glob
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from vaetools.data.addresses import Address, addresses, files_below, is_address
from vaetools.data.batches import Failure
from vaetools.data.formats import HIDDEN, left_out_as
from vaetools.data.no_image import in_words, none_chosen, what_to_do
from vaetools.data.patterns import chosen_by
from vaetools.words import counted

HIDDEN_FOLDER, EXCLUDED, REPEATED = "hidden folder", "excluded", "named again"
BROKEN_LINK = "broken link"


class Listing(NamedTuple):
    """Image files in a fixed order.

    Attributes
    ----------
    paths : list of str
    labels : list of str or None
        Name of the sub-folder of every file, where one folder was named and all its images lie in
        sub-folders.
    ignored : dict from str to str
        What was met and is left out, with its kind: ``"hidden"``, an extension that is of no image,
        ``"excluded"`` by a pattern, and so on.
    failed : list of Failure
        Folders that could not be looked into.
    folder : str or None
        Of images: the one folder that was named, as the paths begin.
    """

    paths: list[str]
    labels: list[str] | None
    ignored: dict[str, str]
    failed: list[Failure]
    folder: str | None = None

    @classmethod
    def empty(cls) -> Listing:
        """Return a listing of nothing, to add to."""
        return cls([], None, {}, [])


def as_names(source: Any) -> str | list[str]:
    """Return what a user named, one path or several, as text.

    Examples
    --------
    >>> from pathlib import Path
    >>> as_names(Path("a.png")), as_names((b"a.png", "b.png"))
    ('a.png', ['a.png', 'b.png'])
    """
    if isinstance(source, (str, bytes, os.PathLike)):
        return os.fsdecode(source)
    return [os.fsdecode(name) for name in source]


def list_images(
    source: Any, *, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()
) -> Listing:
    """Return the images of a folder and its sub-folders, of a glob, or of a list of those.

    Parameters
    ----------
    source : path, glob or iterable of paths and globs
        A path that names a file counts as an image whatever its extension; in folders only files
        with an image's extension do. Links are followed, and none twice into the same folder; a path
        that is named twice is read once.
    include, exclude : str or iterable of str, default=()
        Patterns as of `chosen_by`, compared with the path from the folder that was named on; of a file
        that was named itself, with the path as it was written.

    Returns
    -------
    listing : Listing
        A folder's files sorted by name, everything else in the order given.

    Raises
    ------
    FileNotFoundError
        If the only path or glob names nothing, or there is no image.
    """
    source = as_names(source)
    names = [source] if isinstance(source, str) else source
    is_wanted = chosen_by(include, exclude)
    listing = Listing.empty()
    search = Search(listing, is_wanted)
    if any(map(is_address, names)):
        found: Sequence[str] = addresses(names)
        source = found[0] if isinstance(source, str) else source
    else:
        found = [path for name in names for path in _expand(name, strict=len(names) == 1)]
    folders = [path for path in found if search.enter(path)]
    if len(found) > 1:
        drop_repeated(listing)
    if exclude and EXCLUDED not in listing.ignored.values():
        warnings.warn(
            f"{_shortened(names)}: no file fits exclude={in_words(exclude)}. Patterns are compared with the "
            "path from the folder that was named on.",
            stacklevel=2,
        )
    if not listing.paths:
        n_excluded = list(listing.ignored.values()).count(EXCLUDED)
        hints = [f"left out: {counted_kinds(listing.ignored)}"] * bool(listing.ignored)
        hints += [f"{folder}: {reason}" for folder, reason in listing.failed[:1]]
        hints += [] if n_excluded else what_to_do(source, listing.ignored)
        said = none_chosen(n_excluded, include, exclude) if n_excluded else "there is no image"
        raise FileNotFoundError("; ".join([f"{_shortened(names)}: {said}", *hints]) + ".")
    if folders == found == [source]:
        return listing._replace(labels=_labels(source, listing.paths), folder=source)
    return listing


def drop_repeated(listing: Listing) -> None:
    """Leave each path in a listing once, where it comes first."""
    seen: set[str] = set()
    kept = []
    for path in listing.paths:
        place = os.path.abspath(path)
        if place in seen:
            listing.ignored[path] = REPEATED
        else:
            seen.add(place)
            kept.append(path)
    listing.paths[:] = kept


def has_image(folder: str) -> bool:
    """Return whether a file that calls itself an image is in a folder or below it."""
    search = Search(Listing.empty(), chosen_by())
    return any(left_out_as(name) is None for _, names in search.walk(folder) for name in names)


def counted_kinds(ignored: Mapping[str, str], most: int = 6) -> str:
    """Return how many files of each kind are left out, in words, the commonest kinds first.

    Examples
    --------
    >>> counted_kinds({"a.txt": ".txt", "b.txt": ".txt", ".c": "hidden"})
    '2 .txt, 1 hidden'
    """
    counts = kind_counts(ignored)
    shown = [f"{n:,} {kind}" for kind, n in list(counts.items())[:most]]
    rest = len(ignored) - sum(list(counts.values())[:most])
    return ", ".join(shown + [counted(rest, "other")] * bool(rest))


def kind_counts(ignored: Mapping[str, str]) -> dict[str, int]:
    """Return how many files of each kind are left out, the commonest kinds first."""
    return dict(Counter(ignored.values()).most_common())


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


class Search:
    """Adds what is found in folders to a listing.

    Parameters
    ----------
    listing : Listing
    is_wanted : callable
        Whether a file is taken, by its path from the folder that was named.
    hidden : tuple of str, default=(".",)
        How the names of folders start that are not looked into.
    """

    def __init__(self, listing: Listing, is_wanted: Callable[[str], bool], hidden: tuple[str, ...] = (".",)):
        self.listing, self.is_wanted, self.hidden = listing, is_wanted, hidden
        self.entered: set[tuple[int, int]] = set()

    def enter(self, top: str) -> bool:
        """Add a file, or the images in a folder and below it; return whether it is a folder."""
        if isinstance(top, Address):
            return self._enter_elsewhere(top)
        if not os.path.isdir(top):
            self.take(top, top)
            return False
        start = len(os.path.join(top, ""))
        for inside, names in self.walk(top):
            for name in names:
                self.take(inside + name, (inside + name)[start:], left_out_as(name))
        return True

    def _enter_elsewhere(self, top: Address) -> bool:
        """Do so at an address: what calls itself an image is one, and missing ones are found out later."""
        files = None if left_out_as(top.path.rpartition("/")[2]) is None else files_below(top)
        for file, place in [(top, top.path)] if files is None else files:
            self.take(file, place, None if files is None else left_out_elsewhere(place))
        return files is not None

    def walk(self, top: str) -> Iterator[tuple[str, list[str]]]:
        """Yield a folder and those below it, with the names of the files in each; no folder twice."""
        if not self._is_new(top):
            return
        for folder, folders, files in os.walk(top, onerror=self._note, followlinks=True):
            inside = os.path.join(folder, "")
            images = [name for name in folders if left_out_as(name) is None]  # reading tells what they are
            yield inside, sorted(files + images)
            folders[:] = [name for name in sorted(folders) if self._is_entered(inside + name, name)]

    def take(self, path: str, place: str, kind: str | None = None) -> None:
        """Add a file whose path is compared as ``place``; a kind is as what it is left out."""
        if kind not in (None, HIDDEN) and os.path.islink(path) and not os.path.exists(path):
            kind = BROKEN_LINK
        kind = kind or (None if self.is_wanted(place) else EXCLUDED)
        if kind is None:
            self.listing.paths.append(path)
        else:
            self.listing.ignored[path] = kind

    def _is_entered(self, path: str, name: str) -> bool:
        """Whether a folder is looked into; if not, it is noted."""
        if name.startswith(self.hidden):
            self.listing.ignored[path] = HIDDEN_FOLDER
            return False
        return self._is_new(path)

    def _is_new(self, folder: str) -> bool:
        """Whether a folder can be looked into, and was not before."""
        try:
            status = os.stat(folder)
        except OSError as error:
            self._note(error)
            return False
        place = (status.st_dev, status.st_ino)
        is_known = place in self.entered
        self.entered.add(place)
        return not is_known

    def _note(self, error: OSError) -> None:
        self.listing.failed.append(Failure(error.filename, error.strerror or str(error)))


def left_out_elsewhere(place: str) -> str | None:
    """Return as what a file is left out by its path in a folder, hidden where its folder is; or None."""
    folders, _, name = place.rpartition("/")
    return HIDDEN if "/." in f"/{folders}" else left_out_as(name)


def _labels(folder: str, paths: list[str]) -> list[str] | None:
    """Return the sub-folders in which the images of a folder lie, if all do."""
    start = len(os.path.join(folder, ""))
    below = [path[start:].partition(os.sep) for path in paths]
    return [label for label, _, _ in below] if all(name for _, _, name in below) else None


def _shortened(names: list[str]) -> str:
    """Return what was asked for, in a line."""
    return ", ".join(names[:3]) + ("…" if len(names) > 3 else "") or "an empty list"

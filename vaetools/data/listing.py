"""Which files a user means: a folder, a glob, a list of paths; of images or of tables."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vaetools.data.addresses import Address, addresses, files_below, is_address
from vaetools.data.batches import Failure
from vaetools.data.formats import HIDDEN, Called, left_out_as
from vaetools.data.patterns import chosen_by, in_words, none_chosen, what_to_do
from vaetools.words import counted, warn

HIDDEN_FOLDER, EXCLUDED, REPEATED = "hidden folder", "excluded", "named again"
BROKEN_LINK = "broken link"
PATHS = (str, bytes, os.PathLike)
_BESIDE_PARTS = (".", "_")  # how names start of what is no part; with the latter of what Spark leaves there


class Listing:
    """Files in a fixed order, and what was met where they were looked for.

    Parameters
    ----------
    is_wanted : callable, optional
        Whether a file is taken, by its path from the folder that was named. All are by default.
    hidden : tuple of str, default=(".",)
        How the names of folders start that are not looked into.

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
        Folders that could not be looked into, and what holds rows but is not read.
    folder : str or None
        Of images: the one folder that was named, as the paths begin.
    partitions : set of str
        Of tables: columns after which folders are named, as in ``year=2024/part-0.parquet``.
    """

    def __init__(self, is_wanted: Callable[[str], bool] | None = None, hidden: tuple[str, ...] = (".",)):
        self._is_wanted, self._hidden = is_wanted or chosen_by(), hidden
        self._entered: set[tuple[int, int]] = set()
        self.paths: list[str] = []
        self.labels: list[str] | None = None
        self.ignored: dict[str, str] = {}
        self.failed: list[Failure] = []
        self.folder: str | None = None
        self.partitions: set[str] = set()

    @property
    def root(self) -> str | None:
        """Of images: the folder that was named, or that all lie in; None if there is none such."""
        if self.folder is not None or not self.paths or is_address(self.paths[0]):
            return self.folder
        try:
            return os.path.commonpath([os.path.dirname(path) for path in self.paths])
        except ValueError:  # some from the top, some not
            return None

    def enter(self, top: str) -> bool:
        """Add a file, or the images in a folder and below it; return whether it is a folder."""
        files: Iterable[tuple[str, str]] | None = self.files_in(top) if os.path.isdir(top) else None
        if (
            isinstance(top, Address) and left_out_as(top.path.rpartition("/")[2]) is not None
        ):  # what is called an image is one
            files = files_below(top)
        if files is None:
            self.take(top, top.path if isinstance(top, Address) else top)
            return False
        for path, place in files:
            self.take(path, place, left_out_as(place))
        return True

    def files_in(self, top: str) -> Iterator[tuple[str, str]]:
        """Yield the files in a folder and below it, with their path from there on; none twice."""
        start = len(os.path.join(top, ""))
        if not self._is_new(top):
            return
        for folder, folders, files in os.walk(top, onerror=self._note, followlinks=True):
            inside = os.path.join(folder, "")
            images = [name for name in folders if left_out_as(name) is None and not has_image(inside + name)]
            for name in sorted(files + images):  # reading tells what is wrong with the latter
                yield inside + name, (inside + name)[start:]
            hidden = [name for name in sorted(folders) if name.startswith(self._hidden)]
            self.ignored |= {inside + name: HIDDEN_FOLDER for name in hidden}
            others = [name for name in sorted(folders) if not name.startswith(self._hidden)]
            folders[:] = [name for name in others if self._is_new(inside + name)]

    def take(self, path: str, place: str, kind: str | None = None) -> None:
        """Add a file whose path is compared as ``place``; a kind is as what it is left out."""
        if kind not in (None, HIDDEN) and os.path.islink(path) and not os.path.exists(path):
            kind = BROKEN_LINK
        kind = kind or (None if self._is_wanted(place) else EXCLUDED)
        if kind is None:
            self.paths.append(path)
        else:
            self.ignored[path] = kind

    def drop_repeated(self) -> None:
        """Leave each path once, where it comes first."""
        places = [os.path.abspath(path) for path in self.paths]
        first = {place: i for i, place in reversed(list(enumerate(places)))}
        self.ignored |= {path: REPEATED for i, path in enumerate(self.paths) if first[places[i]] != i}
        self.paths = [path for i, path in enumerate(self.paths) if first[places[i]] == i]

    def _is_new(self, folder: str) -> bool:
        """Whether a folder can be looked into, and was not before."""
        try:
            status = os.stat(folder)
        except OSError as error:
            self._note(error)
            return False
        place = (status.st_dev, status.st_ino)
        is_known = place in self._entered
        self._entered.add(place)
        return not is_known

    def _note(self, error: OSError) -> None:
        self.failed.append(Failure(error.filename, error.strerror or str(error)))


def as_names(source: Any) -> list[str]:
    """Return what a user named, one path or several, as text.

    Examples
    --------
    >>> from pathlib import Path
    >>> as_names(Path("a.png")), as_names((b"a.png", "b.png"))
    (['a.png'], ['a.png', 'b.png'])
    """
    return [os.fsdecode(name) for name in ([source] if isinstance(source, PATHS) else source)]


def list_images(
    source: Any, *, include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()
) -> Listing:
    """Return the images of a folder and its sub-folders, of a glob, or of a list of those.

    A path that names a file counts as an image whatever its extension; in folders only files with an image's
    extension do. Links are followed, and none twice into the same folder; a path that is named twice is
    read once. A folder's files are sorted by name, everything else is in the order given.

    Parameters
    ----------
    source : path, glob or iterable of paths and globs
    include, exclude : str or iterable of str, default=()
        Patterns as of `chosen_by`, compared with the path from the folder that was named on; of a file
        that was named itself, with the path as it was written.
    """
    names: Sequence[str] = as_names(source)
    called = ", ".join(names[:3]) + ("…" if len(names) > 3 else "") or "an empty list"
    listing = Listing(chosen_by(include, exclude))
    if any(map(is_address, names)):
        found: Sequence[str] = addresses(names)
        names = found
    else:
        found = [path for name in names for path in _expand(name, strict=len(names) == 1)]
    folders = [path for path in found if listing.enter(path)]
    if len(found) > 1:
        listing.drop_repeated()
    n_excluded = list(listing.ignored.values()).count(EXCLUDED)
    if exclude and not n_excluded:
        warn(
            f"{called}: no file fits exclude={in_words(exclude)}. Patterns are compared with the "
            "path from the folder that was named on.",
        )
    if not listing.paths:
        hints = [f"left out: {counted_kinds(listing.ignored)}"] * bool(listing.ignored)
        hints += [f"{folder}: {reason}" for folder, reason in listing.failed[:1]]
        hints += [] if n_excluded else what_to_do(names, listing.ignored)
        said = none_chosen(n_excluded, include, exclude) if n_excluded else "there is no image"
        raise FileNotFoundError("; ".join([f"{called}: {said}", *hints]) + ".")
    if len(names) == 1 and folders == found == names:
        [folder] = names
        listing.folder, listing.labels = folder, _labels(folder, listing.paths)
    return listing


def _labels(folder: str, paths: list[str]) -> list[str] | None:
    """Return the sub-folders in which the images of a folder lie, if all do."""
    start = len(os.path.join(folder, ""))
    below = [path[start:].partition(os.sep) for path in paths]
    return [label for label, _, _ in below] if all(name for _, _, name in below) else None


def _expand(path: str, strict: bool) -> list[str]:
    """Return what a glob finds, or the path itself; one of many that is not there is found out later."""
    if os.path.lexists(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not found and strict:
        raise FileNotFoundError(f"{path}: no such file or folder.")
    return found or [path]


def has_image(folder: str) -> bool:
    """Return whether a file that calls itself an image is in a folder or below it."""
    return any(left_out_as(place) is None for _, place in Listing().files_in(folder))


def counted_kinds(ignored: Mapping[str, str], most: int = 6) -> str:
    """Return how many files of each kind are left out, in words, the commonest kinds first.

    Examples
    --------
    >>> counted_kinds({"a.txt": ".txt", "b.txt": ".txt", ".c": "hidden"})
    '2 .txt, 1 hidden'
    """
    counts = list(kind_counts(ignored).items())
    shown = [f"{n:,} {kind}" for kind, n in counts[:most]]
    rest = sum(n for _, n in counts[most:])
    return ", ".join(shown + [counted(rest, "other")] * bool(rest))


def kind_counts(ignored: Mapping[str, str]) -> dict[str, int]:
    """Return how many files of each kind are left out, the commonest kinds first."""
    return dict(Counter(ignored.values()).most_common())


def tables_in(folder: str) -> Listing:
    """Return the tables in a folder and below it, and with its kind what else was met."""
    listing = Listing(hidden=_BESIDE_PARTS)
    for path, place in listing.files_in(folder):
        name = os.path.basename(place)
        hidden = name.startswith(_BESIDE_PARTS)
        if not hidden and (reason := Called(name).unread_part()):
            listing.failed.append(Failure(path, reason))
        elif not hidden and Called(name).table is not None:
            listing.paths.append(path)
            listing.partitions |= {part.partition("=")[0] for part in place.split(os.sep)[:-1] if "=" in part}
        else:
            kind = HIDDEN if hidden else left_out_as(name) or os.path.splitext(name)[1].lower()
            listing.take(path, place, kind)
    return listing

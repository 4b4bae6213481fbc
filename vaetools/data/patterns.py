"""Names of files: which patterns choose, which are of masks of others, what is said where none is left."""

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from vaetools.data.formats import ARRAYS, NO_EXTENSION, TEXTS, Called
from vaetools.words import counted

_FOLDERS = {"ground_truth", "groundtruth", "gt", "mask", "masks"}
_ENDINGS = ("mask", "masks", "gt", "groundtruth", "ground_truth", "label", "seg")


def chosen_by(include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()) -> Callable[[str], bool]:
    """Return a function that tells whether a path is wanted.

    ``*`` stands for any characters, ``?`` for one, ``[ab]`` for one of these, all within a name; upper
    and lower case are the same. A pattern without ``/`` is compared with the name of the file and with
    those of all folders on its path; one with ``/`` with the path from its start, in which ``**`` stands
    for any number of folders. ``/`` at the end means folders alone. What fits a folder fits all in it.
    A path, relative to the folder that was named, must fit one of ``include``, if there are any, and none
    of ``exclude``.

    Examples
    --------
    >>> is_wanted = chosen_by(exclude=["*_mask.png", "ground_truth/"])
    >>> [is_wanted(path) for path in ("a.png", "a_Mask.PNG", "ground_truth/bad/a.png")]
    [True, False, False]
    >>> list(map(chosen_by("test/*/1.png"), ["test/good/1.png", "good/1.png", "test/1.png"]))
    [True, False, False]
    """
    wanted, unwanted = (
        [_parts(pattern, role) for pattern in ([patterns] if isinstance(patterns, str) else patterns)]
        for role, patterns in (("include", include), ("exclude", exclude))
    )

    def is_wanted(path: str) -> bool:
        names = [name for name in path.lower().split(os.sep) if name not in ("", ".")]
        fits = [any(_fits(names, pattern) for pattern in patterns) for patterns in (wanted, unwanted)]
        return (fits[0] or not wanted) and not fits[1]

    return is_wanted


def _parts(pattern: str, role: str) -> list[str]:
    """Return a pattern name by name, from the start of a path on."""
    if not isinstance(pattern, str):
        raise TypeError(f"{role} must be patterns such as '*_mask.png'; got {type(pattern).__name__}.")
    names = [name for name in pattern.lower().split("/") if name not in ("", ".")]
    if not names:
        raise ValueError(f"{role} must be patterns such as '*_mask.png'; got {pattern!r}.")
    anywhere = "/" not in pattern.rstrip("/")
    return ["**"] * anywhere + names + ["*"] * pattern.endswith("/")


def _fits(names: list[str], pattern: list[str]) -> bool:
    """Whether a path, or a folder on it, fits a pattern."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(names[start:], pattern[1:]) for start in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and _fits(names[1:], pattern[1:])


def find_masks(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files that are named like masks of others among them, and patterns that leave them out.

    A mask lies in a folder of masks, or its name ends like one, and without that ending another file,
    which does not, is called the same.

    Examples
    --------
    >>> find_masks(["bad/1.png", "bad/2.png", "ground_truth/bad/1_mask.png", "gone_mask.png"])
    (['ground_truth/bad/1_mask.png'], ['ground_truth/'])
    """
    images: set[str] = set()
    suspects = []
    for path in paths:
        *folders, name = path.split(os.sep)
        stem = os.path.splitext(name)[0]
        folder = next((folder for folder in folders if folder.lower() in _FOLDERS), None)
        ending = next((end for end in _ENDINGS if stem.lower().endswith((f"_{end}", f"-{end}"))), None)
        if folder is None and ending is None:
            images.add(stem)
        else:
            pattern = f"{folder}/" if folder is not None else f"*{stem[-len(ending or '') - 1 :]}.*"
            suspects.append((path, stem if ending is None else stem[: -len(ending) - 1], pattern))
    found = [(path, pattern) for path, stem, pattern in suspects if stem in images]
    patterns = Counter(pattern for _, pattern in found)
    return [path for path, _ in found], [pattern for pattern, _ in patterns.most_common(3)]


def in_words(patterns: str | Iterable[str]) -> str:
    """Return patterns as a message shows them."""
    return repr(patterns if isinstance(patterns, str) else ", ".join(patterns))


def none_chosen(n_images: int, include: str | Iterable[str], exclude: str | Iterable[str]) -> str:
    """Return that patterns leave none of the images that are there.

    Examples
    --------
    >>> none_chosen(100, "*.jpg", ())
    "include='*.jpg' fits none of 100 images, by their paths from the folder that was named on"
    """
    images = f"{counted(n_images, 'image')}, by their paths from the folder that was named on"
    if include and exclude:
        return f"include={in_words(include)} and exclude={in_words(exclude)} leave none of {images}"
    if include:
        return f"include={in_words(include)} fits none of {images}"
    return f"exclude={in_words(exclude)} leaves none of {images}"


def what_to_do(names: Sequence[str], ignored: Mapping[str, str]) -> list[str]:
    """Return how what was met instead of images in what was named is read, if it is.

    Examples
    --------
    >>> what_to_do(["rows"], {"rows/a.txt": ".txt", "rows/b.md": ".md"})
    ['text is read, as a table or a list of paths, where files themselves are named, such as rows/a.txt']
    """
    kinds = {kind: path for path, kind in reversed(list(ignored.items()))}  # with the first of each
    hints = []
    if len(names) == 1 and NO_EXTENSION in kinds:
        hints += [f"the glob {os.path.join(names[0], '*')} takes files whatever they are called"]
    if text := next((path for kind, path in kinds.items() if kind in TEXTS), None):
        hints += [
            f"text is read, as a table or a list of paths, where files themselves are named, such as {text}"
        ]
    if kinds.keys() & set(ARRAYS):
        hints += ["an array is read one file at a time, which must be named"]
    reasons = ((path, Called(path).unread()) for path in kinds.values())
    return hints + [f"{path}: {reason}" for path, reason in reasons if reason][:1]

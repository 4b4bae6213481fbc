"""Names of files: which patterns choose, as .gitignore writes them, and which are of masks of others."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

_FOLDERS = {"ground_truth", "groundtruth", "gt", "mask", "masks"}
_ENDINGS = ("mask", "masks", "gt", "groundtruth", "ground_truth", "label", "seg")


def chosen_by(include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()) -> Callable[[str], bool]:
    """Return a function that tells whether a path is wanted.

    ``*`` stands for any characters, ``?`` for one, ``[ab]`` for one of these, all within a name; upper
    and lower case are the same. A pattern without ``/`` is compared with the name of the file and with
    those of all folders on its path; one with ``/`` with the path from its start, in which ``**`` stands
    for any number of folders. ``/`` at the end means folders alone. What fits a folder fits all in it.

    Parameters
    ----------
    include : str or iterable of str, default=()
        A path must fit one of these, if there are any.
    exclude : str or iterable of str, default=()
        It must fit none of these.

    Returns
    -------
    is_wanted : callable
        Takes a path, relative to the folder that was named.

    Raises
    ------
    TypeError, ValueError
        If a pattern is no text, or has no name in it.

    Examples
    --------
    >>> is_wanted = chosen_by(exclude=["*_mask.png", "ground_truth/"])
    >>> [is_wanted(path) for path in ("a.png", "a_Mask.PNG", "ground_truth/bad/a.png")]
    [True, False, False]
    >>> list(map(chosen_by("test/*/1.png"), ["test/good/1.png", "good/1.png", "test/1.png"]))
    [True, False, False]
    """
    wanted = [_parts(pattern, "include") for pattern in _listed(include)]
    unwanted = [_parts(pattern, "exclude") for pattern in _listed(exclude)]

    def is_wanted(path: str) -> bool:
        names = [name for name in path.lower().split(os.sep) if name not in ("", ".")]
        return (not wanted or any(_fits(names, pattern) for pattern in wanted)) and not any(
            _fits(names, pattern) for pattern in unwanted
        )

    return is_wanted


def _listed(patterns: str | Iterable[str]) -> list[str]:
    """Return one pattern, or several, as a list."""
    return [patterns] if isinstance(patterns, str) else list(patterns)


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


class Masks(NamedTuple):
    """Files that are named like masks of others.

    Attributes
    ----------
    n : int
    example : str
        Path of the first of them.
    patterns : list of str
        Which leave them out, as of `chosen_by`.
    """

    n: int
    example: str
    patterns: list[str]


def find_masks(paths: Iterable[str]) -> Masks | None:
    """Return the files that are named like masks of others among them, or None.

    A mask lies in a folder of masks, or its name ends like one, and without that ending another file,
    which does not, is called the same.

    Parameters
    ----------
    paths : iterable of str

    Returns
    -------
    masks : Masks or None

    Examples
    --------
    >>> find_masks(["bad/1.png", "bad/2.png", "ground_truth/bad/1_mask.png", "gone_mask.png"])
    Masks(n=1, example='ground_truth/bad/1_mask.png', patterns=['ground_truth/'])
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
    if not found:
        return None
    patterns = Counter(pattern for _, pattern in found)
    return Masks(len(found), found[0][0], [pattern for pattern, _ in patterns.most_common(3)])

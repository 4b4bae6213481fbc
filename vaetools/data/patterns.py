"""Which files of a folder are wanted: patterns of names, as a shell and .gitignore write them."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable


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

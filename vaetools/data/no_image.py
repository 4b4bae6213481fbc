"""Where no image is found: what was met instead, and the way to go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from vaetools.data.formats import NO_EXTENSION, archive
from vaetools.data.table_formats import TEXT, unread_table

_ARRAYS = {".npy", ".npz"}


def in_words(patterns: str | Iterable[str]) -> str:
    """Return patterns as a message shows them.

    Examples
    --------
    >>> in_words(["*.png", "good/"])
    "'*.png, good/'"
    """
    return repr(patterns if isinstance(patterns, str) else ", ".join(patterns))


def none_chosen(n_images: int, include: str | Iterable[str], exclude: str | Iterable[str]) -> str:
    """Return that patterns leave none of the images that are there.

    Examples
    --------
    >>> none_chosen(100, "*.jpg", ())
    "include='*.jpg' fits none of 100 images, by their paths from the folder that was named on"
    >>> none_chosen(1, "*.png", ["*.png"])[:57]
    "include='*.png' and exclude='*.png' leave none of 1 image"
    """
    images = f"{n_images:,} image{'' if n_images == 1 else 's'}"
    images += ", by their paths from the folder that was named on"
    if include and exclude:
        return f"include={in_words(include)} and exclude={in_words(exclude)} leave none of {images}"
    if include:
        return f"include={in_words(include)} fits none of {images}"
    return f"exclude={in_words(exclude)} leaves none of {images}"


def what_to_do(source: str | list[str], ignored: Mapping[str, str]) -> list[str]:
    """Return how what was met instead of images is read, if it is.

    Parameters
    ----------
    source : str or list of str
        What was named.
    ignored : mapping from str to str
        What was met there, with its kind.

    Examples
    --------
    >>> what_to_do("rows", {"rows/a.txt": ".txt", "rows/b.md": ".md"})
    ['text is read, as a table or a list of paths, where files themselves are named, such as rows/a.txt']
    """
    kinds = {kind: path for path, kind in reversed(list(ignored.items()))}  # with the first of each
    hints = []
    if isinstance(source, str) and NO_EXTENSION in kinds:
        hints += [f"the glob {os.path.join(source, '*')} takes files whatever they are called"]
    if text := next((path for kind, path in kinds.items() if kind in TEXT), None):
        hints += [
            f"text is read, as a table or a list of paths, where files themselves are named, such as {text}"
        ]
    if kinds.keys() & _ARRAYS:
        hints += ["an array is read one file at a time, which must be named"]
    reasons = ((path, archive(path) or unread_table(path)) for path in kinds.values())
    return hints + [f"{path}: {reason}" for path, reason in reasons if reason][:1]

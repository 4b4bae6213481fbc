"""Text files of paths: a path per line, as editors, shells and ``find`` write them."""

import codecs
import glob
import os
import re
import sys
from pathlib import Path
from typing import Any

from vaetools.data.formats import EXTENSIONS
from vaetools.data.listing import as_names

_LISTS = (".txt", ".lst")
_LOOK, _LINES = 2**16, 20  # bytes and lines of a file that tell what it is
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_QUOTES, _SEPARATORS = "\"'", "\t,; "
_MANY = 1 / 3  # of every second byte: more zeros are UTF-16, fewer stand between paths


def as_paths(data: Any) -> list[str]:
    """Return images as `list_images` takes them: lists of paths are read, of which some must be there.

    A text file (``*.txt``, ``*.lst``; among others if its lines name files) has a path per line, as
    `paths_in` reads them, in quotes or not; ``"-"`` are the lines of standard input. Relative paths start in
    the current folder.
    """
    names = as_names(data)
    paths: list[str] = []
    for name in names:
        paths += _listed_in(name) if _is_list(name, looked_at=len(names) > 1) else [name]
    return paths


def _is_list(name: str, *, looked_at: bool = False) -> bool:
    """Whether a file is a list of paths, by its name and a look: notes that lie beside images are none."""
    if name == "-" or not (name.lower().endswith(_LISTS) and os.path.isfile(name)):
        return name == "-"
    if not looked_at:
        return True
    with open(name, "rb") as file:
        return lists_files(file.read(_LOOK))


def lists_files(start: bytes) -> bool:
    """Return whether the start of a text lists paths: half of its lines are files, or called like images."""
    lines = paths_in(start)[:_LINES]
    return sum(map(_names_a_file, lines)) >= len(lines) / 2


def _names_a_file(line: str) -> bool:
    """Return whether a line is a path that exists, or that of an image, alone or before a label."""
    called = (os.path.splitext(path)[1].lower() for path in (_unquoted(line), _before_label(line)))
    return os.path.lexists(line) or not EXTENSIONS.isdisjoint(called)


def _unquoted(line: str) -> str:
    """Return a line without the quotes around it, unless they belong to the name of a file."""
    is_quoted = len(line) > 2 and line[0] == line[-1] and line[0] in _QUOTES
    return line[1:-1] if is_quoted and not os.path.lexists(line) else line


def _before_label(line: str) -> str:
    """Return what stands before the last cell of a line; nothing if that is all."""
    separator = next((each for each in _SEPARATORS if each in line), "\n")
    return _unquoted(line.rpartition(separator)[0].rstrip())


def _listed_in(name: str) -> list[str]:
    called = "standard input" if name == "-" else name
    paths = list(map(_unquoted, paths_in(_standard_input() if name == "-" else Path(name).read_bytes())))
    if not paths:
        raise FileNotFoundError(f"{called}: a list without a path.")
    if not any(map(_is_there, paths)):
        raise FileNotFoundError(f"{called}: {_none_is_there(paths, os.path.dirname(os.path.abspath(name)))}")
    return paths


def _is_there(path: str) -> bool:
    """Return whether a path, or a glob, names something; at an address somebody else has to look."""
    return (
        "://" in path
        or os.path.lexists(path)
        or (glob.has_magic(path) and next(glob.iglob(path, recursive=True), None) is not None)
    )


def _none_is_there(paths: list[str], folder: str) -> str:
    """Return what was tried, and what to do, where no path of a list in a folder is there."""
    first, here = paths[0], os.getcwd()
    tried = (
        f"a line must be the path of a file that is there; got {first!r} first, and none of {len(paths):,} "
        f"is there. Relative paths start in the current folder, {here!r}"
    )
    bare = _before_label(first)
    for path, start in ((first, here), (first, folder), (bare, here), (bare, folder)):
        if path and os.path.exists(os.path.join(start, path)):
            alone = f": keep {path!r} alone in its line, for images take their labels from folders"
            there = f": it is there from the folder of the list; run the command in {folder!r}"
            return tried + alone * (path == bare) + there * (start == folder != here) + "."
    return f"{tried}: run the command where they start, or write whole paths."


def _standard_input() -> bytes:
    """Return what there is to read, also where someone put a stream of text in place."""
    if sys.stdin is None:
        raise ValueError("standard input is closed, and '-' stands for paths that come from it.")
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    content = stream.read()
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content


def paths_in(content: bytes) -> list[str]:
    r"""Return the paths in a text: a line each, or with a zero byte after each, as of ``find -print0``.

    Lines end as on any system; a carriage return alone ends them where there is no other end. Blank lines
    are none. The text is UTF-8 or UTF-16, with a byte order mark or without; bytes that are neither are
    those of a file's name.

    Examples
    --------
    >>> paths_in(b"\xef\xbb\xbfa.png\r\n\r\nb c.png\n"), paths_in("a.png".encode("utf-16"))
    (['a.png', 'b c.png'], ['a.png'])
    >>> paths_in(b"a\nb.png\0c.png\0")
    ['a\nb.png', 'c.png']
    """
    text = _decoded(content)
    ends = r"\0" if "\0" in text else r"\r?\n" if "\n" in text else r"\r"
    return [line for line in re.split(ends, text) if line.strip()]


def _decoded(content: bytes) -> str:
    """Return a text of UTF-8 or UTF-16."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "surrogatepass")
    half = len(content) // 2
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if content[start::2].count(0) > _MANY * half and len(content) % 2 == 0:
            return content.decode(encoding, "surrogatepass")
    return content.decode("utf-8-sig", "surrogateescape")

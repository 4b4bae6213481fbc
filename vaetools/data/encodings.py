"""Text of CSV: which encoding it is in (said, marked, recognized or UTF-8; never guessed), where rows end."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from vaetools.data.numerals import is_number
from vaetools.data.packed import open_unzipped

SAMPLE = 2**20  # bytes that are looked at
_FEWEST_PAIRS = 4  # that are recognized as UTF-16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHERS = {  # what is no text, by its start
    b"PAR1": "it is Parquet; name it so, as *.parquet",
    b"ARROW1": "it is Arrow; name it so, as *.arrow",
    b"PK\3\4": "it is a zip archive, as Excel's workbooks are; name those *.xlsx, and unpack others",
    b"\x93NUMPY": "it is an array of NumPy; name it so, as *.npy",
    b"\xd0\xcf\x11\xe0": "it is an old workbook of Excel; save it as *.xlsx or CSV",
}
_ESCAPED = {0xDC00 + byte: 0x10FF00 + byte for byte in range(128, 256)}  # private: no text has them
ESCAPES = "[\U0010ff80-\U0010ffff]"  # for regular expressions
_LOOKED_AT = 20  # lines in a quoted cell


def find_encoding(path: str | os.PathLike[str], said: str | None = None) -> str:
    """Return the encoding of a text file, from its first million bytes.

    Parameters
    ----------
    path : str or PathLike
    said : str or None, default=None
        The encoding that it is in.

    Returns
    -------
    encoding : str
        As said; else UTF-16 or UTF-32 where a byte order mark says so, UTF-16 where every other byte is
        zero, and ``"utf-8"`` where this is what the bytes are.

    Raises
    ------
    ValueError
        If the file is in another encoding; the message names the first bytes that are not in it.
    """
    with open_unzipped(path) as file:
        start = file.read(SAMPLE)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if said is not None and not (marked and said.lower().replace("_", "-").startswith(marked)):
        encoding = said
    else:
        encoding = marked or _by_zeros(start) or "utf-8"
    is_other = b"\0" in start[: 2**16] and not encoding.lower().startswith(("utf-16", "utf-32", "utf_16"))
    if is_other:
        what = next(
            (words for sign, words in _OTHERS.items() if start.startswith(sign)), "it holds zero bytes"
        )
        raise ValueError(f"{path}: not a CSV file in {encoding.upper()}: {what}.")
    _check_text(path, start, encoding)
    return encoding


def is_rather_utf8(path: str | os.PathLike[str], said: str | None) -> bool:
    """Return whether a file that is said to be in another encoding holds more than ASCII, all of it UTF-8."""
    if said is None or codecs.lookup(said).name.startswith("utf"):
        return False
    with open_unzipped(path) as file:
        start = file.read(SAMPLE)
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(start).isascii()
    except UnicodeDecodeError:
        return False


def is_text(start: bytes) -> bool:
    """Return whether the start of a file is text: it holds no zero bytes, but those of UTF-16 and UTF-32."""
    return b"\0" not in start or start.startswith(tuple(_MARKS)) or _by_zeros(start) is not None


def open_text(path: str | os.PathLike[str], encoding: str) -> io.TextIOWrapper:
    """Open a file, unpacked if it is packed, as text, without a byte order mark.

    A byte that cannot be decoded becomes a lone surrogate, as `with_escapes` expects.
    """
    codec = "utf-8-sig" if re.fullmatch("utf[-_]?8", encoding, re.IGNORECASE) else encoding
    return io.TextIOWrapper(open_unzipped(path), encoding=codec, errors="surrogateescape")


def with_escapes(text: str) -> tuple[bytes, bool]:
    """Return a text in UTF-8, and whether some of it could not be decoded; that is in `ESCAPES` then."""
    try:
        return text.encode(), False
    except UnicodeEncodeError:
        return text.translate(_ESCAPED).encode(errors="replace"), True


def escaped_bytes(text: str) -> str:
    """Return the first bytes of a text that could not be decoded, as hexadecimal digits."""
    found = re.search(f"{ESCAPES}+", text)
    return "" if found is None else bytes(ord(each) & 0xFF for each in found[0][:4]).hex(" ")


def _by_zeros(start: bytes) -> str | None:
    """Return which UTF-16 it is if every other byte of Latin text is zero, or None."""
    pairs = len(start) // 2
    even, odd = (start[i : 2 * pairs : 2].count(0) for i in (0, 1))
    if pairs < _FEWEST_PAIRS:
        return None
    if odd > 0.5 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 * pairs and odd < 0.05 * pairs else None


def _check_text(path: str | os.PathLike[str], start: bytes, encoding: str) -> None:
    """Raise if the start of a file is not in an encoding, naming the bytes that are not."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError as error:
        wrong, line = start[error.start : error.end], start.count(b"\n", 0, error.start) + 1
        around = start[max(0, error.start - 12) : error.end + 12].split(b"\n")
        near = max(around, key=lambda piece: wrong in piece).decode("ascii", "replace")
        raise ValueError(
            f"{path}: its text must be {encoding.upper()}; got the bytes {wrong.hex(' ')} in line {line}, in "
            f"{near!r}. Say which encoding it is written in, such as encoding='cp1252'."
        ) from None


class Part(NamedTuple):
    """Some rows.

    Attributes
    ----------
    rows : str
    fault : str or None
        What is wrong with the row behind these, which is left out; None if there is none.
    """

    rows: str
    fault: str | None


def whole_rows(
    text: io.TextIOWrapper, separator: str, n_cells: int, n_lines: int, size: int, most: int
) -> Iterator[list[Part]]:
    """Yield the rest of a text in pieces that end where rows end.

    A quote that is never closed, or only behind or within what look like rows, makes its line a row that is
    left out.

    Parameters
    ----------
    text : TextIOWrapper
    separator : str
    n_cells : int
        Of a row.
    n_lines : int
        That were read before.
    size : int
        Characters that are read at once.
    most : int
        Characters of a row.
    """
    rows = _Rows(separator, n_cells, n_lines + 1, most)
    is_last = False
    while not is_last:
        more = text.read(size)
        is_last = len(more) < size
        if parts := rows.cut(more, is_last=is_last):
            yield parts


class _Rows:
    """What has been read of a text, and not yet cut."""

    def __init__(self, separator: str, n_cells: int, line: int, most: int):
        self._separator, self._n_cells, self._line, self._most = separator, n_cells, line, most
        self._rest = ""
        end = re.escape(separator)
        flat = rf'(?:"(?:[^"\n]++|"")*+"|(?!"))[^{end}\n]*+'
        self._flat = re.compile(rf"(?:{flat}[{end}\n])*+")  # cells of one line; possessive: in linear time
        self._quoted = re.compile(rf'"((?:[^"]++|"")*+)"([^{end}\n]*+)')

    def cut(self, more: str, *, is_last: bool) -> list[Part]:
        """Return the rows that end in what was read, with more; a last one may end without a new line."""
        rest = self._rest + more
        if is_last and rest and not rest.endswith("\n"):
            rest += "\n"
        parts: list[Part] = []
        start = counted = row = place = 0
        while '"' in rest:
            stop = self._flat.match(rest, place).end()  # type: ignore[union-attr]
            row = rest.rfind("\n", place, stop) + 1 or row
            cell = self._quoted.match(rest, stop)
            is_open = cell is None or (not is_last and rest.find("\n", cell.end()) < 0)
            if not rest.startswith('"', stop) or (is_open and not is_last and len(rest) - row <= self._most):
                break
            self._line, counted = self._line + rest.count("\n", counted, stop), stop
            if fault := self._fault(None if is_open else cell, row):
                parts.append(Part(rest[start:row], fault))
                start = row = place = rest.find("\n", stop) + 1 or len(rest)
            elif cell is not None:
                place = cell.end() + 1
                row = place if rest[cell.end()] == "\n" else row
        else:
            row = rest.rfind("\n") + 1
        if row > start:
            parts.append(Part(rest[start:row], None))
        self._line += rest.count("\n", counted, row)
        self._rest = rest[row:]
        if len(self._rest) > self._most:
            raise csv.Error(f"a row is longer than {self._most:,} characters")
        return parts

    def _fault(self, cell: re.Match[str] | None, row: int) -> str | None:
        """Return what is wrong with a quoted cell of a row that begins at a place, or is never closed."""
        opened = f"has a quote that is opened in line {self._line}"
        if cell is None:
            return f"{opened} and never closed"
        if "\n" not in cell[1]:
            return None
        closed = f"{opened} and closed in line {self._line + cell[1].count(chr(10))}"
        if cell[2].strip():
            return f"{closed}, in the middle of a cell"
        first, *inner, last = _lines(cell, row)
        n_rows = sum(any(self._numbers(line)) for line in inner[:_LOOKED_AT])
        if n_rows > len(inner[:_LOOKED_AT]) / 2:
            return f"{closed}, behind what look like rows"
        numbers = self._numbers(first)
        is_two_rows = any(numbers) and numbers == self._numbers(last)
        return f"{closed}, in what looks like the next row" if is_two_rows and not inner else None

    def _numbers(self, line: str) -> list[bool]:
        """Return which cells of a line are numbers, quotes aside; nothing if it has not as many as rows."""
        cells = line.split(None if self._separator == " " else self._separator)
        return [is_number(cell.strip('" ')) for cell in cells] if len(cells) == self._n_cells else []


def _lines(cell: re.Match[str], row: int) -> list[str]:
    """Return the whole lines over which a quoted cell of a row that begins at a place runs."""
    text, stop = cell.string, cell.string.find("\n", cell.end())
    start = max(row, text.rfind("\n", row, cell.start()) + 1)
    return text[start : len(text) if stop < 0 else stop].split("\n")

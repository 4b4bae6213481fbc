"""Text in files: unpacked, in an encoding that is said, marked or recognized, never guessed; row by row."""

import bz2
import codecs
import contextlib
import csv
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import pyarrow as pa

from vaetools.data.numerals import is_number

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


def _opens(codec: str) -> Callable[[Any], Any]:
    """Return what opens a file that a codec of Arrow packed."""
    return lambda path: pa.CompressedInputStream(open(path, "rb"), codec)


_PACKED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _opens("zstd"),
    b"\x04\x22\x4d\x18": _opens("lz4"),
}


def open_unzipped(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes, unpacked if its content is packed; the name does not matter."""
    with open(path, "rb") as file:
        start = file.read(max(map(len, _PACKED)))
    for sign, unpack in _PACKED.items():
        if start.startswith(sign):
            return cast(BinaryIO, unpack(path))
    return open(path, "rb")


class DamagedFile(ValueError):
    """Packed content breaks off, or is no such content."""


@contextlib.contextmanager
def undamaged() -> Iterator[None]:
    """Turn what is raised at a damaged packed file into one error; that there is no file stays its own."""
    try:
        yield
    except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DamagedFile(str(error)) from None


@contextlib.contextmanager
def readable(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Turn the errors of libraries at a damaged file into one; that there is no file stays its own."""
    try:
        with undamaged():
            yield
    except (pa.ArrowException, csv.Error, UnicodeError, DamagedFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: not a readable {kind} file: {reason}.") from None


class TextFile:
    """A file of text, unpacked if it is packed, in the encoding that its first million bytes tell.

    That is the one that is said; else UTF-16 or UTF-32 where a byte order mark says so, UTF-16 where every
    other byte is zero, and UTF-8 where this is what the bytes are. If it is none of these, a ValueError
    names the first bytes that are not in it.

    Parameters
    ----------
    path : str or PathLike
    said : str or None, default=None
        The encoding that it is in.

    Attributes
    ----------
    encoding : str
    is_rather_utf8 : bool
        Whether it is said to be in another encoding, and holds more than ASCII, all of it UTF-8.
    """

    def __init__(self, path: str | os.PathLike[str], said: str | None = None):
        self._path = path
        with open_unzipped(path) as file:
            start = file.read(SAMPLE)
        marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
        if said is not None and not (marked and said.lower().replace("_", "-").startswith(marked)):
            self.encoding = said
        else:
            self.encoding = marked or _by_zeros(start) or "utf-8"
        is_wide = self.encoding.lower().startswith(("utf-16", "utf-32", "utf_16"))
        if b"\0" in start[: 2**16] and not is_wide:
            found = (words for sign, words in _OTHERS.items() if start.startswith(sign))
            what = next(found, "it holds zero bytes")
            raise ValueError(f"{path}: not a CSV file in {self.encoding.upper()}: {what}.")
        self._check(start)
        is_foreign = said is not None and not codecs.lookup(said).name.startswith("utf")
        self.is_rather_utf8 = is_foreign and not start.isascii() and _is_utf8(start)

    def open(self) -> io.TextIOWrapper:
        """Open it, without a byte order mark; a byte that cannot be decoded becomes a lone surrogate."""
        is_utf8 = re.fullmatch("utf[-_]?8", self.encoding, re.IGNORECASE)
        codec = "utf-8-sig" if is_utf8 else self.encoding
        return io.TextIOWrapper(open_unzipped(self._path), encoding=codec, errors="surrogateescape")

    def _check(self, start: bytes) -> None:
        """Raise if the start of the file is not in its encoding, naming the bytes that are not."""
        try:
            codecs.getincrementaldecoder(self.encoding)().decode(start)
        except UnicodeDecodeError as error:
            wrong, line = start[error.start : error.end], start.count(b"\n", 0, error.start) + 1
            around = start[max(0, error.start - 12) : error.end + 12].split(b"\n")
            near = max(around, key=lambda piece: wrong in piece).decode("ascii", "replace")
            other = "utf-8" if _is_utf8(start) else "cp1252"
            raise ValueError(
                f"{self._path}: its text must be {self.encoding.upper()}; got the bytes {wrong.hex(' ')} in "
                f"line {line}, in {near!r}. Say which encoding it is written in, such as encoding={other!r}."
            ) from None


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def is_text(start: bytes) -> bool:
    """Return whether the start of a file is text: it holds no zero bytes, but those of UTF-16 and UTF-32."""
    return b"\0" not in start or start.startswith(tuple(_MARKS)) or _by_zeros(start) is not None


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


class WholeRows:
    """Cuts a text into pieces that end where rows end.

    A quote that is never closed, or only behind or within what look like rows, makes its line a row that is
    left out.

    Parameters
    ----------
    separator : str
    n_cells : int
        Of a row.
    line : int
        Which is read first, from 1.
    most : int
        Characters of a row.
    """

    def __init__(self, separator: str, n_cells: int, line: int, most: int):
        self._separator, self._n_cells, self._line, self._most = separator, n_cells, line, most
        self._rest = ""
        end = re.escape(separator)
        flat = rf'(?:"(?:[^"\n]++|"")*+"|(?!"))[^{end}\n]*+'
        self._flat = re.compile(rf"(?:{flat}[{end}\n])*+")  # cells of one line; possessive: in linear time
        self._quoted = re.compile(rf'"((?:[^"]++|"")*+)"([^{end}\n]*+)')

    def pieces(self, text: io.TextIOWrapper, size: int) -> Iterator[list[tuple[str, str | None]]]:
        """Yield rows, each time with what is wrong with the one behind them, which is left out, or None."""
        is_last = False
        while not is_last:
            more = text.read(size)
            is_last = len(more) < size
            if parts := self._cut(more, is_last=is_last):
                yield parts

    def _cut(self, more: str, *, is_last: bool) -> list[tuple[str, str | None]]:
        """Return the rows that end in what was read, with more; a last one may end without a new line."""
        rest = self._rest + more
        if is_last and rest and not rest.endswith("\n"):
            rest += "\n"
        parts: list[tuple[str, str | None]] = []
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
                parts.append((rest[start:row], fault))
                start = row = place = rest.find("\n", stop) + 1 or len(rest)
            elif cell is not None:
                place = cell.end() + 1
                row = place if rest[cell.end()] == "\n" else row
        else:
            row = rest.rfind("\n") + 1
        if row > start:
            parts.append((rest[start:row], None))
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
        text, stop = cell.string, cell.string.find("\n", cell.end())
        start = max(row, text.rfind("\n", row, cell.start()) + 1)
        first, *inner, last = text[start : len(text) if stop < 0 else stop].split("\n")
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

"""Where the rows of CSV end; and quotes that run over rows, as a stray one does."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from vaetools.data.numerals import is_number

_LOOKED_AT = 20  # lines in a quoted cell


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

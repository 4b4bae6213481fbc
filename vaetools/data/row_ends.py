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

    A quote that is never closed, or only behind what look like rows, makes its line a row that is left out.

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
            is_open = cell is None or (cell.end() == len(rest) and not is_last)
            if not rest.startswith('"', stop) or (is_open and not is_last and len(rest) - row <= self._most):
                break
            self._line, counted = self._line + rest.count("\n", counted, stop), stop
            if fault := self._fault(None if is_open else cell):
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

    def _fault(self, cell: re.Match[str] | None) -> str | None:
        """Return what is wrong with a quoted cell that begins in the current line, or is never closed."""
        opened = f"has a quote that is opened in line {self._line}"
        if cell is None:
            return f"{opened} and never closed"
        if "\n" not in cell[1]:
            return None
        closed = f"{opened} and closed in line {self._line + cell[1].count(chr(10))}"
        if cell[2].strip():
            return f"{closed}, in the middle of a cell"
        inner = cell[1].split("\n", _LOOKED_AT + 1)[1:-1]
        n_rows = sum(map(self._is_row, inner))
        return f"{closed}, behind what look like rows" if n_rows > len(inner) / 2 else None

    def _is_row(self, line: str) -> bool:
        """Return whether a line looks like a row: with as many cells, and a number among them."""
        cells = line.split(None if self._separator == " " else self._separator)
        return len(cells) == self._n_cells and any(map(is_number, cells))

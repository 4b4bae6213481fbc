"""How the lines of a text file are cut into cells, and which of them names the columns."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from vaetools.data.dialect import MISSING, NUMBER, PLAIN, Dialect, is_separator
from vaetools.data.numerals import is_number

SEPARATORS = (",", ";", "\t", "|", " ")
_ROWS = 100  # that are cut to find the separator
_FEWEST_NAMES = 3  # numbers that name rows
_SAID = re.compile(r'"?sep=(.)\1*"?\s*$', re.IGNORECASE)  # as Excel writes and reads it


class Layout(NamedTuple):
    """How lines are cut under a separator, and where the table begins.

    Attributes
    ----------
    separator : str
    skipped : int
        Lines before the header.
    header : list of str
        The names in it.
    rows : list of list of str
        The first of them.
    has_row_names : bool
        Whether rows begin with a name, above which the header has none.
    has_open_ends : bool
        Whether rows end with a separator, and the header does not.
    """

    separator: str
    skipped: int
    header: list[str]
    rows: list[list[str]]
    has_row_names: bool = False
    has_open_ends: bool = False

    @property
    def full(self) -> list[list[str]]:
        """The rows that have as many cells as the header."""
        return [row for row in self.rows if len(row) == len(self.header)]

    @property
    def fit(self) -> float:
        """Their share."""
        return len(self.full) / max(1, len(self.rows))

    @property
    def numbers(self) -> float:
        """Share of numbers among their cells."""
        cells = [cell for row in self.full for cell in row if _is_known(cell)]
        return sum(map(is_number, cells)) / max(1, len(cells))

    @property
    def is_lone_number(self) -> bool:
        """Whether there is one column, of numbers, though its name holds a separator that no row holds."""
        marks = [mark for mark in SEPARATORS if mark in "".join(self.header)]
        held = any(mark in cell for row in self.full for cell in row for mark in marks)
        return len(self.header) == 1 < len(self.full) and self.numbers >= 0.5 and not held

    @property
    def has_header(self) -> bool:
        """False if the header looks like its rows: with numbers, and a word that its column has again."""
        numbers = [
            float(name) for name in self.header if re.match(PLAIN.written[NUMBER], name.strip(), re.ASCII)
        ]
        if not numbers or (len(numbers) > 1 and all(np.diff(numbers) > 0)):  # years, or wave lengths
            return True
        words = zip(self.header, zip(*self.full, strict=True), strict=False)
        return not any(_is_known(name) and not is_number(name) and name in column for name, column in words)


def find_layout(sample: str, said: Dialect, separators: Sequence[str] = SEPARATORS) -> Layout:
    r"""Return how a table is cut into cells, and where it begins.

    The separator is the one under which rows have as many cells as the header, and most of these are
    numbers. Before the header may stand a line ``sep=;``, comments (``#``), and lines of fewer cells. The
    last line of the sample may be cut; separators are in the order in which they are preferred.

    Examples
    --------
    >>> found = find_layout("sep=;\n# of May\nwidth, cm;n\n1,5;2\n2,5;3\n", Dialect())
    >>> found.separator, found.skipped, found.header, found.fit
    (';', 2, ['width, cm', 'n'], 1.0)
    """
    lines = list(io.StringIO(sample, newline="\n"))
    start, comment = _after_remarks(lines) if said.skipped is None else (said.skipped, None)
    marked = next(filter(None, map(_said, lines[:start])), None)
    if said.separator is not None:
        separators = [said.separator]
    elif marked:
        separators = [marked]
    is_said = said.skipped is not None
    splits = [_split(lines, each, start, comment, is_said=is_said) for each in separators]
    is_single = not any(len(split.header) > 1 for split in splits if split.separator != " ")

    def quality(split: Layout) -> tuple[Any, ...]:
        fits = split.fit >= 0.5
        several = len(split.header) > 1 and (fits or split.separator != " ")
        fits = fits and (several or is_single or split.is_lone_number)
        return fits, several, not split.has_row_names, fits and split.numbers, fits and split.fit

    best = max(splits, key=quality)
    return best if any(map(str.strip, lines[: best.skipped])) else best._replace(skipped=0)


def other_separator(names: list[str], shown: list[str], separator: str | None) -> str | None:
    """Return what separates cells instead of a separator: what all names and all cells hold; None if nothing.

    Examples
    --------
    >>> other_separator(["width;height"], ["1,5;2"], ",")
    ';'
    """
    for mark in SEPARATORS if names else ():
        is_other = mark not in (" ", separator) and all(mark in name for name in names)
        if is_other and all(repr(mark)[1:-1] in cell for cell in shown):
            return mark
    return None


def split_cells(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of lines; any number of spaces separates like one."""
    if separator == " ":
        lines = (line.strip(" ") for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def header_names(cells: list[str], separator: str) -> list[str]:
    """Return the names in a header, without space around them, nor NumPy's sign of a comment before."""
    first, *others = [cell.strip() for cell in cells or [""]]
    if first == "#" and separator == " ":
        return others
    return [first.removeprefix("# ").lstrip(), *others]


def _said(line: str) -> str | None:
    """Return the separator that a line names for Excel, or None if it is another line."""
    found = _SAID.match(line)
    return found[1] if found and is_separator(found[1]) else None


def _after_remarks(lines: list[str]) -> tuple[int, int | None]:
    """Return the first line that is no remark, and the last of the comments before it."""
    comment = None
    for place, line in enumerate(lines):
        if line.startswith("#"):
            comment = place
        elif line.strip() and not _said(line):
            return place, comment
    return comment or 0, None


def _split(lines: list[str], separator: str, start: int, comment: int | None, *, is_said: bool) -> Layout:
    """Return the first rows under a separator, with the line that is their header."""
    found = _rows(lines, separator, start)
    if not found:
        return Layout(separator, start, [], [])
    rows = [row for _, row in found]
    if comment is not None and any(map(is_number, rows[0])):
        names = header_names(next(split_cells([lines[comment].rstrip("\n")], separator), []), separator)
        if len(names) == len(rows[0]) and not any(map(is_number, names)):
            return Layout(separator, comment, names, rows)
    place = 0 if is_said else _header_place(rows)
    header, below = header_names(rows[place], separator), rows[place + 1 :]
    are_quoted = all(lines[line].lstrip(" ").startswith('"') for line, _ in found[place + 1 :])
    split = Layout(separator, found[place][0], header, below)
    if len(header) < 2 or not below or any(len(row) != len(header) + 1 for row in below):
        return split
    if not any(row[-1] for row in below):  # rows end with a separator
        return split._replace(header=[*header, ""], has_open_ends=True)
    if _has_row_names(header, below, separator, are_quoted=are_quoted):
        return split._replace(header=["", *header], has_row_names=True)
    return split


def _has_row_names(header: list[str], rows: list[list[str]], separator: str, *, are_quoted: bool) -> bool:
    """Return whether rows, which have a cell more than the header, begin with names, as R writes them.

    Those differ, and are in quotes; or words, or numbers that rise, but between commas, where the cell too
    many may be half of a number with a comma.
    """
    if any(is_number(name) or not _is_known(name) for name in header):
        return False
    names, last = [row[0] for row in rows], [row[-1] for row in rows]
    if len(set(names)) < len(names) or not any(map(_is_known, last)):  # as where lines end with a separator
        return False
    if are_quoted or separator == ",":
        return are_quoted
    if not any(map(is_number, names)):
        return True
    are_counts = len(names) >= _FEWEST_NAMES and all(map(str.isdecimal, names))
    return are_counts and bool(all(np.diff(list(map(float, names))) > 0))


def _rows(lines: list[str], separator: str, start: int) -> list[tuple[int, list[str]]]:
    """Return the first rows from a line on, each with the line that it begins in, without one that is cut."""
    reader = split_cells(iter(lines[start:]), separator)
    found, line = [], start
    try:
        for row in islice(reader, _ROWS):
            found += [(line, row)] if row else []
            line = start + reader.line_num  # type: ignore[attr-defined]
    except csv.Error:  # a quote that is never closed
        return found
    is_cut = line == len(lines) > 0 and not lines[-1].endswith("\n")
    return found[:-1] if is_cut and len(found) > 2 else found


def _header_place(rows: list[list[str]]) -> int:
    """Return which row is the header: the first, unless it is short and another one names the columns."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    filled = [place for place, cell in enumerate(rows[0], 1) if cell.strip()]
    if max(filled, default=0) >= width:
        return 0
    for place, row in enumerate(rows[:-1]):
        if len(row) == width == len(set(row)) and not any(
            is_number(cell) or not _is_known(cell) for cell in row
        ):
            below = zip(*(cells for cells in rows[place + 1 :] if len(cells) == width), strict=True)
            columns = [list(filter(_is_known, column)) for column in below]
            if any(cells and all(map(is_number, cells)) for cells in columns):
                return place
    return 0


def _is_known(cell: str) -> bool:
    return cell.strip() not in MISSING

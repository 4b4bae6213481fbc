"""CSV files → blocks of text, in the dialect that they are written in."""

import csv
import dataclasses
import io
import re
import reprlib
import textwrap
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow

from vaetools.data.batches import Block, Failure
from vaetools.data.cells import parsed_numbers
from vaetools.data.dialect import TEXT, Dialect, without_missing
from vaetools.data.encodings import ESCAPES, TextFile, WholeRows, escaped_bytes, readable, with_escapes
from vaetools.data.layouts import SEPARATORS, find_layout, header_names, other_separator, split_cells
from vaetools.data.table_columns import FIRST, as_floats, names_rows
from vaetools.words import few

BLOCK = 2**21  # characters of CSV read at once
SAMPLE = 2**20  # characters that say which dialect it is
MAX_ROW = 2**24  # characters, of the header too
_LEFT_OUT = "\U0010ff00"  # begins a row that stands for one that is left out; private: no text has it
_RUN_OF_SPACES = re.compile(r'("(?:[^"]++|"")*+")|^ +| +$| +(?= )', re.MULTILINE)


class CsvFile:
    """A CSV file, whose cells are text: whether a column is numbers shows cell by cell.

    Parameters
    ----------
    path : Path
    said : Dialect
        What is known of how it is written.

    Attributes
    ----------
    dialect : Dialect
        How it is written, its numbers aside.
    names, typed, n_rows, group_rows, notes
        As of a `TypedFile`.
    """

    n_rows = group_rows = None
    typed = False

    def __init__(self, path: Path, said: Dialect):
        self.path = path
        is_tabbed = {".tsv", ".tab"} & {suffix.lower() for suffix in path.suffixes}
        separators = sorted(SEPARATORS, key="\t".__ne__) if is_tabbed else SEPARATORS
        with readable(path, "CSV"):
            self._text = TextFile(path, said.encoding)
            with self._text.open() as text:
                self._layout = find_layout(text.read(SAMPLE), said, separators)
            self._separator = self._layout.separator
            self.dialect = dataclasses.replace(
                said, separator=self._separator, encoding=self._text.encoding, skipped=self._layout.skipped
            )
            with self._text.open() as text:
                self.names = self._read_header(text)
        if not self.names:
            raise ValueError(f"{path}: a table must start with the names of its columns; got no text.")
        if not self._layout.has_header and said.skipped is None:
            raise ValueError(f"{path}: {first_line_must_name(self.names)}")
        self.notes = []
        if self._text.is_rather_utf8:
            self.notes.append(f"Read as {said.encoding}, as was said; its bytes are UTF-8 as well.")
        if self._layout.has_open_ends:
            self.notes.append(
                "Rows end with a separator that the header has not: what is behind it is left out."
            )
        self._counters: list[int] = []
        self._name_others()

    def call_as(self, columns: Collection[str]) -> None:
        """Name columns as a model does, which may have kept space around a name, or have named the first."""
        known = {name.strip(): name for name in columns}
        for first, other in (("", FIRST), (FIRST, "")):
            if self.names[0] == first and other in known and first not in known:
                self.names[0] = other
                self._counters = [place for place in self._counters if place] + [0] * (other == "")
        if set(known) <= set(self.names):
            self.names = [known.get(name, name) for name in self.names]

    def check_rows(self) -> None:
        """Raise if most of the first rows have another number of cells than the header, and some have not."""
        if 0 < self._layout.fit < 0.5:
            other = other_separator(self.names, [], self._separator) or ";,"[self._separator == ";"]
            raise ValueError(
                f"{self.path}: most rows must have {len(self.names)} cells, like the header; got another "
                f"number in {100 - round(100 * self._layout.fit)} % of the first rows. Quote cells that hold "
                "the separator, such as numbers with commas between thousands, or say which it is: "
                f"separator={other!r}."
            )

    def sample(self, features: list[str]) -> dict[str, Any]:
        """Return the first cells of features."""
        place = self._places()
        table = self._first([place[name] for name in features])
        return {name: table[place[name]] for name in features} if table is not None else {}

    def not_numbers(self, features: list[str], dialect: Dialect) -> dict[str, str]:
        """Return the features of which at most half the first cells are numbers, with one that is none."""
        lost: list[Failure] = []
        for block in self.blocks(features, ()):
            lost += block.lost
            if len(block.rows):
                break
        else:
            came = f"row 0 that {lost[0].reason}" if lost else "only a header"
            mark = other_separator(self.names, [], self._separator)
            advice = f" Say which separator its header has: separator={mark!r}." if mark and lost else ""
            raise ValueError(f"{self.path}: a table must have rows like its header; got {came}.{advice}")
        X, words = parsed_numbers(block.features, dialect)
        first = {column: word for (_, column), word in reversed(words.items())}
        n_words = np.bincount([column for _, column in words], minlength=len(features))
        n_numbers = np.count_nonzero(~np.isnan(X), axis=0)
        return {
            features[column]: reprlib.repr(first[column]) if column in first else "empty"
            for column in np.flatnonzero(n_words >= n_numbers).tolist()
        }

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows in order, as text."""
        place = self._places()
        keys, others = ([place[name] for name in names] for names in (features, beside))
        stop = 0
        with readable(self.path, "CSV"), self._text.open() as text:
            self._read_header(text)
            for parts in self._rows().pieces(text, BLOCK):
                table, rows, lost = self._parse(parts, [*keys, *others], stop)
                start, stop = stop, stop + len(rows) + len(lost)
                for low in range(start, stop, n_rows):
                    first, last = np.searchsorted(rows, [low, low + n_rows])
                    part = table.slice(first, last - first)
                    between = [Failure(row, lost[row]) for row in lost if low <= row < low + n_rows]
                    cells = [part[key].combine_chunks() for key in others]
                    yield Block(rows[first:last], [part[key] for key in keys], cells, between)

    def index_columns(self) -> list[tuple[str, str]]:
        """Return the columns that are an index, by name and in words."""
        return [
            ("", f"column {place + 1}, which has no name" + (" and counts rows" if place else ""))
            for place in self._counters
        ]

    def _places(self) -> dict[str, str]:
        """Return under which name a column is read."""
        return {name: str(place) for place, name in enumerate(self.names)}

    def _name_others(self) -> None:
        """Name columns without a name as pandas does, if they hold data and are no index."""
        nameless = [place for place, name in enumerate(self.names) if not name]
        table = self._first([str(place) for place in nameless]) if nameless else None
        for place in nameless:
            cells = pa.array([], TEXT) if table is None else table[str(place)].combine_chunks()
            cells = without_missing(cells)
            known = cells.to_pylist()
            counts = all(cell == str(row) for row, cell in enumerate(known))
            if place == 0:
                numbers = None if self._layout.has_row_names else as_floats(cells)
                counts = numbers is None or names_rows(numbers)
            elif not any(known):
                continue
            if counts:
                self._counters.append(place)
            else:
                self.names[place] = f"Unnamed: {place}"

    def _first(self, keys: list[str]) -> Any:
        """Return the first rows of some columns, or None if there are none."""
        with readable(self.path, "CSV"), self._text.open() as text:
            self._read_header(text)
            parts = next(self._rows().pieces(text, SAMPLE), [])
            return self._parse(parts, keys, 0)[0] if parts else None

    def _rows(self) -> WholeRows:
        """Return what cuts the text behind the header into rows."""
        return WholeRows(self._separator, len(self.names), self._header_end + 1, MAX_ROW)

    def _read_header(self, text: io.TextIOWrapper) -> list[str]:
        """Return the names in the header, and stop behind it."""

        def lines() -> Iterator[str]:
            while line := text.readline(MAX_ROW):
                if len(line) == MAX_ROW:
                    raise csv.Error(f"its first line is longer than {MAX_ROW:,} characters")
                self._header_end += 1
                yield line

        self._header_end = self.dialect.skipped or 0
        for _ in range(self._header_end):
            text.readline(MAX_ROW)
        cells = next(filter(None, split_cells(lines(), self._separator)), None)
        if cells is None:
            return []
        names = header_names(cells, self._separator)
        return [""] * self._layout.has_row_names + names + [""] * self._layout.has_open_ends

    def _parse(
        self, parts: list[tuple[str, str | None]], wanted: list[str], start: int
    ) -> tuple[Any, np.ndarray, dict[int, str]]:
        """Return columns as text, named by their places; which rows these are; why others are left out."""

        def skip(row: Any) -> str:
            cells = "1 cell" if row.actual_columns == 1 else f"{row.actual_columns} cells"
            reason = f"has {cells} instead of {row.expected_columns}"
            lost[start + row.number - 1] = next(faults, "") if row.text.startswith(_LEFT_OUT) else reason
            return "skip"

        lost: dict[int, str] = {}
        faults = iter([fault for _, fault in parts if fault is not None])
        left_out = _LEFT_OUT + f"{self._separator}x" * len(self.names) + "\n"  # has a cell too many
        piece = "".join(rows if fault is None else rows + left_out for rows, fault in parts)
        if self._separator == " ":  # one for several outside of quotes, and none at the ends of lines
            piece = _RUN_OF_SPACES.sub(lambda found: found[1] or "", piece)
        data, has_escapes = with_escapes(piece)
        names = [str(i) for i in range(len(self.names))]
        wanted = list(dict.fromkeys(wanted))
        table = arrow.read_csv(
            pa.py_buffer(data),
            # with more threads, a row that is skipped has no number
            arrow.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            arrow.ParseOptions(delimiter=self._separator, newlines_in_values=True, invalid_row_handler=skip),
            arrow.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted),
        )
        rows = np.delete(np.arange(start, start + table.num_rows + len(lost)), [row - start for row in lost])
        return self._without_escapes(table, rows, lost) if has_escapes else (table, rows, lost)

    def _without_escapes(
        self, table: Any, rows: np.ndarray, lost: dict[int, str]
    ) -> tuple[Any, np.ndarray, dict[int, str]]:
        """Return the rows of which no cell has bytes in another encoding, and the others among the lost."""
        reasons: dict[int, str] = {}
        for key in table.column_names:
            cells = table[key].combine_chunks()
            for place in np.flatnonzero(
                compute.match_substring_regex(cells, ESCAPES).fill_null(False)
            ).tolist():
                wrong = escaped_bytes(cells[place].as_py())
                came = f"bytes that are not {self._text.encoding.upper()} ({wrong})"
                reasons.setdefault(place, f"column {self.names[int(key)]!r} holds {came}: say the encoding")
        good = np.setdiff1d(np.arange(table.num_rows), list(reasons))
        lost |= {int(rows[place]): reason for place, reason in reasons.items()}
        return table.take(pa.array(good)), rows[good], dict(sorted(lost.items()))


def first_line_must_name(names: Sequence[str]) -> str:
    """Say that a header is none."""
    shown = few(textwrap.shorten(name, 30) for name in names)
    example = ",".join(f"x{i}" for i in range(min(3, len(names)))) + (",…" if len(names) > 3 else "")
    return (
        f"the first line must name the columns; got {shown}. Write names above it, such as {example}; "
        "numbers alone may also be an array (.npy). If these are the names, say so: skipped=0, as no line "
        "comes before them."
    )

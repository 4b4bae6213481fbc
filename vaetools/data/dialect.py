"""What the cells of a table are: numbers, booleans, text; and how text writes them.

In CSV cells are text: space around them is dropped, and an empty cell, ``NA``, ``null`` and the like are
missing. In Parquet they have a type, and only nulls and NaN are missing.
"""

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pandas import api
from pyarrow import compute, types
from pyarrow import csv as arrow_csv

from vaetools.words import is_lost_as_float

INTEGER, NUMBER, BOOLEAN, TEXT, NULL = pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.null()
NAMES = {INTEGER: "integers", NUMBER: "numbers", BOOLEAN: "booleans", TEXT: "text"}
MISSING = [*arrow_csv.ConvertOptions().null_values, "None", "<NA>"]  # Python's own words, too
WRITTEN = {  # how a cell of a type is written
    INTEGER: r"^[+-]?\d{1,18}$",
    NUMBER: r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$",
    BOOLEAN: r"^(?i:true|false)$",
}
CODE = r"^0\d+$"  # digits that are no number
IN_PARENTHESES = r"^\(([\d.][\d.,'_ \x{a0}\x{2009}\x{202f}\x{2019}]*)\)$"  # negative, in accounts
TRUTHS = {"true": True, "false": False}
_NUMBERS = ("integer", "floating", "mixed-integer-float")  # as pandas calls them
_MOST = 0.9  # of the cells of a column of numbers; each of the others costs its row
_DIGITS = 16  # of 2^53
_LOOKED_AT = 1_000  # integers of a column, in every block of rows
_WRITTEN = rf"^\s*[+-]?\d{{{_DIGITS},}}\s*$"
_SPACES = " \u00a0\u2009\u202f"  # also those that do not break a line
_APOSTROPHES = "'\u2019"
_FAMILIES = dict.fromkeys(_SPACES, _SPACES) | dict.fromkeys(_APOSTROPHES, _APOSTROPHES)
_DECIMALS = (".", ",")
_THOUSANDS = ("", ",", ".", "_", *_SPACES, *_APOSTROPHES)
_OPEN = (  # a number that is plain and no thousand, such as 1.234
    r"^[+-]?(\d+\.?|(\d{4,}|0\d*)?\.\d+|\d+\.(\d{1,2}|\d{4,}))([eE][+-]?\d+)?$"
    r"|^[+-]?\d+\.\d+[eE][+-]?\d+$|^[+-]?(?i:inf|infinity|nan)$"
)
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces", ".": "points"}
_NAMES |= {"'": "apostrophes", "_": "underscores"}


class Kind(NamedTuple):
    """What the cells of a column are.

    Attributes
    ----------
    type : pyarrow.DataType
        `INTEGER`, `NUMBER`, `BOOLEAN` or `TEXT`.
    values : tuple or None
        Of a column of categories those that are known, all of them none so far; None of another column.
    is_closed : bool
        Whether there are no other values.
    is_needed : bool
        Whether a row without a cell has failed.
    """

    type: Any
    values: tuple[Any, ...] | None = None
    is_closed: bool = False
    is_needed: bool = False

    @property
    def is_number(self) -> bool:
        """Whether cells are numbers, and no categories."""
        return bool(self.type == NUMBER) and self.values is None


def category_kind(values: Sequence[Any], *, is_closed: bool = False) -> Kind:
    """Return how categories that a model knows are read."""
    found = api.types.infer_dtype(list(values))
    cells = BOOLEAN if found == "boolean" else NUMBER if found in _NUMBERS else TEXT
    return Kind(cells, tuple(values), is_closed)


def plain_type(kind: Any) -> Any:
    """Return the type of a `Kind` that holds cells of a type of Arrow, or that type itself if none does."""
    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if types.is_integer(kind):
        return NUMBER if types.is_uint64(kind) else INTEGER
    if types.is_floating(kind) or types.is_decimal(kind):
        return NUMBER
    if types.is_large_string(kind) or kind == pa.string_view():
        return TEXT
    return kind


def without_missing(cells: Any) -> Any:
    """Return texts of CSV without space around them, and null for those that stand for a missing value."""
    cells = compute.ascii_trim_whitespace(cells)
    missing = compute.is_in(cells, value_set=pa.array(MISSING))
    return compute.if_else(missing, pa.scalar(None, pa.string()), cells)


def as_numbers(cells: Any) -> Any:
    """Return texts of CSV with a hyphen for any sign of minus, and without space of any kind around them."""
    cells = compute.replace_substring(compute.utf8_trim_whitespace(cells), "\u2212", "-")
    if not compute.any(compute.starts_with(cells, "(")).as_py():
        return cells
    return compute.replace_substring_regex(cells, IN_PARENTHESES, r"-\1")


@dataclasses.dataclass(frozen=True)
class Dialect:
    r"""How a text file writes a table; what is None is found out from the file.

    Parameters
    ----------
    separator : str or None, default=None
        The character between cells. A space stands for any number of spaces.
    decimal : {".", ","} or None, default=None
        What stands before the fraction of a number.
    thousands : str or None, default=None
        What stands between groups of three digits: a comma, point, space, apostrophe or underscore;
        nothing (``""``) if digits are not grouped. All kinds of spaces are one, and so are both apostrophes.
        Between commas groups may also have two digits but for the last, as in 12,34,567.
    encoding : str or None, default=None
        What Python calls the encoding, such as ``"utf-8"``, ``"utf-16"`` or ``"cp1252"``.
    skipped : int or None, default=None
        Lines before the one that names the columns; if it is said, these names may be numbers.

    Examples
    --------
    >>> dialect = Dialect(separator=";", decimal=",", thousands=".")
    >>> dialect.number("1.234,5")
    1234.5
    >>> str(dialect)
    'semicolons between cells, decimal commas, points between thousands'
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    skipped: int | None = None

    def __post_init__(self) -> None:
        rules = {
            "separator": (is_separator, 'one ASCII character, but no letter, digit or "'),
            "decimal": (_DECIMALS.__contains__, "'.' or ','"),
            "thousands": (_THOUSANDS.__contains__, "one of ',', '.', ' ', \"'\" and '_', or '' for none"),
            "encoding": (_is_encoding, "one that Python knows, such as 'cp1252' or 'utf-16'"),
            "skipped": (lambda n: n >= 0, "a number of lines"),
        }
        for name, (is_right, rule) in rules.items():
            value = getattr(self, name)
            if value is not None and not is_right(value):
                raise ValueError(f"Dialect: {name} must be {rule}; got {value!r}.")
        if self.thousands and self.thousands == self.decimal:
            raise ValueError(f"Dialect: thousands must differ from decimal; got {self.thousands!r} for both.")

    def __str__(self) -> str:
        separator = self.separator or ","
        words = [f"{_NAMES.get(separator, repr(separator))} between cells", self.numbers_in_words]
        words += [] if self.encoding is None else [self.encoding.upper().replace("CP", "cp")]
        if self.skipped:
            lines = "1 line" if self.skipped == 1 else f"{self.skipped} lines"
            words.append(f"{lines} before the header passed over")
        return ", ".join(words)

    @property
    def numbers_in_words(self) -> str:
        """How numbers are written, such as "decimal commas, points between thousands"."""
        words = f"decimal {_NAMES[self.decimal or '.']}"
        if not self.thousands:
            return words
        return f"{words}, {_NAMES[_FAMILIES.get(self.thousands, self.thousands)[0]]} between thousands"

    @property
    def is_plain(self) -> bool:
        """Whether cells stand between commas, numbers are as Python writes them, and all is UTF-8."""
        return dataclasses.replace(self, skipped=self.skipped or 0, decimal=self.decimal or ".") == PLAIN

    @property
    def is_open(self) -> bool:
        """Whether nothing tells what stands before fractions, nor that anything stands between thousands."""
        return self.decimal is None and not self.thousands

    @property
    def has_plain_numbers(self) -> bool:
        """Whether numbers are as Python writes them."""
        return self.decimal in (None, ".") and not self.thousands

    @property
    def written(self) -> dict[pa.DataType, str]:
        """How cells of a type are written, as regular expressions of Arrow and of Python."""
        if self.is_open:
            return WRITTEN | {NUMBER: _OPEN}
        if self.has_plain_numbers:
            return WRITTEN
        point = re.escape(self.decimal or ".")
        grouped, short = "", r"\d{1,18}"
        if self.thousands:
            mark = self._mark
            indian = (
                rf"|[1-9]\d?(?:{mark}\d\d)+{mark}\d{{3}}" if self.thousands == "," else ""
            )  # as 12,34,567
            grouped = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+{indian}"
            short = rf"(?:{grouped.replace('+', '{1,5}')}|{short})"
            grouped = rf"(?:{grouped})(?:{point}\d*)?|"  # nobody writes thousands and an exponent
        number = rf"^[+-]?(?:{grouped}(?:\d+(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?)$"
        return WRITTEN | {INTEGER: rf"^[+-]?{short}$", NUMBER: rf"{number}|^[+-]?(?i:inf|infinity|nan)$"}

    def plain(self, cells: pa.Array) -> pa.Array:
        """Return texts of numbers in this dialect as Python writes them, in an array of Arrow."""
        if self.thousands:
            cells = compute.replace_substring_regex(cells, self._mark, "")
        return cells if self.decimal in (None, ".") else compute.replace_substring(cells, ",", ".")

    def number(self, word: str) -> float:
        """Return a text in this dialect as a number.

        Raises
        ------
        ValueError
            If it is none.
        """
        if self.has_plain_numbers:
            return int(word) if word.isdecimal() else float(word)
        if not re.match(self.written[NUMBER], word, re.ASCII):
            raise ValueError(f"{word!r} is not a number with {self}")
        plain = self.plain(pa.array([word], TEXT))[0].as_py()
        return int(plain) if plain.isdecimal() else float(plain)

    @property
    def _mark(self) -> str:
        """What stands between thousands, if anything does, as a regular expression."""
        mark = self.thousands or ""
        return f"[{_FAMILIES.get(mark, mark)}]"


def is_separator(text: str) -> bool:
    """Return whether a text can stand between cells."""
    return len(text) == 1 and (text == "\t" or " " <= text <= "~") and not text.isalnum() and text != '"'


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except (LookupError, ValueError):  # ValueError: the name holds a zero byte
        return False
    return True


PLAIN = Dialect(",", ".", "", "utf-8", 0)


def learn_kinds(
    blocks: Iterable[list[Any]], names: list[str], as_text: Collection[str], how: Mapping[Any, str]
) -> dict[str, Kind]:
    """Return what the columns of a CSV file are.

    A column is booleans if all of its cells are, missing ones aside; numbers if at least nine in ten are
    and none has a leading zero, as codes have; integers if all of these are; and else text. Those in
    ``as_text`` are text whatever their cells. The blocks are all rows, column by column, and ``how`` says how
    the cells of a type are written, as `WRITTEN` does.
    """
    known = np.zeros(len(names), int)
    written = {kind: known.copy() for kind in (*WRITTEN, TEXT)}
    for columns in blocks:
        cells = without_missing(as_numbers(end_to_end(columns)))
        known += np.asarray(cells.is_valid()).reshape(len(columns), -1).sum(axis=1)
        for kind, pattern in {**how, TEXT: CODE}.items():
            found = compute.match_substring_regex(cells, pattern).fill_null(False)
            written[kind] += np.asarray(found).reshape(len(columns), -1).sum(axis=1)

    def kind_of(place: int) -> Any:
        if names[place] in as_text or written[TEXT][place]:
            return TEXT
        if written[BOOLEAN][place] == known[place] > 0:
            return BOOLEAN
        if written[NUMBER][place] >= _MOST * known[place]:
            return INTEGER if 0 < written[INTEGER][place] == written[NUMBER][place] else NUMBER
        return TEXT

    return {name: Kind(kind_of(place)) for place, name in enumerate(names)}


def end_to_end(columns: list[Any]) -> Any:
    """Return columns of text as one array, one after the other."""
    return pa.concat_arrays([chunk for column in columns for chunk in column.chunks])


def lost_integer(cells: Any) -> int | None:
    """Return an integer among the cells of a column that float64 holds as another one; None if none is seen.

    Examples
    --------
    >>> lost_integer(pa.array([1, 2**60 + 17])), lost_integer(pa.array(["1", str(10**20 + 1)]))
    (1152921504606846993, 100000000000000000001)
    >>> [lost_integer(pa.array(cells)) for cells in ([2**60], [1e20], ["1e20"], ["x"], [True])]
    [None, None, None, None, None]
    """
    if pa.types.is_integer(cells.type):
        ends = compute.min_max(cells).as_py().values()
        found = [value for value in (*ends, *cells.slice(0, _LOOKED_AT).to_pylist()) if value is not None]
    elif pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        if (compute.max(compute.binary_length(cells)).as_py() or 0) < _DIGITS:
            return None
        written = compute.match_substring_regex(cells, _WRITTEN)
        found = [int(cell) for cell in cells.filter(written).slice(0, _LOOKED_AT).to_pylist()]
    else:
        return None
    return next((value for value in found if is_lost_as_float(value)), None)

"""How a text file writes a table: its encoding, its separator, its numbers."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pyarrow as pa
from pyarrow import compute

from vaetools.data.kinds import INTEGER, NUMBER, TEXT, WRITTEN

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
    def written(self) -> dict[Any, str]:
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
        return WRITTEN | {
            INTEGER: rf"^[+-]?{short}$",
            NUMBER: rf"{number}|^[+-]?(?i:inf|infinity|nan)$",
        }

    def plain(self, cells: Any) -> Any:
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
    """Return whether Python knows an encoding of text of that name."""
    try:
        "".encode(name)
    except (LookupError, ValueError):  # ValueError: the name holds a zero byte
        return False
    return True


PLAIN = Dialect(",", ".", "", "utf-8", 0)

"""The language in which the contents of a file are declared: rules of JSON values and of named arrays.

A rule is a function of a name, a value and the file's `Contents`; it raises a `ValueError` of one short
line where the value breaks it. Arrays are declared by named axes: an axis has one size in a file, and who
names it first says which. Nothing is built to find out.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from vaetools.files import ModelFileError
from vaetools.words import shortened

HUGE = 2**63
_LONGEST = 200  # characters of a reason
# beside ValueError, what building from values of the wrong kind comes to
_UNUSABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError)


class Contents:
    """Arrays of a file, and the sizes of their axes as far as something has said them."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self.arrays = arrays
        self.sizes: dict[str, int] = {}

    def measure(self, name: str, axis: str, size: int) -> None:
        """Note the size of an axis, or raise where it has another."""
        expected = self.sizes.setdefault(axis, size)
        if size != expected:
            raise ValueError(f"{name} must be of {axis} = {expected}; got {size}")


Rule = Callable[[str, Any, Contents], None]


class Kept(NamedTuple):
    """What numbers of an array must keep: in words, and as a test of all of them."""

    words: str
    holds: Callable[[np.ndarray], Any]


FINITE = Kept("finite", lambda a: np.isfinite(a).all())
NUMBERS = Kept("numbers", lambda a: not np.isnan(a).any())
MODERATE = Kept("numbers whose squares are finite", lambda a: float(np.abs(a).max(initial=0)) < 1e150)
POSITIVE = Kept("finite and positive", lambda a: (np.isfinite(a) & (a > 0)).all())
SCORES = Kept("finite or −inf", lambda a: (a < np.inf).all())
SORTED_SCORES = Kept("finite or −inf, and sorted", lambda a: (a < np.inf).all() and (a[1:] >= a[:-1]).all())
RANGE = Kept("two numbers, of which the second is greater", lambda a: a[0] < a[1])
SPREAD = Kept("finite, and positive the second", lambda a: np.isfinite(a).all() and a[1] > 0)
COUNTS = Kept("at least 0", lambda a: (a >= 0).all())
SQUARES = Kept("finite and at least 0", lambda a: (np.isfinite(a) & (a >= 0)).all())
INCREASING = Kept("sorted, and all different", lambda a: (a[1:] > a[:-1]).all())
DISTANCES = Kept(
    "at least 0, finite and sorted", lambda a: 0 <= a[0] <= a[-1] < np.inf and (a[1:] >= a[:-1]).all()
)
SHARES = Kept("at least 0, and add up to 1", lambda a: (a >= 0).all() and abs(a.sum() - 1) < 1e-6)
LOG_SHARES = Kept("at most 0", lambda a: (a <= 0).all() and np.isfinite(a).any())


@contextlib.contextmanager
def usable(path: str | os.PathLike[str], what: str = "model") -> Iterator[None]:
    """Turn what a file that says the impossible comes to into an error of one short line that names it."""
    try:
        yield
    except ModelFileError:
        raise
    except _UNUSABLE as reason:
        shown = one_line(str(reason) or type(reason).__name__, _LONGEST)
        raise ModelFileError(f"{path}: the file holds no usable {what}: {shown}") from reason


def one_line(words: str, most: int) -> str:
    """Return the beginning of a text that may hold anything, on one line of what can be seen."""
    cut = shortened(" ".join(words.split()), most, lost="end")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in cut)


def refuse(name: str, rule: str, value: Any) -> NoReturn:
    """Raise: a value is not what its rule says."""
    raise ValueError(f"{name} must be {rule}; got {reprlib.repr(value)}")


def whole(least: int = 0, most: int = HUGE - 1, *, axis: str = "") -> Rule:
    """Return the rule of an integer, which may say the size of an axis."""
    words = f"an integer from {least} to {most}" if most < HUGE - 1 else f"a count ≥ {least}"

    def check(name: str, value: Any, contents: Contents) -> None:
        if type(value) is not int or not least <= value <= most:  # not isinstance: a bool is no int
            refuse(name, words, value)
        if axis:
            contents.measure(name, axis, value)

    return check


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a float or 64 bits hold, and no boolean."""
    return type(value) is float or (type(value) is int and -HUGE <= value < HUGE)


def real(low: float = -math.inf, high: float = math.inf, words: str = "a number") -> Rule:
    """Return the rule of a number that is not NaN."""

    def check(name: str, value: Any, contents: Contents) -> None:
        if not _is_number(value) or not low <= value <= high:
            refuse(name, words, value)

    return check


def text(pattern: str = "(?s).*", words: str = "a text") -> Rule:
    """Return the rule of a text of a pattern."""

    def check(name: str, value: Any, contents: Contents) -> None:
        if type(value) is not str or not re.fullmatch(pattern, value):
            refuse(name, words, value)

    return check


def choice(*choices: Any) -> Rule:
    """Return the rule of one of some values."""

    def check(name: str, value: Any, contents: Contents) -> None:
        if not any(type(value) is type(each) and value == each for each in choices):
            refuse(name, f"one of {choices}", value)

    return check


def plain(name: str, value: Any, contents: Contents) -> None:
    """Check a scalar of JSON: None, a boolean, a number or a text."""
    if value is not None and type(value) not in (bool, str) and not _is_number(value):
        refuse(name, "a plain value", value)


def scalar(name: str, value: Any, contents: Contents) -> None:
    """Check a text, a boolean or a number that is not NaN."""
    if (type(value) not in (bool, str) and not _is_number(value)) or value != value:
        refuse(name, "a text, a boolean or a number", value)


def number(name: str, value: Any, contents: Contents) -> None:
    """Check a number, which may be NaN."""
    if not _is_number(value):
        refuse(name, "a number", value)


def flag(name: str, value: Any, contents: Contents) -> None:
    """Check a boolean."""
    if type(value) is not bool:
        refuse(name, "true or false", value)


def either(*rules: Rule) -> Rule:
    """Return the rule of a value that keeps one of some rules; the last says what is wrong."""

    def check(name: str, value: Any, contents: Contents) -> None:
        for rule in rules[:-1]:
            with contextlib.suppress(ValueError):
                return rule(name, value, contents)
        return rules[-1](name, value, contents)

    return check


def optional(rule: Rule) -> Rule:
    """Return the rule of a value that may be None."""
    return either(choice(None), rule)


def sequence(each: Rule, *, axis: str = "", least: int = 0, most: int = HUGE, unique: bool = False) -> Rule:
    """Return the rule of a list, which may say the size of an axis."""

    def check(name: str, values: Any, contents: Contents) -> None:
        if type(values) is not list or not least <= len(values) <= most:
            refuse(name, f"a list of {least} or more" if most == HUGE else f"a list of {most}", values)
        if axis:
            contents.measure(name, axis, len(values))
        for i, value in enumerate(values):
            each(f"{name}[{i}]", value, contents)
        if unique and len(set(values)) < len(values):
            refuse(name, "a list without repetitions", values)

    return check


def record(
    required: Mapping[str, Rule], others: Mapping[str, Rule] | None = None, *, more: Rule | None = None
) -> Rule:
    """Return the rule of an object: what it must have, what it may have, and what anything else is."""

    def check(name: str, value: Any, contents: Contents) -> None:
        where = f"{name}." if name else ""
        if type(value) is not dict:
            refuse(name or "the header", "an object", value)
        for key in required:
            if key not in value:
                raise ValueError(f"{where}{key} is missing")
        rules = {**required, **(others or {})}
        for key, rule in rules.items():  # in their order: who says the size of an axis comes first
            if key in value:
                rule(f"{where}{key}", value[key], contents)
        if more is None:
            return
        for key in (key for key in value if key not in rules):
            more(f"{where}{reprlib.repr(key)[1:-1]}", value[key], contents)

    return check


def only(required: Mapping[str, Rule], others: Mapping[str, Rule] | None = None) -> Rule:
    """Return the rule of an object that has nothing but what it must and may have."""

    def unknown(name: str, value: Any, contents: Contents) -> None:
        raise ValueError(f"{name} is not known")

    return record(required, others, more=unknown)


def written_dict(inside: Rule) -> Rule:
    """Return the rule of a dict as `vaetools.persistence.values.write_value` writes it."""
    return record({"dict": inside})


def array(kinds: str, *axes: str | int, kept: Kept | None = None, least: int = 0) -> Rule:
    """Return the rule of an array put aside: kinds of its dtype, axes by name or size, and its numbers."""
    reference = record({"array": text()})

    def check(name: str, value: Any, contents: Contents) -> None:
        reference(name, value, contents)
        if value["array"] not in contents.arrays:
            raise ValueError(f"the array of {name} is missing")
        found = contents.arrays[value["array"]]
        if found.dtype.kind not in kinds or found.ndim != len(axes):
            raise ValueError(f"{name} has the wrong type or shape; got {found.dtype} of shape {found.shape}")
        for axis, size in zip(axes, found.shape, strict=True):
            if isinstance(axis, str):
                contents.measure(name, axis, size)
            elif axis != size:
                raise ValueError(f"{name} must have a side of {axis}; got shape {found.shape}")
        if found.size < least:
            raise ValueError(f"{name} must hold {least} or more numbers; got {found.size}")
        if kept is not None and not kept.holds(found):
            refuse(name, kept.words, found.ravel()[:5].tolist())

    return check

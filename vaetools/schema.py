"""The language in which the contents of a file are declared: rules of JSON values and of named arrays.

A rule is a function of a name, a value and the file's `Contents`; it raises a `ValueError` of one short
line where the value breaks it. Of plain values and of the numbers of an array it is a `Requirement`. Arrays
are declared by named axes: an axis has one size in a file, and who names it first says which. Nothing is
built to find out. Types and shapes are known of arrays that are stored, numbers of those that are read.
"""

import contextlib
import math
import os
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vaetools.checks import COUNT, NUMBER, Requirement, refuse, text
from vaetools.files import ModelFileError, StoredArray
from vaetools.words import shortened

if TYPE_CHECKING:
    import numpy as np

_LONGEST = 200  # characters of a reason
# beside ValueError, what building from values of the wrong kind comes to
_UNUSABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError)


class Contents:
    """Arrays of a file, read or as they are stored, and the sizes of axes that something has said."""

    def __init__(self, arrays: "Mapping[str, np.ndarray] | Mapping[str, StoredArray]"):
        self.arrays: Mapping[str, Any] = arrays
        self.sizes: dict[str, int] = {}
        self.has_numbers = not any(isinstance(array, StoredArray) for array in arrays.values())

    def measure(self, name: str, axis: str, size: int) -> None:
        """Note the size of an axis, or raise where it has another."""
        expected = self.sizes.setdefault(axis, size)
        if size != expected:
            raise ValueError(f"{name} must be of {axis} = {expected}; got {size}")


Rule = Callable[[str, Any, Contents], None]

_HUGE = 2**63
REAL = Requirement(
    "a number", lambda value: NUMBER.holds(value) and (isinstance(value, float) or abs(value) < _HUGE)
)
TEXT = text("(?s).*", "a text")
SCALAR = Requirement(
    "a text, a boolean or a number",
    lambda value: isinstance(value, (bool, str)) or (REAL.holds(value) and value == value),
)
PLAIN = Requirement(
    "a plain value", lambda value: value is None or isinstance(value, (bool, str)) or REAL.holds(value)
)

# of the numbers of an array

FINITE = Requirement("finite", lambda a: (abs(a) < math.inf).all())
NUMBERS = Requirement("numbers", lambda a: (a == a).all())
NOT_INFINITE = Requirement("not infinite", lambda a: (abs(a) != math.inf).all())
MODERATE = Requirement("numbers whose squares are finite", lambda a: float(abs(a).max(initial=0)) < 1e150)
POSITIVES = Requirement("finite and positive", lambda a: ((a > 0) & (a < math.inf)).all())
BELOW_INF = Requirement("finite or −inf", lambda a: (a < math.inf).all())
SORTED_SCORES = Requirement(
    "finite or −inf, and sorted", lambda a: (a < math.inf).all() and (a[1:] >= a[:-1]).all()
)
RANGE = Requirement("two numbers, of which the second is greater", lambda a: a[0] < a[1])
SPREAD = Requirement("finite, and positive the second", lambda a: FINITE.holds(a) and a[1] > 0)
COUNTS = Requirement("at least 0", lambda a: (a >= 0).all())
SQUARES = Requirement("finite and at least 0", lambda a: ((a >= 0) & (a < math.inf)).all())
INCREASING = Requirement("sorted, and all different", lambda a: (a[1:] > a[:-1]).all())
DISTANCES = Requirement(
    "at least 0, finite and sorted", lambda a: 0 <= a[0] <= a[-1] < math.inf and (a[1:] >= a[:-1]).all()
)
SHARES = Requirement("at least 0, and add up to 1", lambda a: (a >= 0).all() and abs(a.sum() - 1) < 1e-6)
LOG_SHARES = Requirement("at most 0", lambda a: (a <= 0).all() and (a > -math.inf).any())


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


def size(axis: str, requirement: Requirement = COUNT) -> Rule:
    """Return the rule of an integer that says the size of an axis."""

    def check(name: str, value: Any, contents: Contents) -> None:
        requirement(name, value)
        contents.measure(name, axis, value)

    return check


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

    def check(name: str, value: Any, contents: Contents) -> None:
        if value is not None:
            rule(name, value, contents)

    return check


def sequence(each: Rule, *, axis: str = "", least: int = 0, unique: bool = False) -> Rule:
    """Return the rule of a list, which may say the size of an axis."""

    def check(name: str, values: Any, contents: Contents) -> None:
        if type(values) is not list or len(values) < least:
            refuse(name, f"a list of {least} or more", values)
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


def array(kinds: str, *axes: str | int, kept: Requirement | None = None, least: int = 0) -> Rule:
    """Return the rule of an array put aside: kinds of its dtype, axes by name or size, and its numbers."""
    reference = record({"array": TEXT})

    def check(name: str, value: Any, contents: Contents) -> None:
        reference(name, value, contents)
        if value["array"] not in contents.arrays:
            raise ValueError(f"the array of {name} is missing")
        found = contents.arrays[value["array"]]
        if found.dtype.kind not in kinds or len(found.shape) != len(axes):
            came = f"{found.dtype.name} of shape {found.shape}"
            raise ValueError(f"{name} has the wrong type or shape; got {came}")
        for axis, size in zip(axes, found.shape, strict=True):
            if isinstance(axis, str):
                contents.measure(name, axis, size)
            elif axis != size:
                raise ValueError(f"{name} must have a side of {axis}; got shape {found.shape}")
        if (n := math.prod(found.shape)) < least:
            raise ValueError(f"{name} must hold {least} or more numbers; got {n}")
        if kept is not None and contents.has_numbers and not kept.holds(found):
            refuse(name, kept.words, found.ravel()[:5].tolist())

    return check

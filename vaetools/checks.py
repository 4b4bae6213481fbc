"""What a value must be, an argument or one of a file: a requirement in words, and the same as a test.

Who breaks one reads who wanted it, of which argument, and what it got: see `check`.
"""

import dataclasses
import math
import numbers
import re
import reprlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True)
class Requirement:
    """What follows "must be" in an error, and the same as a test of a value.

    Called with a name and a value, it refuses what does not keep it; so it is a rule of `vaetools.schema`.
    """

    words: str
    holds: Callable[[Any], Any]

    def __call__(self, name: str, value: Any, contents: object = None) -> None:
        """Raise where a value does not keep it."""
        if not self.holds(value):
            refuse(name, self.words, value)


def refuse(name: str, words: str, value: Any) -> NoReturn:
    """Raise: a value is not what it must be."""
    raise ValueError(f"{name} must be {words}; got {reprlib.repr(value)}")


def is_integer(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Return whether a value is an integer in [low, high], and no boolean.

    Examples
    --------
    >>> is_integer(3, 1), is_integer(0, 1), is_integer(3.0), is_integer(True)
    (True, False, False, False)
    """
    return INTEGER.holds(value) and bool(low <= value <= high)


def booleans(owner: str, name: str, value: Any, n: int) -> "np.ndarray":
    """Return a boolean for every row as an array; raise for all else."""
    import numpy as np

    mask = np.asarray(value)
    if mask.shape != (n,) or mask.dtype != bool:
        raise ValueError(
            f"{owner}: {name} must be {n} booleans, one per row; got shape {mask.shape} of {mask.dtype}. "
            "Numbers become booleans by .astype(bool)."
        )
    return mask


def looks_continuous(values: "np.ndarray") -> bool:
    """Return whether values are fractions of which more than half differ: numbers rather than classes.

    Examples
    --------
    >>> import numpy as np
    >>> looks_continuous(np.array([0.5, 1.2, 3.1])), looks_continuous(np.array([1.0, 2.0, 3.0]))
    (True, False)
    """
    import numpy as np

    fractions = values.dtype.kind == "f" and bool((values % 1).any())
    return fractions and len(np.unique(values)) > len(values) / 2


def is_number(value: Any, low: float = -math.inf, high: float = math.inf, *, closed: str = "left") -> bool:
    """Return whether a number lies in [low, high) ("left"), (low, high) ("neither") or (low, high] ("right").

    Examples
    --------
    >>> is_number(0, 0, 1), is_number(0, 0, 1, closed="neither"), is_number(1, 0, 1, closed="right")
    (True, False, True)
    """
    if not NUMBER.holds(value):
        return False
    above = value >= low if closed == "left" else value > low
    below = value <= high if closed == "right" else value < high
    return bool(above and below)


def is_instance(value: Any, *methods: str) -> bool:
    """Return whether a value is no class, and has some methods."""
    return all(callable(getattr(value, method, None)) for method in methods) and not isinstance(value, type)


def one_of(*names: str) -> Requirement:
    """Return the requirement of one of some names.

    Examples
    --------
    >>> one_of("umap", "tsne", "pca").words
    "'umap', 'tsne' or 'pca'"
    """
    *first, last = (f"'{name}'" for name in names)
    words = f"{', '.join(first)} or {last}" if first else last
    return Requirement(words, lambda value: isinstance(value, str) and value in names)


def or_auto(requirement: Requirement) -> Requirement:
    """Return the requirement of a value that keeps another, or is ``"auto"``."""
    words, holds = f"{requirement.words} or 'auto'", requirement.holds
    return Requirement(words, lambda value: value == "auto" if isinstance(value, str) else holds(value))


def or_none(requirement: Requirement) -> Requirement:
    """Return the requirement of a value that keeps another, or is None."""
    words, holds = f"None or {requirement.words}", requirement.holds
    return Requirement(words, lambda value: value is None or holds(value))


def integer(low: int, high: int) -> Requirement:
    """Return the requirement of an integer in [low, high].

    Examples
    --------
    >>> integer(0, 9).words
    'an integer from 0 to 9'
    """
    return Requirement(f"an integer from {low} to {high}", lambda value: is_integer(value, low, high))


def text(pattern: str, words: str) -> Requirement:
    """Return the requirement of a text of a pattern."""
    return Requirement(words, lambda value: isinstance(value, str) and re.fullmatch(pattern, value))


INTEGER = Requirement(
    "an integer", lambda value: not isinstance(value, bool) and isinstance(value, numbers.Integral)
)
NUMBER = Requirement(  # no Fraction, which no file holds
    "a number",
    lambda value: (
        INTEGER.holds(value) or (isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational))
    ),
)
POSITIVE_INTEGER = Requirement("a positive integer", lambda value: is_integer(value, 1))
COUNT = Requirement("an integer at least 0", lambda value: is_integer(value, 0))
POSITIVE = Requirement("a positive number", lambda value: is_number(value, 0, closed="neither"))
NONNEGATIVE = Requirement("a number at least 0", lambda value: is_number(value, 0))
SHARE = Requirement("a number at least 0 and below 1", lambda value: is_number(value, 0, 1))
PROBABILITY = Requirement(
    "a number above 0 and below 1", lambda value: is_number(value, 0, 1, closed="neither")
)
WIDTHS = Requirement(
    "a tuple of positive integers",
    lambda value: isinstance(value, (tuple, list)) and all(is_integer(width, 1) for width in value),
)
IMAGE_SHAPE = Requirement(
    "a tuple (channels, height, width) of positive integers",
    lambda value: WIDTHS.holds(value) and len(value) == 3,
)
SIZE = Requirement(
    "a pair (height, width) of positive integers", lambda value: WIDTHS.holds(value) and len(value) == 2
)
FLAG = Requirement("True or False", lambda value: isinstance(value, bool))


def check(owner: object, name: str, value: Any, requirement: Requirement, remedy: str = "") -> None:
    """Raise a `ValueError` where an argument is not what it must be.

    Parameters
    ----------
    owner : str or object
        Who takes the argument; of an object its class is named.
    name : str
    value : object
    requirement : Requirement
    remedy : str, default=""
        Sentence that says what to do, with a space before it.

    Examples
    --------
    >>> check("VAE", "n_components", 0, POSITIVE_INTEGER)
    Traceback (most recent call last):
    ValueError: VAE: n_components must be a positive integer; got 0.
    """
    if not requirement.holds(value):
        said = owner if isinstance(owner, str) else type(owner).__name__
        raise ValueError(f"{said}: {name} must be {requirement.words}; got {value!r}.{remedy}")

"""Rules that a constructor parameter can be held to, each in words and as a test."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from vaetools.estimators.columns import COLUMN_LIKELIHOODS


class Parameter(NamedTuple):
    """Rule in words, the same rule as a test, and the description for the docstring."""

    rule: str
    holds: Callable[[Any], bool]
    description: str


def is_int(value: Any, low: int = 1) -> bool:
    """Whether a value is an integer of at least ``low``, and no boolean."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= low)


def is_real(value: Any, low: float, high: float = math.inf, *, closed: str = "left") -> bool:
    """Whether a number lies in [low, high) ("left"), (low, high) ("neither") or (low, high] ("right")."""
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        return False
    above = value >= low if closed == "left" else value > low
    below = value <= high if closed == "right" else value < high
    return bool(above and below)


def are_widths(value: Any) -> bool:
    """Whether a value is a tuple or list of positive integers."""
    return isinstance(value, (tuple, list)) and all(is_int(width) for width in value)


def are_column_likelihoods(value: Any) -> bool:
    """Whether a value is a dict whose values name likelihoods of columns."""
    return isinstance(value, dict) and all(kind in COLUMN_LIKELIHOODS for kind in value.values())


def is_module(value: Any, *methods: str) -> bool:
    """Whether a value is an instance that has some methods."""
    return all(callable(getattr(value, method, None)) for method in methods) and not isinstance(value, type)


def one_of(*names: str) -> tuple[str, Callable[[Any], bool]]:
    """Return the rule of a value that is one of some names, and its test."""
    rule = ", ".join(f"'{name}'" for name in names[:-1]) + f" or '{names[-1]}'"
    return rule, lambda value: isinstance(value, str) and value in names


def flag(default_meaning: str) -> Parameter:
    """Return a parameter that is True or False."""
    return Parameter("True or False", lambda value: isinstance(value, bool), default_meaning)


def is_device(value: Any) -> bool:
    """Whether a value names a device of torch, or ``"auto"``."""
    named = isinstance(value, str) and value.split(":")[0] in ("auto", "cpu", "cuda", "mps", "xpu")
    return named or isinstance(value, torch.device)


def is_seed(value: Any) -> bool:
    """Whether a value seeds a RandomState, or is one."""
    return value is None or (is_int(value, 0) and value < 2**32) or isinstance(value, np.random.RandomState)

"""Columns of files with integers so large that they become equal as float64, which they are read as."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import compute

from vaetools.words import equal_as_floats, is_lost_as_float

_DIGITS = 16  # of 2^53
_LOOKED_AT = 1_000  # integers of a column, in every block of rows
_WRITTEN = rf"^\s*[+-]?\d{{{_DIGITS},}}\s*$"


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


def warn_of_large_integers(path: Any, found: Mapping[str, int]) -> None:
    """Warn of columns in which such integers were seen, if there are any."""
    if found:
        warnings.warn(equal_as_floats(path, found), stacklevel=4)

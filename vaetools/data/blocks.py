"""What every reader of a table yields: blocks of cells as they came, of which `tables` makes rows."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from vaetools.data.batches import Failure
from vaetools.data.packed import DamagedFile, undamaged


class Block(NamedTuple):
    """Some rows as they came.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Their numbers, from 0 in every file.
    features : list of arrays of Arrow
        Cells, column by column: text where a file has no types. Nothing where the rest of a file is damaged.
    beside : list of arrays of Arrow
        Cells of other columns.
    lost : list of Failure
        Rows that are left out, for they have too many or too few cells; or the file that is damaged.
    file : str
        Which file they are of, where a table has several; else nothing.
    """

    rows: np.ndarray
    features: list
    beside: list
    lost: list[Failure]
    file: str = ""


@contextlib.contextmanager
def readable(path: Path | str, kind: str) -> Iterator[None]:
    """Turn the errors of libraries at a damaged file into one; that there is no file stays its own."""
    try:
        with undamaged():
            yield
    except (pa.ArrowException, csv.Error, UnicodeError, DamagedFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: not a readable {kind} file: {reason}.") from None

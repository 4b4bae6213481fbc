"""Rows that say of themselves that they are pixels."""

from __future__ import annotations

from typing import Any

import numpy as np


class PixelRows(np.ndarray):
    """Rows of an image reader: an estimator takes their integers for levels of brightness.

    Parts of them are pixels too; what is computed from them is a plain array.

    Attributes
    ----------
    are_pixels : bool
        True.
    """

    are_pixels = True

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """Return the result of a calculation as numbers that are no pixels."""
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

"""How rows in the user's units become the numbers that a network sees, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

EIGHT_BITS = (0, 255)


@dataclass(frozen=True)
class InputScale:
    """An invertible map of every column, decided once by ``fit``.

    Attributes
    ----------
    kind : {"standardize", "unit", "pixels", "standardized_pixels", "identity"}
        ``"standardize"`` subtracts ``shift`` and divides by ``scale``, ``"pixels"`` takes
        integers from ``levels`` to [0, 1] and leaves alone other numbers, ``"standardized_pixels"``
        does this and then that, ``"unit"`` leaves alone what lies in [0, 1], and ``"identity"``
        leaves alone whatever comes.
    shift, scale : ndarray of shape (n_features,), float64
        In units of X, of pixels in [0, 1].
    levels : tuple of two int, default=(0, 255)
        Of pixels, the integers that are black and white.
    """

    kind: str
    shift: np.ndarray
    scale: np.ndarray
    levels: tuple[int, int] = EIGHT_BITS

    @classmethod
    def fixed(cls, kind: str, n_features: int, levels: tuple[int, int] = EIGHT_BITS) -> InputScale:
        """Return a scale that is the same for all columns."""
        return cls(kind, np.zeros(n_features), np.ones(n_features), levels)

    @property
    def level_type(self) -> np.dtype:
        """The smallest type of integers that holds the levels."""
        black, white = self.levels
        kinds = (np.iinfo(kind) for kind in (np.uint8, np.uint16, np.int16, np.int32, np.int64))
        return next(kind.dtype for kind in kinds if kind.min <= black and white <= kind.max)

    @property
    def of_levels(self) -> bool:
        """Whether integers are levels of images, and other numbers such levels in [0, 1]."""
        return self.kind in ("pixels", "standardized_pixels")

    @property
    def standardizes(self) -> bool:
        """Whether every column has mean 0 and standard deviation 1 once it is scaled."""
        return self.kind in ("standardize", "standardized_pixels")

    @property
    def in_unit_interval(self) -> bool:
        """Whether scaled rows lie in [0, 1]."""
        return self.kind in ("unit", "pixels")

    @property
    def log_unit(self) -> np.ndarray:
        """Log of one scaled unit in units of X (pixels: in [0, 1]), the Jacobian of a column's density."""
        return np.log(self.scale)

    def apply(self, rows: np.ndarray, *, device: torch.device, dtype: torch.dtype) -> Tensor:
        """Return rows of X, fresh and writable, as scaled numbers on the device."""
        as_they_are = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
        if rows.dtype not in as_they_are:
            is_level = self.of_levels and rows.dtype.kind in "iu"
            rows = rows.astype(np.int64 if is_level else np.float64)
        values = torch.from_numpy(rows)
        if not self.standardizes and values.dtype != torch.float64:
            values = _moved(values, device)  # in as few bytes as they have; not every device holds float64
        return _moved(self.scaled(values, dtype), device)

    def scaled(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """Return numbers in units of X, of pixels integers or numbers in [0, 1], as scaled numbers.

        Standardization runs in float64: a column of large mean and small spread would lose its
        digits if it were cast first.
        """
        wide = torch.float64 if self.standardizes else dtype
        if self.of_levels and not values.is_floating_point():
            values = self._brightness(values.to(wide))
        if self.standardizes:
            shift, scale = torch.from_numpy(self.shift), torch.from_numpy(self.scale)
            values = (values.to(wide) - shift) / scale
        return values.to(dtype)

    def shown(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of X as reconstructions are: pixels in [0, 1], else in units of X."""
        is_level = self.of_levels and rows.dtype.kind in "iu"
        return self._brightness(rows.astype(np.float64)) if is_level else rows

    def _brightness(self, values: Any) -> Any:
        """Return levels as shares of the way from black to white."""
        black, white = self.levels
        return (values - black if black else values) / (white - black)

    def invert(self, values: Tensor) -> Tensor:
        """Return scaled numbers in units of X (pixels: in [0, 1])."""
        if not self.standardizes:
            return values
        return values * torch.from_numpy(self.scale) + torch.from_numpy(self.shift)


def _moved(values: Tensor, device: torch.device) -> Tensor:
    """Return values on a device; to a GPU they go through pinned memory, and nobody waits for them."""
    if device.type != "cuda" or values.device.type == "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)

"""Rows on their way to the network: gathered by index, scaled, moved to the device."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.nn.scaling import InputScale

# that go through a network at once: so few that the layers' outputs fit into a cache (and windows that
# a float64 convolution unrolls into what malloc keeps), so many that the weights are worth reading
_PIECE_BYTES = {torch.float32: 3_000_000, torch.float64: 2_000_000}
_PIECE_ROWS = 4096
_CHUNK_VALUES = 2**21  # 16 MB of float64
_MOVED_SHARE = 0.5  # of the free memory of a GPU that rows may take
_MOVED_BYTES = 2**25  # that rows may take in main memory a second time
_PIECE = 8192  # rows that are moved at once


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of one array (by default all), scaled and moved to the device batch by batch.

    ``labels`` are class codes ``(len(X),)``, or None; they become one-hot.
    """

    X: np.ndarray
    index: np.ndarray
    scale: InputScale
    labels: Any = None
    n_classes: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def some(self, n: int) -> Rows:
        """Return at most ``n`` of the rows, evenly spread."""
        return dataclasses.replace(self, index=self.index[:: math.ceil(len(self) / n)])

    def unlabeled(self) -> Rows:
        """Return the rows without their labels."""
        return dataclasses.replace(self, labels=None)

    def batch(self, where: slice, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """Return scaled rows ``(n, n_features)`` and one-hot labels ``(n, n_classes)``."""
        index = self.index[where]
        x = self.scale.apply(self.X[index], device=device, dtype=dtype)
        if self.labels is None:
            return x, None
        codes = torch.from_numpy(self.labels[index]).to(device)
        return x, F.one_hot(codes, self.n_classes).to(dtype)

    def batches(self, like: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield all rows and labels in turn, on the device and in the precision of a tensor."""
        n_features, size = self.X.shape[1], like.dtype.itemsize
        most = max(512 // size, _PIECE_BYTES[like.dtype] // (n_features * size))
        for piece in slices(len(self), n_features, most=min(most, _PIECE_ROWS)):
            yield self.batch(piece, like.device, like.dtype)

    def near(self, device: torch.device, dtype: torch.dtype) -> Rows | MovedRows:
        """Return the rows as training takes them best: scaled and moved at once, where there is room.

        In main memory few rows are worth it: small networks gain a little time, large ones none.
        """
        on_gpu = device.type == "cuda"
        room = _MOVED_SHARE * torch.cuda.mem_get_info(device)[0] if on_gpu else _MOVED_BYTES
        size = len(self) * (self.X.shape[1] + self.n_classes) * dtype.itemsize
        return self if size > room else self._moved(device, dtype)

    def _moved(self, device: torch.device, dtype: torch.dtype) -> MovedRows:
        """Scale and move all rows, piece by piece."""
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        x = torch.empty(len(self), self.X.shape[1], **options)
        y = None if self.labels is None else torch.empty(len(self), self.n_classes, **options)
        for start in range(0, len(self), _PIECE):
            piece = slice(start, start + _PIECE)
            x[piece], labels = self.batch(piece, device, dtype)
            if y is not None and labels is not None:
                y[piece] = labels
        return MovedRows(x, y, np.arange(len(self)))


@dataclasses.dataclass(frozen=True)
class MovedRows:
    """Rows that lie scaled on the device: a batch is gathered there, in the order of an index."""

    x: Tensor
    y: Tensor | None
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, where: slice, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """Return what `Rows.batch` does."""
        index = torch.from_numpy(self.index[where]).to(device)
        return self.x[index], None if self.y is None else self.y[index]


def slices(n_rows: int, n_features: int, *, most: int = 4096) -> Iterator[slice]:
    """Cut rows into pieces of about two million values, and at most ``most`` rows."""
    size = max(1, min(most, _CHUNK_VALUES // n_features))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))

"""Rows on their way to the network: gathered by index, scaled, moved to the device."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.nn.scaling import InputScale

_MOVED_SHARE = 0.5  # of the free memory of a GPU that rows may take
_MOVED_BYTES = 2**25  # that rows may take in main memory a second time
_PIECE = 8192  # rows that are moved at once


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of one array, scaled and moved to the device batch by batch.

    ``labels`` are class codes ``(len(X),)``, or None; they become one-hot.
    """

    X: np.ndarray
    index: np.ndarray
    scale: InputScale
    labels: np.ndarray | None = None
    n_classes: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def some(self, n: int) -> Rows:
        """Return at most ``n`` of the rows, evenly spread."""
        return dataclasses.replace(self, index=self.index[:: math.ceil(len(self) / n)])

    def unlabeled(self) -> Rows:
        """Return the rows without their labels."""
        return dataclasses.replace(self, labels=None)

    def batch(
        self, where: np.ndarray | slice, device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor | None]:
        """Return scaled rows ``(n, n_features)`` and one-hot labels ``(n, n_classes)``."""
        index = self.index[where]
        x = self.scale.apply(self.X[index], device=device, dtype=dtype)
        if self.labels is None:
            return x, None
        codes = torch.from_numpy(self.labels[index]).to(device)
        return x, F.one_hot(codes, self.n_classes).to(dtype)

    def near(self, device: torch.device, dtype: torch.dtype) -> Rows | MovedRows:
        """Return the rows as training takes them best: scaled and moved at once, where there is room.

        In main memory few rows are worth it: small networks gain a little time, large ones none.
        """
        on_gpu = device.type == "cuda"
        room = _MOVED_SHARE * torch.cuda.mem_get_info(device)[0] if on_gpu else _MOVED_BYTES
        size = len(self) * (self.X.shape[1] + self.n_classes) * dtype.itemsize
        return self if size > room else MovedRows.of(self, device, dtype)


@dataclasses.dataclass(frozen=True)
class MovedRows:
    """Rows that lie scaled on the device: a batch is gathered there."""

    x: Tensor
    y: Tensor | None

    @classmethod
    def of(cls, rows: Rows, device: torch.device, dtype: torch.dtype) -> MovedRows:
        """Scale and move all rows, piece by piece."""
        x = torch.empty(len(rows), rows.X.shape[1], device=device, dtype=dtype)
        y = None
        if rows.labels is not None:
            y = torch.empty(len(rows), rows.n_classes, device=device, dtype=dtype)
        for start in range(0, len(rows), _PIECE):
            piece = slice(start, start + _PIECE)
            moved, labels = rows.batch(piece, device, dtype)
            x[piece] = moved
            if y is not None:
                y[piece] = labels
        return cls(x, y)

    def __len__(self) -> int:
        return len(self.x)

    def batch(
        self, where: np.ndarray, device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor | None]:
        """Return what `Rows.batch` does."""
        index = torch.from_numpy(where).to(device)
        return self.x[index], None if self.y is None else self.y[index]

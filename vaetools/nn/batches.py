"""Rows on their way to the network: gathered by index, scaled, moved to the device; and the scale back."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

EIGHT_BITS = (0, 255)
# that go through a network at once: so few that the layers' outputs fit into a cache (and windows that
# a float64 convolution unrolls into what malloc keeps), so many that the weights are worth reading
_PIECE_BYTES = {torch.float32: 3_000_000, torch.float64: 2_000_000}
_PIECE_ROWS = 4096
_CHUNK_VALUES = 2**21  # 16 MB of float64
_MOVED_SHARE = 0.5  # of the free memory of a GPU that rows may take
_MOVED_BYTES = 2**25  # that rows may take in main memory a second time
_PIECE = 8192  # rows that are moved at once
_LEAST_WEIGHT = 1e-30  # beside a mean of 1: less may be 0 in float32, where a batch of such has no mean cost


@dataclasses.dataclass(frozen=True)
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
    def fixed(cls, kind: str, n_features: int, levels: tuple[int, int] = EIGHT_BITS) -> Self:
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
        logs: np.ndarray = np.log(self.scale)
        return logs

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


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of one array (by default all), scaled and moved to the device batch by batch.

    ``labels`` are class codes ``(len(X),)``, which become one-hot, or conditions ``(len(X), n_classes)``,
    numbers as they are, or None. ``weights`` are how much rows count in training, ``(len(X),)``, or None
    where all count alike.
    """

    X: np.ndarray
    index: np.ndarray
    scale: InputScale
    labels: Any = None
    n_classes: int = 0
    weights: Any = None

    def __len__(self) -> int:
        return len(self.index)

    def some(self, n: int) -> Self:
        """Return at most ``n`` of the rows, evenly spread."""
        return dataclasses.replace(self, index=self.index[:: math.ceil(len(self) / n)])

    @property
    def precision(self) -> type[np.floating]:
        """Type of what is made of the rows: float32 of float32, else float64."""
        return np.float32 if self.X.dtype == np.float32 else np.float64

    @property
    def none(self) -> Self:
        """None of the rows."""
        return dataclasses.replace(self, index=self.index[:0])

    def and_(self, others: "Rows") -> Self:
        """Return the rows and others of the same array."""
        return dataclasses.replace(self, index=np.concatenate([self.index, others.index]))

    def without(self, numbers: np.ndarray) -> Self:
        """Return the rows but those of some numbers."""
        return dataclasses.replace(self, index=np.setdiff1d(self.index, numbers))

    def that_count(self) -> Self:
        """Return the rows that weigh something."""
        if self.weights is None:
            return self
        return dataclasses.replace(self, index=self.index[self.weights[self.index] > 0])

    def unlabeled(self) -> Self:
        """Return the rows without their labels; conditions stay, without which rows mean nothing."""
        return self if self.has_conditions else dataclasses.replace(self, labels=None)

    @property
    def has_conditions(self) -> bool:
        """Whether rows come with conditions in the place of labels."""
        return self.labels is not None and self.labels.ndim == 2

    def weights_as(self, like: Tensor) -> Tensor | None:
        """Return weights of the rows in their order, of mean 1, or None where all are the same."""
        own = None if self.weights is None else self.weights[self.index]
        if own is None or not len(own) or own.min() == own.max():
            return None
        shares = own / own.max()  # whose sum is no infinity
        weights = torch.from_numpy(shares / shares.mean()).clamp_min(_LEAST_WEIGHT)
        return weights.to(like.dtype).to(like.device)

    def batch(self, where: slice, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """Return scaled rows ``(n, n_features)`` and one-hot labels or conditions ``(n, n_classes)``."""
        index = self.index[where]
        x = self.scale.apply(self.X[index], device=device, dtype=dtype)
        if self.labels is None:
            return x, None
        given = torch.from_numpy(self.labels[index])
        if self.has_conditions:
            return x, given.to(dtype).to(device)
        return x, F.one_hot(given.to(device), self.n_classes).to(dtype)

    def batches(self, like: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield all rows and labels in turn, on the device and in the precision of a tensor."""
        n_features, size = self.X.shape[1], like.dtype.itemsize
        most = max(512 // size, _PIECE_BYTES[like.dtype] // (n_features * size))
        for piece in slices(len(self), n_features, most=min(most, _PIECE_ROWS)):
            yield self.batch(piece, like.device, like.dtype)

    def near(self, device: torch.device, dtype: torch.dtype) -> "Rows | MovedRows":
        """Return the rows as training takes them best: scaled and moved at once, where there is room.

        In main memory few rows are worth it: small networks gain a little time, large ones none.
        """
        on_gpu = device.type == "cuda"
        room = _MOVED_SHARE * torch.cuda.mem_get_info(device)[0] if on_gpu else _MOVED_BYTES
        size = len(self) * (self.X.shape[1] + self.n_classes) * dtype.itemsize
        if size > room:
            return self
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

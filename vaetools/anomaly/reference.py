"""What a score may learn from training rows, and in what form it keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaetools.nn.model import Reading

State = dict[str, np.ndarray]
Fitted = Mapping[str, State]  # by the names of the scores
States = Mapping[str, Mapping[str, Tensor]]  # the same on the device of the rows


class Reference(NamedTuple):
    """At most 10,000 of the rows that trained, as the states of scores see them.

    Attributes
    ----------
    evaluate : callable
        Function of a `Reading` → its values for all reference rows, float64.
    image_shape : tuple (channels, height, width) or None
    """

    evaluate: Callable[[Callable[[Reading], Tensor]], np.ndarray]
    image_shape: tuple[int, int, int] | None


def usable(spread: Any, size: Any = 1.0) -> np.ndarray:
    """Return a spread to divide by, or 1 where it may be no more than the rounding of values of a size.

    Examples
    --------
    >>> usable(np.array([0.25, 1e-9]))
    array([0.25, 1.  ])
    """
    return np.where(spread > 1e-6 * size, spread, 1.0)


def on(states: Fitted, like: Tensor) -> dict[str, dict[str, Tensor]]:
    """Return states as tensors on the device of ``like``, in its precision."""
    return {
        score: {name: torch.as_tensor(value).to(like) for name, value in state.items()}
        for score, state in states.items()
    }

"""Operations that ONNX does not have, made of those that it has."""

import math
from collections.abc import Callable
from typing import Any

import torch

# of a polynomial in t = 1 / (1 + z / 2), log erfc(z) + z² − log t for z ≥ 0, right to 1.2e-7
_ERFC = (
    *(-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806),
    *(0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277),
)


def translations() -> dict[Any, Callable[..., Any]]:
    """Return how `torch.onnx.export` is to write some operations of scores.

    References
    ----------
    Press, Teukolsky, Vetterling, Flannery (1992), "Numerical Recipes", section 6.2 (the tail of a normal
    distribution).
    """
    from onnxscript import opset18

    op: Any = opset18  # whose signatures know no constants

    def number(value: float) -> Any:
        return op.Constant(value_float=float(value))

    def distances(rows: Any, others: Any, p: float = 2.0, compute_mode: int | None = None) -> Any:
        """Write Euclidean distances, of differences."""
        first, last = (op.Constant(value_ints=[axis]) for axis in (1, 2))
        return op.ReduceL2(op.Sub(op.Unsqueeze(rows, first), others), last, keepdims=0)

    def log_ndtr(x: Any) -> Any:
        """Write the log of the normal distribution function, whose tail no difference of floats shows."""
        z = op.Mul(op.Abs(x), number(math.sqrt(0.5)))
        t = op.Reciprocal(op.Add(op.Mul(z, number(0.5)), number(1)))
        polynomial = number(_ERFC[-1])
        for coefficient in reversed(_ERFC[:-1]):
            polynomial = op.Add(op.Mul(polynomial, t), number(coefficient))
        tail = op.Add(op.Sub(op.Log(op.Mul(t, number(0.5))), op.Mul(z, z)), polynomial)
        return op.Where(op.Less(x, number(0)), tail, op.Log(op.Sub(number(1), op.Exp(tail))))

    aten = torch.ops.aten
    return {aten._cdist_forward.default: distances, aten.special_log_ndtr.default: log_ndtr}

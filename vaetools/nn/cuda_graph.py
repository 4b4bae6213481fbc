"""A training step as one CUDA graph, so that small networks do not wait for hundreds of launches."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vaetools.words import warn

_WARM_UP = 3  # calls before a capture, in which allocators and optimizers settle


class Captured:
    """A function that works in place on the device, recorded once and replayed.

    The first calls run as they are. Then one is recorded, and calls with tensors of the same shapes
    replay it on copies of their arguments; all others run as they are. Where a function cannot be
    recorded, a warning says so and every call runs as it is. It takes tensors on the current CUDA device,
    None and floats, and returns one tensor; what else it uses must stay where it is in memory.

    References
    ----------
    Ng, Zhang et al. (2021), "Accelerating PyTorch with CUDA Graphs", PyTorch blog.
    """

    def __init__(self, function: Callable[..., Tensor]):
        self.function = function
        self.n_calls = 0
        self.key: tuple[Any, ...] | None = None
        self.replay: Callable[[], object] | None = None
        self.inputs: list[Any] = []
        self.output = torch.empty(0)

    def __call__(self, *arguments: Any) -> Tensor:
        """Return what the function does; a replayed result is a copy."""
        self.n_calls += 1
        if self.n_calls <= _WARM_UP:
            return self._aside(arguments)
        key = tuple(
            (each.shape, each.dtype) if isinstance(each, Tensor) else type(each) for each in arguments
        )
        if self.key is None:
            self.key = key
            self.inputs = [self._static(each) for each in arguments]
            try:
                self.replay = self._record()
            except RuntimeError as error:
                warn(
                    f"a training step could not be recorded as a CUDA graph and runs step by step: {error}",
                    RuntimeWarning,
                )
        if self.replay is None or key != self.key:
            return self.function(*arguments)
        for static, value in zip(self.inputs, arguments, strict=True):
            if isinstance(value, Tensor):
                static.copy_(value)
            elif value is not None:
                static.fill_(value)
        self.replay()
        return self.output.clone()

    def _static(self, value: Tensor | float | None) -> Tensor | None:
        """Return memory on the device that holds an argument of every replay."""
        if isinstance(value, float):
            return torch.full((), value, device=torch.cuda.current_device())
        return None if value is None else value.clone()

    def _aside(self, arguments: tuple[Any, ...]) -> Tensor:
        """Run on a stream of its own, as a capture will."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            output = self.function(*arguments)
        torch.cuda.current_stream().wait_stream(stream)
        return output

    def _record(self) -> Callable[[], object]:
        """Record the function on the static inputs, without running it, and return how to replay it."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.output = self.function(*self.inputs)
        return graph.replay

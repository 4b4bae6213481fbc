"""The limit of training: the matrix products and convolutions of an epoch, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from textbook import EpochClock, Sizes, make_decoder, make_encoder, sizes_of
from torch import Tensor, nn

Product = Callable[[], object]


def multiply(data: str, network: str, batch: int, precision: str, device: str, seed: int) -> dict[str, float]:
    """Make the products of an epoch, on random numbers that stay where they are."""
    torch.manual_seed(seed)
    n_rows, n_features = np.load(data, mmap_mode="r").shape
    n_full, n_rest = divmod(n_rows, batch)
    dtype, sizes = getattr(torch, precision), sizes_of(network, n_features)
    full = products(sizes, batch, dtype, device)
    rest = products(sizes, n_rest, dtype, device) if n_rest else []
    clock = EpochClock(device)
    for steps in (
        [full, rest],
        [full] * n_full + [rest],
    ):  # the first make touches the memory
        _run(steps)
        clock()
    return {"seconds": clock.figures()["seconds"]}


@torch.no_grad()
def _run(steps: Sequence[Sequence[Product]]) -> None:
    for step in steps:
        for product in step:
            product()


def products(sizes: Sizes, batch: int, dtype: torch.dtype, device: str) -> list[Product]:
    """Return the products of one step: forward, and the gradients of weights and of inputs.

    The gradient of the rows themselves is not among them, because no step makes it.
    """
    layers: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        layers.append((layer, inputs[0].detach(), output.detach()))

    encoder = make_encoder(sizes, 2 * sizes.n_components).to(device, dtype)
    decoder = make_decoder(sizes).to(device, dtype)
    for layer in (*encoder, *decoder):
        if hasattr(layer, "weight"):
            layer.register_forward_hook(note)
    stats = encoder(torch.rand(batch, sizes.n_features, device=device, dtype=dtype))
    decoder(stats[:, : sizes.n_components].contiguous())
    return [
        product for place, layer in enumerate(layers) for product in _products_of(*layer, to_input=place > 0)
    ]


def _products_of(layer: nn.Module, x: Tensor, y: Tensor, *, to_input: bool) -> Iterator[Product]:
    """Forward, gradient of the weights and, where it is needed, of the input."""
    weight, gradient = layer.weight.detach(), torch.randn_like(y)
    if isinstance(layer, nn.Linear):
        yield partial(torch.mm, x, weight.t(), out=torch.empty_like(y))
        yield partial(torch.mm, gradient.t(), x, out=torch.empty_like(weight))
        if to_input:
            yield partial(torch.mm, gradient, weight, out=torch.empty_like(x))
        return
    shape = [
        list(layer.stride),
        list(layer.padding),
        list(layer.dilation),
        layer.transposed,
        list(layer.output_padding),
        layer.groups,
    ]
    yield partial(torch.ops.aten.convolution, x, weight, None, *shape)
    wanted = [to_input, True, False]
    yield partial(torch.ops.aten.convolution_backward, gradient, x, weight, None, *shape, wanted)

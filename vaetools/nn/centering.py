"""A dense first layer learns as if its inputs were centered, and stays what it is.

Values in [0, 1] are none below 0, so that all rows share a direction, along which steps are spent that say
nothing of how rows differ. ``W x + b`` is ``W (x − mean) + c`` with ``c = b + W mean``; steps are those of
W and c.

References
----------
LeCun, Bottou, Orr, Müller (1998), "Efficient BackProp", section 4.3.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vaetools.nn.batches import InputScale, Rows
from vaetools.nn.model import Autoencoder
from vaetools.nn.networks import Network

_MOST = 10_000  # rows that a mean is of


def takes_uncentered(model: Autoencoder, scale: InputScale) -> bool:
    """Return whether a dense layer of ours takes rows, and these lie in [0, 1]."""
    network = model.network
    begins = isinstance(network, Network) and isinstance(network.features, nn.Identity)
    return begins and scale.in_unit_interval


@torch.no_grad()
def center_start(model: Autoencoder, rows: Rows) -> None:
    """Let a first layer that was drawn, and learnt nothing yet, say of the mean row what it said of 0."""
    layer, mean = model.network.encoder[0], _mean(model, rows)
    layer.bias.sub_(layer.weight[:, : len(mean)] @ mean)


def center_steps(optimizer: torch.optim.Optimizer, model: Autoencoder, rows: Rows) -> None:
    """Let an optimizer move a first layer as it would if rows came without their mean.

    The gradients of W are turned before a step, and b takes along what W mean loses in it.
    """
    layer, mean = model.network.encoder[0], _mean(model, rows)
    weight, bias = layer.weight[:, : len(mean)], layer.bias  # beside the rows may come labels
    carried = torch.empty_like(bias)

    @torch.no_grad()
    def before(*ignored: Any) -> None:
        assert layer.weight.grad is not None
        assert bias.grad is not None
        layer.weight.grad[:, : len(mean)].addr_(bias.grad, mean, alpha=-1)
        carried.copy_(weight @ mean)

    @torch.no_grad()
    def after(*ignored: Any) -> None:
        bias.add_(carried - weight @ mean)

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)


def _mean(model: Autoencoder, rows: Rows) -> Tensor:
    """Return the mean of rows as the model takes them, ``(n_features,)``."""
    some = rows.some(_MOST)
    total = torch.stack([x.sum(dim=0) for x, _ in some.batches(model.log_unit)]).sum(dim=0)
    return total / len(some)

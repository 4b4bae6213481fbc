"""Likelihood regret: how much better a posterior of a row's own explains it than the encoder's.

References
----------
Xiao, Yan, Amit (2020), "Likelihood Regret: An Out-of-Distribution Detection Score for Variational
Auto-encoder", NeurIPS. The paper retrains the encoder for every image; here the posterior's mean
and standard deviation are optimized, for all rows of a batch at once. Draws are signs, one standard
deviation to either side: with the exact variance, there is nothing to be gained from their chance.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.anomaly.reference import States
from vaetools.nn.model import Autoencoder, Reading, antithetic_noise, gaussian_kl

_STEPS, _LEARNING_RATE, _DRAWS = 20, 0.05, 2
_ROUNDINGS = 4  # a bound is a sum of terms, each rounded


def likelihood_regret(reading: Reading, states: States) -> Tensor:
    """Minus what optimizing q(z | x) adds to the evidence lower bound, in nats: at most 0.

    −inf where that is lost in rounding, because the bound is so low that floats near it lie nats apart.
    Without labels, a conditional model takes each row as its likeliest label.
    """
    model, x = reading.model, reading.x
    labels = reading.labels
    if labels is not None:
        labels = F.one_hot(labels.argmax(dim=1), labels.shape[1]).to(x)
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone()
        labels = None if labels is None else labels.clone()
        given = model.read(x, labels, decode=False)
        start = [given.mean.detach(), given.log_std.detach()]
        stats = [stat.clone().requires_grad_() for stat in start]
        noise = antithetic_noise(_DRAWS, model.n_components).sign().to(x)
        optimizer = torch.optim.Adam(stats, lr=_LEARNING_RATE)
        first = best = _bound(model, x, labels, start, noise).detach()
        for _ in range(_STEPS):
            bound = _bound(model, x, labels, stats, noise)
            best = torch.maximum(best, bound.detach())
            optimizer.zero_grad()
            (-bound.sum()).backward(inputs=stats)
            optimizer.step()
        best = torch.maximum(best, _bound(model, x, labels, stats, noise).detach())
        rounding = _ROUNDINGS * torch.finfo(x.dtype).eps * first.abs()
        is_lost = (rounding > 1) & ~(best - first > rounding)  # of −inf, too
        return (first - best).masked_fill(is_lost, -torch.inf)


def _bound(
    model: Autoencoder, x: Tensor, labels: Tensor | None, stats: list[Tensor], noise: Tensor
) -> Tensor:
    """Evidence lower bound of every row under a posterior and fixed draws."""
    mean, log_std = stats
    costs = [model.cost(mean + torch.exp(log_std) * draw, x, labels).sum(dim=1) for draw in noise]
    return -torch.stack(costs).mean(dim=0) - gaussian_kl(mean, log_std).sum(dim=1)

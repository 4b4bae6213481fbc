"""Scores that need no training rows: bounds of log p(x), their parts, and likelihood regret.

Regret is how much better a posterior of a row's own explains it than the encoder's. The paper retrains
the encoder for every image; here the posterior's mean and standard deviation are optimized, for all rows
of a batch at once. Draws are signs, one standard deviation to either side: with the exact variance, there
is nothing to be gained from their chance.

References
----------
Xiao, Yan, Amit (2020), "Likelihood Regret: An Out-of-Distribution Detection Score for Variational
Auto-encoder", NeurIPS.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.anomaly.reference import States
from vaetools.nn.latents import Normal
from vaetools.nn.model import Reading, antithetic_noise

ELBO_DRAWS = 32
LIKELIHOOD_DRAWS = 128
_STEPS, _LEARNING_RATE, _DRAWS = 20, 0.05, 2  # of regret
_ROUNDINGS = 4  # a bound is a sum of terms, each rounded


def reconstruction_kl(reading: Reading, states: States) -> Tensor:
    """Log p(x | z) at z = the posterior mean, minus KL."""
    return -reading.reconstruction.sum(dim=1) - reading.kl.sum(dim=1)


def neg_reconstruction(reading: Reading, states: States) -> Tensor:
    """Log p(x | z) at the posterior mean."""
    return -reading.reconstruction.sum(dim=1)


def neg_kl(reading: Reading, states: States) -> Tensor:
    """Minus the cost of the code."""
    return -reading.kl.sum(dim=1)


def elbo_with_error(reading: Reading) -> tuple[Tensor, Tensor]:
    """Return the evidence lower bound of every row and its Monte-Carlo standard error.

    Mirrored draws are not independent, so the error is that of the means of the pairs.
    """
    noise = antithetic_noise(ELBO_DRAWS, reading.model.n_components).to(reading.x)
    pairs = reading.bound(noise).reshape(-1, 2, len(reading.x)).mean(dim=1)
    return pairs.mean(dim=0), pairs.std(dim=0) / len(pairs) ** 0.5


def elbo(reading: Reading, states: States) -> Tensor:
    """Evidence lower bound."""
    return elbo_with_error(reading)[0]


def log_likelihood(reading: Reading, states: States) -> Tensor:
    """Importance-weighted bound of log p(x)."""
    noise = antithetic_noise(LIKELIHOOD_DRAWS, reading.model.n_components).to(reading.x)
    return reading.log_likelihood(noise)


def likelihood_regret(reading: Reading, states: States) -> Tensor:
    """Minus what optimizing q(z | x) adds to the evidence lower bound, in nats: at most 0.

    −inf where that is lost in rounding, because the bound is so low that floats near it lie nats apart.
    Without labels, a conditional model takes each row as its likeliest label.
    """
    x, y = reading.x, reading.y
    if y is not None:
        y = F.one_hot(y.argmax(dim=1), y.shape[1]).to(x)
    with torch.inference_mode(False), torch.enable_grad():
        given = reading.model.read(x.clone(), None if y is None else y.clone())
        start = [given.latent.mean.detach(), given.latent.log_std.detach()]
        stats = [stat.clone().requires_grad_() for stat in start]
        noise = antithetic_noise(_DRAWS, reading.model.n_components).sign().to(x)
        optimizer = torch.optim.Adam(stats, lr=_LEARNING_RATE)
        first = best = _bound(given, Normal(*start), noise).detach()
        for _ in range(_STEPS):
            bound = _bound(given, Normal(*stats), noise)
            best = torch.maximum(best, bound.detach())
            optimizer.zero_grad()
            (-bound.sum()).backward(inputs=stats)
            optimizer.step()
        best = torch.maximum(best, _bound(given, Normal(*stats), noise).detach())
        rounding = _ROUNDINGS * torch.finfo(x.dtype).eps * first.abs()
        is_lost = (rounding > 1) & ~(best - first > rounding)  # of −inf, too
        return (first - best).masked_fill(is_lost, -torch.inf)


def _bound(reading: Reading, latent: Normal, noise: Tensor) -> Tensor:
    """Evidence lower bound of every row under a posterior and fixed draws."""
    costs = [reading.cost(latent.draw(draw)).sum(dim=1) for draw in noise]
    return -torch.stack(costs).mean(dim=0) - latent.kl.sum(dim=1)

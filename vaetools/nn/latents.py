"""What stands between encoder and decoder: where in latent space a row lies, how surely, and at what cost.

A latent is made of what an encoder says of some rows. It gives a ``mean``, the cost ``kl`` of every
component in nats, and codes drawn with ``draw(noise)``; `Reading` asks no more of it. What makes latents
is such a class, or a module that learns (`vaetools.nn.words`). It says whether the posterior has a spread,
and whether codes have a prior, so that they cost something and can be drawn.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, cast

import torch
from numpy.random import RandomState
from torch import Tensor


class Point:
    """A code without a spread, which costs nothing: an autoencoder's, ``(n_samples, n_components)``."""

    has_spread: ClassVar[bool] = False
    has_prior: ClassVar[bool] = False

    def __init__(self, mean: Tensor, log_std: Tensor | None = None):
        self.mean = mean

    @property
    def kl(self) -> Tensor:
        """Zero for every component."""
        return torch.zeros_like(self.mean)

    def draw(self, noise: Tensor) -> Tensor:
        """Return the codes themselves."""
        return self.mean

    @classmethod
    def mixture(cls, weights: Tensor, each: "Sequence[Point]") -> "Point":
        """Return the mean of latents, weighted by ``(n_samples, len(each))``."""
        return cls(expectation(weights, [latent.mean for latent in each]))


class Normal(Point):
    """A normal posterior q(z | x) with independent components, before a standard normal prior."""

    has_spread: ClassVar[bool] = True
    has_prior: ClassVar[bool] = True

    def __init__(self, mean: Tensor, log_std: Tensor):
        super().__init__(mean)
        self.log_std = log_std

    @property
    def kl(self) -> Tensor:
        """KL(N(mean, std²) ‖ N(0, 1)) of every component, in nats (Kingma, Welling 2014, app. B)."""
        return 0.5 * (self.mean.square() + torch.exp(2 * self.log_std) - 1) - self.log_std

    def draw(self, noise: Tensor) -> Tensor:
        """Return mean + std · noise."""
        return self.mean + torch.exp(self.log_std) * noise

    @staticmethod
    def prior_draws(n: int, n_components: int, rng: RandomState) -> Tensor:
        """Return codes drawn from N(0, I)."""
        return torch.from_numpy(rng.standard_normal((n, n_components)))

    def log_ratio(self, z: Tensor, noise: Tensor) -> Tensor:
        """Return log p(z) − log q(z | x) of every code that was drawn with some noise."""
        # the constants of the two normal densities cancel
        return (self.log_std + 0.5 * noise.square() - 0.5 * z.square()).sum(dim=1)

    @classmethod
    def mixture(cls, weights: Tensor, each: "Sequence[Normal]") -> "Normal":  # type: ignore[override]
        """Return the normal density with the moments of a mixture, weighted by ``(n_samples, len(each))``."""
        mean = expectation(weights, [latent.mean for latent in each])
        # about the mixture's mean: E[z²] − E[z]² would lose a small spread far from the origin
        moments = [(latent.mean - mean).square() + torch.exp(2 * latent.log_std) for latent in each]
        return cls(mean, 0.5 * torch.log(expectation(weights, moments)))


def expectation(weights: Tensor, each: Iterable[Tensor]) -> Tensor:
    """Return the mean of arrays ``(n_samples, …)``, weighted by ``(n_samples, len(each))``."""
    return cast(Tensor, sum(weights[:, [i]] * value for i, value in enumerate(each)))

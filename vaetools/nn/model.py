"""What a row costs, in nats: terms, the evidence lower bound, the importance-weighted bound.

Sums over features and components are made here and nowhere else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vaetools.nn.likelihoods import Likelihood


class Terms(NamedTuple):
    """Costs of rows in nats, unweighted: lower is more normal.

    Attributes
    ----------
    reconstruction_per_feature : Tensor of shape (n_samples, n_features)
        −log p(x | z).
    kl_per_component : Tensor of shape (n_samples, n_components)
        KL(q(z | x) ‖ p(z)); a model that marginalizes over labels adds one column,
        KL(q(y | x) ‖ p(y)).
    """

    reconstruction_per_feature: Tensor
    kl_per_component: Tensor

    @property
    def reconstruction(self) -> Tensor:
        """−log p(x | z) of every row."""
        return self.reconstruction_per_feature.sum(dim=1)

    @property
    def kl(self) -> Tensor:
        """KL(q(z | x) ‖ p(z)) of every row."""
        return self.kl_per_component.sum(dim=1)

    @property
    def totals(self) -> tuple[Tensor, Tensor]:
        """Reconstruction and KL, each summed over all rows."""
        return self.reconstruction_per_feature.sum(), self.kl_per_component.sum()

    def loss(self, beta: float = 1.0) -> Tensor:
        """Mean over rows of reconstruction + beta · KL."""
        return (self.reconstruction + beta * self.kl).mean()


class Reading(NamedTuple):
    """What a model makes of some rows in one pass, at z = the posterior mean.

    Attributes
    ----------
    model : Autoencoder
    x : Tensor of shape (n_samples, n_features)
        Scaled rows; NaN is a missing value.
    condition : Tensor of shape (n_samples, n_classes) or None
        Labels as given.
    hidden : Tensor of shape (n_samples, n_hidden)
        Last hidden layer of the encoder.
    mean, log_std : Tensor of shape (n_samples, n_components)
        Posterior; ``log_std`` is None where it has no spread.
    terms : Terms
        None if nothing was decoded, as is ``expected``.
    expected : Tensor of shape (n_samples, n_features)
        Reconstructions.
    labels : Tensor of shape (n_samples, n_classes) or None
        Posterior probability of the labels; one-hot where they were given.
    made : dict
        What one score has made of it for the others.
    """

    model: Autoencoder
    x: Tensor
    condition: Tensor | None
    hidden: Tensor
    mean: Tensor
    log_std: Any
    terms: Any
    expected: Any
    labels: Tensor | None
    made: dict[str, Tensor]


def antithetic_noise(n_draws: int, n_components: int, seed: int = 0) -> Tensor:
    """Return a fixed table of standard normal draws, each followed by its mirror image.

    Shape ``(n_draws, n_components)``, float64, the same on every machine and in every call, so
    that a Monte-Carlo score depends on the row alone. An odd ``n_draws`` leaves out one mirror.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    options = {"generator": generator, "device": "cpu", "dtype": torch.float64}
    half = torch.randn((n_draws + 1) // 2, n_components, **options)
    return torch.stack([half, -half], dim=1).reshape(-1, n_components)[:n_draws]


class CostTotals(nn.Module):
    """The forward pass of training: reconstruction and KL of rows, each summed, see `Autoencoder.terms`."""

    def __init__(self, model: Autoencoder):
        super().__init__()
        self.model = model

    def forward(
        self, x: Tensor, condition: Tensor | None, noise: Tensor, corrupted: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return two numbers in nats."""
        return self.model.terms(x, condition, noise=noise, corrupted=corrupted).totals


class Autoencoder(nn.Module):
    """A network and a likelihood: with their one ``state_dict``, the whole model.

    ``network`` is any module with ``posterior(x, condition)`` → mean and log standard deviation
    (``None``: no posterior, as in a plain autoencoder, and KL is zero) and
    ``decode(z, condition)`` → the likelihood's parameters. Rows ``x`` are scaled numbers, of which the
    network sees what the likelihood makes of them; NaN is a missing value, which costs nothing.
    ``log_unit`` carries the densities to the units of X.
    """

    log_unit: Tensor

    def __init__(self, network: nn.Module, likelihood: Likelihood, n_components: int, log_unit: Tensor):
        super().__init__()
        self.n_components = n_components
        self.network = network
        self.likelihood = likelihood
        self.register_buffer("log_unit", log_unit)  # (n_features,)

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return mean and log standard deviation of q(z | x), ``(n_samples, n_components)`` each."""
        mean, log_std = self.network.posterior(self.likelihood.inputs(x), condition)
        return mean.to(x.dtype), None if log_std is None else log_std.to(x.dtype)  # from that of autocast

    def code(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the latent mean of every row."""
        return self.posterior(x, condition)[0]

    def decoded_mean(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected row of every code."""
        return self.likelihood.mean(self.network.decode(z, condition))

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected row at the latent mean of every row."""
        return self.decoded_mean(self.code(x, condition), condition)

    def surprise(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return what every feature costs beyond the entropy of its prediction, in nats.

        The unit cancels. Drawn from the prediction, a value has surprise 0 on average. A missing
        value has none, NaN.
        """
        parameters = self.network.decode(self.code(x, condition), condition)
        surprise = -self.likelihood.log_prob(parameters, x) - self.likelihood.entropy(parameters)
        return surprise.masked_fill(x.isnan(), torch.nan)

    def terms(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        *,
        noise: Tensor | None = None,
        corrupted: Tensor | None = None,
    ) -> Terms:
        """Return the costs of rows at z = mean + std · noise, or at the mean where there is no noise.

        ``corrupted`` is what the encoder sees instead of ``x`` (denoising).
        """
        mean, log_std = self.posterior(x if corrupted is None else corrupted, condition)
        z = mean if noise is None or log_std is None else mean + torch.exp(log_std) * noise
        return Terms(self.cost(z, x, condition), kl_per_component(mean, log_std))

    def hidden(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the encoder's last hidden layer, ``(n_samples, n_hidden)``, or the code if it shows none."""
        seen = self.likelihood.inputs(x)
        if hasattr(self.network, "posterior_of"):
            return self.network.hidden(seen, condition)
        return self.network.posterior(seen, condition)[0]

    def _encode(
        self, x: Tensor, condition: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor | None]]:
        """Hidden layer and posterior of rows, in one pass."""
        if hasattr(self.network, "posterior_of"):
            hidden = self.hidden(x, condition)
            return hidden, self.network.posterior_of(hidden)
        posterior = self.posterior(x, condition)
        return posterior[0], posterior

    def read(self, x: Tensor, condition: Tensor | None = None, *, decode: bool = True) -> Reading:
        """Return posterior, costs and reconstructions of rows, made in one pass.

        Where nothing is decoded, terms and reconstructions are None.
        """
        hidden, (mean, log_std) = self._encode(x, condition)
        if not decode:
            return Reading(self, x, condition, hidden, mean, log_std, None, None, condition, {})
        parameters = self.network.decode(mean, condition)
        terms = Terms(self._cost_of(parameters, x), kl_per_component(mean, log_std))
        expected = self.likelihood.mean(parameters)
        return Reading(self, x, condition, hidden, mean, log_std, terms, expected, condition, {})

    def kl_terms(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the KL cost of every component, without decoding."""
        return kl_per_component(*self.posterior(x, condition))

    def bound_draws(self, x: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the evidence lower bound of every row under every draw, ``(n_draws, n_samples)``.

        The mean over draws estimates the bound; their spread tells its error.
        """
        mean, log_std = self.posterior(x, condition)
        if log_std is None:
            return -self.cost(mean, x, condition).sum(dim=1).expand(len(noise), -1)
        kl = gaussian_kl(mean, log_std).sum(dim=1)
        codes = (mean + torch.exp(log_std) * draw for draw in noise)
        return torch.stack([-self.cost(z, x, condition).sum(dim=1) - kl for z in codes])

    def log_likelihood(self, x: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the importance-weighted bound of log p(x) with one weight per draw (Burda et al. 2016)."""
        mean, log_std = self.posterior(x, condition)
        log_weights = []
        for draw in noise:
            z = mean + torch.exp(log_std) * draw
            # log p(z) − log q(z | x); the constants of the two normal densities cancel
            log_ratio = (log_std + 0.5 * draw.square() - 0.5 * z.square()).sum(dim=1)
            log_weights.append(log_ratio - self.cost(z, x, condition).sum(dim=1))
        return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(len(noise))

    def cost(self, z: Tensor, x: Tensor, condition: Tensor | None) -> Tensor:
        """Return −log p(x | z) of every feature, in nats and units of X."""
        return self._cost_of(self.network.decode(z, condition), x)

    def _cost_of(self, parameters: Tensor, x: Tensor) -> Tensor:
        """−log p(x | parameters) of every feature, in nats and units of X."""
        log_prob = self.likelihood.log_prob(parameters.to(x.dtype), x)
        log_unit = self.log_unit.to(x.dtype)
        if self.likelihood.has_missing:
            log_unit = log_unit.expand_as(x).masked_fill(x.isnan(), 0.0)
        return log_unit - log_prob


def kl_per_component(mean: Tensor, log_std: Tensor | None) -> Tensor:
    """KL cost of every component; zero where the posterior has no spread."""
    return torch.zeros_like(mean) if log_std is None else gaussian_kl(mean, log_std)


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) of every component, in nats (Kingma, Welling 2014, app. B)."""
    return 0.5 * (mean.square() + torch.exp(2 * log_std) - 1) - log_std

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
        return self.network.posterior(self.likelihood.inputs(x), condition)

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
        return Terms(self.cost(z, x, condition), _kl(mean, log_std))

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
        terms = Terms(self._cost_of(parameters, x), _kl(mean, log_std))
        expected = self.likelihood.mean(parameters)
        return Reading(self, x, condition, hidden, mean, log_std, terms, expected, condition, {})

    def kl_terms(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the KL cost of every component, without decoding."""
        return _kl(*self.posterior(x, condition))

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
        log_prob = self.likelihood.log_prob(parameters, x)
        return self.log_unit.to(x.dtype).expand_as(x).masked_fill(x.isnan(), 0.0) - log_prob


class ConditionalAutoencoder(Autoencoder):
    """An autoencoder of rows given a label, with the labels' frequencies.

    ``condition`` is a one-hot label ``(n_samples, n_classes)``. Without it every answer
    marginalizes over labels: the label is then part of what is inferred, with the posterior
    q(y | x) ∝ p(y) exp(−reconstruction − KL given y), and costs KL(q(y | x) ‖ p(y)). So the
    terms of a row still add up: −reconstruction − KL = log Σ_y p(y) exp(score given y).
    """

    log_label_prior: Tensor

    def __init__(
        self,
        network: nn.Module,
        likelihood: Likelihood,
        n_components: int,
        log_unit: Tensor,
        label_prior: Tensor,
    ):
        super().__init__(network, likelihood, n_components, log_unit)
        self.register_buffer("log_label_prior", torch.log(label_prior))  # (n_classes,)

    def _labels(self, x: Tensor) -> list[Tensor]:
        """Every label as a one-hot condition of the rows of ``x``."""
        one_hot = torch.eye(len(self.log_label_prior), dtype=x.dtype, device=x.device)
        return [label.expand(x.shape[0], -1) for label in one_hot]  # len is no variable in a graph

    def label_log_joint(self, x: Tensor) -> Tensor:
        """Log p(y) − reconstruction − KL given y, of shape ``(n_samples, n_classes)``."""
        each = (self.terms(x, label) for label in self._labels(x))
        return self._log_joint(list(each))

    def _log_joint(self, each: list[Terms]) -> Tensor:
        """Log p(y) − reconstruction − KL given y, from the terms given every label."""
        scores = torch.stack([-terms.reconstruction - terms.kl for terms in each], dim=1)
        return self.log_label_prior + scores

    def label_proba(self, x: Tensor) -> Tensor:
        """Return the posterior probability of every label, ``(n_samples, n_classes)``."""
        return torch.softmax(self.label_log_joint(x), dim=1)

    def _expected(self, weights: Tensor, each: list[Tensor]) -> Tensor:
        """Mean over labels of arrays ``(n_samples, …)``, weighted by ``(n_samples, n_classes)``."""
        return sum(weights[:, [y]] * value for y, value in enumerate(each))

    def read(self, x: Tensor, condition: Tensor | None = None, *, decode: bool = True) -> Reading:
        """Return what `Autoencoder.read` does; without labels, of the mixture over them (see the class).

        Labels are weighed by what they decode to, so that without them everything is decoded.
        """
        if condition is not None:
            return super().read(x, condition, decode=decode)
        labels = self._labels(x)
        stats = [super(ConditionalAutoencoder, self).posterior(x, y) for y in labels]
        parameters = [self.network.decode(mean, y) for (mean, _), y in zip(stats, labels, strict=True)]
        each = [Terms(self._cost_of(p, x), _kl(*stat)) for p, stat in zip(parameters, stats, strict=True)]
        log_weights = torch.log_softmax(self._log_joint(each), dim=1)
        weights = log_weights.exp()
        mean = self._expected(weights, [m for m, _ in stats])
        log_std = None
        if stats[0][1] is not None:
            # about the mixture's mean: E[z²] − E[z]² would lose a small spread far from the origin
            moments = [(m - mean).square() + torch.exp(2 * s) for m, s in stats]
            log_std = 0.5 * torch.log(self._expected(weights, moments))
        surprise = torch.where(weights > 0, log_weights - self.log_label_prior, 0.0)
        label_kl = (weights * surprise).sum(dim=1, keepdim=True)
        reconstruction = self._expected(weights, [t.reconstruction_per_feature for t in each])
        kl = self._expected(weights, [t.kl_per_component for t in each])
        terms = Terms(reconstruction, torch.cat([kl, label_kl], dim=1))
        expected = self.likelihood.mixture_mean(weights, parameters)
        hidden = self.hidden(x, weights)
        return Reading(self, x, None, hidden, mean, log_std, terms, expected, weights, {})

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return mean and log standard deviation; without labels, of the mixture over labels."""
        if condition is not None:
            return super().posterior(x, condition)
        reading = self.read(x)
        return reading.mean, reading.log_std

    def decoded_mean(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected row of every code; without labels, averaged over their frequencies."""
        if condition is not None:
            return super().decoded_mean(z, condition)
        prior = torch.exp(self.log_label_prior).expand(len(z), -1)
        return self.likelihood.mixture_mean(prior, [self.network.decode(z, y) for y in self._labels(z)])

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected row at the latent mean; without labels, averaged over their posterior."""
        return super().reconstruct(x, condition) if condition is not None else self.read(x).expected

    def surprise(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return costs beyond the entropy of predictions; without labels, averaged over their posterior."""
        if condition is not None:
            return super().surprise(x, condition)
        each = [self.surprise(x, y) for y in self._labels(x)]
        return self._expected(self.label_proba(x), each)

    def terms(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        *,
        noise: Tensor | None = None,
        corrupted: Tensor | None = None,
    ) -> Terms:
        """Return the costs of rows given their labels; without labels, marginal costs (see the class)."""
        if condition is not None:
            return super().terms(x, condition, noise=noise, corrupted=corrupted)
        return self.read(x).terms

    def kl_terms(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the KL cost of every component; without labels, the marginal cost, which decodes."""
        if condition is not None:
            return super().kl_terms(x, condition)
        return self.read(x).terms.kl_per_component

    def bound_draws(self, x: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the evidence lower bound under every draw; without labels, of the marginal density.

        The marginal bound is a smooth function of the bounds given each label; draws are
        carried through its linear part, so that their mean is the value and their spread the
        error.
        """
        if condition is not None:
            return super().bound_draws(x, noise, condition)
        draws = torch.stack([self.bound_draws(x, noise, y) for y in self._labels(x)], dim=2)
        log_joint = self.log_label_prior + draws.mean(dim=0)  # (n_samples, n_classes)
        weights = torch.softmax(log_joint, dim=1)
        deviations = (weights * (draws - draws.mean(dim=0))).sum(dim=2)
        return torch.logsumexp(log_joint, dim=1) + deviations  # (n_draws, n_samples)

    def log_likelihood(self, x: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the importance-weighted bound of log p(x | y); without labels, of log p(x)."""
        if condition is not None:
            return super().log_likelihood(x, noise, condition)
        each = [self.log_likelihood(x, noise, y) for y in self._labels(x)]
        return torch.logsumexp(self.log_label_prior + torch.stack(each, dim=1), dim=1)


def _kl(mean: Tensor, log_std: Tensor | None) -> Tensor:
    """KL cost of every component; zero where the posterior has no spread."""
    return torch.zeros_like(mean) if log_std is None else gaussian_kl(mean, log_std)


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) of every component, in nats (Kingma, Welling 2014, app. B)."""
    return 0.5 * (mean.square() + torch.exp(2 * log_std) - 1) - log_std

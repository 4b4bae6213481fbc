"""What a row costs given a label, and without one: the label is then inferred too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaetools.nn.likelihoods import Likelihood
from vaetools.nn.model import Autoencoder, Reading, Terms, kl_per_component


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
        each = [
            Terms(self._cost_of(p, x), kl_per_component(*stat))
            for p, stat in zip(parameters, stats, strict=True)
        ]
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

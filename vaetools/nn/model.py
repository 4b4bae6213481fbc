"""What rows cost, in nats: a model, and its reading of some rows.

Densities are made per feature and costs per component; sums over them are sums of nats.
"""

import functools
import math
from typing import Any

import torch
from torch import Tensor, nn

from vaetools.nn.density import Likelihood
from vaetools.nn.latents import expectation
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.perceptual import AddedLoss


class Reading:
    """What a model makes of some rows: every quantity is made once, and only if somebody asks.

    ``x`` are scaled rows ``(n_samples, n_features)``; NaN is a missing value, which costs nothing. ``y`` are
    labels, one-hot or as probabilities, or None; ``seen`` is what the encoder sees instead of ``x``
    (denoising). ``made`` is what one score has made of the reading for the others.
    """

    def __init__(self, model: "Autoencoder", x: Tensor, y: Tensor | None, seen: Tensor | None = None):
        self.model, self.x, self.y = model, x, y
        self.seen = x if seen is None else seen
        self.made: dict[str, Tensor] = {}

    @functools.cached_property
    def hidden(self) -> Tensor:
        """The encoder's last hidden layer, ``(n_samples, n_hidden)``, or the codes if it shows none."""
        network = self.model.network
        if not hasattr(network, "posterior_of"):
            return self.mean
        features: Tensor = network.hidden(self.model.likelihood.inputs(self.seen), self.y)
        return features

    @functools.cached_property
    def latent(self) -> Any:
        """Where the rows lie in latent space, see `vaetools.nn.latents`."""
        network = self.model.network
        if hasattr(network, "posterior_of"):
            stats = network.posterior_of(self.hidden)
        else:
            stats = network.posterior(self.model.likelihood.inputs(self.seen), self.y)
        # from the precision of autocast
        return self.model.latent(*(None if stat is None else stat.to(self.x.dtype) for stat in stats))

    @property
    def mean(self) -> Tensor:
        """Latent means, ``(n_samples, n_components)``."""
        mean: Tensor = self.latent.mean
        return mean

    @functools.cached_property
    def kl(self) -> Tensor:
        """Cost of every component of the code, ``(n_samples, n_components)``."""
        kl: Tensor = self.latent.kl
        return kl

    @functools.cached_property
    def parameters(self) -> Tensor:
        """The likelihood's parameters at the latent mean, ``(n_samples, n_outputs)``."""
        parameters: Tensor = self.model.network.decode(self.mean, self.y)
        return parameters

    @property
    def _log_prob(self) -> Tensor:  # not kept: of many labels it takes more memory than time
        return self.model.likelihood.log_prob(self.parameters.to(self.x.dtype), self.x)

    @functools.cached_property
    def reconstruction(self) -> Tensor:
        """−log p(x | z = the latent mean) of every feature, in units of X: ``(n_samples, n_features)``."""
        return self._log_unit - self._log_prob

    def blurred(self, blur: Tensor) -> Tensor:
        """Return ``reconstruction`` where values are known to within a blur, a standard deviation each."""
        parameters = self.parameters.to(self.x.dtype)
        return self._log_unit - self.model.likelihood.blurred_log_prob(parameters, self.x, blur)

    @functools.cached_property
    def expected(self) -> Tensor:
        """Expected rows at the latent means, ``(n_samples, n_features)``."""
        return self.model.likelihood.mean(self.parameters)

    @functools.cached_property
    def surprise(self) -> Tensor:
        """What every feature costs beyond the entropy of its prediction, ``(n_samples, n_features)``.

        The unit cancels. Drawn from the prediction, a value has surprise 0 on average. A missing
        value has none, NaN.
        """
        return self._surprise()

    def _surprise(self) -> Tensor:
        """Surprise that is not kept."""
        surprise = -self._log_prob - self.model.likelihood.entropy(self.parameters)
        return surprise.masked_fill(self.x.isnan(), torch.nan)

    def cost(self, z: Tensor) -> Tensor:
        """Return −log p(x | z) of every feature, for codes other than the mean."""
        return self._cost_of(self.model.network.decode(z, self.y).to(self.x.dtype))

    def costs(self, z: Tensor) -> list[Tensor]:
        """Return the same, and where there is an added loss that, ``(n_samples, 1)``."""
        parameters = self.model.network.decode(z, self.y).to(self.x.dtype)
        costs = [self._cost_of(parameters)]
        if self.model.added is not None:
            costs.append(self.model.added(self.x, self.model.likelihood.mean(parameters))[:, None])
        return costs

    def _cost_of(self, parameters: Tensor) -> Tensor:
        return self._log_unit - self.model.likelihood.log_prob(parameters, self.x)

    @functools.cached_property
    def _log_unit(self) -> Tensor:
        """Log of one scaled unit in units of X; 0 where a value is missing."""
        log_unit = self.model.log_unit.to(self.x.dtype)
        if self.model.likelihood.has_missing:
            return log_unit.expand_as(self.x).masked_fill(self.x.isnan(), 0.0)
        return log_unit

    def bound(self, noise: Tensor) -> Tensor:
        """Return the evidence lower bound of every row under every draw, ``(n_draws, n_samples)``.

        The mean over draws estimates the bound; their spread tells its error.
        """
        if not self.latent.has_spread:  # all draws are the mean
            return (-self.reconstruction.sum(dim=1) - self.kl.sum(dim=1)).expand(len(noise), -1)
        kl = self.kl.sum(dim=1)
        return torch.stack([-self.cost(self.latent.draw(draw)).sum(dim=1) - kl for draw in noise])

    def log_likelihood(self, noise: Tensor) -> Tensor:
        """Return the importance-weighted bound of log p(x) with one weight per draw (Burda et al. 2016)."""
        log_weights = []
        for draw in noise:
            z = self.latent.draw(draw)
            log_weights.append(self.latent.log_ratio(z, draw) - self.cost(z).sum(dim=1))
        return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(len(noise))


class Marginal(Reading):
    """Rows whose label is unknown, and so is inferred: the mixture of their readings given each.

    The posterior of the label is q(y | x) ∝ p(y) exp(−reconstruction − KL given y), and it costs
    KL(q(y | x) ‖ p(y)), one more column of ``kl``. So the costs of a row still add up:
    −reconstruction − KL = log Σ_y p(y) exp(score given y). ``y`` are the posterior probabilities.
    """

    def __init__(self, model: "Autoencoder", x: Tensor):
        self.model, self.x, self.made = model, x, {}

    @functools.cached_property
    def each(self) -> list[Reading]:
        """The readings given every label."""
        return [Reading(self.model, self.x, label) for label in self.model.every_label(self.x)]

    @functools.cached_property
    def log_joint(self) -> Tensor:
        """Log p(y) − reconstruction − KL given y, ``(n_samples, n_classes)``."""
        scores = [-each.reconstruction.sum(dim=1) - each.kl.sum(dim=1) for each in self.each]
        return self.model.log_label_prior + torch.stack(scores, dim=1)

    @functools.cached_property
    def y(self) -> Tensor:  # type: ignore[override]  # inferred, where a reading was told
        """Posterior probabilities of the labels, ``(n_samples, n_classes)``."""
        return torch.log_softmax(self.log_joint, dim=1).exp()

    @functools.cached_property
    def hidden(self) -> Tensor:
        """The encoder's last hidden layer where it sees the probabilities of the labels."""
        return Reading(self.model, self.x, self.y).hidden

    @functools.cached_property
    def latent(self) -> Any:
        """The mixture of the latents given each label."""
        return self.model.latent.mixture(self.y, [each.latent for each in self.each])

    @functools.cached_property
    def kl(self) -> Tensor:
        """Expected cost of every component, and the cost of the label, ``(n_samples, n_components + 1)``."""
        log_weights = torch.log_softmax(self.log_joint, dim=1)
        surprise = torch.where(self.y > 0, log_weights - self.model.log_label_prior, 0.0)
        label = (self.y * surprise).sum(dim=1, keepdim=True)
        return torch.cat([expectation(self.y, [each.kl for each in self.each]), label], dim=1)

    @functools.cached_property
    def reconstruction(self) -> Tensor:
        """Expected cost of every feature."""
        return expectation(self.y, [each.reconstruction for each in self.each])

    def blurred(self, blur: Tensor) -> Tensor:
        """Return the expected cost of every feature where values are known to within a blur."""
        return expectation(self.y, [each.blurred(blur) for each in self.each])

    @functools.cached_property
    def expected(self) -> Tensor:
        """Expected rows, averaged over labels."""
        return self.model.likelihood.mixture_mean(self.y, [each.parameters for each in self.each])

    @functools.cached_property
    def surprise(self) -> Tensor:
        """Expected surprise of every feature."""
        return expectation(torch.softmax(self.log_joint, dim=1), (each._surprise() for each in self.each))

    def bound(self, noise: Tensor) -> Tensor:
        """Return the evidence lower bound of log p(x) under every draw, ``(n_draws, n_samples)``.

        It is a smooth function of the bounds given each label; draws are carried through its
        linear part, so that their mean is the value and their spread the error.
        """
        draws = torch.stack([each.bound(noise) for each in self.each], dim=2)
        log_joint = self.model.log_label_prior + draws.mean(dim=0)  # (n_samples, n_classes)
        weights = torch.softmax(log_joint, dim=1)
        deviations = (weights * (draws - draws.mean(dim=0))).sum(dim=2)
        return torch.logsumexp(log_joint, dim=1) + deviations  # (n_draws, n_samples)

    def log_likelihood(self, noise: Tensor) -> Tensor:
        """Return the importance-weighted bound of log p(x)."""
        each = [each.log_likelihood(noise) for each in self.each]
        return torch.logsumexp(self.model.log_label_prior + torch.stack(each, dim=1), dim=1)


class Autoencoder(nn.Module):
    """A network, a latent and a likelihood: with their one ``state_dict``, the whole model.

    ``network`` is any module with ``posterior(x, y)`` → what the latent is made of, mean and log
    standard deviation (``None``: no spread, as in a plain autoencoder, and KL is zero), and
    ``decode(z, y)`` → the likelihood's parameters. Rows ``x`` are scaled numbers, of which the
    network sees what the likelihood makes of them. ``latent`` is a class of `vaetools.nn.latents`, or a
    module, that makes latents of what the encoder says. ``log_unit`` carries the densities to the units
    of X. A conditional model has frequencies of labels, and labels ``y`` are one-hot. ``added`` is a loss
    that training adds.
    """

    network: Any  # with posterior and decode
    latent: Any  # the class of its latents
    log_unit: Tensor
    log_label_prior: Tensor

    def __init__(
        self,
        network: nn.Module,
        likelihood: Likelihood,
        latent: Any,
        n_components: int,
        log_unit: Tensor,
        label_prior: Tensor | None = None,
        added: AddedLoss | None = None,
    ):
        super().__init__()
        self.added = added
        self.latent, self.n_components = latent, n_components
        self.network = network
        self.likelihood = likelihood
        self.register_buffer("log_unit", log_unit)  # (n_features,)
        log_label_prior = None if label_prior is None else torch.log(label_prior)
        self.register_buffer("log_label_prior", log_label_prior)  # (n_classes,)

    def read(self, x: Tensor, y: Tensor | None = None, *, seen: Tensor | None = None) -> Reading:
        """Return the reading of rows; of a conditional model without labels, the marginal one."""
        if y is None and self.log_label_prior is not None:
            return Marginal(self, x)
        return Reading(self, x, y, seen)

    def forward(
        self,
        x: Tensor,
        y: Tensor | None,
        noise: Tensor,
        seen: Tensor | None,
        weights: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return reconstruction, KL and an added loss, if any, at codes that are drawn, each summed."""
        reading = self.read(x, y, seen=seen)
        reconstruction, *added = reading.costs(reading.latent.draw(noise))
        costs = [reconstruction, reading.kl, *added]
        if weights is not None:
            costs = [cost * weights[:, None] for cost in costs]
        return tuple(cost.sum() for cost in costs)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the expected row of every code; without labels, averaged over their frequencies."""
        if y is not None or self.log_label_prior is None:
            return self.likelihood.mean(self.network.decode(z, y))
        prior = torch.exp(self.log_label_prior).expand(len(z), -1)
        return self.likelihood.mixture_mean(prior, [self.network.decode(z, y) for y in self.every_label(z)])

    def every_label(self, x: Tensor) -> list[Tensor]:
        """Return every label, one-hot for all of some rows."""
        one_hot = torch.eye(len(self.log_label_prior), dtype=x.dtype, device=x.device)
        return [label.expand(x.shape[0], -1) for label in one_hot]  # len is no variable in a graph


def trained_parts(model: Autoencoder) -> tuple[list[nn.Parameter], list[Gaussian]]:
    """Return the weights that an optimizer moves, and the likelihoods whose learnt scale follows errors."""
    parts = (part for part in model.likelihood.modules() if isinstance(part, Gaussian))
    scaled = [part for part in parts if part.has_learnt_scale]
    scales = {id(part.raw_log_scale) for part in scaled}
    return [p for p in model.parameters() if p.requires_grad and id(p) not in scales], scaled


def antithetic_noise(n_draws: int, *size: int, seed: int = 0) -> Tensor:
    """Return a fixed table of standard normal draws, each followed by its mirror image.

    Shape ``(n_draws, *size)``, float64, the same on every machine and in every call. Draws of size
    ``(n_components,)``, alike for all rows, make a Monte-Carlo score depend on the row alone; those of
    ``(n_rows, n_components)`` differ by row, so that their errors average out in a mean over rows. An odd
    ``n_draws`` leaves out one mirror.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    options: dict[str, Any] = {"generator": generator, "device": "cpu", "dtype": torch.float64}
    half = torch.randn((n_draws + 1) // 2, *size, **options)
    return torch.stack([half, -half], dim=1).reshape(-1, *size)[:n_draws]

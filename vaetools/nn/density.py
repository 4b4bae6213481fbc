"""What a decoder's output says about a row: elementwise densities, in nats.

A likelihood is a module with ``log_prob(parameters, x)``, ``mean(parameters)`` and
``entropy(parameters)``; all take the decoder's output of shape ``(n_samples, n_outputs)`` and answer
with shape ``(n_samples, n_features)``. It may own parameters (a learnt scale), so it is bound to a
number of features before use. It also says what an encoder sees of a row.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from vaetools.nn.latents import expectation


class Likelihood(nn.Module):
    """Density of a row given the decoder's output, one factor per feature."""

    n_parameters: int = 1  # numbers that the decoder gives per feature
    unit_interval: ClassVar[bool] = False  # whether rows must lie in [0, 1]
    has_missing: ClassVar[bool] = False  # whether NaN stands for a missing value

    def bind(self, n_features: int) -> "Likelihood":
        """Return a copy whose learnt parameters fit ``n_features`` columns."""
        return copy.deepcopy(self)

    def n_inputs(self, n_features: int) -> int:
        """Return how many numbers an encoder sees of a row."""
        return n_features

    def n_outputs(self, n_features: int) -> int:
        """Return how many numbers a decoder gives for a row."""
        return self.n_parameters * n_features

    def inputs(self, x: Tensor) -> Tensor:
        """Return what an encoder sees of rows, ``(n_samples, n_inputs)``."""
        return x

    def noisy(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return rows with noise on their values, for a denoising encoder."""
        return x + noise

    def masked(self, x: Tensor, where: Tensor) -> Tensor:
        """Return rows that lack some of their values, for a denoising encoder."""
        return x.masked_fill(where, 0.0)

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-density of every feature of every row, in nats."""
        raise NotImplementedError

    def blurred_log_prob(self, parameters: Tensor, x: Tensor, blur: Tensor) -> Tensor:
        """Return the log-density where values are known to within a blur, a standard deviation each.

        A likelihood without a scale has no use for it.
        """
        return self.log_prob(parameters, x)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected value of every feature of every row."""
        raise NotImplementedError

    def mixture_mean(self, weights: Tensor, each: Sequence[Tensor]) -> Tensor:
        """Return the expected values where one of several predictions holds.

        ``weights`` are the probabilities of the predictions, ``(n_samples, len(each))``.
        """
        return expectation(weights, map(self.mean, each))

    def entropy(self, parameters: Tensor) -> Tensor:
        """Return the expected −log-density of every feature of every row, in nats.

        The cost that a value drawn from the prediction itself has on average: what a cost
        exceeds it by says how surprising a value is, in no unit and for any kind of column.
        """
        raise NotImplementedError

    def fit_scale(self, mean_squared_error: Tensor) -> None:
        """Set a learnt scale to its maximum-likelihood value; without one, do nothing.

        ``mean_squared_error`` has shape ``(n_features,)``, in squared units of the rows.
        """

    @property
    def takes_watched_scale(self) -> bool:
        """Whether its scale is to be that of rows that did not train but watch."""
        return False

    def spared(self, mean_cost: Tensor) -> Tensor:
        """Return how much less rows of a mean cost would cost at the scale that is likeliest by them."""
        return torch.zeros_like(mean_cost)

    @property
    def options(self) -> Mapping[str, object]:
        """Constructor arguments, as plain values."""
        return {}

    def extra_repr(self) -> str:
        """Return the constructor arguments, for ``repr``."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())

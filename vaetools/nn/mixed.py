"""Rows whose columns are of several kinds, some of their cells missing: a likelihood made of likelihoods.

A column is numbers, or codes of categories; NaN is a missing cell.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.density import Likelihood
from vaetools.nn.likelihoods import Gaussian

SMOOTHING = 1e-3  # probability that is spread evenly over all categories and one that was never seen


class Categorical(Likelihood):
    """Probabilities of categories, as many in every column, and of one that training did not hold.

    A thousandth of the probability is spread evenly over all of these, so that a category is never less
    likely than an unseen one, and an unseen one costs a finite number of nats. Codes go to n_categories − 1;
    n_categories stands for every category beyond them.
    """

    def __init__(self, n_categories: int):
        super().__init__()
        self.n_categories = self.n_parameters = n_categories

    @property
    def options(self) -> dict[str, int]:
        """Constructor arguments, as plain values."""
        return {"n_categories": self.n_categories}

    def n_inputs(self, n_features: int) -> int:
        """Return how many numbers an encoder sees of a row."""
        return self.n_categories * n_features

    def inputs(self, x: Tensor) -> Tensor:
        """Return codes one-hot, all zeros for what has no category: ``(n_samples, n_inputs)``."""
        codes = torch.arange(self.n_categories, device=x.device)
        return (x[:, :, None] == codes).flatten(1).to(x.dtype)

    def probabilities(self, parameters: Tensor) -> Tensor:
        """Return the probability of every code, ``(n_samples, n_features, n_categories + 1)``."""
        seen = torch.softmax(parameters.unflatten(1, (-1, self.n_categories)), dim=2)
        return (1 - SMOOTHING) * F.pad(seen, (0, 1)) + SMOOTHING / (self.n_categories + 1)

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every code of every row, in nats."""
        chosen = self.probabilities(parameters).gather(2, x.long()[:, :, None])
        return torch.log(chosen[:, :, 0])

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the likeliest code of every feature of every row."""
        return self.probabilities(parameters).argmax(dim=2).to(parameters.dtype)

    def mixture_mean(self, weights: Tensor, each: Sequence[Tensor]) -> Tensor:
        """Return the likeliest codes where one of several predictions holds."""
        shares = zip(weights.T, each, strict=True)
        parts = (share[:, None, None] * self.probabilities(parameters) for share, parameters in shares)
        mixture = cast(Tensor, sum(parts))
        return mixture.argmax(dim=2).to(weights.dtype)

    def entropy(self, parameters: Tensor) -> Tensor:
        """Return the expected −log-probability of every feature of every row, in nats."""
        probabilities = self.probabilities(parameters)
        return -(probabilities * torch.log(probabilities)).sum(dim=2)


class Mixed(Likelihood):
    """Independent columns of numbers and of categories, of which any cell may be missing.

    Columns of one kind share a likelihood: a `Gaussian` with one learnt scale per column, or a
    `Categorical`. A missing cell is NaN: its log-density is 0, and an encoder sees zeros in its place,
    which are the mean of a standardized column and no category; and it sees which numbers are
    missing, of columns where training ``has_gaps``. ``n_categories`` is 0 for a column of numbers.

    References
    ----------
    Nazábal, Olmos, Ghahramani, Valera (2020), "Handling incomplete heterogeneous data using VAEs",
    Pattern Recognition 107.

    Examples
    --------
    >>> import torch
    >>> mixed = Mixed([0, 3], [True, True])  # numbers, and three categories
    >>> mixed.inputs(torch.tensor([[0.5, 2.0], [float("nan"), float("nan")]]))
    tensor([[0.5000, 0.0000, 0.0000, 1.0000, 0.0000],
            [0.0000, 0.0000, 0.0000, 0.0000, 1.0000]])
    >>> mixed.mean(torch.tensor([[0.5, -1.0, 4.0, 0.0]]))
    tensor([[0.5000, 1.0000]])
    """

    has_missing = True
    parts: Any  # a list of likelihoods, as torch keeps modules
    order: Tensor
    place: Tensor
    is_number: Tensor
    flagged: Tensor

    def __init__(self, n_categories: Sequence[int], has_gaps: Sequence[bool]):
        super().__init__()
        self.n_categories, self.has_gaps = tuple(n_categories), tuple(has_gaps)
        counts = torch.tensor(self.n_categories)
        kinds, sizes = counts.unique(return_counts=True)
        self.sizes = sizes.tolist()
        self.parts = nn.ModuleList(
            (Categorical(kind) if kind else Gaussian("per_feature")).bind(size)
            for kind, size in zip(kinds.tolist(), self.sizes, strict=True)
        )
        order = counts.argsort(stable=True)  # columns, part by part
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("place", torch.argsort(order), persistent=False)
        self.register_buffer("is_number", counts == 0, persistent=False)
        flagged = torch.nonzero((counts == 0) & torch.tensor(self.has_gaps))[:, 0]
        self.register_buffer("flagged", flagged, persistent=False)

    @property
    def options(self) -> dict[str, tuple[int, ...]]:
        """Constructor arguments, as plain values."""
        return {"n_categories": self.n_categories, "has_gaps": self.has_gaps}

    def n_inputs(self, n_features: int) -> int:
        """Return how many numbers an encoder sees of a row."""
        each = (part.n_inputs(size) for part, size in zip(self.parts, self.sizes, strict=True))
        return int(sum(each) + len(self.flagged))

    def n_outputs(self, n_features: int) -> int:
        """Return how many numbers a decoder gives for a row."""
        return sum(self._widths)

    def inputs(self, x: Tensor) -> Tensor:
        """Return numbers and one-hot categories, zeros for what is missing, and which numbers are."""
        each = [part.inputs(columns) for part, columns in zip(self.parts, self._columns(x), strict=True)]
        return torch.cat([*each, x[:, self.flagged].isnan().to(x.dtype)], dim=1).nan_to_num()

    def noisy(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return rows with noise on their numbers."""
        return torch.where(self.is_number, x + noise, x)

    def masked(self, x: Tensor, where: Tensor) -> Tensor:
        """Return rows that miss some of their cells."""
        return x.masked_fill(where, torch.nan)

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-density of every cell, in nats; 0 where it is missing."""
        missing = x.isnan()
        known = self._columns(x.masked_fill(missing, 0.0))
        each = [
            part.log_prob(p, columns)
            for (part, p), columns in zip(self._split(parameters), known, strict=True)
        ]
        return self._join(each).masked_fill(missing, 0.0)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected number or the likeliest code of every cell."""
        return self._join([part.mean(p) for part, p in self._split(parameters)])

    def mixture_mean(self, weights: Tensor, each: Sequence[Tensor]) -> Tensor:
        """Return the expected numbers and likeliest codes where one of several predictions holds."""
        by_part = zip(*(parameters.split(self._widths, dim=1) for parameters in each), strict=True)
        return self._join(
            [part.mixture_mean(weights, p) for part, p in zip(self.parts, by_part, strict=True)]
        )

    def entropy(self, parameters: Tensor) -> Tensor:
        """Return the expected −log-density of every cell, in nats."""
        return self._join([part.entropy(p) for part, p in self._split(parameters)])

    def fit_scale(self, mean_squared_error: Tensor) -> None:
        """Set the learnt scales of numbers to their maximum-likelihood values."""
        for part, error in zip(self.parts, mean_squared_error[self.order].split(self.sizes), strict=True):
            part.fit_scale(error)

    @property
    def _widths(self) -> list[int]:
        return [part.n_outputs(size) for part, size in zip(self.parts, self.sizes, strict=True)]

    def _columns(self, x: Tensor) -> tuple[Tensor, ...]:
        columns: tuple[Tensor, ...] = x[:, self.order].split(self.sizes, dim=1)
        return columns

    def _split(self, parameters: Tensor) -> Iterator[tuple[Likelihood, Tensor]]:
        """Yield each part with its share of a decoder's output."""
        return zip(self.parts, parameters.split(self._widths, dim=1), strict=True)

    def _join(self, each: Sequence[Tensor]) -> Tensor:
        """Put the columns of all parts back into the order of the row."""
        return torch.cat(list(each), dim=1)[:, self.place]

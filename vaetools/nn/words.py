"""A latent of words: a code is a few words of a vocabulary that is learnt, instead of any numbers.

What an encoder says is cut into places of ``word_size`` components, each is scaled to one length, and
becomes the nearest word. Gradients pass through to the encoder as if nothing had been rounded, and
words are running means of what they stand for, so that no term is added to the loss. A word that stands
for hardly anything takes the place of what is farthest from its own.

References
----------
van den Oord, Vinyals, Kavukcuoglu (2017), "Neural Discrete Representation Learning", NeurIPS.
Razavi, van den Oord, Vinyals (2019), "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS.
Łańcucki et al. (2020), "Robust Training of Vector Quantized Bottleneck Models", IJCNN.
Yu et al. (2022), "Vector-quantized Image Modeling with Improved VQGAN", ICLR.
"""

import math
from typing import Any, ClassVar

import torch
from numpy.random import RandomState
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.latents import Point
from vaetools.nn.parallel import Workers
from vaetools.nn.priors import PRIORS, Prior

_KEPT = 0.99  # of a running mean, at every step
_DEAD, _BORN = 0.01, 0.02  # in even shares of use: below which a word is dead, and what a new one has


class Words(Point):
    """Codes that are made of words, without a spread; a word costs −log of its probability, in nats.

    ``numbers`` are those of the words, ``(n_samples, n_places)``. The components of a word share its cost.
    """

    has_prior: ClassVar[bool] = True

    def __init__(self, mean: Tensor, numbers: Tensor, prior: Prior | None, n_words: int):
        super().__init__(mean)
        self.numbers, self._prior, self._n_words = numbers, prior, n_words

    @property
    def costs(self) -> Tensor:
        """What every word costs, ``(n_samples, n_places)``; in training all cost the same."""
        if self._prior is None:
            return self.mean.new_full(self.numbers.shape, math.log(self._n_words))
        return -self._prior.log_prob(self.numbers)

    @property
    def kl(self) -> Tensor:
        """Cost of every component."""
        word_size = self.mean.shape[1] // self.numbers.shape[1]
        return (self.costs / word_size).repeat(1, word_size)


class Codebook(nn.Module):
    """A vocabulary, and a prior of texts of it: makes `Words` of what an encoder says.

    A code holds the first component of the words at all places, then the second: where a network keeps
    places, these are the channels of an image of words.
    """

    has_spread: ClassVar[bool] = False
    has_prior: ClassVar[bool] = True
    vectors: Tensor
    usage: Tensor

    def __init__(self, n_places: int, n_words: int, word_size: int, prior: str):
        super().__init__()
        self.n_places = n_places
        self.register_buffer("vectors", torch.zeros(n_words, word_size))
        self.register_buffer("usage", torch.zeros(n_words))  # running shares of the places that words have
        self.prior: Prior = PRIORS[prior](n_places, n_words)

    def forward(self, said: Tensor, log_std: Any = None) -> Words:
        """Return the nearest words; while the model trains, these learn from what they stand for."""
        n_words, word_size = self.vectors.shape
        said = said.reshape(-1, word_size, self.n_places).transpose(1, 2)  # (n_samples, n_places, word_size)
        said = math.sqrt(word_size) * F.normalize(said, dim=2)
        with torch.autocast(said.device.type, enabled=False):
            squared = self.vectors.square().sum(dim=1) - 2 * said @ self.vectors.T  # but for what all share
        numbers = squared.argmin(dim=2)
        words = self.vectors[numbers]
        if self.training:
            self._learn(said.detach(), numbers, words)
            words = said + (words - said).detach()
        mean = words.masked_fill(said.isnan(), torch.nan).transpose(1, 2).flatten(1)
        return Words(mean, numbers, None if self.training else self.prior, n_words)

    def spell(self, numbers: Tensor) -> Tensor:
        """Return codes of words by number, ``(n_samples, n_components)``."""
        return self.vectors[numbers].transpose(1, 2).flatten(1)

    def prior_draws(self, n: int, n_components: int, rng: RandomState) -> Tensor:
        """Return codes of texts drawn from the prior."""
        generator = torch.Generator("cpu").manual_seed(int(rng.randint(2**31 - 1)))
        return self.spell(self.prior.draw(n, generator))

    @torch.no_grad()
    def _learn(self, said: Tensor, numbers: Tensor, words: Tensor) -> None:
        """Move words towards what they stand for, and dead ones to what is farthest from its word."""
        n_words, word_size = self.vectors.shape
        said, numbers = said.reshape(-1, word_size), numbers.flatten()
        far = (said - words.reshape(-1, word_size)).square().sum(dim=1)
        n_far = min(n_words, len(said))
        found = torch.zeros(3, n_words, word_size + 1, dtype=said.dtype, device=said.device)
        found[0, :, 0].index_add_(0, numbers, torch.ones_like(far))
        found[1, :, 1:].index_add_(0, numbers, said)
        workers = Workers.here()
        if workers.rank == 0:  # the others take its candidates
            found[2, :n_far, 1:] = said[far.topk(n_far).indices]
        counts, sums, candidates = workers.total(found)
        n = counts[:, 0].sum()
        usage = _KEPT * self.usage + (1 - _KEPT) * counts[:, 0] / n
        moved = _KEPT * self.usage[:, None] * self.vectors + (1 - _KEPT) * sums[:, 1:] / n
        moved = torch.where(usage[:, None] > 0, moved / usage[:, None].clamp_min(1e-12), self.vectors)
        dead = usage < _DEAD / n_words
        turn = dead.cumsum(0) - 1  # which candidate each dead word takes
        revived = dead & (turn < n_far)
        taken = candidates[turn.clamp(0, n_far - 1), 1:]
        self.vectors.copy_(torch.where(revived[:, None], taken, moved))
        self.usage.copy_(torch.where(revived, _BORN / n_words, usage))

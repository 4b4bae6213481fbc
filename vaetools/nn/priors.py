"""How probable texts of a few words are, at places in order: what is learnt of the words of training rows.

A prior has ``log_prob(numbers)`` → nats of the word at every place, ``(n_samples, n_places)``, given those
before it; ``draw(n, generator)``; and ``learn(numbers, seed)``. Before it has learnt, all words are alike.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn import PRIOR_BLOCKS, PRIOR_WIDTH, WORD_PRIORS
from vaetools.nn.networks import draw_weights

_HEADS = 4
_RATE, _WEIGHT_DECAY = 3e-3, 0.05
_BATCH, _BATCH_WORDS = 128, 2_048  # rows of a step, or fewer of many words
_STEPS, _WATCHED, _PATIENCE = 1_500, 50, 4  # steps between two looks at rows that do not train
_HELD_OUT = 0.1  # of the rows, which do not train


class Prior(nn.Module):
    """Probabilities of words at places."""

    def log_prob(self, numbers: Tensor) -> Tensor:
        """Return log p of every word given those before it, ``(n_samples, n_places)``."""
        raise NotImplementedError

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Return numbers of words, ``(n, n_places)``."""
        raise NotImplementedError

    def learn(self, numbers: Tensor, seed: int, n_epochs: int | None = None) -> None:
        """Learn from the words of some rows, in at most so many passes over them."""
        raise NotImplementedError


class Frequencies(Prior):
    """How often a word stands at a place, whatever stands elsewhere."""

    log_shares: Tensor

    def __init__(self, n_places: int, n_words: int):
        super().__init__()
        self.register_buffer("log_shares", torch.full((n_places, n_words), -math.log(n_words)))

    def log_prob(self, numbers: Tensor) -> Tensor:
        """Return log p of every word."""
        places = torch.arange(numbers.shape[1], device=numbers.device)
        return self.log_shares[places, numbers]

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Return words that are drawn at every place by themselves."""
        shares = self.log_shares.exp().cpu()
        drawn = torch.multinomial(shares, n, replacement=True, generator=generator)
        return drawn.T.to(self.log_shares.device)

    @torch.no_grad()
    def learn(self, numbers: Tensor, seed: int, n_epochs: int | None = None) -> None:
        """Count words, each once more than it was seen (Laplace's rule of succession)."""
        n_words = self.log_shares.shape[1]
        counts = torch.stack([torch.bincount(column, minlength=n_words) for column in numbers.T])
        self.log_shares.copy_(torch.log((counts + 1.0) / (len(numbers) + n_words)))


class Autoregressive(Prior):
    """Every word given those before it, by a small network with attention to them (Vaswani et al. 2017)."""

    def __init__(self, n_places: int, n_words: int):
        super().__init__()
        self.n_places = n_places
        with torch.device("meta"):  # elsewhere layers draw weights from the generator of the process
            self.words = nn.Linear(n_words, PRIOR_WIDTH, bias=False)
            self.places = nn.Linear(n_places, PRIOR_WIDTH, bias=False)
            self.blocks = nn.ModuleList(_Block() for _ in range(PRIOR_BLOCKS))
            self.head = nn.Linear(PRIOR_WIDTH, n_words)
        self.to_empty(device="cpu").requires_grad_(False)  # they learn after all others
        for weight in self.parameters():
            weight.zero_()

    def log_prob(self, numbers: Tensor) -> Tensor:
        """Return log p of every word given those before it."""
        logits = self._logits(numbers[:, :-1])
        return torch.log_softmax(logits, dim=2).gather(2, numbers[..., None])[..., 0]

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Return words that are drawn one after the other."""
        numbers = torch.zeros(n, 0, dtype=torch.int64, device=self.head.bias.device)
        for _ in range(self.n_places):
            shares = torch.softmax(self._logits(numbers)[:, -1], dim=1).cpu()
            drawn = torch.multinomial(shares, 1, generator=generator)
            numbers = torch.cat([numbers, drawn.to(numbers.device)], dim=1)
        return numbers

    def _logits(self, before: Tensor) -> Tensor:
        """Return the logits of the words at the first places, and of the next, ``(n, n_places, n_words)``."""
        said = F.pad(self.words.weight.T[before], (0, 0, 1, 0))  # before the first word there is nothing
        hidden = said + self.places.weight.T[: said.shape[1]]
        for block in self.blocks:
            hidden = block(hidden)
        logits: Tensor = self.head(_normalized(hidden))
        return logits

    @torch.enable_grad()
    def learn(self, numbers: Tensor, seed: int, n_epochs: int | None = None) -> None:
        """Train until words of some rows that do not train are told no better."""
        dtype, device = self.head.bias.dtype, self.head.bias.device
        draw_weights(self, seed).to(device).requires_grad_(True)
        generator = torch.Generator("cpu").manual_seed(seed)
        rows = numbers[torch.randperm(len(numbers), generator=generator).to(device)]
        n_held_out = int(_HELD_OUT * len(rows))
        held_out, rows = rows[:n_held_out], rows[n_held_out:]
        optimizer = torch.optim.AdamW(self.parameters(), lr=_RATE, weight_decay=_WEIGHT_DECAY, fused=True)
        size = min(_BATCH, math.ceil(_BATCH_WORDS / self.n_places))
        n_steps = _STEPS if n_epochs is None else min(_STEPS, n_epochs * math.ceil(len(rows) / size))
        best, least, n_worse = self._weights(), math.inf, 0
        for step in range(1, n_steps + 1):
            batch = torch.randint(len(rows), (size,), generator=generator).to(device)
            cost = -self.log_prob(rows[batch]).sum(dim=1).mean()
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            if step % _WATCHED and step < n_steps:
                continue
            with torch.no_grad():
                watched = -self.log_prob(held_out).sum(dim=1).mean().item() if n_held_out else cost.item()
            best, least, n_worse = (
                (self._weights(), watched, 0) if watched < least else (best, least, n_worse + 1)
            )
            if n_worse == _PATIENCE:
                break
        self.load_state_dict(best)
        self.requires_grad_(False).to(dtype)

    def _weights(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self.state_dict().items()}


class _Block(nn.Module):
    """Attention to places before, and a dense layer, each added to what comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.ask = nn.Linear(PRIOR_WIDTH, 3 * PRIOR_WIDTH)
        self.answer = nn.Linear(PRIOR_WIDTH, PRIOR_WIDTH)
        self.widen = nn.Linear(PRIOR_WIDTH, 4 * PRIOR_WIDTH)
        self.narrow = nn.Linear(4 * PRIOR_WIDTH, PRIOR_WIDTH)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return what is known at every place, ``(n_samples, n_places, width)``."""
        asked = self.ask(_normalized(hidden)).unflatten(2, (3, _HEADS, -1)).permute(2, 0, 3, 1, 4)
        told = F.scaled_dot_product_attention(asked[0], asked[1], asked[2], is_causal=True)
        hidden = hidden + self.answer(told.transpose(1, 2).flatten(2))
        known: Tensor = hidden + self.narrow(F.silu(self.widen(_normalized(hidden))))
        return known


def _normalized(hidden: Tensor) -> Tensor:
    """Return hidden values of mean 0 and variance 1 at every place."""
    return F.layer_norm(hidden, (PRIOR_WIDTH,))


PRIORS: dict[str, type[Any]] = dict(zip(WORD_PRIORS, (Frequencies, Autoregressive), strict=True))

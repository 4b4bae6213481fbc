"""The recipe of training: how learning rate, KL weight and learnt scales go from step to step."""

import dataclasses
import math
from typing import Any

MOMENTS = (0.9, 0.99)  # of Adam; a shorter memory than usual, because a run is of some thousand steps
_PATIENT = 1 / 2  # of one cycle without improvement that are waited for
_PEAK = 0.3  # of one cycle
_FIRST_STEPS = 200  # after which what was learnt is something
_AVERAGED = 8  # a running mean of weights is about that of the last 1 / (8 + 1) of epochs
_FOLLOWED = 0.02  # of a running mean of squared errors that is the last batch's


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """What a run of the loop is told; `vaetools.nn.training.Trainer` documents the effect of each."""

    n_epochs: int
    batch_size: int = 128
    learning_rate: str = "one_cycle"
    learning_rate_init: float = 2e-3
    beta: float = 1.0
    kl_warmup: float = 0.0
    input_noise: float = 0.0
    input_masking: float = 0.0
    n_iter_no_change: int = 10
    tol: float = 1e-4
    precision: str = "float32"
    begin: float = 0.0  # the place in one cycle from which it goes

    def beta_at(self, step: int, n_steps: int) -> float:
        """Return the KL weight of a step: it rises linearly over the first ``kl_warmup`` of all steps."""
        warmup = self.kl_warmup * n_steps
        return float(self.beta * min(1.0, step / warmup if warmup else 1.0))

    @property
    def corrupts(self) -> bool:
        """Whether an encoder sees less than it is to reconstruct."""
        return bool(self.input_noise or self.input_masking)

    @property
    def patience(self) -> int:
        """Epochs without improvement that are waited for; of one cycle, which starts slowly, a part of it."""
        few = self.n_iter_no_change
        return few if self.learning_rate == "constant" else max(few, round(_PATIENT * self.n_epochs))

    def rate_at(self, epochs: float) -> float:
        """Return the learning rate after some epochs."""
        if self.learning_rate == "constant":
            return self.learning_rate_init
        return self.learning_rate_init * one_cycle(self._place(epochs))

    def _place(self, epochs: float) -> float:
        """Return how far in the one cycle some epochs lead."""
        return self.begin + (1 - self.begin) * epochs / self.n_epochs

    def may_be_best(self, step: int, n_steps: int) -> bool:
        """Return whether weights may be the best: not while the KL weight rises, or in the first steps.

        These teach codes nothing, which may cost held-out rows less than the first that is learnt. They are
        at most those in which the rate rises.
        """
        rises = self.learning_rate == "one_cycle" and self._place(self.n_epochs * step / n_steps) < _PEAK
        return step >= self.kl_warmup * n_steps and not (rises and step < _FIRST_STEPS)

    def share_of_epoch(self, epoch: int) -> float:
        """Return the share of the weights after an epoch, counted from 1, in their running mean.

        That is about the mean of the last ninth of all epochs (Shamir, Zhang 2013), and the less a mean the
        lower the rate is, which leaves little to be averaged.
        """
        fallen = 1 - self.rate_at(epoch) / self.learning_rate_init
        return min(1.0, max((_AVERAGED + 1) / (_AVERAGED + epoch), fallen**2))


def one_cycle(progress: float) -> float:
    """Return the share of the peak learning rate: up over 30 %, down to nearly 0 (Smith 2018)."""
    if progress < _PEAK:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * progress / _PEAK))
    return 1e-4 + (1 - 1e-4) * 0.5 * (1 + math.cos(math.pi * (progress - _PEAK) / (1 - _PEAK)))


def falling_from(share: float) -> float:
    """Return the place in one cycle at which the rate, on its way down, is a share of the peak.

    Examples
    --------
    >>> falling_from(1.0), round(falling_from(0.5), 3)
    (0.3, 0.65)
    >>> round(one_cycle(falling_from(0.2)), 3)
    0.2
    """
    return _PEAK + (1 - _PEAK) * math.acos(2 * share - 1) / math.pi


def share_of_batch(step: int) -> float:
    """Return the share of a batch in the running mean of squared errors, which begins with the first one."""
    return max(1 / (step + 1), _FOLLOWED)


def weighted_share(share: Any, mean_weight: Any) -> Any:
    """Return the share of a batch whose rows count otherwise than on average.

    Examples
    --------
    >>> weighted_share(0.5, 3.0), weighted_share(1.0, 3.0), weighted_share(0.5, 1.0)
    (0.75, 1.0, 0.5)
    """
    return share * mean_weight / (share * mean_weight + 1 - share)

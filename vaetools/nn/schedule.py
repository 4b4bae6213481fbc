"""What a run of training is told, and what becomes of learning rate and KL weight in the course of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEARNING_RATES = ("one_cycle", "constant")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainingSettings:
    """What a run of the loop is told; `Trainer` documents the effect of each."""

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

    def beta_at(self, step: int, n_steps: int) -> float:
        """Return the KL weight of a step: it rises linearly over the first ``kl_warmup`` of all steps."""
        warmup = self.kl_warmup * n_steps
        return float(self.beta * min(1.0, step / warmup if warmup else 1.0))

    def share_of_peak(self, progress: float) -> float:
        """Return the share of the peak learning rate at a place from 0 to 1 of the run."""
        return 1.0 if self.learning_rate == "constant" else one_cycle(progress)


def one_cycle(progress: float) -> float:
    """Return the share of the peak learning rate: up over 30 %, down to nearly 0 (Smith 2018)."""
    if progress < 0.3:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * progress / 0.3))
    return 1e-4 + (1 - 1e-4) * 0.5 * (1 + math.cos(math.pi * (progress - 0.3) / 0.7))

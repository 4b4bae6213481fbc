"""Processes that train one model together, each on its share of every batch."""

import atexit
import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Workers:
    """The processes of torch's default process group, or this one alone."""

    rank: int = 0  # which one this is
    n: int = 1  # how many there are

    @classmethod
    def here(cls) -> Self:
        """Return the workers that this process is one of."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    @classmethod
    def join(cls) -> Self:
        """Join the processes that torchrun started, if it started this one."""
        if distributed.is_available() and distributed.is_torchelastic_launched():
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
            atexit.register(distributed.destroy_process_group)
        return cls.here()

    def share(self, n_rows: int) -> slice:
        """Return which rows of a batch are this worker's; the first one, where there are too few."""
        return slice(self.rank, None, self.n) if self.rank < n_rows else slice(0, 1)

    @contextlib.contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first worker through a block before the others follow, all at once."""
        if self.rank:
            distributed.barrier()
        try:
            yield
        finally:
            if self.n > 1 and self.rank == 0:
                distributed.barrier()

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Raise where workers differ in what they must have in common, naming it."""
        if self.n == 1:
            return
        everyone: list[Any] = [None] * self.n
        distributed.all_gather_object(everyone, dict(facts))
        for name in facts:
            values = [each.get(name) for each in everyone]
            if any(value != values[0] for value in values):
                raise ValueError(
                    f"fit: the processes of a group train one model, and must have the same {name}; got "
                    f"{values!r}. Pass the same rows, parameters and integer random_state in all, or "
                    "fit before torch.distributed.init_process_group, to train one model each."
                )

    def total(self, sums: Tensor) -> Tensor:
        """Return the sum of a tensor over all workers."""
        if self.n > 1:
            distributed.all_reduce(sums)
        return sums

    def spread(self, module: nn.Module) -> nn.Module:
        """Return a module whose gradients are the means over workers."""
        if self.n == 1:
            return module
        return DistributedDataParallel(module, gradient_as_bucket_view=True, static_graph=True)

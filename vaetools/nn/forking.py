"""Children that are forked compute with one thread: those of their parent are gone, and torch would wait."""

from __future__ import annotations

import os

import torch


def survive_forks() -> None:
    """Let children that this process forks from now on compute, instead of waiting for ever.

    OpenMP, under PyTorch, keeps its threads between computations. A fork copies the memory that says so
    and none of the threads.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))

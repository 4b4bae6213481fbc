"""Processes of joblib that end with the work, and say nothing where it is cut short."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from joblib import Parallel
from joblib.externals.loky import get_reusable_executor

_MANAGER = "ExecutorManagerThread"  # of joblib


@contextlib.contextmanager
def own_workers(n_workers: int) -> Iterator[Parallel]:
    """Give processes that end with the work.

    Joblib would hand them on to whatever runs in parallel next. They are so small that one which then
    imports PyTorch is taken for a leak of memory and stopped, and joblib may wait for it for ever.
    """
    try:
        with Parallel(n_workers, pre_dispatch="all") as parallel:
            yield parallel
    finally:
        get_reusable_executor().shutdown(wait=True)


@contextlib.contextmanager
def quiet_when_cut_short() -> Iterator[None]:
    """Let nobody hear of the thread of joblib that stumbles over tasks which an interruption took away.

    It has ended its processes by then, and looks for one more task to hand out.
    """
    before = threading.excepthook

    def hear(said: threading.ExceptHookArgs) -> None:
        of_manager = said.thread is not None and said.thread.name == _MANAGER
        if not (of_manager and said.exc_type is KeyError):
            before(said)

    threading.excepthook = hear
    try:
        yield
    finally:
        threading.excepthook = before

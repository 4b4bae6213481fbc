"""Many images become rows, in order and by all cores: in processes that end with the work."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.externals.loky import get_reusable_executor

from vaetools.data.addresses import Address, fetched
from vaetools.data.batches import Batch, Failure
from vaetools.data.decoding import Recipe, decode_many, decode_quietly

_PIECE = 8  # files that are decoded between two looks at the clock
_PROBE_SECONDS = 0.1  # of decoding tell how long a file takes
_WORTH_SECONDS = 0.4  # of decoding are worth the start of other processes
_TASK_SECONDS = 0.03  # of decoding that one task for another process should take
_ROUND_TASKS, _ROUND_VALUES = 60, 2**26  # per process, and bytes in all, before the rows are worked on
_MANAGER = "ExecutorManagerThread"  # of joblib


def decoded(sources: Sequence[Any], names: Sequence[Any], recipe: Recipe, n_jobs: int) -> Iterator[Batch]:
    """Yield the rows of images in order, and those that could not be read, under their names."""
    for start, rows, failed in _pieces(sources, recipe, n_jobs):
        bad = {failure.id for failure in failed}
        good = [names[start + i] for i in range(len(rows) + len(failed)) if i not in bad]
        yield Batch(good, rows, [Failure(names[start + int(i)], reason) for i, reason in failed])


def _pieces(
    sources: Sequence[Any], recipe: Recipe, n_jobs: int
) -> Iterator[tuple[int, np.ndarray, list[Failure]]]:
    """Yield the number of the first image, rows and failures, in order.

    The first images are decoded here. They tell whether other processes are worth their start, and
    how many images make a task worth sending. Then all cores decode a round of tasks, and rest while
    the caller works on its rows: together they would only stand in each other's way.
    """
    if len(sources) and all(isinstance(source, Address) for source in sources):
        n_done = 0
        for contents in fetched(sources):
            yield n_done, *decode_many(contents, recipe)
            n_done += len(contents)
        return
    done, seconds = 0, 0.0
    n_workers = effective_n_jobs(n_jobs) if isinstance(sources[0] if len(sources) else None, str) else 1
    while done < len(sources) and (
        n_workers == 1
        or seconds <= _PROBE_SECONDS
        or seconds / done * (len(sources) - done) <= _WORTH_SECONDS
    ):
        part, start = sources[done : done + _PIECE], time.perf_counter()
        result = decode_many(part, recipe)
        seconds += time.perf_counter() - start
        yield done, *result
        done += len(part)
    if done == len(sources):
        return
    most = max(1, _ROUND_VALUES // (n_workers * recipe.n_features))  # images per process and round
    n_images = min(most, max(1, round(_TASK_SECONDS * done / seconds)))
    n_tasks = n_workers * min(_ROUND_TASKS, most // n_images)
    tasks = range(done, len(sources), n_images)
    with _own_workers(n_workers) as parallel:
        for first in range(0, len(tasks), n_tasks):
            starts = tasks[first : first + n_tasks]
            with quiet_when_cut_short():
                results = parallel(
                    delayed(decode_quietly)(sources[start : start + n_images], recipe, os.getpid())
                    for start in starts
                )
            for start, result in zip(starts, results, strict=True):
                yield start, *result


@contextlib.contextmanager
def _own_workers(n_workers: int) -> Iterator[Parallel]:
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

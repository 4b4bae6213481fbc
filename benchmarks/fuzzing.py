"""Many attempts on crafted files in a child process, each bounded in memory and time, and a table of them.

For scripts that fuzz a reader of files: what an attempt returns names its outcome, what it raises is a
fault. Linux alone counts the memory of one attempt, so nothing else is supported.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FAULT = "FAULT"
_PATIENCE = 4  # times the seconds that an attempt may compute pass, until its process is killed

Attempt = Callable[[int], str]


class Outcome(NamedTuple):
    """What came of one attempt: in words, megabytes above what the process held at first, seconds of CPU."""

    seed: int
    words: str
    megabytes: float
    seconds: float


class Bounds(NamedTuple):
    """Most that an attempt may hold above what the process held before the first, and compute."""

    megabytes: float
    seconds: float


def fuzz(attempt: Attempt, seeds: Sequence[int], bounds: Bounds) -> list[Outcome]:
    """Return what comes of an attempt with every seed; its words begin with FAULT where that is a fault.

    The attempt runs in forks of this process: import beforehand what it needs. A process that dies or
    hangs is a fault of the seed that it was at, and another goes on with the next.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < len(seeds):
        outcomes += _in_a_child(attempt, seeds[len(outcomes) :], bounds)
    return outcomes


def table(outcomes: Sequence[Outcome]) -> str:
    """Return one line per kind of outcome: how many, the most memory and time, and a seed to look at."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.words, []).append(outcome)
    lines = [f"{'outcome':60} {'files':>7} {'MB':>7} {'s':>6}  first seed"]
    for words, some in sorted(kinds.items(), key=lambda kind: (kind[0].startswith(FAULT), -len(kind[1]))):
        megabytes, seconds = max(each.megabytes for each in some), max(each.seconds for each in some)
        lines.append(f"{words[:60]:60} {len(some):7,} {megabytes:7.0f} {seconds:6.2f}  {some[0].seed}")
    return "\n".join(lines)


def n_faults(outcomes: Sequence[Outcome]) -> int:
    """Count the faults."""
    return sum(outcome.words.startswith(FAULT) for outcome in outcomes)


def _in_a_child(attempt: Attempt, seeds: Sequence[int], bounds: Bounds) -> Iterator[Outcome]:
    """Yield outcomes of seeds from one process, as long as it lives."""
    answers, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(answers)
        try:
            _attempt_all(attempt, seeds, bounds, tell)
        finally:
            os._exit(0)
    os.close(tell)
    n_done, reason = 0, "died"
    with os.fdopen(answers, "rb", buffering=0) as said:
        while n_done < len(seeds):
            if not select.select([said], [], [], _PATIENCE * bounds.seconds)[0]:
                os.kill(child, signal.SIGKILL)
                reason = f"hung for {_PATIENCE * bounds.seconds:g} s"
                break
            line = said.readline()
            if not line:
                break
            yield Outcome(*json.loads(line))
            n_done += 1
    os.waitpid(child, 0)
    if n_done < len(seeds):
        yield Outcome(seeds[n_done], f"{FAULT} {reason}", 0.0, 0.0)


def _attempt_all(attempt: Attempt, seeds: Sequence[int], bounds: Bounds, tell: int) -> None:
    """Say what comes of every seed, one JSON list a line."""
    held = _megabytes("VmRSS")
    # address space that is claimed and not touched is no memory, but twice as much is a fault soon
    limit = int((_megabytes("VmData") + 2 * bounds.megabytes) * 1e6)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
    for seed in seeds:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        start = time.process_time()  # what others compute meanwhile does not count
        try:
            words = attempt(seed)
        except Exception as error:
            words = f"{FAULT} {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        seconds, megabytes = time.process_time() - start, _megabytes("VmHWM") - held
        if megabytes > bounds.megabytes:
            words = f"{FAULT} {megabytes:.0f} MB; {words}"
        if seconds > bounds.seconds:
            words = f"{FAULT} {seconds:.1f} s; {words}"
        os.write(tell, json.dumps([seed, words, megabytes, seconds]).encode() + b"\n")


def _megabytes(name: str) -> float:
    """Return an entry of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    entry = next(line for line in lines if line.startswith(f"{name}:"))
    return int(entry.split()[1]) * 1024 / 1e6

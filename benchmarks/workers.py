"""Measurements in two Pythons, ours and the peers', one at a time.

A worker is a process that waits for a task, one line of JSON on its standard input, runs it, and answers
with one line. While one works the others are blocked, so that what is measured has the cores to itself.
Tasks are functions of the modules beside this file, named "module.function"; they measure for themselves.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_SETTLE = 0.3  # seconds: an OpenMP thread that has nothing to do spins for up to 0.2 before it sleeps
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SHOWN = ("torch", "numpy", "scikit-learn", "pyod", "pythae")


class Worker:
    """A Python that runs tasks; what they print goes to a log.

    Parameters
    ----------
    python : path-like
    log : Path
    n_threads : int
        Threads of every library.
    """

    def __init__(self, python: str | os.PathLike[str], log: Path, n_threads: int):
        self.log = log
        environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(n_threads))
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [python, "-W", "ignore", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                env=environment,
            )

    def ask(self, task: str, /, **arguments: Any) -> dict[str, Any]:
        """Return what "module.function" answers, asked once all else has come to rest."""
        time.sleep(_SETTLE)
        self.process.stdin.write(json.dumps({"task": task, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"it died; its log ends:\n{self._end_of_log()}"}
        if "error" in answer:
            raise RuntimeError(f"{task} in {self.process.args[0]}: {answer['error']}")
        return answer

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def close(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Workers(NamedTuple):
    """The worker of this Python, that of the peers' (None without one), and a folder for data."""

    ours: Worker
    peers: Worker | None
    folder: Path


@contextmanager
def start_workers(peers: Path | None, n_threads: int) -> Iterator[Workers]:
    """Start the workers, print what they are, and end them afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pythons = {"ours": Path(sys.executable)} | ({"peers": peers} if peers else {})
        started = {}
        print(f"{processor()}, {n_threads} threads")
        for name, python in pythons.items():
            started[name] = Worker(python, folder / f"{name}.log", n_threads)
            stack.callback(started[name].close)
            print(f"{name}: {started[name].ask('workers.versions')['versions']}")
        yield Workers(started["ours"], started.get("peers"), folder)


def processor() -> str:
    """Return the name of the CPU."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown CPU"


def versions() -> dict[str, str]:
    """Return the versions of this Python and of the packages that matter."""
    found = [f"Python {sys.version.split()[0]}"]
    for name in _SHOWN:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"versions": ", ".join(found)}


def serve() -> None:
    """Answer tasks until the standard input ends."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what libraries print must not mix with answers
        for line in sys.stdin:
            request = json.loads(line)
            module, name = request["task"].split(".")
            try:
                answer = getattr(importlib.import_module(module), name)(**request["arguments"])
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve()

"""Kill fits at random moments, call them again, and compare what they end in.

python benchmarks/interruptions.py --kills 30
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vaetools import VAE
from vaetools.estimators import checkpoint
from vaetools.nn import training


class Child:
    """A job in a process of its own, which says "(" and ")" around every write, and "." at its end."""

    def __init__(self, job: Callable[[], object]):
        self.said, tell = os.pipe()
        self.process = os.fork()
        if not self.process:
            write = checkpoint.write_model_file

            def told(*what: object) -> None:
                os.write(tell, b"(")
                write(*what)
                os.write(tell, b")")

            checkpoint.write_model_file = told
            job()
            os.write(tell, b".")
            os._exit(0)
        os.close(tell)

    def rest(self) -> bytes:
        """Wait for the end, and return what the process has said until then."""
        said = b"".join(iter(lambda: os.read(self.said, 4096), b""))
        os.waitpid(self.process, 0)
        os.close(self.said)
        return said

    def kill(self, n_said: int, seconds: float) -> bytes:
        """Kill the process some time after it has said so much, and return what it has said last."""
        said = b"".join(os.read(self.said, 1) for _ in range(n_said))
        time.sleep(seconds)
        os.kill(self.process, signal.SIGKILL)
        return (said + self.rest())[-1:]


def save_numbers(model: VAE, X: np.ndarray, path: Path) -> None:
    """Write all that two fits are compared by."""
    weights = [weight.numpy() for weight in model.model_.state_dict().values()]
    numbers = [*weights, model.history_.to_numpy(), model.offset_, model.score_samples(X[:1000])]
    np.savez(path, *numbers)


def are_same(path: Path, expected: Path) -> bool:
    """Whether two fits ended bit for bit the same."""
    with np.load(path) as first, np.load(expected) as second:
        return first.files == second.files and all(
            first[name].tobytes() == second[name].tobytes() for name in first.files
        )


def main() -> None:
    """Print where fits were killed, and how many reruns finished and ended bit for bit the same."""
    parser = argparse.ArgumentParser(description="Kill fits at random moments, and call them again.")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    hidden = rng.normal(size=(options.rows, 5)) @ rng.normal(size=(5, options.columns))
    X = (hidden + 0.1 * rng.normal(size=hidden.shape)).astype(np.float32)
    # as often as can be, so that many moments lie in a write
    checkpoint._SECONDS, checkpoint._SHARE, training.SYNC_STEPS = 0.0, np.inf, 5

    def fit(path: Path | None = None) -> VAE:
        return VAE(max_iter=options.epochs, random_state=0).fit(X, checkpoint=path)

    moments, finished, same = Counter(), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = folder / "expected.npz"
        Child(lambda: save_numbers(fit(), X, expected)).rest()
        start = time.perf_counter()
        n_said = len(Child(lambda: fit(folder / "timed.ckpt")).rest())
        between = (time.perf_counter() - start) / n_said
        for i in range(options.kills):
            path, result = folder / f"{i}.ckpt", folder / f"{i}.npz"
            fitting = Child(lambda path=path: fit(path))
            moments[fitting.kill(rng.integers(n_said), rng.uniform(0, between))] += 1
            Child(lambda path=path, result=result: save_numbers(fit(path), X, result)).rest()
            finished += result.exists()
            same += result.exists() and are_same(result, expected)
    print(f"a fit writes {n_said // 2} times")
    print(
        f"killed in a write: {moments[b'(']}, between two: {moments[b')']}, before: {moments[b'']}, "
        f"after the end: {moments[b'.']}"
    )
    print(f"of {options.kills} reruns {finished} finished, and {same} ended bit for bit the same")
    if same < options.kills:
        raise SystemExit("FAILED: a rerun ended otherwise")


if __name__ == "__main__":
    main()

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

MOMENTS = {b"": "before training", b"(": "in a write", b")": "between writes", b".": "after the end"}


def run(job: Callable[[], object], kill_after: float | None = None) -> float:
    """Do a job in a process of its own, which may be killed; return its seconds."""
    start = time.perf_counter()
    child = os.fork()
    if not child:
        job()
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return time.perf_counter() - start


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
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    hidden = rng.normal(size=(options.rows, 5)) @ rng.normal(size=(5, options.columns))
    X = (hidden + 0.1 * rng.normal(size=hidden.shape)).astype(np.float32)
    # as often as can be, so that many moments lie in a write
    checkpoint._SECONDS, checkpoint._SHARE, training.SYNC_STEPS = 0.0, np.inf, 5
    write = checkpoint.write_model_file
    seen, tell = os.pipe()
    os.set_blocking(seen, False)

    def told(*what: object) -> None:
        os.write(tell, b"(")
        write(*what)
        os.write(tell, b")")

    def moment() -> str:
        try:
            return MOMENTS[os.read(seen, 1_000_000)[-1:]]
        except BlockingIOError:
            return MOMENTS[b""]

    def fit(path: Path | None = None) -> VAE:
        return VAE(max_iter=options.epochs, random_state=0).fit(X, checkpoint=path)

    checkpoint.write_model_file = told
    moments, finished, same = Counter(), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = folder / "expected.npz"
        seconds = run(lambda: save_numbers(fit(), X, expected))
        longest = run(lambda: fit(folder / "timed.ckpt"))
        moment()
        for i in range(options.kills):
            path, result = folder / f"{i}.ckpt", folder / f"{i}.npz"
            run(lambda path=path: (fit(path), os.write(tell, b".")), rng.uniform(0, longest))
            moments[moment()] += 1
            run(lambda path=path, result=result: save_numbers(fit(path), X, result))
            moment()
            finished += result.exists()
            same += result.exists() and are_same(result, expected)
    print(f"a fit takes {seconds:.2f} s, and {longest:.2f} s with a write every {training.SYNC_STEPS} steps")
    print(f"killed: {', '.join(f'{n} {where}' for where, n in sorted(moments.items()))}")
    print(f"of {options.kills} reruns {finished} finished, and {same} ended bit for bit the same")


if __name__ == "__main__":
    main()

"""Read tables that were changed at random, each bounded.

OMP_NUM_THREADS=1 python benchmarks/fuzz_tables.py --files 3000
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from fuzzing import Bounds, fuzz, n_faults, table
from table_mutations import write_mutated

from vaetools.data.sources import kind_of
from vaetools.data.tables import open_table

BOUNDS = Bounds(megabytes=600, seconds=10)


def attempt(path: Path, *, mixed: bool) -> str:
    """Read a table to its end; what is refused is refused in one short line that names the file."""
    try:
        if kind_of(path) != "table":
            return "no table"
        read = open_table(path, mixed=mixed)
        rows = list(read.batches(1000))
    except ValueError as error:
        message = str(error)
        if type(error) is not ValueError or "\n" in message or len(message) > len(str(path)) + 700:
            raise AssertionError(f"no short line: {error!r:.500}") from error
        if not message.startswith(str(path)):
            raise AssertionError(f"no path: {message[:500]!r}") from error
        return "refused"
    return "read, with failures" if any(batch.failed for batch in rows) else "read"


def main() -> int:
    """Print what came of all files, and return whether there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0, help="Of the first file; the others follow.")
    parser.add_argument("--keep", type=Path, help="Folder for the file of the last seed.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)

        def one(seed: int) -> str:
            return attempt(write_mutated(folder, seed), mixed=bool(seed % 2))

        one(options.seed)  # what libraries keep for themselves is no memory of one attempt
        outcomes = fuzz(one, range(options.seed, options.seed + options.files), BOUNDS)
    print(table(outcomes))
    return min(1, n_faults(outcomes))


if __name__ == "__main__":
    raise SystemExit(main())

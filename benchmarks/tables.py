"""One class against anomalies on 22 tabular sets of ADBench: `VAE()` as it comes, beside its peers.

python benchmarks/tables.py --data /path/to/data
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
from protocols import add_common_arguments, one_class_table, print_table, quality, table_peers

from vaetools import VAE


def main() -> None:
    """Fit every detector to every set and seed, and print AUROC, average precision and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", help="parts of file names, for fewer sets")
    options = parser.parse_args()

    results = []
    for path in sorted(
        Path(options.data, "adbench").glob("*.npz"), key=lambda path: int(path.stem.split("_")[0])
    ):
        if options.sets and not any(part in path.stem for part in options.sets):
            continue
        for seed in options.seeds:
            task = one_class_table(path, seed)
            peers = table_peers(task.train.shape[1], seed)
            for name, detector in {"VAE": VAE(random_state=seed), **peers}.items():
                start = time.perf_counter()
                row = {"set": path.stem, "seed": seed, "detector": name, **quality(detector, task)}
                results.append(row | {"seconds": time.perf_counter() - start})
        print(f"{path.stem}: VAE {results[-len(peers) - 1]['AUROC']:.3f} (last seed)", flush=True)
    results = pd.DataFrame(results)
    if options.output:
        results.to_csv(options.output, index=False)
    for metric in ("AUROC", "AP", "seconds"):
        print_table(results, "set", metric)


if __name__ == "__main__":
    main()

"""One class against anomalies on 22 tabular sets of ADBench: `VAE()` as it comes, and peers.

python benchmarks/tables.py --data /path/to/data
python benchmarks/tables.py --data /path/to/data --others
python benchmarks/tables.py --data /path/to/data --published
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from protocols import (
    Task,
    add_common_arguments,
    in_file_order,
    measure,
    measure_scores,
    one_class_table,
    other_tables,
    print_published,
    print_tables,
    table_peers,
)

from vaetools import VAE, Gaussian

RECOMMENDED = {
    "likelihood": Gaussian("predicted"),
    "n_components": 64,
    "beta": 0.1,
    "input_noise": 0.2,
    "anomaly_score": "tables",
}
SCORES = {"VAE tables": "tables", "its reconstruction": "neg_reconstruction", "its sum": "reconstruction_kl"}


def main() -> None:
    """Fit every detector to every set and seed, and print AUROC, average precision and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument("--sets", nargs="+", default=[""], help="parts of file names, for fewer sets")
    parser.add_argument("--others", action="store_true", help="sets that no choice was made on")
    parser.add_argument("--published", action="store_true", help="splits of published tables, beside these")
    options = parser.parse_args()

    results = []
    for seed in options.seeds:
        for name, task in tasks(options, seed):
            if not any(part in name for part in options.sets):
                continue
            where = {"set": name, "seed": seed}
            results.append(where | measure("VAE", VAE(random_state=seed), task))
            recommended = VAE(**RECOMMENDED, random_state=seed)
            results += [where | figures for figures in measure_scores(SCORES, recommended, task)]
            peers = table_peers(task.train.shape[1], seed)
            results += [where | measure(*peer, task) for peer in peers.items()]
    print_tables(results, "set", options.output)
    if options.published:
        print_published(results, options.data / "published")


def tasks(options: argparse.Namespace, seed: int) -> Iterator[tuple[str, Task]]:
    """Yield the sets that were asked for."""
    return other_tables(options.data, seed) if options.others else adbench(options, seed)


def adbench(options: argparse.Namespace, seed: int) -> Iterator[tuple[str, Task]]:
    """Yield the 22 sets, in their order."""
    folder, splits = options.data / "adbench", in_file_order if options.published else one_class_table
    for path in sorted(folder.glob("*.npz"), key=lambda path: int(path.stem.split("_")[0])):
        yield path.stem, splits(path, seed)


if __name__ == "__main__":
    main()

"""Run scikit-learn's check_estimator over every variant and map, with full training, and print a table.

    python benchmarks/estimator_checks.py
    python benchmarks/estimator_checks.py --max-iter 2 --only VAE "CVAE add"

Exits with 1 if any check failed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.variants import EXPECTED_FAILURES, VARIANTS
from vaetools import LatentMap

MAPS = {f"LatentMap {method}": LatentMap(method=method) for method in ("umap", "tsne", "pca")}
ESTIMATORS = {**VARIANTS, **MAPS}


def run_checks(estimator: Any) -> list[dict[str, Any]]:
    """Return scikit-learn's record of every check of an estimator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too few rows, epochs or labels are what the checks are made of
        expected = EXPECTED_FAILURES
        return check_estimator(estimator, on_fail=None, expected_failed_checks=expected)


def main() -> int:
    """Check the variants, print a line for each and the tracebacks at the end."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--max-iter", type=int, help="epochs, for a quick look (default: each variant's own)")
    parser.add_argument("--only", nargs="+", choices=ESTIMATORS, metavar="VARIANT", default=list(ESTIMATORS))
    options = parser.parse_args()
    torch.set_num_threads(1)  # the checks' data are small

    failures = []
    print(f"{'variant':28}{'passed':>8}{'failed':>8}{'expected':>10}{'skipped':>9}{'seconds':>9}", flush=True)
    for name in options.only:
        estimator = clone(ESTIMATORS[name])
        if options.max_iter is not None and name in VARIANTS:
            estimator.set_params(max_iter=options.max_iter)
        start = time.perf_counter()
        records = run_checks(estimator)
        seconds = time.perf_counter() - start
        n = Counter(record["status"] for record in records)
        print(
            f"{name:28}{n['passed']:>8}{n['failed']:>8}{n['xfail']:>10}{n['skipped']:>9}{seconds:>9.1f}",
            flush=True,
        )
        failures += [(name, record) for record in records if record["status"] == "failed"]
    for name, record in failures:
        print(f"\n{name}: {record['check_name']}")
        print("".join(traceback.format_exception(record["exception"])[-3:]))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())

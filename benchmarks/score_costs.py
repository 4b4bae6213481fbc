"""What every score costs: CPU time per row, in multiples of that of ``reconstruction_kl``.

python benchmarks/score_costs.py --data /path/to/data
"""

from __future__ import annotations

import argparse
import time

import pandas as pd
import torch
from interleaved import add_data_argument
from protocols import read_idx
from tqdm import tqdm

from vaetools import VAE
from vaetools.anomaly.reference import Reference
from vaetools.anomaly.scores import SCORES, fit_states
from vaetools.estimators.engine import Engine

USUAL = "reconstruction_kl"


def seconds(vae: VAE, name: str, X: object) -> float:
    """Return the CPU seconds that a score of some rows takes."""
    engine = Engine(vae)
    start = time.process_time()
    engine.ask(X, engine.score(name))
    return time.process_time() - start


def main() -> None:
    """Fit one model, teach it all scores, and measure them in turns."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_argument(parser)
    parser.add_argument("--rows", type=int, default=1000, help="to score; default: 1,000")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = read_idx(arguments.data / "mnist" / "train-images-idx3-ubyte.gz").reshape(60_000, -1)
    train, X = images[:10_000], images[10_000 : 10_000 + arguments.rows]
    vae = VAE(16, image_shape=(1, 28, 28), added_loss="structure", max_iter=1, random_state=0).fit(train)
    engine = Engine(vae)
    reference = Reference(lambda function: engine.ask(train, function)[0], vae.image_shape)
    for name in SCORES:
        vae.score_state_ |= fit_states(name, reference)
    turns = range(arguments.rounds)
    found = pd.DataFrame([{name: seconds(vae, name, X) for name in SCORES} for _ in tqdm(turns)])
    ratios = found.div(found[USUAL], axis=0)
    print(
        f"\n{len(X):,} images, {USUAL} {found[USUAL].min():.3f} CPU seconds; the others in multiples of it\n"
    )
    print(ratios.agg(["median", "min", "max"]).T.round(2).to_string())


if __name__ == "__main__":
    main()

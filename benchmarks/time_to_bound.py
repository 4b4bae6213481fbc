"""CPU seconds until new images cost as little as after a fit of ours: a textbook's loop, pythae and PyOD.

python benchmarks/time_to_bound.py --data /path/to/data --peers /path/to/venv/bin/python --threads 1
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from interleaved import add_data_argument, add_interleaving_arguments, add_peers_argument
from textbook import evidence_bound, rows
from training import make_vae, write_data
from workers import start_workers

BATCH = 128


def fit_vaetools(data: str, test: str, network: str, seed: int) -> dict[str, float]:
    """Fit as by default, but for the sizes, and holding no row out to calibrate."""
    X, held_out = np.load(data), rows(test)
    vae = make_vae(network, X.shape[1], contamination=0.05, random_state=seed)
    start = time.process_time()
    vae.fit(X)
    seconds = time.process_time() - start
    posterior = vae.posterior(np.load(test))
    return {"seconds": seconds, "ELBO": evidence_bound(held_out, *posterior, vae.inverse_transform)}


def main() -> None:
    """Print CPU seconds and the bounds that were reached."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    add_peers_argument(parser)
    add_interleaving_arguments(parser, n_rounds=1)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--most", type=float, default=4.0, help="times as long as ours that others may take")
    options = parser.parse_args()
    found = []
    with start_workers(options.peers, options.threads) as workers:
        files = write_data(options, "mlp", workers.folder) | {"network": "mlp"}
        for seed in range(options.rounds):
            ours = workers.ours.ask("time_to_bound.fit_vaetools", seed=seed, **files)
            results = {"vaetools": ours}
            race = {"batch": BATCH, "target": ours["ELBO"], "most": options.most * ours["seconds"]}
            results["textbook"] = workers.ours.ask("textbook.race_textbook", seed=seed, **files, **race)
            for peer in ("pythae", "pyod") if workers.peers else ():
                results[peer] = workers.peers.ask(f"peers.race_{peer}", seed=seed, **files, **race)
            for name, figures in results.items():
                times = figures["seconds"] / ours["seconds"]
                reached = figures["ELBO"] >= ours["ELBO"]
                found.append({"seed": seed, "name": name, "times": times, "reached": reached} | figures)
                print(found[-1], flush=True)
    frame = pd.DataFrame(found)
    print(frame.to_string(index=False, float_format="{:.2f}".format))
    if options.output:
        frame.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()

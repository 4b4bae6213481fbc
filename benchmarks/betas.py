"""What the weight of the KL term gives and takes: `VAE(beta=…)` on scikit-learn's digits.

python benchmarks/betas.py --seeds 0 1 2
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from vaetools import VAE
from vaetools.latent.organization import coverage, knn_accuracy, mse, off_data

ODD = 4  # the digit that is kept out of training


def measure(beta: float, seed: int) -> dict[str, float]:
    """Return what one model is worth on digits that it did not see."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    train, test, _, labels = train_test_split(X[y != ODD], y[y != ODD], test_size=0.4, random_state=seed)
    vae = VAE(8, image_shape=(1, 8, 8), hidden_channels=(), beta=beta, random_state=seed).fit(train)
    both = np.concatenate([test, X[y == ODD]])
    is_odd = np.arange(len(both)) >= len(test)
    terms = vae.score_columns(test)
    samples = vae.sample(len(test), random_state=seed)
    return {
        "bound, nats": vae.score(test),
        "KL, nats": float(np.mean(terms["kl"])),
        "dimensions in use": int(vae.active_units_.sum()),
        "squared error": mse(test, vae.reconstruct(test)).value,
        "5 neighbors": knn_accuracy(vae.transform(test), labels).value,
        "coverage": coverage(samples, test).value,
        "off the data": off_data(samples, test).value,
        "AUROC": roc_auc_score(is_odd, -vae.score_samples(both)),
    }


def main() -> None:
    """Print means over seeds, a line for every weight."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--betas", type=float, nargs="+", default=[0.1, 0.3, 1.0, 2.0, 4.0, 8.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs = [(beta, seed) for beta in arguments.betas for seed in arguments.seeds]
    table = pd.DataFrame([{"beta": beta} | measure(beta, seed) for beta, seed in tqdm(runs)])
    by_beta = table.groupby("beta")
    print("\nmeans over seeds\n", by_beta.mean().round(3).to_string())
    print("\nstandard deviations over seeds\n", by_beta.std().round(3).to_string())


if __name__ == "__main__":
    main()

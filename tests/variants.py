"""Every kind of estimator that the common checks run over, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from vaetools import AE, CVAE, VAE, VQVAE, Gaussian
from vaetools.estimators.autoencoder import BaseAutoencoder


class Squashed:
    """Mixin that sends X through the logistic function, into the support of a [0, 1] likelihood.

    scikit-learn's checks feed normal numbers, which such a likelihood rightly refuses. Nothing is
    learnt from X, so a row's result still depends on that row alone.
    """

    def fit(self, X: Any, y: Any = None, **options: Any) -> Any:
        return super().fit(_squash(X), y, **options)

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        return super().partial_fit(_squash(X), y)

    def transform(self, X: Any, y: Any = None) -> Any:
        return super().transform(_squash(X), y)

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        return super().score_samples(_squash(X), y)

    def score(self, X: Any, y: Any = None) -> float:
        return super().score(_squash(X), y)


class SquashedAE(Squashed, AE):
    """AE of squashed rows."""


class SquashedVAE(Squashed, VAE):
    """VAE of squashed rows."""


class SquashedCVAE(Squashed, CVAE):
    """CVAE of squashed rows."""


class SquashedVQVAE(Squashed, VQVAE):
    """VQVAE of squashed rows."""


def _squash(X: Any) -> Any:
    """Return finite numbers between 0 and 1; what is no table of such is for the estimator to refuse."""
    try:
        rows = np.asarray(X)
        rows = rows if rows.dtype.kind in "fcUS" else rows.astype(np.float64)
    except (TypeError, ValueError):
        return X
    if rows.dtype.kind != "f" or rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        return X
    return pd.DataFrame(expit(rows), X.index, X.columns) if isinstance(X, pd.DataFrame) else expit(rows)


# checks of scikit-learn that fail by design, and why
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "which rows are held out, and which train together, is "
    "drawn by their number: a row of weight 2 is one that is there twice only in the mean over seeds"
}

VARIANTS: dict[str, BaseAutoencoder] = {
    "AE": AE(),
    "VAE": VAE(),
    "CVAE": CVAE(),
    "AE bernoulli": SquashedAE(likelihood="bernoulli"),
    "VAE bernoulli": SquashedVAE(likelihood="bernoulli"),
    "VAE continuous bernoulli": SquashedVAE(likelihood="continuous_bernoulli"),
    "CVAE continuous bernoulli": SquashedCVAE(likelihood="continuous_bernoulli"),
    "VAE fixed scale": VAE(likelihood=Gaussian(scale=0.5)),
    "VAE scale per feature": VAE(likelihood=Gaussian("per_feature")),
    "VAE predicted scale": VAE(likelihood=Gaussian("predicted")),
    "CVAE predicted scale": CVAE(likelihood=Gaussian("predicted")),
    "AE input noise": AE(input_noise=0.2),
    "VAE input masking": VAE(input_masking=0.2),
    "VAE trimmed": VAE(trimmed_fraction=0.2),
    "VAE beta, warm-up": VAE(beta=4.0, kl_warmup=0.5),
    "VAE bfloat16": VAE(precision="bfloat16"),
    "VAE early stopping": VAE(early_stopping=True, learning_rate="constant"),
    "CVAE early stopping": CVAE(early_stopping=True, learning_rate="constant"),
    "AE contamination": AE(contamination=0.1),
    "VAE contamination": VAE(contamination=0.1),
    "CVAE blind encoder": CVAE(condition_encoder=False),
    "CVAE context": CVAE(context=[0]),
    "CVAE context mixed": CVAE(context=[0], likelihood="mixed"),
    "CVAE add": CVAE(conditioning="add"),
    "CVAE multiply": CVAE(conditioning="multiply"),
    "VAE elbo": VAE(anomaly_score="elbo"),
    "VAE log likelihood": VAE(anomaly_score="log_likelihood"),
    "VAE mixed": VAE(likelihood="mixed", input_noise=0.1, input_masking=0.2),
    "CVAE mixed": CVAE(likelihood="mixed", column_likelihoods={0: "categorical"}),
    "AE latent kNN": AE(anomaly_score="latent_knn"),
    "CVAE latent kNN": CVAE(anomaly_score="latent_knn"),
    "VAE regret": VAE(anomaly_score="likelihood_regret"),
    "CVAE aggregate": CVAE(anomaly_score="aggregate"),
    "AE density of states": AE(anomaly_score="density_of_states"),
    "VAE hidden residual": VAE(anomaly_score="hidden_residual"),
    "VAE tables": VAE(anomaly_score="tables"),
    "VQVAE": VQVAE(),
    "VQVAE bernoulli": SquashedVQVAE(n_words=8, likelihood="bernoulli"),
    "VQVAE autoregressive": VQVAE(n_words=8, prior="autoregressive"),
    "VQVAE mixed": VQVAE(likelihood="mixed", input_noise=0.1, input_masking=0.2),
    "VQVAE early stopping": VQVAE(n_words=16, early_stopping=True, learning_rate="constant"),
    "VQVAE contamination, trimmed": VQVAE(contamination=0.1, trimmed_fraction=0.2),
}

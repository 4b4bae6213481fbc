"""The table of named scores. All are float64 and higher for more normal rows.

==================  ======  ==================================================================
score               unit    what it is
==================  ======  ==================================================================
reconstruction_kl   nats    log p(x | z) at z = the posterior mean, minus KL. One decoding and
                            no noise; *not* a bound: it exceeds one.
elbo                nats    Evidence lower bound: log p(x | z) averaged over a fixed table of
                            antithetic posterior draws, minus KL. Never above log p(x), up to
                            its Monte-Carlo error.
log_likelihood      nats    Importance-weighted bound (Burda et al. 2016): between elbo and
                            log p(x), closer with more draws.
neg_reconstruction  nats    log p(x | z) at the posterior mean alone.
neg_kl              nats    Minus the KL term alone: how ordinary the code is.
latent_knn          std     Minus the mean distance to the 5 nearest training codes, in
                            standard deviations of the whitened codes.
==================  ======  ==================================================================

No score contains ``beta``. A new score is one more row of `SCORES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaetools.nn.objectives import Autoencoder, antithetic_noise

ELBO_DRAWS = 32
LIKELIHOOD_DRAWS = 128
KNN_NEIGHBORS = 5

State = Mapping[str, np.ndarray]


class Score(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    unit : str
    evaluate : callable
        ``(model, state, x, condition)`` → Tensor of shape ``(n_samples,)``.
    fit_state : callable or None
        Reference codes ``(n_reference, n_components)`` → a dict of arrays to score against.
    decodes, needs_posterior : bool
        Whether the score needs a decoder, and a posterior with a spread.
    """

    unit: str
    evaluate: Callable[[Autoencoder, State, Tensor, Tensor | None], Tensor]
    fit_state: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    decodes: bool = True
    needs_posterior: bool = False


def _reconstruction_kl(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    terms = model.terms(x, condition)
    return -terms.reconstruction - terms.kl


def elbo_with_error(model: Autoencoder, x: Tensor, condition: Any) -> tuple[Tensor, Tensor]:
    """Return the evidence lower bound of every row and its Monte-Carlo standard error.

    Mirrored draws are not independent, so the error is that of the means of the pairs.
    """
    noise = antithetic_noise(ELBO_DRAWS, model.n_components).to(x)
    pairs = model.bound_draws(x, noise, condition).reshape(-1, 2, len(x)).mean(dim=1)
    return pairs.mean(dim=0), pairs.std(dim=0) / len(pairs) ** 0.5


def _elbo(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    return elbo_with_error(model, x, condition)[0]


def _log_likelihood(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    noise = antithetic_noise(LIKELIHOOD_DRAWS, model.n_components).to(x)
    return model.log_likelihood(x, noise, condition)


def _neg_reconstruction(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    return -model.terms(x, condition).reconstruction


def _neg_kl(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    return -model.kl_terms(x, condition).sum(dim=1)


def _whiten(codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the codes as standardized principal components, and how to get there."""
    mean = codes.mean(axis=0)
    covariance = np.atleast_2d(np.cov(codes.T, ddof=0)) if len(codes) > 1 else np.eye(codes.shape[1])
    variances, axes = np.linalg.eigh(covariance)
    # a collapsed direction holds no information: do not blow it up
    floor = 1e-6 * variances.max() or 1.0  # of codes that are all alike, keep the unit
    whitening = axes / np.sqrt(np.maximum(variances, floor))
    return {"mean": mean, "whitening": whitening, "codes": (codes - mean) @ whitening}


def _latent_knn(model: Autoencoder, state: State, x: Tensor, condition: Any) -> Tensor:
    mean, whitening, codes = (torch.as_tensor(state[k]).to(x) for k in ("mean", "whitening", "codes"))
    white = (model.code(x, condition) - mean) @ whitening
    # differences, not a product: distances of a row must not depend on its batch
    distances = torch.cdist(white, codes, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.topk(min(KNN_NEIGHBORS, len(codes)), dim=1, largest=False).values
    return -nearest.mean(dim=1)


SCORES: dict[str, Score] = {
    "reconstruction_kl": Score("nats", _reconstruction_kl),
    "elbo": Score("nats", _elbo),
    "log_likelihood": Score("nats", _log_likelihood, needs_posterior=True),
    "neg_reconstruction": Score("nats", _neg_reconstruction),
    "neg_kl": Score("nats", _neg_kl, decodes=False, needs_posterior=True),
    "latent_knn": Score("std", _latent_knn, fit_state=_whiten, decodes=False),
}

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
likelihood_regret   nats    Minus what a posterior of the row's own adds to the bound.
latent_knn          std     Minus the mean distance to the 5 nearest training codes, in
                            standard deviations of the whitened codes.
aggregate           nats    log p(x | z) minus the KL to the aggregated posterior of training
                            rows, instead of to the prior.
density_of_states   nats    Log density of the row's statistics among those of training rows:
                            cost, KL, and of images complexity, contrast and dissimilarity.
structure           std     Minus the Mahalanobis distance of the pattern in which the
                            reconstruction of an image fails (1 − SSIM, in 7×7 cells).
hidden_residual     std     Minus the Mahalanobis distance between what the encoder makes of a
                            row and of its reconstruction.
images              nats    Recommended for images: log tail probability of structure, hidden
                            residual and latent kNN together, guarded by density of states.
tables              std     Recommended for tables: minus the log distance to the nearest
                            training row, minus the reconstruction, each in its usual spread.
==================  ======  ==================================================================

No score contains ``beta``. What a score must know of training rows is its state: arrays of at most
10,000 rows, which are saved with the model. A new score is one more row of `SCORES`. What each
catches, misses and costs is in ``docs/scores.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from vaetools.anomaly import density, images, neighbors, recommended
from vaetools.anomaly.reference import Fitted, Reference, State, States
from vaetools.anomaly.regret import likelihood_regret
from vaetools.nn.model import Reading, antithetic_noise

ELBO_DRAWS = 32
LIKELIHOOD_DRAWS = 128


class Score(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    unit : str
    evaluate : callable
        Reading of rows, states of scores → Tensor of shape ``(n_samples,)``.
    fit_state : callable or None
        Reference rows, states of the parts → a dict of arrays to score against.
    parts : tuple of str
        Scores that this one is built from, whose states it needs.
    decodes, needs_posterior, needs_images : bool
        Whether the score needs a decoder, a posterior with a spread, and ``image_shape``.
    """

    unit: str
    evaluate: Callable[[Reading, States], Tensor]
    fit_state: Callable[[Reference, Fitted], State] | None = None
    parts: tuple[str, ...] = ()
    decodes: bool = True
    needs_posterior: bool = False
    needs_images: bool = False


def _reconstruction_kl(reading: Reading, states: States) -> Tensor:
    return -reading.reconstruction.sum(dim=1) - reading.kl.sum(dim=1)


def elbo_with_error(reading: Reading) -> tuple[Tensor, Tensor]:
    """Return the evidence lower bound of every row and its Monte-Carlo standard error.

    Mirrored draws are not independent, so the error is that of the means of the pairs.
    """
    noise = antithetic_noise(ELBO_DRAWS, reading.model.n_components).to(reading.x)
    pairs = reading.bound(noise).reshape(-1, 2, len(reading.x)).mean(dim=1)
    return pairs.mean(dim=0), pairs.std(dim=0) / len(pairs) ** 0.5


def _elbo(reading: Reading, states: States) -> Tensor:
    return elbo_with_error(reading)[0]


def _log_likelihood(reading: Reading, states: States) -> Tensor:
    noise = antithetic_noise(LIKELIHOOD_DRAWS, reading.model.n_components).to(reading.x)
    return reading.log_likelihood(noise)


def _neg_reconstruction(reading: Reading, states: States) -> Tensor:
    return -reading.reconstruction.sum(dim=1)


def _neg_kl(reading: Reading, states: States) -> Tensor:
    return -reading.kl.sum(dim=1)


SCORES: dict[str, Score] = {
    "reconstruction_kl": Score("nats", _reconstruction_kl),
    "elbo": Score("nats", _elbo),
    "log_likelihood": Score("nats", _log_likelihood, needs_posterior=True),
    "neg_reconstruction": Score("nats", _neg_reconstruction),
    "neg_kl": Score("nats", _neg_kl, decodes=False, needs_posterior=True),
    "likelihood_regret": Score("nats", likelihood_regret, needs_posterior=True),
    "latent_knn": Score("std", neighbors.latent_knn, neighbors.fit_latent_knn, decodes=False),
    "aggregate": Score("nats", neighbors.aggregate, neighbors.fit_aggregate, needs_posterior=True),
    "density_of_states": Score("nats", density.density_of_states, density.fit_density_of_states),
    "structure": Score("std", images.structure, images.fit_structure, needs_images=True),
    "hidden_residual": Score("std", images.hidden_residual, images.fit_hidden_residual),
    "images": Score(
        "nats",
        recommended.images,
        recommended.fit_images,
        parts=("structure", "hidden_residual", "latent_knn", "density_of_states"),
        needs_images=True,
    ),
    "tables": Score("std", recommended.tables, recommended.fit_tables),
}


def fit_states(name: str, reference: Reference) -> dict[str, State]:
    """Return the state of a score and of its parts, by name; empty where there is none."""
    score = SCORES[name]
    states: dict[str, State] = {}
    for part in score.parts:
        states |= fit_states(part, reference)
    if score.fit_state is not None:
        states[name] = score.fit_state(reference, states)
    return states

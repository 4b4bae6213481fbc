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
perceptual          std     Of a model with an added loss: minus reconstruction + KL, minus that
                            loss, each in its standard deviations.
images              nats    Recommended for images: log tail probability of structure, hidden
                            residual and latent kNN together, guarded by density of states.
tables              std     Recommended for tables: minus the log distance to the nearest
                            training rows, minus the reconstruction, each in its usual spread.
marked              nats    For rows of which some were marked: minus the log-odds of being odd,
                            by reconstruction and KL, and by how like rows are to those marked odd.
==================  ======  ==================================================================

No score contains ``beta``. What a score must know of training rows is its state: arrays of at most
10,000 rows, which are saved with the model. A new score is one more row of `SCORES`, which is known without
loading torch. What each catches, misses and costs is in ``docs/scores.md``.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from vaetools.anomaly.reference import Fitted, Reference, State, States
    from vaetools.nn.model import Reading


class Score(NamedTuple):
    """A row of the table."""

    unit: str
    home: str  # module and function of this room
    learns: bool = False  # has a state, which the function ``fit_…`` beside it makes of training rows
    parts: tuple[str, ...] = ()  # scores that this one is built from, whose states it needs
    decodes: bool = True
    needs_posterior: bool = False  # with a spread
    needs_prior: bool = False  # of codes, which cost nothing without one
    needs_images: bool = False
    needs_added: bool = False  # a loss that was added in training

    @property
    def evaluate(self) -> "Callable[[Reading, States], Tensor]":
        """Reading of rows, states of scores → Tensor of shape ``(n_samples,)``."""
        return self._function("")

    @property
    def fit_state(self) -> "Callable[[Reference, Fitted], State]":
        """Reference rows, states of the parts → a dict of arrays to score against."""
        return self._function("fit_")

    def _function(self, prefix: str) -> Callable[..., Any]:
        module, name = self.home.split(".")
        home = importlib.import_module(f"vaetools.anomaly.{module}")
        function: Callable[..., Any] = getattr(home, prefix + name)
        return function


SCORES: dict[str, Score] = {
    "reconstruction_kl": Score("nats", "bounds.reconstruction_kl"),
    "elbo": Score("nats", "bounds.elbo"),
    "log_likelihood": Score("nats", "bounds.log_likelihood", needs_posterior=True),
    "neg_reconstruction": Score("nats", "bounds.neg_reconstruction"),
    "neg_kl": Score("nats", "bounds.neg_kl", decodes=False, needs_prior=True),
    "likelihood_regret": Score("nats", "bounds.likelihood_regret", needs_posterior=True),
    "latent_knn": Score("std", "reference.latent_knn", learns=True, decodes=False),
    "aggregate": Score("nats", "reference.aggregate", learns=True, needs_posterior=True),
    "density_of_states": Score("nats", "density.density_of_states", learns=True),
    "structure": Score("std", "images.structure", learns=True, needs_images=True),
    "hidden_residual": Score("std", "images.hidden_residual", learns=True),
    "perceptual": Score("std", "perceptual.perceptual", learns=True, needs_images=True, needs_added=True),
    "images": Score(
        "nats",
        "recommended.images",
        learns=True,
        parts=("structure", "hidden_residual", "latent_knn", "density_of_states"),
        needs_images=True,
    ),
    "tables": Score("std", "recommended.tables", learns=True),
    "marked": Score("nats", "marks.marked", learns=True),
}

AnomalyScore = Literal[
    "reconstruction_kl",
    "elbo",
    "log_likelihood",
    "neg_reconstruction",
    "neg_kl",
    "likelihood_regret",
    "latent_knn",
    "aggregate",
    "density_of_states",
    "structure",
    "hidden_residual",
    "perceptual",
    "images",
    "tables",
    "marked",
]  # for type checkers


def needed_states(name: str) -> tuple[str, ...]:
    """Return the names of the states that a score asks: its own, and those of its parts."""
    own = (name,) if SCORES[name].learns else ()
    return own + tuple(state for part in SCORES[name].parts for state in needed_states(part))


def fit_states(name: str, reference: "Reference") -> "dict[str, State]":
    """Return the state of a score and of its parts, by name; empty where there is none."""
    score = SCORES[name]
    states: dict[str, State] = {}
    for part in score.parts:
        states |= fit_states(part, reference)
    if score.learns:
        states[name] = score.fit_state(reference, states)
    return states

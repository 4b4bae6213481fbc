"""What a score may learn from training rows, and scores that compare a row with these or their codes.

References
----------
Tomczak, Welling (2018), "VAE with a VampPrior", AISTATS (the aggregated posterior).
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaetools.geometry import covariance, whitening
from vaetools.nn.model import Reading

if TYPE_CHECKING:
    from vaetools.anomaly.marks import Marks

KNN_NEIGHBORS = 5
_BLOCK = 32  # rows, so few that what lies between them and all references fits into a cache

State = dict[str, np.ndarray]
Fitted = Mapping[str, State]  # by the names of the scores
States = Mapping[str, Mapping[str, Tensor]]  # the same on the device of the rows


class Reference(NamedTuple):
    """At most 10,000 of the rows that trained, as the states of scores see them."""

    evaluate: Callable[[Callable[[Reading], Tensor]], np.ndarray]  # a function of all readings, float64
    image_shape: tuple[int, int, int] | None
    marks: "Marks | None" = None  # of rows beside them, and of some of them


def usable(spread: Any, size: Any = 1.0) -> np.ndarray:
    """Return a spread to divide by, or 1 where it may be no more than the rounding of values of a size.

    Examples
    --------
    >>> usable(np.array([0.25, 1e-9]))
    array([0.25, 1.  ])
    """
    return np.where(spread > 1e-6 * size, spread, 1.0)


def on(states: Fitted, like: Tensor) -> dict[str, dict[str, Tensor]]:
    """Return states as tensors on the device of ``like``, in its precision."""
    return {
        score: {name: torch.as_tensor(value).to(like) for name, value in state.items()}
        for score, state in states.items()
    }


def seen(reading: Reading) -> Tensor:
    """Return rows as an encoder sees them: scaled, categories one-hot, and zeros for what is missing."""
    return reading.model.likelihood.inputs(reading.x)


def nearest(rows: Tensor, references: Tensor, k: int) -> Tensor:
    """Return Euclidean distances to the k nearest references, ascending, ``(n_samples, k)``."""
    k = min(k, len(references))
    # differences, not a product: distances of a row must not depend on its batch
    blocks = (
        torch.cdist(block, references, compute_mode="donot_use_mm_for_euclid_dist")
        for block in ([rows] if torch.compiler.is_compiling() else rows.split(_BLOCK))
    )
    return torch.cat([block.topk(k, dim=1, largest=False).values for block in blocks])


def nearest_others(references: Tensor, k: int) -> Tensor:
    """Return distances of every reference to its k nearest others, ``(n_reference, k)``."""
    if len(references) == 1:
        return references.new_zeros(1, 1)
    return nearest(references, references, k + 1)[:, 1:]


def whitened(vectors: np.ndarray, covariance: np.ndarray) -> State:
    """Return the mean of vectors and what makes their principal components have a variance of 1."""
    # a collapsed direction holds no information: do not blow it up
    least = 1e-18 * np.square(vectors).mean()
    floored = whitening(covariance, lambda v: np.maximum(v, usable(1e-6 * v.max(), least)))
    return {"mean": vectors.mean(axis=0), "whitening": floored}


def whiten(codes: np.ndarray) -> State:
    """Return the codes as standardized principal components, and how to get there."""
    state = whitened(codes, covariance(codes))
    return state | {"codes": (codes - state["mean"]) @ state["whitening"]}


def fit_latent_knn(reference: Reference, states: Fitted) -> State:
    """Return whitened reference codes."""
    return whiten(reference.evaluate(lambda reading: reading.mean))


def latent_knn(reading: Reading, states: States) -> Tensor:
    """Minus the mean distance to the nearest reference codes."""
    mean, whitening, codes = (states["latent_knn"][key] for key in ("mean", "whitening", "codes"))
    return -nearest((reading.mean - mean) @ whitening, codes, KNN_NEIGHBORS).mean(dim=1)


def fit_aggregate(reference: Reference, states: Fitted) -> State:
    """Return the posteriors of reference rows."""
    stats = reference.evaluate(lambda reading: torch.cat([reading.mean, reading.latent.log_std], dim=1))
    mean, log_std = np.split(stats, 2, axis=1)
    return {"mean": mean, "log_std": log_std}


def aggregate(reading: Reading, states: States) -> Tensor:
    """Log p(x | z) + log mean over references i of exp(−KL(q(z | x) ‖ q(z | x_i)))."""
    mean, log_std = states["aggregate"]["mean"], states["aggregate"]["log_std"]
    precision, latent = torch.exp(-2 * log_std), reading.latent
    nearness = []
    for m, s in zip(latent.mean.split(_BLOCK), latent.log_std.split(_BLOCK), strict=True):
        kl = 0.5 * (torch.exp(2 * s) @ precision.T - m.shape[1])  # (n_block, n_reference)
        kl += log_std.sum(dim=1) - s.sum(dim=1, keepdim=True)
        # differences, not a product, whose digits would cancel near references of small spread
        for own, other, weight in zip(m.T, mean.T, precision.T, strict=True):
            kl.addcmul_((own[:, None] - other).square_(), weight, value=0.5)
        nearness.append(torch.logsumexp(-kl, dim=1) - math.log(len(mean)))
    return torch.cat(nearness) - reading.reconstruction.sum(dim=1)

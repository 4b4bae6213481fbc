"""Density of states: how usual the statistics of a row are, in both directions.

A likelihood alone trusts what is simple: an image without contrast costs few nats. So the
question is not whether a row costs much but whether rows like it cost what it does.

References
----------
Morningstar et al. (2021), "Density of States Estimation for Out-of-Distribution Detection", AISTATS.
Serrà et al. (2020), "Input Complexity and Out-of-distribution Detection with Likelihood-based
Generative Models", ICLR.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from vaetools.anomaly.images import Shape, complexity, contrast, dissimilarity, pixel_range, shape_of
from vaetools.anomaly.reference import Fitted, Reference, State, States, usable
from vaetools.geometry import covariance, whitening
from vaetools.nn.model import Reading

N_POINTS = 2_000  # reference rows of the density


def _statistics(reading: Reading, state: Mapping[str, Tensor]) -> Tensor:
    """Cost, KL of the code, and of images complexity, contrast and dissimilarity, ``(n_samples, 2 or 5)``."""
    # what a label costs depends on whether it was given
    kl = reading.kl[:, : reading.mean.shape[1]].sum(dim=1)
    median, spread = state["reconstruction"]
    columns = [torch.asinh((reading.reconstruction.sum(dim=1) - median) / spread), torch.log(kl + 1e-3)]
    if "image_shape" in state:
        shape, limits = shape_of(state), state["limits"]
        columns += [
            torch.log1p(_complexity(reading, shape, limits)),
            torch.log(contrast(reading.x, shape, limits) + 1e-3),
            torch.log(dissimilarity(reading, shape, limits).flatten(1).mean(dim=1) + 1e-3),
        ]
    return torch.stack(columns, dim=1)


def _complexity(reading: Reading, shape: Shape, limits: Tensor) -> Tensor:
    """Complexity of the images of a reading, which may have been made with more digits."""
    made = reading.made.get("complexity")
    return complexity(reading.x, shape, limits) if made is None else made


def fit_density_of_states(reference: Reference, states: Fitted) -> State:
    """Return the whitened statistics of reference rows, their bandwidth, and how to get there."""
    costs = reference.evaluate(lambda r: r.reconstruction.sum(dim=1))
    low, median, high = np.quantile(costs, [0.25, 0.5, 0.75])
    state = {"reconstruction": np.array([median, usable(high - low, abs(median) + 1)])}
    if reference.image_shape is not None:
        state |= {"image_shape": np.array(reference.image_shape), "limits": pixel_range(reference)}
    as_tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    statistics = reference.evaluate(
        lambda r: _statistics(r, {name: value.to(r.x) for name, value in as_tensors.items()})
    )
    points = statistics[:: math.ceil(len(statistics) / N_POINTS)]
    mean = points.mean(axis=0)
    bandwidth = len(points) ** (-1 / (len(mean) + 4))  # Scott's rule
    # a statistic that hardly varies says little, and must not say it loudly
    scale = whitening(covariance(points), lambda v: v + 1e-6 * v.mean() + 1e-12) / bandwidth
    points = (points - mean) @ scale
    return state | {"mean": mean, "whitening": scale, "points": points, "tail": _tail(points)}


def _tail(points: np.ndarray) -> np.ndarray:
    """Level that a tenth of the points exceed, each judged by the others, and by how much they do."""
    if len(points) < 2:
        return np.array([0.0, 1.0])
    squares = _squares(*(2 * [torch.from_numpy(points)]))
    oddness = -torch.logsumexp(-0.5 * squares.fill_diagonal_(math.inf), dim=1).numpy()
    oddness += math.log(len(points))
    level = np.quantile(oddness, 0.9)
    return np.array([level, (oddness[oddness > level] - level).mean() if (oddness > level).any() else 1.0])


def density_of_states(reading: Reading, states: States) -> Tensor:
    """Log density of the statistics of every row, up to a constant."""
    state = states["density_of_states"]
    placed = (_statistics(reading, state) - state["mean"]) @ state["whitening"]
    return torch.logsumexp(-0.5 * _squares(placed, state["points"]), dim=1) - math.log(len(state["points"]))


def _squares(rows: Tensor, points: Tensor) -> Tensor:
    """Squared distances, ``(n_samples, n_points)``; of differences, so that they depend on the row alone."""
    return torch.cdist(rows, points, compute_mode="donot_use_mm_for_euclid_dist").square()

"""How odd places of images are, by the features there: near what good images show, and as usual for the like.

A place is judged by its costs: the log of its squared distance to the nearest of some reference patches, and
what an autoencoder of patches makes of it. Both are larger where texture is rich, at rims and corners. So
each is compared with what it is on good images at places *alike*, those near the same references.

References
----------
Roth et al. (2022), "Towards Total Recall in Industrial Anomaly Detection", CVPR (the greedy cover).
Gonzalez (1985), "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST = 1e-6  # squared distance, whose log is taken
_PROJECTED = 48  # dimensions in which the cover is chosen
_LIKE = 4  # references that say what is usual at a place
_WEIGHT = 5.0  # places that a reference must have seen for its own spread to count as much as that of all
_BLOCK = 4096
_SPREAD = 1.4826  # of a normal distribution, in median absolute deviations
_LEAST_SPREAD = 1e-3


def greedy_cover(points: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return places of n points such that no other lies far from all: each is the farthest from those before.

    In a random projection, which keeps distances well enough.

    Examples
    --------
    >>> line = torch.cat([torch.zeros(98, 1), torch.tensor([[5.0], [9.0]])])
    >>> sorted(line[greedy_cover(line, 3, torch.Generator().manual_seed(0))].ravel().tolist())
    [0.0, 5.0, 9.0]
    """
    n_points, n_features = points.shape
    if n_points <= n:
        return torch.arange(n_points)
    if n_features > _PROJECTED:
        axes = torch.randn(n_features, _PROJECTED, generator=generator, dtype=points.dtype)
        points = points @ (axes / math.sqrt(_PROJECTED))
    squares = points.square().sum(dim=1)
    chosen = [int(torch.randint(n_points, (1,), generator=generator))]
    distances = torch.full((n_points,), math.inf, dtype=points.dtype)
    while len(chosen) < n:
        last = chosen[-1]
        to_last = torch.addmv(squares + squares[last], points, points[last], alpha=-2)
        distances = torch.minimum(distances, to_last)
        chosen.append(int(distances.argmax()))
    return torch.tensor(chosen)


def nearest_references(points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return squared distances to the nearest references, ascending, and which these are, ``(n, 4)`` each."""
    k = min(_LIKE, len(references))
    squares, found = references.square().sum(dim=1), []
    for block in points.split(_BLOCK):
        distances = torch.addmm(squares, block, references.T, alpha=-2)
        least, which = distances.topk(k, dim=1, largest=False)
        found.append(((least + block.square().sum(dim=1, keepdim=True)).clamp(min=LEAST), which))
    distances, which = map(torch.cat, zip(*found, strict=True))
    return distances, which


def usual_costs(costs: Tensor, which: Tensor, n_references: int) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of costs of good places by their nearest reference.

    Of references that saw few places they are drawn to those of all.

    Parameters
    ----------
    costs : Tensor of shape (n_places, n_costs)
    which : Tensor of shape (n_places,), int
    n_references : int

    Returns
    -------
    center, spread : Tensor of shape (n_references, n_costs)
    """
    n = torch.bincount(which, minlength=n_references)[:, None].to(costs.dtype)
    sums, squares = (
        torch.zeros(n_references, costs.shape[1], dtype=costs.dtype).index_add_(0, which, values)
        for values in (costs, costs.square())
    )
    center = (sums + _WEIGHT * costs.mean(dim=0)) / (n + _WEIGHT)
    around = squares - 2 * center * sums + n * center.square()
    variance = (around + _WEIGHT * costs.var(dim=0)) / (n + _WEIGHT)
    return center, variance.clamp(min=LEAST).sqrt()


def oddness(costs: Tensor, which: Tensor, center: Tensor, spread: Tensor) -> Tensor:
    """Return the mean of costs as standard deviations from what is usual near the nearest references."""
    usual, around = center[which].mean(dim=1), spread[which].mean(dim=1)
    return ((costs - usual) / around).mean(dim=1)


def blurred(maps: Tensor, inside: Tensor, sigma: float) -> Tensor:
    """Return maps, blurred by a Gaussian over the places inside; a sigma of 0 leaves them, ∞ is the mean.

    Parameters
    ----------
    maps, inside : Tensor of shape (n_images, height, width)
        ``inside`` is 1 where a place is part of the image and 0 where it is none.
    sigma : float
        In places.
    """
    if sigma == 0:
        return maps
    if math.isinf(sigma):
        mean = (maps * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2))
        return mean[:, None, None].expand_as(maps)
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=maps.dtype) / sigma).square())
    both = torch.stack([maps * inside, inside], dim=1).flatten(0, 1)[:, None]
    both = F.conv2d(
        F.conv2d(both, weights[None, None, :, None], padding=(reach, 0)),
        weights[None, None, None],
        padding=(0, reach),
    )
    total, weight = both.unflatten(0, (-1, 2))[:, :, 0].unbind(dim=1)
    return total / weight.clamp(min=LEAST)


def robust_scale(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the median and the spread of every column, ``(n_columns,)`` each; a few values are no matter."""
    center = values.median(dim=0).values
    spread = _SPREAD * (values - center).abs().median(dim=0).values
    return center, spread.clamp(min=_LEAST_SPREAD)

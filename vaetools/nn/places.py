"""How odd places of images are, by the features there: near what good images show, and as usual for the like.

A place is judged by its costs: the log of its squared distance to the nearest of some reference patches,
what an autoencoder of patches leaves of it, as it is and against what that usually leaves, and the odds that
it is of a defect, by what tells planted ones from good places. All are larger where texture is rich, at rims
and corners. So each is compared with what it is on good images at places *alike*, those near the same
references and as far from the rim.

References
----------
Roth et al. (2022), "Towards Total Recall in Industrial Anomaly Detection", CVPR (the greedy cover).
Gonzalez (1985), "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.nn.layers import N_FROM_RIM, REGIONS_A_SIDE

LEAST = 1e-6  # squared distance, whose log is taken
_PROJECTED = 48  # dimensions in which the cover is chosen
_MOST_AXES = 64  # in which nearest references are looked for
_LIKE = 4  # references that say what is usual at a place
_WEIGHT = 5.0  # places that a reference must have seen for its own spread to count as much as that of all
_N_FOLDS = 5  # of images that tell what is usual
_BLOCK = 4096
_FOLD = 4  # columns whose least is looked for first
_LEAST_SPREAD = 1e-3
_MOST_LOG_ODDS = 15.0
_WEIGHTS = 1.0, 1.0, 1.0, 0.5  # of costs, the odds last
_RIDGE = 0.01  # of the mean variance, that directions which hardly vary are given


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


def principal_axes(points: Tensor) -> Tensor:
    """Return the axes of most variance of points, at most 64, ``(n_features, n_axes)``."""
    _, axes = torch.linalg.eigh(torch.cov(points.T))
    largest: Tensor = axes[:, -_MOST_AXES:].contiguous()
    return largest


def whitening(rows: Tensor) -> Tensor:
    """Return by what rows around zero become about spherical, ``(n_features, n_features)``.

    Examples
    --------
    >>> rows = torch.randn(9999, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 1.0])
    >>> (rows @ whitening(rows)).std(dim=0).round(decimals=1).sort().values
    tensor([1., 1.])
    """
    values, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
    made: Tensor = axes / (values + _RIDGE * values.mean()).clamp(min=LEAST).sqrt()
    return made


def nearest_references(points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return squared distances to the nearest references, ascending, and which these are, ``(n, 4)`` each."""
    k = min(_LIKE, len(references))
    squares, found = references.square().sum(dim=1), []
    # a graph takes any number of points, and so all at once
    for block in [points] if torch.compiler.is_compiling() else points.split(_BLOCK):
        distances = torch.addmm(squares, block, references.T, alpha=-2)
        least, which = least_of(distances, k)
        found.append(((least + block.square().sum(dim=1, keepdim=True)).clamp(min=LEAST), which))
    distances, which = map(torch.cat, zip(*found, strict=True))
    return distances, which


def least_of(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k least values of rows, ascending, and where they are, sooner than ``topk`` on long rows.

    They are among the columns of the k least of minima of four columns each.

    Examples
    --------
    >>> least_of(torch.tensor([[5.0, 3.0, 8.0, 1.0, 9.0, 7.0, 2.0, 6.0, 4.0]]), 2)
    (tensor([[1., 2.]]), tensor([[3, 6]]))
    """
    n = values.shape[1] // _FOLD
    if n < k:
        least, which = values.topk(k, dim=1, largest=False)
        return least, which
    minima = values[:, : n * _FOLD].unflatten(1, (_FOLD, n)).amin(dim=1)
    near = minima.topk(k, dim=1, largest=False).indices
    columns = torch.arange(_FOLD, device=values.device)[:, None] * n + near[:, None]
    rest = torch.arange(n * _FOLD, values.shape[1], device=values.device) + torch.zeros_like(near[:, :1])
    columns = torch.cat([columns.flatten(1), rest], dim=1)
    least, which = values.gather(1, columns).topk(k, dim=1, largest=False)
    return least, columns.gather(1, which)


def odds(points: Tensor, inward: Tensor, bias: Tensor, outward: Tensor) -> Tensor:
    """Return the odds that places are of a defect, by a network of one hidden layer, ``(n_places,)``.

    Examples
    --------
    >>> odds(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0]]), torch.tensor([-4.0]), torch.tensor([2.0]))
    tensor([1.0000, 7.3891])
    """
    logits = (points @ inward + bias).relu() @ outward
    return logits.clamp(-_MOST_LOG_ODDS, _MOST_LOG_ODDS).exp()


def usual_costs(costs: Tensor, kinds: Tensor, n_kinds: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance of costs of good places, by kind of place.

    Of kinds that few places are of, they are drawn to those of all.

    Parameters
    ----------
    costs : Tensor of shape (n_places, n_costs)
    kinds : Tensor of shape (n_places, n_own), int
        Those that a place is of, as the references that it is near.
    n_kinds : int

    Returns
    -------
    center, variance : Tensor of shape (n_kinds, n_costs)
    """
    n = torch.bincount(kinds.flatten(), minlength=n_kinds)[:, None].to(costs.dtype)
    repeated = costs.repeat_interleave(kinds.shape[1], dim=0)
    sums, squares = (
        torch.zeros(n_kinds, costs.shape[1], dtype=costs.dtype).index_add_(0, kinds.flatten(), values)
        for values in (repeated, repeated.square())
    )
    mean, variance = costs.mean(dim=0), costs.var(dim=0, correction=0)
    center = (sums + _WEIGHT * mean) / (n + _WEIGHT)
    own = (squares + _WEIGHT * (variance + mean.square())) / (n + _WEIGHT) - center.square()
    return center, own.clamp(min=LEAST)


def fifths(n: int, n_all: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield numbers of a fifth of n images, and which of all are others, ``(n_all,)``, five times or n.

    Examples
    --------
    >>> [(own.tolist(), others.tolist()) for own, others in fifths(2, 3)]
    [([0], [False, True, True]), ([1], [True, False, True])]
    """
    for own in torch.arange(n).tensor_split(min(_N_FOLDS, n)):
        yield own, torch.ones(n_all, dtype=torch.bool).index_fill(0, own, False)


def oddness(costs: Tensor, center: Tensor, variance: Tensor) -> Tensor:
    """Return the mean of costs, in standard deviations from what is usual; odds, if any, count half.

    Examples
    --------
    >>> oddness(torch.tensor([1.0, 2.0, 3.0, 9.0]), torch.zeros(4), torch.ones(4))
    tensor(3.)
    """
    weights = costs.new_tensor(_WEIGHTS[: costs.shape[-1]])
    mean: Tensor = ((costs - center) / variance.sqrt() * weights).sum(dim=-1) / weights.sum()
    return mean


def from_rim(inside: Tensor) -> Tensor:
    """Return how many places lie between each and the nearest outside, at most 3, as integers.

    Examples
    --------
    >>> from_rim(torch.ones(1, 3, 9))[0].tolist()
    [[0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]]
    """
    most = N_FROM_RIM - 1
    outside = F.pad(1 - inside, [most] * 4, value=1.0)[:, None]
    near = [F.max_pool2d(outside, 2 * reach + 1, 1, reach) for reach in range(1, most + 1)]
    return (torch.cat(near, dim=1) == 0).sum(dim=1)[:, most:-most, most:-most]


def regions(shape: Sequence[int]) -> Tensor:
    """Return in which region of an image every place lies, row by row, of four by four.

    Examples
    --------
    >>> regions((4, 8)).unflatten(0, (4, 8))[:2].tolist()
    [[0, 0, 1, 1, 2, 2, 3, 3], [4, 4, 5, 5, 6, 6, 7, 7]]
    """
    down, across = (torch.arange(n) * REGIONS_A_SIDE // n for n in shape)
    return (REGIONS_A_SIDE * down[:, None] + across).flatten()


def blurred(maps: Tensor, inside: Tensor, sigma: float) -> Tensor:
    """Return maps, blurred by a Gaussian over the places inside; a sigma of 0 leaves them.

    Parameters
    ----------
    maps, inside : Tensor of shape (n_images, height, width)
        ``inside`` is 1 where a place is part of the image and 0 where it is none.
    sigma : float
        In places.
    """
    if sigma == 0:
        return maps
    pairs = torch.stack([maps * inside, inside], dim=1)
    total, weight = _smoothed(pairs.flatten(0, 1), sigma).unflatten(0, (-1, 2)).unbind(dim=1)
    mean: Tensor = total / weight.clamp(min=LEAST)
    return mean


def _smoothed(maps: Tensor, sigma: float) -> Tensor:
    """Return sums of maps, weighted by a Gaussian whose weights add up to 1."""
    reach = math.ceil(3 * sigma)
    places = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
    weights = torch.softmax(-0.5 * (places / sigma).square(), dim=0)
    down = F.conv2d(maps[:, None], weights[None, None, :, None], padding=(reach, 0))
    return F.conv2d(down, weights[None, None, None], padding=(0, reach))[:, 0]


def scale_of_maxima(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return medians of columns, and how far above them nine of ten values keep, ``(n_columns,)`` each."""
    center, high = torch.quantile(values, torch.tensor([0.5, 0.9], dtype=values.dtype), dim=0)
    return center, (high - center).clamp(min=_LEAST_SPREAD)

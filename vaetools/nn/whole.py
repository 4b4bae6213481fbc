"""How odd an image is as a whole: by what a network sees on the mean of it.

References
----------
Rippel, Mertens & Merhof (2021), "Modeling the Distribution of Normal Data in Pre-Trained Deep Features for
Anomaly Detection", ICPR.
Ledoit & Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
Multivariate Analysis 88.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.places import LEAST, fifths, scale_of_maxima

_LEAST_SHARE = 0.01  # of the whole, beside places
_FOCUS = 4  # power of how odd a place is in its image, by which it takes part in the whole


class Whole(nn.Module):
    """Mahalanobis distances of the direction of a map's mean.

    The length of that mean tells contrast and sharpness more than what an image shows: without it, a single
    class of small photographs is told from others better.

    Parameters
    ----------
    n_features : int

    Attributes
    ----------
    center : Tensor of shape (n_features,)
        Of good images.
    whitening : Tensor of shape (n_features, n_features)
        By which directions of good images become spherical.
    level_center, level_spread : Tensor of shape (1,)
        What the log of the distance is on good images, and how far above nine of ten keep; beside places,
        over the share that the whole has.
    """

    center: Tensor
    whitening: Tensor
    level_center: Tensor
    level_spread: Tensor

    def __init__(self, n_features: int):
        super().__init__()
        self.register_buffer("center", torch.zeros(n_features))
        self.register_buffer("whitening", torch.eye(n_features))
        self.register_buffer("level_center", torch.zeros(1))
        self.register_buffer("level_spread", torch.ones(1))

    def learn(self, directions: Tensor) -> None:
        """Learn center and whitening from directions of good images."""
        self.center, std = directions.mean(dim=0), directions.std(dim=0, correction=0).clamp(min=LEAST)
        values, axes = torch.linalg.eigh(shrunk_covariance((directions - self.center) / std))
        self.whitening = (axes / values.clamp(min=LEAST).sqrt()) / std[:, None]

    def learn_usual(self, directions: Tensor) -> None:
        """Learn what distances are usual from images that trained nothing."""
        self.level_center, self.level_spread = scale_of_maxima(self.distances(directions)[:, None])

    def learn_crossed(self, directions: Tensor, n: int) -> Tensor:
        """Learn from good images all of which train; return how odd the first n are.

        A fifth of these at a time is judged by all others, which tells what distances are usual.
        """
        found = torch.empty(n)
        for own, others in fifths(n, len(directions)):
            self.learn(directions[others])
            found[own] = self.distances(directions[own])
        self.learn(directions)
        self.level_center, self.level_spread = scale_of_maxima(found[:, None])
        return (found - self.level_center) / self.level_spread

    def learn_share(self, good: Tensor, planted: Tensor) -> None:
        """Learn how much the whole counts, from directions of good images without and with a small defect.

        As much as a defect moves them on the scale of good ones, on average, at most 1 each: where it does
        not, the whole tells nothing of small defects, and good images that differ would only be flagged.
        """
        moved = (self(planted) - self(good)).clamp(-1, 1).mean()
        self.level_spread = self.level_spread / moved.clamp(min=_LEAST_SHARE)

    def distances(self, directions: Tensor) -> Tensor:
        """Return logs of Mahalanobis distances, ``(n_images,)``."""
        white = (directions - self.center) @ self.whitening
        return white.square().mean(dim=1).clamp(min=LEAST).log()

    def forward(self, directions: Tensor) -> Tensor:
        """Return how odd images are, ``(n_images,)``: 0 is usual, 1 what one in ten goes beyond."""
        return (self.distances(directions) - self.level_center) / self.level_spread


def raised(places: Tensor, whole: Tensor) -> Tensor:
    """Return maps of images that are odder by as much as they are odd as a whole, where they are oddest.

    A whole that is usual takes nothing from places.

    Examples
    --------
    >>> places = torch.tensor([[[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]]])
    >>> raised(places, torch.tensor([3.0, -3.0])).tolist()
    [[[0.0, 1.1875, 5.0]], [[0.0, 1.0, 2.0]]]
    """
    least, most = (function(places, dim=(1, 2), keepdim=True) for function in (torch.amin, torch.amax))
    share = torch.where(most > least, (places - least) / (most - least).clamp(min=LEAST), 1)
    return places + whole.clamp(min=0)[:, None, None] * share**_FOCUS


def direction(maps: Tensor, inside: Tensor) -> Tensor:
    """Return means of maps over what is inside, divided by their length, ``(n_images, n_channels)``.

    Parameters
    ----------
    maps : Tensor of shape (n_images, n_channels, height, width)
    inside : Tensor of shape (n_images, height, width)
        1 for what counts; where that is nothing, everything does.

    Examples
    --------
    >>> maps = torch.tensor([[3.0, 3.0, 9.0], [4.0, 4.0, 9.0]])[None, :, None]
    >>> direction(maps, torch.tensor([[[1.0, 1.0, 0.0]]])).round(decimals=1)
    tensor([[0.6000, 0.8000]])
    """
    counts = torch.where(inside.amax(dim=(1, 2), keepdim=True) > 0, inside, 1)[:, None]
    return F.normalize((maps * counts).sum(dim=(2, 3)) / counts.sum(dim=(2, 3)), dim=1)


def shrunk_covariance(rows: Tensor) -> Tensor:
    """Return the covariance of centered rows, shrunk as Ledoit and Wolf do.

    Examples
    --------
    >>> rows = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [2.0, 2.0], [-2.0, -2.0]])
    >>> shrunk_covariance(rows).round(decimals=2)
    tensor([[2.0000, 0.5600],
            [0.5600, 2.0000]])
    """
    n, n_features = rows.shape
    sample = rows.T @ rows / n
    target = sample.diagonal().mean() * torch.eye(n_features, dtype=rows.dtype, device=rows.device)
    away = (sample - target).square().sum()
    noise = (rows.square().sum(dim=1).square().sum() / n - sample.square().sum()) / n
    share = (noise / away.clamp(min=LEAST)).clamp(0, 1)
    return share * target + (1 - share) * sample

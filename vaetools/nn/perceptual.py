"""How unlike an image and its reconstruction look, place by place: by structure, or by frozen features.

Squared error counts every pixel by itself, so that a blurred edge is cheap. Here places are compared by what
lies around them: 0 where both are alike, 1 where they have nothing in common, and at most 2.

References
----------
Wang, Bovik, Sheikh, Simoncelli (2004), "Image quality assessment: from error visibility to structural
similarity", IEEE Transactions on Image Processing 13(4).
Zhao, Gallo, Frosio, Kautz (2017), "Loss Functions for Image Restoration with Neural Networks", IEEE
Transactions on Computational Imaging 3(1).
Johnson, Alahi, Fei-Fei (2016), "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV.
Hou, Shen, Sun, Qiu (2017), "Deep Feature Consistent Variational Autoencoder", WACV.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vaetools.geometry import structural_similarity
from vaetools.nn import STRUCTURE, Shape
from vaetools.nn.features import Features, joined, pretrained
from vaetools.nn.layers import STRIDES, layers_at

_WINDOW = 7  # pixels, of local similarity
_LEAST_PLACES = 4  # a side, of the coarsest layer that is compared
_FAINT = 1e-3  # mean square of features that hardly differ from none


def means_of_views(images: Tensor) -> Tensor:
    """Return the mean of every window of images: rows first, then columns."""
    height, width = (min(_WINDOW, side) for side in images.shape[2:])
    return images.unfold(2, height, 1).mean(dim=-1).unfold(3, width, 1).mean(dim=-1)


def means_of_products(images: Tensor) -> Tensor:
    """Return the same, to the last digits, by matrices: gradients take a fifth of the time."""
    down, across = (_averaging(side, images) for side in images.shape[2:])
    return down @ images @ across.T


def _averaging(side: int, like: Tensor) -> Tensor:
    """Return what every place along a side adds to the mean of every window, ``(n_windows, side)``."""
    places = torch.eye(side, dtype=like.dtype, device=like.device)
    return F.avg_pool1d(places[None], min(_WINDOW, side), stride=1)[0].T


def dissimilarity(a: Tensor, b: Tensor, means: Callable[[Tensor], Tensor] = means_of_views) -> Tensor:
    """Return 1 − SSIM of every window of images in [0, 1], ``(n, channels, height′, width′)``."""
    windows = means(torch.cat([a, b, a * a, b * b, a * b], dim=1))
    mean_a, mean_b, square_a, square_b, product = windows.chunk(5, dim=1)
    # bounds that only rounding passes, of pixels far outside [0, 1]
    variances = (square_a - mean_a**2 + square_b - mean_b**2).clamp(min=0)
    alike: Tensor = structural_similarity(mean_a, mean_b, variances, product - mean_a * mean_b)
    return (1 - alike).clamp(0, 2)


def centered(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps of windows, each where its middle is, and 0 at the rim, where no window has its middle.

    Examples
    --------
    >>> centered(torch.ones(1, 1, 2), 3, 3)
    tensor([[[0., 0., 0.],
             [1., 1., 0.],
             [0., 0., 0.]]])
    """
    down, across = height - maps.shape[1], width - maps.shape[2]
    return F.pad(maps, (across // 2, across - across // 2, down // 2, down - down // 2))


class AddedLoss(NamedTuple):
    """What is added to reconstruction and KL in training, and not in nats.

    A place that has nothing in common with its reconstruction costs ``weight`` for each of its pixels'
    values.
    """

    name: str  # `STRUCTURE`, or a frozen network
    weight: float
    image_shape: Shape

    def __call__(self, x: Tensor, expected: Tensor) -> Tensor:
        """Return what reconstructions of images cost, ``(n_samples,)``."""
        return self.weight * x.shape[1] * self.places(x, expected).mean(dim=(1, 2))

    def places(self, x: Tensor, expected: Tensor) -> Tensor:
        """Return how unlike places are, ``(n_samples, height′, width′)``."""
        a, b = (rows.reshape(-1, *self.image_shape) for rows in (x, expected))
        if self.name == STRUCTURE:
            return dissimilarity(a, b, means_of_products).mean(dim=1)
        network = _frozen(self.name, min(self.image_shape[1:]), x.device, x.dtype)
        pairs = zip(network(a), network(b), strict=True)
        return joined([_unlikeness(*pair)[:, None] for pair in pairs]).mean(dim=1)

    def pixels(self, x: Tensor, expected: Tensor) -> Tensor:
        """Return the same of every pixel, ``(n_samples, height, width)``."""
        _, *size = self.image_shape
        places = self.places(x, expected)
        if self.name == STRUCTURE:
            return centered(places, *size)
        return joined([places[:, None]], size)[:, 0]


def _unlikeness(a: Tensor, b: Tensor) -> Tensor:
    """Return squared differences of features, as a share of their squares, ``(n, height, width)``."""
    sizes = a.square().mean(dim=1) + b.square().mean(dim=1)
    return (a - b).square().mean(dim=1) / (sizes + _FAINT)


@functools.cache
def _frozen(name: str, side: int, device: torch.device, dtype: torch.dtype) -> Features:
    """Return a frozen network up to the layers that images of a shorter side are compared by.

    It is no part of a model, whose weights are what it has learnt.
    """
    strides = [stride for stride in STRIDES if stride * _LEAST_PLACES <= side] or STRIDES[:1]
    layers = layers_at(name, strides)
    assert layers is not None  # of names that may be given
    network, normalization = pretrained(name)
    return Features(network, layers, normalization, None).to(device=device, dtype=dtype)

"""Images judged place by place, as one module: images in, a map of how odd every place is out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.features import Features, joined
from vaetools.nn.model import Autoencoder
from vaetools.nn.places import LEAST, blurred, nearest_references, oddness

SCALES = (0.0, 1.0, 2.0, 4.0)  # of blurs, in places


class PatchModel(nn.Module):
    """What good images look like, place by place.

    Parameters
    ----------
    features : Features
    autoencoder : Autoencoder
        Of patches, which are standardized features of places.
    n_features, n_references : int

    Attributes
    ----------
    mean, std : Tensor of shape (n_features,)
        Of features of good places.
    references : Tensor of shape (n_references, n_features)
        Patches of good images that cover them all.
    center, spread : Tensor of shape (n_references, 2)
        What costs are usual near every reference.
    level_center, level_spread : Tensor of shape (n_levels,)
        Of the greatest values of maps of good images, blur by blur.
    """

    mean: Tensor
    std: Tensor
    references: Tensor
    center: Tensor
    spread: Tensor
    level_center: Tensor
    level_spread: Tensor

    def __init__(
        self, features: Features, autoencoder: Autoencoder | None, n_features: int, n_references: int
    ):
        super().__init__()
        self.features, self.autoencoder = features, autoencoder
        zeros = {"mean": [n_features], "center": [n_references, 2], "level_center": [len(SCALES)]}
        ones = {"std": [n_features], "spread": [n_references, 2], "level_spread": [len(SCALES)]}
        self.register_buffer("references", torch.zeros(n_references, n_features))
        for name, shape in zeros.items():
            self.register_buffer(name, torch.zeros(shape))
        for name, shape in ones.items():
            self.register_buffer(name, torch.ones(shape))

    def forward(self, images: Tensor) -> Tensor:
        """Return how odd every pixel is, ``(n_images, height, width)``; 0 is the most of a typical image.

        The greatest of a map over all sizes of defects, each in standard deviations of such maxima.
        """
        patches, inside = self.patches(images)
        levels = self.levels(self.places(patches), inside)
        map_ = ((levels - self.level_center[:, None, None]) / self.level_spread[:, None, None]).amax(dim=1)
        least = map_.amin(dim=(1, 2), keepdim=True)
        map_ = torch.where(inside > 0, map_, least)[:, None]
        return F.interpolate(map_, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]

    def patches(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return patches, ``(n_images, height, width, n_features)``; and 1 where they count.

        Black borders, as of images that were padded, are no part of an image: it goes on behind its rim as in
        a mirror, and places there do not count.
        """
        rows, columns = (borders(images, axis) for axis in (2, 3))
        mirrored = mirror(mirror(images, rows, 2), columns, 3)
        maps = joined(
            [F.avg_pool2d(each, 3, 1, 1, count_include_pad=False) for each in self.features(mirrored)]
        )
        inside = within(rows, images.shape[2], maps.shape[2])[:, :, None]
        inside = inside * within(columns, images.shape[3], maps.shape[3])[:, None]
        return (maps.permute(0, 2, 3, 1) - self.mean) / self.std, inside

    def places(self, patches: Tensor) -> Tensor:
        """Return how odd places are by themselves, ``(n_images, height, width)``."""
        costs, which = self.costs(patches.flatten(0, 2))
        return oddness(costs, which, self.center, self.spread).reshape(patches.shape[:3])

    def costs(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return both costs of patches, ``(n_places, 2)``, and the references nearest to them."""
        distances, which = nearest_references(points, self.references)
        assert self.autoencoder is not None  # of a model that has been trained
        expected = self.autoencoder.read(points).expected
        error = (points - expected).square().sum(dim=1).clamp(min=LEAST)
        return torch.stack([distances[:, 0], error], dim=1).log(), which

    def levels(self, places: Tensor, inside: Tensor) -> Tensor:
        """Return maps blurred at all scales, ``(n_images, n_levels, height, width)``."""
        return torch.stack([blurred(places, inside, sigma) for sigma in SCALES], dim=1)

    def standardize(self, points: Tensor) -> Tensor:
        """Learn from features of good places what is standard, and return them so."""
        self.mean, self.std = points.mean(dim=0), points.std(dim=0).clamp(min=LEAST)
        return (points - self.mean) / self.std


def borders(images: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the first and the last place along an axis that is not all black, ``(n_images,)`` each.

    Of an image that is all black, those of the whole.
    """
    other = 5 - axis
    lit = (images > 0).any(dim=1).any(dim=other - 1)  # (n_images, side)
    side = lit.shape[1]
    places = torch.arange(side, device=images.device)
    first = torch.where(lit, places, side).amin(dim=1)
    last = torch.where(lit, places, -1).amax(dim=1)
    dark = last < 0
    return torch.where(dark, 0, first), torch.where(dark, side - 1, last)


def mirror(images: Tensor, ends: tuple[Tensor, Tensor], axis: int) -> Tensor:
    """Return images that go on beyond their ends along an axis as in a mirror."""
    first, last = (end[:, None] for end in ends)
    n = last - first + 1
    places = torch.arange(images.shape[axis], device=images.device)[None]
    around = torch.remainder(places - first, 2 * n)
    index = first + torch.minimum(around, 2 * n - 1 - around)
    shape = [len(images), 1, 1, 1]
    shape[axis] = images.shape[axis]
    return images.gather(axis, index.reshape(shape).expand(*images.shape))


def within(ends: tuple[Tensor, Tensor], side: int, n_places: int) -> Tensor:
    """Return 1 for places whose middle lies within the ends of an axis, else 0: ``(n_images, n_places)``."""
    first, last = (end[:, None] for end in ends)
    middles = (torch.arange(n_places, device=first.device) + 0.5) * side / n_places
    return ((first <= middles) & (middles <= last + 1)).float()

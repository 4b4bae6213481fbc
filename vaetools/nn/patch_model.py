"""Images judged place by place and as a whole, as one module: images in, maps of odd pixels out."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.borders import unframed, within
from vaetools.nn.features import Features, joined
from vaetools.nn.layers import N_FROM_RIM, N_REGIONS, groups_of
from vaetools.nn.model import Autoencoder
from vaetools.nn.places import (
    LEAST,
    blurred,
    fifths,
    from_rim,
    greedy_cover,
    nearest_references,
    oddness,
    odds,
    principal_axes,
    regions,
    scale_of_maxima,
    usual_costs,
    whitening,
)
from vaetools.nn.whole import Whole, direction, raised

SCALES = (0.0, 1.0, 2.0, 4.0)  # of blurs, in places
_N_SHARP = 2  # of these, whose mean keeps a map sharp
_SHARP = 0.75  # share of that mean in a map
_TYPICAL = 0.9  # of good places
_OWN, _FORMERLY_OWN = 0.75, 0.5  # share of the variance of places alike, beside that of all
_LEARNT = (
    *("mean", "std", "axes", "references", "whitening", "inward", "bias", "outward", "floor"),
    *("center", "variance", "rim_center", "rim_variance", "overall"),
)


class Group(nn.Module):
    """What good images look like at places, by the features of some layers.

    Parameters
    ----------
    layers : slice
        Which maps of all are its own.
    reach : int
        Places a side over which features are averaged; 1 leaves them.

    Attributes
    ----------
    autoencoder : Autoencoder or None
        Of standardized features of places, if it takes labels given the region of an image where these are;
        None until it is learnt.
    mean, std : Tensor of shape (n_features,)
        Of features of good places.
    axes : Tensor of shape (n_features, n_axes)
        Principal axes of standardized features, in which the nearest reference is looked for.
    references : Tensor of shape (n_references, n_axes)
        Places of good images that cover them all.
    whitening : Tensor of shape (n_features, n_features)
        By which what the autoencoder leaves of good places becomes spherical; of files of earlier versions,
        which know two costs, of shape (0,).
    inward, bias, outward : Tensor of shape (n_features, n_hidden), (n_hidden,) and (n_hidden,)
        What tells places of planted defects from good ones, see `odds`; of files of earlier versions, which
        know a cost less, of shape (0,).
    floor : Tensor of shape (n_costs,)
        Costs that nine of ten good places keep to: what lies below hardly matters.
    center, variance : Tensor of shape (n_references, n_costs)
        Of the log costs of good places near every reference.
    rim_center, rim_variance : Tensor of shape (n_distances, n_costs)
        Of what remains of them, in standard deviations, by the distance from the rim.
    overall : Tensor of shape (n_costs,)
        Variance of the log costs of all good places.
    """

    mean: Tensor
    std: Tensor
    axes: Tensor
    references: Tensor
    whitening: Tensor
    inward: Tensor
    bias: Tensor
    outward: Tensor
    floor: Tensor
    center: Tensor
    variance: Tensor
    rim_center: Tensor
    rim_variance: Tensor
    overall: Tensor

    def __init__(self, layers: slice, reach: int):
        super().__init__()
        self.layers, self.reach = layers, reach
        self.autoencoder: Autoencoder | None = None
        for name in _LEARNT:
            self.register_buffer(name, torch.zeros(0))

    def features(self, maps: Sequence[Tensor]) -> Tensor:
        """Return features of places, ``(n_images, height, width, n_features)``."""
        own = list(maps[self.layers])
        if self.reach > 1:
            average = nn.AvgPool2d(self.reach, 1, self.reach // 2, count_include_pad=False)
            own = [average(each) for each in own]
        return joined(own, grid_of(maps)).permute(0, 2, 3, 1)

    def learn_places(
        self, points: Tensor, where: Tensor, n_references: int, generator: torch.Generator
    ) -> None:
        """Learn what covers good places, and what the autoencoder leaves of them.

        Parameters
        ----------
        points : Tensor of shape (n_places, n_features)
            Standardized.
        where : Tensor of shape (n_places,), int
            Regions that they lie in.
        """
        self.axes = principal_axes(points)
        self.references = points[greedy_cover(points, n_references, generator)] @ self.axes
        with torch.no_grad():
            self.whitening = whitening(self.rest(points, where))

    def rest(self, points: Tensor, where: Tensor) -> Tensor:
        """Return what the autoencoder leaves of places that lie in some regions."""
        assert self.autoencoder is not None  # of a model that has been trained
        told = self.autoencoder.log_label_prior is not None
        labels = F.one_hot(where, N_REGIONS).to(points) if told else None
        return points - self.autoencoder.read(points, labels).expected

    def costs(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return costs of places, ``(n_images, height, width, n_costs)``, and the references near them."""
        patches = (self.features(maps) - self.mean) / self.std
        points, shape = patches.flatten(0, 2), patches.shape[:3]
        distances, which = nearest_references(points @ self.axes, self.references)
        rest = self.rest(points, regions(shape[1:]).to(points.device).repeat(shape[0]))
        left = [rest, rest @ self.whitening] if len(self.whitening) else [rest]
        told = [odds(points, self.inward, self.bias, self.outward)] if len(self.inward) else []
        costs = torch.stack([distances[:, 0], *(each.square().sum(dim=1) for each in left), *told], dim=1)
        return costs.reshape(*shape, -1), which.reshape(*shape, -1)

    def learn_usual(self, costs: Tensor, which: Tensor, inside: Tensor) -> Tensor:
        """Learn what costs are usual from images that trained nothing; return how odd their places are.

        A fifth of the images at a time is judged by what is usual in the others, as new images are.

        Parameters
        ----------
        costs, which : Tensor
            Of two images or more, as `costs` has them.
        inside : Tensor of shape (n_images, height, width)
        """
        self.floor = torch.quantile(costs[inside > 0], _TYPICAL, dim=0)
        rim, found = from_rim(inside), torch.empty(inside.shape)
        for own, others in fifths(len(inside), len(inside)):
            self._learn(costs[others], which[others], rim[others], inside[others] > 0)
            found[own] = self.oddness(costs[own], which[own], rim[own])
        self._learn(costs, which, rim, inside > 0)
        return found

    def _learn(self, costs: Tensor, which: Tensor, rim: Tensor, counts: Tensor) -> None:
        logs, near = (costs[counts] + self.floor).log(), which[counts]
        self.overall = logs.var(dim=0, correction=0).clamp(min=LEAST)
        self.center, self.variance = usual_costs(logs, near, len(self.references))
        center, variance = self._usual(near)
        rest = (logs - center) / variance.sqrt()
        self.rim_center, self.rim_variance = usual_costs(rest, rim[counts][:, None], N_FROM_RIM)

    def _usual(self, which: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of log costs near references."""
        return self.center[which].mean(dim=-2), self.variance[which].mean(dim=-2)

    def oddness(self, costs: Tensor, which: Tensor, rim: Tensor) -> Tensor:
        """Return how odd places of some costs are, ``(n_images, height, width)``.

        The variance of a place is drawn a quarter of the way to that of all: where good places hardly
        differ, a little more is no defect yet.
        """
        own = _OWN if len(self.whitening) else _FORMERLY_OWN
        center, variance = self._usual(which)
        center = center + variance.sqrt() * self.rim_center[rim]
        variance = own * variance * self.rim_variance[rim] + (1 - own) * self.overall
        return oddness((costs + self.floor).log(), center, variance)

    def forward(self, maps: Sequence[Tensor], inside: Tensor) -> Tensor:
        """Return how odd places are by themselves, ``(n_images, height, width)``."""
        return self.oddness(*self.costs(maps), from_rim(inside))


def grid_of(maps: Sequence[Tensor]) -> Sequence[int]:
    """Return height and width of the grid of places of all groups: that of the second finest layer."""
    return maps[min(1, len(maps) - 1)].shape[2:]


class PatchModel(nn.Module):
    """Small things and larger ones on one map: every two neighboring layers make a `Group` or two.

    Parameters
    ----------
    features : Features
        From the finest layer to the coarsest.
    n_channels : sequence of int
        Of the layers that tell places: two or more, or none.
    whole : Whole or None, default=None
        What judges images as a whole, by the last layer of all.

    Attributes
    ----------
    groups : ModuleList of Group
    sharp : float
        How much of a map is the mean of its sharpest levels; the rest is the greatest of all.
    level_center, level_spread : Tensor of shape (n_levels,)
        Of the greatest values of maps of good images: of each group at every blur.
    """

    groups: Any  # which nn.Module would hide
    level_center: Tensor
    level_spread: Tensor

    def __init__(self, features: Features, n_channels: Sequence[int], whole: Whole | None = None):
        super().__init__()
        self.features, self.whole, self.sharp = features, whole, _SHARP
        self.groups = nn.ModuleList(Group(*each) for each in groups_of(len(n_channels)))
        n_levels = len(self.groups) * len(SCALES)
        self.register_buffer("level_center", torch.zeros(n_levels))
        self.register_buffer("level_spread", torch.ones(n_levels))

    def forward(self, images: Tensor) -> Tensor:
        """Return how odd every pixel is, ``(n_images, height, width)``."""
        maps, extent = self.maps(images)
        inside = within(extent, grid_of(maps))
        groups = [group(maps, inside) for group in self.groups]
        return self.judged(groups, inside, self.directions(maps, extent), images.shape[2:])

    def judged(
        self, groups: Sequence[Tensor], inside: Tensor, directions: Tensor, size: Sequence[int]
    ) -> Tensor:
        """Return how odd every pixel is by what groups and the whole say, ``(n_images, height, width)``.

        Parameters
        ----------
        groups : sequence of Tensor of shape (n_images, n_down, n_across)
            How odd places are by themselves.
        inside : Tensor of shape (n_images, n_down, n_across)
        directions : Tensor of shape (n_images, n_features)
        size : sequence (height, width)
        """
        if self.whole is None:
            return self.places(groups, inside, size)
        whole = self.whole(directions)
        if not groups:
            alike: Tensor = whole[:, None, None].expand(-1, *size)
            return alike
        return raised(self.places(groups, inside, size), whole)

    def places(self, groups: Sequence[Tensor], inside: Tensor, size: Sequence[int]) -> Tensor:
        """Return how odd pixels are by their places, ``(n_images, height, width)``."""
        worst = self.fused(self.pyramid(groups, inside))
        least = worst.amin(dim=(1, 2), keepdim=True)
        worst = torch.where(inside > 0, worst, least)[:, None]
        return F.interpolate(worst, list(size), mode="bilinear", align_corners=False)[:, 0]

    def directions(self, maps: list[Tensor], extent: Tensor) -> Tensor:
        """Return what images are as a whole, ``(n_images, n_features)``."""
        return direction(maps[-1], within(extent, maps[-1].shape[2:]))

    def fused(self, levels: Tensor) -> Tensor:
        """Return one map of all levels, each in units of what it is at most on good images.

        Between the greatest, which finds what stands out at one level, and the mean of the sharpest, which
        shows where it is.
        """
        center, spread = (each[:, None, None] for each in (self.level_center, self.level_spread))
        standard = (levels - center) / spread
        sharp = standard.unflatten(1, (len(self.groups), len(SCALES)))[:, :, :_N_SHARP]
        fused: Tensor = (1 - self.sharp) * standard.amax(dim=1) + self.sharp * sharp.mean(dim=(1, 2))
        return fused

    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return maps of all layers, and which part of every image counts; see `within`."""
        whole, extent = unframed(images)
        return self.features(whole), extent

    def pyramid(self, groups: Sequence[Tensor], inside: Tensor) -> Tensor:
        """Return how odd places are, of every group at every blur.

        Returns
        -------
        levels : Tensor of shape (n_images, n_levels, height, width)
        """
        return torch.stack([blurred(places, inside, sigma) for places in groups for sigma in SCALES], dim=1)

    def learn_levels(self, levels: Tensor, inside: Tensor) -> None:
        """Learn what levels are at most on good images."""
        maxima = levels.masked_fill(inside[:, None] == 0, -torch.inf).amax(dim=(2, 3))
        self.level_center, self.level_spread = scale_of_maxima(maxima)

"""What places of images look like, by fixed filters: a network that has learnt nothing.

A place is told by its brightness and color, and by how strong stripes of four directions and several widths
are in it: how strong, not where, so that the same texture is alike wherever it begins.

References
----------
Bruna, Mallat (2013), "Invariant Scattering Convolution Networks", IEEE Transactions on Pattern Analysis and
Machine Intelligence 35(8) (means of moduli of filtered images).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn.layers import STRIDES

SCALES = (1, 2, 4, 8)  # pixels that are averaged before images are filtered
_DIRECTIONS = 4
_PERIOD = 3.5  # of stripes, in averaged pixels
_SIDE = 9  # of a filter


class Stripes(nn.Module):
    """Images of one channel → how strong stripes of every direction are, ``(n, 4, height, width)``."""

    filters: Tensor

    def __init__(self, scale: int):
        super().__init__()
        self.scale = scale
        self.register_buffer("filters", _gabor())

    def forward(self, images: Tensor) -> Tensor:
        """Return the modulus of even and odd responses."""
        images = F.avg_pool2d(images, self.scale)
        reach = _SIDE // 2
        found = F.conv2d(F.pad(images, (reach, reach, reach, reach), mode="replicate"), self.filters)
        even, odd = found[:, :_DIRECTIONS], found[:, _DIRECTIONS:]
        return (even.square() + odd.square() + 1e-6).sqrt()


class Places(nn.Module):
    """Color, and stripes of all widths that fit in → maps of a stride."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, color: Tensor, stripes: list[Tensor]) -> Tensor:
        """Return the means of every place."""
        means = [
            F.avg_pool2d(each, self.stride // scale)
            for scale, each in zip(SCALES, stripes, strict=True)
            if scale <= self.stride
        ]
        return torch.cat([F.avg_pool2d(color, self.stride), *means], dim=1)


class Pixels(nn.Module):
    """Images in [0, 1] of three channels → maps; layers are ``at_4``, ``at_8``, ``at_16`` and ``at_32``."""

    def __init__(self) -> None:
        super().__init__()
        self.stripes = nn.ModuleList(map(Stripes, SCALES))
        for stride in STRIDES:
            self.add_module(f"at_{stride}", Places(stride))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of all layers."""
        red, green, blue = images.split(1, dim=1)
        brightness = (red + green + blue) / 3
        color = torch.cat([brightness, red - green, blue - green], dim=1)
        stripes = [each(brightness) for each in self.stripes]
        return [self.get_submodule(f"at_{stride}")(color, stripes) for stride in STRIDES]


def _gabor() -> Tensor:
    """Return even and odd filters of stripes in every direction, ``(8, 1, 9, 9)``."""
    places = torch.arange(_SIDE) - _SIDE // 2
    down, across = torch.meshgrid(places, places, indexing="ij")
    window = torch.exp(-2 * (down.square() + across.square()) / _PERIOD**2)
    angles = [math.pi * i / _DIRECTIONS for i in range(_DIRECTIONS)]
    phases = [2 * math.pi / _PERIOD * (across * math.cos(angle) + down * math.sin(angle)) for angle in angles]
    waves = window * torch.stack([function(phase) for function in (torch.cos, torch.sin) for phase in phases])
    waves = waves - waves.mean(dim=(1, 2), keepdim=True)
    return (waves / waves.abs().sum(dim=(1, 2), keepdim=True))[:, None]

"""Small defects planted on good images, to learn what they change: scratches, blots, pieces of other places.

References
----------
Li, Sohn, Yoon & Pfister (2021), "CutPaste: Self-Supervised Learning for Anomaly Detection and Localization",
CVPR.
Zavrtanik, Kristan & Skočaj (2021), "DRAEM: A Discriminatively Trained Reconstruction Embedding for Surface
Anomaly Detection", ICCV.
"""

import math

import torch
from torch import Tensor

_LONG, _WIDE, _AREA = (4.0, 128.0), (1.0, 32.0), 512.0  # pixels
_BOW = 0.3  # of its length, by which a defect bends at most
_TINT = 0.3  # of the change of level, by which colors change apart
_FAINTEST = 0.2  # opacity
_EDGE = 0.6  # pixels over which a defect fades
_SEEN, _INSIDE = 0.1, 0.4  # of the contrast of an image, of a pixel, that count as a defect


class _Lots:
    """Random numbers, the same for all pixels of an image: ``(n_images, n_channels, 1, 1)``."""

    def __init__(self, images: Tensor, generator: torch.Generator):
        self.n, self.device, self.generator = len(images), images.device, generator

    def between(self, low: Tensor | float, high: Tensor | float, n_channels: int = 1) -> Tensor:
        """Return numbers of a range."""
        lots = torch.rand(self.n, n_channels, 1, 1, generator=self.generator)
        return low + (high - low) * lots.to(self.device)

    def sizes(self, low: float, high: Tensor | float) -> Tensor:
        """Return numbers of a range, whose logs are as often small as large."""
        return self.between(math.log(low), torch.as_tensor(high).log()).exp()

    def either(self, one: Tensor, other: Tensor | float) -> Tensor:
        """Return one or the other, each of about half of the images."""
        return torch.where(self.between(0, 1) < 0.5, one, other)


def planted(images: Tensor, extent: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return images with a small defect on each, and where it changes what is seen.

    It is long or round, straight or bent, at any angle; a piece or the color of another place, often darker,
    lighter or of another tint, and often faint. On images of two levels it is of these, too.

    Parameters
    ----------
    images : Tensor of shape (n_images, channels, height, width)
        In [0, 1].
    extent : Tensor of shape (n_images, 4)
        Top, bottom, left and right of where the middles of defects may lie, as shares of height and width.
    generator : torch.Generator
        Of draws, on the CPU.

    Returns
    -------
    changed : Tensor of shape (n_images, channels, height, width)
    mask : Tensor of shape (n_images, height, width), bool

    Examples
    --------
    >>> images = torch.rand(20, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> extent = torch.tensor([[0.0, 1.0, 0.0, 1.0]]).expand(20, -1)
    >>> changed, mask = planted(images, extent, torch.Generator().manual_seed(0))
    >>> bool(((changed - images).abs().amax(dim=1)[mask] > 0.02).all())
    True
    >>> 0 < mask.float().mean() < 0.05
    tensor(True)
    """
    lots = _Lots(images, generator)
    contrast = images.std(dim=(1, 2, 3), keepdim=True)
    share = _shape(images, extent, lots)
    opacity = lots.either(torch.ones_like(contrast), lots.sizes(_FAINTEST, 1))
    changed = images + opacity * share * (_filling(images, contrast, lots) - images)
    changed = _without_grays(changed, images)
    seen = (changed - images).abs().amax(dim=1) > _SEEN * contrast[:, 0]
    return changed, seen & (share[:, 0] > _INSIDE)


def _without_grays(changed: Tensor, images: Tensor) -> Tensor:
    """Return what was changed, and of images of two levels the nearer of these, as their defects are."""
    low, high = (function(images, dim=(1, 2, 3), keepdim=True) for function in (torch.amin, torch.amax))
    has_grays = ((low < images) & (images < high)).flatten(1).any(dim=1)[:, None, None, None]
    nearer = torch.where(changed - low < high - changed, low, high)
    return torch.where(has_grays, changed, nearer)


def _shape(images: Tensor, extent: Tensor, lots: _Lots) -> Tensor:
    """Return how much of every pixel a defect covers, ``(n_images, 1, height, width)``."""
    height, width = images.shape[2:]
    top, bottom, left, right = (side[:, None, None, None] for side in extent.unbind(dim=1))
    down = torch.arange(height, device=images.device)[:, None] - height * lots.between(top, bottom)
    across = torch.arange(width, device=images.device) - width * lots.between(left, right)
    angle = lots.between(0, math.pi)
    along, beside = across * angle.cos() + down * angle.sin(), down * angle.cos() - across * angle.sin()
    long = lots.sizes(_LONG[0], min(_LONG[1], min(height, width) / 2))
    wide = lots.sizes(_WIDE[0], (_AREA / long).clamp(max=_WIDE[1]))
    beside = beside - lots.between(-_BOW, _BOW) * along.square() / long
    a, b = 2 * along.abs() / long, 2 * beside.abs() / wide
    straight = torch.maximum((a - 1) * long, (b - 1) * wide)
    rounded = (torch.hypot(a, b) - 1) * torch.minimum(long, wide)
    return torch.sigmoid(-lots.either(straight, rounded) / (2 * _EDGE))


def _filling(images: Tensor, contrast: Tensor, lots: _Lots) -> Tensor:
    """Return images of what defects are of."""
    n, n_channels, height, width = images.shape
    rows, columns = (int(torch.randint(1, side, (1,), generator=lots.generator)) for side in (height, width))
    elsewhere = images.roll((rows, columns), (2, 3))
    place = torch.randint(height * width, (n, 1, 1), generator=lots.generator).to(images.device)
    color = images.flatten(2).gather(2, place.expand(-1, n_channels, -1))[:, :, :, None]
    level = lots.between(-1, 1) + _TINT * lots.between(-1, 1, n_channels)
    return (lots.either(elsewhere, color) + lots.either(level, 0.0) * contrast).clamp(0, 1)

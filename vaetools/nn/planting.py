"""Small defects planted on good images, to learn what can be seen of such at all.

References
----------
Li, Sohn, Yoon & Pfister (2021), "CutPaste: Self-Supervised Learning for Anomaly Detection and Localization",
CVPR.
"""

import math

import torch
from torch import Tensor

_LONG, _WIDE = (4.0, 64.0), (2.0, 32.0)  # pixels
_EDGE = 0.6  # pixels over which a piece fades


def planted(images: Tensor, extent: Tensor, generator: torch.Generator) -> Tensor:
    """Return images with a small piece of another place on each, at any angle, darker or lighter than there.

    Parameters
    ----------
    images : Tensor of shape (n_images, channels, height, width)
        In [0, 1].
    extent : Tensor of shape (n_images, 4)
        Top, bottom, left and right of where pieces may lie, as shares of the height and the width.
    generator : torch.Generator
        Of draws, on the CPU.

    Examples
    --------
    >>> images = torch.rand(20, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> extent = torch.tensor([[0.0, 1.0, 0.0, 1.0]]).expand(20, -1)
    >>> changed = (planted(images, extent, torch.Generator().manual_seed(0)) - images).abs() > 0.01
    >>> share = changed.float().mean(dim=(1, 2, 3))
    >>> bool(share.min() > 0), bool(share.max() < 0.15)
    (True, True)
    """
    n, _, height, width = images.shape

    def draw(low: Tensor | float, high: Tensor | float) -> Tensor:
        """Return numbers of a range, ``(n_images, 1, 1, 1)``."""
        return low + (high - low) * torch.rand(n, 1, 1, 1, generator=generator).to(images.device)

    top, bottom, left, right = (side[:, None, None, None] for side in extent.unbind(dim=1))
    down = torch.arange(height, device=images.device)[:, None] - height * draw(top, bottom)
    across = torch.arange(width, device=images.device) - width * draw(left, right)
    angle = draw(0, math.pi)
    long, wide = (draw(*map(math.log, sizes)).exp() for sizes in (_LONG, _WIDE))
    along, beside = across * angle.cos() + down * angle.sin(), down * angle.cos() - across * angle.sin()
    beyond = torch.maximum(along.abs() - long / 2, beside.abs() - wide / 2)
    rows, columns = (int(torch.randint(1, side, (1,), generator=generator)) for side in (height, width))
    contrast = images.std(dim=(1, 2, 3), keepdim=True)
    piece = (images.roll((rows, columns), (2, 3)) + draw(-1, 1) * contrast).clamp(0, 1)
    return images + torch.sigmoid(-beyond / _EDGE) * (piece - images)

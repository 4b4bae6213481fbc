"""Black borders, as of images that were padded: where they end, and which places they leave."""

from collections.abc import Sequence

import torch
from torch import Tensor

Ends = tuple[Tensor, Tensor]  # the first place along an axis and the last, (n_images,) each


def unframed(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return images without black borders, as of images that were padded, and which part of each counts.

    Borders are no part of an image: it goes on behind its rim as in a mirror, and places there do not count.
    """
    rows, columns = borders(images, 2), borders(images, 3)
    height, width = images.shape[2:]
    ends = rows[0] / height, (rows[1] + 1) / height, columns[0] / width, (columns[1] + 1) / width
    return mirror(mirror(images, rows, 2), columns, 3), torch.stack(ends, dim=1)


def borders(images: Tensor, axis: int) -> Ends:
    """Return the first and the last place along an axis that is not all black, ``(n_images,)`` each.

    Of an image that is all black, those of the whole.
    """
    lit = (images > 0).any(dim=1).any(dim=4 - axis)  # (n_images, side)
    side = lit.shape[1]
    places = torch.arange(side, device=images.device)
    first = torch.where(lit, places, side).amin(dim=1)
    last = torch.where(lit, places, -1).amax(dim=1)
    dark = last < 0
    return torch.where(dark, 0, first), torch.where(dark, side - 1, last)


def mirror(images: Tensor, ends: Ends, axis: int) -> Tensor:
    """Return images that go on beyond their ends along an axis as in a mirror."""
    first, last = (end[:, None] for end in ends)
    n = last - first + 1
    places = torch.arange(images.shape[axis], device=images.device)[None]
    around = torch.remainder(places - first, 2 * n)
    index = first + torch.minimum(around, 2 * n - 1 - around)
    for other in {1, 2, 3} - {axis}:
        index = index.unsqueeze(other)
    return images.gather(axis, index.expand_as(images))


def within(extent: Tensor, shape: Sequence[int]) -> Tensor:
    """Return 1 for places whose middle counts, else 0, ``(n_images, height, width)``.

    Parameters
    ----------
    extent : Tensor of shape (n_images, 4)
        Top, bottom, left and right of what counts, as shares of the height and the width.
    shape : sequence (height, width)
        Of the places.
    """
    down, across = (((torch.arange(n, device=extent.device) + 0.5) / n)[None] for n in shape)
    top, bottom, left, right = (side[:, None] for side in extent.unbind(dim=1))
    rows, columns = (top <= down) & (down <= bottom), (left <= across) & (across <= right)
    return (rows[:, :, None] & columns[:, None]).float()

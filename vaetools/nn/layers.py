"""Which layers of networks are used, at which strides, and how they are judged; known without torch."""

import re
from collections.abc import Sequence
from itertools import pairwise, product

from vaetools.nn import LITE0, PIXELS

STRIDES = (4, 8, 16, 32)  # pixels
LAYERS_NEEDED = {"places": 2, "whole": 1, "both": 3}  # by what is judged
REGIONS_A_SIDE = 4  # of an image, that a conditional autoencoder of places tells apart
N_REGIONS = REGIONS_A_SIDE**2
N_FROM_RIM = 4  # distances of places from the rim of an image that are told apart
# of families of networks, by what their names begin with: the last layer at a stride of so many pixels
_LAYERS = {
    LITE0: dict(zip(STRIDES, ("_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15"), strict=True)),
    PIXELS: {stride: f"at_{stride}" for stride in STRIDES},
    "(wide_)?resne[x]?t": {stride: f"layer{i + 1}" for i, stride in enumerate(STRIDES)},
}


def layers_at(name: str, strides: Sequence[int]) -> list[str] | None:
    """Return the last layers of a network at some strides; None where its family is not known.

    Examples
    --------
    >>> layers_at("resnet18", [8, 16]), layers_at("vgg16", [8])
    (['layer2', 'layer3'], None)
    """
    for family, layers in _LAYERS.items():
        if re.match(family, name):
            return [layers[stride] for stride in strides]
    return None


def strides_of(name: str, layers: Sequence[str]) -> list[int] | None:
    """Return the strides of layers of a network; None where they are not such as `layers_at` knows.

    Examples
    --------
    >>> strides_of("efficientnet-lite0", ["_blocks.4", "_blocks.15"]), strides_of("resnet18", ["fc"])
    ([8, 32], None)
    """
    known = dict(zip(layers_at(name, STRIDES) or [], STRIDES, strict=False))
    return [known[layer] for layer in layers] if known.keys() >= set(layers) else None


def groups_of(n_layers: int) -> list[tuple[slice, int]]:
    """Return the layers of every group, from fine to coarse, and over how many places a side each averages.

    Every two neighboring layers are judged as they are, which finds fine things, and averaged, which judges
    texture better; the finest of several only as they are.

    Examples
    --------
    >>> groups_of(3)
    [(slice(0, 2, None), 1), (slice(1, 3, None), 1), (slice(1, 3, None), 3)]
    >>> groups_of(0)
    []
    """
    if n_layers < 2:
        return []
    first, *others = (slice(start, end + 1) for start, end in pairwise(range(n_layers)))
    return [(first, 1), *product(others, (1, 3))] if others else [(first, 1), (first, 3)]

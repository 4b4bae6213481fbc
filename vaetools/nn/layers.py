"""Which layers of networks that have a name are used, and at which strides; known without loading torch."""

import re
from collections.abc import Sequence

from vaetools.nn import LITE0, PIXELS

STRIDES = (4, 8, 16, 32)  # pixels
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

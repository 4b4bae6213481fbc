"""The mathematics: networks, latents, likelihoods, models and the training loop.

Knows torch and nothing of scikit-learn. What its parts are called, and how large they are where nobody says,
is known here without loading torch.
"""

import math
import os
import sys
from typing import Any, Literal

ACTIVATIONS = {  # classes of torch.nn by name
    "silu": "SiLU",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "identity": "Identity",
}
Activation = Literal["silu", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "identity"]
CONDITIONINGS = ("concat", "add", "multiply")
LIKELIHOOD_CLASSES = {
    "gaussian": "Gaussian",
    "bernoulli": "Bernoulli",
    "continuous_bernoulli": "ContinuousBernoulli",
}
GAUSSIAN_SCALES = ("global", "per_feature", "local", "predicted")
LEARNING_RATES = ("one_cycle", "constant")
PRECISIONS = ("float32", "bfloat16")
WORD_PRIORS = {"frequencies": "Frequencies", "autoregressive": "Autoregressive"}
PRIOR_WIDTH, PRIOR_BLOCKS = 64, 2  # of the network that tells every word by those before it
LITE0 = "efficientnet-lite0"  # the frozen network of a package
PIXELS = "pixels"  # fixed filters instead of a network
STRUCTURE = "structure"  # of images, by local means, variances and covariances
ADDED_LOSSES = (STRUCTURE, LITE0, PIXELS)
_WORD_SIZE = 4
_WIDE = 128  # features above which dense layers are wider

Shape = tuple[int, int, int]


def default_channels(image_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Channels of halving convolutions down to a shorter side of at most 7 pixels.

    Examples
    --------
    >>> default_channels((1, 28, 28)), default_channels((3, 32, 32)), default_channels((1, 5, 9))
    ((16, 32), (16, 32, 64), (16,))
    """
    n_stages = max(1, math.ceil(math.log2(min(image_shape[1:]) / 7)))
    return tuple(min(16 * 2**stage, 64) for stage in range(n_stages))


def feature_maps(image_shape: Shape | None, channels: Any) -> list[Shape]:
    """Return (channels, height, width) before each halving convolution and behind the last; none without any.

    Examples
    --------
    >>> feature_maps((1, 28, 28), "auto"), feature_maps((1, 28, 28), ()), feature_maps(None, "auto")
    ([(1, 28, 28), (16, 14, 14), (32, 7, 7)], [], [])
    """
    if image_shape is None or not channels:
        return []
    maps: list[Any] = [tuple(image_shape)]
    for n in default_channels(image_shape) if channels == "auto" else channels:
        _, height, width = maps[-1]
        maps.append((n, math.ceil(height / 2), math.ceil(width / 2)))
    return maps


def default_widths(n_features: int, *, convolves: bool) -> tuple[int, ...]:
    """Widths of an encoder's dense layers, behind convolutions or of rows of so many features."""
    return (256,) if convolves else (512, 256) if n_features > _WIDE else (128, 128)


def default_components(n_features: int, *, of_images: bool) -> int:
    """Dimensions of the latent space of images, or of rows of so many features."""
    return 16 if of_images else 1 + math.isqrt(n_features)


def code_channels(map_shape: Shape, n_components: int, *, of_words: bool) -> int:
    """Return of how many channels a code is that keeps the places of a feature map; 0 where it cannot.

    Examples
    --------
    >>> [code_channels((32, 7, 7), n, of_words=True) for n in (1568, 196, 16)]
    [32, 4, 0]
    >>> code_channels((32, 7, 7), 196, of_words=False)  # as it has always been
    0
    """
    channels, height, width = map_shape
    n_channels, rest = divmod(n_components, height * width)
    return n_channels if not rest and (of_words or n_channels == channels) else 0


def default_word_size(n_components: int) -> int:
    """Components of a word of a latent space of so many: 4, or the most below that divide it.

    Examples
    --------
    >>> [default_word_size(n) for n in (16, 2, 6)]
    [4, 2, 3]
    """
    return next(size for size in (_WORD_SIZE, 3, 2, 1) if n_components % size == 0)


def default_words(n_features: int, maps: list[Shape], hidden: Any, word_size: Any, *, of_images: bool) -> int:
    """Dimensions of a latent space of words: a word per place of the last map if no dense layer is behind it.

    Examples
    --------
    >>> default_words(784, [(1, 28, 28), (32, 7, 7)], (), "auto", of_images=True)
    196
    >>> default_words(10, [], (128, 128), 3, of_images=False)
    6
    """
    word_size = _WORD_SIZE if word_size == "auto" else word_size
    if maps and not hidden:
        return int(word_size * maps[-1][1] * maps[-1][2])
    n_components = default_components(n_features, of_images=of_images)
    return int(word_size * math.ceil(n_components / word_size))


def default_vocabulary(n_rows: int) -> int:
    """Words of a vocabulary that so many rows train: a power of two, at most 256 and a third of them, or 8.

    Examples
    --------
    >>> [default_vocabulary(n) for n in (0, 20, 120, 600, 5_000)]
    [8, 8, 32, 128, 256]
    """
    return min(256, 1 << max(8, n_rows // 3).bit_length() - 1)


def _survive_fork() -> None:
    """Let a child compute with one thread: those of its parent are gone, and OpenMP would wait for them."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_survive_fork)

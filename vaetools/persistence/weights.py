"""Which weights a network of ours has, of what shapes: all of it follows from the header, without PyTorch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from vaetools.estimators import has_spread, has_words
from vaetools.nn import (
    PRIOR_BLOCKS,
    PRIOR_WIDTH,
    Shape,
    code_channels,
    default_components,
    default_widths,
    default_word_size,
    default_words,
    feature_maps,
)
from vaetools.persistence.rules import unwritten

Shapes = dict[str, tuple[int, ...]]

_KERNEL = (4, 4)
_MOST_HIDDEN, _WINDOW, _CELLS = 256, 7, 7  # of scores: hidden values, pixels of a window, cells a side


def _likelihood(header: dict[str, Any]) -> tuple[int, int, Shapes]:
    """Return what a likelihood takes, what it asks of a decoder, and its own weights."""
    fitted, given = header["fitted"], header["parameters"]["likelihood"]
    n_features = fitted["n_features_in_"]
    if fitted["columns_"] is not None:  # a part for each number of categories
        columns = fitted["columns_"]["columns"]
        counts = [len(column["values"]) for column in columns]
        flagged = sum(column["has_gaps"] and not n for column, n in zip(columns, counts, strict=True))
        n_outputs = sum(max(n, 1) for n in counts)
        scales: Shapes = {"parts.0.raw_log_scale": (counts.count(0),)} if 0 in counts else {}
        return n_outputs + flagged, n_outputs, scales
    if given == "mixed":
        raise ValueError("columns_ must be those of a table for likelihood = 'mixed'; got None")
    scale = None
    if given == "gaussian":
        scale = fitted.get("gaussian_scale_", "global")
    elif isinstance(given, dict) and given["likelihood"] == "Gaussian":
        scale = given["options"].get("scale", "global")
    sizes = {"global": 1, "per_feature": n_features, "local": n_features}
    scales = {"raw_log_scale": (sizes[scale],)} if scale in sizes else {}
    return n_features, n_features * (2 if scale == "predicted" else 1), scales


def weight_shapes(header: dict[str, Any], sizes: Mapping[str, int]) -> Shapes:
    """Return the shapes of all weights by name; of a network that is not ours those beside it.

    The network is that of `vaetools.nn.networks.Network`, layer by layer. Parameters and columns of the
    header were checked; ``sizes`` hold ``n_classes`` of a model of labels or a context, and ``n_words``.
    """
    n_classes = sizes.get("n_classes", 0)
    n_inputs, n_outputs, scales = _likelihood(header)
    shapes: Shapes = {"log_unit": (header["fitted"]["n_features_in_"],)}
    if "classes_" in header["fitted"]:
        shapes["log_label_prior"] = (n_classes,)
    shapes |= {f"likelihood.{name}": shape for name, shape in scales.items()}
    if has_words(header["class"]):
        shapes |= {f"latent.{name}": shape for name, shape in _codebook(header, sizes["n_words"])}
    if header["parameters"]["network"] is None:
        layers = _layers(header, n_inputs, n_outputs, n_classes)
        shapes |= {f"network.{name}": shape for name, shape in layers}
    return shapes


def _codebook(header: dict[str, Any], n_words: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of a vocabulary and of the prior of its words."""
    parameters, n_components = header["parameters"], header["fitted"]["_n_features_out"]
    word_size = parameters["word_size"]
    if word_size == "auto":
        word_size = default_word_size(n_components)
    n_places, rest = divmod(n_components, word_size)
    if rest:
        raise ValueError(f"_n_features_out must be a multiple of word_size = {word_size}; got {n_components}")
    yield "vectors", (n_words, word_size)
    yield "usage", (n_words,)
    if parameters["prior"] == "frequencies":
        yield "prior.log_shares", (n_places, n_words)
        return
    yield "prior.words.weight", (PRIOR_WIDTH, n_words)
    yield "prior.places.weight", (PRIOR_WIDTH, n_places)
    for i in range(PRIOR_BLOCKS):
        for name, n_in, n_out in (("ask", 1, 3), ("answer", 1, 1), ("widen", 1, 4), ("narrow", 4, 1)):
            size = n_out * PRIOR_WIDTH
            yield from _layer(f"prior.blocks.{i}.{name}", (size, n_in * PRIOR_WIDTH), size)
    yield from _layer("prior.head", (n_words, PRIOR_WIDTH), n_words)


def _layers(
    header: dict[str, Any], n_inputs: int, n_outputs: int, n_classes: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of the weights of a network."""
    parameters = header["parameters"]
    maps, hidden = maps_and_widths(header)
    for i, ((n_in, *_), (n_out, *_)) in enumerate(pairwise(maps)):
        yield from _layer(f"features.stages.{2 * i}.conv", (n_out, n_in, *_KERNEL), n_out)
    of_words, n_components = has_words(header["class"]), _n_components(header)
    n_stats = 2 if has_spread(header["class"]) else 1
    conditioning = parameters["conditioning"] if n_classes else None
    n_labels = n_classes if n_classes and parameters["condition_encoder"] else 0
    n_code = n_components + (n_classes if conditioning == "concat" else 0)
    n_flat = math.prod(maps[-1]) if maps else n_inputs
    if conditioning in ("add", "multiply"):
        yield from _layer("join.project.0", (n_components, n_classes), n_components)
    n_channels = code_channels(maps[-1], n_components, of_words=of_words) if maps else 0
    if n_channels and not hidden and n_code == n_components and not n_labels:
        n = maps[-1][0]
        yield from _layer("encoder.0.conv", (n_channels * n_stats, n, 1, 1), n_channels * n_stats)
        yield from _layer("decoder.0.conv", (n, n_channels, 1, 1), n)
    else:
        yield from _dense("encoder", [n_flat + n_labels, *hidden, n_components * n_stats])
        yield from _dense("decoder.0", [n_code, *reversed(hidden), n_flat if maps else n_outputs])
    n_last = maps[0][0] * (n_outputs // n_inputs) if maps else 0
    for i, ((n_in, *_), (n_out, *_)) in enumerate(pairwise(reversed(maps))):
        made = n_last if i == len(maps) - 2 else n_out
        yield from _layer(f"decoder.1.stages.{2 * i + 1}.conv", (n_in, made, *_KERNEL), made)


def _n_components(header: dict[str, Any]) -> int:
    """Return the dimensions of the latent space of a network of ours."""
    parameters, n_features = header["parameters"], header["fitted"]["n_features_in_"]
    if parameters["n_components"] != "auto":
        return int(parameters["n_components"])
    of_images = parameters["image_shape"] is not None
    if has_words(header["class"]):
        return default_words(
            n_features, *maps_and_widths(header), parameters["word_size"], of_images=of_images
        )
    return default_components(n_features, of_images=of_images)


def _layer(name: str, shape: tuple[int, ...], n_out: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", (n_out,)


def _dense(name: str, widths: Sequence[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield dense layers with activations between them."""
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        yield from _layer(f"{name}.{2 * i}", (n_out, n_in), n_out)


def maps_and_widths(header: dict[str, Any]) -> tuple[list[Shape], Sequence[int]]:
    """Return the feature maps of the encoder's convolutions, and the widths of its dense layers."""
    names = ("image_shape", "hidden_channels", "hidden_layer_sizes")
    shape, channels, hidden = (unwritten(header["parameters"][name]) for name in names)
    maps = feature_maps(shape, channels)
    if hidden == "auto":
        hidden = default_widths(header["fitted"]["n_features_in_"], convolves=bool(maps))
    return maps, hidden


def state_sizes(header: dict[str, Any], n_classes: int) -> dict[str, int]:
    """Return the sizes of what scores keep, by the axes that they are declared with."""
    (n_inputs, _, _), shape = _likelihood(header), unwritten(header["parameters"]["image_shape"])
    sizes = {"n_inputs": n_inputs, "n_statistics": 2 if shape is None else 5}
    if shape is not None:
        sizes["n_cells"] = math.prod(min(_CELLS, side - min(_WINDOW, side) + 1) for side in shape[1:])
    if header["parameters"]["network"] is None:
        maps, hidden = maps_and_widths(header)
        n_labels = n_classes if n_classes and header["parameters"]["condition_encoder"] else 0
        n_last = hidden[-1] if hidden else (math.prod(maps[-1]) if maps else n_inputs) + n_labels
        sizes["n_hidden"] = min(_MOST_HIDDEN, n_last)
    return sizes

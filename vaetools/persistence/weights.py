"""Which weights a network of ours has, of what shapes: all of it follows from the header, without PyTorch."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from vaetools.estimators import has_spread
from vaetools.nn import Shape, default_components, default_widths, feature_maps
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
    options = given["options"] if isinstance(given, dict) else {}
    is_gaussian = given == "gaussian" or (isinstance(given, dict) and given["likelihood"] == "Gaussian")
    scale = options.get("scale", "global") if is_gaussian else None
    sizes = {"global": 1, "per_feature": n_features}
    scales = {"raw_log_scale": (sizes[scale],)} if scale in sizes else {}
    return n_features, n_features * (2 if scale == "predicted" else 1), scales


def weight_shapes(header: dict[str, Any], n_classes: int) -> Shapes:
    """Return the shapes of all weights by name; of a network that is not ours those beside it.

    The network is that of `vaetools.nn.networks.Network`, layer by layer. Parameters and columns of the
    header were checked; ``n_classes`` is 0 for a model without labels.
    """
    n_inputs, n_outputs, scales = _likelihood(header)
    shapes: Shapes = {"log_unit": (header["fitted"]["n_features_in_"],)}
    if n_classes:
        shapes["log_label_prior"] = (n_classes,)
    shapes |= {f"likelihood.{name}": shape for name, shape in scales.items()}
    if header["parameters"]["network"] is None:
        layers = _layers(header, n_inputs, n_outputs, n_classes)
        shapes |= {f"network.{name}": shape for name, shape in layers}
    return shapes


def _layers(
    header: dict[str, Any], n_inputs: int, n_outputs: int, n_classes: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of the weights of a network."""
    parameters = header["parameters"]
    maps, hidden = maps_and_widths(header)
    for i, ((n_in, *_), (n_out, *_)) in enumerate(pairwise(maps)):
        yield from _layer(f"features.stages.{2 * i}.conv", (n_out, n_in, *_KERNEL), n_out)
    n_components, n_features = parameters["n_components"], header["fitted"]["n_features_in_"]
    if n_components == "auto":
        n_components = default_components(n_features, of_images=parameters["image_shape"] is not None)
    n_stats = 2 if has_spread(header["class"]) else 1
    conditioning = parameters["conditioning"] if n_classes else None
    n_labels = n_classes if n_classes and parameters["condition_encoder"] else 0
    n_code = n_components + (n_classes if conditioning == "concat" else 0)
    n_flat = math.prod(maps[-1]) if maps else n_inputs
    if conditioning in ("add", "multiply"):
        yield from _layer("join.project.0", (n_components, n_classes), n_components)
    if maps and not hidden and n_flat == n_components == n_code and not n_labels:
        n = maps[-1][0]
        yield from _layer("encoder.0.conv", (n * n_stats, n, 1, 1), n * n_stats)
        yield from _layer("decoder.0.conv", (n, n, 1, 1), n)
    else:
        yield from _dense("encoder", [n_flat + n_labels, *hidden, n_components * n_stats])
        yield from _dense("decoder.0", [n_code, *reversed(hidden), n_flat if maps else n_outputs])
    n_last = maps[0][0] * (n_outputs // n_inputs) if maps else 0
    for i, ((n_in, *_), (n_out, *_)) in enumerate(pairwise(reversed(maps))):
        made = n_last if i == len(maps) - 2 else n_out
        yield from _layer(f"decoder.1.stages.{2 * i + 1}.conv", (n_in, made, *_KERNEL), made)


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

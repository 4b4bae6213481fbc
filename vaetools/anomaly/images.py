"""Scores of images: how a reconstruction fails, where, and in what the encoder makes of it.

Images are rows plus ``image_shape``; functions of pixels take scaled rows ``x``.

References
----------
Wang, Bovik, Sheikh, Simoncelli (2004), "Image quality assessment: from error visibility to
structural similarity", IEEE Transactions on Image Processing 13(4).
Kim et al. (2020), "RaPP: Novelty Detection with Reconstruction along Projection Pathway", ICLR.
Ledoit, Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices",
Journal of Multivariate Analysis 88(2).
Weinberger, Seroussi, Sapiro (2000), "The LOCO-I Lossless Image Compression Algorithm", IEEE
Transactions on Image Processing 9(8) (the predictor of a pixel).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor
from torch.nn import functional as F

from vaetools.anomaly.reference import Fitted, Reference, State, States, whitened
from vaetools.nn import perceptual
from vaetools.nn.model import Reading

Shape = tuple[int, int, int]

_CELLS = 7  # per side, of the map whose pattern is judged
_MOST_HIDDEN = 256  # values of the hidden layer that are judged


def pixel_range(reference: Reference) -> np.ndarray:
    """Return the least and the greatest pixel of reference images, in scaled units."""
    extremes = reference.evaluate(lambda r: torch.stack([r.x.amin(dim=1), r.x.amax(dim=1)], dim=1))
    low, high = extremes[:, 0].min(), extremes[:, 1].max()
    return np.array([low, high if high > low else low + 1])


def shape_of(state: Mapping[str, Any]) -> Shape:
    """Return (channels, height, width) of the images that a state was learnt of."""
    channels, height, width = map(int, state["image_shape"])
    return channels, height, width


def _in_unit(x: Tensor, shape: Shape, limits: Tensor) -> Tensor:
    """Images ``(n, channels, height, width)`` on the scale where reference pixels fill [0, 1]."""
    return ((x - limits[0]) / (limits[1] - limits[0])).reshape(-1, *shape)


def complexity(x: Tensor, shape: Shape, limits: Tensor) -> Tensor:
    """Return bits of every image: the entropy of what a median predictor leaves of 8-bit pixels.

    A pixel is predicted from its left, upper and upper left neighbors, as in lossless JPEG-LS.
    """
    levels = torch.round(255 * _in_unit(x, shape, limits)).clamp(-255, 510)
    padded = F.pad(levels, (1, 0, 1, 0))
    left, above, corner = padded[..., 1:, :-1], padded[..., :-1, 1:], padded[..., :-1, :-1]
    low, high = torch.minimum(left, above), torch.maximum(left, above)
    predicted = torch.where(corner >= high, low, torch.where(corner <= low, high, left + above - corner))
    residuals = (levels - predicted).clamp(-255, 255).flatten(1).long() + 255
    n_values = residuals.shape[1]
    counts = x.new_zeros(x.shape[0], 511).scatter_add_(1, residuals, x.new_ones(1).expand(residuals.shape))
    return -torch.xlogy(counts, counts / n_values).sum(dim=1) / math.log(2)


def contrast(x: Tensor, shape: Shape, limits: Tensor) -> Tensor:
    """Return the range of the means over 2×2 pixels of every image, 1 for that of the reference images."""
    images = _in_unit(x, shape, limits)
    pooled = F.avg_pool2d(images, [min(2, side) for side in shape[1:]], stride=1).flatten(1)
    return pooled.amax(dim=1) - pooled.amin(dim=1)


def dissimilarity(reading: Reading, shape: Shape, limits: Tensor) -> Tensor:
    """Return 1 − SSIM of every place of image and reconstruction, ``(n, channels, height′, width′)``."""
    if "dissimilarity" in reading.made:
        return reading.made["dissimilarity"]
    a, b = (_in_unit(rows, shape, limits) for rows in (reading.x, reading.expected))
    found = perceptual.dissimilarity(a, b)
    reading.made["dissimilarity"] = found
    return found


def _pattern(reading: Reading, shape: Shape, limits: Tensor) -> Tensor:
    """Mean dissimilarity in a grid of cells over the image, ``(n, n_cells)``."""
    where = dissimilarity(reading, shape, limits).mean(dim=1, keepdim=True)
    height, width = (min(_CELLS, side) for side in where.shape[2:])
    return F.adaptive_avg_pool2d(where, (height, width)).flatten(1)


def _hidden_residual(reading: Reading) -> Tensor:
    """Last hidden layer of the encoder on rows, less that on their reconstructions."""
    residual = reading.hidden - reading.model.read(reading.expected, reading.y).hidden
    return F.adaptive_avg_pool1d(residual, min(_MOST_HIDDEN, residual.shape[1]))


def _fit_distance(vectors: np.ndarray) -> State:
    """Return mean and whitening of a Mahalanobis distance with a shrunk covariance."""
    n_rows, n_values = vectors.shape
    return whitened(vectors, LedoitWolf().fit(vectors).covariance_ if n_rows > 1 else np.eye(n_values))


def _distance(vectors: Tensor, state: Mapping[str, Tensor]) -> Tensor:
    """Mahalanobis distance of every row from the mean of the reference."""
    distance: Tensor = ((vectors - state["mean"]) @ state["whitening"]).norm(dim=1)
    return distance


def fit_structure(reference: Reference, states: Fitted) -> State:
    """Return the usual pattern of dissimilarity over the image."""
    assert reference.image_shape is not None  # checked with the parameters
    shape, limits = reference.image_shape, pixel_range(reference)
    patterns = reference.evaluate(lambda r: _pattern(r, shape, torch.from_numpy(limits).to(r.x)))
    return _fit_distance(patterns) | {"image_shape": np.array(shape), "limits": limits}


def structure(reading: Reading, states: States) -> Tensor:
    """Minus the Mahalanobis distance of the pattern in which a reconstruction fails."""
    state = states["structure"]
    shape = shape_of(state)
    return -_distance(_pattern(reading, shape, state["limits"]), state)


def structure_map(reading: Reading, states: States) -> Tensor:
    """Return what every place adds to the squared distance of `structure`, ``(n_samples, height, width)``.

    A window counts where its middle is.
    """
    state = states["structure"]
    shape = shape_of(state)
    where = dissimilarity(reading, shape, state["limits"]).mean(dim=1)  # (n, height′, width′)
    usual = state["mean"]
    pull = (_pattern(reading, shape, state["limits"]) - usual) @ state["whitening"] @ state["whitening"].T
    down, across = (_cell_weights(side, where) for side in where.shape[1:])

    def spread(cells: Tensor) -> Tensor:
        return down @ cells.reshape(-1, down.shape[1], across.shape[1]) @ across.T

    return perceptual.centered(where * spread(pull) - spread(pull * usual), *shape[1:])


def _cell_weights(side: int, like: Tensor) -> Tensor:
    """Return what every place along a side adds to the mean of every cell, ``(side, n_cells)``."""
    places = torch.eye(side, dtype=like.dtype, device=like.device)
    return F.adaptive_avg_pool1d(places[None], min(_CELLS, side))[0]


def fit_hidden_residual(reference: Reference, states: Fitted) -> State:
    """Return the usual residual of the hidden layer."""
    return _fit_distance(reference.evaluate(_hidden_residual))


def hidden_residual(reading: Reading, states: States) -> Tensor:
    """Minus the Mahalanobis distance of the hidden layer's residual."""
    return -_distance(_hidden_residual(reading), states["hidden_residual"])

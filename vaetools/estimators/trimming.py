"""Training rows that are unlike most others, left out before training because a model learns them too.

A network that has trained on odd rows reconstructs them well, so their costs do not give them away,
and rows that are simpler than the normal ones never cost much. Distances do: odd rows that are
fewer than a share k of all are farther than most from the nearest share k, even where they form
groups of their own.

References
----------
Knorr, Ng, Tucakov (2000), "Distance-based outliers: algorithms and applications", VLDB Journal 8.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaetools.estimators.building import build
from vaetools.estimators.engine import Engine
from vaetools.estimators.rows import decide_scale
from vaetools.nn.batches import Rows

_N_COMPARED = 2_000  # rows that every row is compared with


def n_trimmed(n_rows: int, trimmed_fraction: float) -> int:
    """Return how many of some rows are left out.

    Examples
    --------
    >>> n_trimmed(100, 0.29), n_trimmed(9, 0.1)
    (29, 0)
    """
    return math.floor(trimmed_fraction * n_rows + 1e-9)  # 0.29 · 100 < 29 in floats


def trimmed(estimator: Any, X: np.ndarray, train: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows that are like the others, and those that are not, the oddest first."""
    n_suspects = n_trimmed(len(train), estimator.trimmed_fraction)
    kept, suspects = train, train[:0]
    for _ in range(2):  # again on a scale that the oddest rows do not stretch
        estimator.input_scale_ = decide_scale(estimator, X, kept)
        build(estimator, X[[0]], len(kept), seed)
        away = _distances_to_others(estimator, Rows(X, train, estimator.input_scale_))
        if estimator._marks is not None:
            away[estimator._marks[train] > 0] = 0  # somebody knows better
        order = train[np.argsort(-away, kind="stable")]
        kept, suspects = np.sort(order[n_suspects:]), order[:n_suspects]
    return kept, suspects


def _distances_to_others(estimator: Any, rows: Rows) -> np.ndarray:
    """Distance of every row to as many others as are expected to be odd, half of the trimmed ones."""
    model, share = estimator.model_, estimator.trimmed_fraction / 2
    seen = model.likelihood.inputs if estimator.image_shape is None else pattern
    compared = torch.cat([seen(x) for x, _ in rows.some(_N_COMPARED).batches(model.log_unit)])
    [away] = Engine(estimator).map(rows, lambda reading: distance_to_share(seen(reading.x), compared, share))
    return away


def pattern(images: Tensor) -> Tensor:
    """Return images without brightness and contrast: pixels of mean 0 and length 1, or all 0.

    Examples
    --------
    >>> pattern(torch.tensor([[0.0, 0.5], [0.2, 1.0], [0.7, 0.7]]))[:, 1]
    tensor([0.7071, 0.7071, 0.0000])
    """
    return torch.nn.functional.normalize(images - images.mean(dim=1, keepdim=True), dim=1)


def distance_to_share(rows: Tensor, compared: Tensor, share: float) -> Tensor:
    """Return the distance within which a share of the compared rows lie, ``(n_samples,)``.

    Examples
    --------
    >>> line = torch.arange(5.0)[:, None]
    >>> distance_to_share(line, line, 0.4)  # to the second nearest, after the row itself
    tensor([2., 1., 1., 1., 2.])
    """
    k = math.ceil(share * len(compared) - 1e-9)
    return torch.cdist(rows, compared).kthvalue(min(k + 1, len(compared)), dim=1).values

"""Training rows that are least like the others, left out before training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vaetools.anomaly.suspects import N_COMPARED, distance_to_share, n_trimmed, pattern
from vaetools.estimators.building import build
from vaetools.estimators.engine import Engine
from vaetools.estimators.scales import decide_scale
from vaetools.nn.batches import Rows


def trimmed(estimator: Any, X: np.ndarray, train: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows that are like the others, and those that are not, the oddest first."""
    n_suspects = n_trimmed(len(train), estimator.trimmed_fraction)
    kept, suspects = train, train[:0]
    for _ in range(2):  # again on a scale that the oddest rows do not stretch
        estimator.input_scale_ = decide_scale(estimator, X, kept)
        build(estimator, X[[0]], seed)
        away = _distances_to_others(estimator, Rows(X, train, estimator.input_scale_))
        order = train[np.argsort(-away, kind="stable")]
        kept, suspects = np.sort(order[n_suspects:]), order[:n_suspects]
    return kept, suspects


def _distances_to_others(estimator: Any, rows: Rows) -> np.ndarray:
    """Distance of every row to as many others as are expected to be odd, half of the trimmed ones."""
    model, share = estimator.model_, estimator.trimmed_fraction / 2
    seen = model.likelihood.inputs if estimator.image_shape is None else pattern
    compared = torch.cat([seen(x) for x, _ in rows.some(N_COMPARED).batches(model.log_unit)])
    [away] = Engine(estimator).map(rows, lambda reading: distance_to_share(seen(reading.x), compared, share))
    return away

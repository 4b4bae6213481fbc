"""What a model says of every row: codes, numbers, and the columns that surprise most."""

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaetools.anomaly.calibration import conformal_p_values
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import p_values_within, thresholds
from vaetools.nn.model import Reading

_N_REASONS = 3  # columns that surprise most


def read_rows(
    engine: Engine, rows: Any, *, with_reasons: bool
) -> tuple[np.ndarray, dict[str, np.ndarray], Any]:
    """Return codes, numbers of every row, and of a table its most surprising columns, in one pass."""
    asked: dict[str, Any] = {"codes": attrgetter("mean"), "score": engine.score()}
    if engine.can_decode:
        asked["reconstruction"] = lambda r: r.reconstruction.sum(dim=1)
        if engine.has_prior:
            asked["KL"] = lambda r: r.kl.sum(dim=1)
        if engine.classes is not None:
            asked["believed"] = lambda r: r.y.argmax(dim=1)
        if with_reasons:
            asked |= {"which": _surprising, "nats": _surprise, "expected": engine.in_units}
    found = dict(zip(asked, engine.map(rows, *asked.values()), strict=True))
    codes = found.pop("codes")
    known = getattr(engine.estimator, "calibration_scores_", None)
    if known is not None and engine.context is not None:
        found["p-value"] = p_values_within(engine.estimator, found["score"], rows)
    elif known is not None:
        found["p-value"] = conformal_p_values(found["score"], known)
    reasons = {name: found.pop(name) for name in ("which", "nats", "expected") if name in found}
    return codes, found, reasons


def flagged_rows(engine: Engine, rows: Any, scores: np.ndarray) -> np.ndarray | None:
    """Return which rows lie below the threshold, of a context that of their group; None without one."""
    threshold = getattr(engine.estimator, "offset_", None)
    if threshold is not None and engine.context is not None:
        threshold = thresholds(engine.estimator, rows)
    return None if threshold is None else ~(scores >= threshold)


def _surprise(reading: Reading) -> Tensor:
    """Return the greatest surprise of columns in nats, ``(n_samples, n_reasons)``; −inf of missing cells."""
    surprise = torch.nan_to_num(reading.surprise, nan=-math.inf)
    return surprise.topk(min(_N_REASONS, surprise.shape[1]), dim=1).values


def _surprising(reading: Reading) -> Tensor:
    """Return which columns these are, by number."""
    surprise = torch.nan_to_num(reading.surprise, nan=-math.inf)
    which = surprise.topk(min(_N_REASONS, surprise.shape[1]), dim=1).indices
    return which.to(surprise.dtype)


def with_values(
    found: dict[str, np.ndarray], rows: np.ndarray, back: Callable[[np.ndarray], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return surprising columns with the values they have, and those that were expected."""
    which = found["which"].astype(int)
    pair = (rows, back(found["expected"]))
    own, expected = (np.take_along_axis(np.asarray(each), which, axis=1) for each in pair)
    made = {"own": own, "expected": expected, "nats": found["nats"]}
    return {"which": which.astype(np.uint32)} | {name: each.astype(np.float32) for name, each in made.items()}

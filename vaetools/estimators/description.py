"""What fit notes of a trained model: how its latent space is used, and what rows cost."""

from __future__ import annotations

import dataclasses
import math
import warnings
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from vaetools.anomaly.reference import Reference
from vaetools.anomaly.scores import fit_states
from vaetools.estimators.engine import Engine
from vaetools.estimators.judging import Seen, Settings, explained_share, judgment
from vaetools.estimators.scales import RATHER_FLAT, flat_images
from vaetools.nn.batches import Rows
from vaetools.nn.model import Reading

N_REFERENCE = 10_000  # training rows that describe the latent space after fit
N_DESCRIBED = 2_000  # rows that mean costs are taken over: decoding is the dear part
_ACTIVE_VARIANCE = 0.01  # of latent means over rows (Burda et al. 2016)
_JUDGED_STEPS = 200  # before that a posterior near the prior is not collapsed but untrained
_LEAST_JUDGED = 10  # rows: fewer are alike by chance
_N_SHOWN, _SHOWN_VALUES = 256, 2**22  # rows whose reconstructions are looked at, and what they have at most


def describe(estimator: Any, rows: Rows, held_out: Rows, rng: np.random.RandomState) -> None:
    """Note how the latent space of a trained estimator is used, and warn where it is not.

    Parameters
    ----------
    estimator : AE, VAE or CVAE
        Trained, and without a threshold yet.
    rows, held_out : Rows
        That trained, and that did not.
    rng : RandomState
        Chooses among many rows.
    """
    engine, index = Engine(estimator), rows.index
    if len(index) > N_REFERENCE:
        index = np.sort(rng.choice(index, N_REFERENCE, replace=False))
    reference = dataclasses.replace(rows, index=index)
    codes, kl = engine.map(reference, attrgetter("mean"), attrgetter("kl"))
    seen = codes
    if reference.labels is not None and engine.can_decode:
        [seen] = engine.map(reference.unlabeled(), attrgetter("mean"))
    estimator.reference_codes_ = seen.astype(np.float32)
    estimator.code_range_ = np.stack([codes.min(axis=0), codes.max(axis=0)])
    estimator.active_units_ = codes.var(axis=0) > _ACTIVE_VARIANCE
    estimator.kl_per_component_ = kl.mean(axis=0)
    estimator.mean_terms_ = pd.DataFrame(columns=["reconstruction", "kl"], dtype=np.float64)
    for name, part in {"train": reference, "held_out": held_out}.items():
        if engine.can_decode and len(part):
            [costs] = engine.map(part.some(N_DESCRIBED), _costs)
            estimator.mean_terms_.loc[name] = costs.mean(axis=0)
    estimator.anomaly_score_ = estimator.anomaly_score
    estimator.score_state_ = {}
    if engine.can_score(estimator.anomaly_score):
        seen_rows = Reference(lambda f: engine.map(reference.unlabeled(), f)[0], estimator.image_shape)
        estimator.score_state_ = fit_states(estimator.anomaly_score, seen_rows)
    if len(rows) >= _LEAST_JUDGED and trained_enough(estimator, len(rows)):
        _warn_of_faults(engine, reference, _n_steps(estimator, len(rows)))


def _costs(reading: Reading) -> Tensor:
    """Reconstruction and KL cost of every row, ``(n_samples, 2)``."""
    return torch.stack([reading.reconstruction.sum(dim=1), reading.kl.sum(dim=1)], dim=1)


def trained_enough(estimator: Any, n_rows: int) -> bool:
    """Whether training on so many rows was long enough to blame anything but its length."""
    return _n_steps(estimator, n_rows) >= _JUDGED_STEPS


def _n_steps(estimator: Any, n_rows: int) -> int:
    """Training steps that were made on so many rows."""
    return estimator.n_iter_ * math.ceil(n_rows / estimator.batch_size)


def _warn_of_faults(engine: Engine, rows: Rows, n_steps: int) -> None:
    """Warn where codes or reconstructions say next to nothing of training rows, and say what to try."""
    estimator = engine.estimator
    kl = float(estimator.kl_per_component_.sum()) if engine.has_spread else None
    n_shown = min(_N_SHOWN, _SHOWN_VALUES // rows.X.shape[1])
    x = explained = None
    if engine.columns is None and n_shown >= _LEAST_JUDGED:
        x, expected = engine.map(rows.some(n_shown), attrgetter("x"), attrgetter("expected"))
        explained = explained_share(x, expected)
    settings = Settings(
        scaling="standardize" if engine.scale.standardizes else engine.scale.kind,
        n_steps=n_steps,
        learning_rate=float(estimator.history_["learning_rate"].max()),
        beta=estimator.beta if engine.has_spread else None,
        kl_warmup=estimator.kl_warmup if engine.has_spread else 0.0,
    )
    flat = flat_images(engine.scale, rows.X, RATHER_FLAT)
    is_told = rows.labels is not None
    if words := judgment(Seen(kl, estimator.active_units_, x, explained, flat, is_told), settings):
        warnings.warn(f"{engine.owner}: {words}", ConvergenceWarning, stacklevel=5)

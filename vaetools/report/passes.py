"""What a fitted model makes of the rows of a comparison: codes, scores, samples and paths, as arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from vaetools.report.comparison import Data
from vaetools.report.models import Fitted
from vaetools.report.morphing import morph

N_MEASURED, N_DRAWS, N_PATHS, N_STEPS = 10_000, 2_000, 48, 11


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What all models are shown, and on what scale they are measured.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features)
        In the units that all models share.
    scale : ndarray of shape (n_features,)
        What counts as one step in a column when rows are compared: of pixels 1, of tables the
        standard deviation.
    normal : ndarray of shape (n_normal,), int
        Numbers of the rows that are measured: none that is known to be odd, and at most 10,000.
    pairs : ndarray of shape (n_pairs, 2), int
        Numbers of rows to interpolate between, of two classes where there are any.
    seed : int
    """

    rows: np.ndarray
    scale: np.ndarray
    normal: np.ndarray
    pairs: np.ndarray
    seed: int

    @property
    def variance(self) -> float:
        """The squared error of the mean row, on the scale that errors are measured on."""
        return float((self.rows[self.normal] / self.scale).var(axis=0).mean())

    @classmethod
    def of(cls, rows: np.ndarray, data: Data, seed: int, *, pixels: bool) -> Plan:
        """Choose rows and pairs by a seed; ``pixels`` have one scale, whatever their columns do."""
        rng = np.random.default_rng(seed)
        normal = np.arange(len(rows)) if data.outliers is None else np.flatnonzero(~data.outliers)
        normal = np.sort(rng.permutation(normal)[:N_MEASURED])
        spread = np.ones(rows.shape[1]) if pixels or data.std is None else data.std
        starts, ends = rng.permuted(np.tile(normal, (2, 1)), axis=1)
        labels = np.arange(len(rows)) if data.labels is None else data.labels
        apart = labels[starts] != labels[ends]
        pairs = np.stack([starts, ends], axis=1)
        pairs = np.concatenate([pairs[apart], pairs[~apart]])[:N_PATHS]
        return cls(rows, np.where(spread > 0, spread, 1.0), normal, pairs, seed)


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What one model makes of the rows; decoded rows are in the units that all models share.

    Attributes
    ----------
    codes, draws : ndarray of shape (n_samples, n_components)
        Latent means, and a draw from the posterior of each; of an AE the codes again.
    scores : ndarray of shape (n_samples,)
    p_values : ndarray of shape (n_samples,) or None
    costs : DataFrame of shape (n_samples, 2)
        ``reconstruction`` and ``kl`` in nats.
    reconstructions : ndarray of shape (n_normal, n_features)
        Of the rows that are measured.
    samples : ndarray of shape (n_draws, n_features)
        Decoded draws from N(0, I).
    paths : ndarray of shape (n_pairs, n_steps, n_features)
        Decoded straight lines between codes of pairs.
    """

    codes: np.ndarray
    draws: np.ndarray
    scores: np.ndarray
    p_values: np.ndarray | None
    costs: pd.DataFrame
    reconstructions: np.ndarray
    samples: np.ndarray
    paths: np.ndarray


def see(fitted: Fitted, plan: Plan) -> Seen:
    """Encode, score and decode with one model.

    Parameters
    ----------
    fitted : Fitted
    plan : Plan

    Returns
    -------
    seen : Seen
    """
    model, rows = fitted.estimator, fitted.rows
    if fitted.variational:
        codes, std = model.posterior(rows)
        draws = codes + std * np.random.default_rng(plan.seed).standard_normal(codes.shape)
    else:
        codes = draws = np.asarray(model.transform(rows), dtype=np.float64)
    terms = {"reconstruction": "neg_reconstruction"} | ({"kl": "neg_kl"} if fitted.variational else {})
    name = model.anomaly_score_
    table = model.score_table(rows, scores=list(dict.fromkeys([name, *terms.values()])))
    costs = {term: -table[score].to_numpy() for term, score in terms.items()}
    return Seen(
        codes=codes,
        draws=draws,
        scores=table[name].to_numpy(),
        p_values=model.p_values(rows) if hasattr(model, "calibration_scores_") else None,
        costs=pd.DataFrame({"kl": np.zeros(len(codes))} | costs)[["reconstruction", "kl"]],
        reconstructions=fitted.shared(model.reconstruct(fitted.take(plan.normal))),
        samples=fitted.sample(N_DRAWS, plan.seed),
        paths=np.stack([fitted.shared(morph(model, fitted.take(pair), N_STEPS)) for pair in plan.pairs]),
    )

"""What fit notes of a trained model: how its latent space is used, and what rows cost."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from vaetools.anomaly.reference import Reference, State
from vaetools.anomaly.scores import fit_states
from vaetools.estimators.engine import Evaluator
from vaetools.estimators.judging import Seen, Settings, explained_share, judgment
from vaetools.estimators.scales import RATHER_FLAT, flat_images
from vaetools.nn.batches import Rows

N_REFERENCE = 10_000  # training rows that describe the latent space after fit
N_DESCRIBED = 2_000  # rows that mean costs are taken over: decoding is the dear part
_ACTIVE_VARIANCE = 0.01  # of latent means over rows (Burda et al. 2016)
_JUDGED_STEPS = 200  # before that a posterior near the prior is not collapsed but untrained
_LEAST_JUDGED = 10  # rows: fewer are alike by chance
_N_SHOWN, _SHOWN_VALUES = 256, 2**22  # rows whose reconstructions are looked at, and what they have at most


class Describer(Evaluator):
    """The last step of training but one: a description of the model, before it gets a threshold."""

    n_iter_: int

    def _describe(self, rows: Rows, held_out: Rows, rng: np.random.RandomState) -> None:
        """Note how the latent space is used, and warn where it is not."""
        index = rows.index
        if len(index) > N_REFERENCE:
            index = np.sort(rng.choice(index, N_REFERENCE, replace=False))
        reference = dataclasses.replace(rows, index=index)
        unlabeled = dataclasses.replace(reference, labels=None)
        codes, kl = np.split(self._evaluate(reference, self._codes_and_kl), [self._n_features_out], axis=1)
        given_labels = reference.labels is not None and self._can_decode
        seen = self._evaluate(unlabeled, self.model_.code) if given_labels else codes
        self.reference_codes_ = seen.astype(np.float32)
        self.code_range_ = np.stack([codes.min(axis=0), codes.max(axis=0)])
        self.active_units_ = codes.var(axis=0) > _ACTIVE_VARIANCE
        self.kl_per_component_ = kl.mean(axis=0)
        self.mean_terms_ = pd.DataFrame(columns=["reconstruction", "kl"], dtype=np.float64)
        for name, part in {"train": reference, "held_out": held_out}.items():
            if self._can_decode and len(part):
                some = dataclasses.replace(part, index=part.index[:: math.ceil(len(part) / N_DESCRIBED)])
                self.mean_terms_.loc[name] = self._evaluate(some, self._term_sums).mean(axis=0)
        self.anomaly_score_ = self.anomaly_score
        self.score_state_: dict[str, State] = {}
        if self._can_score(self.anomaly_score):
            evaluate = functools.partial(self._read, unlabeled)
            self.score_state_ = fit_states(self.anomaly_score, Reference(evaluate, self.image_shape))
        if len(rows) >= _LEAST_JUDGED and self._can_be_judged(rows):
            self._warn_of_faults(reference, self._n_steps(rows))

    def _can_be_judged(self, rows: Rows) -> bool:
        """Whether training on these rows was long enough to blame anything but its length."""
        return self._n_steps(rows) >= _JUDGED_STEPS

    def _n_steps(self, rows: Rows) -> int:
        """Training steps that were made on these rows."""
        return self.n_iter_ * math.ceil(len(rows) / self.batch_size)

    def _warn_of_faults(self, rows: Rows, n_steps: int) -> None:
        """Warn where codes or reconstructions say next to nothing of training rows, and say what to try."""
        kl = float(self.kl_per_component_.sum()) if self._variational else None
        n_shown = min(_N_SHOWN, _SHOWN_VALUES // rows.X.shape[1])
        x = explained = None
        if self.columns_ is None and n_shown >= _LEAST_JUDGED:
            x, expected = self._scaled_and_expected(rows, n_shown)
            explained = explained_share(x, expected)
        settings = Settings(
            scaling=self.input_scale_.kind,
            n_steps=n_steps,
            learning_rate=float(self.history_["learning_rate"].max()),
            beta=self.beta if self._variational else None,
            kl_warmup=self.kl_warmup if self._variational else 0.0,
        )
        flat = flat_images(self.input_scale_, rows.X, RATHER_FLAT)
        if words := judgment(Seen(kl, self.active_units_, x, explained, flat), settings):
            warnings.warn(f"{type(self).__name__}: {words}", ConvergenceWarning, stacklevel=5)

    def _scaled_and_expected(self, rows: Rows, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return at most n rows as the network sees them, and as it reconstructs them."""
        some = dataclasses.replace(rows, index=rows.index[:: math.ceil(len(rows) / n)])

        def both(x: Tensor, condition: Tensor | None) -> Tensor:
            return torch.stack([x, self.model_.reconstruct(x, condition)], dim=1)

        x, expected = np.moveaxis(self._evaluate(some, both), 1, 0)
        return x, expected

"""What fit notes of a trained model: how its latent space is used, and what rows cost."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from vaetools.anomaly.reference import Reference, State
from vaetools.anomaly.scores import fit_states
from vaetools.estimators.evaluation import Evaluator
from vaetools.nn.rows import Rows

N_REFERENCE = 10_000  # training rows that describe the latent space after fit
N_DESCRIBED = 2_000  # rows that mean costs are taken over: decoding is the dear part
_ACTIVE_VARIANCE = 0.01  # of latent means over rows (Burda et al. 2016)
_COLLAPSED_KL = 0.05  # nats per row
_JUDGED_STEPS = 200  # before that a posterior near the prior is not collapsed but untrained


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
        collapsed = self._variational and self.kl_per_component_.sum() < _COLLAPSED_KL
        if collapsed and self._can_be_judged(rows):
            self._warn_of_collapse()

    def _can_be_judged(self, rows: Rows) -> bool:
        """Whether training on these rows was long enough to blame anything but its length."""
        return self.n_iter_ * math.ceil(len(rows) / self.batch_size) >= _JUDGED_STEPS

    def _warn_of_collapse(self) -> None:
        """Warn that the posterior equals the prior: codes say nothing of their rows."""
        warnings.warn(
            f"{type(self).__name__}: the posterior collapsed: KL is {self.kl_per_component_.sum():.2g} "
            f"nats per row and {self.active_units_.sum()} of {len(self.active_units_)} latent dimensions "
            "are active, so codes say next to nothing of their rows. Try a smaller beta, "
            f"kl_warmup=0.5, or more epochs (max_iter; it ran {self.n_iter_}).",
            ConvergenceWarning,
            stacklevel=5,
        )

"""Everything that AE, VAE and CVAE share: fit, transform, inverse_transform, reconstruct, score."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from torch import Tensor, nn

from vaetools.anomaly.suspects import N_COMPARED, distance_to_share, n_trimmed, pattern
from vaetools.estimators.building import (
    check_image_shape,
    count_components,
    make_network,
    resolve_device,
    resolve_dtype,
    resolve_likelihood,
    resolve_training,
)
from vaetools.estimators.checkpoint import Checkpoint, facts_of, facts_of_rows, train
from vaetools.estimators.columns import Columns
from vaetools.estimators.constructor import check_combinations, check_parameters
from vaetools.estimators.description import Describer
from vaetools.estimators.precision import Precise
from vaetools.estimators.rows import (
    are_images,
    check_rows,
    check_support,
    precision_of,
    split_rows,
)
from vaetools.estimators.scales import decide_scale, warn_of_flat_images
from vaetools.nn.batches import Rows
from vaetools.nn.likelihoods import Likelihood
from vaetools.nn.model import Autoencoder
from vaetools.nn.parallel import Workers
from vaetools.nn.training import Callback, Record, Trainer

_NO_EPOCH = ["epoch", "beta", "learning_rate", "loss", "reconstruction", "kl"]


class BaseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Precise, Describer):
    """Shared half of the estimators; `vaetools.estimators.detector` has the verdicts.

    A subclass says whether its posterior has a spread, and what it does with labels.
    """

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Any:
        """Split the rows, decide the scaling, train, and calibrate the verdict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; a large memory map stays on disk. With ``likelihood="mixed"`` a table, best a DataFrame,
            of numbers, booleans and text, NaN where a cell is missing.
        y : Ignored
            Present for API consistency.
        callbacks : sequence of callable, default=()
            Each is called after every epoch as ``callback(record, model)``: the epoch's row of
            ``history_`` as a dict, and the torch module in training.
        checkpoint : str, PathLike or None, default=None
            File that keeps the state of the training. The same fit, called again, goes on from there and
            on the CPU ends in the same numbers as if it had never stopped; epochs that ran before are not
            told to callbacks. See ``docs/checkpoints.md``.

        Returns
        -------
        self : object
            The fitted estimator. A fit that fails leaves it as it was.

        Raises
        ------
        KeyboardInterrupt
            If somebody interrupts. Where something was learnt by then, the estimator is fitted all the
            same, by what it had learnt; a second interruption leaves it as it was.
        ModelFileError
            If the file at ``checkpoint`` is damaged, no checkpoint, or that of another fit: the message
            names what differs.
        OSError
            If it cannot be written where training begins.
        """
        check_parameters(self)
        check_combinations(self)
        if not isinstance(callbacks, (list, tuple)) or not all(callable(each) for each in callbacks):
            raise TypeError(
                f"{type(self).__name__}: callbacks must be a list of functions; got {callbacks!r}."
            )
        before = dict(vars(self))
        try:
            with torch.inference_mode(False), torch.enable_grad():
                kept = None if checkpoint is None else Checkpoint(self, checkpoint)
                interruption = self._fit(X, y, callbacks, kept)
        except BaseException:  # leave the estimator as it was
            vars(self).clear()
            vars(self).update(before)
            raise
        if interruption is not None:
            raise interruption
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return latent means.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            float32 for float32 rows, else float64.
        """
        X = self._check_new_rows(X)
        return self._evaluate(self._rows(X), self.model_.code, precision_of(X))

    def inverse_transform(self, Z: Any) -> np.ndarray | pd.DataFrame:
        """Decode codes to expected rows.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            In units of X; of images of integers in [0, 1]. With ``likelihood="mixed"`` a
            table like that of ``fit``, with likeliest categories and integers rounded.
        """
        return self._decode(Z)

    def reconstruct(self, X: Any) -> np.ndarray | pd.DataFrame:
        """Return the expected row at the latent mean of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            In units of X; of images of integers in [0, 1]. With ``likelihood="mixed"`` a
            table like that of ``fit``, without gaps: ``X.fillna(model.reconstruct(X))`` imputes.
        """
        return self._reconstruct(X)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean evidence lower bound, so that model selection compares bounds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
            Present for API consistency.

        Returns
        -------
        score : float
            Nats per row, in units of X; higher is better. An `AE` has no posterior: for it
            this is the mean of log p(x | z).
        """
        return float(self._scores(X, "elbo").mean())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = self.likelihood == "mixed"
        return tags

    # Fit, step by step

    def _fit(
        self, X: Any, y: Any, callbacks: Sequence[Callback], checkpoint: Checkpoint | None
    ) -> KeyboardInterrupt | None:
        X, labels = self._check_training_rows(X, y)
        check_image_shape(self, X.shape[1])
        self.n_samples_ = len(X)
        rng = check_random_state(self.random_state if checkpoint is None else checkpoint.seed)
        split = split_rows(self, len(X), rng)
        seed = int(rng.randint(2**31 - 1))
        table, kept = X, split.train
        self._learn_labels(labels, kept)
        X = self._learn_columns(table, kept)
        kept = self._trim(X, kept, seed)
        if len(self.suspects_):  # what only they have is not learnt
            self._learn_labels(labels, kept)
            X = self._learn_columns(table, kept)
        self._build(X, kept, seed)
        warn_of_flat_images(self, X)
        rows, validate, calibrate = (
            self._rows(X, labels, index) for index in (kept, split.validate, split.calibrate)
        )
        self._fit_scale(rows)
        interruption = self._train(rows, validate, seed, callbacks, checkpoint)
        held_out = calibrate if len(calibrate) else validate
        self._describe(rows, held_out, rng)
        self._judge_labels(rows, held_out)
        seen = np.concatenate([split.train, split.validate])
        self._calibrate(self._rows(X, None, seen), calibrate)
        return interruption

    def _learn_labels(self, labels: np.ndarray | None, train: np.ndarray) -> None:
        """Learn the frequencies of labels, in a conditional model."""

    def _learn_columns(self, X: Any, train: np.ndarray) -> np.ndarray:
        """Learn the columns of a table of several kinds, and return its rows as numbers."""
        self.columns_ = None
        if self.likelihood != "mixed":
            return X
        owner = type(self).__name__
        masking = self.input_masking > 0
        self.columns_ = Columns.learn(owner, X, train, self.column_likelihoods, masking=masking)
        return self.columns_.encode(owner, X)

    def _judge_labels(self, rows: Rows, held_out: Rows) -> None:
        """Warn where labels are not or hardly used, in a conditional model, and note how much they are."""

    def _check_training_rows(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return checked rows and, in a conditional model, label codes."""
        return check_rows(self, X, reset=True), None

    def _build(self, X: np.ndarray, train: np.ndarray, seed: int) -> None:
        """Decide the scaling, and put network and likelihood together on the device."""
        likelihood = resolve_likelihood(self, X.shape[1])
        is_image = are_images(self, X)
        if likelihood.unit_interval:
            check_support(type(self).__name__, X, self.likelihood, is_image=is_image)
        standardize = self.max_iter != 0 if self.standardize == "auto" else self.standardize
        self.input_scale_ = decide_scale(
            X,
            train,
            standardize=standardize,
            images=is_image,
            unit_interval=likelihood.unit_interval,
            is_code=self.columns_ is not None and [bool(column.values) for column in self.columns_.columns],
        )
        network = make_network(
            self,
            X.shape[1],
            likelihood,
            variational=self._variational,
            unit_mean=self.input_scale_.in_unit_interval,
            seed=seed,
            n_classes=self._n_classes,
        )
        device = resolve_device(self)
        dtype = resolve_dtype(self, device) if self.max_iter == 0 else torch.float32
        network.to(device=device, dtype=dtype).eval()
        x = self.input_scale_.apply(X[[0]], device=device, dtype=dtype)
        condition = x.new_zeros(1, self._n_classes) if self._n_classes else None
        self._n_features_out = count_components(
            self, network, likelihood, x, condition, variational=self._variational
        )
        self.model_ = self._make_model(network, likelihood)
        self.model_.to(device=device, dtype=dtype).eval()

    def _make_model(self, network: nn.Module, likelihood: Likelihood) -> Autoencoder:
        """Put network and likelihood together."""
        return Autoencoder(network, likelihood, self._n_features_out, self._log_unit())

    def _log_unit(self) -> Tensor:
        return torch.from_numpy(self.input_scale_.log_unit)

    def _trim(self, X: np.ndarray, train: np.ndarray, seed: int) -> np.ndarray:
        """Note the training rows that are least like the others, and return the others."""
        n_suspects = n_trimmed(len(train), self.trimmed_fraction)
        kept, self.suspects_ = train, train[:0]
        for _ in range(2 if n_suspects else 0):  # again on a scale that the oddest rows do not stretch
            self._build(X, kept, seed)
            away = self._distances_to_others(self._rows(X, None, train))
            order = train[np.argsort(-away, kind="stable")]
            kept, self.suspects_ = np.sort(order[n_suspects:]), order[:n_suspects]
        return kept

    def _distances_to_others(self, rows: Rows) -> np.ndarray:
        """Distance of every row to as many others as are expected to be odd, half of the trimmed ones."""
        seen = self.model_.likelihood.inputs if self.image_shape is None else pattern
        some = dataclasses.replace(rows, index=rows.index[:: math.ceil(len(rows) / N_COMPARED)])
        compared = torch.cat([seen(x) for x, _ in self._batches(some)])
        share = self.trimmed_fraction / 2
        return self._evaluate(rows, lambda x, _: distance_to_share(seen(x), compared, share))

    @torch.no_grad()
    def _fit_scale(self, rows: Rows) -> None:
        """Set a learnt scale to its maximum-likelihood value, given the weights."""
        if not self._can_decode:
            if self.max_iter != 0:
                raise ValueError(
                    f"{type(self).__name__}: max_iter must be 0 for a network that has no decoder; got "
                    f"{self.max_iter!r}."
                )
            return
        total, n_known = torch.zeros_like(self.model_.log_unit), 0
        for x, condition in self._batches(rows):
            total += (x - self.model_.reconstruct(x, condition)).square().nansum(dim=0)
            n_known = n_known + (~x.isnan()).sum(dim=0)
        self.model_.likelihood.fit_scale(total / n_known)

    def _train(
        self,
        rows: Rows,
        validate: Rows,
        seed: int,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None,
    ) -> KeyboardInterrupt | None:
        """Run the training loop, keep its record and settle the weights; return what interrupted it."""
        settings = resolve_training(self, len(rows))
        history: list[Record] = []
        interruption = None
        if settings.n_epochs:
            if not any(weight.requires_grad for weight in self.model_.parameters()):
                raise ValueError(
                    f"{type(self).__name__}: max_iter must be 0 for a network without trainable weights; got "
                    f"{self.max_iter!r}."
                )
            workers = Workers.here()
            if workers.n > 1:
                workers.agree(facts_of(self) | facts_of_rows(self, rows.X, rows.labels) | {"seed": seed})
            watched = validate if len(validate) else None
            trainer = Trainer(self.model_, rows, settings, seed=seed, held_out=watched)
            name = type(self).__name__
            interruption = train(trainer, checkpoint, callbacks=callbacks, owner=name, verbose=self.verbose)
            history = trainer.history
        self.history_ = pd.DataFrame(history, columns=None if history else _NO_EPOCH, dtype=np.float64)
        self.history_["epoch"] = self.history_["epoch"].astype(np.int64)
        self.n_iter_, self.max_iter_ = len(history), settings.n_epochs
        self._settle()
        return interruption

"""Everything that AE, VAE and CVAE share: fit, transform, inverse_transform, reconstruct, score."""

import os
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from vaetools.estimators.anew import wholly
from vaetools.estimators.building import build, check_image_shape, n_classes_of, starts_at_mean
from vaetools.estimators.card import Card
from vaetools.estimators.checkpoint import Checkpoint
from vaetools.estimators.columns import Columns, warn_of_untrained
from vaetools.estimators.combinations import check_combinations
from vaetools.estimators.constructor import check_parameters
from vaetools.estimators.context_columns import of_judged
from vaetools.estimators.crossing import Given, crossed
from vaetools.estimators.description import describe
from vaetools.estimators.engine import Engine
from vaetools.estimators.fields import FitFields, NetworkFields
from vaetools.estimators.intake import rows_of_fit
from vaetools.estimators.jobs import check_weights, share_out
from vaetools.estimators.judges import Judge, fit_scale_to_watched
from vaetools.estimators.marks import note_marks, weights_without_odd
from vaetools.estimators.reopening import settle, start_from
from vaetools.estimators.rows import decide_scale, warn_of_flat_images
from vaetools.estimators.trimming import n_trimmed, trimmed
from vaetools.estimators.verdicts import is_crossed
from vaetools.estimators.watched import check_callbacks, history_of, trainer_for, watched
from vaetools.mixins import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from vaetools.nn.batches import Rows
from vaetools.nn.centering import center_start
from vaetools.nn.latents import Normal
from vaetools.nn.training import Callback, Trainer


class BaseAutoencoder(
    Card,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    FitFields,
    NetworkFields,
    BaseEstimator,  # type: ignore[misc]
):
    """Shared half of the estimators; `vaetools.estimators.detector` has the verdicts.

    A subclass says what its latent is, and what it does with labels.
    """

    _latent: ClassVar[Any] = Normal  # a class of `vaetools.nn.latents`, or of modules that make latents

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        marks: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Split the rows, decide the scaling, train, and calibrate the verdict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; a large memory map stays on disk. With ``likelihood="mixed"`` a table, best a DataFrame,
            of numbers, booleans and text, NaN where a cell is missing. Tables of polars and Arrow are taken
            as of pandas.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How much rows count in training: in the scaling of columns, the loss, a learnt scale and early
            stopping. A row of weight 0 trains nothing. Rows that calibrate, and what is noted of a trained
            model, take rows as they are. Only ratios matter; equal weights are none.
        marks : array-like of shape (n_samples,) or None, default=None
            Of rows that somebody has looked at: −1 is odd, 1 normal, 0 not looked at. Odd ones neither train
            nor calibrate; with ``anomaly_score="marked"`` they teach the score. See ``docs/marks.md``.
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
        check_callbacks(self, callbacks)
        with wholly(self):
            kept = None if checkpoint is None else Checkpoint(self, checkpoint)
            interruption = self._fit(X, y, sample_weight, callbacks, kept, marks=marks)
        if interruption is not None:
            raise interruption
        return self

    def transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Return latent means.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to encode the rows as, for a `CVAE`; None averages over labels, weighted by
            ``label_proba``. Other models ignore it.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            float32 for float32 rows, else float64.
        """
        engine = Engine(self)
        rows = engine.rows(X, y)
        [codes] = engine.map(rows, attrgetter("mean"), dtype=rows.precision)
        return codes

    def inverse_transform(self, Z: Any, y: Any = None) -> np.ndarray | pd.DataFrame:
        """Decode codes to expected rows.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to decode the codes as, for a `CVAE`; None averages over labels, weighted by
            ``class_prior_``. Other models ignore it.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            In units of X; of images of integers in [0, 1]. With ``likelihood="mixed"`` a
            table like that of ``fit``, with likeliest categories and integers rounded.
        """
        return Engine(self).decode(Z, y)

    def reconstruct(self, X: Any, y: Any = None) -> np.ndarray | pd.DataFrame:
        """Return the expected row at the latent mean of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to reconstruct the rows as, for a `CVAE`; None averages over labels, weighted by
            ``label_proba``. Other models ignore it.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            In units of X; of images of integers in [0, 1]. With ``likelihood="mixed"`` a
            table like that of ``fit``, without gaps: ``X.fillna(model.reconstruct(X))`` imputes.
        """
        return Engine(self).reconstruct(X, y)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean evidence lower bound, so that model selection compares bounds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : DataFrame of shape (n_samples, n_columns) or None, default=None
            The context of rows that are judged given it, by a `CVAE`; labels are ignored.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How much rows count in the mean. None counts all alike.

        Returns
        -------
        score : float
            Nats per row, in units of X; higher is better. An `AE` has no posterior: for it
            this is the mean of log p(x | z).
        """
        engine = Engine(self)
        [bounds] = engine.ask(X, engine.score("elbo"), y=engine.needed(y))
        weights = check_weights(type(self).__name__, sample_weight, len(bounds))
        return float(np.average(bounds, weights=weights))

    def set_params(self, **params: Any) -> Self:
        """Set parameters; of a fitted estimator ``score_precision`` takes effect at once.

        Parameters
        ----------
        **params : dict
            Parameters of the constructor. All others are for the next fit: until then `save` writes what the
            last one used.

        Returns
        -------
        self : object
        """
        super().set_params(**params)
        if "score_precision" in params and hasattr(self, "model_"):
            check_parameters(self)
            settle(self)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = self.likelihood == "mixed"
        return tags

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
        *,
        marks: Any = None,
        keeps: bool = False,
    ) -> KeyboardInterrupt | None:
        before = dict(vars(self)) if self.warm_start and hasattr(self, "model_") else None
        X, y = self._parted(X, y)
        X = rows_of_fit(of_judged(self), X)
        labels = self._check_labels(X, y)
        check_image_shape(self, X.shape[1])
        n_normal = note_marks(self, marks, len(X))
        weights = weights_without_odd(self, check_weights(type(self).__name__, sample_weight, len(X)))
        self.n_samples_ = len(X)
        self._crosses = is_crossed(self, n_normal) and not keeps and before is None
        rng = check_random_state(self.random_state if checkpoint is None else checkpoint.seed)
        jobs, weights = share_out(self, len(X), weights, rng, crossed=self._crosses)
        (train, validating, calibrating), seed = jobs, int(rng.randint(2**31 - 1))
        given = Given(X, labels, weights)
        X, kept = self._prepare(given, train, seed)
        if self.columns_ is not None:
            others = np.concatenate([validating, calibrating])
            warn_of_untrained(type(self).__name__, self.columns_, given.table, X, others)
        if before is not None:
            start_from(self, before)
        warn_of_flat_images(self, X)
        places = (kept, validating, calibrating, np.concatenate([train, validating]))
        rows, validate, calibrate, seen = (self._rows(X, given, place) for place in places)
        trainer = trainer_for(self, rows, validate, seed, goes_on=before is not None)
        interruption = watched(trainer, checkpoint, callbacks, type(self).__name__, self.verbose)
        self._finish(trainer, rows, seed)
        judges: list[Judge] = [(self, calibrate)] if len(calibrate) else []
        if self._crosses:
            try:
                judges = crossed(self, given, rng, seed)
            except KeyboardInterrupt as interrupted:  # what was learnt is kept, without calibration
                interruption = interrupted
        self._conclude(rows, judges or ([(self, validate)] if len(validate) else []), seen, judges, rng)
        self._keep_rows((rows, validate, calibrate), sample_weight, rng, keeps=keeps)
        return interruption

    def _prepare(self, given: Given, train: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Make what is to be trained on some rows; return all rows as numbers, and which of them train."""
        table, labels, weights = given
        kept, self.suspects_ = train, train[:0]
        X = self._learn(table, labels, kept, weights)
        if n_trimmed(len(kept), self.trimmed_fraction):
            kept, self.suspects_ = trimmed(self, X, kept, seed)
            X = self._learn(table, labels, kept, weights)  # what only suspects have is not learnt
        self.input_scale_ = decide_scale(self, X, kept, weights)
        build(self, X[[0]], len(kept), seed)
        if starts_at_mean(self):
            center_start(self.model_, Rows(X, kept, self.input_scale_))
        return X, kept

    def _rows(self, X: np.ndarray, given: Given, place: np.ndarray) -> Rows:
        return Rows(X, place, self.input_scale_, self._told(given.labels), n_classes_of(self), given.weights)

    def _learn(
        self, X: Any, labels: np.ndarray | None, train: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """Learn labels and columns from the rows that train, and return all rows as numbers."""
        if labels is not None:
            self._learn_labels(labels[train], None if weights is None else weights[train])
        self.columns_ = None
        if self.likelihood != "mixed":
            numbers: np.ndarray = X
            return numbers
        owner, masking = type(self).__name__, self.input_masking > 0
        self.columns_ = Columns.learn(owner, X, train, self.column_likelihoods, masking=masking)
        return self.columns_.encode(owner, X)

    def _parted(self, X: Any, y: Any) -> tuple[Any, Any]:
        """In a conditional estimator return what is judged of X, and the context that it holds, if any."""
        return X, y

    def _check_labels(self, X: np.ndarray, y: Any) -> np.ndarray | None:
        """In a conditional estimator learn the labels and return their codes."""

    def _learn_labels(self, labels: np.ndarray, weights: np.ndarray | None) -> None:
        """There learn the frequencies of labels of rows that train."""

    def _told(self, labels: np.ndarray | None) -> np.ndarray | None:
        """There return what the network is told of rows, by their labels."""
        return labels

    def _keep_rows(self, jobs: Sequence[Rows], sample_weight: Any, rng: Any, *, keeps: bool) -> None:
        """Where an estimator can go on, keep some rows of each job for that, and none that are suspect."""

    def _judge_labels(self, rows: Rows, held_out: Sequence[Judge]) -> None:
        """There warn where labels are not or hardly used, and note how much they are."""

    def _learn_prior(self, rows: Rows, seed: int) -> None:
        """Where codes are words learn how probable these are."""

    def _conclude(
        self, rows: Rows, held_out: Sequence[Judge], seen: Rows, judges: Sequence[Judge], rng: Any
    ) -> None:
        """Describe a trained model, and calibrate it by rows that it did not see, if there are any."""
        describe(self, rows, held_out, rng)
        self._judge_labels(rows, held_out)
        self._calibrate(seen, judges)
        self._calibrate_labels(judges)

    def _finish(self, trainer: Trainer | None, rows: Rows, seed: int) -> None:
        """Keep the record of training, settle the weights, and learn what comes after them."""
        self.history_ = history_of(trainer)
        self.n_iter_ = len(self.history_)
        if trainer is not None and trainer.held_out is not None:
            fit_scale_to_watched(self, trainer.held_out)
        settle(self)
        self._learn_prior(rows, seed)

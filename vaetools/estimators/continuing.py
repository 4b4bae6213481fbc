"""Going on with new rows: `partial_fit`."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, validate_data

from vaetools.estimators.anew import wholly
from vaetools.estimators.autoencoder import BaseAutoencoder
from vaetools.estimators.building import n_classes_of
from vaetools.estimators.columns import warn_of_untrained
from vaetools.estimators.combinations import check_combinations
from vaetools.estimators.constructor import check_parameters, check_unchanged
from vaetools.estimators.context import Context
from vaetools.estimators.context_columns import has_context_in_X, of_judged
from vaetools.estimators.engine import Engine
from vaetools.estimators.intake import check_rows
from vaetools.estimators.jobs import told_weights, weightless
from vaetools.estimators.judges import Judge
from vaetools.estimators.kept_rows import (
    MOST,
    Kept,
    joined,
    kept_of,
    mean_weight,
    sampled,
    some,
    weights_beside,
    weights_in,
)
from vaetools.estimators.labels import label_codes
from vaetools.estimators.marks import check_unmarked
from vaetools.estimators.reopening import reopen
from vaetools.estimators.watched import trainer_for, watched
from vaetools.frames import as_pandas
from vaetools.nn.batches import Rows
from vaetools.nn.model import Autoencoder
from vaetools.nn.schedule import weighted_share
from vaetools.nn.training import Trainer
from vaetools.words import few, warn

_REPLAYED = 9  # rows of before that train beside each new one, at most
_FAR = 10  # standard deviations


class Learnt:
    """What an autoencoder has once it is fitted, where that is set by functions beside it."""

    model_: Autoencoder
    anomaly_score_: str
    score_state_: dict[str, dict[str, np.ndarray]]
    heat_range_: np.ndarray
    structure_range_: np.ndarray
    mean_terms_: pd.DataFrame
    kl_per_component_: np.ndarray
    active_units_: np.ndarray
    code_range_: np.ndarray
    reference_codes_: np.ndarray
    tail_: float | None
    gaussian_scale_: str
    n_marked_odd_: int
    column_labels_: np.ndarray
    classes_: np.ndarray
    class_prior_: np.ndarray
    context_: Context
    context_places_: np.ndarray


class Continuing(Learnt, BaseAutoencoder):
    """An autoencoder that goes on with new rows, and keeps some of all rows for that."""

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Begin with some rows, or go on with new ones, so that in the end all count alike.

        The first call is that of ``fit``, but for keeping rows. Others train on the new rows beside up to
        nine times as many of before, drawn at random and weighted as all of before that they stand for: 6
        passes if ``max_iter`` is ``"auto"``, of few rows up to 12, at a rate that comes down from its peak,
        or from less in a short run. A ``calibration_fraction`` of the new rows trains nothing: they join
        those that calibrate, and threshold and p-values are made anew of both. Where early stopping watched
        images in the first call and one scale is learnt for all pixels, a ``validation_fraction`` of the
        others watches likewise: the best weights are kept, and the scale is that of rows that watch. Other
        calls, as those of a `VQVAE` of images, keep the last weights. Rows of before are those of
        ``kept_rows_``, in which each that was seen is as likely as any other. Give every row once: one that
        comes again may calibrate what it trained.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows, of columns as in the first call, whose scaling, categories and levels stay.
        y : array-like of shape (n_samples,) or None, default=None
            Labels, for a `CVAE`, all of which must be in the first call, or a DataFrame of their context, all
            of whose categories must be. Others ignore it.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How much rows count in training, as for ``fit``, beside those of other calls: None is 1 for each.
            Rows that calibrate are taken as they are.

        Returns
        -------
        self : object
            A call that fails leaves it as it was.

        Raises
        ------
        ValueError
            If a parameter that makes the network was set since the first call, or no row of weight is left to
            train.

        Warns
        -----
        UserWarning
            If ``fit`` made the model, which keeps no rows: what new ones do not show may be forgotten.

        Notes
        -----
        Whether training is watched, and ``trimmed_fraction``, are of the first call. ``history_`` is of the
        last one. P-values are exact for rows like all that were seen; where data drift, call ``fit`` or
        ``recalibrate`` with rows of today. Optimizers start without moments.

        References
        ----------
        Rolnick et al. (2019), "Experience Replay for Continual Learning", NeurIPS.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from vaetools import VAE
        >>> X = load_iris().data
        >>> vae = VAE(2, max_iter=20, random_state=0).partial_fit(X[:100]).partial_fit(X[100:])
        >>> vae.n_samples_, {name: len(kept["rows"]) for name, kept in vae.kept_rows_.items()}
        (150, {'trained': 120, 'calibrating': 30})
        """
        check_parameters(self)
        check_combinations(self)
        check_unmarked(self)
        if self.calibration == "cross":
            raise ValueError(
                f"{type(self).__name__}: partial_fit holds rows out, which never train, and "
                "calibration='cross' holds none out. Leave calibration at 'auto'."
            )
        with wholly(self) as before:
            begins = "model_" not in before
            interruption = (
                self._fit(X, y, sample_weight, keeps=True) if begins else self._go_on(X, y, sample_weight)
            )
        if interruption is not None:
            raise interruption
        return self

    def _go_on(self, X: Any, y: Any, sample_weight: Any) -> KeyboardInterrupt | None:
        """Train on new rows beside some of before, and judge by rows of both that did not train."""
        check_unchanged(self)
        self._crosses = False
        table, y = Engine(self).parted(as_pandas(X), y)
        X = check_rows(of_judged(self), table)
        if self.columns_ is not None:
            warn_of_untrained(type(self).__name__, self.columns_, table, X)
        labels = self._codes_of_labels(X, y)
        weights = told_weights(type(self).__name__, sample_weight, len(X))
        self._warn_of_far_rows(X)
        rng = self._next_generator()
        before = self._kept_before(X, labels)
        jobs = self._draw_jobs(len(X), before, rng)
        if weights is not None:
            jobs[(weights == 0) & (jobs != "calibrating")] = "nothing"
        new = {job: kept_of(X, labels, weights_in(job, weights), jobs == job) for job in before}
        seed = int(rng.randint(2**31 - 1))
        n_counting = len(X) if weights is None else np.count_nonzero(weights)
        share = n_counting / (self.n_samples_ + n_counting)
        self.n_samples_ += len(X)
        self.suspects_ = self.suspects_[:0]
        n_new = len(new["trained"]["rows"])
        if not n_new and not len(before["trained"]["rows"]):
            raise weightless(type(self).__name__, "train")
        replayed = some(before["trained"], _REPLAYED * n_new, rng) if n_new else before["trained"]
        self.kept_rows_ = {
            job: sampled(self.input_scale_, before[job], new[job], MOST[job], rng) for job in before
        }
        rows = {job: self._rows_of(kept) for job, kept in self.kept_rows_.items()}
        seen, calibrate = rows["trained"], rows["calibrating"]
        watch = rows.get("watching", seen.none)
        interruption = None
        if n_new:
            if hasattr(self, "classes_"):
                self._count_labels(new["trained"], before["trained"], share)
            trainer = self._trainer_beside(new["trained"], replayed, watch, seed)
            interruption = watched(trainer, None, (), type(self).__name__, self.verbose)
            self._finish(trainer, seen, seed)
        judges: list[Judge] = [(self, calibrate)] if len(calibrate) else []
        self._conclude(seen, judges, seen, judges, rng)
        return interruption

    def _trainer_beside(self, new: Kept, replayed: Kept, watch: Rows, seed: int) -> Trainer | None:
        """Return what trains on new rows beside replayed ones, which count for all rows of before."""
        reopen(self)
        rows = self._rows_of(joined(self.input_scale_, new, replayed), weights_beside(new, replayed))
        return trainer_for(self, rows, watch, seed, goes_on=True, few_passes=True)

    def _next_generator(self) -> np.random.RandomState:
        """Return a generator that draws otherwise at every call, and of one seed always the same."""
        state = self.random_state
        if isinstance(state, (int, np.integer)):
            return np.random.RandomState([int(state), self.n_samples_])
        generator: np.random.RandomState = check_random_state(state)
        return generator

    def _warn_of_far_rows(self, X: np.ndarray) -> None:
        """Warn where columns lie far from where those of the first call did, by which they are scaled."""
        scale = self.input_scale_
        if scale.standardizes and not scale.of_levels:
            typical = np.nanmedian(X, axis=0) if len(X) else scale.shift
            far = np.flatnonzero(np.abs((typical - scale.shift) / scale.scale) > _FAR)
            if len(far):
                warn(
                    f"{type(self).__name__}: typical new rows lie more than {_FAR} standard deviations from "
                    f"those of the first call, which scaled columns, in column {few(map(str, far.tolist()))}."
                    " Look at their units, or fit anew.",
                )

    def _draw_jobs(self, n_rows: int, kept: dict[str, Kept], rng: np.random.RandomState) -> np.ndarray:
        """Return what each of new rows does, whose fractions hold on average also of few rows."""
        jobs, order = np.full(n_rows, "trained", dtype=object), np.arange(n_rows)
        n_calibrating = 0
        if self.contamination == "auto":
            n = int(self.calibration_fraction * n_rows + rng.uniform())
            n_calibrating = min(n, n_rows - (not hasattr(self, "kept_rows_")))  # of nothing else, one trains
            order = rng.permutation(n_rows)
            jobs[order[:n_calibrating]] = "calibrating"
        if "watching" in kept:
            n = int(self.validation_fraction * (n_rows - n_calibrating) + rng.uniform())
            jobs[order[n_calibrating : n_calibrating + n]] = "watching"
        return jobs

    def _kept_before(self, X: np.ndarray, labels: np.ndarray | None) -> dict[str, Kept]:
        """Return the rows that were kept so far, by their job."""
        if hasattr(self, "kept_rows_"):
            return self.kept_rows_
        warn(
            f"{type(self).__name__}: fit keeps no rows, so that what new ones do not show may be forgotten, "
            "and these alone calibrate. Begin with partial_fit, which keeps some.",
        )
        nothing = kept_of(X, labels, index=slice(0))
        return {"trained": nothing, "calibrating": nothing}

    def _keep_rows(self, jobs: Sequence[Rows], sample_weight: Any, rng: Any, *, keeps: bool) -> None:
        """Keep some rows of each job to go on with, if that is wanted, and forget those of another fit.

        Rows that watched go on to where they give a scale, and else train from now on.
        """
        self.__dict__.pop("kept_rows_", None)
        if not keeps:
            return
        rows, watch, calibrate = jobs
        own = {"trained": rows, "calibrating": calibrate}
        if len(watch) and self.model_.likelihood.takes_watched_scale:
            own["watching"] = watch
        else:
            own["trained"] = rows.and_(watch)
        weights = told_weights(type(self).__name__, sample_weight, len(rows.X))
        self.kept_rows_ = {
            job: some(kept_of(each.X, each.labels, weights_in(job, weights), each.index), MOST[job], rng)
            for job, each in own.items()
        }

    def _rows_of(self, kept: Kept, weights: np.ndarray | None = None) -> Rows:
        """Return kept rows as the model takes them."""
        index, labels = np.arange(len(kept["rows"])), kept.get("labels")
        weights = kept.get("weights") if weights is None else weights
        return Rows(kept["rows"], index, self.input_scale_, labels, n_classes_of(self), weights)

    def _codes_of_labels(self, X: Any, y: Any) -> np.ndarray | None:
        """In a conditional estimator return codes of labels, which it must know, or conditions."""
        if hasattr(self, "context_"):
            of = "X" if has_context_in_X(self) else "y"
            conditions = self.context_.encode(type(self).__name__, y, of)
            check_consistent_length(X, conditions)
            self.context_ = self.context_.seeing(conditions)
            return conditions
        if not hasattr(self, "classes_"):
            return None
        if y is None:  # raises in the words that scikit-learn uses for a missing target
            validate_data(self, X, y, reset=False, skip_check_array=True)
        return label_codes(type(self).__name__, self.classes_, len(X), y)

    def _count_labels(self, new: Kept, before: Kept, share: float) -> None:
        """Let labels of new rows, that are a share of all that count, into the frequencies of labels."""
        counts = np.bincount(new["labels"], new.get("weights"), minlength=len(self.classes_))
        if len(before["rows"]):  # else nothing is known of the weights of all before
            share = weighted_share(share, mean_weight(new) / mean_weight(before))
        self.class_prior_ = (1 - share) * self.class_prior_ + share * counts / counts.sum()

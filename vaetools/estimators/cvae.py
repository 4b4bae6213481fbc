"""CVAE: conditioned on a label, over which it marginalizes when none is given, or on a context of columns."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, validate_data

from vaetools.anomaly.calibration import conformal_p_values, nan_as_oddest
from vaetools.estimators.constructor import from_fields
from vaetools.estimators.context import Context, find_context, is_context
from vaetools.estimators.description import context_information, trained_enough
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import p_values_within, small_groups, thresholds
from vaetools.estimators.judges import Judge, judged, labels_of, unlabeled
from vaetools.estimators.label_fields import LabelFields
from vaetools.estimators.labels import hardly_used, label_information, labels_of_rows, untrained
from vaetools.estimators.vae import VAE
from vaetools.nn.batches import Rows
from vaetools.words import warn

_N_JUDGED = 2_000  # rows whose labels are predicted


@from_fields
class CVAE(VAE, LabelFields):
    """Conditional variational autoencoder: a VAE of rows given their label, or given their context.

    Labels train the model and are not needed afterwards. Without them, the score of a row is
    log Σ_y p(y) exp(score given y), its code is the mean over labels of the codes given each,
    weighted by ``label_proba``, and KL includes the cost of the label, KL(q(y | x) ‖ p(y)). With
    them, ``score_samples(X, y)`` says how odd a row is *as that label*. ``score`` ignores labels,
    so that model selection compares bounds of the same log p(x) as for a `VAE`.

    A **context** are columns of numbers and categories (machine, season) that are not judged: rows are odd
    *in their context*. ``context`` names them in X; beside X, a DataFrame stands in the place of labels.
    P-values compare a row with its group, one combination of categories, where that is large.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; this and what else is of labels is absent with a context.
    class_prior_ : ndarray of shape (n_classes,)
        Frequencies of the labels among the rows that train.
    label_information_ : float
        How much better held-out labels are predicted than by their frequencies, in nats per row: 0 if the
        label is not used, at most the entropy of the labels. Measured on about 2,000 rows, with the posterior
        over labels tempered to its best, because a density of many columns is too sure of itself.
    calibration_labels_ : ndarray of shape (n_calibration,), int
        Labels of the calibration rows, as positions in ``classes_``; absent without such rows.
    label_calibration_scores_ : ndarray of shape (n_calibration,)
        Their scores given these labels.
    context_ : Context
        With a context, the names and kinds of its columns; `calibration_labels_` are then numbers of groups.
    context_places_ : ndarray of shape (n_context,), int
        Where X has the columns that ``context`` names; absent if a context came in y.
    context_information_ : float
        With a context, how much more probable held-out rows are given their own context than given that of
        another row, in nats per row: about 0 or less if the context is not used.

    See Also
    --------
    VAE : Without labels.

    Notes
    -----
    A `Pipeline` hands no labels to ``score_samples``. To reach the conditional score behind one,
    transform with all steps but the last, and ask the last:
    ``pipe[-1].score_samples(pipe[:-1].transform(X), y)``.

    References
    ----------
    Sohn, Lee, Yan (2015), "Learning Structured Output Representation using Deep Conditional
    Generative Models", NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import CVAE
    >>> X, y = load_iris(return_X_y=True)
    >>> cvae = CVAE(n_components=2, random_state=0).fit(X, y)
    >>> cvae.sample(4, y=2, random_state=0).shape
    (4, 4)
    >>> scores = cvae.score_samples(X[:1].repeat(3, axis=0), y=[0, 1, 2])
    >>> int(scores.argmax())  # the first iris is least odd as a setosa
    0

    Heat is normal in summer:

    >>> import numpy as np
    >>> import pandas as pd
    >>> heat = np.random.RandomState(0).randn(400) + [25, 5] * 200
    >>> days = pd.DataFrame({"heat": heat, "season": ["summer", "winter"] * 200})
    >>> cvae = CVAE(context=["season"], random_state=0).fit(days)
    >>> cvae.predict(pd.DataFrame({"heat": [25.0, 25.0], "season": ["summer", "winter"]})).tolist()
    [1, -1]
    """

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
        """Fit, and return the codes of the rows without their labels, or in their context.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or DataFrame of shape (n_samples, n_columns)
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
        """
        return self.fit(X, y, **fit_params).transform(X, Engine(self).needed(y))

    def fit_predict(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
        """Fit, and return the verdicts of the rows without their labels, or in their context.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or DataFrame of shape (n_samples, n_columns)
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        verdict : ndarray of shape (n_samples,), int
            1 for normal, −1 for odd.
        """
        return self.fit(X, y, **fit_params).predict(X, Engine(self).needed(y))

    def decision_function(self, X: Any, y: Any = None) -> np.ndarray:
        """Return scores less the threshold: negative for flagged rows.

        With a context the threshold is that of a row's group, where enough rows of it calibrate, and
        otherwise that of all rows of such groups.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label, a context or None, default=None

        Returns
        -------
        decision : ndarray of shape (n_samples,), float64
        """
        if not hasattr(self, "context_"):
            return super().decision_function(X, y)
        rows = (engine := Engine(self)).rows(X, y)
        [scores], offsets = engine.map(rows, engine.score()), thresholds(self, rows)
        with np.errstate(invalid="ignore"):  # both may be infinite
            return np.where(scores == offsets, 0.0, scores - offsets)

    def p_values(self, X: Any, y: Any = None) -> np.ndarray:
        """Return conformal p-values: small for odd rows, or for rows that are odd *as their label*.

        With labels, a row is compared with the n calibration rows of its label alone, so that the
        false-alarm rate holds within every label: p-values are multiples of 1 / (n + 1). With a context it
        is compared with those of its group, its combination of categories, if they are as many as
        ``false_alarm_rate`` takes, and otherwise with those of all groups of fewer, or with all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label, a context or None, default=None

        Returns
        -------
        p_values : ndarray of shape (n_samples,), float64

        Raises
        ------
        ValueError
            If there are no calibration rows, or none of one of the labels: see `recalibrate`.

        References
        ----------
        Vovk (2012), "Conditional validity of inductive conformal predictors", ACML.
        """
        if y is None and not hasattr(self, "context_"):
            return super().p_values(X)
        engine = Engine(self)
        rows = engine.rows(X, y)
        [scores] = engine.map(rows, engine.score())
        if hasattr(self, "context_"):
            return p_values_within(self, scores, rows)
        known = getattr(self, "calibration_labels_", rows.labels[:0])
        missing = np.setdiff1d(rows.labels, known)
        if len(missing):
            raise ValueError(
                f"{type(self).__name__}: p_values needs calibration rows of every label in y; got none of "
                f"{self.classes_[missing].tolist()}. Call recalibrate(X, y) with normal rows of these labels "
                "that fit did not see."
            )
        p_values = np.empty(len(scores))
        for code in np.unique(rows.labels):
            same = rows.labels == code
            p_values[same] = conformal_p_values(scores[same], self.label_calibration_scores_[known == code])
        return p_values

    def label_proba(self, X: Any) -> np.ndarray:
        """Return the posterior over labels, p(y | x) ∝ p(y) exp(reconstruction_kl score given y).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        probabilities: np.ndarray = np.exp(self.label_log_proba(X))
        return probabilities

    def label_log_proba(self, X: Any) -> np.ndarray:
        """Return log p(y | x) of every label, which tells apart what ``label_proba`` rounds to 0 or 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In nats, in the order of ``classes_``; −inf for a label that no row that trained has. A row so
            far away that numbers end tells nothing, and has the frequencies of training.

        Raises
        ------
        ValueError
            If the network has no decoder, or there is a context in the place of labels.

        Examples
        --------
        The rows whose given label fits least, to look for label errors:

        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from vaetools import CVAE
        >>> X, y = load_iris(return_X_y=True)
        >>> y[7] = 2  # was 0
        >>> cvae = CVAE(n_components=2, random_state=0).fit(X, y)
        >>> given = cvae.label_log_proba(X)[np.arange(len(y)), np.searchsorted(cvae.classes_, y)]
        >>> int(given.argmin())
        7
        """
        engine = Engine(self)
        engine.require_labels("label_log_proba")
        log_joint = nan_as_oddest(*engine.ask(X, attrgetter("log_joint")))
        with np.errstate(divide="ignore"):  # labels that no row that trained has
            log_joint[np.isneginf(log_joint).all(axis=1)] = np.log(self.class_prior_)
        log_posterior: np.ndarray = log_softmax(log_joint, axis=1)
        return log_posterior

    def sample(self, n: int, y: Any = None, random_state: Any = None) -> np.ndarray | pd.DataFrame:  # type: ignore[override]
        """Decode draws from the prior N(0, I), as a label.

        Parameters
        ----------
        n : int
        y : array-like of shape (n,), a label, a DataFrame of n rows or of one, or None, default=None
            None draws labels by their frequency; a context must be given.
        random_state : None, int or RandomState, default=None

        Returns
        -------
        X : ndarray or DataFrame of shape (n, n_features)
        """
        rng = check_random_state(random_state)
        Z = Engine(self).prior_draws(n, rng)
        if y is None and not hasattr(self, "context_"):
            y = rng.choice(self.classes_, size=n, p=self.class_prior_)
        return self.inverse_transform(Z, y)

    def _parted(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return what is judged and the context that X holds, if ``context`` names it; else X and y."""
        self.__dict__.pop("context_places_", None)
        return (X, y) if self.context is None else find_context(self, X, y)

    def _check_labels(self, X: np.ndarray, y: Any) -> np.ndarray:
        """Learn the labels and return their codes, or return a context."""
        for name in ("classes_", "class_prior_", "label_information_", "context_", "context_information_"):
            self.__dict__.pop(name, None)
        if is_context(y):
            check_consistent_length(X, y)
            owner, of = type(self).__name__, "y" if self.context is None else "X"
            self.context_ = Context.learn(owner, y, of)
            return self.context_.codes(owner, y, of)
        if y is None:  # raises in the words that scikit-learn uses for a missing target
            validate_data(self, X, y, skip_check_array=True)
        labels = labels_of_rows(type(self).__name__, len(X), y)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return codes

    def _learn_labels(self, labels: np.ndarray, weights: np.ndarray | None) -> None:
        """Learn the frequencies of labels among training rows, or scales of a context."""
        if hasattr(self, "context_"):
            self.context_ = self.context_.scaled(labels)
            return
        counts = np.bincount(labels, weights, minlength=len(self.classes_))
        self.class_prior_ = counts / counts.sum()

    def _told(self, labels: Any) -> Any:
        """Return codes of labels as they are, or conditions of a context."""
        return self.context_.conditions(labels) if hasattr(self, "context_") else labels

    def _judge_labels(self, rows: Rows, held_out: Sequence[Judge]) -> None:
        """Warn where labels are not or hardly used, and note how much they are."""
        some = [(judge, part.some(_N_JUDGED)) for judge, part in held_out or [(self, rows)]]
        if hasattr(self, "context_"):
            self.context_.warn_of_untrained(type(self).__name__, rows.labels[rows.index])
            self.context_information_ = context_information(some)
            return
        if words := untrained(self):
            warn(words)
        [log_joint] = judged(unlabeled(some), lambda _: [attrgetter("log_joint")])
        self.label_information_ = label_information(log_joint, labels_of(some), self.class_prior_)
        if trained_enough(self, len(rows)) and (words := hardly_used(self)):
            warn(words, ConvergenceWarning)

    def _calibrate_labels(self, judges: Sequence[Judge]) -> None:
        """Keep scores of rows given their labels; where there are none, forget older ones."""
        for name in ("calibration_labels_", "label_calibration_scores_"):
            self.__dict__.pop(name, None)
        if judges and judges[0][1].labels is not None:
            told = labels_of(judges)
            self.calibration_labels_ = self.context_.groups(told) if hasattr(self, "context_") else told
            [scores] = judged(judges, lambda engine: [engine.score()])
            self.label_calibration_scores_ = nan_as_oddest(scores)
            if words := small_groups(self):
                warn(f"{type(self).__name__}: {words}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan &= self.context is None  # of whose cells none may miss
        if self.context is None:
            tags.estimator_type = None
            tags.target_tags.required = True
        return tags

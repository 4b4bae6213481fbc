"""What a conditional estimator does with labels: checks, frequencies, posteriors, p-values within each."""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from vaetools.anomaly.calibration import conformal_p_values, nan_as_oddest
from vaetools.estimators.detector import Detector
from vaetools.estimators.rows import check_rows
from vaetools.nn.batches import Rows

_N_JUDGED = 2_000  # rows whose labels are predicted
_LEAST_INFORMATION = 0.2  # of the entropy of the labels
_LISTED = 5  # labels in a message


class Labeled(Detector):
    """The half of a conditional estimator that keeps labels and compares rows within them."""

    classes_: np.ndarray
    class_prior_: np.ndarray

    def p_values(self, X: Any, y: Any = None) -> np.ndarray:
        """Return conformal p-values: small for odd rows, or for rows that are odd *as their label*.

        With labels, a row is compared with the calibration rows of its label alone, so that the
        false-alarm rate holds within every label: p-values are multiples of 1 / (n + 1), with n
        the calibration rows of that label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None

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
        codes = self._labels_of(X, y)
        if codes is None:
            return super().p_values(X)
        known = getattr(self, "calibration_labels_", codes[:0])
        missing = np.setdiff1d(codes, known)
        if len(missing):
            raise ValueError(
                f"{type(self).__name__}: p_values needs calibration rows of every label in y; got none of "
                f"{self.classes_[missing].tolist()}. Call recalibrate(X, y) with normal rows of these labels "
                "that fit did not see."
            )
        scores = self._scores(X, labels=codes)
        p_values = np.empty(len(scores))
        for code in np.unique(codes):
            same = codes == code
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
        return np.exp(self.label_log_proba(X))

    def label_log_proba(self, X: Any) -> np.ndarray:
        """Return log p(y | x) of every label, which tells apart what ``label_proba`` rounds to 0 or 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In nats, in the order of ``classes_``; −inf for a label that no row that trained has.

        Raises
        ------
        ValueError
            If the network has no decoder.

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
        rows = self._rows(self._check_new_rows(X))
        self._require_decoder("label_log_proba")
        return log_softmax(self._evaluate(rows, lambda x, c: self.model_.label_log_joint(x)), axis=1)

    def recalibrate(self, X: Any, y: Any = None) -> Any:
        """Set threshold and p-values from new normal rows, without training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normal rows that ``fit`` did not see.
        y : array-like of shape (n_samples,), a label or None, default=None
            Their labels, for ``p_values(X, y)``, which without them can no longer be had.

        Returns
        -------
        self : object
        """
        codes = self._labels_of(X, y)
        super().recalibrate(X)
        self._calibrate_labels(self._rows(self._check_new_rows(X), codes))
        return self

    @property
    def _n_classes(self) -> int:
        return len(self.classes_)

    def _check_training_rows(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return checked rows and label codes; learn the labels."""
        X = check_rows(self, X, reset=True)
        if y is None:  # raises in the words that scikit-learn uses for a missing target
            validate_data(self, X, y, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        self.classes_, codes = np.unique(self._known_kind(y), return_inverse=True)
        return X, codes

    def _learn_labels(self, labels: np.ndarray, train: np.ndarray) -> None:
        """Learn the frequencies of labels among training rows."""
        counts = np.bincount(labels[train], minlength=len(self.classes_))
        self.class_prior_ = counts / counts.sum()

    def _judge_labels(self, rows: Rows, held_out: Rows) -> None:
        """Warn where labels are not or hardly used, and note how much they are."""
        absent = self.classes_[self.class_prior_ == 0].tolist()
        if absent:
            trimmed = ", or a smaller trimmed_fraction" if len(self.suspects_) else ""
            more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
            warnings.warn(
                f"{type(self).__name__}: no row that trains has one of the labels {absent[:_LISTED]}{more}: "
                f"they count as impossible. Give more rows of them{trimmed}.",
                UserWarning,
                stacklevel=4,
            )
        some = held_out if len(held_out) else rows
        some = dataclasses.replace(some, index=some.index[:: math.ceil(len(some) / _N_JUDGED)])
        log_joint = self._evaluate(some, lambda x, c: self.model_.label_log_joint(x))
        self.label_information_ = label_information(log_joint, some.labels[some.index], self.class_prior_)
        if self._can_be_judged(rows) and (words := hardly_used(self)):
            warnings.warn(words, ConvergenceWarning, stacklevel=4)

    def _calibrate(self, seen: Rows, calibrate: Rows) -> None:
        """Set the threshold, and what rows are compared with as their label."""
        super()._calibrate(seen, calibrate)
        self._calibrate_labels(calibrate)

    def _calibrate_labels(self, rows: Rows) -> None:
        """Keep scores of rows given their labels; where there are none, forget older ones."""
        for name in ("calibration_labels_", "label_calibration_scores_"):
            self.__dict__.pop(name, None)
        if len(rows) and rows.labels is not None:
            self.calibration_labels_ = rows.labels[rows.index]
            scores = self._evaluate_score(rows, self.anomaly_score_)
            self.label_calibration_scores_ = nan_as_oddest(scores)

    def _known_kind(self, y: np.ndarray) -> np.ndarray:
        """Return labels that are integers, booleans or strings; refuse others by name."""
        if y.dtype.kind in "iubU":
            return y
        if (
            y.dtype.kind == "f" and np.isfinite(y).all() and np.all(y == np.floor(y))
        ):  # integers on their way through floats
            return y.astype(np.int64)
        for kinds, dtype in {str: str, (bool, np.bool_): bool, (int, np.integer): np.int64}.items():
            if y.dtype.kind == "O" and all(isinstance(label, kinds) for label in y):
                return y.astype(dtype)
        odd = next((label for label in y.tolist() if not _is_plain(label)), y[0])
        raise ValueError(
            f"{type(self).__name__}: Unknown label type: y must be integers, booleans or strings, all of one "
            f"kind; got {odd!r} ({type(odd).__name__})."
        )

    def _labels_of(self, X: Any, y: Any) -> np.ndarray | None:
        """Return label codes of rows, or None."""
        if y is None:
            return None
        check_is_fitted(self)
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if np.ndim(y) == 0:
            y = np.full(n_rows, y)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        y = self._known_kind(y)
        codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = y[self.classes_[codes] != y]
        if len(unknown):
            raise ValueError(
                f"{type(self).__name__}: label y must be one of {self.classes_.tolist()}; got "
                f"{unknown[0].item()!r}."
            )
        return codes


def _is_plain(label: Any) -> bool:
    """Whether a label is an integer, also as a float, a boolean or a string."""
    whole = isinstance(label, float) and label.is_integer()
    return whole or isinstance(label, (str, int, np.integer, np.bool_))


def hardly_used(estimator: Any) -> str:
    """Return a warning where a fitted conditional estimator hardly uses its labels; else nothing."""
    entropy = float(entr(estimator.class_prior_).sum())
    if estimator.label_information_ >= _LEAST_INFORMATION * entropy:
        return ""
    return (
        f"{type(estimator).__name__}: the label is hardly used: a row tells "
        f"{estimator.label_information_:.2g} of the {entropy:.2g} nats of its label, so scores given a "
        "label say little of the label. If labels can be told from rows at all, try "
        "conditioning='concat', condition_encoder=True, fewer components or a larger beta."
    )


def label_information(log_joint: np.ndarray, codes: np.ndarray, prior: np.ndarray) -> float:
    """Return how much better labels are predicted than by their frequencies, in nats per row.

    The greatest mean of log p_t(y | x) − log p(y) over tempered posteriors p_t ∝ p(y) p(x | y)^t with
    t from 0 to 1: usable information, never negative, and 0 if rows tell nothing of labels.

    Parameters
    ----------
    log_joint : ndarray of shape (n_samples, n_classes)
        log p(y) + log p(x | y).
    codes : ndarray of shape (n_samples,), int
        The labels; rows of a label that has no frequency do not count.
    prior : ndarray of shape (n_classes,)
        Frequencies of labels.

    References
    ----------
    Xu, Zhao, Song, Stewart, Ermon (2020), "A Theory of Usable Information under Computational
    Constraints", ICLR.

    Examples
    --------
    >>> sure = np.log([[0.999, 0.001], [0.001, 0.999]])
    >>> codes, prior = np.array([0, 1]), np.array([0.5, 0.5])
    >>> round(label_information(sure, codes, prior), 2)
    0.69
    >>> round(label_information(sure, 1 - codes, prior), 2)
    0.0
    """
    possible = prior[codes] > 0
    log_joint, codes = log_joint[possible][:, prior > 0], np.cumsum(prior > 0)[codes[possible]] - 1
    log_prior = np.log(prior[prior > 0])
    if not len(codes):
        return 0.0

    def loss(t: float) -> float:
        tempered = log_prior + t * (log_joint - log_prior)
        given = np.take_along_axis(log_softmax(tempered, axis=1), codes[:, None], axis=1)[:, 0]
        return float(np.mean(log_prior[codes] - given))

    # on a logarithmic scale: the best temper of a density of many columns is small
    best = minimize_scalar(lambda log_t: loss(math.exp(log_t)), bounds=(-12, 0), method="bounded")
    return max(0.0, -float(best.fun))

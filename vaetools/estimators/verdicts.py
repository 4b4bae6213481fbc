"""Verdicts by scores: a threshold, p-values, and what they are worth, whatever made the scores."""

import math
from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from vaetools.anomaly.calibration import conformal_p_values, nan_as_oddest, threshold
from vaetools.anomaly.certificates import certifiable
from vaetools.anomaly.rates import expected_rate, n_rows_needed, n_rows_to_fit
from vaetools.nn.batches import InputScale
from vaetools.words import see, warn

_TELLS_LITTLE = 0.25  # of normal rows flagged
_MOST_CROSSED = 500  # rows, unless it is asked for: six models are trained


class Verdicts:
    """Higher is more normal: ``predict`` flags what scores below ``offset_``."""

    score_samples: Any
    false_alarm_rate: float
    confidence: float | None
    calibration_fraction: float
    contamination: float | Literal["auto"] = "auto"
    calibration: Literal["auto", "split", "cross"] = "split"
    image_shape: Any
    input_scale_: InputScale
    n_samples_: int
    n_features_in_: int

    def score_columns(self, X: Any) -> dict[str, np.ndarray]:
        """Return scores by their name, and what they are made of.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        columns : dict of ndarray of shape (n_samples,)
            ``score``; of models that reconstruct rows ``reconstruction`` and ``kl`` too, costs in nats.
        """
        return {"score": self.score_samples(X)}

    def decision_function(self, X: Any, y: Any = None) -> np.ndarray:
        """Return ``score_samples(X) - offset_``: negative for flagged rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.

        Returns
        -------
        decision : ndarray of shape (n_samples,), float64
        """
        scores, offset = self.score_samples(X, y), self._calibrated("offset_")
        with np.errstate(invalid="ignore"):  # both may be infinite
            return np.where(scores == offset, 0.0, scores - offset)

    def predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Return 1 for rows that look normal and −1 for rows that do not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to judge the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.

        Returns
        -------
        verdict : ndarray of shape (n_samples,), int
        """
        return np.where(self.decision_function(X, y) >= 0, 1, -1)

    def p_values(self, X: Any, y: Any = None) -> np.ndarray:
        """Return conformal p-values: small for odd rows.

        For a normal row exchangeable with the n calibration rows, the probability of a value of
        at most α is ⌊α(n + 1)⌋ / (n + 1), and less where scores tie. The probability is over rows
        *and* calibration sets: with few calibration rows one model's own rate may lie off it, and
        no value lies below 1 / (n + 1). Where few rows all train and calibrate, that is an experience
        and not proven.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to judge the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.

        Returns
        -------
        p_values : ndarray of shape (n_samples,), float64
            Multiples of 1 / (n + 1), at most 1.

        Raises
        ------
        ValueError
            If no rows were held out to calibrate: see `recalibrate`.
        """
        return conformal_p_values(self.score_samples(X), self._calibrated("calibration_scores_"))

    @property
    def _calibrating_share(self) -> float:
        """Share of few rows that calibrate."""
        return self.calibration_fraction

    def _judge_by(self, scores: np.ndarray) -> None:
        """Set threshold and p-values by the scores of rows that are normal and trained nothing."""
        n, needed = len(scores), n_rows_needed(self.false_alarm_rate)
        check_certifiable(self, n)
        if n < needed and self.confidence is None:
            rate, noun = expected_rate(n, self.false_alarm_rate), self._noun
            little = " Such verdicts tell next to nothing." if rate >= _TELLS_LITTLE else ""
            warn(
                f"{type(self).__name__}: false_alarm_rate={self.false_alarm_rate} takes {needed:,} "
                f"calibration {noun}s; got {n}. About {100 * rate:.2g} % of new normal {noun}s will be "
                f"flagged, and no p-value lies below {rate:.2g}.{little} {self._how_to_calibrate}",
            )
        self.calibration_scores_ = np.sort(nan_as_oddest(scores))
        self.offset_ = threshold(scores, self.false_alarm_rate, self.confidence)
        if self.offset_ == -np.inf:
            warn(
                f"{type(self).__name__}: rows that calibrate should score finite numbers; got −inf of "
                f"{(self.calibration_scores_ == -np.inf).sum():,} of {n:,}, so that no {self._noun} at all "
                "will be flagged. Look for extreme values in X, and recalibrate without them.",
            )

    def _calibrated(self, name: str) -> Any:
        """Return a result of calibration, or say why there is none."""
        check_is_fitted(self)
        if hasattr(self, name):
            return getattr(self, name)
        why = f"contamination={self.contamination!r} holds none out"
        if self.contamination == "auto":
            why = f"there were too few rows to hold some out: got {self.n_samples_}"
        raise ValueError(
            f"{type(self).__name__}: p-values need rows that calibrate, and there are none, because {why}. "
            f"Call recalibrate(X) with normal rows that fit did not see. {see('promises.md#few-rows')}"
        )

    @property
    def _noun(self) -> str:
        return "row" if self.image_shape is None else "image"

    @property
    def _how_to_calibrate(self) -> str:
        """What to do where too few rows calibrate."""
        to_fit = least_rows(self)
        needed, rows = n_rows_needed(self.false_alarm_rate, self.confidence), f"{self._noun}s"
        marks = getattr(self, "_marks", None)
        if marks is not None and (marks < 0).any():
            return (
                f"Fit more {rows}, as those marked odd do not calibrate, or recalibrate with {needed:,} "
                f"normal {rows} that fit did not see."
            )
        return (
            f"Fit {to_fit:,} {rows} or more, or recalibrate with {needed:,} normal {rows} that fit did not "
            "see."
        )


def is_crossed(estimator: Any, n_rows: int) -> bool:
    """Return whether so many rows all train and all calibrate, so that none is held out for either."""
    if estimator.contamination != "auto" or n_rows < 2:
        return False
    return estimator.calibration == "cross" or (_crosses_few(estimator) and n_rows < _n_to_split(estimator))


def least_rows(estimator: Any) -> int:
    """Return the fewest rows that keep the false-alarm rate of an estimator."""
    if estimator.calibration == "cross" or _crosses_few(estimator):
        return n_rows_needed(estimator.false_alarm_rate)
    return _n_to_split(estimator)


def _crosses_few(estimator: Any) -> bool:
    """Whether few rows would calibrate each other without being asked to."""
    is_free = estimator.calibration == "auto" and estimator.confidence is None
    return is_free and _n_to_split(estimator) <= _MOST_CROSSED


def _n_to_split(estimator: Any) -> int:
    """Return the fewest rows that keep the false-alarm rate if some are held out."""
    return n_rows_to_fit(estimator.false_alarm_rate, estimator._calibrating_share, estimator.confidence)


def check_certifiable(estimator: Any, n_calibrating: int) -> None:
    """Raise where a confidence is asked for that so few calibration rows cannot give."""
    rate, confidence = estimator.false_alarm_rate, estimator.confidence
    if confidence is None or n_calibrating >= (needed := n_rows_needed(rate, confidence)):
        return
    possible = ""
    if n_calibrating:
        least, most = certifiable(n_calibrating, rate, confidence)
        least, most = math.ceil(1e4 * least) / 1e4, math.floor(1e4 * most) / 1e4
        more = f"{needed - n_calibrating:,} more"
        possible = f": {more}, or false_alarm_rate={least:g} or confidence={most:g}"
    why = estimator._how_to_calibrate
    if estimator.contamination != "auto":
        why = f"contamination={estimator.contamination!r} holds none out: leave it at 'auto', or recalibrate."
    raise ValueError(
        f"{type(estimator).__name__}: confidence={confidence} in false_alarm_rate={rate} takes {needed:,} "
        f"calibration {estimator._noun}s; got {n_calibrating:,}{possible}. {why} "
        f"{see('promises.md#in-the-mean-or-this-one-model')}"
    )

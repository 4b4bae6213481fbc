"""Verdicts within groups of a context: the rows that each is compared with."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaetools.anomaly.calibration import conformal_p_values, threshold
from vaetools.anomaly.rates import n_rows_needed
from vaetools.estimators.constructor import parameters_in_force
from vaetools.nn.batches import Rows


def compared(estimator: Any, rows: Rows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows that have calibration rows of their own, as a mask, and the scores of these.

    A group of as many calibration rows as the rate of false alarms takes has its own; others share theirs.
    """
    calibrated = getattr(estimator, "calibration_labels_", None)
    if calibrated is None:
        return
    scores, asked = estimator.label_calibration_scores_, estimator.context_.groups(rows.labels)
    large, shared = own_and_shared(estimator)
    for group in np.intersect1d(asked, large):
        yield asked == group, scores[calibrated == group]
    yield ~np.isin(asked, large), shared


def own_and_shared(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups that have calibration scores of their own, and the scores that all others share."""
    scores, (needed, large) = estimator.label_calibration_scores_, _large_groups(estimator)
    others = scores[~np.isin(estimator.calibration_labels_, large)]
    return large, others if len(others) >= needed else scores


def compared_with(estimator: Any) -> tuple[np.ndarray, list[tuple[float, np.ndarray]]]:
    """Return groups that are compared within themselves, and thresholds and scores: of others, then theirs.

    Scores are in ascending order. Where there are no groups, the one set is that of all rows.
    """
    if not hasattr(estimator, "context_") or not hasattr(estimator, "calibration_labels_"):
        scores = getattr(estimator, "calibration_scores_", np.empty(0))
        return np.empty(0, np.int64), [(estimator.offset_, scores)]
    kept, (large, shared) = parameters_in_force(estimator), own_and_shared(estimator)
    scores, labels = estimator.label_calibration_scores_, estimator.calibration_labels_
    sets = [shared, *(scores[labels == group] for group in large)]
    promise = kept["false_alarm_rate"], kept["confidence"]
    return large, [(threshold(each, *promise), np.sort(each)) for each in sets]


def p_values_within(estimator: Any, scores: np.ndarray, rows: Rows) -> np.ndarray:
    """Return p-values of rows by their scores: within their group, or smaller groups, or among all rows."""
    p_values = conformal_p_values(scores, estimator._calibrated("calibration_scores_"))
    for same, known in compared(estimator, rows):
        p_values[same] = conformal_p_values(scores[same], known)
    return p_values


def thresholds(estimator: Any, rows: Rows) -> np.ndarray:
    """Return the threshold of every row: that of its group, or of smaller groups, or of all rows."""
    kept, found = parameters_in_force(estimator), np.full(len(rows), estimator._calibrated("offset_"))
    for same, known in compared(estimator, rows):
        found[same] = threshold(known, kept["false_alarm_rate"], kept["confidence"])
    return found


def _large_groups(estimator: Any) -> tuple[int, np.ndarray]:
    """Return how many calibration rows a rate of false alarms takes, and the groups that have so many."""
    kept = parameters_in_force(estimator)
    needed = n_rows_needed(kept["false_alarm_rate"], kept["confidence"])
    groups, counts = np.unique(estimator.calibration_labels_, return_counts=True)
    return needed, groups[counts >= needed]


def small_groups(estimator: Any) -> str:
    """Return that calibration rows are too few for some groups even together; nothing if they are not."""
    if not hasattr(estimator, "context_") or not hasattr(estimator, "calibration_labels_"):
        return ""
    needed, large = _large_groups(estimator)
    others = estimator.calibration_labels_[~np.isin(estimator.calibration_labels_, large)]
    n_groups = math.prod(len(column.values) or 1 for column in estimator.context_.columns.columns)
    n_small = n_groups - len(large)
    if not n_small or len(others) >= needed:
        return ""
    have, they = ("has", "it is") if n_small == 1 else ("have", "they are")
    return (
        f"{n_small:,} of {n_groups:,} groups of the context {have} fewer than {needed} calibration rows, and "
        f"{len(others)} together: {they} compared with all rows, and nothing is promised of how many "
        "of these rows are flagged. Calibrate with more of them."
    )

"""What a notebook shows of an estimator below scikit-learn's diagram: what it is, and what it promises."""

import html
from typing import Any

from vaetools.anomaly.calibration import flagged_rate
from vaetools.anomaly.promise import Promise, false_alarms_in_words, score_in_words
from vaetools.estimators.constructor import parameters_in_force
from vaetools.estimators.sketch import loss_sketch
from vaetools.words import counted, percent, shortened

_LONGEST = 80  # characters of a value
_LIST = "display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.4em 0;font:13px system-ui"
_HOLDS = {
    "split": "proven for new {noun}s that are like those that calibrate, on average over draws of these",
    "cross": "measured and not proven, for new {noun}s that are like those of fit",
}


class Card:
    """Shows itself in notebooks with its state, likelihood, score, calibration and loss."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += _as_list(facts(self))
            if len(history := getattr(self, "history_", ())):
                bundle["text/html"] += loss_sketch(type(self).__name__, history)
        return bundle


def facts(estimator: Any) -> dict[str, str]:
    """Return what an estimator is, and of a fitted one what it learnt from and promises, in words.

    Examples
    --------
    >>> from vaetools import VAE
    >>> facts(VAE())["State"], facts(VAE())["False alarms"]
    ('not fitted', '5.0 % of new normal rows are to be flagged')
    >>> vae = VAE(2, max_iter=3, random_state=0).fit([[i, i % 7] for i in range(200)])
    >>> facts(vae)["State"], facts(vae)["False alarms"]
    ('fitted on 200 rows of 2 columns, 3 epochs', '4.9 % of new normal rows, from 40 calibration rows')
    """
    given, noun = parameters_in_force(estimator), estimator._noun
    told = {"State": _state(estimator)}
    if "likelihood" in given:
        told["Likelihood"] = shortened(str(given["likelihood"]), _LONGEST, lost="end")
    if not hasattr(estimator, "model_"):
        asked = percent(given["false_alarm_rate"])
        if "anomaly_score" in given:
            told["Score"] = str(given["anomaly_score"])
        return told | {"False alarms": f"{asked} of new normal {noun}s are to be flagged"}
    promise, offset = _promise(estimator, given), getattr(estimator, "offset_", None)
    is_blind = promise.expected is None and promise.contamination == "auto"
    told["Score"] = score_in_words(estimator.anomaly_score_, estimator.score_unit_, offset, is_blind=is_blind)
    if offset is not None:
        told["False alarms"] = false_alarms_in_words(promise, f"recalibrate with more normal {noun}s")
    if promise.n_calibration:
        told["Promise"] = _HOLDS["cross" if promise.is_crossed else "split"].format(noun=noun)
    return told


def _promise(estimator: Any, given: dict[str, Any]) -> Promise:
    """Return how the threshold of a fitted estimator came about."""
    known: Any = getattr(estimator, "calibration_scores_", ())
    asked = given["false_alarm_rate"]
    return Promise(
        noun=estimator._noun,
        n_calibration=len(known),
        expected=flagged_rate(estimator.offset_, known, asked, given["confidence"]) if len(known) else None,
        asked=asked,
        confidence=given["confidence"],
        is_crossed=getattr(estimator, "calibration_", None) == "cross",
        contamination=given.get("contamination", "auto"),
    )


def _state(estimator: Any) -> str:
    """Return whether an estimator is fitted, and on what."""
    if not hasattr(estimator, "model_"):
        return "not fitted"
    rows = f"fitted on {counted(estimator.n_samples_, estimator._noun)}"
    if estimator.image_shape is None:
        rows += f" of {counted(estimator.n_features_in_, 'column')}"
    n_suspects = len(getattr(estimator, "suspects_", ()))
    left_out = f", {counted(n_suspects, 'suspect')} of them left out" if n_suspects else ""
    epochs = f", {counted(estimator.n_iter_, 'epoch')}" if hasattr(estimator, "n_iter_") else ""
    return f"{rows}{left_out}{epochs}"


def _as_list(told: dict[str, str]) -> str:
    """Return terms and what is said of them as HTML, in the colors of the page around it."""
    terms = (
        f'<dt style="margin:0;font-weight:400;opacity:.7">{html.escape(term)}</dt>'
        f'<dd style="margin:0">{html.escape(words)}</dd>'
        for term, words in told.items()
        if words
    )
    return f'<dl style="{_LIST}">{"".join(terms)}</dl>'

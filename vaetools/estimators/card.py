"""What a notebook shows of an estimator below scikit-learn's diagram: what it is, and what it promises."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

from vaetools.anomaly.promise import (
    Promise,
    added_in_words,
    context_in_words,
    false_alarms_in_words,
    likelihood_in_words,
    score_in_words,
)
from vaetools.anomaly.rates import flagged_rate
from vaetools.checks import PROBABILITY
from vaetools.estimators.constructor import parameters_in_force
from vaetools.estimators.sketch import loss_sketch
from vaetools.words import counted, few, percent, shortened

_LONGEST = 80  # characters of a value
_LISTED = 10  # labels, or columns of a context
_LIST = "display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.4em 0;font:13px system-ui"
_HOLDS = {
    "split": "proven for new {noun}s that are like those that calibrate, on average over draws of these",
    "sure": "proven of this one model, for new {noun}s that are like those that calibrate: {sure} of draws "
    "of these keep it",
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
    given = parameters_in_force(estimator)
    noun = _noun(given)
    told = {"State": _state(estimator, given), **_told(estimator)}
    if "likelihood" in given:
        said = likelihood_in_words(given["likelihood"], getattr(estimator, "gaussian_scale_", None))
        told["Likelihood"] = shortened(said, _LONGEST, lost="end")
    if added := added_in_words(given):
        told["Added loss"] = added
    if not hasattr(estimator, "model_"):
        if "anomaly_score" in given:
            told["Score"] = str(given["anomaly_score"])
        return told | {"False alarms": _asked(given["false_alarm_rate"], noun)}
    promise, offset = _promise(estimator, given), getattr(estimator, "offset_", None)
    is_blind = promise.expected is None and promise.contamination == "auto"
    told["Score"] = score_in_words(
        estimator.anomaly_score_,
        estimator.score_unit_,
        offset,
        is_blind=is_blind,
        of_groups=promise.of_groups,
    )
    if offset is not None:
        told["False alarms"] = false_alarms_in_words(promise, f"recalibrate with more normal {noun}s")
    if promise.n_calibration:
        how = "cross" if promise.is_crossed else "split" if promise.confidence is None else "sure"
        told["Promise"] = _HOLDS[how].format(noun=noun, sure=f"{100 * (promise.confidence or 0):g} %")
    return told


def _noun(given: Mapping[str, Any]) -> str:
    return "row" if given["image_shape"] is None else "image"


def _asked(rate: Any, noun: str) -> str:
    """Return the false alarms that are asked for; a rate that is none as it was given, which fit refuses."""
    if not PROBABILITY.holds(rate):
        return f"false_alarm_rate={shortened(repr(rate), _LONGEST)}"
    return f"{percent(rate)} of new normal {noun}s are to be flagged"


def _told(estimator: Any) -> dict[str, str]:
    """Return the labels that a conditional model knows, or the columns that its rows are judged given."""
    if (context := getattr(estimator, "context_", None)) is not None:
        information = getattr(estimator, "context_information_", None)
        return {"Judged given": context_in_words(_some(context.names), information)}
    return {"Labels": _some(estimator.classes_)} if hasattr(estimator, "classes_") else {}


def _some(values: Iterable[Any]) -> str:
    return few((shortened(str(value), _LONGEST, lost="end") for value in values), _LISTED, gap=" … ")


def _promise(estimator: Any, given: dict[str, Any]) -> Promise:
    """Return how the threshold of a fitted estimator came about."""
    known: Any = getattr(estimator, "calibration_scores_", ())
    asked = given["false_alarm_rate"]
    return Promise(
        noun=_noun(given),
        n_calibration=len(known),
        expected=flagged_rate(estimator.offset_, known, asked, given["confidence"]) if len(known) else None,
        asked=asked,
        confidence=given["confidence"],
        is_crossed=getattr(estimator, "calibration_", None) == "cross",
        contamination=given.get("contamination", "auto"),
        of_groups=hasattr(estimator, "context_") and hasattr(estimator, "calibration_labels_"),
    )


def _state(estimator: Any, given: Mapping[str, Any]) -> str:
    """Return whether an estimator is fitted, and on what."""
    if not hasattr(estimator, "model_"):
        return "not fitted"
    rows = f"fitted on {counted(estimator.n_samples_, _noun(given))}"
    if given["image_shape"] is None:
        rows += f" of {counted(estimator.n_features_in_, 'column')}"
    n_suspects = len(getattr(estimator, "suspects_", ()))
    left_out = f", {counted(n_suspects, 'suspect')} of them left out" if n_suspects else ""
    epochs = f", {counted(estimator.n_iter_, 'epoch')}" if hasattr(estimator, "n_iter_") else ""
    return f"{rows}{left_out}{epochs}{_taught(estimator)}"


def _taught(estimator: Any) -> str:
    """Return that some rows were marked odd, if they taught the score: they did not train."""
    state = getattr(estimator, "score_state_", {}).get("marked")
    was_taught = state is not None and state["weights"].any()
    return "; those marked odd among them taught the score alone" if was_taught else ""


def _as_list(told: dict[str, str]) -> str:
    """Return terms and what is said of them as HTML, in the colors of the page around it."""
    terms = (
        f'<dt style="margin:0;font-weight:400;opacity:.7">{html.escape(term)}</dt>'
        f'<dd style="margin:0">{html.escape(words)}</dd>'
        for term, words in told.items()
        if words
    )
    return f'<dl style="{_LIST}">{"".join(terms)}</dl>'

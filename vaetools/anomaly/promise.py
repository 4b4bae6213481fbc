"""What a model is and promises in words, of one in memory as of one in a file."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

from vaetools.anomaly.rates import n_rows_needed
from vaetools.words import counted, number, percent


class Promise(NamedTuple):
    """How a threshold came about."""

    noun: str  # what a row is: row, or image
    n_calibration: int
    expected: float | None  # share of new normal rows that are flagged; None if none calibrate
    asked: float  # and that should be at most
    confidence: float | None
    is_crossed: bool  # whether the rows that calibrate trained, too
    contamination: float | str
    of_groups: bool = False  # whether groups of a context have thresholds of their own


def score_in_words(
    name: str, unit: str, threshold: float | None, *, is_blind: bool, of_groups: bool = False
) -> str:
    """Return what the score is and what is flagged; ``is_blind`` says that no row was left to calibrate.

    Examples
    --------
    >>> score_in_words("elbo", "nats", -3.0, is_blind=False)
    'elbo in nats, higher is more normal; flagged as odd below −3.00'
    """
    score = f"{name}{unit and f' in {unit}'}, higher is more normal"
    if of_groups:
        return f"{score}; groups of the context that are large enough have thresholds of their own"
    if threshold is None:
        return f"{score}; no threshold"
    if is_blind:
        return f"{score}; its threshold means nothing"
    return f"{score}; flagged as odd below {number(threshold, 2)}"


def false_alarms_in_words(promise: Promise, remedy: str) -> str:
    """Return how often a threshold is wrong, or why that is not known.

    ``remedy`` says how to come by more rows that calibrate.

    Examples
    --------
    >>> few = Promise("row", 10, 1 / 11, 0.05, None, False, "auto")
    >>> false_alarms_in_words(few, "recalibrate")
    '9.1 % of new normal rows, from 10 calibration rows; 5.0 % takes 19: recalibrate'
    """
    noun, asked = promise.noun, percent(promise.asked)
    if promise.expected is None and not promise.of_groups:
        if isinstance(promise.contamination, float):
            share = percent(promise.contamination)
            return f"not known, no calibration rows: {share} of the training rows lie below"
        return "not known, no calibration rows: there were too few rows to hold some out"
    rows, expected = counted(promise.n_calibration, f"calibration {noun}"), percent(promise.expected)
    if promise.is_crossed:
        rows += f", each judged by a model of other {noun}s"
    if promise.of_groups:
        sure = "" if promise.confidence is None else f" with {100 * promise.confidence:g} % confidence"
        enough = f"{n_rows_needed(promise.asked, promise.confidence)} or more calibrate"
        return f"at most {asked} of new normal {noun}s of a group of which {enough}{sure}, from {rows}"
    if promise.confidence is not None:
        most = f"at most {asked} of new normal {noun}s with {100 * promise.confidence:g} % confidence"
        return f"{most}, {expected} on average, from {rows}"
    needed = n_rows_needed(promise.asked)
    short = f"; {asked} takes {needed:,}: {remedy}" if promise.n_calibration < needed else ""
    return f"{expected} of new normal {noun}s, from {rows}{short}"


def likelihood_in_words(likelihood: object, scale: str | None) -> str:
    """Return a likelihood, and where a plain Gaussian has a scale per pixel, that it has.

    Examples
    --------
    >>> likelihood_in_words("gaussian", "local"), likelihood_in_words("gaussian", None)
    ('gaussian, a scale per pixel', 'gaussian')
    """
    is_local = scale == "local" and likelihood == "gaussian"
    return f"{likelihood}, a scale per pixel" if is_local else str(likelihood)


def added_in_words(given: Mapping[str, Any]) -> str:
    """Return which loss is added in training, by a model's parameters; nothing if none is.

    Examples
    --------
    >>> added_in_words({"added_loss": "structure", "added_weight": 3.0})
    'structure, weight 3, which no score in nats contains'
    """
    if given.get("added_loss") is None:
        return ""
    weight = given.get("added_weight", 1.0)  # a file may leave out what is a default
    said = f"{weight:g}" if isinstance(weight, Real) else repr(weight)
    return f"{given['added_loss']}, weight {said}, which no score in nats contains"


def context_in_words(columns: str, information: float | None) -> str:
    """Return what rows are judged given, and what it tells of them in nats, where that is known.

    Examples
    --------
    >>> context_in_words("machine, outside", 5.236)
    "machine, outside; held-out rows are 5.24 nats more probable given their own than given another row's"
    """
    if not columns or information is None:
        return columns
    more, nats = ("more" if information >= 0 else "less"), number(abs(information), 2)
    return (
        f"{columns}; held-out rows are {nats} nats {more} probable given their own than given another row's"
    )

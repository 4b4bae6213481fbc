"""The questions of a comparison, a file for each: what it measures, shows, and what may be said."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from vaetools.report.findings import (
    UNTOLD,
    collapse,
    copied,
    overfit,
    tell,
    too_few,
    trained_on,
    unused,
    useless,
)
from vaetools.report.passes import Seen
from vaetools.report.questions.between import BETWEEN
from vaetools.report.questions.dimensions import DIMENSIONS
from vaetools.report.questions.gaps import GAPS
from vaetools.report.questions.neighbors import NEIGHBORS
from vaetools.report.questions.odd import ODD
from vaetools.report.questions.reconstruction import RECONSTRUCTION
from vaetools.report.questions.round import ROUND
from vaetools.report.questions.samples import SAMPLES
from vaetools.report.records import Data, MeasureRow, ModelView, Question

_MOST, _LEAST = 7, 3  # sentences of an answer, and of them on what models do

# in the order of the page
QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (NEIGHBORS, GAPS, ROUND, SAMPLES, BETWEEN, ODD, DIMENSIONS, RECONSTRUCTION)
}
MEASURES: dict[str, MeasureRow] = {
    row.name: row for question in QUESTIONS.values() for row in question.measures
}


def measure(seen: Seen) -> pd.DataFrame:
    """Return the measures of one model that the data allow, but for what is no number for want of rows.

    Columns ``model``, ``measure``, ``value``, ``low`` and ``high``; NaN where there is no interval.
    """
    found = {name: own for question in QUESTIONS.values() for name, own in question.measure(seen).items()}
    named = [
        (seen.model.name, name, *found[name])
        for name in MEASURES
        if name in found and not np.isnan(found[name].value)
    ]
    return pd.DataFrame(named, columns=["model", "measure", "value", "low", "high"])


def warn(model: ModelView, data: Data, *, blank: bool = False) -> dict[str, str]:
    """Return what to mistrust of one model, by the question where it matters.

    It is ``blank`` if its squared error is no less than that of the mean of the data.
    """
    return _joined({key: question.warn(model, data, blank) for key, question in QUESTIONS.items()})


def note(data: Data) -> dict[str, str]:
    """Return what to mistrust in all models, by the question where it matters."""
    return _joined({key: question.note(data) for key, question in QUESTIONS.items()})


def _joined(texts: dict[str, list[str]]) -> dict[str, str]:
    """Return sentences as one text by question, without those that say nothing."""
    found = {key: " ".join(filter(None, own)) for key, own in texts.items()}
    return {key: text for key, text in found.items() if text}


def answer(
    data: Data, models: Sequence[ModelView], measures: pd.DataFrame, *, blank: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what the numbers say, the most important first; ``blank`` are names, see `warn`."""
    faults = [
        fault
        for model in models
        for fault in (
            trained_on(model),
            collapse(model),
            unused(model),
            useless(model) if model.name in blank else "",
            overfit(model, data),
        )
    ]
    # a collapsed model is the prior itself, and perfect wherever codes are compared with that
    sound = tuple(model for model in models if not collapse(model))
    own = measures[measures["model"].isin([model.name for model in sound])]
    told = [
        text
        for question in sorted(QUESTIONS.values(), key=lambda question: question.rank)
        if question is not ODD
        for text in _found(question, sound, own)
        if text
    ]
    # who names outliers asks for them
    asked = [*_found(ODD, tuple(models), measures), too_few(data), copied(data)]
    first, last = list(filter(None, faults)), list(filter(None, asked))
    n_told = max(_LEAST, _MOST - len(first) - len(last))
    # who tells of no difference goes first, then the last
    order = sorted(range(len(told)), key=lambda i: (told[i].startswith(UNTOLD), i))
    return (*first, *(told[i] for i in sorted(order[:n_told])), *last)


def _found(question: Question, models: tuple[ModelView, ...], measures: pd.DataFrame) -> list[str]:
    """Return what the measures of a question say."""
    if question.find is None:
        return [tell(measures, row) for row in question.measures if row.clause]
    return question.find(models, measures)

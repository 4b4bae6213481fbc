"""What a question of a comparison is: its measures, what it shows and what may be said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from vaetools.words import number

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.latent.organization import Measure
    from vaetools.report.compare import Comparison
    from vaetools.report.figures import Plot
    from vaetools.report.passes import Seen
    from vaetools.report.pictures import Cards, Pictures
    from vaetools.report.records import Data, ModelView


@dataclasses.dataclass(frozen=True)
class MeasureRow:
    """What a measure is, for tables and tooltips.

    Attributes
    ----------
    name : str
        In ``Comparison.measures``.
    label : str
        As in a table, short.
    unit : str
        "" for pure numbers; "%" shows 0.41 as 41 %.
    better : {"higher", "lower", ""}
    digits : int
    caution : str
        When it misleads; "" if never.
    clause : str
        What is said of the best ``{name}`` and its ``{value}``; "" says nothing.
    respect : str
        In which respect models are said not to be told apart; "" speaks of a difference alone.
    """

    name: str
    label: str
    unit: str
    better: str
    digits: int
    caution: str = ""
    clause: str = ""
    respect: str = ""

    def words(self, value: float) -> str:
        """Return a value with its unit: "41 %", "9.0 nats", "0.913"."""
        if self.unit == "%":
            return f"{number(100 * value, self.digits)} %"
        return f"{number(value, self.digits)} {self.unit}".rstrip()


@dataclasses.dataclass(frozen=True)
class Question:
    """A section of the page, and all that answers it; each stands whole in a file of `questions`.

    Attributes
    ----------
    key, title : str
        Its name in addresses, and the question itself.
    measures : tuple of MeasureRow
    measure : callable
        From what a model makes of the rows, the values of the measures by name; some may be absent.
    read : callable
        From a comparison, how to read the numbers and when they mislead, a sentence each: no word of what
        is not shown.
    draw : callable
        From a comparison, figures, strips and cards, and nothing that is not there.
    find : callable
        From models and measures, what the numbers say, as sentences, "" says nothing; None tells the
        measures that have a clause.
    rank : int
        Place of these among the findings of all questions: the most important first.
    warn : callable
        From a model, the data, and whether the mean of the data does as well as the model: what to
        mistrust of it.
    note : callable
        From the data, what to mistrust in all models.
    """

    key: str
    title: str
    measures: tuple[MeasureRow, ...]
    measure: Callable[[Seen], dict[str, Measure]]
    read: Callable[[Comparison], tuple[str, str]]
    draw: Callable[[Comparison], Iterator[Plot | Pictures | Cards]]
    find: Callable[[tuple[ModelView, ...], pd.DataFrame], list[str]] | None = None
    rank: int = 0
    warn: Callable[[ModelView, Data, bool], list[str]] = lambda model, data, blank: []
    note: Callable[[Data], list[str]] = lambda data: []

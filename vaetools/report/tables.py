"""Rows of several kinds of columns as the numbers that a comparison measures: a column per category."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from vaetools.estimators.columns import Columns


@dataclasses.dataclass(frozen=True)
class Spread:
    """How a table becomes numbers: columns of numbers stay, others get a column of 0 and 1 per category.

    Categories are those that any of the models knows, so that all share the rows. A missing one is none of
    them, as is one that no model knows, and a missing number is ``typical``, the mean of its column.

    Examples
    --------
    >>> table = pd.DataFrame({"km": [1.0, np.nan, 5.0], "fuel": ["gas", "oil", None]})
    >>> columns = Columns.learn("VAE", table, np.arange(3), None, masking=False)
    >>> spread = Spread.over([columns], table)
    >>> spread.names
    ['km', 'fuel = gas', 'fuel = oil']
    >>> spread.numbers(table).tolist()
    [[1.0, 1.0, 0.0], [3.0, 0.0, 1.0], [5.0, 0.0, 0.0]]
    """

    columns: Columns  # with the categories of all models
    typical: np.ndarray  # (n_features,)

    @classmethod
    def over(cls, known: Sequence[Columns], X: Any) -> Self:
        """Return how a table becomes numbers that models which know such columns share."""
        united = []
        for each in zip(*(columns.columns for columns in known), strict=True):
            values = dict.fromkeys(value for column in each for value in column.values)
            united.append(dataclasses.replace(each[0], values=list(values)))
        columns = Columns(known[0].names, united)
        means = pd.DataFrame(columns.encode("compare", X)).mean()
        return cls(columns, np.nan_to_num(means.to_numpy()))

    @property
    def names(self) -> list[str]:
        """What the numbers are called."""
        labels = self.columns.names or range(len(self.columns.columns))
        parts = zip(labels, self.columns.columns, strict=True)
        return [
            name
            for label, column in parts
            for name in ([f"{label} = {value}" for value in column.values] or [str(label)])
        ]

    def numbers(self, X: Any) -> np.ndarray:
        """Return the cells of a table as numbers, ``(n_samples, n_numbers)``."""
        codes, parts = self.columns.encode("compare", X).astype(np.float64), []
        for cells, column, typical in zip(codes.T, self.columns.columns, self.typical, strict=True):
            n_values = len(column.values)
            number = np.where(np.isnan(cells), typical, cells)[:, None]
            parts.append(cells[:, None] == np.arange(n_values) if n_values else number)
        return np.concatenate(parts, axis=1).astype(np.float64)

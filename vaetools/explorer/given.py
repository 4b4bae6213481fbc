"""What a page decodes given: the columns of a context, and what they are at first."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaetools.estimators.context import Context
from vaetools.report.models import commonest_context


class GivenColumn(NamedTuple):
    """A column of a context, as a page lets people choose it.

    Attributes
    ----------
    name : str
    categories : list of str
        None of a number.
    value : float
        At first: a number, or the place of a category.
    low, high : float
        How far numbers go.
    shift, scale : float
        What the network is told of a number is less the one, and divided by the other.
    """

    name: str
    categories: list[str]
    value: float
    low: float
    high: float
    shift: float
    scale: float


def given_columns(owner: str, context: Context, told: pd.DataFrame) -> list[GivenColumn]:
    """Return the columns of a context, at first those of the commonest combination in what rows are told.

    Examples
    --------
    >>> told = pd.DataFrame({"machine": ["a", "b", "b"], "heat": [9.0, 20.0, 22.0]})
    >>> context = Context.learn("CVAE", told)
    >>> columns = given_columns("CVAE", context, told)
    >>> [(column.name, column.categories, column.value, column.high) for column in columns]
    [('machine', ['a', 'b'], 1.0, 1.0), ('heat', [], 21.0, 22.0)]
    """
    told = told[context.names]
    codes, [usual] = (context.codes(owner, each) for each in (told, commonest_context(told)))
    numbers = [usual, codes.min(axis=0), codes.max(axis=0), context.scale.shift, context.scale.scale]
    return [
        GivenColumn(str(name), list(map(str, column.values)), *of_column)
        for name, column, of_column in zip(
            context.names, context.columns.columns, np.transpose(numbers).tolist(), strict=True
        )
    ]


def colorings(
    context: Context, told: pd.DataFrame, others: set[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return categories and numbers of a context, under names that nothing else has."""
    labels: dict[str, np.ndarray] = {}
    numbers: dict[str, np.ndarray] = {}
    for name, column in zip(context.names, context.columns.columns, strict=True):
        cells: Any = told[name].to_numpy()
        called = str(name)
        while called in others or called in labels or called in numbers:
            called = f"context {called}"
        if column.values:
            labels[called] = cells.astype(str)
        else:
            numbers[called] = cells.astype(np.float64)
    return labels, numbers

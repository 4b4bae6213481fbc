"""What a page decodes given: the columns of a context, and what they are at first."""

from collections.abc import Sequence
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
    coloring : str
        What colors rows by it.
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
    coloring: str
    categories: list[str]
    value: float
    low: float
    high: float
    shift: float
    scale: float


def given_columns(
    owner: str, context: Context, told: pd.DataFrame, called: Sequence[str]
) -> list[GivenColumn]:
    """Return the columns of a context, at first those of the commonest combination in what rows are told.

    ``called`` are the names under which they color rows.

    Examples
    --------
    >>> told = pd.DataFrame({"machine": ["a", "b", "b"], "heat": [9.0, 20.0, 22.0]})
    >>> context = Context.learn("CVAE", told)
    >>> columns = given_columns("CVAE", context, told, ["machine", "heat"])
    >>> [(column.name, column.categories, column.value, column.high) for column in columns]
    [('machine', ['a', 'b'], 1.0, 1.0), ('heat', [], 21.0, 22.0)]
    """
    told = told[context.names]
    codes, [usual] = (context.codes(owner, each) for each in (told, commonest_context(told)))
    numbers = [usual, codes.min(axis=0), codes.max(axis=0), context.scale.shift, context.scale.scale]
    return [
        GivenColumn(str(name), coloring, list(map(str, column.values)), *of_column)
        for name, coloring, column, of_column in zip(
            context.names, called, context.columns.columns, np.transpose(numbers).tolist(), strict=True
        )
    ]


def colorings(
    context: Context, told: pd.DataFrame, called: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return categories and numbers of a context, by what its columns are called."""
    labels: dict[str, np.ndarray] = {}
    numbers: dict[str, np.ndarray] = {}
    for name, column, own in zip(context.names, context.columns.columns, called, strict=True):
        cells: Any = told[name].to_numpy()
        if column.values:
            labels[own] = cells.astype(str)
        else:
            numbers[own] = cells.astype(np.float64)
    return labels, numbers

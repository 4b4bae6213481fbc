"""What rows are judged given: columns of numbers and categories, as the numbers of a condition."""

import dataclasses
import math
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from vaetools.estimators.column_names import keep_names
from vaetools.estimators.columns import Columns
from vaetools.estimators.context_columns import has_context_in_X, judged, places_of
from vaetools.estimators.intake import unpacked
from vaetools.frames import as_pandas
from vaetools.nn.batches import InputScale
from vaetools.words import few, see, warn

_MOST_GROUPS = 2**62
_FAR = 1  # standard deviations beyond all that was seen


@dataclasses.dataclass(frozen=True)
class Context:
    """Columns that rows are judged given; `fit` of a conditional estimator learns them from a DataFrame.

    Attributes
    ----------
    columns : Columns
        Their names and kinds, and their categories.
    scale : InputScale
        Of numbers, which are standardized.
    seen_groups : ndarray of shape (n_seen_groups,), int, or None
        Combinations of categories that training rows have, by their numbers; None in models of before.
    seen_range : ndarray of shape (2, n_columns) or None
        Least and greatest of standardized numbers that they have; of categories 0.
    """

    columns: Columns
    scale: InputScale
    seen_groups: np.ndarray | None = None
    seen_range: np.ndarray | None = None

    @classmethod
    def learn(cls, owner: str, y: Any, of: str = "y") -> Self:
        """Learn the kinds of columns and their categories; numbers are not scaled yet.

        ``of`` is what the table is called in a message.

        Examples
        --------
        >>> y = pd.DataFrame({"machine": ["b", "a", "b"], "heat": [20.0, 24.0, 22.0]})
        >>> context = Context.learn("CVAE", y)
        >>> context.scaled(context.codes("CVAE", y)).encode("CVAE", y[1:]).round(1).tolist()
        [[1.0, 0.0, 1.2], [0.0, 1.0, 0.0]]
        """
        y = as_pandas(y)
        if not y.shape[1]:
            raise ValueError(f"{owner}: y must have a column to judge rows by; got a DataFrame of none.")
        if y.columns.has_duplicates:
            twice = y.columns[y.columns.duplicated()][0]
            raise ValueError(f"{owner}: the columns of y must have different names; got {twice!r} twice.")
        _check_complete(owner, y, of)
        columns = Columns.learn(owner, y, np.arange(len(y)), None, masking=False)
        if (n_groups := math.prod(len(column.values) or 1 for column in columns.columns)) > _MOST_GROUPS:
            raise ValueError(
                f"{owner}: categories of {of} must have at most {_MOST_GROUPS:.0e} combinations; got "
                f"{n_groups:.0e}. Leave columns out."
            )
        return cls(columns, InputScale.fixed("standardize", y.shape[1]))

    def scaled(self, codes: np.ndarray) -> Self:
        """Return the same, whose numbers are standardized by rows that train, which are all that it saw."""
        is_number = np.array([not column.values for column in self.columns.columns])
        mean, spread = codes.mean(axis=0), codes.std(axis=0)
        shift, scale = np.where(is_number, mean, 0.0), np.where(is_number & (spread > 0), spread, 1.0)
        known = dataclasses.replace(self, scale=InputScale("standardize", shift, scale))
        return dataclasses.replace(known, seen_groups=None, seen_range=None).seeing(known.conditions(codes))

    def seeing(self, conditions: np.ndarray) -> Self:
        """Return the same that has seen rows of these conditions, too."""
        groups, numbers = np.unique(self.groups(conditions)), self._numbers(conditions)
        both = np.stack([numbers.min(axis=0), numbers.max(axis=0)])
        if self.seen_groups is not None and self.seen_range is not None:
            groups = np.union1d(groups, self.seen_groups)
            low, high = np.minimum(both, self.seen_range)[0], np.maximum(both, self.seen_range)[1]
            both = np.stack([low, high])
        return dataclasses.replace(self, seen_groups=groups, seen_range=both)

    def _numbers(self, conditions: np.ndarray) -> np.ndarray:
        """Return standardized numbers, ``(n_samples, n_columns)``; of categories 0."""
        first = np.cumsum([0, *self.widths[:-1]])
        is_number = np.array([not column.values for column in self.columns.columns])
        return np.where(is_number, conditions[:, first], 0.0)

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return [] if self.columns.names is None else self.columns.names

    @property
    def widths(self) -> list[int]:
        """How many numbers of the condition each column is."""
        return [len(column.values) or 1 for column in self.columns.columns]

    def codes(self, owner: str, y: Any, of: str = "y") -> np.ndarray:
        """Return numbers, and of categories their places, ``(n_samples, n_columns)``, float64.

        Missing cells and categories that are not known are refused.
        """
        y = as_pandas(y)
        if not isinstance(y, pd.DataFrame):
            raise ValueError(
                f"{owner}: y must be a DataFrame of the columns that rows are judged given, "
                f"{few(map(repr, self.names))}; got {type(y).__name__}."
            )
        if missing := [name for name in self.names if name not in y.columns]:
            here = few(map(repr, y))
            raise ValueError(f"{owner}: y must have the column {missing[0]!r} of fit; got {here}.")
        _check_complete(owner, y[self.names], of)
        codes = self.columns.encode(owner, y[self.names]).astype(np.float64)
        for place, (name, column) in enumerate(zip(self.names, self.columns.columns, strict=True)):
            unseen = np.flatnonzero(codes[:, place] == len(column.values))
            if column.values and len(unseen):
                raise ValueError(
                    f"{owner}: column {name!r} of {of} must be one of {few(map(repr, column.values))}; got "
                    f"{y[name].iloc[unseen[0]]!r}."
                )
        return codes

    def conditions(self, codes: np.ndarray) -> np.ndarray:
        """Return what the network is told: numbers standardized, categories one-hot."""
        values = self.scale.scaled(torch.from_numpy(codes), torch.float64).numpy()
        parts = [
            np.eye(len(column.values))[part.astype(int)] if column.values else part[:, None]
            for column, part in zip(self.columns.columns, values.T, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def encode(self, owner: str, y: Any, of: str = "y") -> np.ndarray:
        """Return the conditions of a table, ``(n_samples, sum of widths)``."""
        return self.conditions(self.codes(owner, y, of))

    def warn_of_untrained(self, owner: str, conditions: np.ndarray) -> None:
        """Warn of categories that no row that trains has, whose conditions these are."""
        parts = np.split(conditions.any(axis=0), np.cumsum(self.widths)[:-1])
        absent = [
            f"{name!r} ({value!r})"
            for name, column, are_there in zip(self.names, self.columns.columns, parts, strict=True)
            for value, is_there in zip(column.values, are_there, strict=False)  # numbers have no values
            if not is_there
        ]
        if absent:
            warn(
                f"{owner}: no row that trains has some categories of the context, in column {few(absent)}: "
                "what is usual of them was not learnt. Fit more rows of them, or group rare ones.",
            )

    def warn_of_unseen(self, owner: str, y: pd.DataFrame, conditions: np.ndarray) -> None:
        """Warn of combinations of categories that no row that trained has, and of numbers far from theirs."""
        if self.seen_groups is None or self.seen_range is None:
            return
        found, told = [], in_words(y[self.names], len(y))
        new = np.flatnonzero(~np.isin(self.groups(conditions), self.seen_groups))
        if len(new):
            found.append(f"a combination of categories that no row that trained has: {told[new[0]]}")
        numbers, (low, high) = self._numbers(conditions), self.seen_range
        rows, places = np.nonzero((numbers < low - _FAR) | (numbers > high + _FAR))
        if len(rows):
            place = places[0]
            ends = self.seen_range[:, place] * self.scale.scale[place] + self.scale.shift[place]
            name, (first, last) = self.names[place], ends.tolist()
            cell = y[name].iloc[rows[0]]
            found.append(f"{name}={cell:.4g}, far from where it was in training, {first:.4g} to {last:.4g}")
        if found:
            warn(
                f"{owner}: contexts should be like those of training; got {' and '.join(found)}. What is "
                "usual there was not learnt, and verdicts of such rows mean little. Fit with such rows.",
            )

    def groups(self, conditions: np.ndarray) -> np.ndarray:
        """Return a number for every combination of categories, ``(n_samples,)``, int64; without any 0."""
        numbers, first = np.zeros(len(conditions), np.int64), 0
        for column, width in zip(self.columns.columns, self.widths, strict=True):
            if column.values:
                numbers = numbers * width + conditions[:, first : first + width].argmax(axis=1)
            first += width
        return numbers


def is_context(y: Any) -> bool:
    """Return whether a table stands where labels may."""
    return isinstance(as_pandas(y), pd.DataFrame)


def find_context(estimator: Any, X: Any, y: Any) -> tuple[Any, pd.DataFrame]:
    """Note where X holds the context that ``context`` names; return what is judged, and the context."""
    owner = type(estimator).__name__
    table = _whole_table(estimator, X, y, reset=True)
    keep_names(estimator, None if estimator.likelihood == "mixed" else table.columns)
    estimator.context_places_ = places_of(owner, table, estimator.context)
    return judged(estimator, unpacked(owner, X)), table.iloc[:, estimator.context_places_]


def context_in(estimator: Any, X: Any, y: Any = None) -> pd.DataFrame:
    """Return the context that X of a fitted estimator holds."""
    table, names = _whole_table(estimator, X, y, reset=False), estimator.context_.names
    told = table.iloc[:, estimator.context_places_]
    if isinstance(X, pd.DataFrame) and told.columns.tolist() != names:  # others are looked at by scikit-learn
        raise ValueError(
            f"{type(estimator).__name__}: X must have the columns of fit in their order, with the context "
            f"{few(map(repr, names))}; got {few(map(repr, told.columns))} in its place."
        )
    return told.set_axis(names, axis=1)


def _whole_table(estimator: Any, X: Any, y: Any, *, reset: bool) -> pd.DataFrame:
    """Return X as a table, whose number and names of columns are looked at; refuse a context beside it."""
    owner = type(estimator).__name__
    if is_context(y):
        raise ValueError(
            f"{owner}: context={estimator.context!r} names columns of X, so that y must hold no context; got "
            "a DataFrame. Leave it out, or leave context out and give all of it in y."
        )
    X = unpacked(owner, X)
    if not isinstance(X, pd.DataFrame):
        X = check_array(X, dtype=None, ensure_all_finite=False, estimator=owner, input_name="X")
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return pd.DataFrame(X)


def conditions_of(estimator: Any, n_rows: int, y: Any) -> np.ndarray:
    """Return the conditions of so many rows, of which a context of one row is that of all."""
    owner, context = type(estimator).__name__, estimator.context_
    if y is None:
        told = few(map(repr, context.names))
        how = f" To have it taken from X, fit with context=[{told}]."
        raise ValueError(
            f"{owner}: rows are judged given their context, so that y must be a DataFrame of the columns "
            f"{told}; got None.{'' if has_context_in_X(estimator) else how} "
            f"{see('contexts.md#beside-x-or-in-it')}"
        )
    of = "X" if has_context_in_X(estimator) else "y"
    conditions = context.encode(owner, y, of)
    context.warn_of_unseen(owner, as_pandas(y), conditions)
    if len(conditions) not in (1, n_rows):
        raise ValueError(
            f"{owner}: y must have as many rows as X, {n_rows:,}, or one; got {len(conditions):,}."
        )
    return np.broadcast_to(conditions, (n_rows, conditions.shape[1])).copy()


def in_words(y: pd.DataFrame, n_rows: int) -> np.ndarray:
    """Return the context of every row as text; of one row it is that of all.

    Examples
    --------
    >>> in_words(pd.DataFrame({"machine": ["b"], "heat": [20.0]}), 2).tolist()
    ['machine=b, heat=20', 'machine=b, heat=20']
    """
    texts = [
        [f"{name}={cell:.4g}" if isinstance(cell, float) else f"{name}={cell}" for cell in cells]
        for name, cells in y.items()
    ]
    told = [", ".join(parts) for parts in zip(*texts, strict=True)]
    return np.array(told * (n_rows if len(told) == 1 else 1), dtype=object)


def _check_complete(owner: str, y: pd.DataFrame, of: str) -> None:
    gaps = y.isna().to_numpy()
    if gaps.any():
        row, place = (int(found[0]) for found in np.nonzero(gaps))
        raise ValueError(
            f"{owner}: {of} must not miss a cell, because rows are judged given it; got NaN in column "
            f"{y.columns[place]!r} of row {y.index[row]!r}. Leave the row out, or fill it."
        )

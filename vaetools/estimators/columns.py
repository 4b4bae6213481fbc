"""Tables with categories and missing cells → rows of numbers and codes, and back."""

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Number, Real
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from vaetools.estimators.context_columns import of_judged
from vaetools.words import few, warn

_MAX_CATEGORIES = 1000
_FEWEST_CELLS = 5  # of fewer, one odd row is most
_REAL = (Real, Decimal, np.bool_)
_LASTING = (str, int, float, np.bool_, np.integer, np.floating)  # what the JSON of a model file has
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "empty")
_KINDS = {  # by what pandas infers of cells
    "boolean": "bernoulli",
    "string": "categorical",
    "categorical": "categorical",
    **dict.fromkeys(_NUMBERS, "gaussian"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table, as `fit` found it."""

    kind: str  # gaussian, bernoulli or categorical
    values: list[Any]  # categories, sorted: code k stands for ``values[k]``; of numbers, none
    dtype: Any  # what its cells were, and become again
    has_gaps: bool  # whether a model is trained with missing cells here

    def encode(self, owner: str, name: Any, cells: pd.Series) -> np.ndarray:
        """Return cells as numbers or codes, float64; NaN where one is missing."""
        if self.kind == "gaussian":
            return _numbers(owner, name, cells)
        places = pd.Index(self.values, dtype=object).get_indexer(cells.astype(object))
        codes: np.ndarray = places.astype(np.float64)
        codes[codes < 0] = len(self.values)
        codes[cells.isna()] = np.nan
        unseen = np.flatnonzero(codes == len(self.values))
        if self.kind == "bernoulli" and len(unseen):
            raise ValueError(
                f"{owner}: column {name!r} must be one of {self.values}; got {cells.iloc[unseen[0]]!r}."
            )
        known = {_type(value) for value in self.values}
        foreign = next((cell for cell in cells.iloc[unseen] if _type(cell) not in known), None)
        if foreign is not None:
            raise ValueError(
                f"{owner}: column {name!r} must hold {' or '.join(sorted(known))} like its categories, "
                f"{_some(self.values)}; got {reprlib.repr(foreign)}, of type {type(foreign).__name__}. Give "
                "it the type that it had in fit; readers of CSV take types of columns."
            )
        return codes

    def decode(self, codes: np.ndarray) -> pd.Series:
        """Return numbers or codes as cells; numbers are rounded where cells were integers."""
        if self.kind != "gaussian":
            cells = pd.Series(pd.Index(self.values, dtype=object).take(codes.astype(np.intp)))
        elif types.is_bool_dtype(self.dtype):
            cells = pd.Series(codes >= 0.5)
        elif types.is_integer_dtype(self.dtype):
            limits = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype))
            cells = pd.Series(codes.round().clip(limits.min, limits.max))
        else:
            cells = pd.Series(codes)
        return cells.astype(self.dtype)


@dataclass(frozen=True)
class Columns:
    """The columns of a table, and how its cells become rows of numbers."""

    names: list[Any] | None  # of a DataFrame; None of an array
    columns: list[Column]

    @classmethod
    def learn(
        cls, owner: str, X: Any, train: np.ndarray, likelihoods: Mapping[Any, str] | None, *, masking: bool
    ) -> Self:
        """Decide the kind of every column, and list the categories of the rows that train.

        ``masking`` says that cells go missing on purpose in training.
        """
        table, chosen = pd.DataFrame(X), dict(likelihoods or {})
        names = table.columns.tolist()
        for name in chosen:
            if name not in names:
                raise ValueError(
                    f"{owner}: column_likelihoods must name columns of X, {_some(names)}; got {name!r}."
                )
        odd = next((name for name in names if not isinstance(name, _LASTING)), None)
        if odd is not None:
            raise TypeError(
                f"{owner}: X must have strings or numbers as names of its columns; got {odd!r}. Flatten the "
                "names, such as X.set_axis(X.columns.map(str), axis=1)."
            )
        columns = []
        for place, name in enumerate(names):
            cells = table.iloc[:, place]
            kind = chosen[name] if name in chosen else _kind(owner, name, cells)
            _check_lasting(owner, name, kind, cells)
            known = cells.iloc[train].dropna()
            if known.empty:
                raise ValueError(
                    f"{owner}: column {name!r} must have a value in a row that trains; got {len(train)} "
                    "missing cells. Drop the column."
                )
            has_gaps = masking or len(known) < len(train)
            dtype = cells.dtype
            if kind == "gaussian" and isinstance(dtype, pd.CategoricalDtype):
                dtype = dtype.categories.dtype  # expected numbers lie between categories
            columns.append(Column(kind, _values(owner, name, kind, known), dtype, has_gaps))
        return cls(names if isinstance(X, pd.DataFrame) else None, columns)

    def encode(self, owner: str, X: Any) -> np.ndarray:
        """Return a table as rows of numbers and codes, ``(n_samples, n_features)``; NaN is missing.

        float32 if the table is an array of float32, else float64.
        """
        table = pd.DataFrame(X)
        names = table.columns if self.names is None else self.names
        rows = np.empty(table.shape, np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64)
        for place, (name, column) in enumerate(zip(names, self.columns, strict=True)):
            rows[:, place] = column.encode(owner, name, table.iloc[:, place])
        return rows

    def decode(self, rows: np.ndarray, index: pd.Index | None = None) -> pd.DataFrame | np.ndarray:
        """Return rows of numbers and codes as a table of the kind that was learnt."""
        cells = [column.decode(rows[:, place]) for place, column in enumerate(self.columns)]
        table = pd.concat(cells, axis=1)
        if self.names is None:
            return table.to_numpy()
        return table.set_axis(self.names, axis=1).set_axis(table.index if index is None else index)


def names_in_fit(estimator: Any) -> list[str] | None:
    """Return the names of the columns that a model judges, as text; None if they had none."""
    alone = of_judged(estimator)
    named = getattr(alone, "feature_names_in_", getattr(alone, "column_labels_", None))
    return None if named is None else named.tolist()


def _kind(owner: str, name: Any, cells: pd.Series) -> str:
    """Return the likelihood that the cells of a column ask for."""
    known = cells.dropna()
    found = types.infer_dtype(known, skipna=True)  # of NaT it would make dates
    if found in _KINDS:
        return _KINDS[found]
    examples = known[~known.map(type).duplicated()]
    came = " and ".join(f"{reprlib.repr(cell)} ({type(cell).__name__})" for cell in examples)
    raise TypeError(  # scikit-learn's checks ask for the words "argument must be"
        f"{owner}: X as an argument must be a table whose columns each hold strings, booleans or numbers "
        f"alone; got {came} in column {name!r}. Convert it to text, drop it, or choose "
        f"column_likelihoods={{{name!r}: 'categorical'}}."
    )


def _check_lasting(owner: str, name: Any, kind: str, cells: pd.Series) -> None:
    """Raise where a model file cannot hold the categories or the type of a column."""
    values: Any = () if kind == "gaussian" else cells.dropna()
    if isinstance(cells.dtype, pd.SparseDtype):
        raise TypeError(
            f"{owner}: column {name!r} must be dense; got {cells.dtype}. Convert the table with "
            "X.sparse.to_dense(), or the column with .sparse.to_dense()."
        )
    if isinstance(cells.dtype, pd.CategoricalDtype):
        values = cells.dtype.categories
    odd = next((value for value in values if not isinstance(value, _LASTING)), None)
    if odd is not None:
        raise TypeError(  # worded as in _kind
            f"{owner}: X as an argument must be a table whose categories a model file can hold, strings, "
            f"booleans or numbers; got {reprlib.repr(odd)} ({type(odd).__name__}) in column {name!r}. "
            "Convert it to text."
        )
    if isinstance(cells.dtype, pd.ArrowDtype):
        try:
            pa.type_for_alias(str(cells.dtype.pyarrow_dtype))
        except ValueError:
            raise TypeError(
                f"{owner}: column {name!r} must be of a type that a model file can hold; got {cells.dtype}. "
                "Convert it with .astype(float) or .astype(str)."
            ) from None


def _type(cell: Any) -> str:
    """Return what kind of value a category is: no value of another kind equals it."""
    if isinstance(cell, str):
        return "strings"
    return "numbers" if isinstance(cell, (Number, np.bool_)) else f"values of type {type(cell).__name__}"


def _values(owner: str, name: Any, kind: str, known: pd.Series) -> list[Any]:
    """Return the categories of a column, sorted; none of numbers."""
    if kind == "gaussian":
        return []
    values = sorted(known.astype(object).unique().tolist(), key=lambda value: (_type(value), value))
    if kind == "bernoulli":
        if {0, 1}.issuperset(values):
            values = [type(values[0])(value) for value in (0, 1)]
        if len(values) != 2:
            raise ValueError(
                f"{owner}: column {name!r} must hold two values in the rows that train for 'bernoulli'; got "
                f"{_some(values)}. A value too rare to be sure of is for 'categorical'."
            )
    if len(values) > _MAX_CATEGORIES:
        raise ValueError(
            f"{owner}: column {name!r} must hold at most {_MAX_CATEGORIES} categories; got {len(values)}, "
            f"such as {_some(values)}. Drop the column, or group its values."
        )
    return values


def _numbers(owner: str, name: Any, cells: pd.Series) -> np.ndarray:
    """Return cells as finite numbers, NaN where one is missing."""
    if isinstance(cells.dtype, pd.CategoricalDtype) or cells.isna().all():  # NaT has a type of its own
        cells = cells.astype(object).where(cells.notna(), np.nan)
    if types.infer_dtype(cells, skipna=True) not in (*_NUMBERS, "boolean"):
        odd = next((cell for cell in cells.dropna() if not isinstance(cell, _REAL)), None)
        if odd is not None:
            raise ValueError(f"{owner}: column {name!r} must be numbers; got {odd!r}.")
    numbers: np.ndarray = cells.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        row = int(np.isinf(numbers).argmax())
        raise ValueError(
            f"{owner}: X must be finite or missing (NaN). Input X contains infinity: {numbers[row]} in row "
            f"{row}, column {name!r}."
        )
    return numbers


def _some(values: Iterable[Any]) -> str:
    return few(map(reprlib.repr, values))


def warn_of_unseen(owner: str, columns: Columns, X: Any, codes: np.ndarray) -> None:
    """Warn of columns with mostly other categories than those of fit: often the same, written otherwise."""
    found = []
    for place, column in enumerate(columns.columns):
        is_unseen = codes[:, place] == len(column.values)
        n_known = np.count_nonzero(~np.isnan(codes[:, place]))
        if column.kind == "categorical" and n_known >= _FEWEST_CELLS and is_unseen.sum() > n_known / 2:
            name = place if columns.names is None else columns.names[place]
            found.append(f"{name!r} ({_difference(column, pd.DataFrame(X).iloc[is_unseen, place])})")
    if found:
        warn(
            f"{owner}: most cells of a column should be categories of fit; got others in column "
            f"{few(found)}. Each counts as unseen, which makes its row odd. Write them "
            "as in fit, or fit again with rows like these.",
        )


def warn_of_untrained(
    owner: str, columns: Columns, X: Any, codes: np.ndarray, held_out: np.ndarray | None = None
) -> None:
    """Warn of categories of held-out rows, or without such of new ones, that the model did not learn.

    Not where most cells are such: `warn_of_unseen` tells that of new rows, and of others that a column has
    values of its own in most rows.
    """
    rows = np.arange(len(codes)) if held_out is None else held_out
    found = []
    for place, column in enumerate(columns.columns):
        unseen = rows[codes[rows, place] == len(column.values)]
        n_known = np.count_nonzero(~np.isnan(codes[rows, place]))
        is_rare = n_known < _FEWEST_CELLS or len(unseen) <= n_known / 2
        if column.kind == "categorical" and len(unseen) and is_rare:
            name = place if columns.names is None else columns.names[place]
            values = pd.DataFrame(X).iloc[unseen, place].unique().tolist()
            found.append(f"{name!r} ({_some(sorted(values, key=str))})")
    if found:
        which = ("of the first call", "new rows") if held_out is None else ("that trains", "rows held out")
        warn(
            f"{owner}: no row {which[0]} has some categories of {which[1]}, in column "
            f"{few(found)}: they count as unseen, in rows to come as well, and make these odd. Fit more rows "
            "of them, or group rare ones.",
        )


def _difference(column: Column, cells: pd.Series) -> str:
    """Return a category that is unseen, with the known one that it is but for its writing, or a few."""
    unseen = sorted(cells.unique().tolist(), key=str)
    known = {_plain(value): value for value in column.values}
    for value in unseen:
        if _plain(value) in known:
            return f"{reprlib.repr(value)}, in fit {reprlib.repr(known[_plain(value)])}"
    return f"{reprlib.repr(unseen[0])}, none of {_some(column.values)}"


def _plain(value: Any) -> str:
    """Return a category without case, and without space around and within it."""
    return "".join(str(value).split()).casefold()

"""How the cells of tables are read that a model takes."""

from typing import Any

from vaetools.data.dialect import NUMBER, Kind, category_kind
from vaetools.estimators.columns import Column, names_in_fit
from vaetools.estimators.context import Context
from vaetools.estimators.context_columns import has_context_in_X


def kinds_of(estimator: Any) -> dict[str, Kind]:
    """Return how columns of a table are read that a model takes, in its order: its own, and its context."""
    own, context = estimator.columns_, getattr(estimator, "context_", None)
    names = names_in_fit(estimator) if own is None else own.names
    if names is None or not all(isinstance(name, str) for name in names):
        came = "an array" if names is None else "a DataFrame whose names of columns are no strings"
        raise ValueError(
            f"{type(estimator).__name__}: files are read by the names of their columns, and the model was "
            f"fitted on {came}. Read the file with pandas, and call score_samples or transform."
        )

    kinds = dict.fromkeys(names, Kind(NUMBER, is_needed=True))
    if own is not None:
        kinds = {name: _kind(column) for name, column in zip(names, own.columns, strict=True)}
    if context is not None:
        kinds |= kinds_of_context(context)
    if has_context_in_X(estimator):
        return {name: kinds[name] for name in estimator.feature_names_in_}
    return kinds


def kinds_of_context(context: Context) -> dict[str, Kind]:
    """Return how columns of a context are read, every cell of which is needed and of a known category."""
    told = zip(context.names, context.columns.columns, strict=True)
    return {
        name: _kind(column)._replace(is_closed=bool(column.values), is_needed=True) for name, column in told
    }


def _kind(column: Column) -> Kind:
    """Return how the cells of a column are read."""
    if column.kind == "gaussian":
        return Kind(NUMBER)
    return category_kind(column.values, is_closed=column.kind == "bernoulli")

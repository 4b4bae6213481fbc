"""Fitted models side by side: what each takes, and how its decoded rows become rows that all share."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from vaetools.estimators.columns import Columns, names_in_fit
from vaetools.estimators.context import conditions_of, context_in
from vaetools.estimators.context_columns import has_context_in_X, holding_context, judged, of_judged
from vaetools.estimators.engine import Engine
from vaetools.estimators.intake import check_rows
from vaetools.frames import as_pandas
from vaetools.latent.paths import interpolate
from vaetools.report.tables import Spread
from vaetools.words import few, readable

_STILL = 1e-6  # of the largest variance of an AE's codes: a component says nothing
_N_TAKEN_BACK, _SLACK = 50, 1e-3  # rows, and share of their values
_LARGEST = 1e100  # squares of greater values overflow when distances are summed
_NEEDED = ("transform", "inverse_transform", "reconstruct", "score_table")


@dataclasses.dataclass(frozen=True, eq=False)
class Opened:
    """A fitted model and the rows of the comparison."""

    name: str
    estimator: Any  # the autoencoder itself; of a pipeline the last step
    rows: Any  # as the estimator takes them
    back: Any  # steps of a pipeline that take decoded rows back to units of X
    image_shape: tuple[int, int, int] | None
    context: pd.DataFrame | None = None  # that the rows are judged given, of which they hold columns
    span: tuple[float, float] = (0.0, 1.0)  # what becomes 0 and 1 in shared rows: black and white of images
    spread: Spread | None = None  # how a table of several kinds of columns becomes numbers

    @property
    def conditional(self) -> bool:
        """Whether labels condition it."""
        return hasattr(self.estimator, "classes_")

    @property
    def has_prior(self) -> bool:
        """Whether its codes have a prior, under which they cost something and can be drawn."""
        return bool(self.estimator.model_.latent.has_prior)

    @property
    def is_normal(self) -> bool:
        """Whether that prior is N(0, I)."""
        return bool(self.estimator.model_.latent.has_spread)

    @property
    def has_words(self) -> bool:
        """Whether its codes are words, so that they stand in some places alone and fill no space."""
        return self.has_prior and not self.is_normal

    @property
    def trains_by_one_scale(self) -> bool:
        """Whether training counts one scale for all pixels, where each has its own in use."""
        return getattr(self.estimator.model_.likelihood, "scale", None) == "local"

    @property
    def in_use(self) -> np.ndarray:
        """Which components say something of their rows; the codes of an AE have no scale but their own."""
        if self.has_prior:
            are_active: np.ndarray = self.estimator.active_units_
            return are_active
        variances = self.estimator.reference_codes_.var(axis=0, dtype=np.float64)
        are_moving: np.ndarray = variances > _STILL * variances.max()
        return are_moving

    def take(self, index: Any) -> Any:
        """Return some of the rows, as the estimator takes them."""
        return self.rows.iloc[index] if hasattr(self.rows, "iloc") else self.rows[index]

    def shared(self, made: Any) -> np.ndarray:
        """Return rows that the estimator made in the units that all models share."""
        made = made if self.back is None else self.back.inverse_transform(made)
        if self.spread is not None:
            return self.spread.numbers(made)
        low, high = self.span
        return (np.asarray(made, dtype=np.float64) - low) / (high - low)

    def decoded(self, Z: np.ndarray, *label: Any) -> np.ndarray:
        """Return expected rows of codes, of a conditional model as a label, in the units that all share."""
        return self.shared(self.estimator.inverse_transform(Z, *label))

    def between(self, ends: Any, n: int) -> np.ndarray:
        """Decode the straight line between the codes of two rows; their contexts go over as codes do."""
        first, last = self.estimator.transform(ends)
        line, told = interpolate(first, last, n), context_in(self.estimator, ends)
        share = np.linspace(0, 1, n)[:, None]
        made: np.ndarray = (1 - share) * self.decoded(line, told[:1]) + share * self.decoded(line, told[1:])
        return made

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return expected rows of codes, of a conditional model as its commonest label, or in its context."""
        options = {"y": self.commonest} if self.conditional else {}
        if self.context is not None:
            options = {"y": commonest_context(self.context)}
        made = self.shared(self.estimator.inverse_transform(Z.reshape(-1, Z.shape[-1]), **options))
        return made.reshape(*Z.shape[:-1], -1)

    @property
    def commonest(self) -> Any:
        """The label that most training rows of a conditional model had."""
        return self.estimator.classes_[np.argmax(self.estimator.class_prior_)]

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Return decoded draws from the prior, or without one from N(0, I), labels by their frequency.

        Contexts are those of rows.
        """
        rng = np.random.RandomState(seed)
        if self.context is not None:
            told = self.context.sample(n, replace=True, random_state=rng)
            return self.shared(self.estimator.sample(n, told, random_state=rng))
        if self.has_prior:
            return self.shared(self.estimator.sample(n, random_state=rng))
        n_components = self.estimator.reference_codes_.shape[1]
        return self.shared(self.estimator.inverse_transform(rng.standard_normal((n, n_components))))


def open_models(models: Any, X: Any, context: Any = None) -> tuple[list[Opened], np.ndarray]:
    """Return the models with their rows, and the rows in the units that all share.

    These are the units of X, but images are in [0, 1]. ``context`` is what rows are judged given by models
    whose X does not hold it.
    """
    if not isinstance(models, Mapping) or not models:
        raise TypeError(f"compare: models must be a dict of names to fitted models; got {models!r}.")
    fitted: list[Opened] = []
    rows, spread = np.empty(0), _spread(models, X)
    names = [readable(str(name)) for name in models]
    if len(set(names)) < len(names):
        raise ValueError(f"compare: models must have different names, as text; got {list(models)!r}.")
    for name, model in zip(names, models.values(), strict=True):
        each, own = _open(name, model, X, spread, context, beside=fitted[0].name if fitted else None)
        if fitted:
            _check_same(fitted[0], rows, each, own)
        else:
            rows = own
        fitted.append(each)
    low, high = rows.min(), rows.max()
    if any(each.image_shape for each in fitted) and (low < 0 or high > 1):
        fitted = [dataclasses.replace(each, span=(low, high)) for each in fitted]
        rows = (rows - low) / (high - low)
    return fitted, rows


def _spread(models: Mapping[str, Any], X: Any) -> Spread | None:
    """Return how a table of several kinds of columns becomes numbers that all models share."""
    known: dict[str, Columns] = {}
    alone: Any = None
    for name, model in models.items():
        last = model[-1] if hasattr(model, "steps") else model
        if (columns := getattr(last, "columns_", None)) is None:
            continue
        if last is not model:
            raise ValueError(
                f"compare: {str(name)!r} must be no pipeline, because likelihood='mixed' takes columns of "
                f"several kinds; got steps {[label for label, _ in model.steps]}. Fit it on what these make."
            )
        alone = judged(model, as_pandas(X))
        check_rows(of_judged(model), alone)  # says so where columns are others
        known[str(name)] = columns
    kinds = {str([column.kind for column in columns.columns]): name for name, columns in known.items()}
    if len(kinds) > 1:
        (first, one), (second, other), *_ = kinds.items()
        raise ValueError(
            "compare: models must take columns as of the same kinds; got "
            f"{first} of {one!r} and {second} of {other!r}. Fit all with the same "
            "column_likelihoods."
        )
    return Spread.over(list(known.values()), alone) if known else None


def _open(
    name: str, model: Any, X: Any, spread: Any, context: Any, *, beside: str | None
) -> tuple[Opened, np.ndarray]:
    """Take a pipeline apart, and bring the rows to where its last step takes them."""
    steps, estimator = (model[:-1], model[-1]) if hasattr(model, "steps") else (None, model)
    if not all(hasattr(estimator, method) for method in _NEEDED):
        raise TypeError(
            f"compare: {name!r} must be an autoencoder, or a pipeline that ends in one; got {model!r}."
        )
    check_is_fitted(estimator, msg=f"compare: {name!r} must be fitted; got {estimator!r}.")
    Engine(estimator).require_decoder("inverse_transform")
    rows = as_pandas(X if not steps else steps.transform(X))
    rows = rows if hasattr(rows, "iloc") else np.asarray(rows)
    if len(rows) < 3 or rows.ndim != 2:
        raise ValueError(f"compare: X must hold at least 3 rows of values; got shape {rows.shape}.")
    if rows.shape[1] != estimator.n_features_in_:
        others = f", as {beside!r} takes them" if beside else ""
        raise ValueError(
            f"compare: {name!r} takes rows of {estimator.n_features_in_} values; got {rows.shape[1]}{others}."
        )
    estimator, rows = _in_context(name, estimator, steps, rows, context)
    alone, told = Engine(estimator).parted(rows)
    if estimator.columns_ is not None:
        kept = Opened(name, estimator, rows, None, None, spread=spread, context=told)
        return kept, spread.numbers(alone)
    back = steps if steps and hasattr(steps, "inverse_transform") else None
    if back is not None:
        _check_inverses(name, steps, X)
    shape = estimator.image_shape or (getattr(steps[0], "image_shape_", None) if steps else None)
    shape = None if shape is None or shape[0] not in (1, 3) else tuple(shape)
    values = estimator.input_scale_.shown(np.asarray(alone)) if back is None else np.asarray(X)
    values = values.astype(np.float64)
    if (largest := np.abs(values).max()) > _LARGEST:
        raise ValueError(f"compare: X must hold values up to {_LARGEST:g}; got {largest:g}. Rescale it.")
    return Opened(name, estimator, rows, back, shape, context=told), values


def _in_context(name: str, estimator: Any, steps: Any, rows: Any, context: Any) -> tuple[Any, Any]:
    """Return a model and rows that hold their context, if any; where it is told beside them it is put in."""
    if not hasattr(estimator, "context_"):
        return estimator, rows
    if not has_context_in_X(estimator):
        names, context = estimator.context_.names, as_pandas(context)
        if not isinstance(context, pd.DataFrame) or not set(names) <= set(context.columns):
            came = few(map(repr, context)) if isinstance(context, pd.DataFrame) else type(context).__name__
            raise ValueError(
                f"compare: context must be a DataFrame of the columns that {name!r} judges rows given, "
                f"{few(map(repr, names))}; got {came}."
            )
        if len(context) not in (1, len(rows)):
            raise ValueError(
                f"compare: context must have as many rows as X, {len(rows):,}, or one; got {len(context):,}."
            )
        estimator, rows = holding_context(estimator, rows, context)
    if steps:
        raise ValueError(
            f"compare: {name!r} must be no pipeline, because its rows hold their context; got steps "
            f"{[label for label, _ in steps.steps]}. Fit it on what these make."
        )
    conditions_of(estimator, len(rows), context_in(estimator, rows))  # says so where there is none
    return estimator, rows


def first_without_inverse(steps: Any, X: Any) -> tuple[str, Any] | None:
    """Return name and step of a pipeline that does not take its rows back, or None where all do.

    Once taken back they must become the same again: so a projection passes, which loses some of a row but
    keeps its units.
    """
    rows = X.iloc[:_N_TAKEN_BACK] if hasattr(X, "iloc") else X[:_N_TAKEN_BACK]
    for label, step in steps.steps:
        if step is None or step == "passthrough":
            continue
        made = step.transform(rows)
        try:
            back = step.inverse_transform(made)
            if hasattr(rows, "iloc"):
                back = pd.DataFrame(np.asarray(back), columns=rows.columns)
            again = np.asarray(step.transform(back), dtype=np.float64)
            expected = np.asarray(made, dtype=np.float64)
        except (AttributeError, TypeError, ValueError):
            return label, step  # it has no inverse, or makes rows of another shape or kind
        slack = _SLACK * (np.abs(expected).max(initial=0) + expected.std())
        if again.shape != expected.shape or not np.allclose(again, expected, rtol=0, atol=slack):
            return label, step
        rows = made
    return None


def _check_inverses(name: str, steps: Any, X: Any) -> None:
    """Raise where a step does not take its rows back."""
    if found := first_without_inverse(steps, X):
        label, step = found
        raise ValueError(
            f"compare: {name!r} must have steps whose inverse_transform inverts their transform; step "
            f"{label!r} has not: got {step!r}. Give it an inverse (FunctionTransformer: inverse_func)."
        )


def _check_same(first: Opened, values: np.ndarray, other: Opened, others: np.ndarray) -> None:
    """Raise, naming both, where two models do not take the same rows."""
    named = [getattr(each.estimator, "feature_names_in_", np.array([])).tolist() for each in (first, other)]
    if all(named) and named[0] != named[1]:
        what = f"columns {_some(named[0])} and {_some(named[1])}"
    elif len({first.image_shape, other.image_shape} - {None}) > 1:
        what = f"images of {first.image_shape} and {other.image_shape}"
    elif values.shape != others.shape:
        what = f"rows of {values.shape[1]} and {others.shape[1]} values"
    elif not np.array_equal(values, others):
        what = "rows of the same shape and other values"
    else:
        return
    raise ValueError(
        f"compare: models must take the same rows; {first.name!r} and {other.name!r} make {what} of them. "
        "Fit both with the same image_shape, on the same columns."
    )


def commonest_context(context: pd.DataFrame) -> pd.DataFrame:
    """Return one row: the commonest combination of categories, with the medians of numbers where it is met.

    Examples
    --------
    >>> told = pd.DataFrame({"machine": ["a", "b", "b"], "heat": [9.0, 20.0, 22.0]})
    >>> commonest_context(told).to_numpy().tolist()
    [['b', 21.0]]
    """
    types = pd.api.types
    is_number = [types.is_numeric_dtype(each) and not types.is_bool_dtype(each) for each in context.dtypes]
    groups = context.loc[:, np.logical_not(is_number)]
    kept = context
    if groups.shape[1]:
        numbers = groups.groupby(list(groups.columns), observed=True).ngroup()
        kept = context[(numbers == numbers.mode()[0]).to_numpy()]
    medians = kept.loc[:, is_number].median()
    return kept.iloc[:1].assign(**{str(name): median for name, median in medians.items()})


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")


def columns_of(fitted: Opened, X: Any, n_columns: int) -> np.ndarray:
    """Return the names of the columns: of a DataFrame, of the model, else numbers."""
    if fitted.spread is not None:
        return np.array(fitted.spread.names, dtype=str)
    if hasattr(X, "columns") and len(X.columns) == n_columns:
        return _texts(X.columns)
    names = names_in_fit(fitted.estimator) or []
    return np.asarray(names if len(names) == n_columns else range(n_columns)).astype(str)


def names_of(X: Any, n: int) -> np.ndarray:
    """Return what rows are called: by the index of a DataFrame, as paths, else by number."""
    if isinstance(X, pd.DataFrame):
        return _texts(X.index)
    plain = np.ndim(X) == 1
    return np.asarray([str(each) for each in X] if plain else range(n)).astype(str)


def _texts(index: pd.Index) -> np.ndarray:
    """Return the labels of an index as text, those of several levels in one."""
    flat = index if index.nlevels == 1 else [", ".join(map(str, each)) for each in index]
    return np.array([str(each) for each in flat], dtype=str)

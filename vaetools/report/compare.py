"""Fitted models and rows in, a `Comparison` out."""

import dataclasses
import html
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaetools.checks import Requirement, booleans, check, is_integer, looks_continuous
from vaetools.files import write_atomically
from vaetools.frames import as_pandas
from vaetools.latent import MAP_PARAMETERS
from vaetools.latent.projection import LatentMap
from vaetools.report.models import Opened, columns_of, names_of, open_models
from vaetools.report.page.comparison import render
from vaetools.report.passes import Factors, choose, see, view
from vaetools.report.pictures import make_thumbnails
from vaetools.report.questions import MEASURES, answer, measure, note, warn
from vaetools.report.questions.dimensions import agreement
from vaetools.report.records import Data, ModelView, short
from vaetools.words import printable

_N_SHOWN = 12
_GOLDEN = (5**0.5 - 1) / 2


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """Models and what distinguishes them.

    Attributes
    ----------
    data : Data
    models : tuple of ModelView
    measures : DataFrame
        One row per model and measure: columns ``model``, ``measure``, ``value``, ``low`` and ``high``
        (a 95 % interval; NaN where there is none). Names, units and directions are in `MEASURES`.
    answer : tuple of str
        The findings in words, computed from the numbers; the most important first.
    notes : dict of str to str
        By section, what to mistrust in all models, for what the data are: too few points.
    method : str
        Of the maps, as `LatentMap` takes it.
    seed : int
        Of maps, draws and choices.
    """

    data: Data
    models: tuple[ModelView, ...]
    measures: pd.DataFrame
    answer: tuple[str, ...]
    notes: dict[str, str] = dataclasses.field(default_factory=dict)
    method: str = dataclasses.field(kw_only=True)
    seed: int = dataclasses.field(kw_only=True)

    def __repr__(self) -> str:
        """Return the names of the models, and how many rows they are compared on."""
        names = ", ".join(short(model.name) for model in self.models)
        return f"<Comparison of {names} on {len(self.data.names):,} rows>"

    def _repr_markdown_(self) -> str:
        """Return the findings as a notebook shows them."""
        return "\n".join(f"- {html.escape(printable(sentence))}" for sentence in self.answer)

    def to_frame(self) -> pd.DataFrame:
        """Return the measures as a table.

        Returns
        -------
        table : DataFrame of shape (n_measures, 3 · n_models)
            A row per measure; columns ``value``, ``low`` and ``high`` below the name of every model.
        """
        columns = [(model.name, part) for model in self.models for part in ("value", "low", "high")]
        wide = self.measures.pivot(index="measure", columns="model", values=["value", "low", "high"])
        rows = [name for name in MEASURES if name in wide.index]
        return wide.swaplevel(axis=1).reindex(index=rows, columns=pd.MultiIndex.from_tuples(columns))

    def to_json(self) -> str:
        """Return findings, warnings, facts and measures.

        Returns
        -------
        text : str
            Strict JSON: ``answer``, ``notes``, ``n_samples``, ``method``, ``seed``, ``models`` (``name``,
            ``kind``, ``facts``, ``warnings``, ``terms``, ``threshold``) and ``measures`` (``model``,
            ``measure``, ``value``, ``low``, ``high``, ``label``, ``unit``, ``better``, ``caution``); null
            for what is unknown.
        """
        told = ("name", "kind", "facts", "warnings", "threshold")
        explained = ("label", "unit", "better", "caution")
        everything = {
            "answer": list(self.answer),
            "notes": self.notes,
            "n_samples": len(self.data.names),
            "method": self.method,
            "seed": self.seed,
            "models": [
                {name: getattr(model, name) for name in told}
                | {"terms": _records(model.terms.rename_axis("rows").reset_index())}
                for model in self.models
            ],
            "measures": [
                record | {name: getattr(MEASURES[record["measure"]], name) for name in explained}
                for record in _records(self.measures)
            ],
        }
        return json.dumps(everything, indent=2, allow_nan=False)

    def to_html(
        self, path: str | os.PathLike[str], explorers: Mapping[str, str | os.PathLike[str]] | None = None
    ) -> None:
        """Write one self-contained page: it fetches nothing, and shows what stands here.

        Parameters
        ----------
        path : str or path-like
            Replaced if it exists, once the page is whole.
        explorers : mapping of str to path-like or None, default=None
            Pages that `explore` wrote of some of the models, by their names: the page links to them.
        """
        known = [model.name for model in self.models]
        for name in explorers or {}:
            if name not in known:
                raise ValueError(f"to_html: explorers must be of models among {known}; got {name!r}.")
        folder = os.path.dirname(os.path.abspath(path))
        pages = (explorers or {}).items()
        links = {name: Path(os.path.relpath(page, folder)).as_posix() for name, page in pages}
        write_atomically(path, render(self, links).encode())


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON takes them: None for what is not a finite number."""
    plain = table.astype(object)
    told = plain.where(~table.isin([np.inf, -np.inf]) & table.notna(), None)
    records: list[dict[str, Any]] = told.to_dict(orient="records")
    return records


def compare(
    models: Mapping[str, Any],
    X: Any,
    y: Any = None,
    *,
    context: Any = None,
    outliers: Any = None,
    seed: int = 0,
    method: str = "umap",
    factors: Any = None,
    continuous: Sequence[Any] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Compare how fitted models organize what they learnt, on rows that none was trained on.

    Parameters
    ----------
    models : mapping of str to fitted autoencoder or pipeline
        One or more, by the names they get; pipelines end in one of these. All take the same rows. Of tables
        with ``likelihood="mixed"`` every category becomes a column of 0 and 1 for what is measured, and a
        missing number the mean of its column.
    X : array-like of shape (n_samples, n_features), or what the pipelines take
        New rows, at least three. The index of a DataFrame names them.
    y : array-like of shape (n_samples,) or None, default=None
        Classes, as numbers or text. No model is told: codes of a conditional one are those without
        labels.
    context : DataFrame of shape (n_samples, n_columns), or None, default=None
        What rows are judged given, of models whose context comes beside X.
    outliers : array-like of shape (n_samples,), bool, or None, default=None
        Which rows are known to be odd: they are mapped and scored, and left out of all other measures.
    seed : int, default=0
        Of maps, draws and choices; from 0 to 2³² − 1.
    method : {"umap", "tsne", "pca"}, default="umap"
        Of the maps in two dimensions.
    factors : DataFrame or array-like of shape (n_samples, n_factors), or None, default=None
        What made the rows, where that is known, such as an angle and a size: whether single dimensions stand
        for these is measured. No model is told.
    continuous : sequence, default=()
        Names of the factors (of an array: positions) that are numbers; all others are classes.
    progress : callable, default=silent
        Called with a line of text before every longer step.

    Returns
    -------
    comparison : Comparison
        Plain arrays, measures with intervals, and the findings in words. ``to_html`` writes the page,
        ``to_frame`` and ``to_json`` hand on the numbers.

    Raises
    ------
    TypeError, ValueError
        If a model is not a fitted autoencoder, two models do not take the same rows, labels do not
        fit the rows, or a step of a pipeline has no inverse.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import AE, VAE, compare
    >>> X, y = load_iris(return_X_y=True)
    >>> new = np.arange(150) % 3 == 0
    >>> models = {"AE": AE(2, random_state=0), "VAE": VAE(2, random_state=0)}
    >>> fitted = {name: model.fit(X[~new]) for name, model in models.items()}
    >>> comparison = compare(fitted, X[new], y[new], method="pca")
    >>> bool(comparison.to_frame().loc["knn_accuracy", ("VAE", "value")] > 0.8)
    True
    """
    words = "an integer from 0 to 2**32 - 1"
    check("compare", "seed", seed, Requirement(words, lambda value: is_integer(value, 0, 2**32 - 1)))
    check("compare", "method", method, MAP_PARAMETERS["method"])
    X = as_pandas(X)
    fitted, rows = open_models(models, X, context)
    data = _data(fitted, X, rows, y, outliers)
    if factors is None and len(continuous):
        raise ValueError(
            f"compare: continuous must name some of factors, and there are none; got {continuous!r}."
        )
    basis = choose(rows, data, seed, None if factors is None else _factors(factors, continuous, len(rows)))
    variance = basis.rows.var(axis=0).mean()
    views, tables, blank = [], [], []
    for each in fitted:
        progress(f"{each.name}: encoding, scoring and decoding {len(rows):,} rows")
        seen = see(each, basis)
        progress(f"{each.name}: measuring")
        table = measure(seen)
        tables.append(table)
        errors = table.loc[table["measure"] == "mse", "value"]
        blank += [each.name] * bool((errors >= variance).any())
        progress(f"{each.name}: mapping {len(rows):,} codes ({method})")
        points = LatentMap(method=method, random_state=seed).fit_transform(seen.codes)
        shown = view(seen, data, points)
        if len(errors) and variance > 0 and not each.conditional:  # there labels explain rows, too
            shown = dataclasses.replace(shown, explained=1 - float(errors.iloc[0]) / variance)
        views.append(dataclasses.replace(shown, warnings=warn(shown, data, blank=each.name in blank)))
    agreed = agreement(views, basis)
    measures = pd.concat([each for each in (*tables, agreed) if len(each)], ignore_index=True)
    found = answer(data, views, measures, blank=blank)
    return Comparison(data, tuple(views), measures, found, note(data), method=method, seed=seed)


def _data(fitted: list[Opened], X: Any, rows: np.ndarray, y: Any, outliers: Any) -> Data:
    """Return what all models are shown."""
    n = len(rows)
    labels = None if y is None else _labels(y, n)
    odd = None if outliers is None else _mask(outliers, n)
    image_shape = next((each.image_shape for each in fitted if each.image_shape), None)
    normal = np.arange(n) if odd is None else np.flatnonzero(~odd)
    shown = _shown(normal, labels)
    mean = std = None
    if image_shape is None:
        mean = rows[normal].mean(axis=0)
        std = np.where(np.ptp(rows[normal], axis=0) > 0, rows[normal].std(axis=0), 0.0)  # 0 of a constant
    return Data(
        names=names_of(X, n),
        labels=labels,
        outliers=odd,
        columns=columns_of(fitted[0], X, rows.shape[1]),
        image_shape=image_shape,
        thumbnails=None if image_shape is None else make_thumbnails(rows, image_shape),
        shown=rows[shown],
        shown_index=shown,
        n_different=len({hash(rows[i].tobytes()) for i in normal}),
        mean=mean,
        std=std,
    )


def _labels(y: Any, n: int) -> np.ndarray:
    """Return classes as an array that sorts."""
    labels = np.asarray(y)
    if labels.shape != (n,) or pd.isna(labels).any():
        what = "missing ones" if labels.shape == (n,) else f"shape {labels.shape}"
        raise ValueError(f"compare: y must hold a class for each of the {n} rows; got {what}.")
    if looks_continuous(labels):
        raise ValueError(
            "compare: y must hold classes and looks continuous; got "
            f"{len(np.unique(labels))} different values such as {labels[0]:g} in "
            f"{n} rows. Bin them, as by pandas.cut."
        )
    return labels.astype(str) if labels.dtype.kind == "O" else labels


def _factors(factors: Any, continuous: Sequence[Any], n: int) -> Factors:
    """Return what made the rows as numbers, and which of it are numbers."""
    table = pd.DataFrame(as_pandas(factors))
    if len(table) != n or table.isna().any(axis=None):
        what = "missing ones" if len(table) == n else f"{len(table)} rows"
        raise ValueError(f"compare: factors must hold a value for each of the {n} rows; got {what}.")
    for name in continuous:
        if name not in table.columns:
            raise ValueError(f"compare: continuous must name factors among {list(table)}; got {name!r}.")
    numbers = [name in continuous for name in table]
    for name in table.columns[~np.array(numbers, bool)]:
        if looks_continuous(table[name].to_numpy()):
            raise ValueError(
                f"compare: continuous must name the factors that are numbers, and {name!r} looks like one: "
                f"{table[name].nunique()} different values in {n} rows. Name it, or bin it, as by pandas.cut."
            )
    columns = [
        table[name].to_numpy(np.float64) if is_number else table[name].factorize()[0]
        for name, is_number in zip(table, numbers, strict=True)
    ]
    return Factors(np.stack(columns, axis=1), numbers)


def _mask(outliers: Any, n: int) -> np.ndarray:
    """Return which rows are odd: some and not nearly all."""
    mask = booleans("compare", "outliers", outliers, n)
    if not 0 < mask.sum() <= n - 3:
        raise ValueError(
            f"compare: outliers must mark some rows and leave at least 3; got {mask.sum()} of {n}."
        )
    return mask


def _shown(normal: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Return the rows whose reconstructions are pictured: one of every class, then some from everywhere."""
    firsts = np.array([], int) if labels is None else np.unique(labels[normal], return_index=True)[1]
    spread = np.argsort(np.arange(len(normal)) * _GOLDEN % 1)  # its first few lie far apart, however few
    return normal[list(dict.fromkeys([*firsts, *spread[: 2 * _N_SHOWN]]))[:_N_SHOWN]]

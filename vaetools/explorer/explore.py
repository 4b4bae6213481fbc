"""A fitted model and rows in, an `Explorer` out."""

import math
from typing import Any

import numpy as np
import pandas as pd

from vaetools.checks import Requirement, check, is_integer, one_of
from vaetools.estimators.engine import Engine
from vaetools.explorer.decoder import plain_decoder
from vaetools.explorer.explorer import Explorer
from vaetools.explorer.given import GivenColumn, colorings, given_columns
from vaetools.explorer.reading import flagged_rows, read_rows, with_values
from vaetools.explorer.subject import Subject, open_subject
from vaetools.explorer.table import Table, called_apart
from vaetools.latent.projection import LatentMap
from vaetools.report.models import Opened, names_of
from vaetools.report.pictures import make_thumbnails
from vaetools.words import counted

MAPS = ("umap", "tsne", "pca", "latent")
_MOST_ROWS = 100_000
_PIXELS = 12_000_000  # of all pictures
_SMALLEST, _LARGEST = 8, 96  # pixels of the longer side of one
_COLUMN_VALUES = 4_000_000  # of columns of a table, to color by
_CLASSES = 60  # more different numbers are no labels
_FARTHEST = 1e9  # codes; maps add squares of them in float32
_N_DRAWS = 600  # codes that a page can draw from the prior


def explore(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    context: Any = None,
    method: str = "umap",
    seed: int = 0,
    verbose: int = 0,
) -> Explorer:
    """Make a page of a model's latent space that decodes what the cursor points at.

    It shows rows on a map, as pictures where they are images; decodes any place of the map, any code that
    sliders make, ways between rows and draws from the prior; and hands out what a lasso selects.

    Parameters
    ----------
    model : fitted autoencoder or a pipeline that ends in one
        The page decodes networks that the estimators build themselves, behind steps of a pipeline that scale
        columns; of others it shows the nearest rows, and says why.
    X : array-like of shape (n_samples, n_features), or what the pipeline takes
        At least three rows and at most 100,000. The index of a DataFrame names them.
    y : array-like of shape (n_samples,) or None, default=None
        Classes or numbers to color by. The model is not told.
    context : DataFrame of shape (n_samples, n_columns) or None, default=None
        What rows are judged given, of a model whose context comes beside X. Codes are those of rows in their
        own, and the page decodes them in one that is chosen there, at first the commonest.
    method : {"umap", "tsne", "pca", "latent"}, default="umap"
        Of the map; "latent" draws the two latent dimensions that vary most. The page offers any two.
    seed : int, default=0
        Of the map; from 0 to 2³² − 1.
    verbose : int, default=0
        1 shows a progress bar of the map, 2 writes a line now and then.

    Returns
    -------
    explorer : Explorer
        A notebook shows it; ``to_html`` writes it as one file.

    Raises
    ------
    TypeError, ValueError
        If the model is not a fitted autoencoder, or rows or labels do not fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, explore
    >>> X, y = load_iris(return_X_y=True)
    >>> vae = VAE(3, random_state=0).fit(X)
    >>> space = explore(vae, X, y, method="pca")
    >>> space
    <Explorer of 150 rows, VAE, 3 components>
    >>> list(space.numbers)[:4], space.places.shape
    (['score', 'reconstruction', 'KL', 'p-value'], (150, 2))
    """
    words = "an integer from 0 to 2**32 - 1"
    check("explore", "seed", seed, Requirement(words, lambda value: is_integer(value, 0, 2**32 - 1)))
    check("explore", "method", method, one_of(*MAPS))
    subject = open_subject(model, X, context)
    opened, shown = subject.opened, subject.shown
    engine = Engine(opened.estimator)
    rows = engine.rows(opened.rows, context)
    _check_number(len(rows))
    has_reasons = subject.table is not None and subject.back is not None
    codes, read, reasons = read_rows(engine, rows, with_reasons=has_reasons)
    names = names_of(X, len(rows))
    _check_codes(codes, names)
    labels, numbers, given, table = _told(subject, engine, y, codes, read)
    condition = rows.labels[0] if given else None
    span = (0.0, 1.0) if opened.image_shape is None else _span(shown)
    in_use = _in_use(opened, codes)
    places, plane = _map(codes, in_use, method, seed, verbose)
    return Explorer(
        model=f"{type(opened.estimator).__name__}, {codes.shape[1]} components",
        names=names,
        codes=codes.astype(np.float32),
        places=places.astype(np.float32),
        method=method,
        plane=plane,
        in_use=in_use,
        labels=labels,
        numbers={name: _compact(values) for name, values in numbers.items()},
        unit=opened.estimator.score_unit_,
        flagged=flagged_rows(engine, rows, read["score"]),
        image_shape=opened.image_shape,
        span=span,
        thumbnails=_thumbnails(shown, opened.image_shape, span),
        table=table,
        reasons=with_values(reasons, shown, subject.back) if reasons and subject.back else {},
        classes=opened.estimator.classes_ if opened.conditional else np.array([], str),
        class_prior=opened.estimator.class_prior_ if opened.conditional else np.array([]),
        given=given,
        draws=_draws(engine, seed),
        decoder=plain_decoder(opened.estimator, subject.units, condition) if subject.decodes else None,
        note=subject.note,
    )


def _told(
    subject: Subject, engine: Engine, y: Any, codes: np.ndarray, read: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], list[GivenColumn], Table | None]:
    """Return labels and numbers of rows, columns of their context, and their table, all of other names."""
    opened, table, own = subject.opened, subject.table, {"id"}
    own |= {f"z{i + 1}" for i in range(codes.shape[1])}  # of a saved selection
    labels, numbers = _given(y, len(codes), {*own, *read})
    if opened.conditional:
        labels["label, as the model believes"] = opened.estimator.classes_[read["believed"].astype(int)]
    numbers |= {name: values for name, values in read.items() if name != "believed"}
    given: list[GivenColumn] = []
    if engine.context is not None and opened.context is not None:
        called = called_apart(map(str, engine.context.names), {*own, *labels, *numbers}, "context")
        of_context = colorings(engine.context, opened.context, called)
        labels, numbers = labels | of_context[0], numbers | of_context[1]
        given = given_columns(engine.owner, engine.context, opened.context, called)
    if table is not None:
        names = called_apart(table.names.tolist(), {*own, *labels, *numbers}, "column")
        table = table._replace(names=np.array(names, dtype=str))
        of_table = _of_columns(table, subject.shown)
        labels, numbers = labels | of_table[0], numbers | of_table[1]
    return labels, numbers, given, table


def _check_number(n: int) -> None:
    """Raise where there are too few rows for a map, or too many for a page."""
    if not 3 <= n <= _MOST_ROWS:
        advice = f" Pass some, such as every {math.ceil(n / _MOST_ROWS)}th." if n > _MOST_ROWS else ""
        raise ValueError(f"explore: X must hold 3 to {_MOST_ROWS:,} rows; got {n:,}.{advice}")


def _of_columns(table: Table, shown: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return labels and numbers of as many columns of a table as a page has room for."""
    labels: dict[str, np.ndarray] = {}
    numbers: dict[str, np.ndarray] = {}
    for i, name in enumerate(table.names[: max(1, _COLUMN_VALUES // len(shown))].tolist()):
        if i in table.categories:
            labels[name] = table.texts(i, shown[:, i])
        else:
            numbers[name] = shown[:, i]
    return labels, numbers


def _given(y: Any, n: int, others: set[str]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return labels, or numbers, under the name that they have on the page, which nothing else has."""
    if y is None:
        return {}, {}
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"explore: y must hold a label for each of the {n} rows; got shape {labels.shape}.")
    [name] = called_apart([str(getattr(y, "name", None) or "label")], others, "label")
    if labels.dtype.kind == "f" and len(np.unique(labels)) > _CLASSES:
        return {}, {name: labels}
    return {name: _texts(labels) if labels.dtype.kind == "O" else labels}, {}


def _check_codes(codes: np.ndarray, names: np.ndarray) -> None:
    """Raise where a code lies too far away for any map."""
    far = np.flatnonzero(~(np.abs(codes).max(axis=1) < _FARTHEST))
    if len(far):
        raise ValueError(
            f"explore: codes of rows must be numbers below {_FARTHEST:g} to have a place on a map; got "
            f"others of {counted(len(far), 'row')}, such as {str(names[far[0]])!r}. Leave such rows out: "
            "they have cells far beyond those of training."
        )


def _compact(values: Any) -> np.ndarray:
    """Return numbers in half the bytes, unless they are whole ones that would become others."""
    exact = np.asarray(values, np.float64)
    with np.errstate(over="ignore"):
        short = exact.astype(np.float32)
    changed = (short != exact) & (exact == np.rint(exact))
    return exact if changed.any() else short


def _texts(labels: np.ndarray) -> np.ndarray:
    """Return labels of any kind as text, "" where one is missing."""
    return np.where(pd.isna(labels), "", labels.astype(str))


def _span(shown: np.ndarray) -> tuple[float, float]:
    """Return what is black and what is white: 0 and 1, unless values lie beyond."""
    low, high = float(shown.min()), float(shown.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def _thumbnails(shown: np.ndarray, shape: tuple[int, int, int] | None, span: tuple[float, float]) -> Any:
    """Return pictures of the rows, as large as all of them leave room for; None of a table."""
    if shape is None:
        return None
    longest = int(np.clip(math.sqrt(_PIXELS / len(shown)), _SMALLEST, _LARGEST))
    low, high = span
    values = shown if span == (0.0, 1.0) else (shown - low) / (high - low)
    return make_thumbnails(values, shape, longest=longest)


def _draws(engine: Engine, seed: int) -> np.ndarray:
    """Return codes drawn from the prior, if there is one."""
    if not engine.has_prior:
        return np.empty((0, engine.n_components), np.float32)
    return engine.prior_draws(_N_DRAWS, seed).astype(np.float32)


def _in_use(opened: Opened, codes: np.ndarray) -> np.ndarray:
    """Return the dimensions that say something of the rows, the one that varies most first."""
    order = np.argsort(-codes.var(axis=0), kind="stable")
    in_use = order[opened.in_use[order]]
    return in_use if len(in_use) else order[:1]


def _map(
    codes: np.ndarray, in_use: np.ndarray, method: str, seed: int, verbose: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Return the places of codes, and center and axes where the map is a plane."""
    n_components = codes.shape[1]
    if method == "latent":
        two = [*in_use, *np.setdiff1d(np.arange(n_components), in_use)][:2]
        axes = np.eye(n_components)[two]
        axes = np.pad(axes, ((0, 2 - len(axes)), (0, 0)))
        return codes @ axes.T, (np.zeros(n_components), axes)
    made = LatentMap(method=method, random_state=seed, verbose=verbose).fit(codes)
    return made.embedding_, None if made.axes_ is None else (made.center_, made.axes_)

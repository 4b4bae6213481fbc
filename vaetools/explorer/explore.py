"""A fitted model and rows in, an `Explorer` out."""

import dataclasses
import html
import math
import os
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaetools.anomaly.calibration import conformal_p_values
from vaetools.checks import Requirement, check, is_integer, one_of
from vaetools.estimators.engine import Engine
from vaetools.explorer.decoder import PlainDecoder, plain_decoder
from vaetools.explorer.rendering import render
from vaetools.explorer.subject import open_subject
from vaetools.explorer.table import Table
from vaetools.files import write_atomically
from vaetools.latent.projection import LatentMap
from vaetools.nn.model import Reading
from vaetools.report.models import Opened, names_of
from vaetools.report.pictures import make_thumbnails

MAPS = ("umap", "tsne", "pca", "latent")
_MOST_ROWS = 100_000
_PIXELS = 12_000_000  # of all pictures
_SMALLEST, _LARGEST = 8, 96  # pixels of the longer side of one
_N_REASONS = 3  # columns that surprise most
_COLUMN_VALUES = 4_000_000  # of columns of a table, to color by
_CLASSES = 60  # more different numbers are no labels
_FRAME = "width:100%;height:720px;border:0;border-radius:8px"


@dataclasses.dataclass(frozen=True, eq=False)
class Explorer:
    """A latent space to look at and to touch; `explore` makes one.

    A notebook shows it in place. What follows are plain arrays, of rows in the order of X.

    Attributes
    ----------
    model : str
        The model in words.
    names : ndarray of shape (n_samples,), str
        What rows are called.
    codes : ndarray of shape (n_samples, n_components), float32
        Latent means.
    places : ndarray of shape (n_samples, 2), float32
        The rows on the map.
    method : str
        How the map was made: one of "umap", "tsne", "pca" and "latent".
    plane : tuple of ndarray or None
        Of a map that is a plane in latent space, its center ``(n_components,)`` and axes
        ``(2, n_components)``.
    in_use : ndarray of int
        Latent dimensions that say something of the rows, the one that varies most first.
    labels : dict of str to ndarray of shape (n_samples,)
        Classes by what they are called: given ones, and those that a conditional model believes.
    numbers : dict of str to ndarray of shape (n_samples,)
        What rows can be colored by, such as ``score``.
    unit : str
        Of the score.
    flagged : ndarray of shape (n_samples,), bool, or None
        Rows below the model's threshold, if it has one.
    image_shape : tuple of int or None
        (channels, height, width).
    span : tuple of float
        What is shown as black and as white.
    thumbnails : ndarray of shape (n_samples, height, width, channels) or None
        Pictures of the rows.
    table : Table or None
        What the columns of a table are called, and its categories.
    reasons : dict of str to ndarray of shape (n_samples, n_reasons)
        Of a table, the columns of every row that surprise most: ``which``, by number, the value that is their
        ``own`` and the ``expected`` one, of categories as codes, and how many ``nats`` they surprise.
    classes : ndarray
        Labels that a conditional model knows.
    class_prior : ndarray
        How frequent they are.
    is_variational : bool
        Whether the model has a prior to sample.
    decoder : PlainDecoder or None
        What the page decodes with.
    note : str
        What it cannot show, and why.
    """

    model: str
    names: np.ndarray
    codes: np.ndarray
    places: np.ndarray
    method: str
    plane: tuple[np.ndarray, np.ndarray] | None
    in_use: np.ndarray
    labels: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    unit: str
    flagged: np.ndarray | None
    image_shape: tuple[int, int, int] | None
    span: tuple[float, float]
    thumbnails: np.ndarray | None
    table: Table | None
    reasons: dict[str, np.ndarray]
    classes: np.ndarray
    class_prior: np.ndarray
    is_variational: bool
    decoder: PlainDecoder | None
    note: str

    def __repr__(self) -> str:
        """Return what is explored."""
        return f"<Explorer of {len(self.names):,} rows, {self.model}>"

    def _repr_html_(self) -> str:
        """Return the page as a notebook shows it, in a frame of its own."""
        return f'<iframe srcdoc="{html.escape(render(self))}" style="{_FRAME}"></iframe>'

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one self-contained page: it fetches nothing, and decodes by itself.

        Parameters
        ----------
        path : str or path-like
            Replaced if it exists, once the page is whole.
        """
        write_atomically(path, render(self).encode())


def explore(
    model: Any, X: Any, y: Any = None, *, method: str = "umap", seed: int = 0, verbose: int = 0
) -> Explorer:
    """Make a page of a model's latent space that decodes what the cursor points at.

    It shows rows on a map, as pictures where they are images; decodes any place of the map, any code that
    sliders make, ways between rows and draws from the prior; and hands out what a lasso selects.

    Parameters
    ----------
    model : fitted AE, VAE, CVAE or a pipeline that ends in one
        The page decodes networks that the estimators build themselves, behind steps of a pipeline that scale
        columns; of others it shows the nearest rows, and says why.
    X : array-like of shape (n_samples, n_features), or what the pipeline takes
        At least three rows and at most 100,000. The index of a DataFrame names them.
    y : array-like of shape (n_samples,) or None, default=None
        Classes or numbers to color by. The model is not told.
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
    subject = open_subject(model, X)
    opened, shown, table = subject.opened, subject.shown, subject.table
    engine = Engine(opened.estimator)
    rows = engine.rows(opened.rows)
    n = len(rows)
    if not 3 <= n <= _MOST_ROWS:
        raise ValueError(
            f"explore: X must hold 3 to {_MOST_ROWS:,} rows; got {n:,}. Of more pass some, such as every "
            f"{math.ceil(n / _MOST_ROWS)}th."
        )
    labels, numbers = _given(y, n)
    codes, read, reasons = _read(engine, rows, with_reasons=table is not None and subject.back is not None)
    threshold = getattr(opened.estimator, "offset_", None)
    flagged = None if threshold is None else ~(read["score"] >= threshold)
    if opened.conditional:
        labels["label, as the model believes"] = opened.estimator.classes_[read.pop("believed").astype(int)]
    numbers |= read
    if table is not None:
        table = table.called_apart({*labels, *numbers})
        for i, name in enumerate(table.names[: max(1, _COLUMN_VALUES // n)].tolist()):
            if i in table.categories:
                labels[name] = table.texts(i, shown[:, i])
            else:
                numbers[name] = shown[:, i]
    span = (0.0, 1.0) if opened.image_shape is None else _span(shown)
    in_use = _in_use(opened, codes)
    places, plane = _map(codes, in_use, method, seed, verbose)
    return Explorer(
        model=f"{type(opened.estimator).__name__}, {codes.shape[1]} components",
        names=names_of(X, n),
        codes=codes.astype(np.float32),
        places=places.astype(np.float32),
        method=method,
        plane=plane,
        in_use=in_use,
        labels=labels,
        numbers={name: np.asarray(values, np.float32) for name, values in numbers.items()},
        unit=opened.estimator.score_unit_,
        flagged=flagged,
        image_shape=opened.image_shape,
        span=span,
        thumbnails=_thumbnails(shown, opened.image_shape, span),
        table=table,
        reasons=_with_values(reasons, shown, subject.back) if reasons and subject.back else {},
        classes=opened.estimator.classes_ if opened.conditional else np.array([], str),
        class_prior=opened.estimator.class_prior_ if opened.conditional else np.array([]),
        is_variational=engine.has_spread,
        decoder=plain_decoder(opened.estimator, subject.units) if subject.decodes else None,
        note=subject.note,
    )


def _given(y: Any, n: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return labels, or numbers, under the name that they have on the page."""
    if y is None:
        return {}, {}
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"explore: y must hold a label for each of the {n} rows; got shape {labels.shape}.")
    name = str(getattr(y, "name", None) or "label")
    if labels.dtype.kind == "f" and len(np.unique(labels)) > _CLASSES:
        return {}, {name: labels}
    return {name: labels.astype(str) if labels.dtype.kind == "O" else labels}, {}


def _read(engine: Engine, rows: Any, *, with_reasons: bool) -> tuple[np.ndarray, dict[str, np.ndarray], Any]:
    """Return codes, numbers of every row, and of a table its most surprising columns, in one pass."""
    asked: dict[str, Any] = {"codes": attrgetter("mean"), "score": engine.score()}
    if engine.can_decode:
        asked["reconstruction"] = lambda r: r.reconstruction.sum(dim=1)
        if engine.has_spread:
            asked["KL"] = lambda r: r.kl.sum(dim=1)
        if engine.n_classes:
            asked["believed"] = lambda r: r.y.argmax(dim=1)
        if with_reasons:
            asked |= {"which": _surprising, "nats": _surprise, "expected": engine.in_units}
    found = dict(zip(asked, engine.map(rows, *asked.values()), strict=True))
    codes = found.pop("codes")
    known = getattr(engine.estimator, "calibration_scores_", None)
    if known is not None:
        found["p-value"] = conformal_p_values(found["score"], known)
    reasons = {name: found.pop(name) for name in ("which", "nats", "expected") if name in found}
    return codes, found, reasons


def _surprise(reading: Reading) -> Tensor:
    """Return the greatest surprise of columns in nats, ``(n_samples, n_reasons)``; −inf of missing cells."""
    surprise = torch.nan_to_num(reading.surprise, nan=-math.inf)
    return surprise.topk(min(_N_REASONS, surprise.shape[1]), dim=1).values


def _surprising(reading: Reading) -> Tensor:
    """Return which columns these are, by number."""
    surprise = torch.nan_to_num(reading.surprise, nan=-math.inf)
    which = surprise.topk(min(_N_REASONS, surprise.shape[1]), dim=1).indices
    return which.to(surprise.dtype)


def _with_values(
    found: dict[str, np.ndarray], rows: np.ndarray, back: Callable[[np.ndarray], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return surprising columns with the values they have, and those that were expected."""
    which = found["which"].astype(int)
    pair = (rows, back(found["expected"]))
    own, expected = (np.take_along_axis(np.asarray(each), which, axis=1) for each in pair)
    made = {"own": own, "expected": expected, "nats": found["nats"]}
    return {"which": which.astype(np.uint32)} | {name: each.astype(np.float32) for name, each in made.items()}


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

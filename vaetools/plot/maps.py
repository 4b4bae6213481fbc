"""Where codes lie: on a map of the latent space, or in two of its dimensions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from vaetools.checks import Requirement, check, is_integer
from vaetools.latent import MAP_PARAMETERS
from vaetools.latent.projection import LatentMap
from vaetools.plot.finish import finished, named
from vaetools.plot.subjects import encoded, is_array, numbers, opened
from vaetools.report.figures import (
    COLORS,
    MOST_POINTS,
    SYMBOLS,
    add_density,
    axes,
    escaped,
    panels,
)
from vaetools.report.models import Opened
from vaetools.report.questions.gaps import add_prior, center
from vaetools.report.questions.neighbors import (
    classes,
    map_panels,
    point_size,
    symbol_numbers,
    trust,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_IN_SVG = 3_000  # points that are drawn without WebGL, and so go into a PNG everywhere
_MOST_CLASSES = 60  # of labels; more are no colors


def latent_map(
    model: Any, X: Any = None, y: Any = None, *, method: Any = "umap", random_state: Any = 0
) -> "Figure":
    """Draw the latent codes of rows on a map of two dimensions.

    Parameters
    ----------
    model : fitted autoencoder, dict of some by name, or array-like of shape (n_samples, n_components)
        Pipelines that end in one are taken, too; an array holds codes.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Rows to encode. Codes need none.
    y : array-like of shape (n_samples,) or None, default=None
        Classes or numbers to color the points by. No model is told.
    method : {"umap", "tsne", "pca"} or fitted LatentMap, default="umap"
        How the map is made, see `LatentMap`; one that is there already gives codes their places on it, and
        does not change.
    random_state : None, int or RandomState, default=0
        Seed of a map that is made.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A panel per model, a trace per class.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, or rows, codes and colors do not go together.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, plot
    >>> X, y = load_iris(return_X_y=True)
    >>> vae = VAE(3, max_iter=20, random_state=0).fit(X)
    >>> figure = plot.latent_map(vae, X, y, method="pca")
    >>> [(trace.name, len(trace.x)) for trace in figure.data]
    [('0', 50), ('1', 50), ('2', 50)]
    """
    _check_map(method)
    found = _codes("latent_map", model, X)
    colors = _colors("latent_map", y, found)
    is_map = isinstance(method, LatentMap)
    places = [
        method.transform(each)
        if is_map
        else LatentMap(method=method, random_state=random_state).fit_transform(each)
        for each in found.values()
    ]
    method = method.method if is_map else method
    figure = map_panels(list(found), method)
    for i, own in enumerate(places):
        _add_points(figure, i, own, colors)
    reading = (
        f"Each point is the code of one row, flattened to two dimensions: rows that {_who(found)} takes for "
        f"alike stand together. {trust(method)}."
    )
    return finished(_keyed(figure, colors), "Latent map", reading)


def codes(model: Any, X: Any = None, y: Any = None, *, components: tuple[int, int] | None = None) -> "Figure":
    """Draw the latent codes of rows in two of their dimensions, as they are.

    Parameters
    ----------
    model : fitted autoencoder, dict of some by name, or array-like of shape (n_samples, n_components)
        Pipelines that end in one are taken, too; an array holds codes. At least two components.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Rows to encode. Codes need none.
    y : array-like of shape (n_samples,) or None, default=None
        Classes or numbers to color the points by. No model is told.
    components : tuple of two int or None, default=None
        Which dimensions, counted from 0, to the right and upwards; None takes the two that tell most: by
        their KL, without one by how widely codes spread.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A panel per model, a trace per class; of a VAE circles that hold 50 % and 95 % of the prior N(0, I).

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, there are no such components, or rows, codes and colors do not go
        together.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, plot
    >>> X, y = load_iris(return_X_y=True)
    >>> vae = VAE(2, max_iter=20, random_state=0).fit(X)
    >>> figure = plot.codes(vae, X, y, components=(0, 1))
    >>> figure.layout.xaxis.title.text, figure.layout.yaxis.title.text
    ('component 1 (no unit)', 'component 2 (no unit)')
    """
    found = _codes("codes", model, X)
    colors = _colors("codes", y, found)
    figure = panels(list(found), x="", y="", height=440 if len(found) < 3 else 300, aspect=1)
    subjects = {each.name: each for each in ([] if is_array(model) else opened("codes", model))}
    priors = False
    for i, (name, own) in enumerate(found.items()):
        pair = _pair(own, subjects.get(name), components)
        _add_points(figure, i, own[:, pair], colors)
        has_prior = name in subjects and subjects[name].is_normal
        center(figure, i, own[:, pair], pair, least=2.6 if has_prior else 0.0)
        if has_prior:
            add_prior(figure, i)
        priors |= has_prior
    figure.update_xaxes(constraintoward="left").update_yaxes(constraintoward="top")
    reading = (
        f"Each point is the code of one row, in two of {own.shape[1]} components: rows that {_who(found)} "
        "takes for alike stand together."
    )
    if priors:
        reading += (
            " The circles hold 50 % and 95 % of the prior N(0, I): codes that fill them evenly leave no "
            "gaps to "
            "sample from."
        )
    return finished(_keyed(figure, colors), "Latent codes", reading)


def _check_map(method: Any) -> None:
    """Raise where a map is neither the name of a method nor one that was made, of two dimensions."""
    if not isinstance(method, LatentMap):
        check(
            "plot.latent_map",
            "method",
            method,
            MAP_PARAMETERS["method"],
            " A fitted LatentMap is taken, too.",
        )
        return
    check_is_fitted(method, msg=f"plot.latent_map: method must be fitted; got {method!r}. Call fit first.")
    if method.n_components != 2:
        raise ValueError(f"plot.latent_map: method must have n_components=2; got {method.n_components}.")


def _codes(owner: str, model: Any, X: Any) -> dict[str, np.ndarray]:
    """Return codes by name of the model."""
    if is_array(model):
        if X is not None:
            raise ValueError(
                f"plot.{owner}: X must be None where codes are given; got {type(X).__name__}. Pass colors as "
                "y."
            )
        return {"": numbers(owner, "codes", model, 2)}
    if X is None:
        raise ValueError(f"plot.{owner}: X must be rows to encode; got None.")
    return {each.name: encoded(each) for each in opened(owner, model, X)}


def _who(found: dict[str, np.ndarray]) -> str:
    """Return whose codes these are."""
    names = [name for name in found if name]
    return "a model" if len(names) != 1 else f"the {named(names)}"


def _pair(codes: np.ndarray, subject: Opened | None, components: Any) -> list[int]:
    """Return the two components to draw."""
    n = codes.shape[1]
    if n < 2:
        raise ValueError(
            f"plot.codes: codes must have at least 2 components; got {n}. Take plot.kl_per_dimension."
        )
    if components is not None:
        words = f"two different integers from 0 to {n - 1}"

        def holds(pair: Any) -> bool:
            return len(pair) == 2 and all(is_integer(each, 0, n - 1) for each in pair) and pair[0] != pair[1]

        check("plot.codes", "components", components, Requirement(words, holds))
        return list(components)
    told = codes.var(axis=0)
    if subject is not None and subject.has_prior:
        told = np.where(subject.in_use, subject.estimator.kl_per_component_, -1.0)
    return sorted(np.argsort(-told, kind="stable")[:2].tolist())


def _colors(owner: str, y: Any, found: dict[str, np.ndarray]) -> Any:
    """Return what colors points: numbers of classes and their names, values, or None."""
    if y is None:
        return None
    n = len(next(iter(found.values())))
    values = pd.Series(np.asarray(y).ravel() if np.ndim(y) else [y])
    if len(values) != n or values.isna().any():
        what = "missing ones" if len(values) == n else f"{len(values)}"
        raise ValueError(
            f"plot.{owner}: y must hold a class or a number for each of the {n} rows; got {what}."
        )
    if values.dtype.kind == "f" and (values % 1).any():
        return values.to_numpy(dtype=np.float64)
    numbers, names = classes(
        values.to_numpy() if values.dtype.kind in "iufb" else values.astype(str).to_numpy()
    )
    if len(names) > _MOST_CLASSES and values.dtype.kind in "iuf":
        return values.to_numpy(dtype=np.float64)
    return numbers, names


def _add_points(figure: "Figure", i: int, points: np.ndarray, colors: Any) -> None:
    """Draw points into the i-th panel: a trace per class, or one by values; of very many a density."""
    if len(points) > MOST_POINTS:
        add_density(figure, i, points, i)
    elif isinstance(colors, tuple):
        for label, name in enumerate(colors[1]):
            rows = np.flatnonzero(colors[0] == label)
            marker: dict[str, Any] = {
                "color": COLORS[label % len(COLORS)],
                "symbol": SYMBOLS[symbol_numbers(label)],
            }
            _add(figure, i, points, rows, marker, name=escaped(name), key=i == 0)
    else:
        marker = {"color": COLORS[i % len(COLORS)]}
        if colors is not None:
            marker |= {"color": colors, "colorscale": "Viridis", "showscale": i == 0}
        _add(figure, i, points, np.arange(len(points)), marker, name="", key=False)


def _add(
    figure: "Figure",
    i: int,
    points: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    marker: dict[str, Any],
    *,
    name: str,
    key: bool,
) -> None:
    """Draw some rows alike; who points at one reads its number."""
    draw = figure.add_scatter if len(points) <= _MOST_IN_SVG else figure.add_scattergl
    draw(
        x=points[rows, 0].astype(np.float32),
        y=points[rows, 1].astype(np.float32),
        mode="markers",
        name=name,
        legendgroup=name,
        showlegend=key,
        marker={"size": point_size(len(points)), "opacity": 0.85} | marker,
        customdata=rows,
        hovertemplate="row %{customdata}<extra>" + name + "</extra>",
        **axes(i),
    )


def _keyed(figure: "Figure", colors: Any) -> "Figure":
    """Show to the right which color is which class, if there are classes."""
    if not isinstance(colors, tuple):
        return figure
    beside = {
        "orientation": "v",
        "x": 1.02,
        "y": 1,
        "yanchor": "top",
        "itemsizing": "constant",
        "tracegroupgap": 0,
    }
    return figure.update_layout(showlegend=True, legend=beside)

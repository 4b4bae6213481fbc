"""What a decoder makes: of draws, of walks through the latent space, and of the codes of rows."""

from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools.checks import POSITIVE_INTEGER, Requirement, check, is_integer
from vaetools.latent.paths import morph
from vaetools.plot.mosaics import image_lines, in_unit, table_lines
from vaetools.plot.subjects import encoded, one_kind, opened
from vaetools.report.figures import Lines, escaped, grouped
from vaetools.report.models import Opened
from vaetools.report.passes import EXTENT, walk
from vaetools.report.questions.samples import prior_in_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_LINES = 16  # rows of a table in a panel
_PER_LINE = 12  # images side by side
_AT_LEAST_TWO = Requirement("an integer at least 2", lambda value: is_integer(value, 2))


def samples(model: Any, n: int = 48, *, random_state: int = 0) -> "Figure":
    """Draw rows that are decoded from draws of the prior.

    Parameters
    ----------
    model : fitted autoencoder, or dict of some by name
        Pipelines that end in one are taken, too; rows are shown as their last step takes them.
    n : int, default=48
        How many; of a table at most 16 are shown.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A grid of images, of several models one above the other; of a table lines over its columns.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these or has no decoder, or n is below 1.

    Examples
    --------
    >>> from vaetools import VAE, plot
    >>> X = np.random.default_rng(0).random((200, 64))
    >>> vae = VAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=2, random_state=0).fit(X)
    >>> figure = plot.samples(vae, 32)
    >>> figure.data[0].type, figure.layout.title.text
    ('image', '<b>Samples from the prior</b>')
    """
    check("plot.samples", "n", n, POSITIVE_INTEGER)
    models = opened("samples", model, decodes=True)
    shape = one_kind("samples", models)
    reading = (
        f"Each is decoded from a draw of {prior_in_words(models)} and shows nobody's data: good samples look "
        "like the data, and differ as the data do."
    )
    if not all(each.has_prior for each in models):
        reading += " An AE is trained on no prior: its draws may land where it has no codes."
    made = {each.name: each.sample(n, random_state) for each in models}
    title = "Samples from the prior"
    if shape is None:
        content: dict[str, list[Lines]] = {
            each.name: [(each.name, made[each.name][:_MOST_LINES], i)] for i, each in enumerate(models)
        }
        return table_lines(models[0], content, title=title, reading=reading)
    lines, names = [], []
    for each in models:
        (rows,) = in_unit(each, made[each.name])
        own = _broken(rows)
        lines += own
        names += [each.name, *[""] * (len(own) - 1)]
    return image_lines(lines, names, shape, title=title, reading=reading)


def traversal(model: Any, X: Any = None, *, n_dimensions: int = 8, n_steps: int = 9) -> "Figure":
    """Draw what each latent dimension does: one moves, and the others stay at the mean code.

    Parameters
    ----------
    model : fitted autoencoder
        A pipeline that ends in one is taken, too; rows are shown as its last step takes them.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Rows whose codes say where the mean is, and how far to go; None takes rows trained on.
    n_dimensions : int, default=8
        How many at most, the one that tells most first; what is not in use is left out.
    n_steps : int, default=9
        Steps from two standard deviations of the codes below their mean to two above.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A line of images per dimension; of a table a panel of lines over its columns. A CVAE decodes as the
        label that most training rows had.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these or has no decoder, or a number is too small.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, plot
    >>> X = load_iris().data
    >>> figure = plot.traversal(VAE(2, max_iter=40, random_state=0).fit(X), X, n_dimensions=1, n_steps=5)
    >>> len(figure.data), figure.layout.yaxis.title.text
    (5, 'standard deviations')
    """
    check("plot.traversal", "n_dimensions", n_dimensions, POSITIVE_INTEGER)
    check("plot.traversal", "n_steps", n_steps, _AT_LEAST_TWO)
    each = _single("traversal", model, X)
    shape = one_kind("traversal", [each])
    codes = each.estimator.reference_codes_ if X is None else encoded(each)
    walks = walk(each, np.asarray(codes, dtype=np.float64), n_dimensions, n_steps)
    as_label = f" Decoded as {escaped(each.commonest)}." if each.conditional else ""
    of_words = " A component of a word stands for nothing by itself." if each.has_words else ""
    reading = (
        "One dimension at a time goes over two standard deviations to either side of the mean code, the "
        f"one that tells most first: what changes along a line is what it says of a row.{as_label}{of_words} "
        "Axes of an AE are arbitrary, and another seed finds others."
    )
    spans = [f"{grouped(values[0], 1)} to {grouped(values[-1], 1)}" for values in walks.values]
    names = [f"{component + 1}: {span}" for component, span in zip(walks.components, spans, strict=True)]
    title = f"Traversal of the latent dimensions of {escaped(each.name)}"
    if shape is None:
        content: dict[str, list[Lines]] = {
            f"component {name}": [("low to high", rows, 0)]
            for name, rows in zip(names, walks.rows, strict=True)
        }
        return table_lines(each, content, title=title, reading=_wider(reading), grows=True)
    (rows,) = in_unit(each, walks.rows)
    return image_lines(
        list(rows),
        names,
        shape,
        title=title,
        reading=reading,
        columns=[grouped(step, 1) for step in np.linspace(-EXTENT, EXTENT, n_steps)],
        x="standard deviations from the mean code",
    )


def interpolation(model: Any, X: Any, *, n_steps: int = 11) -> "Figure":
    """Draw how every row becomes the next, along the straight line between their codes.

    Parameters
    ----------
    model : fitted autoencoder
        A pipeline that ends in one is taken, too; rows are shown as its last step takes them.
    X : array-like of shape (n_samples, n_features)
        Two rows or more.
    n_steps : int, default=11
        Steps of each line; the first and the last are the reconstructions of its ends.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A line of images from every row to the next; of a table a panel each. In a CVAE the label goes over,
        too, from what the model takes the first row for to what it takes the last for.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these or has no decoder, there is one row, or ``n_steps`` is below 2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, plot
    >>> X = load_iris().data
    >>> figure = plot.interpolation(VAE(2, max_iter=40, random_state=0).fit(X), X[[0, 60, 120]], n_steps=5)
    >>> len(figure.data), [note.text for note in figure.layout.annotations]
    (10, ['<b>0 → 1</b>', '<b>1 → 2</b>'])
    """
    check("plot.interpolation", "n_steps", n_steps, _AT_LEAST_TWO)
    each = _single("interpolation", model, X)
    shape = one_kind("interpolation", [each])
    n = len(each.rows)
    if n < 2:
        raise ValueError(f"plot.interpolation: X must hold at least 2 rows; got {n}.")
    ways = [each.shared(morph(each.estimator, each.take([i, i + 1]), n_steps)) for i in range(n - 1)]
    names = [f"{i} → {i + 1}" for i in range(n - 1)]
    reading = (
        "The straight line between the codes of two rows, decoded in even steps: in a well-filled space "
        "every step "
        "looks like data, and no step does most of the way."
    )
    title = f"Interpolation between rows by {escaped(each.name)}"
    if shape is None:
        content: dict[str, list[Lines]] = {
            name: [("from the first row to the second", rows, 0)]
            for name, rows in zip(names, ways, strict=True)
        }
        return table_lines(each, content, title=title, reading=_wider(reading), grows=True)
    return image_lines(
        in_unit(each, *ways),
        names,
        shape,
        title=title,
        reading=reading,
        columns=[f"{100 * share:.0f} %" for share in np.linspace(0, 1, n_steps)],
        x="share of the way",
    )


def reconstructions(model: Any, X: Any, y: Any = None) -> "Figure":
    """Draw rows, and below each what a model makes of it from its code alone.

    Parameters
    ----------
    model : fitted autoencoder, or dict of some by name
        Pipelines that end in one are taken, too; rows are shown as their last step takes them.
    X : array-like of shape (n_samples, n_features)
        As many rows as are to be seen: of images some dozen, of tables a few.
    y : array-like of shape (n_samples,), a label or None, default=None
        Labels to reconstruct the rows as, for a `CVAE`.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        Images above their reconstructions; of a table a panel per row.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these or has no decoder.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import AE, plot
    >>> X = load_iris().data
    >>> figure = plot.reconstructions(AE(2, max_iter=40, random_state=0).fit(X), X[:2])
    >>> [trace.name for trace in figure.data]
    ['data', 'AE', 'data', 'AE']
    """
    models = opened("reconstructions", model, X, decodes=True)
    shape = one_kind("reconstructions", models)
    first = models[0]
    rows = np.asarray(first.estimator.input_scale_.shown(np.asarray(first.rows)), dtype=np.float64)
    made = {each.name: each.shared(each.estimator.reconstruct(each.rows, y)) for each in models}
    reading = (
        "What a code keeps of a row comes back; what is lost, as fine detail, or changed is where the row "
        "costs, and where it looks odd to the model."
    )
    title = "Rows and their reconstructions"
    if shape is None:
        content: dict[str, list[Lines]] = {
            f"row {i}": [("data", rows[[i]], None)]
            + [(name, own[[i]], number) for number, (name, own) in enumerate(made.items())]
            for i in range(len(rows))
        }
        return table_lines(first, content, title=title, reading=reading)
    shown = dict(zip(["data", *made], in_unit(first, rows, *made.values()), strict=True))
    lines, names = [], []
    for some in _broken(np.arange(len(rows))):
        lines += [own[some] for own in shown.values()]
        names += list(shown)
    return image_lines(lines, names, shape, title=title, reading=reading)


def _single(owner: str, model: Any, X: Any) -> Opened:
    """Return the only model, which decodes."""
    models = opened(owner, model, X, decodes=True)
    if len(models) > 1:
        names = [each.name for each in models]
        raise ValueError(f"plot.{owner}: model must be a single one; got {names}. Draw a figure of each.")
    return models[0]


def _broken(rows: np.ndarray) -> list[np.ndarray]:
    """Return rows in lines; the last may be shorter."""
    n = min(len(rows), _PER_LINE)
    return [rows[start : start + n] for start in range(0, len(rows), n)]


def _wider(reading: str) -> str:
    """Say which end of a way is which, where steps are lines."""
    return f"{reading} Lines grow wider from the first step to the last."

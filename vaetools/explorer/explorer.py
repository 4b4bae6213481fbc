"""What `explore` returns: the arrays of a page, which a notebook shows and a file keeps."""

import dataclasses
import functools
import html
import os
from typing import Any

import numpy as np

from vaetools.explorer.decoder import PlainDecoder
from vaetools.explorer.given import GivenColumn
from vaetools.explorer.rendering import render
from vaetools.explorer.table import Table
from vaetools.explorer.widget import make_widget
from vaetools.files import write_atomically

_FRAME = "width:100%;height:720px;border:0;border-radius:8px"
_SANDBOX = "allow-scripts allow-downloads"


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
    given : list of GivenColumn
        Columns of a context that the page decodes codes in, with what they are at first.
    draws : ndarray of shape (n_draws, n_components), float32
        Codes drawn from the prior; none where the model has none.
    decoder : PlainDecoder or None
        What the page decodes with.
    note : str
        What it cannot show, and why.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import AE, explore
    >>> X = load_iris().data
    >>> space = explore(AE(2, max_iter=5, random_state=0).fit(X), X, method="pca")
    >>> space.places.shape, space.method, space.flagged.shape
    ((150, 2), 'pca', (150,))
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
    given: list[GivenColumn]
    draws: np.ndarray
    decoder: PlainDecoder | None
    note: str

    def __repr__(self) -> str:
        """Return what is explored."""
        return f"<Explorer of {len(self.names):,} rows, {self.model}>"

    def _repr_html_(self) -> str:
        """Return the page as a notebook shows it, in a frame of its own."""
        page = html.escape(render(self))
        return f'<iframe sandbox="{_SANDBOX}" srcdoc="{page}" style="{_FRAME}"></iframe>'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        """Return what a notebook shows: where anywidget is, with what tells Python what is selected."""
        shown = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if self._widget is None:
            return shown
        made = self._widget._repr_mimebundle_(**options)
        bundle: dict[str, str] = (made[0] if isinstance(made, tuple) else made) | shown
        return bundle

    @functools.cached_property
    def _widget(self) -> Any:
        """What a notebook and Python share, or None where anywidget is not installed."""
        return make_widget(render(self), _SANDBOX, _FRAME)

    def _shared(self, name: str) -> Any:
        """Return what a notebook and Python share; ``name`` says who asks."""
        if self._widget is None:
            raise ImportError(f"Explorer: {name} needs anywidget; pip install 'vaetools[notebooks]'.")
        return self._widget

    @property
    def selection(self) -> np.ndarray:
        """Rows that are selected where a notebook shows the page, by number; none at first.

        It takes anywidget, of ``vaetools[notebooks]``.
        """
        return np.array(self._shared("selection").selection, dtype=np.intp)

    def select(self, rows: Any) -> None:
        """Select rows where a notebook shows the page.

        Parameters
        ----------
        rows : array-like of int
            By number; none clears the selection.
        """
        widget = self._shared("select")
        chosen = np.asarray(rows, dtype=np.intp)
        n = len(self.names)
        if chosen.ndim != 1 or ((chosen < 0) | (chosen >= n)).any():
            raise ValueError(f"select: rows must be numbers from 0 to {n - 1}; got {rows!r}.")
        widget.selection = chosen.tolist()

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one self-contained page: it fetches nothing, and decodes by itself.

        Parameters
        ----------
        path : str or path-like
            Replaced if it exists, once the page is whole.
        """
        write_atomically(path, render(self).encode())

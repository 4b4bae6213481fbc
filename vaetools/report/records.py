"""What a comparison holds, plain arrays and words, and what a question of it is.

`compare` computes the arrays; nothing that shows them computes what stands here.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaetools.words import number, printable, shortened

if TYPE_CHECKING:
    from vaetools.latent.organization import Measure
    from vaetools.report.compare import Comparison
    from vaetools.report.figures import Plot
    from vaetools.report.passes import Seen
    from vaetools.report.pictures import Cards, Pictures

_LONGEST_NAME = 40  # characters, where objects are shown


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """The rows that all models are shown.

    Attributes
    ----------
    names : ndarray of shape (n_samples,), str
        What every row is called: a path, an index, a number.
    labels : ndarray of shape (n_samples,) or None
        Classes, as given.
    outliers : ndarray of shape (n_samples,), bool, or None
        Which rows are known to be odd.
    columns : ndarray of shape (n_features,), str
    image_shape : tuple (channels, height, width) or None
    thumbnails : ndarray of shape (n_samples, height, width, channels), uint8, or None
        Of images: at most 32 pixels high and wide.
    shown : ndarray of shape (n_shown, n_features)
        The few rows whose reconstructions are pictured, images in [0, 1]: none that is known to
        be odd, and one of every class first.
    shown_index : ndarray of shape (n_shown,)
        Their numbers among all rows.
    n_different : int
        Different rows among those that are not known to be odd.
    mean, std : ndarray of shape (n_features,), or None
        Of the columns of a table, in the rows that are not known to be odd; None for images.
    """

    names: np.ndarray
    labels: np.ndarray | None
    outliers: np.ndarray | None
    columns: np.ndarray
    image_shape: tuple[int, int, int] | None
    thumbnails: np.ndarray | None
    shown: np.ndarray
    shown_index: np.ndarray
    n_different: int
    mean: np.ndarray | None
    std: np.ndarray | None

    def __repr__(self) -> str:
        """Return what kind of rows these are, and how many."""
        kind = "a table" if self.image_shape is None else f"images of shape {self.image_shape}"
        return f"<Data: {len(self.names):,} rows of {kind}, {len(self.columns):,} columns>"


@dataclasses.dataclass(frozen=True, eq=False)
class Oddest:
    """The rows that a model finds least normal, oddest first.

    Attributes
    ----------
    index : ndarray of shape (n_oddest,)
        Numbers among all rows.
    values, reconstructions : ndarray of shape (n_oddest, n_features)
        In units of X; images in [0, 1].
    overlays : ndarray of shape (n_oddest, height, width, 3) or None
        Images under their heat maps.
    because : tuple of DataFrame
        Of tables: for every row its most surprising columns (column, value, expected, surprise).
    questions : tuple of str
        Of images about which several questions decide: which one did.
    """

    index: np.ndarray
    values: np.ndarray
    reconstructions: np.ndarray
    overlays: np.ndarray | None
    because: tuple[pd.DataFrame, ...]
    questions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return which rows these are."""
        return f"<Oddest: rows {', '.join(map(str, self.index))}>"


@dataclasses.dataclass(frozen=True, eq=False)
class ModelView:
    """One model, and what it makes of the rows.

    Attributes
    ----------
    name : str
    kind : str
        Class of the estimator, such as "VAE".
    has_prior : bool
        Whether its codes have a prior, so that they cost something.
    has_words : bool
        Whether its codes are words.
    trains_by_one_scale : bool
        Whether training counts one scale for all pixels, where each has its own in use.
    facts : dict of str to str
        What a reader must know of it: likelihood, beta, components, rows trained on, epochs.
    codes : ndarray of shape (n_samples, n_components)
        Latent means.
    points : ndarray of shape (n_samples, 2)
        Their places on the model's map.
    neighbors : ndarray of shape (n_samples, n_neighbors), int
        Nearest other rows in latent space, nearest first.
    scores : ndarray of shape (n_samples,)
        Higher is more normal.
    score_name, score_unit : str
    threshold : float or None
        Rows with a lower score are flagged; None of a model of a context, whose groups have their own.
    flagged : ndarray of shape (n_samples,), bool, or None
        None if nothing is.
    p_values : ndarray of shape (n_samples,) or None
        None if no rows were held out to calibrate.
    reference_codes : ndarray of shape (n_reference, n_components)
        Latent means of training rows.
    posterior_draws : ndarray of shape (n_drawn, n_components)
        One draw from the posterior of every row that is measured, of an AE its code: the aggregated
        posterior, without rows that are known to be odd, of 10,000 rows at most.
    kl_per_component : ndarray of shape (n_components,)
        Mean, in nats; zeros for an AE.
    active_units : ndarray of shape (n_components,), bool
    history : DataFrame
        A row per epoch of training: epoch, loss, reconstruction, kl, and where watched held_out_loss.
    terms : DataFrame
        Mean costs in nats: rows "train" and "held_out" where there are any, and "new" for the rows
        of this comparison; columns "reconstruction" and "kl".
    reconstructions : ndarray of shape (n_shown, n_features)
        Of ``Data.shown``, in its units.
    samples : ndarray of shape (n_samples_drawn, n_features)
        Decoded draws from the prior, of an AE from N(0, I).
    nearest_to_samples : ndarray of shape (n_samples_drawn,), int
        Number of the measured row that is nearest to every sample.
    traversed : ndarray of shape (n_traversed,), int
        Components, the one that tells most first.
    traversals : ndarray of shape (n_traversed, n_steps, n_features)
        Decoded: the component goes over ``traversal_values``, the others stay at the mean code.
    traversal_values : ndarray of shape (n_traversed, n_steps)
    grid : ndarray of shape (n_side, n_side, n_features)
        Decoded plane of the first two traversed components; one row of images if there is one component.
    grid_values : tuple of two ndarrays of shape (n_side,)
        Values of the two components, upwards and to the right.
    interpolations : ndarray of shape (n_pairs, n_steps, n_features)
        Decoded straight lines between codes of pairs of rows.
    interpolated_pairs : ndarray of shape (n_pairs, 2), int
    oddest : Oddest
    warnings : dict of str to str
        By the section where they matter (keys of `QUESTIONS`): collapse, overfitting, too few points.
    explained : float or None
        Share of the variance of rows that reconstructions explain; None where labels explain some of it.
    """

    name: str
    kind: str
    has_prior: bool
    has_words: bool
    trains_by_one_scale: bool
    facts: dict[str, str]
    codes: np.ndarray
    points: np.ndarray
    neighbors: np.ndarray
    scores: np.ndarray
    score_name: str
    score_unit: str
    threshold: float | None
    flagged: np.ndarray | None
    p_values: np.ndarray | None
    reference_codes: np.ndarray
    posterior_draws: np.ndarray
    kl_per_component: np.ndarray
    active_units: np.ndarray
    history: pd.DataFrame
    terms: pd.DataFrame
    reconstructions: np.ndarray
    samples: np.ndarray
    nearest_to_samples: np.ndarray
    traversed: np.ndarray
    traversals: np.ndarray
    traversal_values: np.ndarray
    grid: np.ndarray
    grid_values: tuple[np.ndarray, np.ndarray]
    interpolations: np.ndarray
    interpolated_pairs: np.ndarray
    oddest: Oddest
    warnings: dict[str, str]
    explained: float | None = None

    def __repr__(self) -> str:
        """Return name and kind, and how many codes there are."""
        n, n_components = self.codes.shape
        return f"<ModelView {short(self.name)}: {self.kind}, {n:,} codes of {n_components} components>"


def short(name: str) -> str:
    """Return the name of a model as one short line."""
    return repr(shortened(printable(name), _LONGEST_NAME))


@dataclasses.dataclass(frozen=True)
class MeasureRow:
    """What a measure is, for tables and tooltips."""

    name: str  # in `Comparison.measures`
    label: str  # as in a table, short
    unit: str  # "" for pure numbers; "%" shows 0.41 as 41 %
    better: str  # "higher", "lower" or ""
    digits: int
    caution: str = ""  # when it misleads; "" if never
    clause: str = ""  # what is said of the best {name} and its {value}; "" says nothing
    respect: str = ""  # in which models are said not to be told apart; "" speaks of a difference alone

    def words(self, value: float) -> str:
        """Return a value with its unit: "41 %", "9.0 nats", "0.913"."""
        if self.unit == "%":
            return f"{number(100 * value, self.digits)} %"
        return f"{number(value, self.digits)} {self.unit}".rstrip()


@dataclasses.dataclass(frozen=True)
class Question:
    """A section of the page, and all that answers it; each stands whole in a file of `questions`."""

    key: str  # in addresses
    title: str  # the question itself
    measures: tuple[MeasureRow, ...]
    # what a model makes of the rows → values of the measures by name; some may be absent
    measure: "Callable[[Seen], dict[str, Measure]]"
    # how to read the numbers, and when they mislead, a sentence each: no word of what is not shown
    read: "Callable[[Comparison], tuple[str, str]]"
    # figures, strips and cards, and nothing that is not there
    draw: "Callable[[Comparison], Iterator[Plot | Pictures | Cards]]"
    # models and measures → what the numbers say, "" says nothing; None tells the measures that have a clause
    find: Callable[[tuple[ModelView, ...], pd.DataFrame], list[str]] | None = None
    rank: int = 0  # of what they say among the findings of all questions: the most important first
    # a model, the data, whether their mean does as well as the model → what to mistrust of it
    warn: Callable[[ModelView, Data, bool], list[str]] = lambda model, data, blank: []
    # what to mistrust in all models
    note: Callable[[Data], list[str]] = lambda data: []

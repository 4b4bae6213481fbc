"""Fitted models side by side, as plain arrays: what a page, a table or a test reads.

`compare` computes it; figures and pages compute nothing that stands here.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd


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
        The few rows whose reconstructions are pictured, images in [0, 1]; at most one per class first.
    shown_index : ndarray of shape (n_shown,)
        Their numbers among all rows.
    """

    names: np.ndarray
    labels: np.ndarray | None
    outliers: np.ndarray | None
    columns: np.ndarray
    image_shape: tuple[int, int, int] | None
    thumbnails: np.ndarray | None
    shown: np.ndarray
    shown_index: np.ndarray


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
    """

    index: np.ndarray
    values: np.ndarray
    reconstructions: np.ndarray
    overlays: np.ndarray | None
    because: tuple[pd.DataFrame, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class ModelView:
    """One model, and what it makes of the rows.

    Attributes
    ----------
    name : str
    kind : str
        Class of the estimator, such as "VAE".
    variational : bool
        Whether its posterior has a spread.
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
        Rows with a lower score are flagged.
    p_values : ndarray of shape (n_samples,) or None
        None if no rows were held out to calibrate.
    reference_codes : ndarray of shape (n_reference, n_components)
        Latent means of training rows.
    posterior_draws : ndarray of shape (n_drawn, n_components)
        One draw from the posterior of every code: the aggregated posterior (of an AE the codes).
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
        Decoded draws from N(0, I).
    nearest_to_samples : ndarray of shape (n_samples_drawn,), int
        Number of the row that is nearest to every sample.
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
        By the section where they matter (see `SECTIONS`): collapse, overfitting, too few points.
    """

    name: str
    kind: str
    variational: bool
    facts: dict[str, str]
    codes: np.ndarray
    points: np.ndarray
    neighbors: np.ndarray
    scores: np.ndarray
    score_name: str
    score_unit: str
    threshold: float | None
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
    """

    data: Data
    models: tuple[ModelView, ...]
    measures: pd.DataFrame
    answer: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per measure and a column per model, with intervals."""
        raise NotImplementedError

    def to_json(self) -> str:
        """Return measures, facts, warnings and findings as JSON."""
        raise NotImplementedError

    def to_html(self, path: Any) -> None:
        """Write one self-contained page."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class MeasureRow:
    """What a measure is, for tables and tooltips.

    Attributes
    ----------
    section : str
        Key of `SECTIONS`.
    label : str
        As in a table, short.
    unit : str
        "" for pure numbers; "%" shows 0.41 as 41 %.
    better : {"higher", "lower", ""}
    digits : int
    caution : str
        When it misleads; "" if never.
    """

    section: str
    label: str
    unit: str
    better: str
    digits: int
    caution: str = ""


# the questions of the page, in order
SECTIONS: dict[str, str] = {
    "neighbors": "Are neighbors of the same kind?",
    "gaps": "Are there gaps?",
    "round": "Is it round, as N(0, I) is?",
    "samples": "Can I sample from it?",
    "between": "What lies between two codes?",
    "odd": "Who is odd?",
    "dimensions": "What does each dimension do?",
    "reconstruction": "What does it cost, and how well does it reconstruct?",
}

MEASURES: dict[str, MeasureRow] = {
    "trustworthiness": MeasureRow(
        "neighbors", "neighbors in the code that are neighbors in the data", "", "higher", 3
    ),
    "continuity": MeasureRow("neighbors", "neighbors in the data that stay neighbors", "", "higher", 3),
    "neighborhood_overlap": MeasureRow("neighbors", "shared among 10 nearest", "%", "higher", 0),
    "knn_accuracy": MeasureRow("neighbors", "class named by 5 nearest codes", "%", "higher", 1),
    "silhouette": MeasureRow("neighbors", "silhouette of the classes", "", "higher", 2),
    "cluster_agreement": MeasureRow(
        "neighbors", "k-means finds the classes (adjusted Rand)", "", "higher", 2
    ),
    "linear_probe": MeasureRow("neighbors", "class named by a linear probe", "%", "higher", 1),
    "holes": MeasureRow("gaps", "prior samples far from every code", "%", "lower", 0),
    "off_codes": MeasureRow("gaps", "the same, against held-out codes", "ratio", "lower", 1),
    "moment_kl": MeasureRow(
        "round", "distance of mean and spread from N(0, 1), per dimension", "nats", "lower", 2
    ),
    "sliced_wasserstein": MeasureRow("round", "sliced Wasserstein distance to N(0, I)", "std", "lower", 2),
    "effective_rank": MeasureRow("round", "effective rank", "", "", 1),
    "correlation": MeasureRow("round", "mean absolute correlation between dimensions", "", "lower", 2),
    "off_data": MeasureRow("samples", "decoded prior samples that lie off the data", "%", "lower", 1),
    "precision": MeasureRow("samples", "precision", "%", "higher", 0),
    "recall": MeasureRow("samples", "recall", "%", "higher", 0),
    "density": MeasureRow("samples", "density", "", "higher", 2),
    "coverage": MeasureRow("samples", "coverage", "%", "higher", 0),
    "class_entropy": MeasureRow("samples", "how evenly prior samples fall into the classes", "", "higher", 2),
    "ambiguity": MeasureRow("samples", "prior samples between classes, under a probe", "%", "lower", 0),
    "path_length": MeasureRow("between", "path length of interpolations, straight = 1", "ratio", "lower", 2),
    "jumps": MeasureRow("between", "largest step of an interpolation, even = 1", "ratio", "lower", 2),
    "off_data_between": MeasureRow("between", "interpolated rows that lie off the data", "%", "lower", 1),
    "auroc": MeasureRow("odd", "AUROC of the known outliers", "", "higher", 3),
    "average_precision": MeasureRow("odd", "average precision of the known outliers", "", "higher", 3),
    "active_units": MeasureRow("dimensions", "components in use", "", "", 0),
    "rate": MeasureRow("reconstruction", "rate: KL", "nats", "lower", 1),
    "distortion": MeasureRow("reconstruction", "distortion: reconstruction cost", "nats", "lower", 1),
    "mse": MeasureRow("reconstruction", "mean squared error", "", "lower", 4),
    "psnr": MeasureRow("reconstruction", "PSNR", "dB", "higher", 1),
    "ssim": MeasureRow("reconstruction", "SSIM", "", "higher", 3),
}

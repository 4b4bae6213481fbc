"""What ``vaetools demo`` shows, as plain arrays: fitted models in, a frozen `Demo` out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from vaetools.latent.projection import LatentMap
from vaetools.report.morphing import morph

N_RECONSTRUCTED, N_SAMPLED, N_STEPS, N_ODDEST = 12, 8, 12, 12
_N_NEIGHBORS = 5


class Digits(Protocol):
    """Labeled rows: known ones to train on, known ones held out, and unknown ones."""

    @property
    def train(self) -> np.ndarray:
        """Rows to train on."""

    @property
    def train_labels(self) -> np.ndarray:
        """Labels of ``train``."""

    @property
    def held_out(self) -> np.ndarray:
        """Known rows in no training."""

    @property
    def held_out_labels(self) -> np.ndarray:
        """Labels of ``held_out``."""

    @property
    def unknown(self) -> np.ndarray:
        """Rows of the unknown label."""

    @property
    def unknown_label(self) -> Any:
        """The label that no training row has."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""


@dataclasses.dataclass(frozen=True)
class TableRow:
    """One detector in numbers; None where a number does not apply.

    Attributes
    ----------
    name : str
    fit_seconds : float
    reconstruction, kl : float or None
        Mean costs of held-out rows in nats: lower is better.
    auroc : float
        Probability that a held-out known row scores above an unknown one.
    false_alarms : float or None
        Share of held-out known rows that were flagged.
    detected : float or None
        Share of unknown rows that were flagged.
    knn_accuracy : float or None
        Of 5 nearest neighbors among training codes, on held-out codes.
    """

    name: str
    fit_seconds: float
    reconstruction: float | None
    kl: float | None
    auroc: float
    false_alarms: float | None
    detected: float | None
    knn_accuracy: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class ModelViews:
    """Pictures of one model; rows of pixels unless said otherwise.

    Attributes
    ----------
    name : str
    points : ndarray of shape (n_mapped, 2)
        Projected latent means.
    reconstructions : ndarray of shape (n_reconstructed, n_features)
    samples : ndarray of shape (n_labels * n_sampled, n_features)
        By label where the model has labels.
    samples_have_labels : bool
    morph : ndarray of shape (n_steps, n_features)
    """

    name: str
    points: np.ndarray
    reconstructions: np.ndarray
    samples: np.ndarray
    samples_have_labels: bool
    morph: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Oddest:
    """The rows that a model finds least normal, oddest first.

    Attributes
    ----------
    images, reconstructions : ndarray of shape (n_oddest, n_features)
    scores : ndarray of shape (n_oddest,)
        Nats, higher for more normal rows.
    p_values : ndarray of shape (n_oddest,)
    flagged : ndarray of shape (n_oddest,), bool
    labels : ndarray of shape (n_oddest,)
        What the images truly are.
    """

    images: np.ndarray
    reconstructions: np.ndarray
    scores: np.ndarray
    p_values: np.ndarray
    flagged: np.ndarray
    labels: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Demo:
    """Everything that the table and the page show.

    Attributes
    ----------
    table : tuple of TableRow
    views : tuple of ModelViews
    oddest : Oddest
        According to the model named ``judge``.
    judge : str
    known_scores, unknown_scores : ndarray
        Of the judge, in nats.
    threshold : float
        Of the judge.
    originals, original_labels : ndarray
        What the views reconstruct.
    mapped_labels : ndarray of shape (n_mapped,)
        Labels of the points in the views.
    known_labels : ndarray of shape (n_labels,)
    morph_labels : tuple
        The labels at the two ends of every morph.
    unknown_label : object
    image_shape : tuple of int
    n_train : int
    """

    table: tuple[TableRow, ...]
    views: tuple[ModelViews, ...]
    oddest: Oddest
    judge: str
    known_scores: np.ndarray
    unknown_scores: np.ndarray
    threshold: float
    originals: np.ndarray
    original_labels: np.ndarray
    mapped_labels: np.ndarray
    known_labels: np.ndarray
    morph_labels: tuple[Any, Any]
    unknown_label: Any
    image_shape: tuple[int, int, int]
    n_train: int


def examine(
    models: Mapping[str, Any],
    fit_seconds: Mapping[str, float],
    digits: Digits,
    *,
    pictured: tuple[str, ...],
    judge: str,
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Demo:
    """Score, project, sample and morph.

    Parameters
    ----------
    models : mapping of str to fitted detector
        Anything with ``score_samples``; what else it has (``predict``, ``transform``,
        ``score_table``) fills the other columns.
    fit_seconds : mapping of str to float
    digits : Digits
    pictured : tuple of str
        Names of the autoencoders that are mapped, sampled and morphed.
    judge : str
        The model that names the oddest images.
    seed : int, default=0
        Of projections and samples.
    progress : callable, default=silent
        Called with a line of text before every longer step.

    Returns
    -------
    demo : Demo
    """
    progress("Scoring held-out and unknown digits")
    table = tuple(_table_row(name, model, fit_seconds[name], digits) for name, model in models.items())
    known_labels = np.unique(digits.train_labels)
    chosen = _one_per_label(digits.held_out_labels, N_RECONSTRUCTED - 3)
    originals = np.concatenate([digits.held_out[chosen], digits.unknown[:3]])
    views = []
    for name in pictured:
        progress(f"Projecting the codes of {name} with UMAP")
        views.append(_views(name, models[name], digits, originals, seed))
    known_scores = models[judge].score_samples(digits.held_out)
    unknown_scores = models[judge].score_samples(digits.unknown)
    return Demo(
        table=table,
        views=tuple(views),
        oddest=_oddest(models[judge], digits),
        judge=judge,
        known_scores=known_scores,
        unknown_scores=unknown_scores,
        threshold=float(models[judge].offset_),
        originals=originals,
        original_labels=np.append(digits.held_out_labels[chosen], [digits.unknown_label] * 3),
        mapped_labels=_all_labels(digits),
        known_labels=known_labels,
        morph_labels=(known_labels[0], known_labels[-1]),
        unknown_label=digits.unknown_label,
        image_shape=digits.image_shape,
        n_train=len(digits.train),
    )


def _all_labels(digits: Digits) -> np.ndarray:
    """Return the labels of held-out rows, then of unknown rows."""
    return np.append(digits.held_out_labels, [digits.unknown_label] * len(digits.unknown))


def _one_per_label(labels: np.ndarray, n: int) -> np.ndarray:
    """Return the indices of the first row of every label, at most ``n``."""
    return np.unique(labels, return_index=True)[1][:n]


def _table_row(name: str, model: Any, fit_seconds: float, digits: Digits) -> TableRow:
    """Put one detector into numbers."""
    from sklearn.metrics import roc_auc_score

    known, unknown = model.score_samples(digits.held_out), model.score_samples(digits.unknown)
    is_known = np.repeat([1, 0], [len(known), len(unknown)])
    costs: dict[str, float] = {}
    if hasattr(model, "score_table"):
        means = model.score_table(digits.held_out).mean()
        costs = {term: -means[f"neg_{term}"] for term in ("reconstruction", "kl") if f"neg_{term}" in means}
    is_calibrated = hasattr(model, "calibration_scores_")
    return TableRow(
        name=name,
        fit_seconds=fit_seconds,
        reconstruction=costs.get("reconstruction"),
        kl=costs.get("kl"),
        auroc=float(roc_auc_score(is_known, np.concatenate([known, unknown]))),
        false_alarms=float((model.predict(digits.held_out) == -1).mean()) if is_calibrated else None,
        detected=float((model.predict(digits.unknown) == -1).mean()) if is_calibrated else None,
        knn_accuracy=_knn_accuracy(model, digits) if hasattr(model, "transform") else None,
    )


def _knn_accuracy(model: Any, digits: Digits) -> float:
    """Share of held-out rows whose nearest training codes name their label."""
    from sklearn.neighbors import KNeighborsClassifier

    neighbors = KNeighborsClassifier(_N_NEIGHBORS).fit(model.transform(digits.train), digits.train_labels)
    return float(neighbors.score(model.transform(digits.held_out), digits.held_out_labels))


def _views(name: str, model: Any, digits: Digits, originals: np.ndarray, seed: int) -> ModelViews:
    """Map, reconstruct, sample and morph with one model."""
    labels = np.unique(digits.train_labels)
    n = N_SAMPLED * len(labels)
    conditional = hasattr(model, "classes_")
    options = {"y": np.repeat(labels, N_SAMPLED)} if conditional else {}
    return ModelViews(
        name=name,
        points=LatentMap(random_state=seed).fit_transform(
            model.transform(np.concatenate([digits.held_out, digits.unknown]))
        ),
        reconstructions=model.reconstruct(originals),
        samples=model.sample(n, random_state=seed, **options),
        samples_have_labels=conditional,
        morph=_morph(model, digits, labels[0], labels[-1]),
    )


def _morph(model: Any, digits: Digits, start: Any, end: Any) -> np.ndarray:
    """Decode the straight line between the codes of two held-out rows, whose labels are known."""
    ends = np.stack([digits.held_out[digits.held_out_labels == label][0] for label in (start, end)])
    if not hasattr(model, "classes_"):
        return morph(model, ends, N_STEPS)
    return morph(model, ends, N_STEPS, (model.classes_ == np.array([[start], [end]])).astype(float))


def _oddest(model: Any, digits: Digits) -> Oddest:
    """Return the rows that score lowest."""
    rows = np.concatenate([digits.held_out, digits.unknown])
    scores = model.score_samples(rows)
    worst = np.argsort(scores, kind="stable")[:N_ODDEST]
    return Oddest(
        images=rows[worst],
        reconstructions=model.reconstruct(rows[worst]),
        scores=scores[worst],
        p_values=model.p_values(rows[worst]),
        flagged=model.predict(rows[worst]) == -1,
        labels=_all_labels(digits)[worst],
    )

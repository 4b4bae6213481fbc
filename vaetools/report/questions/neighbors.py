"""Are neighbors of the same kind? Maps of the codes, and what stands together in them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.latent import organization as of
from vaetools.report.figures import (
    COLORS,
    GLYPHS,
    MOST_POINTS,
    SCALE,
    SYMBOLS,
    Plot,
    add_density,
    axes,
    panels,
)
from vaetools.report.findings import LONGEST, collapse, copied, tell, too_few
from vaetools.report.passes import Seen
from vaetools.report.records import Data, MeasureRow, ModelView, Question
from vaetools.words import counted, printable, shortened

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

METHODS = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}
_OUTLINE = "rgba(110, 110, 110, 0.7)"
_N_OUTLINED = 3_000  # more points hide each other's outlines
_LONGEST_LABEL = 40  # characters
_MOST_CLASSES = 60  # in a legend
_FEW_PER_CLASS = 10  # rows
_N_RANKED = 2_000  # rows whose neighbors are ranked, which takes time with their square
_N_PROBED = 3_000  # codes that a linear probe learns from

_ALIKE = "Does not tell AE from VAE: both keep classes apart."
_DIMENSIONS = "More components keep more, whatever the model."
_PIXELS = "Distances are between pixels or columns, a coarse notion of likeness."
KNN = MeasureRow(
    "knn_accuracy",
    "class named by 5 nearest codes",
    "%",
    "higher",
    1,
    _ALIKE,
    "In {name}, {value} of the rows lie among their own class",
    "how many rows lie among their own class",
)
_MEASURES = (
    MeasureRow("trustworthiness", "neighbors in code that are neighbors in data", "", "higher", 3, _PIXELS),
    MeasureRow("continuity", "neighbors in data that stay neighbors in code", "", "higher", 3, _PIXELS),
    MeasureRow("neighborhood_overlap", "shared among 10 nearest", "%", "higher", 0, _DIMENSIONS),
    KNN,
    MeasureRow("silhouette", "silhouette of the classes", "", "higher", 2, _ALIKE),
    MeasureRow("cluster_agreement", "k-means finds the classes (adjusted Rand)", "", "higher", 2, _ALIKE),
    MeasureRow("linear_probe", "class named by a linear probe", "%", "higher", 1, _DIMENSIONS),
)


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Neighbors of codes and rows, and classes of codes."""
    basis, codes = seen.basis, seen.codes[seen.basis.index]
    found = of.neighbors_kept(basis.rows, codes, n_max=_N_RANKED, random_state=basis.seed)
    if basis.labels is not None:
        found |= {
            "knn_accuracy": of.knn_accuracy(codes, basis.labels),
            "silhouette": of.silhouette(codes, basis.labels, random_state=basis.seed),
            "cluster_agreement": of.cluster_agreement(codes, basis.labels, random_state=basis.seed),
            "linear_probe": of.linear_probe(codes, basis.labels, n_max=_N_PROBED, random_state=basis.seed),
        }
    return found


def _read(comparison: "Comparison") -> tuple[str, str]:
    several = len(comparison.models) > 1
    same = ", and the same rows are in every map" if several else ""
    choice = (
        "; and do not choose between an AE and a VAE here, because an AE keeps neighbors and classes about "
        "as well, often better."
    )
    points = len(comparison.data.names) <= MOST_POINTS
    what = "Each point is the code of one row" if points else "Shading shows where the codes of rows lie"
    read = f"{what}, flattened to two dimensions{same}: rows that a model takes for alike stand together."
    return read, trust(comparison.method) + (choice if several else ".")


def trust(method: str) -> str:
    """Return what may be believed of a map, without a full stop."""
    return (
        "A map bends distances, so trust which points stand together, not how far groups are apart or how "
        "large they look"
        if method != "pca"
        else "A projection lays over each other what lies apart in other directions, so trust which points "
        "stand apart, not which stand together"
    )


def _draw(comparison: "Comparison") -> Iterator[Plot]:
    """Give maps of all models, colored by label where there are labels."""
    data, models = comparison.data, comparison.models
    codes, names = (None, []) if data.labels is None else classes(data.labels)
    figure = latent_maps(
        [model.points for model in models],
        [model.name for model in models],
        labels=codes,
        scores=[ranks(model.scores) for model in models] if codes is None else None,
        method=comparison.method,
    )
    n_rows = [] if codes is None else np.bincount(codes).tolist()
    shown = zip(names[:_MOST_CLASSES], n_rows[:_MOST_CLASSES], strict=True)
    labeled, outliers = codes is not None, data.outliers is not None
    maps = {
        "colorings": ["label"] * labeled + ["score"] + ["known outliers"] * outliers,
        "classes": [
            {"glyph": GLYPHS[symbol_numbers(i)], "color": COLORS[i % len(COLORS)], "name": name, "n_rows": n}
            for i, (name, n) in enumerate(shown)
        ],
        "n_unnamed": max(0, len(names) - _MOST_CLASSES),
        "linked": len(data.names) <= MOST_POINTS,
    }
    yield Plot(figure, f"Maps of {len(models)} latent spaces", maps=maps)


def classes(labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the number of every label among the sorted ones, and their names.

    Examples
    --------
    >>> classes(np.array([7, 10, 7]))
    (array([0, 1, 0]), ['7', '10'])
    """
    codes, names = pd.factorize(labels, sort=True)
    return codes, [shortened(printable(str(name)), _LONGEST_LABEL) for name in names]


def ranks(scores: np.ndarray) -> np.ndarray:
    """Return which share of the other rows scores lower, in [0, 1]; NaN is lowest.

    Examples
    --------
    >>> ranks(np.array([-8.0, 5.0, -1.0]))
    array([0. , 1. , 0.5])
    """
    from scipy.stats import rankdata

    shares: np.ndarray = (rankdata(np.nan_to_num(scores, nan=-np.inf)) - 1) / max(1, len(scores) - 1)
    return shares


def latent_maps(
    points: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    labels: np.ndarray | None = None,
    scores: Sequence[np.ndarray] | None = None,
    method: str = "umap",
) -> "Figure":
    """Draw maps of latent spaces side by side, colored by numbers of labels or by shares of odder rows.

    There is a WebGL trace per model, whose i-th point is the i-th row; of more than `MOST_POINTS` rows a
    density per model.
    """
    figure = map_panels(titles, method)
    if len(points[0]) > MOST_POINTS:
        for i, own in enumerate(points):
            add_density(figure, i, own, i)
        return figure
    for i, own in enumerate(points):
        figure.add_scattergl(
            x=own[:, 0].astype(np.float32),
            y=own[:, 1].astype(np.float32),
            mode="markers",
            marker=_markers(len(own), labels, None if scores is None else scores[i]),
            meta=None if scores is None else SCALE,
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 0.07}},
            hoverinfo="none",
            **axes(i),
        )
    return figure.update_layout(dragmode="lasso")


def map_panels(titles: Sequence[str], method: str) -> "Figure":
    """Return a figure with an empty map per title, whose axes have names and no numbers."""
    name = "principal component {}" if method == "pca" else f"{METHODS[method]} {{}} (no unit)"
    figure = panels(titles, x=name.format(1), y=name.format(2), height=430)
    frame = {"showticklabels": False, "ticks": "", "zeroline": False, "showgrid": False, "mirror": True}
    return figure.update_xaxes(**frame).update_yaxes(**frame)


def point_size(n_samples: int) -> float:
    """Return how many pixels wide points are: large where they are few."""
    return float(np.clip(160 / np.sqrt(n_samples), 2.5, 9))


def _markers(n_samples: int, labels: np.ndarray | None, scores: np.ndarray | None) -> dict[str, Any]:
    """Return how points look: large where they are few, a color and a symbol per label."""
    look: dict[str, Any] = {"size": point_size(n_samples), "opacity": 0.85, "line": {"width": 0}}
    if n_samples <= _N_OUTLINED:
        look["line"] = {"width": 0.5, "color": _OUTLINE}
    if labels is not None:
        n = len(COLORS)
        look |= {"color": (labels % n).astype(np.uint8), "cmin": -0.5, "cmax": n - 0.5}
        look |= {
            "colorscale": [(edge / n, COLORS[i]) for i in range(n) for edge in (i, i + 1)],
            "symbol": [SYMBOLS[i] for i in symbol_numbers(labels)],
        }
    elif scores is not None:
        look |= {"color": scores.astype(np.float32), "cmin": 0, "cmax": 1}
    else:
        look |= {"color": COLORS[0]}
    return look


def symbol_numbers(labels: Any) -> Any:
    """Return a symbol per number of a label: with their colors, the first hundred labels differ."""
    return (labels + labels // len(COLORS)) % len(SYMBOLS)


def _find(models: tuple[ModelView, ...], measures: pd.DataFrame) -> list[str]:
    """Say how many rows lie among their own class; a model that is given labels need not keep them apart."""
    unlabeled = [model.name for model in models if model.kind != "CVAE"]
    return [tell(measures[measures["model"].isin(unlabeled)], KNN)]


def _warn(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say that codes are all alike, or that a conditional model need not keep classes apart."""
    alike = "It is collapsed: codes are all about the same; maps and neighbors magnify what is left."
    given = "Its decoder is given the label, so that codes need not tell classes apart: it is no fault."
    conditional = model.kind == "CVAE" and data.labels is not None
    return [alike] * bool(collapse(model)) + [given] * conditional


def _note(data: Data) -> list[str]:
    """Say that rows are few, or copies, or that classes are small."""
    said = [too_few(data), copied(data)]
    if data.labels is not None:
        classes, counts = np.unique(data.labels, return_counts=True)
        small = counts < _FEW_PER_CLASS
        if small.sum() > 1:
            said.append(
                f"{small.sum()} of {len(classes)} classes have fewer than {_FEW_PER_CLASS} rows: too few to "
                "say whether their neighbors are alike."
            )
        elif small.any():
            name = shortened(str(classes[small][0]), LONGEST)
            has = f"Class {name} has {counted(counts[small][0], 'row')}"
            said.append(f"{has}: too few to say whether its neighbors are alike.")
    return said


NEIGHBORS = Question(
    "neighbors",
    "Are neighbors of the same kind?",
    _MEASURES,
    _measure,
    _read,
    _draw,
    find=_find,
    rank=5,
    warn=_warn,
    note=_note,
)

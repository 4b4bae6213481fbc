"""What the script of a page knows of every row: name, label, scores, neighbors, thumbnail."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.report.comparison import Comparison, ModelView
from vaetools.words import printable, shortened

if TYPE_CHECKING:
    from markupsafe import Markup

    from vaetools.report.strips import Sprite

_LONGEST_NAME, _LONGEST_LABEL = 80, 40  # characters


def json_text(value: Any) -> Markup:
    """Return JSON that cannot end the script element it stands in; arrays become typed arrays."""
    from markupsafe import Markup

    text = value if isinstance(value, str) else json.dumps(value, default=_typed, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _typed(array: np.ndarray) -> dict[str, str]:
    """Return an array as plotly writes one: the type of its elements, and their bytes in base64."""
    kind = array.dtype.str.lstrip("<|")
    return {"dtype": kind, "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


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

    return (rankdata(np.nan_to_num(scores, nan=-np.inf)) - 1) / max(1, len(scores) - 1)


def distances(codes: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Return how far every code is from each of its neighbors.

    Examples
    --------
    >>> distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[1], [0]]))
    array([[5.],
           [5.]])
    """
    return np.stack([np.linalg.norm(codes - codes[column], axis=1) for column in neighbors.T], axis=1)


def describe_rows(comparison: Comparison, picture: Sprite | None) -> Markup:
    """Return all that a page knows of the rows, as JSON.

    Parameters
    ----------
    comparison : Comparison
    picture : Sprite or None
        Where the thumbnails are.

    Returns
    -------
    text : Markup
        Names and labels are shortened and printable; a script must show them as text.
    """
    data = comparison.data
    codes, names = (None, None) if data.labels is None else classes(data.labels)
    return json_text(
        {
            "names": [shortened(printable(str(name)), _LONGEST_NAME) for name in data.names],
            "labels": names,
            "codes": None if codes is None else codes.astype("<u2"),
            "outliers": None if data.outliers is None else data.outliers.astype("u1"),
            "sprite": None if picture is None else picture._replace(uri="")._asdict(),
            "models": [_describe(model) for model in comparison.models],
        }
    )


def _describe(model: ModelView) -> dict[str, Any]:
    """Return what a model makes of every row."""
    return {
        "name": shortened(printable(model.name), _LONGEST_LABEL),
        "unit": model.score_unit,
        "scores": model.scores.astype("<f4"),
        "ranks": ranks(model.scores).astype("<f4"),
        "p_values": None if model.p_values is None else model.p_values.astype("<f4"),
        "neighbors": model.neighbors.astype("<u2" if len(model.codes) <= 2**16 else "<u4"),
        "n_neighbors": model.neighbors.shape[1],
        "distances": distances(model.codes, model.neighbors).astype("<f4"),
    }

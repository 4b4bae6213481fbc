"""Rows under their names and with their classes, for commands that look at both."""

from __future__ import annotations

import os
from typing import Any

import click
import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from vaetools.data.arrays import read_array
from vaetools.data.batches import Failure
from vaetools.data.kinds import without_missing
from vaetools.data.listing import list_images
from vaetools.data.sources import kind_of
from vaetools.data.tables import PARQUET
from vaetools.streaming import read_rows

_AT_ONCE = 4096  # rows between two steps of a progress bar


def read_labeled(
    data: Any, model: Any, labels: str | None, id_column: str | None
) -> tuple[pd.DataFrame, np.ndarray | None, list[Failure]]:
    """Read files into memory, as rows that a model takes, with their classes.

    Parameters
    ----------
    data : path, glob, or sequence of those
        As for `stream_scores`.
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted.
    labels : str or None
        Column of a table, array of an NPZ, or a file. Images have those of their sub-folders.
    id_column : str or None
        Column of a table that names its rows.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features)
        Its index is what rows are called.
    y : ndarray of shape (n_rows,) or None
        Their classes, of tables as text; None if they have none.
    failed : list of Failure
        What could not be read.
    """
    X, failed = read_rows(model, data, id_column=id_column)
    kind = kind_of(data)
    y: Any = None
    if kind == "images":
        if labels is not None:
            raise click.BadParameter("images take their classes from sub-folders.", param_hint="--labels")
        if isinstance(data, str) and os.path.isdir(data) and (names := list_images(data)).labels:
            folders = dict(zip(names.paths, names.labels, strict=True))
            y = np.array([folders[path] for path in X.index])
    elif kind == "array":
        y = read_array(data, labels).labels
        y = None if y is None else y[X.index]
    elif labels is not None:
        given = read_rows(model, data, id_column=labels)[0].index
        if not str(data).lower().endswith(PARQUET):  # as fit reads them
            given = without_missing(pa.array(given, pa.string())).fill_null("").to_numpy(zero_copy_only=False)
        y = np.array(given, str)
        missing = X.index[y == ""]
        if len(missing):
            raise click.BadParameter(
                f"column {labels!r} must name a class in every row; {len(missing)} of {len(y)} cells are "
                f"empty, the first in row {missing[0]}.",
                param_hint="--labels",
            )
    return X, y, failed


def named_labels(estimator: Any) -> dict[str, Any]:
    """Return the labels of a conditional model by how they are written."""
    return {str(label): label for label in estimator.classes_.tolist()}


def known_labels(estimator: Any, y: pd.Series) -> tuple[np.ndarray, list[Failure]]:
    """Return the place of every label among a model's, −1 where it is not among them, and those rows."""
    places = {text: place for place, text in enumerate(named_labels(estimator))}
    if estimator.classes_.dtype == bool:  # as CSV writes them, too
        places |= {text.lower(): place for text, place in places.items()}
    codes = np.array([places.get(str(label), -1) for label in y])
    unknown = y[codes < 0]
    return codes, [
        Failure(name, f"label {str(label)!r} is none of the model's") for name, label in unknown.items()
    ]


def judged(estimator: Any, X: pd.DataFrame, codes: np.ndarray, *, verbose: bool) -> pd.DataFrame:
    """Return labels with their log probabilities, the likeliest labels, and p-values within labels.

    Parameters
    ----------
    estimator : CVAE
        Fitted.
    X : DataFrame of shape (n_rows, n_features)
    codes : ndarray of shape (n_rows,), int
        Places of labels among ``classes_``.
    verbose : bool
        Whether to show a progress bar.

    Returns
    -------
    table : DataFrame of shape (n_rows, 4)
        Columns ``label``, ``log_probability`` in nats, ``likeliest`` and ``p_value``, NaN for labels of
        which there are no calibration rows.
    """
    log_probability, likeliest = np.empty(len(X)), np.empty(len(X), int)
    p_values = np.full(len(X), np.nan)
    calibrated = np.isin(codes, getattr(estimator, "calibration_labels_", []))
    with tqdm(total=len(X), unit="row", unit_scale=True, disable=not verbose) as bar:
        for start in range(0, len(X), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(X)))
            every = estimator.label_log_proba(X.iloc[rows])
            log_probability[rows] = every[np.arange(len(rows)), codes[rows]]
            likeliest[rows] = every.argmax(axis=1)
            known = rows[calibrated[rows]]
            if len(known):
                p_values[known] = estimator.p_values(X.iloc[known], estimator.classes_[codes[known]])
            bar.update(len(rows))
    return pd.DataFrame(
        {
            "label": estimator.classes_[codes],
            "log_probability": log_probability,
            "likeliest": estimator.classes_[likeliest],
            "p_value": p_values,
        }
    )

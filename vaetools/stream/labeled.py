"""Rows under their names and with their labels, for commands that look at both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from vaetools.data.arrays import read_labels
from vaetools.data.batches import Failure
from vaetools.data.ids import as_column
from vaetools.data.recognition import kind_of
from vaetools.data.sources import Source, check_choice, source_of
from vaetools.data.tables import open_table
from vaetools.progress import bar_options
from vaetools.streaming import prepared, read_rows, warn_of_positions
from vaetools.words import printable

_AT_ONCE = 4096  # rows between two steps of a progress bar


class Labeled(NamedTuple):
    """Rows with labels.

    Attributes
    ----------
    id_name : str
        What the index of X is: ``"path"``, ``"row"`` or a column of the table.
    X : DataFrame of shape (n_rows, n_features)
        Its index is what rows are called.
    y : ndarray of shape (n_rows,) or None
        Their labels; None if they have none.
    failed : list of Failure
        What could not be read.
    source : Source
        How they were read, and of images what is left out.
    """

    id_name: str
    X: pd.DataFrame
    y: np.ndarray | None
    failed: list[Failure]
    source: Source


def read_labeled(
    data: Any, model: Any, labels: str | None, id_column: str | None, *, needed: bool = False, **reading: Any
) -> Labeled:
    """Read files into memory, as rows that a model takes, with their labels.

    Parameters
    ----------
    data : path, glob, or sequence of those
        As for `stream_scores`.
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted. Labels that it knows are recognized however a table writes them.
    labels : str or None
        Column of a table, array of an NPZ, or a file. Images have the names of their folders: of one
        folder its sub-folders, else those that the files lie in, if these are several.
    id_column : str or None
        Column of a table that names its rows.
    needed : bool, default=False
        Whether an image in no sub-folder is left out, and not the labels of all.
    **reading
        As for `stream_scores`.

    Returns
    -------
    rows : Labeled
    """
    kind = kind_of(data)
    if kind == "table" and labels is not None:
        check_choice(data, kind, **reading)
        _, estimator, columns = prepared(model, kind, data)
        table = open_table(
            data,
            columns=columns,
            n_features=estimator.n_features_in_,
            labels=labels,
            id_column=id_column,
            **reading,
        )
        if table.by_position:
            warn_of_positions(estimator, data)
        classes = estimator.classes_.tolist() if hasattr(estimator, "classes_") else None
        X, y, failed = table.read(classes)
        X = X if columns else X.set_axis(range(X.shape[1]), axis=1)
        return Labeled(table.id_name, X, y, failed, source_of(table))
    if kind == "images" and labels is not None:
        raise click.BadParameter("images take their labels from folders.", param_hint="--labels")
    X, failed, source = read_rows(model, data, id_column=id_column, **reading)
    if kind == "table":
        return Labeled(id_column or "row", X, None, failed, source)
    if kind == "array":
        y = read_labels(data, labels, reading.get("array"))
        if y is None:
            return Labeled("row", X, None, failed, source)
        y = y[X.index]
        gaps = pd.isna(y)
        failed += [Failure(row, "its label is missing") for row in X.index[gaps].tolist()]
        return Labeled("row", X[~gaps], y[~gaps], failed, source)
    given, without = _folders(data, X.index)
    if given is None or (without.any() and not needed):
        return Labeled("path", X, None, failed, source)
    failed += [Failure(path, "lies in no sub-folder, which would be its label") for path in X.index[without]]
    return Labeled("path", X[~without], given[~without], failed, source)


def _folders(data: Any, paths: Sequence[str]) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the folders after which images are labeled, or None, and which images have none."""
    if isinstance(data, str) and os.path.isdir(data):
        parts = [os.path.relpath(path, data).split(os.sep) for path in paths]
        given = np.array([label if below else "" for label, *below in parts])
        least = 1
    else:
        given = np.array([Path(path).absolute().parent.name for path in paths])
        least = 2  # a folder of all tells nothing apart
    return given if len(set(given) - {""}) >= least else None, given == ""


def codes_of(estimator: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of every label among a model's, and the labels.

    The place is −1 for a label that no row that trained has. If there is one, labels are text.
    """
    classes = estimator.classes_.tolist()
    places = {str(label): place for place, label in enumerate(classes)}  # 3 may be written as "3"
    places |= {label: place for place, label in enumerate(classes)}
    codes = np.array([places.get(label, places.get(str(label), -1)) for label in y.tolist()])
    given = estimator.classes_[codes]
    if (codes < 0).any():
        given = np.where(codes < 0, y.astype(str), given.astype(str)).astype(object)
    return np.where(estimator.class_prior_[codes] > 0, codes, -1), given


def among_known(
    estimator: Any, X: pd.DataFrame, y: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, list[Failure]]:
    """Return the rows whose labels a model knows, these labels, and the other rows as failures."""
    codes, given = codes_of(estimator, y)
    known = codes >= 0
    unknown = [
        Failure(name, f"label {str(label)!r} is of no row that trained")
        for name, label in zip(X.index[~known].tolist(), given[~known].tolist(), strict=True)
    ]
    return X[known], estimator.classes_[codes[known]], unknown


def judged(estimator: Any, X: pd.DataFrame, codes: np.ndarray, *, verbose: int) -> pd.DataFrame:
    """Return log probabilities of labels, the likeliest labels, and p-values within labels.

    Parameters
    ----------
    estimator : CVAE
        Fitted.
    X : DataFrame of shape (n_rows, n_features)
    codes : ndarray of shape (n_rows,), int
        As `codes_of` returns them.
    verbose : int
        1 shows a progress bar, 2 writes a line now and then.

    Returns
    -------
    table : DataFrame of shape (n_rows, 3)
        Columns ``log_probability`` in nats, NaN of a label without a place; ``likeliest``; and ``p_value``,
        NaN for labels of which there are no calibration rows.
    """
    log_probability, p_values = np.full((2, len(X)), np.nan)
    likeliest = np.empty(len(X), int)
    calibrated = np.isin(codes, getattr(estimator, "calibration_labels_", [])) & (codes >= 0)
    with tqdm(total=len(X), desc="done", unit="row", unit_scale=True, **bar_options(verbose)) as bar:
        for start in range(0, len(X), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(X)))
            every = estimator.label_log_proba(X.iloc[rows])
            given = every[np.arange(len(rows)), codes[rows]]
            log_probability[rows] = np.where(codes[rows] < 0, np.nan, given)
            likeliest[rows] = every.argmax(axis=1)
            known = rows[calibrated[rows]]
            if len(known):
                p_values[known] = estimator.p_values(X.iloc[known], estimator.classes_[codes[known]])
            bar.update(len(rows))
    return pd.DataFrame(
        {
            "log_probability": log_probability,
            "likeliest": as_column(estimator.classes_[likeliest]),
            "p_value": p_values,
        }
    )


def label_called(text: str, labels: Iterable[str]) -> str | None:
    r"""Return the label that is written so, or else one that is shown so; None if there is none.

    Bytes that are not UTF-8 can hardly be typed, but as the escapes in which they are shown.

    Examples
    --------
    >>> label_called(r"caf\xe9", ["caf\udce9", "tea"]) == "caf\udce9"
    True
    """
    labels = list(labels)
    return text if text in labels else next((label for label in labels if printable(label) == text), None)


def named_labels(estimator: Any) -> dict[str, Any]:
    """Return the labels of a conditional model by how they are written."""
    return {str(label): label for label in estimator.classes_.tolist()}

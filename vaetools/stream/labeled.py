"""Rows under their names and with their labels, for commands that look at both."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from vaetools.data.arrays import read_arrays
from vaetools.data.batches import Failure, Source
from vaetools.data.sources import check_choice, kind_of, named, names_of_files
from vaetools.data.tables import open_table
from vaetools.estimators.context import is_context
from vaetools.persistence.model_file import split_reader
from vaetools.progress import bar_options
from vaetools.stream.flow import Parts, as_index, nothing_read
from vaetools.stream.preparing import apart, prepared, warn_of_positions
from vaetools.words import printable

_AT_ONCE = 4096  # rows between two steps of a progress bar


class Apart(NamedTuple):
    """Rows as a model takes them, their labels, and the context that comes beside them, or None."""

    X: Any
    labels: Any
    context: Any


class Rows(NamedTuple):
    """Files in memory.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Its index is what rows are called: paths, numbers or the texts of the id column.
    y : ndarray of shape (n_rows,), DataFrame or None
        Their labels; None if they have none. Of a model that judges rows given a context beside X, that.
    failed : list of Failure
        What could not be read.
    source : Source
        How they were read, and what is left out.
    """

    X: pd.DataFrame
    y: Any
    failed: list[Failure]
    source: Source

    def apart(self, estimator: Any) -> Apart:
        """Return labels and context one by one, of which a table may have both."""
        if is_context(self.y):
            return Apart(self.X, None, self.y)
        X, told = apart(estimator, self.X) if hasattr(estimator, "context_") else (self.X, None)
        return Apart(X, self.y, told)


def read_labeled(
    model: Any,
    data: Any,
    labels: str | None = None,
    *,
    id_column: str | None = None,
    needed: bool = False,
    **reading: Any,
) -> Rows:
    """Read files into memory, as rows that a model takes, with their labels.

    Parameters
    ----------
    model : autoencoder, or a pipeline of an ImageReader and one of those
        Fitted. Labels that it knows are recognized however a table writes them.
    data : path, glob, or sequence of those
        As for `stream_scores`.
    labels : str or None, default=None
        Column of a table, array of an NPZ, or a file. Images have the names of their folders: of one
        folder its sub-folders, else those that the files lie in, if these are several.
    id_column : str or None, default=None
        Column of a table that names its rows.
    needed : bool, default=False
        Whether an image in no sub-folder is left out, and not the labels of all.
    **reading
        As for `stream_scores`.

    Returns
    -------
    rows : Rows

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or not of the model's kind.
    """
    data = names_of_files(data)
    kind = None if labels is None else kind_of(data)
    if kind == "table" and labels is not None:
        return _labeled_table(model, data, labels, id_column, reading)
    if kind == "images":
        raise ValueError(f"{named(data)}: images take their labels from folders; got labels={labels!r}.")
    X, told, failed, source = _unlabeled(model, data, id_column=id_column, **reading)
    estimator = split_reader(model)[1]
    if hasattr(estimator, "context_"):
        rows, within = apart(estimator, X, told)
        return Rows(rows, within, failed, source)
    given: Any
    given, lacks, reason = None, np.zeros(len(X), bool), ""
    if source.kind == "images":
        given, lacks = _folders(source.listing.folder, X.index, needed=needed)
        reason = "lies in no sub-folder, which would be its label"
    elif source.kind == "array" and (y := read_arrays(data[0], labels, reading.get("array"))[1]) is not None:
        given, lacks, reason = y[X.index], pd.isna(y[X.index]), "its label is missing"
    if given is None:
        return Rows(X, None, failed, source)
    failed += [Failure(name, reason) for name in X.index[lacks].tolist()]
    return Rows(X[~lacks], given[~lacks], failed, source)


def _labeled_table(
    model: Any, data: Any, labels: str, id_column: str | None, reading: dict[str, Any]
) -> Rows:
    """Read a table with a column of labels."""
    check_choice(data, "table", **reading)
    _, estimator, columns = prepared(model, "table", data)
    known: Any = {"columns": columns, "n_features": estimator.n_features_in_}
    table = open_table(data, labels=labels, id_column=id_column, **known, **reading)
    if table.by_position:
        warn_of_positions(estimator, data)
    classes = estimator.classes_.tolist() if hasattr(estimator, "classes_") else None
    X, y, failed = table.read(classes)
    return Rows(X if columns else X.set_axis(range(X.shape[1]), axis=1), y, failed, table.source)


def rows_alone(model: Any, X: np.ndarray | pd.DataFrame, *told: Any) -> pd.DataFrame:
    """Return a table without columns, of rows that are to be read and no more."""
    return pd.DataFrame(index=range(len(X)))


def _unlabeled(
    model: Any, data: Any, **reading: Any
) -> tuple[pd.DataFrame, pd.DataFrame | None, list[Failure], Source]:
    """Read files into memory, as rows under their names, with what a table beside them says."""
    parts = Parts(model, data, rows_alone, 0, **reading)
    read, columns = list(parts), parts.columns
    ids = as_index([name for part in read for name in part.table.iloc[:, 0]], parts.source.id_name)
    blocks = [part.X for part in read if len(part.table)] or [part.X for part in read[:1]]
    if not blocks:  # a table of nothing but a header
        X = pd.DataFrame(columns=None if columns is None else list(columns))
    elif isinstance(columns, dict):
        X = pd.concat(blocks).set_axis(ids)
    else:
        X = pd.DataFrame(np.concatenate(blocks), index=ids, columns=columns)
    told = None if parts.beside is None else parts.beside.cells.loc[list(ids)]
    return X, told, parts.failed, parts.source


def _folders(
    folder: str | None, paths: Sequence[str], *, needed: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the folders after which images are labeled, or None, and which images have none."""
    if folder is not None:
        parts = [os.path.relpath(path, folder).split(os.sep) for path in paths]
        given = np.array([label if below else "" for label, *below in parts])
        least = 1
    else:
        given = np.array([Path(path).absolute().parent.name for path in paths])
        least = 2  # a folder of all tells nothing apart
    lacks = given == ""
    is_labeled = len(set(given) - {""}) >= least and (needed or not lacks.any())
    return given if is_labeled else None, lacks


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


def among_known(estimator: Any, rows: Rows, name: str) -> Rows:
    """Return the rows whose labels a model knows, with the others among what failed; raise if that is all."""
    codes, given = codes_of(estimator, np.asarray(rows.y))
    known = codes >= 0
    unknown = [
        Failure(name, f"label {str(label)!r} is of no row that trained")
        for name, label in zip(rows.X.index[~known].tolist(), given[~known].tolist(), strict=True)
    ]
    if not known.any():
        raise nothing_read(rows.failed + unknown, name)
    return rows._replace(X=rows.X[known], y=estimator.classes_[codes[known]], failed=rows.failed + unknown)


def judged(estimator: Any, X: pd.DataFrame, codes: np.ndarray, *, verbose: int) -> pd.DataFrame:
    """Return log probabilities of labels, the likeliest labels, and p-values within labels.

    The first, in nats, are NaN of a label without a place among `codes_of` the model, the last where there
    are no calibration rows of a label.
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


def as_column(labels: np.ndarray) -> pd.Series:
    """Return labels as a column of a table; texts become those of Python."""
    return pd.Series(labels, dtype=object if labels.dtype.kind in "OU" else labels.dtype)


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

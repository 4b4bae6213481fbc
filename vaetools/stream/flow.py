"""Files in, tables of scores or codes out, batch by batch: data of any length in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from vaetools.anomaly.calibration import conformal_p_values, nan_as_oddest
from vaetools.data.batches import Batch, Source
from vaetools.data.ids import as_index
from vaetools.data.kinds import NUMBER, Kind, category_kind
from vaetools.data.reader import ImageReader, reader_for
from vaetools.data.sources import kind_of, names_of_files, open_source
from vaetools.estimators.columns import Column, Columns
from vaetools.estimators.engine import Engine
from vaetools.persistence.model_file import split_reader
from vaetools.progress import bar_options
from vaetools.stream.parts import NORMAL, ODD, Part, Parts
from vaetools.words import few


def stream_scores(
    model: Any, data: Any, *, id_column: str | None = None, verbose: int = 0, **reading: Any
) -> Parts:
    """Score files batch by batch; what cannot be read is listed, and stops nothing.

    Parameters
    ----------
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted. A model of 8-bit images without a reader gets one for its ``image_shape``.
    data : path, glob, or sequence of those
        Images: a folder, a glob, files, a text file of paths. A table, or a folder, glob or several files
        that make one: CSV, Parquet, Arrow, Excel. An array: NPY, NPZ or IDX.
    id_column : str or None, default=None
        Column of a table that names its rows.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.
    **reading
        How files are read: patterns of images to ``include`` and to ``exclude``, as for `read_images`; the
        name of the ``array`` of an NPZ file that holds the rows, and where it has its ``channels``, "first"
        or "last"; the ``dialect`` that CSV is written in, a `Dialect`, of which the file tells what is not
        said.

    Returns
    -------
    parts : Parts
        Iterate over it, or give it to sinks: ``parts.into(sink, …)``. The ``table`` of a part has
        ``path`` (or ``row``, or the id column), ``score``
        (higher is more normal), ``reconstruction`` and ``kl`` (costs in nats), ``p_value`` (NaN without
        calibration rows) and ``verdict``, "normal" or "odd". ``parts.source`` tells how files are read:
        ``listing.ignored`` has the files of a folder that are left out, each with its kind, ``dialect``
        how CSV is written.

    Warns
    -----
    UserWarning
        If the model or the file has no names of columns, so that these are taken by position.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or not of the model's kind.
    TypeError
        If data are no paths: rows in memory are for ``model.score_samples``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, stream_scores
    >>> iris = load_iris(as_frame=True).data
    >>> vae = VAE(max_iter=20, random_state=0).fit(iris)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "flowers.csv")
    ...     iris.to_csv(path, index=False)
    ...     scores = pd.concat(part.table for part in stream_scores(vae, path))
    >>> scores.columns.tolist()
    ['row', 'score', 'reconstruction', 'kl', 'p_value', 'verdict']
    >>> bool(np.allclose(scores["score"], vae.score_samples(iris)))
    True
    """
    return _stream(model, data, verdicts, id_column, verbose, reading)


def stream_codes(
    model: Any, data: Any, *, id_column: str | None = None, verbose: int = 0, **reading: Any
) -> Parts:
    """Embed files batch by batch; what cannot be read is listed, and stops nothing.

    Parameters
    ----------
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted.
    data : path, glob, or sequence of those
        As for `stream_scores`.
    id_column : str or None, default=None
        Column of a table that names its rows.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.
    **reading
        As for `stream_scores`.

    Returns
    -------
    parts : Parts
        As of `stream_scores`; a table has ``path`` (or ``row``, or the id column) and a column per latent
        dimension.
    """
    return _stream(model, data, _codes, id_column, verbose, reading)


def verdicts(model: Any, X: np.ndarray | pd.DataFrame) -> pd.DataFrame:
    """Return score, costs, p-value and verdict of rows; the network runs once for the default score.

    Parameters
    ----------
    model : AE, VAE or CVAE
        Fitted.
    X : ndarray or DataFrame of shape (n_rows, n_features)

    Returns
    -------
    table : DataFrame of shape (n_rows, 5)
        Columns ``score``, ``reconstruction``, ``kl``, ``p_value``, ``verdict``; see `stream_scores`.
    """
    engine = Engine(model)
    asked = [lambda r: r.reconstruction.sum(dim=1), lambda r: r.kl.sum(dim=1)] if engine.can_decode else []
    scores, *costs = engine.ask(X, engine.score(), *asked)
    columns: dict[str, Any] = dict(zip(["reconstruction", "kl"], costs, strict=False))
    if model.anomaly_score_ == "reconstruction_kl":
        # in float64, whatever the model's precision
        scores = nan_as_oddest(-columns["reconstruction"] - columns["kl"])
    calibration = getattr(model, "calibration_scores_", None)
    p_values = np.nan if calibration is None else conformal_p_values(scores, calibration)
    verdict = np.where(scores >= model.offset_, NORMAL, ODD)
    return pd.DataFrame({"score": scores, **columns, "p_value": p_values, "verdict": verdict})


def _codes(model: Any, X: np.ndarray | pd.DataFrame) -> pd.DataFrame:
    """Return latent means under the names that `transform` gives them."""
    [codes] = Engine(model).ask(X, attrgetter("mean"))
    return pd.DataFrame(codes, columns=model.get_feature_names_out())


def _stream(
    model: Any, data: Any, function: Callable, id_column: str | None, verbose: int, reading: dict[str, Any]
) -> Parts:
    """Open data for a model at once, and return what a function makes of each batch."""
    data = names_of_files(data)
    estimator, _, source = opened(model, data, id_column, **reading)
    name = data if isinstance(data, str) else data[0]
    return Parts(_parts(estimator, source, function, verbose), source, name)


def opened(
    model: Any, data: Any, id_column: str | None = None, **reading: Any
) -> tuple[Any, list[str] | dict[str, Kind] | None, Source]:
    """Take a model apart, and open data for it; return estimator, columns and source."""
    reader, estimator, columns = prepared(model, kind_of(data), data)
    shape = estimator.image_shape if reader is None else reader.image_shape_
    known: Any = {"reader": reader, "columns": columns, "id_column": id_column, "image_shape": shape}
    source = open_source(data, n_features=estimator.n_features_in_, **known, **reading)
    if source.by_position:
        warn_of_positions(estimator, data)
    return estimator, columns, source


def _parts(model: Any, source: Source, function: Callable[..., pd.DataFrame], verbose: int) -> Iterator[Part]:
    unit = "image" if source.kind == "images" else "row"
    how = bar_options(verbose, has_end=source.n_rows is not None)
    with tqdm(total=source.n_rows, desc="done", unit=unit, unit_scale=True, **how) as bar:
        for batch in source.batches():
            part = part_of(model, batch, source.id_name, function)
            bar.update(len(batch.ids) + len(batch.failed))
            yield part


def prepared(
    model: Any, kind: str, data: Any
) -> tuple[ImageReader | None, Any, list[str] | dict[str, Kind] | None]:
    """Take a model apart for data of a kind.

    Parameters
    ----------
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
        Fitted.
    kind : {"images", "table", "array"}
    data : object
        What the data are called in an error.

    Returns
    -------
    reader : ImageReader or None
        Its own, or one for its 8-bit images; None if it has none and takes rows of numbers alone.
    estimator : AE, VAE or CVAE
    columns : list of str, dict from str to Kind, or None
        The columns of a table that it takes, if it was fitted on named ones; with ``likelihood="mixed"``
        how they are read.

    Raises
    ------
    ValueError
        If the data are of a kind that the model does not take.

    Warns
    -----
    UserWarning
        If columns are taken by position.
    """
    reader, estimator = split_reader(model)
    check_is_fitted(estimator)
    if reader is not None and kind == "table":
        raise ValueError(f"{data}: the model takes images; got a table. A list of paths must be a .txt file.")
    if estimator.columns_ is not None:
        if kind != "table":
            raise ValueError(f"{data}: the model takes tables, with likelihood='mixed'; got {kind}.")
        return None, estimator, _kinds(type(estimator).__name__, estimator.columns_)
    named = getattr(estimator, "feature_names_in_", getattr(estimator, "column_labels_", None))
    names = None if named is None else named.tolist()
    if kind == "array" and names is not None:
        warn_of_positions(estimator, data, names)
    return reader or reader_for(estimator), estimator, names


def warn_of_positions(estimator: Any, data: Any, names: list[str] | None = None) -> None:
    """Warn that columns are taken by position, because the model or the file has no names of them."""
    owner = type(estimator).__name__
    if names is None:
        why = f"{owner} was fitted on columns without names, so it takes those of {data} by position"
    else:
        why = f"{data} has no names of columns, so {owner} takes them by position, as {few(names)}"
    warnings.warn(f"{why}: they must be those of fit in their order.", UserWarning, stacklevel=5)


def _kinds(owner: str, columns: Columns) -> dict[str, Kind]:
    """Return how the columns of a table are read."""
    names = columns.names
    if names is None or not all(isinstance(name, str) for name in names):
        came = "an array" if names is None else "a DataFrame whose names of columns are no strings"
        raise ValueError(
            f"{owner}: files are read by the names of their columns, and the model was fitted on {came}. "
            "Read the file with pandas, and call score_samples or transform."
        )

    def kind(column: Column) -> Kind:
        if column.kind == "gaussian":
            return Kind(NUMBER)
        return category_kind(column.values, is_closed=column.kind == "bernoulli")

    return {name: kind(column) for name, column in zip(names, columns.columns, strict=True)}


def part_of(model: Any, batch: Batch, id_name: str, function: Callable[..., pd.DataFrame]) -> Part:
    """Return what a function makes of a batch, with what its rows are called.

    Parameters
    ----------
    model : AE, VAE or CVAE
        Fitted.
    batch : Batch
    id_name : str
        ``"path"``, ``"row"`` or the name of another column.
    function : callable
        `verdicts`, or another function of a model and its rows that returns a table.

    Returns
    -------
    part : Part

    Raises
    ------
    ValueError
        If rows have another number of values than the model takes.
    """
    if batch.X.shape[1] != model.n_features_in_:
        raise ValueError(
            f"{type(model).__name__}: rows must have {model.n_features_in_} values; got {batch.X.shape[1]}."
        )
    names = getattr(model, "feature_names_in_", None)
    X = batch.X if names is None else pd.DataFrame(batch.X, columns=names)
    table = function(model, X) if len(batch.ids) else pd.DataFrame()
    if id_name in table.columns:
        raise ValueError(f"the id column {id_name!r} is called like a column of the result: rename it.")
    table.insert(0, id_name, as_index(batch.ids, id_name))
    return Part(table, batch.X, batch.failed)

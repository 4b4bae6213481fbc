"""Files in, tables of scores or codes out, batch by batch: data of any length in bounded memory."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from vaetools.anomaly.calibration import conformal_p_values
from vaetools.data.batches import Batch, Failure, where
from vaetools.data.beside import Beside, read_beside
from vaetools.data.sources import kind_of, names_of_files, open_source
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import p_values_within, thresholds
from vaetools.progress import bar_options
from vaetools.stream.preparing import apart, kinds_of_context, prepared, warn_of_positions

if TYPE_CHECKING:
    from vaetools.stream.sinks import Sink

NORMAL, ODD = "normal", "odd"
_MANY = 100_000  # rows that a bar counts in thousands


def stream_scores(
    model: Any,
    data: Any,
    *,
    id_column: str | None = None,
    verbose: int = 0,
    context: Any = None,
    **reading: Any,
) -> "Parts":
    """Score files batch by batch; what cannot be read is listed, and stops nothing.

    Parameters
    ----------
    model : autoencoder, or a pipeline of an ImageReader and one of those
        Fitted. A model of 8-bit images without a reader gets one for its ``image_shape``.
    data : path, glob, or sequence of those
        Images: a folder, a glob, files, a text file of paths. A table, or a folder, glob or several files
        that make one: CSV, Parquet, Arrow, Excel. An array: NPY, NPZ or IDX.
    id_column : str or None, default=None
        Column of a table that names its rows.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.
    context : path or None, default=None
        Of images that are judged given columns of a table: that table, one of whose columns names them.
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
    return Parts(model, data, verdicts, verbose, id_column=id_column, context=context, **reading)


def stream_codes(
    model: Any,
    data: Any,
    *,
    id_column: str | None = None,
    verbose: int = 0,
    context: Any = None,
    **reading: Any,
) -> "Parts":
    """Embed files batch by batch; what cannot be read is listed, and stops nothing.

    Parameters
    ----------
    model : autoencoder, or a pipeline of an ImageReader and one of those
        Fitted.
    data : path, glob, or sequence of those
        As for `stream_scores`.
    id_column : str or None, default=None
        Column of a table that names its rows.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.
    context : path or None, default=None
        As for `stream_scores`.
    **reading
        As for `stream_scores`.

    Returns
    -------
    parts : Parts
        As of `stream_scores`; a table has ``path``, ``row`` or the id column, and one per latent dimension.

    Examples
    --------
    >>> import tempfile
    >>> from vaetools import AE
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/rows.npy", rows)
    ...     [part] = stream_codes(AE(2, max_iter=2).fit(rows), f"{folder}/rows.npy")
    >>> part.table.shape
    (100, 3)
    """
    return Parts(model, data, _codes, verbose, id_column=id_column, context=context, **reading)


class Part(NamedTuple):
    """What a batch became.

    Attributes
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        First what each row is called, then what was asked for.
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The rows themselves; a DataFrame for a model with ``likelihood="mixed"``, and with the columns of
        their context for one that judges rows given such.
    failed : list of Failure
        What could not be read, as (id, reason).
    maps : ndarray of shape (n_rows, height, width) or None
        Those that a detector of patches judges by, if a sink takes them.
    context : DataFrame of shape (n_rows, n_columns) or None
        What rows are judged given, where ``X`` does not hold it.
    """

    table: pd.DataFrame
    X: np.ndarray | pd.DataFrame
    failed: list[Failure]
    maps: np.ndarray | None = None
    context: pd.DataFrame | None = None


class Parts(Iterator[Part]):
    """The parts of data, one after the other, as `stream_scores` and `stream_codes` open them.

    Attributes
    ----------
    columns : list of str, dict from str to Kind, or None
        Of a table: those that the model takes, if it was fitted on named ones.
    source : Source
        How files are read, and what is left out.
    n_rows : int
        Rows that have come so far.
    failed : list of Failure
        What could not be read so far.
    beside : Beside or None
        What a table beside images says of them.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        function: Callable[..., Any],
        verbose: int,
        context: Any = None,
        **reading: Any,
    ):
        data = names_of_files(data)
        kind = kind_of(data)
        reader, estimator, self.columns = prepared(model, kind, data, context)
        shape = estimator.image_shape if reader is None else reader.image_shape_
        known: Any = {"kind": kind, "reader": reader, "columns": self.columns, "image_shape": shape}
        self.source = open_source(data, n_features=estimator.n_features_in_, **known, **reading)
        if self.source.by_position or (self.source.kind == "array" and self.columns):
            warn_of_positions(estimator, data, self.columns)
        self.beside: Beside | None = None
        if context is not None:
            kinds = kinds_of_context(estimator.context_)
            self.beside = read_beside(context, self.source.listing, kinds)
            self.source = dataclasses.replace(self.source, notes=self.beside.notes)
        self.n_rows = 0
        self.failed: list[Failure] = []
        self._with_maps = False
        self._name = data[0]
        self._parts = self._made(estimator, function, verbose)

    def _made(self, model: Any, function: Callable[..., Any], verbose: int) -> Iterator[Part]:
        source = self.source
        unit = "image" if source.kind == "images" else "row"
        how = bar_options(verbose, has_end=source.n_rows is not None)
        with tqdm(
            total=source.n_rows, desc="done", unit=unit, unit_scale=(source.n_rows or _MANY) >= _MANY, **how
        ) as bar:
            for batch in source.batches():
                bar.update(len(batch.ids) + len(batch.failed))
                told = None
                if self.beside is not None:
                    batch, told = self.beside.of(batch)
                yield part_of(model, batch, source.id_name, function, told, with_maps=self._with_maps)

    def __next__(self) -> Part:
        part = next(self._parts)
        self.n_rows += len(part.table)
        self.failed += part.failed
        return part

    def into(self, *sinks: "Sink") -> "Parts":
        """Give all parts to sinks.

        Parameters
        ----------
        *sinks : Sink
            Each gets every part that has rows. Where anything fails, none is closed, and files that they
            had begun are removed.

        Returns
        -------
        parts : Parts
            Itself, with what could not be read in ``failed``.

        Raises
        ------
        ValueError
            If nothing could be read.
        """
        self._with_maps = any(sink.takes_maps for sink in sinks)
        with contextlib.ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            for part in self:
                for sink in sinks:
                    sink.miss(part.failed)
                    if len(part.table):
                        sink.add(part)
            if not self.n_rows:
                raise nothing_read(self.failed, self._name)
            for sink in sinks:
                sink.close()
        return self


def nothing_read(failed: list[Failure], name: str) -> ValueError:
    """Return the error of data of which nothing could be read, said before a file without rows is written."""
    first = "".join(f"; the first: {where(id)}: {reason}" for id, reason in failed[:1])
    return ValueError(f"{name}: there is nothing that could be read{first}.")


def verdicts(
    model: Any, X: np.ndarray | pd.DataFrame, y: pd.DataFrame | None = None, maps: np.ndarray | None = None
) -> pd.DataFrame:
    """Return score, costs, p-value and verdict of rows as `stream_scores` does; the network runs once.

    Rows come with their context where it is not in X. Where a detector of patches has made its maps already,
    they are all that its scores need.
    """
    if hasattr(model, "context_"):
        columns, rows = model.score_columns(X, y), Engine(model).rows(X, y)
        is_known = hasattr(model, "calibration_scores_")
        p_values = p_values_within(model, columns["score"], rows) if is_known else np.nan
        is_normal = columns["score"] >= thresholds(model, rows)
        return pd.DataFrame({**columns, "p_value": p_values, "verdict": np.where(is_normal, NORMAL, ODD)})
    columns = model.score_columns(X) if maps is None else {"score": -maps.max(axis=(1, 2)).astype(np.float64)}
    scores, calibration = columns["score"], getattr(model, "calibration_scores_", None)
    return pd.DataFrame(
        {
            **columns,
            "p_value": np.nan if calibration is None else conformal_p_values(scores, calibration),
            "verdict": np.where(scores >= model.offset_, NORMAL, ODD),
        }
    )


def _codes(model: Any, X: np.ndarray | pd.DataFrame, y: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return latent means under the names that `transform` gives them."""
    if not hasattr(model, "transform"):
        raise ValueError(f"the model must have codes, as an autoencoder; got a {type(model).__name__}.")
    [codes] = Engine(model).ask(X, attrgetter("mean"), y=y)
    return pd.DataFrame(codes, columns=model.get_feature_names_out())


def part_of(
    model: Any,
    batch: Batch,
    id_name: str,
    function: Any,
    told: pd.DataFrame | None = None,
    *,
    with_maps: bool = False,
) -> Part:
    """Return what a function, such as `verdicts`, makes of a batch, with what its rows are called."""
    if not hasattr(model, "context_") and batch.X.shape[1] != model.n_features_in_:
        raise ValueError(
            f"{type(model).__name__}: rows must have {model.n_features_in_} values; got {batch.X.shape[1]}."
        )
    X, y = apart(model, batch.X, told)
    maps = model.heat_maps(X) if with_maps and len(batch.ids) and hasattr(model, "heat_maps") else None
    if maps is not None:
        table = verdicts(model, X, maps=maps)
    else:
        table = function(model, X, *(() if y is None else (y,))) if len(batch.ids) else pd.DataFrame()
    if id_name in table.columns:
        raise ValueError(f"the id column {id_name!r} is called like a column of the result: rename it.")
    table.insert(0, id_name, as_index(batch.ids, id_name))
    return Part(table, batch.X, batch.failed, maps, told)


def as_index(ids: list[Any], id_name: str) -> pd.Index:
    r"""Return what rows are called, whose ids are ``"path"``, ``"row"`` or a column; texts stay Python's.

    Examples
    --------
    >>> as_index(["f\udcfcr.png"], "path").dtype, as_index([0, 1], "row").dtype
    (dtype('O'), dtype('int64'))
    """
    are_numbers = id_name == "row" and not isinstance(next(iter(ids), 0), str)
    return pd.Index(ids, dtype="int64" if are_numbers else object)

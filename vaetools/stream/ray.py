"""Score files on many machines: Ray runs the workers and starts them again, each of which scores pieces."""

import contextlib
import logging
import os
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pyarrow.fs import FileSelector
from tqdm import tqdm

from vaetools.checks import POSITIVE_INTEGER, check, or_none
from vaetools.data.addresses import new_folder
from vaetools.data.batches import Failure
from vaetools.persistence.model_file import save
from vaetools.progress import bar_options
from vaetools.stream.flow import nothing_read
from vaetools.stream.pieces import RowReader, Worker, file_name, find_files, packed, plan, unpacked
from vaetools.stream.preparing import prepared, warn_of_positions

_OWNER = "score_with_ray"
_REPORTS = "RAY_USAGE_STATS_ENABLED"
_LOCAL: dict[str, Any] = {"include_dashboard": False}


class Scored(NamedTuple):
    """What came of scoring.

    Attributes
    ----------
    n_scored, n_odd : int
        Rows that were written, and those of them whose verdict is "odd".
    failed : list of Failure
        What could not be read, as (id, reason), in the order of the files.
    ignored : mapping from str to str
        Of images: what was met and is left out, with its kind.
    folders : mapping from str to Counter
        Of one folder of images: how many of each verdict are in each folder right below it.
    """

    n_scored: int
    n_odd: int
    failed: list[Failure]
    ignored: Mapping[str, str]
    folders: Mapping[str, Counter[str]]


def score_with_ray(
    model: Any,
    data: Any,
    output: str | os.PathLike[str],
    *,
    id_column: str | None = None,
    address: str | None = None,
    n_workers: int | None = None,
    device: str = "cpu",
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    verbose: int = 0,
) -> Scored:
    """Score images or Parquet files with the machines of a Ray cluster, into a folder of Parquet files.

    Columns and values are those of `stream_scores`. Every row is written once, also if workers die: Ray
    starts them again, and a piece of the data that is scored twice is written to the same file. What
    cannot be read is listed, and stops nothing. Needs the package ray: ``pip install 'vaetools[ray]'``.

    Parameters
    ----------
    model : autoencoder, or a pipeline of an ImageReader and one of those
        Fitted. Workers load it from the bytes that `save` writes, so that a custom ``network`` is refused.
    data : path, glob, address, or sequence of those
        Images: a folder, a glob, files, a text file of paths. A table: Parquet files, or a folder of
        them; its row groups are the smallest pieces. Or addresses of those, such as
        ``s3://bucket/photos``. All machines must see the same files.
    output : path or address
        Folder to make. On this machine it appears when it is whole; at an address it then holds a file
        ``_SUCCESS``. Its files, sorted by name, have the rows in the order of the data.
    id_column : str or None, default=None
        Column of a table that names its rows; None numbers them from 0 through all files.
    address : str or None, default=None
        Of the cluster's head. None takes Ray as it runs in this process, else the cluster of the
        environment variable ``RAY_ADDRESS``, else starts Ray on this machine.
    n_workers : int or None, default=None
        Processes with a core each; None is one per core of the cluster, or per GPU.
    device : str, default="cpu"
        Where workers compute; "cuda" gives each a GPU.
    include, exclude : str or iterable of str, default=()
        Patterns of images, as for `read_images`.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.

    Returns
    -------
    scored : Scored
        How many rows were written, how many of them are odd, what could not be read, what is left out, and
        verdicts by sub-folder.

    Raises
    ------
    FileExistsError
        If the output exists.
    FileNotFoundError, ValueError
        If there are no such data, they are not of the model's kind, or nothing can be read.
    ImportError
        If Ray is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, score_with_ray
    >>> iris = load_iris(as_frame=True).data
    >>> vae = VAE(max_iter=20, random_state=0).fit(iris)
    >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
    ...     iris.to_parquet(Path(folder, "flowers.parquet"))
    ...     scored = score_with_ray(vae, Path(folder, "flowers.parquet"), Path(folder, "scores.parquet"))
    ...     scores = pd.read_parquet(Path(folder, "scores.parquet"))
    >>> scored.n_scored, scores.columns.tolist()  # doctest: +SKIP
    (150, ['row', 'score', 'reconstruction', 'kl', 'p_value', 'verdict'])
    """
    check(_OWNER, "n_workers", n_workers, or_none(POSITIVE_INTEGER))
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"{_OWNER}: device must be 'cpu' or 'cuda', which Ray tells apart; got {device!r}.")
    ray = import_ray()
    kind, found = find_files(data, include=include, exclude=exclude)
    name = found.paths[0]
    reader, estimator, columns = prepared(model, kind, name)
    _check_fits(kind, name, reader, estimator, id_column)
    read = RowReader(kind, columns, id_column, estimator.n_features_in_, found.folder)
    with new_folder(output) as (filesystem, folder), connected(ray, address):
        resource = "GPU" if device.startswith("cuda") else "CPU"
        n_there = int(ray.cluster_resources().get(resource, 0))
        if not n_there:
            raise ValueError(
                f"{_OWNER}: device must be one that the cluster has; got {device!r}, and no {resource}."
            )
        n_workers = n_workers or n_there
        pieces, by_position = plan(found.paths, read, n_workers)
        if by_position:
            warn_of_positions(estimator, name)
        worker = (_model_bytes(model), device, read, filesystem, folder)
        receipts = _receipts(ray, pieces, worker, min(n_workers, len(pieces)), resource)
        done = _gather(receipts, pieces, filesystem, folder, verbose)
        n_rows, n_odd = (sum(receipt[name] for receipt in done) for name in ("n_rows", "n_odd"))
        failed = [*found.failed, *(failure for receipt in done for failure in receipt["failed"])]
        if not n_rows:
            raise nothing_read(failed, name)
        folders: dict[str, Counter[str]] = {}
        for folder, counts in (item for receipt in done for item in receipt["judged"].items()):
            folders.setdefault(folder, Counter()).update(counts)
    return Scored(n_rows, n_odd, failed, found.ignored, folders)


def _check_fits(kind: str, name: str, reader: Any, estimator: Any, id_column: str | None) -> None:
    """Raise for a model that does not go with the files, or not to workers."""
    if kind == "images" and reader is None:
        raise ValueError(f"{name}: the model takes rows of numbers; got images.")
    if kind == "images" and id_column is not None:
        raise ValueError(f"{name}: an id column needs a table; got images.")
    if estimator.network is not None:
        raise ValueError(
            f"{_OWNER}: model must be whole in the file that workers load; got network={estimator.network!r}."
        )


def _model_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(model, path)
        return path.read_bytes()


def _receipts(
    ray: Any, pieces: list[dict[str, Any]], worker: tuple[Any, ...], n_workers: int, resource: str
) -> Iterator[dict[str, Any]]:
    """Have all pieces scored, and yield the receipts in the order in which they come.

    Ray starts workers that die again, and gives their pieces to others, as often as it takes.
    """
    if not pieces:
        return
    dataset = ray.data.from_arrow([packed([piece]) for piece in pieces]).map_batches(
        Worker,
        fn_constructor_args=worker,
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=n_workers),
        num_cpus=1,
        num_gpus=1 if resource == "GPU" else None,
    )
    dataset.context.enable_progress_bars = dataset.context.print_on_execution_start = False
    for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from unpacked(batch)


def _gather(
    receipts: Iterator[dict[str, Any]],
    pieces: list[dict[str, Any]],
    filesystem: Any,
    folder: str,
    verbose: int,
) -> list[dict[str, Any]]:
    """Return all receipts in the order of the rows; raise if a row or a file is missing."""
    done, n_rows, expected = [], 0, sum(piece["n_rows"] for piece in pieces)
    with tqdm(total=expected, desc="done", unit="row", unit_scale=True, **bar_options(verbose)) as bar:
        for receipt in receipts:
            if receipt["error"] is not None:
                raise ValueError(receipt["error"])
            done.append(receipt)
            n_come = receipt["n_rows"] + len(receipt["failed"])
            n_rows += n_come
            bar.update(n_come)
    if n_rows != expected:
        raise RuntimeError(f"{_OWNER}: {expected} rows must come back from the workers; got {n_rows}.")
    names = {file_name(receipt) for receipt in done if receipt["n_rows"]}
    there = {info.base_name for info in filesystem.get_file_info(FileSelector(folder))}
    if missing := sorted(names - there):
        raise OSError(
            f"{folder}: all machines must write to one folder; got none of the workers' {missing[0]} and "
            f"{len(missing) - 1} others."
        )
    return sorted(done, key=lambda receipt: receipt["first"])


def import_ray() -> Any:
    """Return the package, with its data part; raise where it is not installed."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            f"{_OWNER}: the package ray with its part for data is needed; got {str(error)!r}. Run pip "
            "install 'vaetools[ray]'."
        ) from None
    return ray


@contextlib.contextmanager
def connected(ray: Any, address: str | None) -> Iterator[None]:
    """Have Ray while the block runs, and leave it as it was.

    Without the address of a cluster that is Ray as it runs in this process, else the cluster that the
    environment names (``RAY_ADDRESS``, as inside a job of Ray), else Ray started on this machine.
    """
    with _without_reports():
        if ray.is_initialized():
            if address is not None:
                raise ValueError(
                    f"{_OWNER}: address must be None where Ray runs already; got {address!r}. Call "
                    "ray.shutdown() first."
                )
            with _quiet():
                yield
            return
        address = address or os.environ.get("RAY_ADDRESS", "local")
        options = _LOCAL if address == "local" else {}
        try:
            with _own_signal():
                ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **options)
            with _quiet():
                yield
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _own_signal() -> Iterator[None]:
    """Keep what a request to end does in this process: Ray would exit at once, and leave files."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # Ray's own answer to a request that came while it started
        if callable(before):
            before(signal.SIGTERM, None)
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the terminal free of what Ray's part for data remarks; its files get all of it."""
    handlers = logging.getLogger("ray.data").handlers
    terminals = [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]
    levels = [handler.level for handler in terminals]
    for handler in terminals:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(terminals, levels, strict=True):
            handler.setLevel(level)


@contextlib.contextmanager
def _without_reports() -> Iterator[None]:
    """Let no report about the use of Ray leave the machine, nor from programs started in the block."""
    before = os.environ.get(_REPORTS)
    os.environ[_REPORTS] = "0"
    try:
        yield
    finally:
        del os.environ[_REPORTS]
        if before is not None:
            os.environ[_REPORTS] = before

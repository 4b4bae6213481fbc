"""Score files on many machines: Ray runs the workers and starts them again, each of which scores pieces."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet
from pyarrow.fs import FileSelector
from tqdm import tqdm

from vaetools.checks import POSITIVE_INTEGER, check, or_none
from vaetools.data.addresses import new_folder
from vaetools.data.batches import Failure
from vaetools.data.ids import as_arrow
from vaetools.persistence.model_file import load, save
from vaetools.progress import bar_options
from vaetools.stream.flow import part_of, prepared, verdicts, warn_of_positions
from vaetools.stream.parts import check_any
from vaetools.stream.pieces import Plan, RowReader, find_files, plan
from vaetools.stream.session import connected, import_ray
from vaetools.stream.sinks import Tally

_OWNER = "score_with_ray"


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
    folders: Mapping[str, Counter]


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
    model : AE, VAE or CVAE, or a pipeline of an ImageReader and one of those
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
    _check_options(n_workers, device)
    ray = import_ray(_OWNER)
    kind, found = find_files(data, include=include, exclude=exclude)
    name = found.paths[0]
    reader, estimator, columns = prepared(model, kind, name)
    _check_fits(kind, name, reader, estimator, id_column)
    read = RowReader(kind, columns, id_column, estimator.n_features_in_, found.folder)
    with new_folder(output) as (filesystem, folder), connected(ray, address, _OWNER):
        resource = "GPU" if device.startswith("cuda") else "CPU"
        n_there = int(ray.cluster_resources().get(resource, 0))
        if not n_there:
            raise ValueError(
                f"{_OWNER}: device must be one that the cluster has; got {device!r}, and no {resource}."
            )
        n_workers = n_workers or n_there
        work = plan(found.paths, read, n_workers)
        if work.by_position:
            warn_of_positions(estimator, name)
        worker = (_model_bytes(model), device, work.read, filesystem, folder)
        receipts = _receipts(ray, work, worker, min(n_workers, len(work.pieces)), resource)
        done = _gather(receipts, work, filesystem, folder, verbose)
        n_rows, n_odd = (sum(receipt[name] for receipt in done) for name in ("n_rows", "n_odd"))
        failed = [*found.failed, *(failure for receipt in done for failure in receipt["failed"])]
        check_any(n_rows, failed, name)
        folders: dict[str, Counter] = {}
        for folder, counts in (item for receipt in done for item in receipt["judged"].items()):
            folders.setdefault(folder, Counter()).update(counts)
    return Scored(n_rows, n_odd, failed, found.ignored, folders)


def _check_options(n_workers: Any, device: str) -> None:
    """Raise for a number of workers that is none, and a device that Ray does not know."""
    check(_OWNER, "n_workers", n_workers, or_none(POSITIVE_INTEGER))
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"{_OWNER}: device must be 'cpu' or 'cuda', which Ray tells apart; got {device!r}.")


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


class Worker:
    """What an actor of Ray does: load the model once, then score and write piece after piece."""

    def __init__(self, model: bytes, device: str, read: RowReader, filesystem: Any, folder: str):
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, "model.safetensors")
            path.write_bytes(model)
            self.reader, self.model, _ = prepared(load(path, device=device), read.kind, "")
        if self.reader is not None:
            self.reader.set_params(n_jobs=1, verbose=0)
        self.read, self.filesystem, self.folder = read, filesystem, folder

    def __call__(self, pieces: pa.Table) -> pa.Table:
        """Return a receipt for every piece; what is wrong with the data is no failure of a worker."""
        return packed([self._receipt(piece) for piece in unpacked(pieces)])

    def _receipt(self, piece: dict[str, Any]) -> dict[str, Any]:
        """Write the scores of a piece to a file that is named after it, and say what came of it."""
        tables: list[pa.Table] = []
        failed: list[Failure] = []
        tally = Tally(self.model, folder=self.read.folder)
        try:
            for batch in self.read.batches(piece, self.reader):
                part = part_of(self.model, batch, self.read.id_name, verdicts)
                failed += part.failed
                if len(part.table):
                    tally.add(part)
                    tables.append(as_arrow(part.table))
        except ValueError as error:
            return {"first": piece["first"], "error": str(error)}
        if tables:
            path = f"{self.folder}/{_file_name(piece)}"
            parquet.write_table(pa.concat_tables(tables), path, filesystem=self.filesystem)
        counts = {"n_rows": tally.n_rows, "n_odd": tally.n_odd, "judged": tally.judged}
        return {"first": piece["first"], "error": None, "failed": failed} | counts


def packed(things: list[dict[str, Any]]) -> pa.Table:
    """Return pieces or receipts as rows of a table, which is what travels between machines."""
    return pa.table({"": [pickle.dumps(thing) for thing in things]})


def unpacked(table: pa.Table) -> list[dict[str, Any]]:
    """Return what was packed."""
    return [pickle.loads(row) for row in table[0].to_pylist()]


def _file_name(piece: dict[str, Any]) -> str:
    """Return the name of the file for a piece, or for its receipt: names sort as the rows do."""
    return f"part-{piece['first']:012}.parquet"


def _model_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(model, path)
        return path.read_bytes()


def _receipts(ray: Any, work: Plan, worker: tuple, n_workers: int, resource: str) -> Iterator[dict[str, Any]]:
    """Have all pieces scored, and yield the receipts in the order in which they come.

    Ray starts workers that die again, and gives their pieces to others, as often as it takes.
    """
    if not work.pieces:
        return
    dataset = ray.data.from_arrow([packed([piece]) for piece in work.pieces]).map_batches(
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
    receipts: Iterator[dict[str, Any]], work: Plan, filesystem: Any, folder: str, verbose: int
) -> list[dict[str, Any]]:
    """Return all receipts in the order of the rows; raise if a row or a file is missing."""
    done = []
    with tqdm(total=work.n_rows, desc="done", unit="row", unit_scale=True, **bar_options(verbose)) as bar:
        for receipt in receipts:
            if receipt["error"] is not None:
                raise ValueError(receipt["error"])
            done.append(receipt)
            bar.update(receipt["n_rows"] + len(receipt["failed"]))
    n_rows = sum(receipt["n_rows"] + len(receipt["failed"]) for receipt in done)
    if n_rows != work.n_rows:
        raise RuntimeError(f"{_OWNER}: {work.n_rows} rows must come back from the workers; got {n_rows}.")
    names = {_file_name(receipt) for receipt in done if receipt["n_rows"]}
    there = {info.base_name for info in filesystem.get_file_info(FileSelector(folder))}
    if missing := sorted(names - there):
        raise OSError(
            f"{folder}: all machines must write to one folder; got none of the workers' {missing[0]} and "
            f"{len(missing) - 1} others."
        )
    return sorted(done, key=lambda receipt: receipt["first"])

"""Score files on many machines: Ray runs the workers and starts them again, each of which scores pieces."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from pyarrow.fs import FileSelector
from tqdm import tqdm

from vaetools.checks import POSITIVE_INTEGER, check, or_none
from vaetools.cluster.pieces import Plan, RowReader, plan
from vaetools.cluster.session import connected, import_ray
from vaetools.cluster.storage import Found, find_files, new_folder
from vaetools.data.batches import Failure, where
from vaetools.data.ids import as_arrow
from vaetools.data.sub_folders import count_by_folder
from vaetools.persistence import load, save
from vaetools.progress import bar_options
from vaetools.streaming import ODD, part_of, prepared, verdicts, warn_of_positions

_OWNER = "score_with_ray"
_COUNT = pa.struct([("folder", pa.binary()), ("verdict", pa.string()), ("n", pa.int64())])
_FAILURE = pa.struct([("id", pa.binary()), ("reason", pa.string())])
_PIECE = pa.schema(
    [("first", pa.int64()), ("paths", pa.list_(pa.binary())), ("groups", pa.list_(pa.int64()))]
)
_RECEIPT = pa.schema(
    [
        ("first", pa.int64()),
        ("n_rows", pa.int64()),
        ("n_odd", pa.int64()),
        ("failed", pa.list_(_FAILURE)),
        ("counts", pa.list_(_COUNT)),
        ("error", pa.string()),
    ]
)


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
    check(_OWNER, "n_workers", n_workers, or_none(POSITIVE_INTEGER))
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"{_OWNER}: device must be 'cpu' or 'cuda', which Ray tells apart; got {device!r}.")
    ray = import_ray(_OWNER)
    found = find_files(data, include=include, exclude=exclude)
    name = found.prefix + found.paths[0]
    reader, estimator, columns = prepared(model, found.kind, name)
    if found.kind == "images" and reader is None:
        raise ValueError(f"{name}: the model takes rows of numbers; got images.")
    if found.kind == "images" and id_column is not None:
        raise ValueError(f"{name}: an id column needs a table; got images.")
    if estimator.network is not None:
        raise ValueError(
            f"{_OWNER}: model must be whole in the file that workers load; got network={estimator.network!r}."
        )
    with new_folder(output) as (filesystem, folder), connected(ray, address, _OWNER):
        resource = "GPU" if device.startswith("cuda") else "CPU"
        n_there = int(ray.cluster_resources().get(resource, 0))
        if not n_there:
            raise ValueError(
                f"{_OWNER}: device must be one that the cluster has; got {device!r}, and no {resource}."
            )
        n_workers = n_workers or n_there
        work = plan(found, columns, id_column, n_workers, estimator.n_features_in_)
        if work.by_position:
            warn_of_positions(estimator, name)
        worker = (_model_bytes(model), device, work.read, filesystem, folder)
        receipts = _receipts(ray, work, worker, min(n_workers, len(work.pieces)), resource)
        scored = _sum(_gather(receipts, work, filesystem, folder, verbose), found)
        if not scored.n_scored:
            first = "".join(f"; the first: {where(name)}: {reason}" for name, reason in scored.failed[:1])
            raise ValueError(f"{name}: there is nothing that could be read{first}.")
    return scored


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
        receipts = []
        for piece in pieces.to_pylist():
            try:
                receipts.append(self._score(piece))
            except ValueError as error:
                receipts.append({"first": piece["first"], "error": str(error)})
        return pa.Table.from_pylist(receipts, schema=_RECEIPT)

    def _score(self, piece: dict[str, Any]) -> dict[str, Any]:
        """Write the scores of a piece to a file that is named after it."""
        tables, failed, n_odd = [], [], 0
        counts: Counter[tuple[str, str]] = Counter()
        for batch in self.read.batches(piece, self.reader):
            part = part_of(self.model, batch, self.read.id_name, verdicts)
            failed += part.failed
            if len(part.table):
                n_odd += int((part.table["verdict"] == ODD).sum())
                counts += _counted(part.table, self.read.folder)
                tables.append(as_arrow(part.table))
        if tables:
            path = f"{self.folder}/{_file_name(piece)}"
            parquet.write_table(pa.concat_tables(tables), path, filesystem=self.filesystem)
        return {
            "first": piece["first"],
            "n_rows": sum(map(len, tables)),
            "n_odd": n_odd,
            "failed": [{"id": os.fsencode(str(name)), "reason": reason} for name, reason in failed],
            "counts": [
                {"folder": os.fsencode(name), "verdict": verdict, "n": n}
                for (name, verdict), n in counts.items()
            ],
        }


def _counted(table: pd.DataFrame, folder: str | None) -> Counter[tuple[str, str]]:
    """Return how many rows there are of each folder below one and verdict; nothing without a folder."""
    if folder is None:
        return Counter()
    found = count_by_folder(folder, table.iloc[:, 0], table["verdict"])
    return Counter({(name, verdict): n for name, counts in found.items() for verdict, n in counts.items()})


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
    pieces = [pa.Table.from_pylist([piece], schema=_PIECE) for piece in work.pieces]
    dataset = ray.data.from_arrow(pieces).map_batches(
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
        yield from batch.to_pylist()


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


def _sum(receipts: list[dict[str, Any]], found: Found) -> Scored:
    """Return what receipts say together."""
    name = os.fsdecode if found.kind == "images" else int
    failed = [Failure(name(row["id"]), row["reason"]) for receipt in receipts for row in receipt["failed"]]
    folders: dict[str, Counter] = {}
    for count in (count for receipt in receipts for count in receipt["counts"]):
        folders.setdefault(os.fsdecode(count["folder"]), Counter())[count["verdict"]] += count["n"]
    return Scored(
        sum(receipt["n_rows"] for receipt in receipts),
        sum(receipt["n_odd"] for receipt in receipts),
        [*found.failed, *failed],
        found.ignored,
        folders,
    )

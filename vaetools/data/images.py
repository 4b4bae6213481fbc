"""A folder of images, a glob, a list of paths or a torchvision dataset becomes rows of pixels."""

import contextlib
import dataclasses
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from vaetools.data.batches import Failure
from vaetools.data.decoding import ImageFileError
from vaetools.data.listing import Listing, list_images
from vaetools.data.reader import ImageReader, as_sources, gather
from vaetools.files import naming

_FORMAT = "vaetools image cache 1"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images as rows, and where they come from.

    Attributes
    ----------
    X : ndarray of shape (n_images, channels · height · width)
        8-bit levels, or 16-bit ones if images are such. A memory map if a cache was asked for.
    image_shape : tuple (channels, height, width)
        To pass on to the estimators.
    paths : list of str or int
        File of every row; for a dataset its number.
    labels : ndarray of shape (n_images,) or None
        Sub-folder of every file, or what the dataset says.
    failed : list of Failure
        Files that could not be read, as (id, reason).
    ignored : dict from str to str
        What was met in folders and is left out, with its kind, such as ``".txt"``, ``"hidden"``, or
        ``"excluded"`` by a pattern; and paths that were named twice.
    reader : ImageReader
        Fitted: it reads other images the same way.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for kind in ("good", "odd"):
    ...         Path(folder, kind).mkdir()
    ...         Image.new("L", (8, 6), 7).save(Path(folder, kind, "1.png"))
    ...     images = read_images(folder)
    >>> images, images.labels.tolist(), images.X[0, :3]
    (<ImageSet of 2 images of 1×6×8; 0 could not be read>, ['good', 'odd'], array([7, 7, 7], dtype=uint8))
    """

    X: np.ndarray
    image_shape: tuple[int, int, int]
    paths: list[Any]
    labels: np.ndarray | None
    failed: list[Failure]
    ignored: dict[str, str]
    reader: ImageReader

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.image_shape))
        return f"<ImageSet of {len(self.X)} images of {shape}; {len(self.failed)} could not be read>"


def read_images(
    source: Any,
    *,
    size: Any = None,
    mode: str = "auto",
    aspect: str = "pad",
    image_shape: tuple[int, int, int] | None = None,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    cache: str | os.PathLike[str] | None = None,
    strict: bool = False,
    n_jobs: int = -1,
    verbose: int = 0,
) -> ImageSet:
    """Read images as rows of pixels; a file that cannot be read is listed, and stops nothing.

    PNG, JPEG, WebP, AVIF, BMP, GIF, TIFF, PPM, and HEIC if the package pillow-heif is there, recognized
    by content: 8 and 16 bits (colors of 16 bits with the package opencv-python-headless, else of their
    upper byte, and it is said), palettes, CMYK. Transparency is put over white, EXIF rotation is applied,
    of animations the first frame is read. Scaling is antialiased.

    Parameters
    ----------
    source : path, glob, list of those, or torchvision dataset
        A folder is searched with its sub-folders, by extension. Paths may be bytes; one that is named
        twice is read once. Of a dataset each item must be a PIL
        image, alone or before its label.
    size : None, "auto", int or tuple (height, width), default=None
        Pixels that every image is scaled to; a number is a square. None keeps the images' own size,
        which must be the same for all. ``"auto"`` keeps it up to 128 pixels a side, and scales larger
        images, or such of several sizes, to 64 pixels on the longer side: into a square, unless
        all have one aspect.
    mode : {"auto", "gray", "rgb"}, default="auto"
        ``"auto"`` is ``"rgb"`` if a sample of the images has color in it.
    aspect : {"pad", "crop", "stretch"}, default="pad"
        How an image of another aspect fits: scaled until it fits and centered on black, scaled until it
        fills and what overhangs left out, or distorted.
    image_shape : None or tuple (channels, height, width), default=None
        ``size`` and ``mode`` in one.
    include, exclude : str or sequence of str, default=()
        Patterns of the files that are read, if there are any, and of those that are not:
        ``exclude="*_mask.png"``, or ``["ground_truth/", "*/old/*"]`` from the folder on. ``*`` stands for
        any characters of a name and ``**`` for any folders, in upper or lower case; a pattern without
        ``/`` may fit any name on the path; ``/`` at its end means folders.
    cache : path or None, default=None
        A ``.npy`` file to decode into, once. It is reused, as a memory map, while its index beside it
        (``*.index``) fits files, times of change and settings; an interrupted one is continued.
    strict : bool, default=False
        Raise for the first file that cannot be read.
    n_jobs : int, default=-1
        Processes that decode; −1 is one per core.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.

    Returns
    -------
    images : ImageSet

    Raises
    ------
    FileNotFoundError
        If there is no image.
    ImageFileError
        If no file can be read, or with ``strict`` one cannot.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label in ("dark", "light"):
    ...         Path(folder, label).mkdir()
    ...         Image.new("L", (28, 28), label == "light" and 255).save(Path(folder, label, "1.png"))
    ...     size = Path(folder, "dark", "2.png").write_text("no image")
    ...     images = read_images(folder)
    >>> images.X.shape, images.image_shape, images.labels.tolist()
    ((2, 784), (1, 28, 28), ['dark', 'light'])
    >>> [failure.reason[:12] for failure in images.failed]
    ['not an image']
    """
    reader = ImageReader(
        size, mode=mode, aspect=aspect, image_shape=image_shape, n_jobs=n_jobs, verbose=verbose
    )
    if hasattr(source, "columns"):  # a DataFrame
        source = as_sources(source)
    sources, labels, listing = _found(source, include, exclude, needs_files=cache is not None)
    reader.fit(sources)
    if cache is None:
        rows, failed = gather(reader, sources)
    else:
        rows, failed = _cached_rows(cache, sources, reader)
    bad = {int(failure.id) for failure in failed}
    if bad and (strict or not len(rows)):
        first = failed[0]
        rest = f" ({len(bad)} of {len(sources)} files could not be read)"
        raise ImageFileError(str(sources[int(first.id)]), first.reason + rest)
    names = list(range(len(sources))) if listing is None else listing.paths
    good = [i for i in range(len(sources)) if i not in bad]
    return ImageSet(
        X=rows,
        image_shape=reader.image_shape_,
        paths=[names[i] for i in good],
        labels=None if labels is None else np.asarray(labels)[good],
        failed=[Failure(names[int(i)], reason) for i, reason in failed] + (listing.failed if listing else []),
        ignored=listing.ignored if listing else {},
        reader=reader,
    )


def _found(
    source: Any, include: str | Iterable[str], exclude: str | Iterable[str], *, needs_files: bool
) -> tuple[Sequence[Any], Any, Listing | None]:
    """Return images, labels and, where they are files, the listing of them; a dataset may be of others."""
    if isinstance(source, Listing):
        return source.paths, source.labels, source
    if source is None:
        raise TypeError("read_images: source must be a folder, a glob, paths or a dataset; got None.")
    is_files = isinstance(source, (str, bytes, os.PathLike, list, tuple, set)) or hasattr(source, "tolist")
    if is_files or not (hasattr(source, "__getitem__") and hasattr(source, "__len__")):
        listing = list_images(source, include=include, exclude=exclude)
        return listing.paths, listing.labels, listing
    if include or exclude:
        raise ValueError(f"read_images: include and exclude need files; got {type(source).__name__}.")
    is_folder = all(hasattr(source, name) for name in ("samples", "classes", "loader"))  # of torchvision
    if is_folder and source.transform is None:  # its files are faster
        listing = Listing()
        listing.paths = [os.fspath(path) for path, _ in source.samples]
        return listing.paths, [source.classes[label] for _, label in source.samples], listing
    if needs_files:
        raise ValueError(
            f"read_images: cache needs files, to see whether they changed; got {type(source).__name__}."
        )
    return _Items(source), getattr(source, "targets", None), None


class _Items(Sequence[Any]):
    """The images of a dataset, fetched when they are looked at."""

    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        item = self.dataset[int(index)]
        return item[0] if isinstance(item, tuple) else item


def _cached_rows(
    cache: str | os.PathLike[str], paths: Sequence[str], reader: ImageReader
) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of files as a memory map, decoding only what the cache does not hold.

    The cache is a ``.npy`` file, to which rows are appended; after them, line by line, the index, the file
    beside it with ``.index`` appended, gets path, size, time of change and fate of each file. So a cache that
    was interrupted holds what its index says, and goes on from there. What could not be read is called by
    its place among the paths.
    """
    target, index = Path(cache), Path(f"{os.fspath(cache)}.index")
    if target.suffix != ".npy":
        raise ValueError(f"{target}: a cache must be named *.npy.")
    if target.exists() and not index.exists():
        raise ValueError(f"{target}: is no cache of images, and is left alone. Choose another cache.")
    index.touch()
    with _alone(index), naming(target):
        return _filled(target, index, paths, reader)


@contextlib.contextmanager
def _alone(index: Path) -> Iterator[None]:
    """Keep other processes from filling the same cache."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with open(index, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{index}: another process is filling this cache; wait until it is done."
            ) from None
        yield


def _filled(
    target: Path, index: Path, paths: Sequence[str], reader: ImageReader
) -> tuple[np.ndarray, list[Failure]]:
    """Return rows and failures, after what is missing was decoded."""
    settings = {"format": _FORMAT, "image_shape": list(reader.image_shape_), "aspect": reader.aspect}
    dtype = np.dtype(reader.dtype_)
    if dtype != np.uint8:
        settings["dtype"] = reader.dtype_
    states = list(map(_state, paths))
    known = _read_index(target, index, settings, states)
    if known is None:
        target.unlink(missing_ok=True)  # never emptied in place: someone may have it mapped
        index.write_text(json.dumps(settings) + "\n")
        known = []
    n_rows = sum(entry[-1] is None for entry in known)
    if len(known) < len(paths):
        with open(target, "r+b" if target.exists() else "w+b") as rows, open(index, "a") as lines:
            rows.write(_header(n_rows, reader._n_features_out, dtype))
            rows.truncate(rows.tell() + n_rows * reader._n_features_out * dtype.itemsize)
            rows.seek(0, os.SEEK_END)
            for batch in reader.batches(paths[len(known) :], range(len(known), len(paths))):
                rows.write(np.ascontiguousarray(batch.X).data)
                fates: dict[int, str | None] = dict.fromkeys(batch.ids)
                fates |= {int(failure.id): failure.reason for failure in batch.failed}
                entries = [[*states[i], fates[i]] for i in sorted(fates)]
                _reach_disk(rows)
                lines.write(json.dumps(entries) + "\n")
                _reach_disk(lines)
                known += entries
                n_rows += len(batch.X)
            rows.seek(0)
            rows.write(_header(n_rows, reader._n_features_out, dtype))
    failed = [Failure(i, entry[-1]) for i, entry in enumerate(known) if entry[-1] is not None]
    if not n_rows:  # an empty file cannot be mapped
        return np.empty((0, reader._n_features_out), dtype), failed
    return np.load(target, mmap_mode="r"), failed


def _state(path: str) -> list[Any]:
    """Return what changes when a file does."""
    try:
        status = os.stat(path)
    except OSError:
        return [os.path.abspath(path), -1, -1]
    return [os.path.abspath(path), status.st_size, status.st_mtime_ns]


def _read_index(
    target: Path, index: Path, settings: dict[str, Any], states: list[list[Any]]
) -> list[Any] | None:
    """Return the entries that still hold, or None if the cache must be made anew."""
    known: list[Any] = []
    whole = 0
    with open(index, "rb") as lines:
        for number, line in enumerate(lines):
            try:
                content = json.loads(line)
            except ValueError:
                break  # written last, when it was interrupted
            if number == 0 and not (isinstance(content, dict) and content.get("format") == _FORMAT):
                raise ValueError(f"{index}: is no index of a cache, and is left alone. Choose another cache.")
            if number == 0 and content != settings:
                return None
            known += content if number else []
            whole += len(line)
    os.truncate(index, whole)
    if not whole or not target.exists() or [entry[:-1] for entry in known] != states[: len(known)]:
        return None
    n_rows = sum(entry[-1] is None for entry in known)
    n_features, dtype = math.prod(settings["image_shape"]), np.dtype(settings.get("dtype", "uint8"))
    n_bytes = len(_header(n_rows, n_features, dtype)) + n_rows * n_features * dtype.itemsize
    return known if target.stat().st_size >= n_bytes else None


def _header(n_rows: int, n_features: int, dtype: np.dtype) -> bytes:
    """Return the header of a .npy file, as long for any number of rows: numpy leaves room for more."""
    header = io.BytesIO()
    description = {"descr": dtype.str, "fortran_order": False, "shape": (n_rows, n_features)}
    npy.write_array_header_1_0(header, description)
    return header.getvalue()


def _reach_disk(file: Any) -> None:
    """Wait until what was written will survive."""
    file.flush()
    os.fsync(file.fileno())

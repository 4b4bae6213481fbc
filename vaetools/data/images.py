"""A folder of images, a glob, a list of paths or a torchvision dataset becomes rows of pixels."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from vaetools.data.batches import Failure
from vaetools.data.cache import cached_rows
from vaetools.data.decoding import ImageFileError
from vaetools.data.listing import Listing, list_images
from vaetools.data.reader import ImageReader, as_sources, gather


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
    """

    X: np.ndarray
    image_shape: tuple[int, int, int]
    paths: list
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
        rows, failed = cached_rows(cache, sources, reader)
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
) -> tuple[Sequence, Any, Listing | None]:
    """Return images, labels and, where they are files, the listing of them; a dataset may be of others."""
    if source is None:
        raise TypeError("read_images: source must be a folder, a glob, paths or a dataset; got None.")
    is_files = isinstance(source, (str, bytes, os.PathLike, list, tuple, set)) or hasattr(source, "tolist")
    if is_files or not (hasattr(source, "__getitem__") and hasattr(source, "__len__")):
        listing = list_images(source, include=include, exclude=exclude)
        return listing.paths, listing.labels, listing
    if include or exclude:
        raise ValueError(f"read_images: include and exclude need files; got {type(source).__name__}.")
    samples = getattr(source, "samples", None)
    if samples is not None and getattr(source, "transform", None) is None:  # a folder: its files are faster
        listing = Listing()
        listing.paths = [os.fspath(path) for path, _ in samples]
        return listing.paths, [source.classes[label] for _, label in samples], listing
    if needs_files:
        raise ValueError(
            f"read_images: cache needs files, to see whether they changed; got {type(source).__name__}."
        )
    return _Items(source), getattr(source, "targets", None), None


class _Items(Sequence):
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

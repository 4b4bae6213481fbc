"""Paths of images in, rows of pixels out: a scikit-learn transformer."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from vaetools.checks import is_integer
from vaetools.data import ASPECTS, UINT8
from vaetools.data.addresses import addresses, is_address
from vaetools.data.batches import Batch, Failure, PixelRows, regroup
from vaetools.data.decoding import ImageFileError, Look, Recipe, inspect
from vaetools.data.depth import FULL_RANGE, MAX_PIXELS, common_type, type_of
from vaetools.data.workers import decoded
from vaetools.mixins import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from vaetools.progress import bar_options
from vaetools.words import printable, warn

MODES = {"gray": 1, "rgb": 3}
_BATCH_VALUES, _BATCH_ROWS = 2**22, 4096
_KEPT, _SCALED = 128, 64  # pixels: of images that keep their size, and of what larger ones become
_LOOKED_AT, _MUCH = 64, 1.5  # readable images that decide what is not said; times larger or smaller
_PROGRESS = {"unit": "file", "unit_scale": True, "smoothing": 0.1}


class ImageReader(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn paths of images into rows of pixels, as a scikit-learn transformer.

    Files are read by all cores. See `read_images` for what is read and how, and for folders that may
    hold damaged files: here a file that cannot be read is an error, because every path must become
    a row.

    Parameters
    ----------
    size : None, "auto", int or tuple (height, width), default=None
        Pixels that every image is scaled to; a number is a square. None keeps the images' own size,
        which must be the same for all. ``"auto"`` keeps it up to 128 pixels a side, and scales larger
        images, or such of several sizes, to 64 pixels on the longer side: into a square, unless
        all have one aspect.
    mode : {"auto", "gray", "rgb"}, default="auto"
        ``"auto"`` is ``"rgb"`` if a sample of the images that ``fit`` sees has color in it.
    aspect : {"pad", "crop", "stretch"}, default="pad"
        How an image of another aspect fits: scaled until it fits and centered on black, scaled until it
        fills and what overhangs left out, or distorted.
    image_shape : None or tuple (channels, height, width), default=None
        ``size`` and ``mode`` in one, as the estimators take it.
    n_jobs : int, default=-1
        Processes that decode; −1 is one per core.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.

    Attributes
    ----------
    image_shape_ : tuple (channels, height, width)
        Shape of every image.
    dtype_ : {"uint8", "uint16", "int16"}
        Type of the rows: the commonest of a sample of images. For rows of 16 bits, the levels of 8-bit
        images are taken times 257; for rows of 8 bits, those of 16-bit images lose their lower byte.
    sample_sizes_ : list of tuple (height, width)
        Sizes that were met in the sample.
    typical_size_ : tuple (height, width) or None
        The size of the image that is in the middle of the sample, by its longer side; None of no images.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "red.png")
    ...     Image.new("RGB", (40, 20), "red").save(path)
    ...     reader = ImageReader(size=4).fit([path])
    ...     X = reader.transform([path])
    >>> reader.image_shape_, X.dtype.name
    ((3, 4, 4), 'uint8')
    >>> np.asarray(X.reshape(reader.image_shape_)[0])  # the red channel, on black
    array([[  0,   0,   0,   0],
           [255, 255, 255, 255],
           [255, 255, 255, 255],
           [  0,   0,   0,   0]], dtype=uint8)
    """

    def __init__(
        self,
        size: Any = None,
        *,
        mode: str = "auto",
        aspect: str = "pad",
        image_shape: tuple[int, int, int] | None = None,
        n_jobs: int = -1,
        verbose: int = 0,
    ):
        self.size = size
        self.mode = mode
        self.aspect = aspect
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Decide the shape that all images get; looks at a sample of them at most.

        Parameters
        ----------
        X : list, array, Series or one-column DataFrame of paths or PIL images
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : ImageReader
        """
        sources = as_sources(X)
        shape = self._given_shape()
        looks, unreadable = _look_at_some(sources, colors=None in shape)
        if unreadable and not looks and None in shape:
            raise ImageFileError(unreadable.path, f"{unreadable.reason}; and no other file is readable")
        self.dtype_ = _type_for([(look.dtype, look.is_cut) for look in looks.values()])
        sizes = {(look.height, look.width): i for i, look in looks.items()}
        self.sample_sizes_, self.typical_size_ = list(sizes), _typical_size(looks.values())
        if None not in shape:
            self.image_shape_ = shape
            return self
        channels, height, width = shape
        if height is None and self.size is not None:
            height, width = _working_size(self.sample_sizes_)
        elif height is None:
            if len(sizes) > 1:
                (a, i), (b, j) = list(sizes.items())[:2]
                raise ValueError(
                    f"{type(self).__name__}: size must be given where images differ in it; got {a[0]} × "
                    f"{a[1]} pixels (height × width; {sources[i]}) and {b[0]} × {b[1]} ({sources[j]}). Try "
                    "size=64."
                )
            ((height, width),) = sizes
        if channels is None:
            channels = 3 if any(look.is_colored for look in looks.values()) else 1
        self.image_shape_ = (channels, height, width)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return a row per image.

        Parameters
        ----------
        X : list, array, Series or one-column DataFrame of paths or PIL images

        Returns
        -------
        rows : PixelRows of shape (n_images, channels · height · width)
            Of type ``dtype_``; an array that tells an estimator without ``image_shape`` that its integers
            are pixels.

        Raises
        ------
        ImageFileError
            If a file cannot be read; it names the first.
        """
        check_is_fitted(self)
        sources = as_sources(X)
        rows, failed = gather(self, sources)
        if failed:
            more = f" ({len(failed)} of {len(sources)} files could not be read)" if len(failed) > 1 else ""
            raise ImageFileError(str(sources[int(failed[0].id)]), failed[0].reason + more)
        return rows.view(PixelRows)

    def batches(self, sources: Sequence[Any], ids: Sequence[Any] | None = None) -> Iterator[Batch]:
        """Decode in parallel and in order, a few million pixels at a time.

        Parameters
        ----------
        sources : sequence of str, callable or PIL image
        ids : sequence or None, default=None
            What every image is called; None numbers them.

        Yields
        ------
        batch : Batch
            Images that could be read, and those that could not with their reason.
        """
        check_is_fitted(self)
        names = range(len(sources)) if ids is None else ids
        _warn_of_others(self, sources)
        recipe = Recipe(self.image_shape_, self.aspect, self.dtype_)
        pieces = decoded(sources, names, recipe, self.n_jobs)
        n_rows = max(1, min(_BATCH_ROWS, _BATCH_VALUES // self._n_features_out))
        with tqdm(total=len(sources), desc="reading", **_PROGRESS, **bar_options(self.verbose)) as bar:
            for batch in regroup(pieces, n_rows):
                bar.update(len(batch.ids) + len(batch.failed))
                yield batch

    @property
    def _n_features_out(self) -> int:
        return math.prod(self.image_shape_)

    def _given_shape(self) -> tuple[Any, ...]:
        """Return (channels, height, width) with None for what the images decide; check all parameters."""
        owner = type(self).__name__
        for name, allowed in {"mode": ("auto", *MODES), "aspect": ASPECTS}.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{owner}: {name} must be one of {allowed}; got {getattr(self, name)!r}.")
        size = None if isinstance(self.size, str) and self.size == "auto" else self.size
        sizes = (size, size) if isinstance(size, (int, np.integer)) else size or (None, None)
        shape = (MODES.get(self.mode), *sizes)
        if self.image_shape is not None:
            given = tuple(self.image_shape)
            if self.size is not None or self.mode != "auto":
                raise ValueError(
                    f"{owner}: image_shape says size and mode already; got image_shape={given}, "
                    f"size={self.size!r} and mode={self.mode!r}."
                )
            shape = given
        positive = all(n is None or is_integer(n, 1) for n in shape)
        if len(shape) != 3 or not positive or shape[0] not in (None, *MODES.values()):
            raise ValueError(
                f"{owner}: size must be None, 'auto', a positive integer or (height, width), and image_shape "
                f"(1 or 3, height, width); got size={self.size!r} and image_shape={self.image_shape!r}."
            )
        if math.prod(n for n in shape[1:] if n is not None) > MAX_PIXELS:
            raise ValueError(
                f"{owner}: size must make at most {MAX_PIXELS:,} pixels; got {shape[1]} × {shape[2]}."
            )
        return tuple(n if n is None else int(n) for n in shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags


def reader_for(model: Any) -> ImageReader | None:
    """Return a reader of images for a model that was fitted on images of integers, or None."""
    shape, scale = model.image_shape, model.input_scale_
    dtype = type_of(scale.levels) if scale.of_levels else None
    if dtype is None or shape is None or shape[0] not in MODES.values():
        return None
    reader = ImageReader(image_shape=shape).fit([])
    reader.dtype_ = dtype
    return reader


def gather(reader: ImageReader, sources: Sequence[Any]) -> tuple[np.ndarray, list[Failure]]:
    """Return the rows of all images that a fitted reader can read, as one array, and others' places."""
    rows = np.empty((len(sources), reader._n_features_out), dtype=reader.dtype_)
    failed: list[Failure] = []
    n_read = 0
    for batch in reader.batches(sources):
        rows[n_read : n_read + len(batch.X)] = batch.X
        n_read += len(batch.X)
        failed += batch.failed
    return rows[:n_read], failed


def as_sources(X: Any) -> list[Any]:
    """Return a column of paths or images as a list."""
    if isinstance(X, (str, os.PathLike)) or not hasattr(X, "__len__"):
        raise ValueError(
            f"ImageReader: X must be a list or a column of paths; got {X!r}. read_images takes a folder."
        )
    if getattr(X, "ndim", 1) > 1:
        if X.shape[1] != 1:
            raise ValueError(f"ImageReader: X must be one column of paths; got {X.shape[1]} columns.")
        X = X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]
    values = X.tolist() if hasattr(X, "tolist") else list(X)
    named = [isinstance(value, (str, bytes, os.PathLike)) for value in values]
    sources = [os.fsdecode(value) if is_name else value for value, is_name in zip(values, named, strict=True)]
    elsewhere = sources and all(named) and all(map(is_address, sources))
    return list(addresses(sources)) if elsewhere else sources


def _look_at_some(sources: Sequence[Any], *, colors: bool) -> tuple[dict[int, Look], ImageFileError | None]:
    """Return what a look at a sample of images tells, by their number, and an error if there was one."""
    looks: dict[int, Look] = {}
    unreadable = None
    for i in np.random.RandomState(0).permutation(len(sources)):
        try:
            looks[i] = inspect(sources[i], colors=colors)
        except ImageFileError as error:
            unreadable = error
        if len(looks) == _LOOKED_AT:
            break
    return looks, unreadable


def _type_for(depths: Sequence[tuple[str, bool]]) -> str:
    """Return the type of rows for images of some depths; warn where some are read with fewer bits."""
    if n_cut := sum(is_cut for _, is_cut in depths):
        warn(
            "ImageReader: colors of 16 bits are read whole from PNG and RGB TIFF files, with the package "
            f"opencv-python-headless; got {n_cut:,} of {len(depths):,} images looked at that keep the upper "
            "8 bits. Install it, or convert them.",
        )
    return common_type([dtype for dtype, _ in depths])


def _warn_of_others(reader: ImageReader, sources: Sequence[Any]) -> None:
    """Warn where images are not like those that a reader was fitted on."""
    if not len(sources) or type(sources[0]) is not str:  # at an address, a look is a whole file
        return
    looks, _ = _look_at_some(sources, colors=False)
    _warn_of_depth({sources[i]: look for i, look in looks.items()}, reader.dtype_)
    fitted, came = reader.typical_size_, _typical_size(looks.values())
    if fitted and came and not 1 / _MUCH < max(came) / max(fitted) < _MUCH:
        warn(
            "ImageReader: images should be about as large as those that it was fitted on, of "
            f"{fitted[0]:,} × {fitted[1]:,} pixels (height × width); got {came[0]:,} × {came[1]:,}. Scaled "
            "alike, they are blurred or sharp where those are not: take or scale them as those were.",
        )


def _warn_of_depth(looks: Mapping[str, Look], dtype: str) -> None:
    """Warn where images have another number of bits than those that a reader was fitted on."""
    is_deep = dtype != UINT8
    if found := [name for name, look in looks.items() if (look.dtype != UINT8) != is_deep]:
        bits, others = (16, 8) if is_deep else (8, 16)
        taken = "those of 16 lose the lower byte"
        if is_deep:
            right = "right only beside images that use all 16 bits"
            taken = f"8-bit levels are taken times {FULL_RANGE}, {right}"
        warn(
            f"ImageReader: images should have {bits} bits, as most of those have that it was fitted on; "
            f"got {others} bits in {len(found):,} of {len(looks):,} that were looked at: {taken}. "
            f"Convert them, such as {printable(str(found[0]))}, or their verdicts mean nothing.",
        )


def _typical_size(looks: Iterable[Look]) -> tuple[int, int] | None:
    """Return the size (height, width) of the image in the middle, by the longer side."""
    sizes = sorted(((look.height, look.width) for look in looks), key=lambda size: (max(size), size))
    return sizes[len(sizes) // 2] if sizes else None


def _working_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the size (height, width) that suits images of some sizes, at a cost that can be borne."""
    if len(sizes) == 1 and max(sizes[0]) <= _KEPT:
        return sizes[0]
    side = min(max(map(max, sizes)), _SCALED)
    scaled = {(max(1, round(side * h / max(h, w))), max(1, round(side * w / max(h, w)))) for h, w in sizes}
    return scaled.pop() if len(scaled) == 1 else (side, side)

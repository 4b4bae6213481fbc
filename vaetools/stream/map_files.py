"""Maps of what is odd as files, one by one, at the size of the images that they are of."""

import contextlib
import errno
import os
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np

from vaetools.anomaly.explanation import overlay
from vaetools.data.batches import Failure
from vaetools.data.decoding import ImageFileError, Recipe
from vaetools.data.originals import Original, read_original
from vaetools.data.reader import as_sources, reader_for
from vaetools.files import folder_atomically
from vaetools.persistence.model_file import split_reader
from vaetools.stream.flow import Part
from vaetools.stream.pixel_maps import PixelMaps, has_maps, pixel_maps
from vaetools.stream.sinks import Sink

_UNUSABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)  # what is wrong with a name
_ENDINGS = (".png", ".tif", "_mask.png")  # of the files of an image: colors, the map itself, its verdict
_BLOCK = 2**20  # pixels that are colored at once
_UNSEEN = 0.4  # of their brightness is left to pixels that the model did not look at
_DESCRIPTION = 270  # tag of a TIFF file


class MapFiles(Sink):
    """Writes what is odd on every image to a folder, at the size of the image, under its name.

    Of ``crack/7.jpg`` there are ``crack/7.png``, colors over the gray image: yellow, orange, and red beyond
    the limit; ``crack/7.tif``, the map itself, 32-bit numbers in the unit of the model, NaN where it did
    not look; and of a detector, whose map is its verdict, ``crack/7_mask.png``, white where the map goes
    beyond the threshold. An image of an array is called by its number. Where another image has such a name
    already, the extension stays, as in ``crack/7.jpg.png``.

    With ``anomaly_score="images"`` several questions decide, and one of them has places: images that another
    one decided get no files.

    The folder appears when all is written. In one that is there, what is written about an image is all there
    is about it: files of these names are replaced, or removed where an image has none this time. Others stay.

    Parameters
    ----------
    folder : path
        To write.
    model : PatchDetector or autoencoder, or a pipeline of an ImageReader and one
        Fitted on images; others than a detector must be able to reconstruct.
    root : path or None, default=None
        Folder of the images, as their paths begin: below it, sub-folders are kept. None keeps none.

    Attributes
    ----------
    unit : str
        Of the maps.
    limit : float or None
        What is red: greater values; None until there is a map.
    renamed : dict from str to str
        Images whose files have a longer name, or would have, and that.
    without : dict from str to str
        Images that get no files, and the question that decided about them.
    failed : list of Failure
        Images of which no map could be written.
    removed : list of str
        Files of these images that were in the folder before and have no successor.

    Raises
    ------
    ValueError
        If the model has no maps, or images lie in the folder, and would be written over.
    """

    takes_maps = True
    unit: str = ""
    limit: float | None = None
    is_verdict: bool = False

    def __init__(
        self, folder: str | os.PathLike[str], model: Any, root: str | os.PathLike[str] | None = None
    ):
        reader, self.model = split_reader(model)
        self._reader = reader or reader_for(self.model)
        self.folder, self.root = Path(folder), None if root is None else os.fspath(root)
        self.renamed: dict[str, str] = {}
        self.without: dict[str, str] = {}
        self.failed: list[Failure] = []
        self.removed: list[str] = []
        self._taken: set[str] = set()
        self._earlier: set[str] = set()  # files of these images that are in the folder already
        if not has_maps(self.model):
            raise ValueError(
                "MapFiles: model must be fitted on images, and be a PatchDetector or able to reconstruct; "
                f"got a {type(self.model).__name__} of image_shape={self.model.image_shape}."
            )

    def __enter__(self) -> "MapFiles":
        with contextlib.ExitStack() as stack:
            self._place = stack.enter_context(folder_atomically(self.folder))
            self._open = stack.pop_all()
        return self

    def add(self, part: Part) -> None:
        """Write the maps of a part."""
        maps = pixel_maps(self.model, np.asarray(part.X), part.maps, part.context)
        self.unit, self.limit, self.is_verdict = maps.unit, maps.limit, maps.is_verdict
        for i, name in enumerate(part.table.iloc[:, 0]):
            self._note_earlier(name)
            named = self._called(str(name))
            if maps.questions is not None and not maps.is_of_decision(i):
                self.without[str(name)] = str(maps.questions[i])
                continue
            files = [self._place / file for file in named[: 2 + maps.is_verdict]]
            try:
                original = self._original(name, np.asarray(part.X[i]))
                self._write(files, original, original.put_back(maps.values[i]), maps)
            except ImageFileError as error:
                self.failed.append(Failure(name, error.reason))
            except OSError as error:
                if error.errno not in _UNUSABLE:
                    raise
                self.failed.append(Failure(name, f"no map can be called like it: {error.strerror}"))
                for file in files:
                    with contextlib.suppress(OSError):
                        file.unlink()

    def miss(self, failed: list[Failure]) -> None:
        """Note what an earlier run wrote about images that could not be read, or lack their context."""
        for name, _ in failed:
            self._note_earlier(name)

    def facts(self) -> dict[str, Any]:
        """Return where maps are and what they mean, as plain values."""
        return {
            "folder": str(self.folder),
            "unit": self.unit,
            "red_above": self.limit,
            "is_verdict": self.is_verdict,
            "renamed": self.renamed,
            "without": self.without,
            "removed": self.removed,
        }

    def close(self) -> None:
        """Let the folder appear, without files of an earlier run about these images that are not replaced."""
        self.removed = sorted(file for file in self._earlier if not os.path.isfile(self._place / file))
        self._open.close()
        for file in self.removed:
            (self.folder / file).unlink()

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def _original(self, name: Any, row: np.ndarray) -> Original:
        """Return an image at its own size; of an array, as it is there."""
        channels, height, width = (
            self.model.image_shape if self._reader is None else self._reader.image_shape_
        )
        if not isinstance(name, str) or self._reader is None:
            return Original(row.reshape(channels, height, width), (0, 0, width, height), (width, height))
        [source] = as_sources([name])
        recipe = Recipe((channels, height, width), self._reader.aspect, self._reader.dtype_)
        return read_original(source, recipe)

    def _write(self, files: list[Path], original: Original, values: np.ndarray, maps: PixelMaps) -> None:
        """Write the files of one image."""
        from PIL import Image

        colors, raw, *masks = files
        colors.parent.mkdir(parents=True, exist_ok=True)
        gray = np.asarray(self.model.input_scale_.shown(original.pixels))
        gray = (gray / 255 if gray.dtype == np.uint8 else gray).mean(axis=0, dtype=np.float32)
        Image.fromarray(_colored(gray, values, maps)).save(colors, "PNG", compress_level=2)
        said = f"{maps.unit}; odd beyond {maps.limit:.9g}"
        # packed it is hardly smaller, unless by differences of floats, which ImageJ does not read
        Image.fromarray(values).save(raw, "TIFF", tiffinfo={_DESCRIPTION: said})
        for mask in masks:
            Image.fromarray(np.uint8(255) * (values > maps.limit)).save(mask, "PNG")

    def _note_earlier(self, name: Any) -> None:
        """Note which files that an earlier run may have written about an image are there, none of them it."""
        is_file = isinstance(name, str) and self._reader is not None and os.path.lexists(name)
        if is_file and Path(os.path.realpath(self.folder)) in Path(os.path.realpath(name)).parents:
            raise ValueError(
                f"MapFiles: folder must not be one that images lie in, which maps would be written over; got "
                f"{str(self.folder)!r} and {name!r}. Name another folder."
            )
        may_be = (stem + ending for stem in islice(self._stems(str(name)), 2) for ending in _ENDINGS)
        self._earlier.update(file for file in may_be if os.path.isfile(self.folder / file))

    def _called(self, name: str) -> list[str]:
        """Return what the files of an image are called, as nothing else is, with a map or without."""
        named = ([stem + ending for ending in _ENDINGS] for stem in self._stems(name))
        first = next(named)
        files = next(
            each for each in chain([first], named) if self._taken.isdisjoint(map(str.casefold, each))
        )
        if files != first:
            self.renamed[name] = files[0]
        self._taken.update(map(str.casefold, files))
        return files

    def _stems(self, name: str) -> Iterator[str]:
        """Yield what the files of an image may be called, without ending."""
        divider = "/" if "://" in name else os.sep
        parts = [name.rpartition(divider)[2]]
        if self.root is not None and name.startswith(start := os.path.join(self.root, "")):
            parts = name.removeprefix(start).split(divider)
        inside = os.path.join("", *(part for part in parts if part not in ("", os.curdir, os.pardir)))
        yield os.path.splitext(inside)[0]
        yield inside
        yield from (f"{inside}.{i}" for i in count(2))


def _colored(gray: np.ndarray, values: np.ndarray, maps: PixelMaps) -> np.ndarray:
    """Return a map as colors over an image, ``(height, width, 3)``, a few rows at a time."""
    height, width = values.shape
    picture = np.empty((height, width, 3), np.uint8)
    n_rows = max(1, _BLOCK // width)
    for start in range(0, height, n_rows):
        rows = slice(start, start + n_rows)
        lit = np.where(np.isnan(values[rows]), _UNSEEN * gray[rows], gray[rows])
        picture[rows] = overlay(maps.heat(values[rows])[None], lit[None])[0]
    return picture

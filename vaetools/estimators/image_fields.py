"""Parameters of estimators by frozen networks: type, default, requirement and meaning of each."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from vaetools.checks import (
    IMAGE_SHAPE,
    POSITIVE_INTEGER,
    PROBABILITY,
    SIZE,
    Requirement,
    is_instance,
    one_of,
    or_auto,
    or_none,
)
from vaetools.estimators.constructor import from_fields, parameter
from vaetools.estimators.fields import CONFIDENCE, DEVICE, SEED, VERBOSE
from vaetools.nn import LITE0, PIXELS

PATCHES, PATCHES_UNIT = "patches", "std"  # the score of a detector
UNIT_IN_WORDS = "standard deviation of what the oddest places of good images are; usual is about 0"
THUMBNAIL = 32  # pixels on the longer side, at most, of images that are judged as a whole
_NETWORK = Requirement(
    "the name of a network or a torch module",
    lambda value: isinstance(value, str) or is_instance(value, "forward"),
)
_LAYERS = or_auto(
    Requirement(
        "a sequence of names of layers",
        lambda value: (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(isinstance(each, str) for each in value)
        ),
    )
)


def _is_normalization(value: Any) -> bool:
    """Whether a value is two sequences of as many numbers, those of the second positive."""
    import numpy as np

    try:
        mean, std = (np.asarray(each, dtype=np.float64) for each in value)
    except (TypeError, ValueError):
        return False
    return mean.ndim == 1 and mean.shape == std.shape and bool(np.isfinite(mean).all() and (std > 0).all())


_NORMALIZATION = or_auto(or_none(Requirement("a pair (mean, std) of numbers per channel", _is_normalization)))


@from_fields
class BackboneFields:
    """Parameters of a frozen network."""

    network: Any = parameter(
        _NETWORK,
        f'``"{LITE0}"``, the name of a classifier of torchvision.models such as ``"resnet18"``, which is '
        f'taken with its default weights, ``"{PIXELS}"`` for fixed filters, or a module of your own, which '
        "is not changed.",
        default=LITE0,
        kw_only=False,
    )
    layers: str | Sequence[str] = parameter(
        _LAYERS,
        "Names of layers whose outputs are maps, as `torchvision.models.feature_extraction` has them. "
        '``"auto"`` takes the last at strides of 16 and 32 pixels of EfficientNet-lite0 and of ResNets.',
        default="auto",
    )
    image_shape: tuple[int, int, int] | None = parameter(
        or_none(IMAGE_SHAPE),
        "Shape of the images whose pixels the rows of X hold, as (channels, height, width), of 1 or 3 "
        "channels. It must be given.",
        default=None,
    )
    size: tuple[int, int] | None = parameter(
        or_none(SIZE),
        "Height and width that images are scaled to for the network; None leaves them. Thumbnails say more "
        "at some hundred pixels than as they are.",
        default=None,
    )
    normalization: Any = parameter(
        _NORMALIZATION,
        'Mean and standard deviation, per channel of images in [0, 1], that the network expects; ``"auto"`` '
        "takes those that its weights were trained with, and for a module of your own none.",
        default="auto",
    )
    device: Any = DEVICE


@from_fields
class PatchFields:
    """Parameters of a detector of small defects."""

    estimator: Any = parameter(
        or_none(
            Requirement(
                "an AE, VAE or CVAE", lambda value: is_instance(value, "score_samples", "reconstruct")
            )
        ),
        "Autoencoder of patches, which are rows of standardized features; it is cloned. A `CVAE` is told in "
        "which of 4×4 regions of the image each lies, which suits parts that always lie alike. None takes a "
        "denoising `AE` of 32 components.",
        default=None,
        kw_only=False,
    )
    backbone: Any = parameter(
        or_none(
            Requirement(
                "the name of a network or a Backbone",
                lambda value: isinstance(value, str) or is_instance(value, "transform", "maps"),
            )
        ),
        "Frozen network that makes features of places: a name as `Backbone` has them, or one with layers, "
        f'which is cloned. None takes fixed filters, ``"{PIXELS}"``, which need no package and find less.',
        default=LITE0,
    )
    image_shape: tuple[int, int, int] | None = parameter(
        or_none(IMAGE_SHAPE),
        "Shape of the images whose pixels the rows of X hold, as (channels, height, width). It must "
        "be given.",
        default=None,
    )
    scope: Literal["auto", "places", "whole", "both"] = parameter(
        one_of("auto", "places", "whole", "both"),
        'What is judged: ``"places"`` of an image, each against places of good images, as small defects '
        'need; an image as a ``"whole"``, by the mean of its features, as thumbnails need, whose map is then '
        'of one color; or ``"both"``, where an image that is odd as a whole is so where its places are '
        'oddest. ``"auto"`` takes the whole of images of at most 32 pixels a side, and both of larger ones, '
        "but places alone where `backbone` has layers of its own. The last layer tells the whole.",
        default="auto",
    )
    n_references: int = parameter(
        POSITIVE_INTEGER, "Patches of training images that places are compared with, at most.", default=2000
    )
    false_alarm_rate: float = parameter(
        PROBABILITY, "Probability that a new normal image is flagged.", default=0.05
    )
    confidence: float | None = CONFIDENCE
    calibration_fraction: float = parameter(
        PROBABILITY,
        "Share of the images that calibrate and train nothing. Of few images 40 % do, and tell what is "
        "usual, too, but where the whole alone is judged all train; with a `confidence` this share does "
        "nothing else.",
        default=0.2,
    )
    device: Any = DEVICE
    random_state: Any = parameter(SEED, "Seed of all that is drawn.", default=None)
    verbose: int = VERBOSE


NETWORK: dict[str, Requirement] = {
    field.name: field.metadata["requirement"] for field in dataclasses.fields(BackboneFields)
}
DETECTOR: dict[str, Requirement] = {
    field.name: field.metadata["requirement"] for field in dataclasses.fields(PatchFields)
}

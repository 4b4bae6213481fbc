"""Parameters of a loss that is added in training: type, default, requirement and meaning of each."""

from vaetools.checks import POSITIVE, one_of, or_none
from vaetools.estimators.constructor import from_fields, parameter
from vaetools.nn import ADDED_LOSSES, LITE0, PIXELS


@from_fields
class AddedFields:
    """Parameters of every estimator that say what training counts beside nats."""

    added_loss: str | None = parameter(
        or_none(one_of(*ADDED_LOSSES)),
        "Of images in [0, 1], what is added to the training loss beside the likelihood, which counts every "
        'pixel by itself: ``"structure"`` is 1 − SSIM of image and reconstruction, the others differences of '
        f'the features of a frozen network, ``"{LITE0}"``, or of fixed filters, ``"{PIXELS}"``. It is not in '
        "nats, and enters no bound; the score ``perceptual`` asks it, too. See ``docs/perceptual.md``.",
        default=None,
    )
    added_weight: float = parameter(
        POSITIVE,
        "What every value of an image costs in training, as if in nats, that has nothing in common with its "
        "reconstruction by ``added_loss``.",
        default=1.0,
    )

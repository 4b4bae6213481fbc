"""Parameters of the constructors: type, default, requirement and meaning of each stand here once.

Read without torch, by those who read a model file, too.
"""

import importlib
import re
from typing import Any, Literal

from vaetools.anomaly.scores import SCORES, AnomalyScore
from vaetools.checks import (
    COUNT,
    FLAG,
    IMAGE_SHAPE,
    NONNEGATIVE,
    POSITIVE,
    POSITIVE_INTEGER,
    PROBABILITY,
    SHARE,
    WIDTHS,
    Requirement,
    is_instance,
    is_integer,
    is_number,
    one_of,
    or_auto,
    or_none,
)
from vaetools.estimators.added_fields import AddedFields
from vaetools.estimators.constructor import from_fields, parameter
from vaetools.nn import (
    ACTIVATIONS,
    LEARNING_RATES,
    LIKELIHOOD_CLASSES,
    PRECISIONS,
    WORD_PRIORS,
    Activation,
)

COLUMN_LIKELIHOODS = ("gaussian", "bernoulli", "categorical")
_LIKELIHOOD = Requirement(
    f"{one_of(*LIKELIHOOD_CLASSES, 'mixed').words}, or a likelihood instance",
    lambda value: (
        value in (*LIKELIHOOD_CLASSES, "mixed")
        if isinstance(value, str)
        else is_instance(value, "log_prob", "mean", "bind")
    ),
)
_COLUMN_LIKELIHOODS = Requirement(
    f"None or a dict from columns to {one_of(*COLUMN_LIKELIHOODS).words}",
    lambda value: (
        value is None
        or (isinstance(value, dict) and all(kind in COLUMN_LIKELIHOODS for kind in value.values()))
    ),
)
_NETWORK = or_none(
    Requirement(
        "a module with the methods posterior and decode",
        lambda value: is_instance(value, "posterior", "decode"),
    )
)
_CONTAMINATION = Requirement(
    "'auto' or a number above 0 and at most 0.5",
    lambda value: value == "auto" if isinstance(value, str) else is_number(value, 0, 0.5, closed="right"),
)
# parameters that estimators by frozen networks have, too
DEVICE = parameter(
    Requirement(
        "'auto', a device name such as 'cpu' or 'cuda:0', or a torch device",
        lambda value: (
            re.fullmatch(r"auto|(cpu|mps)(:0)?|(cuda|xpu)(:(0|[1-9]\d?))?", value)
            if isinstance(value, str)
            else isinstance(value, importlib.import_module("torch").device)
        ),
    ),
    'Where to compute; ``"auto"`` takes a GPU if there is one.',
    default="auto",
)
SEED = Requirement(
    "None, an integer from 0 to 4294967295 or a RandomState",
    lambda value: (
        value is None
        or is_integer(value, 0, 2**32 - 1)
        or isinstance(value, importlib.import_module("numpy").random.RandomState)
    ),
)
CONFIDENCE = parameter(
    or_none(PROBABILITY),
    "Confidence that this one model flags at most ``false_alarm_rate`` of new normal rows; without it that "
    "holds in the mean over sets of calibration rows. 0.95 in 0.05 takes 59 calibration rows, and with 1,000 "
    "flags 3.9 % on average.",
    default=None,
)
VERBOSE = parameter(
    Requirement(
        "True, False or an integer at least 0", lambda value: isinstance(value, bool) or is_integer(value, 0)
    ),
    "1 shows a progress bar, 2 writes a line now and then, for a log.",
    default=0,
)


@from_fields
class NetworkFields:
    """What is trained: parameters of every estimator that come first."""

    n_components: int | Literal["auto"] = parameter(
        or_auto(POSITIVE_INTEGER),
        'Dimensions of the latent space. ``"auto"`` is 16 for images and 1 + √n_features, rounded down, for '
        "other rows; of a `VQVAE` as many as whole words take, or a word for every place of the last feature "
        "map if there are no dense layers.",
        default="auto",
        kw_only=False,
    )
    hidden_layer_sizes: Any = parameter(
        or_auto(WIDTHS),
        'Widths of the encoder\'s dense layers; the decoder mirrors them. ``"auto"`` is (256,) behind '
        "convolutions, else (128, 128), or (512, 256) above 128 features.",
        default="auto",
    )
    hidden_channels: Any = parameter(
        or_auto(WIDTHS),
        'Channels of the convolutions in front of the dense layers, each halving the image. ``"auto"`` '
        "convolves where ``image_shape`` is given, down to at most 7 pixels; ``()`` is an MLP. With "
        "``hidden_layer_sizes=()`` and as many components as the last feature map has values (of a `VQVAE`: "
        "a multiple of its places), the code is a map, too.",
        default="auto",
    )
    image_shape: tuple[int, int, int] | None = parameter(
        or_none(IMAGE_SHAPE),
        "Shape of the images whose pixels the rows of X hold, as (channels, height, width).",
        default=None,
    )
    activation: Activation = parameter(one_of(*ACTIVATIONS), "Function between the layers.", default="silu")
    likelihood: Any = parameter(
        _LIKELIHOOD,
        'Density of a row given its code. ``"gaussian"`` learns one scale, and judges rows of tables with '
        "heavier tails (``tail_``); a `VQVAE` of images has one per pixel in use (``gaussian_scale_``). "
        "`Gaussian` is normal, and offers other scales. "
        '`Bernoulli` and `ContinuousBernoulli` need values in [0, 1]. ``"mixed"`` takes tables of numbers, '
        "booleans and categories with missing cells, and gives decoded rows back as such.",
        default="gaussian",
    )
    column_likelihoods: dict[Any, Literal["gaussian", "bernoulli", "categorical"]] | None = parameter(
        _COLUMN_LIKELIHOODS,
        'With ``likelihood="mixed"``: the density of columns by name (of an array: by position), for which '
        "their type is not to decide: numbers are Gaussian, booleans Bernoulli, texts and categories "
        'categorical. ``"bernoulli"`` needs a column of two values.',
        default=None,
    )
    network: Any = parameter(
        _NETWORK,
        "Your own network, trained or not; `EncoderDecoder` makes one of an encoder and a decoder. It is "
        "copied, never changed. With ``max_iter=0`` its weights are used as they are. Layers that draw of "
        "themselves (dropout) draw from PyTorch's global generator, which ``random_state`` does not seed.",
        default=None,
    )


@from_fields
class KLFields(NetworkFields):
    """Parameters of estimators whose posterior has a spread."""

    beta: float = parameter(
        NONNEGATIVE, "Weight of the KL term in the training loss. It enters no score.", default=1.0
    )
    kl_warmup: float = parameter(
        SHARE, "Share of the training steps over which the KL weight rises from 0 to ``beta``.", default=0.0
    )


@from_fields
class WordFields(NetworkFields):
    """Parameters of an estimator whose codes are words."""

    n_words: int | Literal["auto"] = parameter(
        or_auto(Requirement("an integer at least 2", lambda value: is_integer(value, 2))),
        'Words of the vocabulary. ``"auto"`` is a power of two from 8 to 256, at most a third as many as '
        "rows that train, but 8 where these are fewer than 24; ``partial_fit`` goes on with those of its "
        "first call.",
        default="auto",
    )
    word_size: int | Literal["auto"] = parameter(
        or_auto(POSITIVE_INTEGER),
        'Components of a word, of which ``n_components`` must be a multiple. ``"auto"`` is 4, or the most '
        "below that divide ``n_components``.",
        default="auto",
    )
    prior: Literal["frequencies", "autoregressive"] = parameter(
        one_of(*WORD_PRIORS),
        'What is learnt of the words once they are: ``"frequencies"`` of words at every place, or '
        '``"autoregressive"``, every word given those before it, by a small network, which makes at most '
        "``max_iter`` passes over the rows if that is a number.",
        default="frequencies",
    )


@from_fields
class FitFields(AddedFields):
    """How it is trained and judged: parameters of every estimator that come last."""

    input_noise: float = parameter(
        NONNEGATIVE,
        "Standard deviation of Gaussian noise on what the encoder sees while training, in scaled units; the "
        "clean row is reconstructed.",
        default=0.0,
    )
    input_masking: float = parameter(
        SHARE,
        "Share of the values that are set to 0 (in scaled units) in what the encoder sees while training; "
        'with ``likelihood="mixed"`` they go missing.',
        default=0.0,
    )
    trimmed_fraction: float = parameter(
        SHARE,
        "Share of the training rows that train nothing, `suspects_`: for rows among which some are odd. Give "
        "twice the share that is odd. Left out are the rows that are farthest from as many others as half "
        "the fraction, by scaled distance, of images without brightness and contrast. A smaller group of "
        "normal rows looks the same. Rows that calibrate are not looked at, and odd ones among them make "
        "verdicts cautious; with a number as ``contamination`` there are none.",
        default=0.0,
    )
    standardize: bool | Literal["auto"] = parameter(
        Requirement("True, False or 'auto'", or_auto(FLAG).holds),
        "Whether columns are scaled to mean 0 and standard deviation 1. True does so of whatever X is: "
        "images of integers are taken to [0, 1] before, where reconstructions then lie, and a [0, 1] "
        'likelihood refuses it. ``"auto"`` leaves alone images in [0, 1], values for a [0, 1] likelihood '
        "and, with ``max_iter=0``, whatever comes: a trained network knows its own scale. It takes images of "
        "integers to [0, 1] and no further, as False does; all else is standardized.",
        default="auto",
    )
    batch_size: int = parameter(
        POSITIVE_INTEGER, "Rows per training step; fewer rows are one batch.", default=128
    )
    learning_rate: Literal["one_cycle", "constant"] = parameter(
        one_of(*LEARNING_RATES),
        "How the step changes: up and down to nearly 0 in one cycle, or not at all.",
        default="one_cycle",
    )
    learning_rate_init: float | Literal["auto"] = parameter(
        or_auto(POSITIVE),
        'Peak, or constant, learning rate of Adam. ``"auto"`` is 0.004 where dense layers alone are trained '
        "in one cycle, and 0.002 with convolutions, a constant rate or a network of your own.",
        default="auto",
    )
    max_iter: int | Literal["auto"] = parameter(
        or_auto(COUNT),
        'Passes over the training rows (epochs). ``"auto"`` makes about 2,000 steps, or 1,400 at an '
        "automatic rate of 0.004, but never fewer than 10 epochs and never more than 500, with convolutions "
        "150, and 200 of few rows that early stopping would watch if they did not all calibrate; going on "
        "in `partial_fit`, 6. 0 leaves the weights as they are, sets a learnt scale to its "
        "maximum-likelihood value on X and calibrates.",
        default="auto",
    )
    early_stopping: bool | Literal["auto"] = parameter(
        Requirement("True, False or 'auto'", or_auto(FLAG).holds),
        "Whether to hold out ``validation_fraction`` of the rows, end training once their loss no longer "
        "falls, and keep the weights that cost them least, averaged over the last epochs while the rate is "
        "high; one learnt scale of normal tails is then that of these rows, and counts so in their loss. "
        '``"auto"`` does so where one cycle of more than 20 epochs trains on 20 rows or more, which it might '
        "learn by heart; not with a number as ``contamination``, "
        "where all rows calibrate unless the decoder predicts scales, or with "
        '``anomaly_score="tables"``, which finds the more the better rows are known.',
        default="auto",
    )
    validation_fraction: float = parameter(
        PROBABILITY,
        'Share of the rows that early stopping watches; of few rows ``"auto"`` takes 8, or a quarter.',
        default=0.1,
    )
    n_iter_no_change: int = parameter(
        POSITIVE_INTEGER,
        "Epochs without improvement before early stopping stops, of one cycle at least half; those in which "
        "the weight of KL rises, or first the rate, do not count.",
        default=10,
    )
    tol: float = parameter(
        NONNEGATIVE,
        "Least fall of the held-out loss that counts as improvement, in nats per row.",
        default=1e-4,
    )
    warm_start: bool = parameter(
        FLAG,
        "Whether `fit` of an estimator that is fitted starts from its weights, and where one cycle comes "
        "down. Labels, columns of several kinds and what makes the network must be as before. Rows that "
        "trained before may calibrate now: recalibrate with others.",
        default=False,
    )
    anomaly_score: AnomalyScore = parameter(
        one_of(*SCORES),
        "Which score `score_samples`, `predict` and `p_values` use; see `vaetools.anomaly.scores`.",
        default="reconstruction_kl",
    )
    contamination: float | Literal["auto"] = parameter(
        _CONTAMINATION,
        '``"auto"`` takes the rows as normal and sets the threshold by ``calibration``. '
        "A number holds nothing out: that share of the training rows is flagged.",
        default="auto",
    )
    false_alarm_rate: float = parameter(
        PROBABILITY,
        'Probability that a new normal row is flagged, with ``contamination="auto"``. With n calibration '
        "rows it is never below 1 / (n + 1): `fit` warns where that is more than was asked for.",
        default=0.05,
    )
    confidence: float | None = CONFIDENCE
    calibration: Literal["auto", "split", "cross"] = parameter(
        one_of("auto", "split", "cross"),
        'Which rows calibrate: ``"split"`` holds some out; ``"cross"`` lets all train and calibrate, each '
        "judged by a model like this one that learnt from four fifths of the rows, without it, which takes "
        'two to six times as long. ``"auto"`` crosses where a split would leave too few for '
        "``false_alarm_rate``: below 95 rows at 0.05, below 495 at 0.01, and never with a ``confidence``. "
        "See ``docs/promises.md``.",
        default="auto",
    )
    calibration_fraction: float = parameter(
        PROBABILITY,
        "Share of the rows, at least one of them, that a split holds out to calibrate and nothing else.",
        default=0.2,
    )
    precision: Literal["float32", "bfloat16"] = parameter(
        one_of(*PRECISIONS),
        'Of the network in training; weights, likelihoods and losses are float32 in any case. ``"bfloat16"`` '
        "(autocast) may be faster where the CPU or GPU has it in hardware.",
        default="float32",
    )
    score_precision: Literal["float64", "float32"] = parameter(
        one_of("float64", "float32"),
        "Precision of everything after training. float64 makes a row's score independent of its batch to "
        "about 12 digits; float32 is faster and good to about 5. ``set_params`` changes it after fit, too.",
        default="float64",
    )
    device: Any = DEVICE
    random_state: Any = parameter(
        SEED,
        "Seed of the split, the weights, the row order and the noise of training. Nothing after ``fit`` "
        "depends on it.",
        default=None,
    )
    verbose: int = VERBOSE

"""One table of constructor parameters: the rule each must keep, and what it means.

The table writes the error messages and the "Parameters" section of every estimator's docstring.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

from vaetools.anomaly.scores import SCORES
from vaetools.estimators.columns import COLUMN_LIKELIHOODS
from vaetools.estimators.rules import (
    Parameter,
    are_column_likelihoods,
    are_widths,
    flag,
    is_device,
    is_int,
    is_module,
    is_real,
    is_seed,
    one_of,
)
from vaetools.nn.likelihoods import LIKELIHOODS
from vaetools.nn.networks import ACTIVATIONS, CONDITIONINGS
from vaetools.nn.training import LEARNING_RATES, PRECISIONS
from vaetools.words import did_you_mean

_ARCHITECTURE = (
    "n_components",
    "hidden_layer_sizes",
    "hidden_channels",
    "activation",
    "conditioning",
    "condition_encoder",
)

PARAMETERS: dict[str, Parameter] = {
    "n_components": Parameter(
        "a positive integer or 'auto'",
        lambda value: value == "auto" if isinstance(value, str) else is_int(value),
        'Dimensions of the latent space. ``"auto"`` is 16 for images and 1 + √n_features, rounded '
        "down, for other rows.",
    ),
    "hidden_layer_sizes": Parameter(
        "a tuple of positive integers or 'auto'",
        lambda value: value == "auto" if isinstance(value, str) else are_widths(value),
        'Widths of the encoder\'s dense layers; the decoder mirrors them. ``"auto"`` is (256,) '
        "behind convolutions, else (128, 128), or (512, 256) above 128 features.",
    ),
    "hidden_channels": Parameter(
        "a tuple of positive integers or 'auto'",
        lambda value: value == "auto" if isinstance(value, str) else are_widths(value),
        "Channels of the convolutions in front of the dense layers, each halving the image. "
        '``"auto"`` convolves where ``image_shape`` is given, down to at most 7 pixels; ``()`` '
        "is an MLP. With ``hidden_layer_sizes=()`` and as many components as the last feature "
        "map has values, that map is the code.",
    ),
    "image_shape": Parameter(
        "None or a tuple (channels, height, width) of positive integers",
        lambda value: value is None or (are_widths(value) and len(value) == 3),
        "Shape of the images whose pixels the rows of X hold, as (channels, height, width).",
    ),
    "activation": Parameter(*one_of(*ACTIVATIONS), "Function between the layers."),
    "likelihood": Parameter(
        f"{one_of(*LIKELIHOODS, 'mixed')[0]}, or a likelihood instance",
        lambda value: (
            value in (*LIKELIHOODS, "mixed")
            if isinstance(value, str)
            else is_module(value, "log_prob", "mean", "bind")
        ),
        'Density of a row given its code. ``"gaussian"`` learns one scale; `Gaussian` offers '
        "others. `Bernoulli` and `ContinuousBernoulli` need values in [0, 1]. "
        '``"mixed"`` takes tables of numbers, booleans and categories with missing cells, and gives '
        "decoded rows back as such.",
    ),
    "column_likelihoods": Parameter(
        f"None or a dict from columns to {one_of(*COLUMN_LIKELIHOODS)[0]}",
        lambda value: value is None or are_column_likelihoods(value),
        'With ``likelihood="mixed"``: the density of columns by name (of an array: by position), for '
        "which their type is not to decide: numbers are Gaussian, booleans Bernoulli, texts and "
        'categories categorical. ``"bernoulli"`` needs a column of two values.',
    ),
    "network": Parameter(
        "None or a module with the methods posterior and decode",
        lambda value: value is None or is_module(value, "posterior", "decode"),
        "Your own network, trained or not; `EncoderDecoder` makes one of an encoder and a "
        "decoder. It is copied, never changed. With ``max_iter=0`` its weights are used as they "
        "are. Layers that draw of themselves (dropout) draw from PyTorch's global generator, which "
        "``random_state`` does not seed.",
    ),
    "beta": Parameter(
        "a number at least 0",
        lambda value: is_real(value, 0),
        "Weight of the KL term in the training loss. It enters no score.",
    ),
    "kl_warmup": Parameter(
        "a number at least 0 and below 1",
        lambda value: is_real(value, 0, 1),
        "Share of the training steps over which the KL weight rises from 0 to ``beta``.",
    ),
    "conditioning": Parameter(
        *one_of(*CONDITIONINGS),
        'How the label joins the code: ``"concat"`` appends it one-hot, ``"add"`` adds a '
        'rectified linear projection of it, ``"multiply"`` multiplies by one plus such a '
        "projection. An added label is used least.",
    ),
    "condition_encoder": flag("Whether the encoder sees the label too."),
    "input_noise": Parameter(
        "a number at least 0",
        lambda value: is_real(value, 0),
        "Standard deviation of Gaussian noise on what the encoder sees while training, in scaled "
        "units; the clean row is reconstructed.",
    ),
    "input_masking": Parameter(
        "a number at least 0 and below 1",
        lambda value: is_real(value, 0, 1),
        "Share of the values that are set to 0 (in scaled units) in what the encoder sees while training; "
        'with ``likelihood="mixed"`` they go missing.',
    ),
    "trimmed_fraction": Parameter(
        "a number at least 0 and below 1",
        lambda value: is_real(value, 0, 1),
        "Share of the training rows that train nothing, `suspects_`: for rows among which some are odd. Give "
        "twice the share that is odd. Left out are the rows that are farthest from as many others as half "
        "the fraction, by scaled distance, of images without brightness and contrast. A smaller group of "
        "normal rows looks the same. Rows that calibrate are not looked at, and odd ones among them make "
        "verdicts cautious; with a number as ``contamination`` there are none.",
    ),
    "standardize": Parameter(
        "True, False or 'auto'",
        lambda value: isinstance(value, bool) or (isinstance(value, str) and value == "auto"),
        "Whether columns are scaled to mean 0 and standard deviation 1. Images of integers are taken to "
        "[0, 1], and values for a [0, 1] likelihood and images in [0, 1] left alone, in any case. "
        '``"auto"`` does so unless ``max_iter=0``: a trained network knows its own scale.',
    ),
    "batch_size": Parameter(
        "a positive integer", is_int, "Rows per training step; fewer rows are one batch."
    ),
    "learning_rate": Parameter(
        *one_of(*LEARNING_RATES),
        "How the step changes: up and down to nearly 0 in one cycle, or not at all.",
    ),
    "learning_rate_init": Parameter(
        "a positive number or 'auto'",
        lambda value: value == "auto" if isinstance(value, str) else is_real(value, 0, closed="neither"),
        'Peak, or constant, learning rate of Adam. ``"auto"`` is 0.004 where dense layers alone are '
        "trained in one cycle, and 0.002 with convolutions, a constant rate or a network of your own.",
    ),
    "max_iter": Parameter(
        "an integer at least 0 or 'auto'",
        lambda value: value == "auto" if isinstance(value, str) else is_int(value, 0),
        'Passes over the training rows (epochs). ``"auto"`` makes about 2,000 steps, or 1,400 at an '
        "automatic rate of 0.004, and never fewer than 10 epochs; of at most 75 training rows, which are "
        "soon known by heart, 300 or 210 unless early stopping watches. 0 leaves the weights as they are, "
        "sets a learnt scale to its maximum-likelihood value on X and calibrates.",
    ),
    "early_stopping": flag(
        "Whether to hold out ``validation_fraction`` of the rows, stop when their loss no longer "
        'falls, and keep the best weights. Needs ``learning_rate="constant"``.'
    ),
    "validation_fraction": Parameter(
        "a number above 0 and below 1",
        lambda value: is_real(value, 0, 1, closed="neither"),
        "Share of the rows that early stopping watches.",
    ),
    "n_iter_no_change": Parameter(
        "a positive integer", is_int, "Epochs without improvement before early stopping stops."
    ),
    "tol": Parameter(
        "a number at least 0",
        lambda value: is_real(value, 0),
        "Least fall of the held-out loss that counts as improvement, in nats per row.",
    ),
    "anomaly_score": Parameter(
        *one_of(*SCORES),
        "Which score `score_samples`, `predict` and `p_values` use; see `vaetools.anomaly.scores`.",
    ),
    "contamination": Parameter(
        "'auto' or a number above 0 and at most 0.5",
        lambda value: value == "auto" if isinstance(value, str) else is_real(value, 0, 0.5, closed="right"),
        '``"auto"`` takes the rows as normal and holds out ``calibration_fraction`` of them to '
        "set the threshold. A number holds nothing out: that share of the training rows is "
        "flagged.",
    ),
    "false_alarm_rate": Parameter(
        "a number above 0 and below 1",
        lambda value: is_real(value, 0, 1, closed="neither"),
        'Probability that a new normal row is flagged, with ``contamination="auto"``. With n calibration '
        "rows it is never below 1 / (n + 1): `fit` warns where that is more than was asked for.",
    ),
    "calibration_fraction": Parameter(
        "a number above 0 and below 1",
        lambda value: is_real(value, 0, 1, closed="neither"),
        "Share of the rows, at least one of them, that calibrate and touch nothing else.",
    ),
    "precision": Parameter(
        *one_of(*PRECISIONS),
        'Of the network in training; weights, likelihoods and losses are float32 in any case. ``"bfloat16"`` '
        "(autocast) may be faster where the CPU or GPU has it in hardware.",
    ),
    "score_precision": Parameter(
        *one_of("float64", "float32"),
        "Precision of everything after training. float64 makes a row's score independent of its "
        "batch to about 12 digits; float32 is faster and good to about 5. ``set_params`` changes it "
        "after fit, too.",
    ),
    "device": Parameter(
        "'auto', a device name such as 'cpu' or 'cuda:0', or a torch device",
        is_device,
        'Where to compute; ``"auto"`` takes a GPU if there is one.',
    ),
    "random_state": Parameter(
        "None, an integer from 0 to 4294967295 or a RandomState",
        is_seed,
        "Seed of the split, the weights, the row order and the noise of training. Nothing after "
        "``fit`` depends on it.",
    ),
    "verbose": Parameter(
        "True, False or an integer at least 0",
        lambda value: isinstance(value, bool) or is_int(value, 0),
        "1 shows a progress bar, 2 writes a line now and then, for a log.",
    ),
}


def check_parameters(estimator: Any) -> None:
    """Raise where a constructor parameter breaks its rule, naming owner, rule and value."""
    owner = type(estimator).__name__
    for name, value in estimator.get_params(deep=False).items():
        rule, holds, _ = PARAMETERS[name]
        if not holds(value):
            meant = did_you_mean(value, re.findall(r"'(\w+)'", rule)) if isinstance(value, str) else ""
            raise ValueError(f"{owner}: {name} must be {rule}; got {value!r}.{meant}")


def check_combinations(estimator: Any) -> None:
    """Raise where parameters contradict each other, naming both."""
    owner = type(estimator).__name__
    if estimator.early_stopping and estimator.learning_rate != "constant":
        raise ValueError(
            f"{owner}: early_stopping needs learning_rate='constant', because a one-cycle schedule "
            f"helps only when it ends; got learning_rate={estimator.learning_rate!r}."
        )
    if estimator.likelihood == "mixed":
        if estimator.image_shape is not None:
            raise ValueError(
                f"{owner}: likelihood='mixed' is for tables, which have no image_shape; got "
                f"image_shape={estimator.image_shape!r}."
            )
    elif estimator.column_likelihoods is not None:
        raise ValueError(
            f"{owner}: column_likelihoods needs likelihood='mixed'; got likelihood={estimator.likelihood!r}."
        )
    if SCORES[estimator.anomaly_score].needs_posterior and not estimator._variational:
        raise ValueError(
            f"{owner}: anomaly_score must not need a posterior, which only VAE and CVAE have; got "
            f"{estimator.anomaly_score!r}."
        )
    if SCORES[estimator.anomaly_score].needs_images and estimator.image_shape is None:
        raise ValueError(
            f"{owner}: anomaly_score={estimator.anomaly_score!r} needs image_shape=(channels, height, "
            "width); got image_shape=None."
        )
    if estimator.network is not None:
        defaults = inspect.signature(type(estimator)).parameters
        for name in (name for name in _ARCHITECTURE if name in defaults):
            value = getattr(estimator, name)
            if value != defaults[name].default:
                raise ValueError(
                    f"{owner}: {name} must keep its default where network is given, which has an "
                    f"architecture of its own; got {name}={value!r}."
                )
    elif estimator.image_shape is None and estimator.hidden_channels not in ("auto", (), []):
        raise ValueError(
            f"{owner}: hidden_channels needs image_shape=(channels, height, width); got "
            f"hidden_channels={estimator.hidden_channels!r} and image_shape=None."
        )


_ATTRIBUTES = """\
model_ : torch.nn.Module
    Network and likelihood.
input_scale_ : InputScale
    How columns are scaled: ``kind``, ``shift``, ``scale``.
columns_ : Columns or None
    With ``likelihood="mixed"``: kind, categories and type of every column.
offset_ : float
    Threshold of the score: ``decision_function = score_samples - offset_``.
calibration_scores_ : ndarray of shape (n_calibration,)
    Scores of the rows that were held out to calibrate, sorted; absent if none were.
heat_range_ : ndarray of shape (2,)
    Surprise of a pixel, in nats, that heat maps show as 0 and as 1; absent if rows are not images.
    From the rows that calibrate, or where there are none, from those that trained.
history_ : DataFrame of shape (n_iter_, n_columns)
    Per epoch: loss, its parts in nats per row, beta, learning rate.
n_iter_ : int
    Epochs that ran.
max_iter_ : int
    Epochs that were planned: more than ran where training stopped early or was interrupted.
mean_terms_ : DataFrame of shape (2, 2)
    Mean reconstruction and KL in nats, of training and of held-out rows (about 2,000 of each).
kl_per_component_ : ndarray of shape (n_components,)
    Mean KL of every latent dimension over training rows, in nats.
active_units_ : ndarray of shape (n_components,), bool
    Latent dimensions whose mean varies over training rows by more than 0.01.
suspects_ : ndarray of shape (n_suspects,), int
    Rows of X that trained nothing, as the least like the others, the most suspect first.
code_range_ : ndarray of shape (2, n_components)
    Least and greatest training code of every dimension.
reference_codes_ : ndarray of shape (n_reference, n_components), float32
    Codes of at most 10,000 training rows, as ``transform`` returns them.
n_samples_ : int
    Rows that ``fit`` was given.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the columns; absent if X had none.
column_labels_ : ndarray of shape (n_features_in_,)
    Names that are no strings, as text; absent if X had none but numbers from 0."""


def documented(cls: type) -> type:
    """Write the parameters and the shared attributes of a class into its docstring."""
    lines = []
    for name, argument in list(inspect.signature(cls).parameters.items()):
        rule, _, description = PARAMETERS[name]
        lines.append(f"    {name} : {rule}, default={argument.default!r}")
        lines += textwrap.wrap(description, 95, initial_indent=" " * 8, subsequent_indent=" " * 8)
    if cls.__doc__ is not None:  # absent under python -OO
        filled = cls.__doc__.replace("    {parameters}", "\n".join(lines))
        cls.__doc__ = filled.replace("    {attributes}", textwrap.indent(_ATTRIBUTES, "    "))
    return cls


def check_count(estimator: Any, name: str, value: Any) -> None:
    """Raise where an argument is not a positive integer."""
    if not is_int(value):
        raise ValueError(f"{type(estimator).__name__}: {name} must be a positive integer; got {value!r}.")

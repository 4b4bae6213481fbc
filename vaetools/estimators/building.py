"""From constructor parameters to a network, a likelihood, a device and the settings of training."""

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaetools.estimators.added import make_added, try_added
from vaetools.nn import (
    ACTIVATIONS,
    default_components,
    default_vocabulary,
    default_widths,
    default_word_size,
    default_words,
    feature_maps,
)
from vaetools.nn.centering import takes_uncentered
from vaetools.nn.density import Likelihood
from vaetools.nn.likelihoods import LIKELIHOODS, Gaussian
from vaetools.nn.mixed import Mixed
from vaetools.nn.model import Autoencoder
from vaetools.nn.networks import Network, draw_weights
from vaetools.nn.perceptual import AddedLoss
from vaetools.nn.schedule import TrainingSettings, falling_from

_AUTO_RATE, _AUTO_STEPS, _AUTO_EPOCHS = 2e-3, 2_000, 10
_MOST_EPOCHS = 150  # after which a network knows by heart what it has not learnt
_DENSE_RATE, _DENSE_STEPS = 4e-3, 0.7  # which convolutions do not bear, and the share of the steps it needs
_DENSE_EPOCHS = 500  # which cost little
_CROSSED_EPOCHS = 200  # of few rows that nobody watches
_PASSES, _MOST_PASSES = 6, 12  # over new rows and those of before; of few rows as many as make
_STEPS_AGAIN = 100
_AGAIN, _AGAIN_CENTERED = 2.0, 4.0  # times the rate of a fit, without which a few passes lead nowhere new
_SETTLED = 150  # steps that bring a rate down from its peak without loss; fewer begin lower
_LEAST_WATCHED = 20  # rows of which some can be spared
_TAIL = 20.0  # degrees of freedom: nearly normal, but for what lies beyond four or five scales
_OFTEN = 20  # epochs: who sees rows more often may learn them by heart, and is watched


def resolve_device(estimator: Any) -> torch.device:
    """Return the estimator's device; ``"auto"`` takes a GPU if there is one."""
    counts = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if estimator.device == "auto":
        return torch.device(next(kind for kind, n in counts.items() if n))
    device = torch.device(estimator.device)
    counts["xpu"] = torch.xpu.device_count()
    if (device.index or 0) >= counts.get(device.type, math.inf):
        raise ValueError(
            f"{type(estimator).__name__}: device must be one that torch finds on this machine; got "
            f"{estimator.device!r}. Use device='auto' or 'cpu'."
        )
    return device


def resolve_dtype(estimator: Any, device: torch.device) -> torch.dtype:
    """Return the precision after training; MPS has no float64."""
    return torch.float32 if device.type == "mps" else getattr(torch, estimator.score_precision)


def resolve_likelihood(estimator: Any, n_features: int) -> Likelihood:
    """Return the estimator's likelihood, bound to the columns of X."""
    if estimator.columns_ is not None:
        columns = estimator.columns_.columns
        return Mixed([len(column.values) for column in columns], [column.has_gaps for column in columns])
    given = estimator.likelihood
    if given == "gaussian":
        given = Gaussian(getattr(estimator, "gaussian_scale_", "global"))
    likelihood = (LIKELIHOODS[given]() if isinstance(given, str) else given).bind(n_features)
    if isinstance(likelihood, Gaussian):
        likelihood.image_shape = estimator.image_shape
    if (tail := getattr(estimator, "tail_", None)) is not None:
        likelihood.tail = tail
    return likelihood


def _tail(estimator: Any) -> float | None:
    """Return the degrees of freedom of the tails of an estimator's density, or None where these are normal.

    A scale that fits nearly all cells makes one far out cost thousands of nats by its square, and few rows
    that are held out do not show it. Weights that are used as they are keep the density that they have.
    """
    is_plain = isinstance(estimator.likelihood, str) and estimator.likelihood == "gaussian"
    of_table = estimator.image_shape is None and estimator.input_scale_.standardizes
    return _TAIL if is_plain and of_table and estimator.max_iter != 0 else None


def resolve_training(
    estimator: Any, n_rows: int, *, crossed: bool = False, goes_on: bool = False, few_passes: bool = False
) -> TrainingSettings:
    """Return how the training loop is to run on so many rows, which all calibrate or do not.

    A model that goes on begins where one cycle comes down, so that it is not led far away; `partial_fit`
    makes few passes, unless it was told how many, at a higher rate.
    """
    dense = estimator.network is None and (estimator.image_shape is None or not estimator.hidden_channels)
    rate, n_steps = estimator.learning_rate_init, float(_AUTO_STEPS)
    if rate == "auto":
        rate = _AUTO_RATE
        if dense and estimator.learning_rate == "one_cycle":
            rate, n_steps = _DENSE_RATE, _DENSE_STEPS * n_steps
        if few_passes:
            rate *= _AGAIN_CENTERED if dense and estimator.image_shape is not None else _AGAIN
    batch_size = min(estimator.batch_size, n_rows)
    n_epochs = estimator.max_iter
    if n_epochs == "auto" and few_passes:
        n_epochs = min(max(_PASSES, math.ceil(_STEPS_AGAIN / math.ceil(n_rows / batch_size))), _MOST_PASSES)
    elif n_epochs == "auto":
        n_epochs = round(n_steps / math.ceil(n_rows / batch_size))
        most = _DENSE_EPOCHS if dense else _MOST_EPOCHS
        if crossed and is_shortened(estimator, n_rows):
            most = min(most, _CROSSED_EPOCHS)
        n_epochs = min(max(_AUTO_EPOCHS, n_epochs), most)
    resolved = {"n_epochs": n_epochs, "batch_size": batch_size, "learning_rate_init": rate}
    if goes_on:
        n_steps = n_epochs * math.ceil(n_rows / batch_size)
        resolved |= {"begin": falling_from(min(1.0, n_steps / _SETTLED)), "kl_warmup": 0.0}
    names = [each.name for each in dataclasses.fields(TrainingSettings) if hasattr(estimator, each.name)]
    return TrainingSettings(**{name: getattr(estimator, name) for name in names} | resolved)


def is_watched(estimator: Any, n_rows: int) -> bool:
    """Return whether some of the rows that do not calibrate are held out to end training in time.

    By default they are where one cycle sees rows so often that it may learn them by heart, unless the score
    is one of distances to training rows, too, which find more the better these are known.
    """
    if estimator.early_stopping != "auto":
        return bool(estimator.early_stopping)
    cycles = estimator.learning_rate == "one_cycle" and estimator.contamination == "auto"
    cycles = cycles and estimator.anomaly_score != "tables"
    return cycles and n_rows >= _LEAST_WATCHED and resolve_training(estimator, n_rows).n_epochs > _OFTEN


def is_shortened(estimator: Any, n_rows: int) -> bool:
    """Return whether training on rows that all calibrate is made short, where of others some are watched.

    That does as well, and lets all rows train, unless a decoder predicts scales, which gets too certain.
    """
    predicts_scale = getattr(estimator.likelihood, "scale", None) == "predicted"
    return estimator.early_stopping == "auto" and not predicts_scale and is_watched(estimator, n_rows)


def check_image_shape(estimator: Any, n_features: int) -> None:
    """Raise where the image's values are not as many as the columns of X."""
    shape = estimator.image_shape
    if shape is not None and math.prod(shape) != n_features:
        raise ValueError(
            f"{type(estimator).__name__}: image_shape must multiply to the {n_features} columns of X; "
            f"got {shape!r}, which makes {math.prod(shape)}."
        )


def resolve_components(estimator: Any, n_features: int) -> int:
    """Return the dimensions of the latent space of a network that is not given."""
    if estimator.n_components != "auto":
        return int(estimator.n_components)
    of_images = estimator.image_shape is not None
    if not hasattr(estimator, "word_size"):
        return default_components(n_features, of_images=of_images)
    maps = feature_maps(estimator.image_shape, estimator.hidden_channels)
    hidden, word_size = estimator.hidden_layer_sizes, estimator.word_size
    return default_words(n_features, maps, hidden, word_size, of_images=of_images)


def _n_words(estimator: Any, n_rows: int | None) -> int:
    """Return how many words a vocabulary has that so many rows are to train, or without rows has."""
    if estimator.n_words != "auto":
        return int(estimator.n_words)
    if n_rows is None or (estimator.warm_start and hasattr(estimator, "word_counts_")):
        return len(estimator.word_counts_)
    return default_vocabulary(n_rows)


def _gaussian_scale(estimator: Any) -> str:
    """Return which scale a plain Gaussian has of rows said in words; a warm start keeps that of before."""
    if estimator.warm_start and hasattr(estimator, "model_"):
        return getattr(estimator, "gaussian_scale_", "global")
    return "global" if estimator.image_shape is None else "local"


def make_latent(estimator: Any, n_components: int, n_rows: int | None = None) -> Any:
    """Return what makes latents of what the encoder says; one that learns is a module.

    Rows are those that will train it, None where they have.
    """
    if not hasattr(estimator, "word_size"):
        return estimator._latent
    word_size = estimator.word_size
    if word_size == "auto":
        word_size = default_word_size(n_components)
    if n_components % word_size:
        raise ValueError(
            f"{type(estimator).__name__}: n_components must be a multiple of word_size={word_size}; got "
            f"{n_components}. Say both."
        )
    n_words = _n_words(estimator, n_rows)
    return estimator._latent(n_components // word_size, n_words, word_size, estimator.prior)


def make_network(
    estimator: Any, n_features: int, likelihood: Likelihood, *, unit_mean: bool, seed: int | None
) -> nn.Module:
    """Return a copy of the network that was given, or a new one; without a seed it has no weights yet."""
    if estimator.network is not None:
        own: nn.Module = copy.deepcopy(estimator.network)
        return own
    maps = feature_maps(estimator.image_shape, estimator.hidden_channels)[1:]
    hidden = estimator.hidden_layer_sizes
    if hidden == "auto":
        hidden = default_widths(n_features, convolves=bool(maps))
    label_options = {}
    if n_classes := n_classes_of(estimator):
        label_options = {name: getattr(estimator, name) for name in ("conditioning", "condition_encoder")}
    with torch.device("meta"):
        network = Network(
            likelihood.n_inputs(n_features),
            resolve_components(estimator, n_features),
            hidden,
            getattr(nn, ACTIVATIONS[estimator.activation]),
            n_outputs=likelihood.n_outputs(n_features),
            variational=estimator._latent.has_spread,
            of_words=hasattr(estimator, "word_size"),
            image_shape=estimator.image_shape,
            hidden_channels=[channels for channels, *_ in maps],
            unit_mean=unit_mean and not likelihood.unit_interval,
            n_classes=n_classes,
            **label_options,
        )
    return draw_weights(network, seed) if seed is not None else network


def n_classes_of(estimator: Any) -> int:
    """Return how many numbers tell a conditional estimator the label or context of a row; of others none."""
    context = getattr(estimator, "context_", None)
    return len(getattr(estimator, "classes_", ())) if context is None else sum(context.widths)


@torch.no_grad()
def count_components(estimator: Any, network: Any, likelihood: Likelihood, x: Tensor) -> int:
    """Try a network on a scaled row; return its components, or raise where it does not fit the estimator."""
    owner, seen = type(estimator).__name__, likelihood.inputs(x)
    n_classes = n_classes_of(estimator)
    condition = x.new_zeros(1, n_classes) if n_classes else None
    try:
        mean, log_std = network.posterior(seen, condition)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{owner}: network.posterior must take rows of shape (n_samples, {seen.shape[1]}) and return a "
            f"mean and a log standard deviation (None for AE); got an error: {error}"
        ) from error
    if (log_std is not None) != estimator._latent.has_spread:
        found, other = ("None", "AE") if log_std is None else ("a tensor", "VAE")
        raise ValueError(
            f"{owner}: network.posterior must return a mean and, but for AE, a log standard deviation; got "
            f"{found} as the second. Use {other} for this network."
        )
    for name, stat in {"mean": mean, "log standard deviation": log_std}.items():
        if stat is not None and (stat.ndim != 2 or stat.shape != mean.shape):
            raise ValueError(
                f"{owner}: network.posterior must return a {name} of shape (n_samples, n_components); got "
                f"{tuple(stat.shape)} for one row."
            )
    if not getattr(network, "can_decode", True):
        if condition is not None:
            raise ValueError(
                f"{owner}: network must have a decoder, because labels are weighed by what they decode to; "
                f"got {type(network).__name__} without one."
            )
        return int(mean.shape[1])
    expected = (1, likelihood.n_outputs(x.shape[1]))
    try:
        decoded: Any = tuple(network.decode(mean, condition).shape)
    except (RuntimeError, TypeError, ValueError) as error:
        decoded = f"an error: {error}"
    if decoded != expected:
        raise ValueError(
            f"{owner}: network.decode must return the parameters of {likelihood!r} for the {x.shape[1]} "
            f"columns of X, so {expected} for one row; got {decoded}."
        )
    return int(mean.shape[1])


def build(estimator: Any, row: np.ndarray, n_rows: int, seed: int) -> None:
    """Put network and likelihood of an estimator whose scaling is decided together, and try them on a row.

    So many rows are to train them.
    """
    estimator.tail_ = _tail(estimator)
    if hasattr(estimator, "n_words"):
        estimator.gaussian_scale_ = _gaussian_scale(estimator)
    n_features = row.shape[1]
    likelihood = resolve_likelihood(estimator, n_features)
    unit_mean = estimator.input_scale_.in_unit_interval
    network = make_network(estimator, n_features, likelihood, unit_mean=unit_mean, seed=seed)
    device = resolve_device(estimator)
    dtype = resolve_dtype(estimator, device) if estimator.max_iter == 0 else torch.float32
    network.to(device=device, dtype=dtype).eval()
    x = estimator.input_scale_.apply(row, device=device, dtype=dtype)
    estimator._n_features_out = count_components(estimator, network, likelihood, x)
    latent = make_latent(estimator, estimator._n_features_out, n_rows)
    added = make_added(estimator)
    if added is not None:
        try_added(estimator, added, x)
    model = put_together(estimator, network, likelihood, latent, added)
    estimator.model_ = model.to(device=device, dtype=dtype).eval()


def starts_at_mean(estimator: Any) -> bool:
    """Return whether a network that was built, drawn and is to learn starts at the mean of what trains it."""
    is_drawn = estimator.network is None and estimator.max_iter != 0
    return is_drawn and takes_uncentered(estimator.model_, estimator.input_scale_)


def put_together(
    estimator: Any, network: nn.Module, likelihood: Likelihood, latent: Any, added: AddedLoss | None
) -> Autoencoder:
    """Put the parts of a model together, with the frequencies of labels where there are any."""
    prior = getattr(estimator, "class_prior_", None)
    return Autoencoder(
        network,
        likelihood,
        latent,
        estimator._n_features_out,
        torch.from_numpy(estimator.input_scale_.log_unit),
        None if prior is None else torch.from_numpy(prior),
        added,
    )


def blank_model(estimator: Any) -> Autoencoder:
    """Return the model of an estimator without memory for its weights."""
    n_features = estimator.n_features_in_
    likelihood = resolve_likelihood(estimator, n_features)  # arithmetic on "meta" would load a compiler
    unit_mean = estimator.input_scale_.in_unit_interval
    with torch.device("meta"):
        network = make_network(estimator, n_features, likelihood, unit_mean=unit_mean, seed=None)
        latent = make_latent(estimator, estimator._n_features_out)
        return put_together(estimator, network, likelihood, latent, make_added(estimator))

"""What constructor parameters in a file may be, by class: the rules of the estimators, of values in JSON."""

from __future__ import annotations

import math
from typing import Any

from vaetools.data.fitting import ASPECTS
from vaetools.persistence.learnt import KINDS, MAP, NEEDS
from vaetools.schema import (
    Contents,
    Rule,
    choice,
    either,
    flag,
    only,
    optional,
    plain,
    real,
    record,
    refuse,
    sequence,
    text,
    whole,
)

ACTIVATIONS = ("silu", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "identity")
CONDITIONINGS = ("concat", "add", "multiply")
GAUSSIAN_SCALES = ("global", "per_feature", "predicted")
_MOST_PROCESSES = 1024
_LARGEST_SIDE = 2**31
_MOST = math.nextafter(math.inf, 0)
_LEAST, _BELOW_1 = math.ulp(0), math.nextafter(1, 0)


def listed(value: Any) -> Any:
    """Return the list of a written tuple; anything else as it is."""
    return value["tuple"] if type(value) is dict and "tuple" in value else value


def _widths(name: str, value: Any, contents: Contents) -> None:
    """Check widths of layers, as a list or as a written tuple."""
    sequence(whole(1))(name, listed(value), contents)


def shape(name: str, value: Any, contents: Contents) -> None:
    """Check an image shape, as a list or as a written tuple."""
    sizes = listed(value)
    if type(sizes) is not list or len(sizes) != 3:
        refuse(name, "three positive integers", value)
    sequence(whole(1, _LARGEST_SIDE))(name, sizes, contents)


_COLUMN = either(plain, record({"tuple": sequence(plain)}))  # of one level of names, or of several


def _kinds_of_columns(name: str, value: Any, contents: Contents) -> None:
    """Check a written dict from columns to kinds."""
    pair = sequence(either(_COLUMN, choice(*KINDS)), least=2, most=2)
    record({"dict": sequence(pair)})(name, value, contents)
    for _, kind in value["dict"]:
        choice(*KINDS)(name, kind, contents)


_AUTO = choice("auto")
_COUNT = whole(1)
_AT_LEAST_0 = real(0, _MOST, "a number at least 0")
_POSITIVE = real(_LEAST, _MOST, "a positive number")
_SHARE = real(_LEAST, _BELOW_1, "a number above 0 and below 1")
_SHARE_OR_NONE = real(0, _BELOW_1, "a number at least 0 and below 1")
_LOUDNESS = either(flag, whole())
_SEED = optional(whole(0, 2**32 - 1))
_GAUSSIAN = only({}, {"scale": either(choice(*GAUSSIAN_SCALES), _POSITIVE), "floor": _POSITIVE})


def _likelihood(name: str, value: Any, contents: Contents) -> None:
    """Check a likelihood: its name, or a written instance."""
    if type(value) is not dict:
        return choice("gaussian", "bernoulli", "continuous_bernoulli", "mixed")(name, value, contents)
    chosen = choice("Gaussian", "Bernoulli", "ContinuousBernoulli")
    record({"likelihood": chosen})(name, value, contents)
    options = _GAUSSIAN if value["likelihood"] == "Gaussian" else only({})
    return only({"likelihood": chosen, "options": options})(name, value, contents)


# of the network, which cannot be built without them
_BUILT = {
    "n_components": either(_AUTO, _COUNT),
    "hidden_layer_sizes": either(_AUTO, _widths),
    "hidden_channels": either(_AUTO, _widths),
    "image_shape": optional(shape),
    "likelihood": _likelihood,
    "network": optional(record({"network": text()})),
    "false_alarm_rate": _SHARE,
}
_OTHERS = {
    "activation": choice(*ACTIVATIONS),
    "column_likelihoods": optional(_kinds_of_columns),
    "input_noise": _AT_LEAST_0,
    "input_masking": _SHARE_OR_NONE,
    "trimmed_fraction": _SHARE_OR_NONE,
    "standardize": either(_AUTO, flag),
    "batch_size": _COUNT,
    "learning_rate": choice("one_cycle", "constant"),
    "learning_rate_init": either(_AUTO, _POSITIVE),
    "max_iter": either(_AUTO, whole()),
    "early_stopping": flag,
    "validation_fraction": _SHARE,
    "n_iter_no_change": _COUNT,
    "tol": _AT_LEAST_0,
    "anomaly_score": choice(*NEEDS),
    "contamination": either(_AUTO, real(_LEAST, 0.5, "a number above 0 and at most 0.5")),
    "calibration_fraction": _SHARE,
    "precision": choice("float32", "bfloat16"),
    "score_precision": choice("float64", "float32"),
    "device": text("(auto|cpu|cuda|mps|xpu)(:.*)?", "'auto' or the name of a device"),
    "random_state": _SEED,
    "verbose": _LOUDNESS,
}
_VARIATIONAL = {"beta": _AT_LEAST_0, "kl_warmup": _SHARE_OR_NONE}
_CONDITIONAL = {"conditioning": choice(*CONDITIONINGS), "condition_encoder": flag}
PARAMETERS: dict[str, Rule] = {
    "AE": only(_BUILT, _OTHERS),
    "VAE": only(_BUILT, _OTHERS | _VARIATIONAL),
    "CVAE": only(_BUILT | _CONDITIONAL, _OTHERS | _VARIATIONAL),
    MAP: only(
        {"n_components": _COUNT},
        {
            "method": choice("umap", "tsne", "pca"),
            "n_neighbors": whole(2),
            "perplexity": real(1, _MOST, "a number at least 1"),
            "random_state": _SEED,
            "verbose": _LOUDNESS,
        },
    ),
}


def _size(name: str, value: Any, contents: Contents) -> None:
    """Check the size that a reader was given: None, "auto", an integer or (height, width)."""
    side = whole(1, _LARGEST_SIDE)
    each = listed(value)
    rule = sequence(side, least=2, most=2) if type(each) is list else either(choice(None, "auto"), side)
    rule(name, each, contents)


READER = only(
    {
        "aspect": choice(*ASPECTS),
        "n_jobs": optional(either(whole(-_MOST_PROCESSES, -1), whole(1, _MOST_PROCESSES))),
    },
    {
        "size": _size,
        "mode": choice("auto", "gray", "rgb"),
        "image_shape": optional(shape),
        "verbose": _LOUDNESS,
    },
)

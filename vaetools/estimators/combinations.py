"""Parameters that contradict each other, which `fit` finds before it looks at rows."""

import dataclasses
from typing import Any

from torch import nn

from vaetools.anomaly.scores import SCORES
from vaetools.estimators.added import check_added
from vaetools.nn.likelihoods import LIKELIHOODS

_ARCHITECTURE = (
    "n_components",
    "hidden_layer_sizes",
    "hidden_channels",
    "activation",
    "conditioning",
    "condition_encoder",
)


def check_combinations(estimator: Any) -> None:
    """Raise where parameters contradict each other, naming both."""
    owner = type(estimator).__name__
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
    likelihood = LIKELIHOODS.get(estimator.likelihood, estimator.likelihood)  # or "mixed"
    if estimator.standardize is True and getattr(likelihood, "unit_interval", False):
        raise ValueError(
            f"{owner}: standardize must be 'auto' or False with a likelihood of [0, 1], which standardized "
            f"columns leave; got standardize=True and likelihood={estimator.likelihood!r}. Leave standardize "
            "out, or choose likelihood='gaussian'."
        )
    if estimator.calibration == "cross" and estimator.confidence is not None:
        raise ValueError(
            f"{owner}: confidence needs rows that are held out, and calibration='cross' holds none out; got "
            f"confidence={estimator.confidence!r}. Leave calibration at 'auto', or recalibrate with normal "
            "rows that fit did not see."
        )
    if estimator.max_iter == 0 and issubclass(estimator._latent, nn.Module):
        raise ValueError(f"{owner}: max_iter must not be 0, because training learns the words; got 0.")
    check_added(owner, estimator)
    _check_score(owner, estimator)
    if estimator.network is not None:
        for each in (each for each in dataclasses.fields(estimator) if each.name in _ARCHITECTURE):
            value = getattr(estimator, each.name)
            if value != each.default:
                raise ValueError(
                    f"{owner}: {each.name} must keep its default where network is given, which has an "
                    f"architecture of its own; got {each.name}={value!r}."
                )
    elif estimator.image_shape is None and estimator.hidden_channels not in ("auto", (), []):
        raise ValueError(
            f"{owner}: hidden_channels needs image_shape=(channels, height, width); got "
            f"hidden_channels={estimator.hidden_channels!r} and image_shape=None."
        )


def _check_score(owner: str, estimator: Any) -> None:
    """Raise where a model is not of the kind that its score needs."""
    score, latent = SCORES[estimator.anomaly_score], estimator._latent
    if score.needs_posterior and not latent.has_spread:
        raise ValueError(
            f"{owner}: anomaly_score must not need a posterior, which only VAE and CVAE have; got "
            f"{estimator.anomaly_score!r}."
        )
    if score.needs_prior and not latent.has_prior:
        raise ValueError(
            f"{owner}: anomaly_score must not need a prior of codes, which an AE has not; got "
            f"{estimator.anomaly_score!r}."
        )
    if score.needs_added and estimator.added_loss is None:
        raise ValueError(
            f"{owner}: anomaly_score={estimator.anomaly_score!r} needs an added_loss; got added_loss=None. "
            "added_loss='structure' is the simplest."
        )
    if score.needs_images and estimator.image_shape is None:
        raise ValueError(
            f"{owner}: anomaly_score={estimator.anomaly_score!r} needs image_shape=(channels, height, "
            "width); got image_shape=None."
        )

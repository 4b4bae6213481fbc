"""The face: scikit-learn estimators on the outside, `vaetools.nn` on the inside.

Their names, homes and parameters are known here without loading them.
"""

import dataclasses
import importlib

from vaetools.checks import Requirement
from vaetools.estimators.fields import FitFields, KLFields, NetworkFields, WordFields
from vaetools.estimators.label_fields import LabelFields

ESTIMATORS = {
    "AE": "vaetools.estimators.ae",
    "VAE": "vaetools.estimators.vae",
    "CVAE": "vaetools.estimators.cvae",
    "VQVAE": "vaetools.estimators.vqvae",
}
_GROUPS: dict[str, tuple[type, ...]] = {
    "AE": (NetworkFields, FitFields),
    "VAE": (KLFields, FitFields),
    "CVAE": (KLFields, LabelFields, FitFields),
    "VQVAE": (WordFields, FitFields),
}
REQUIREMENTS: dict[str, dict[str, Requirement]] = {  # by estimator and parameter
    model: {
        field.name: field.metadata["requirement"] for group in groups for field in dataclasses.fields(group)
    }
    for model, groups in _GROUPS.items()
}
PARAMETERS = frozenset().union(*REQUIREMENTS.values())


def has_spread(model: str) -> bool:
    """Return whether the posterior of the estimator of a name has a spread."""
    return KLFields in _GROUPS[model]


def has_words(model: str) -> bool:
    """Return whether codes of the estimator of a name are words."""
    return WordFields in _GROUPS[model]


def has_prior(model: str) -> bool:
    """Return whether codes of the estimator of a name have a prior, and so a cost."""
    return has_spread(model) or has_words(model)


def estimator_class(name: str) -> type:
    """Return the estimator of a name."""
    found: type = getattr(importlib.import_module(ESTIMATORS[name]), name)
    return found


def is_estimator(model: object) -> bool:
    """Return whether a model is one of the estimators; classes that are made of them are not."""
    name = type(model).__name__
    return name in ESTIMATORS and type(model) is estimator_class(name)

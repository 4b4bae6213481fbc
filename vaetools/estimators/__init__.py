"""The face: scikit-learn estimators on the outside, `vaetools.nn` on the inside.

Their names, homes and parameters are known here without loading them.
"""

import dataclasses
import importlib

from vaetools.checks import Requirement
from vaetools.estimators.fields import FitFields, KLFields, LabelFields, NetworkFields

ESTIMATORS = {
    "AE": "vaetools.estimators.ae",
    "VAE": "vaetools.estimators.vae",
    "CVAE": "vaetools.estimators.cvae",
}
_GROUPS: dict[str, tuple[type, ...]] = {
    "AE": (NetworkFields, FitFields),
    "VAE": (KLFields, FitFields),
    "CVAE": (KLFields, LabelFields, FitFields),
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


def estimator_class(name: str) -> type:
    """Return the estimator of a name."""
    return getattr(importlib.import_module(ESTIMATORS[name]), name)


def is_estimator(model: object) -> bool:
    """Return whether a model is one of the estimators; classes that are made of them are not."""
    name = type(model).__name__
    return name in ESTIMATORS and type(model) is estimator_class(name)

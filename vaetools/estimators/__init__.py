"""The face: scikit-learn estimators on the outside, `vaetools.nn` on the inside.

Their names and homes are known here without loading them.
"""

import importlib

ESTIMATORS = {
    "AE": "vaetools.estimators.ae",
    "VAE": "vaetools.estimators.vae",
    "CVAE": "vaetools.estimators.cvae",
}


def estimator_class(name: str) -> type:
    """Return the estimator of a name."""
    return getattr(importlib.import_module(ESTIMATORS[name]), name)


def is_estimator(model: object) -> bool:
    """Return whether a model is one of the estimators; classes that are made of them are not."""
    name = type(model).__name__
    return name in ESTIMATORS and type(model) is estimator_class(name)

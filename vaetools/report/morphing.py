"""From one row to another through the latent space of a fitted model."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaetools.latent.paths import interpolate


def morph(model: Any, ends: np.ndarray, n: int, label_weights: np.ndarray | None = None) -> np.ndarray:
    """Decode the straight line between the codes of two rows.

    A conditional model decodes the line once as each label, and the label goes over as the code does.

    Parameters
    ----------
    model : fitted estimator
        Anything with ``transform`` and ``inverse_transform``; with ``classes_``, also ``posterior``
        and ``label_proba``.
    ends : ndarray of shape (2, n_features)
        First and last row.
    n : int
        Steps, at least 2; the first and the last are the reconstructions of the ends.
    label_weights : ndarray of shape (2, n_classes) or None, default=None
        What the ends are to a conditional model; None takes what the model believes, ``label_proba``.

    Returns
    -------
    steps : ndarray of shape (n, n_features)
        As ``model.inverse_transform`` returns them.
    """
    if not hasattr(model, "classes_"):
        first, last = model.transform(ends)
        return model.inverse_transform(interpolate(first, last, n))
    weights = model.label_proba(ends) if label_weights is None else label_weights
    labels = [(y, label) for y, label in enumerate(model.classes_.tolist()) if weights[:, y].any()]
    first, last = sum(weights[:, [y]] * model.posterior(ends, label).mean for y, label in labels)
    line = interpolate(first, last, n)
    shares = np.linspace(weights[0], weights[1], n)  # (n, n_classes)
    return sum(shares[:, [y]] * model.inverse_transform(line, label) for y, label in labels)

"""A fingerprint of a fitted model: what makes its scores, codes and verdicts."""

import hashlib
from typing import Any

import numpy as np

from vaetools.estimators.constructor import parameters_in_force
from vaetools.persistence.model_file import split_reader


def digest_of(model: Any) -> str:
    """Return the SHA-256 of what a fitted model says of rows, the same before `save` and after `load`.

    Examples
    --------
    >>> from vaetools import VAE
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> vae = VAE(max_iter=1, random_state=0).fit(X)
    >>> first, again = digest_of(vae), digest_of(vae)
    >>> first == again, first == digest_of(vae.recalibrate(X[:50]))
    (True, False)
    """
    reader, estimator = split_reader(model)
    digest = hashlib.sha256()
    shape = None if reader is None else tuple(reader.image_shape_)
    scale = estimator.input_scale_
    said = [
        type(estimator).__name__,
        shape or estimator.image_shape,
        estimator.anomaly_score_,
        float(estimator.offset_),
        float(parameters_in_force(estimator)["false_alarm_rate"]),
        repr(estimator.columns_),
        scale.kind,
        tuple(scale.levels),
    ]
    if (context := getattr(estimator, "context_", None)) is not None:
        said += [repr(context.columns), context.scale.shift.tolist(), context.scale.scale.tolist()]
        said += [getattr(estimator, "calibration_labels_", np.empty(0)).tolist()]
    digest.update(repr(said).encode())
    states = getattr(estimator, "score_state_", {})
    arrays = {f"{score}.{name}": each for score, state in states.items() for name, each in state.items()}
    arrays |= {name: tensor.cpu().numpy() for name, tensor in estimator.model_.state_dict().items()}
    arrays |= {"shift": scale.shift, "scale": scale.scale}
    arrays["calibration"] = getattr(estimator, "calibration_scores_", np.empty(0))
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype=np.float64).data)
    return digest.hexdigest()

"""How large the file of a model will be, before there is a model."""

from typing import Any

from torch import nn

from vaetools.estimators.building import make_latent, make_network, resolve_components
from vaetools.estimators.description import N_REFERENCE
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.nn.likelihoods import LIKELIHOODS

_WORDS = 50_000  # bytes of parameters, history and small arrays
# numbers of 8 bytes that a score keeps of a row, by what they are as many as
_OF_COMPONENTS = {"latent_knn": 1, "images": 1, "aggregate": 2}
_OF_FEATURES = {"tables": 1}
_PER_REFERENCE = 10_000  # bytes of a place that others are compared with, and of what is learnt beside it


def estimated_size(model: Any, n_rows: int, n_features: int) -> int:
    """Return about how many bytes `save` will write of a model that is to be fitted: rather too many.

    Its parameters were checked; ``likelihood="mixed"`` counts as if no column held categories.
    """
    if isinstance(model, PatchDetector):
        return _WORDS + _PER_REFERENCE * model.n_references + 8 * n_rows
    given = model.likelihood
    known = LIKELIHOODS.get("gaussian" if given == "mixed" else given) if isinstance(given, str) else None
    likelihood = (given if known is None else known()).bind(n_features)
    network = make_network(model, n_features, likelihood, unit_mean=False, seed=None)
    n_components = 0 if model.network is not None else resolve_components(model, n_features)
    per_row = 4 * n_components
    per_row += 8 * n_components * _OF_COMPONENTS.get(model.anomaly_score, 0)
    per_row += 8 * n_features * _OF_FEATURES.get(model.anomaly_score, 0)
    n_weights = sum(weight.numel() for weight in network.parameters())
    if n_components and isinstance(latent := make_latent(model, n_components, n_rows), nn.Module):
        n_weights += sum(weight.numel() for weight in latent.state_dict().values())
    of_columns = 3 * 8 * n_features  # shift, scale, unit
    return _WORDS + 4 * n_weights + of_columns + min(n_rows, N_REFERENCE) * per_row + 8 * n_rows // 4

"""The mathematics: networks, latents, likelihoods, models and the training loop.

Knows torch and nothing of scikit-learn. What its parts are called is known here without loading torch.
"""

from __future__ import annotations

import os
import sys

ACTIVATIONS = {  # classes of torch.nn by name
    "silu": "SiLU",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "identity": "Identity",
}
CONDITIONINGS = ("concat", "add", "multiply")
LIKELIHOOD_CLASSES = {
    "gaussian": "Gaussian",
    "bernoulli": "Bernoulli",
    "continuous_bernoulli": "ContinuousBernoulli",
}
GAUSSIAN_SCALES = ("global", "per_feature", "predicted")
LEARNING_RATES = ("one_cycle", "constant")
PRECISIONS = ("float32", "bfloat16")
LITE0 = "efficientnet-lite0"  # the frozen network of a package


def _survive_fork() -> None:
    """Let a child compute with one thread: those of its parent are gone, and OpenMP would wait for them."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_survive_fork)

"""The mathematics: networks, latents, likelihoods, models and the training loop.

Knows torch and nothing of scikit-learn.
"""

from vaetools.nn.forking import survive_forks

survive_forks()

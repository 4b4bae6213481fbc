"""The mathematics: networks, likelihoods, objectives and the training loop.

Knows torch and nothing of scikit-learn.
"""

"""Readings and references made by hand: arrays, and no network."""

import numpy as np
import torch

from vaetools.anomaly.reference import Reference, on
from vaetools.anomaly.scores import SCORES, fit_states
from vaetools.nn.latents import Normal


class Made:
    """What a reading has, made by hand: what is not given is missing."""

    def __init__(self, **parts):
        self.parts, self.made = parts, {}

    def __getattr__(self, name):
        return self.parts[name]

    @property
    def mean(self):
        return self.latent.mean

    def blurred(self, blur):
        return self.reconstruction


def reading_of(x, *, mean=None, log_std=None, expected=None, reconstruction=None, kl=None, model=None):
    """Return a reading of rows; what is not given is missing, and costs are zero."""
    x = torch.as_tensor(x)
    nothing = np.zeros(len(x))
    costs = [nothing if cost is None else cost for cost in (reconstruction, kl)]
    reconstruction, kl = (torch.as_tensor(cost).to(x)[:, None] for cost in costs)
    given = (None if value is None else torch.as_tensor(value).to(x) for value in (mean, log_std, expected))
    mean, log_std, expected = given
    latent = Normal(mean, log_std)
    parts = {"expected": expected, "reconstruction": reconstruction, "kl": kl, "hidden": mean, "y": None}
    return Made(model=model, x=x, latent=latent, **parts)


def rows_of(reading, index):
    """Return the reading of some of the rows."""

    def some(value):
        return value[index] if isinstance(value, torch.Tensor) else value

    names = ("model", "x", "y", "hidden", "expected", "reconstruction", "kl")
    latent = Normal(some(reading.mean), some(getattr(reading.latent, "log_std", None)))
    return Made(latent=latent, **{name: some(getattr(reading, name)) for name in names})


def reference_of(reading, image_shape=None):
    """Return rows to learn from."""
    return Reference(lambda function: function(reading).double().numpy(), image_shape)


def score(name, reading, seen, image_shape=None):
    """Return a score of rows, with a state from seen ones."""
    states = fit_states(name, reference_of(seen, image_shape))
    scores = SCORES[name].evaluate(reading, on(states, reading.x))
    assert scores.shape == (len(reading.x),)
    assert scores.dtype == reading.x.dtype
    return scores.numpy()

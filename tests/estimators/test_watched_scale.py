"""The scale of a model whose training was watched is that of the rows that watched."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from vaetools import VAE, Gaussian
from vaetools.estimators import autoencoder
from vaetools.estimators.judges import fit_scale_to_watched
from vaetools.nn.batches import Rows
from vaetools.nn.model import antithetic_noise

OPTIONS = {"n_components": 2, "hidden_layer_sizes": (16,), "contamination": 0.1, "random_state": 0}
IMAGES = {"image_shape": (1, 8, 8), "hidden_channels": ()}


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:300] / 16


def scale_of(model):
    return model.likelihood.raw_log_scale.detach().double().clone()


def test_it_is_the_best_for_them(digits):
    vae = VAE(**OPTIONS, **IMAGES, max_iter=30, early_stopping=False).fit(digits[:100])
    watched = Rows(digits[100:], np.arange(200), vae.input_scale_)
    before = scale_of(vae.model_)
    fit_scale_to_watched(vae, watched)
    best, x, noise = scale_of(vae.model_), torch.from_numpy(digits[100:]), antithetic_noise(2, 200, 2)

    def bound(log_scale):
        vae.model_.likelihood.raw_log_scale.data = log_scale
        return vae.model_.read(x).bound(noise).mean().item()

    assert bound(best) > max(bound(best + 0.01), bound(best - 0.01), bound(before))


@pytest.mark.parametrize(("watches", "expected"), [(True, [30]), (False, [])])
def test_a_fit_takes_it_from_the_rows_that_watch(digits, monkeypatch, watches, expected):
    seen = []
    monkeypatch.setattr(autoencoder, "fit_scale_to_watched", lambda vae, rows: seen.append(len(rows)))
    options = OPTIONS | IMAGES | {"max_iter": 1, "validation_fraction": 0.5}
    VAE(**options, early_stopping=watches).fit(digits[:60])
    assert seen == expected


@pytest.mark.parametrize(
    "options",
    [
        {},  # a table, which has heavier tails
        IMAGES | {"likelihood": Gaussian("per_feature")},
        IMAGES | {"likelihood": Gaussian(0.5)},
        IMAGES | {"likelihood": "bernoulli"},
    ],
)
def test_other_scales_stay(digits, options):
    vae = VAE(**OPTIONS, **options, max_iter=1, early_stopping=False).fit(digits[:100])
    before = [weight.clone() for weight in vae.model_.state_dict().values()]
    fit_scale_to_watched(vae, Rows(digits[100:], np.arange(200), vae.input_scale_))
    assert all(map(torch.equal, before, vae.model_.state_dict().values()))


def test_what_they_watch_is_what_they_cost_in_the_end(digits, monkeypatch):
    seen = []

    def noted(vae, rows):
        seen.append(rows)
        fit_scale_to_watched(vae, rows)

    monkeypatch.setattr(autoencoder, "fit_scale_to_watched", noted)
    vae = VAE(**OPTIONS, **IMAGES, max_iter=60, early_stopping=True).fit(digits)
    x, _ = seen[0].batch(slice(None), torch.device("cpu"), torch.float64)
    cost = -vae.model_.read(x).bound(antithetic_noise(2, len(x), 2)).mean().item()
    assert vae.history_["held_out_loss"].min() == pytest.approx(cost, rel=1e-4)

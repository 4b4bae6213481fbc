"""Likelihood regret where the best posterior is known, and what it must leave alone."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn

from vaetools import CVAE, EncoderDecoder, Gaussian
from vaetools.anomaly import bounds
from vaetools.anomaly.bounds import likelihood_regret
from vaetools.nn.latents import Normal
from vaetools.nn.model import Autoencoder

# orthogonal columns: the exact posterior is diagonal
LOADINGS = np.array([[2.0, 0.5], [1.0, -1.0], [0.0, 1.0]])
NOISE = 0.7  # standard deviation
PRECISION = (LOADINGS**2).sum(axis=0) / NOISE**2 + 1


class Encoder(nn.Module):
    """The exact posterior of the linear model, with a mean that is off by so much."""

    def __init__(self, off):
        super().__init__()
        self.off = off
        self.weight = torch.from_numpy(LOADINGS / NOISE**2 / PRECISION)
        self.log_variance = torch.from_numpy(-np.log(PRECISION))

    def forward(self, x):
        mean = x @ self.weight + self.off
        return mean, self.log_variance.expand_as(mean)


class Decoder(nn.Module):
    def forward(self, z):
        return z @ torch.from_numpy(LOADINGS.T)


def model_off_by(off):
    return Autoencoder(EncoderDecoder(Encoder(off), Decoder()), Gaussian(NOISE), Normal, 2, torch.zeros(3))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(12, 3)) * np.linspace(0.1, 20, 12)[:, None]


def regret_of(model, X):
    return likelihood_regret(model.read(torch.from_numpy(X)), {}).numpy()


def test_nothing_is_to_be_gained_over_the_exact_posterior(X):
    np.testing.assert_array_equal(LOADINGS[:, 0] @ LOADINGS[:, 1], 0)
    assert np.abs(regret_of(model_off_by(0.0), X)).max() < 1e-9


@pytest.mark.parametrize("off", [0.1, 0.5])
def test_in_the_end_it_is_what_the_bound_lacks(X, off, monkeypatch):
    """The best posterior makes the bound equal to log p(x)."""
    monkeypatch.setattr(bounds, "_STEPS", 300)
    mean = X @ LOADINGS / NOISE**2 / PRECISION + off
    errors = X - mean @ LOADINGS.T
    log_prob = -0.5 * (errors**2).sum(axis=1) / NOISE**2 - 1.5 * np.log(2 * np.pi * NOISE**2)
    spread = 0.5 * ((PRECISION - 1) / PRECISION).sum()
    kl = 0.5 * (mean**2 + 1 / PRECISION - 1 + np.log(PRECISION)).sum(axis=1)
    exact = multivariate_normal(cov=LOADINGS @ LOADINGS.T + NOISE**2 * np.eye(3)).logpdf(X)
    gap = exact - (log_prob - spread - kl)
    np.testing.assert_allclose(gap, 0.5 * off**2 * PRECISION.sum(), rtol=1e-6)  # KL(q ‖ posterior)
    np.testing.assert_allclose(regret_of(model_off_by(off), X), -gap, rtol=1e-3)


def test_a_worse_encoder_has_more_to_regret(X):
    scores = [regret_of(model_off_by(off), X) for off in (0.0, 0.1, 0.3, 1.0)]
    for better, worse in itertools.pairwise(scores):
        assert (worse < better).all()


def test_a_row_does_not_depend_on_its_batch(X):
    model = model_off_by(0.3)
    alone = [regret_of(model, X[[i]])[0] for i in range(len(X))]
    np.testing.assert_allclose(regret_of(model, X), alone, rtol=1e-9)


@pytest.mark.parametrize("size", [1e16, 1e18, 1e20, 1e160])
def test_where_steps_vanish_in_rounding_a_row_is_not_called_normal(X, size):
    X[3, 0] = size
    scores = regret_of(model_off_by(0.3), X)
    assert np.isneginf(scores[3])
    assert np.isfinite(np.delete(scores, 3)).all()


def test_it_leaves_no_trace_in_the_model(X):
    decoder = nn.Linear(2, 3).double()
    model = Autoencoder(EncoderDecoder(Encoder(0.3), decoder), Gaussian(NOISE), Normal, 2, torch.zeros(3))
    before = decoder.weight.detach().clone()
    with torch.no_grad():
        scores = regret_of(model, X)
        assert not torch.is_grad_enabled()
    assert (scores <= 0).all()
    assert torch.equal(decoder.weight, before)
    assert all(weight.grad is None for weight in decoder.parameters())
    model.requires_grad_(False)
    with torch.inference_mode():
        np.testing.assert_array_equal(regret_of(model, X), scores)


def test_without_labels_a_row_is_taken_as_its_likeliest(digits):
    X, y = digits
    options = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    cvae = CVAE(3, **options, anomaly_score="likelihood_regret", contamination=0.1).fit(X[:200], y[:200])
    likeliest = cvae.label_proba(X[200:230]).argmax(axis=1)
    expected = cvae.score_samples(X[200:230], cvae.classes_[likeliest])
    np.testing.assert_allclose(cvae.score_samples(X[200:230]), expected, rtol=1e-9)
    assert (expected < 0).all()

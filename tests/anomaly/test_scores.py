"""Every named score against its definition, written out with other tools."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import nn

from tests.anomaly.readings import reference_of
from vaetools.anomaly.bounds import ELBO_DRAWS, LIKELIHOOD_DRAWS, elbo_with_error
from vaetools.anomaly.reference import on
from vaetools.anomaly.scores import SCORES, fit_states
from vaetools.nn.latents import Normal, Point
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder, antithetic_noise
from vaetools.nn.networks import EncoderDecoder

SCALE = 0.4


class Encoder(nn.Module):
    """Mean and log-variance that are easily written down."""

    def forward(self, x):
        return torch.stack([x[:, 0] + x[:, 1], x[:, 2]], dim=1), torch.stack([x[:, 0], -1 - x[:, 1]], dim=1)


class Decoder(nn.Module):
    def forward(self, z):
        return torch.stack([z[:, 0], z[:, 1] ** 2, z[:, 0] * z[:, 1]], dim=1)


@pytest.fixture
def model():
    return Autoencoder(EncoderDecoder(Encoder(), Decoder()), Gaussian(SCALE), Normal, 2, torch.zeros(3))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(6, 3))


def evaluate(name, model, X):
    """Return a score of rows that are their own reference."""
    reading = model.read(torch.from_numpy(X))
    image_shape = (1, 1, X.shape[1]) if SCORES[name].needs_images else None
    states = fit_states(name, reference_of(reading, image_shape))
    scores = SCORES[name].evaluate(reading, on(states, reading.x))
    assert scores.shape == (len(X),)
    assert scores.dtype == torch.float64
    return scores.numpy()


def naive_posterior(x):
    return np.array([x[0] + x[1], x[2]]), np.exp(0.5 * np.array([x[0], -1 - x[1]]))


def naive_log_prob(x, z):
    return norm.logpdf(x, [z[0], z[1] ** 2, z[0] * z[1]], SCALE).sum()


def naive_kl(mean, std):
    return sum(0.5 * (m**2 + s**2 - 1 - math.log(s**2)) for m, s in zip(mean, std, strict=True))


def naive_scores(x):
    """All scores of one row that need neither training rows nor optimization."""
    mean, std = naive_posterior(x)
    reconstruction, kl = naive_log_prob(x, mean), naive_kl(mean, std)
    draws = [mean + std * draw for draw in antithetic_noise(ELBO_DRAWS, 2).numpy()]
    many = [mean + std * draw for draw in antithetic_noise(LIKELIHOOD_DRAWS, 2).numpy()]
    weights = [naive_log_prob(x, z) + norm.logpdf(z).sum() - norm.logpdf(z, mean, std).sum() for z in many]
    return {
        "reconstruction_kl": reconstruction - kl,
        "elbo": np.mean([naive_log_prob(x, z) for z in draws]) - kl,
        "log_likelihood": logsumexp(weights) - math.log(LIKELIHOOD_DRAWS),
        "neg_reconstruction": reconstruction,
        "neg_kl": -kl,
    }


@pytest.mark.parametrize(
    "name", ["reconstruction_kl", "elbo", "log_likelihood", "neg_reconstruction", "neg_kl"]
)
def test_scores_equal_their_definition(model, X, name):
    expected = [naive_scores(x)[name] for x in X]
    # sums of up to 128 numbers in another order
    np.testing.assert_allclose(evaluate(name, model, X), expected, rtol=1e-11)


def test_elbo_error_is_that_of_independent_pairs(model, X):
    elbo, error = elbo_with_error(model.read(torch.from_numpy(X)))
    for i, x in enumerate(X):
        mean, std = naive_posterior(x)
        noise = antithetic_noise(ELBO_DRAWS, 2).numpy()
        pairs = [
            (naive_log_prob(x, mean + std * draw) + naive_log_prob(x, mean - std * draw)) / 2
            for draw in noise[::2]
        ]
        assert elbo[i].item() == pytest.approx(np.mean(pairs) - naive_kl(mean, std), rel=1e-11)
        assert error[i].item() == pytest.approx(np.std(pairs, ddof=1) / math.sqrt(len(pairs)), rel=1e-9)


def test_elbo_error_is_honest(model, X):
    """Deviations of independent tables of noise are as large as the stated error."""
    reading = model.read(torch.from_numpy(X))
    _, error = elbo_with_error(reading)
    means = [reading.bound(antithetic_noise(ELBO_DRAWS, 2, seed=seed)).mean(dim=0) for seed in range(1, 200)]
    ratio = error / torch.stack(means).std(dim=0)
    assert torch.all((ratio > 0.4) & (ratio < 2.5))  # an error from 16 uneven pairs is itself uncertain


def test_scores_without_a_posterior(X):
    model = Autoencoder(
        EncoderDecoder(nn.Linear(3, 2).double(), Decoder()), Gaussian(SCALE), Point, 2, torch.zeros(3)
    )
    model.requires_grad_(False)
    codes = model.read(torch.from_numpy(X)).mean.numpy()
    expected = [naive_log_prob(x, z) for x, z in zip(X, codes, strict=True)]
    for name in ("reconstruction_kl", "elbo", "neg_reconstruction"):
        np.testing.assert_allclose(evaluate(name, model, X), expected, rtol=1e-12)
    assert elbo_with_error(model.read(torch.from_numpy(X)))[1].eq(0).all()


TABLE = {
    "reconstruction_kl": ("nats", "decoder"),
    "elbo": ("nats", "decoder"),
    "log_likelihood": ("nats", "decoder posterior"),
    "neg_reconstruction": ("nats", "decoder"),
    "neg_kl": ("nats", "prior"),
    "likelihood_regret": ("nats", "decoder posterior"),
    "latent_knn": ("std", "state"),
    "aggregate": ("nats", "state decoder posterior"),
    "density_of_states": ("nats", "state decoder"),
    "structure": ("std", "state decoder images"),
    "hidden_residual": ("std", "state decoder"),
    "perceptual": ("std", "state decoder images added"),
    "images": ("nats", "state decoder images"),
    "tables": ("std", "state decoder"),
    "marked": ("nats", "state decoder"),
}


def test_scores_name_their_units_and_needs():
    def needs(score):
        each = {
            "state": score.learns,
            "decoder": score.decodes,
            "posterior": score.needs_posterior,
            "prior": score.needs_prior,
            "images": score.needs_images,
            "added": score.needs_added,
        }
        return " ".join(name for name, needed in each.items() if needed)

    assert {name: (score.unit, needs(score)) for name, score in SCORES.items()} == TABLE


def test_parts_need_no_more_than_the_whole():
    for whole in SCORES.values():
        for part in (SCORES[name] for name in whole.parts):
            assert part.needs_posterior <= whole.needs_posterior
            assert part.needs_images <= whole.needs_images
            assert part.decodes <= whole.decodes


def test_a_state_comes_with_those_of_the_parts():
    X = np.random.default_rng(0).uniform(size=(30, 12))
    network = EncoderDecoder(nn.Linear(12, 2), nn.Linear(2, 12))
    model = Autoencoder(network, Gaussian(1.0), Point, 2, torch.zeros(12))
    reading = model.double().requires_grad_(False).read(torch.from_numpy(X))
    states = fit_states("images", reference_of(reading, (1, 3, 4)))
    assert set(states) == {"images", "structure", "hidden_residual", "latent_knn", "density_of_states"}
    assert fit_states("elbo", reference_of(reading)) == {}
    assert all(
        isinstance(value, np.ndarray) and value.dtype.kind in "fi" and np.isfinite(value).all()
        for state in states.values()
        for value in state.values()
    )


def test_states_go_to_the_precision_of_the_rows():
    placed = on({"one": {"of": np.arange(3)}}, torch.zeros(1, dtype=torch.float32))
    assert placed["one"]["of"].dtype == torch.float32
    assert placed["one"]["of"].tolist() == [0, 1, 2]


def test_scores_that_need_no_decoder_do_not_decode(X):
    model = Autoencoder(EncoderDecoder(Encoder()), Gaussian(), Normal, 2, torch.zeros(3))
    for name, score in SCORES.items():
        if score.decodes:
            with pytest.raises(NotImplementedError):
                evaluate(name, model, X)
        else:
            assert np.isfinite(evaluate(name, model, X)).all()

"""Every named score against its definition, written out with other tools."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import norm
from torch import nn

from vaetools.anomaly.scores import (
    ELBO_DRAWS,
    KNN_NEIGHBORS,
    LIKELIHOOD_DRAWS,
    SCORES,
    _whiten,
    elbo_with_error,
)
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.networks import EncoderDecoder
from vaetools.nn.objectives import Autoencoder, antithetic_noise

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
    return Autoencoder(EncoderDecoder(Encoder(), Decoder()), Gaussian(SCALE), 2, torch.zeros(3))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(6, 3))


def evaluate(name, model, X, state=None):
    scores = SCORES[name].evaluate(model, state or {}, torch.from_numpy(X), None)
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
    """All scores of one row that need no training codes."""
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


@pytest.mark.parametrize("name", [name for name, score in SCORES.items() if score.fit_state is None])
def test_scores_equal_their_definition(model, X, name):
    expected = [naive_scores(x)[name] for x in X]
    # sums of up to 128 numbers in another order
    np.testing.assert_allclose(evaluate(name, model, X), expected, rtol=1e-11)


def test_elbo_error_is_that_of_independent_pairs(model, X):
    elbo, error = elbo_with_error(model, torch.from_numpy(X), None)
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
    _, error = elbo_with_error(model, torch.from_numpy(X), None)
    means = [
        model.bound_draws(torch.from_numpy(X), antithetic_noise(ELBO_DRAWS, 2, seed=seed)).mean(dim=0)
        for seed in range(1, 200)
    ]
    ratio = error / torch.stack(means).std(dim=0)
    assert torch.all((ratio > 0.4) & (ratio < 2.5))  # an error from 16 uneven pairs is itself uncertain


def test_scores_without_a_posterior(X):
    model = Autoencoder(
        EncoderDecoder(nn.Linear(3, 2).double(), Decoder()), Gaussian(SCALE), 2, torch.zeros(3)
    )
    model.requires_grad_(False)
    codes = model.code(torch.from_numpy(X)).numpy()
    expected = [naive_log_prob(x, z) for x, z in zip(X, codes, strict=True)]
    for name in ("reconstruction_kl", "elbo", "neg_reconstruction"):
        np.testing.assert_allclose(evaluate(name, model, X), expected, rtol=1e-12)
    assert elbo_with_error(model, torch.from_numpy(X), None)[1].eq(0).all()


def naive_latent_knn(codes, reference):
    """Mahalanobis distances, without whitening."""
    inverse = np.linalg.inv(np.cov(reference.T, ddof=0))
    distances = np.sort(cdist(codes, reference, "mahalanobis", VI=inverse), axis=1)
    return -distances[:, :KNN_NEIGHBORS].mean(axis=1)


@pytest.mark.parametrize("n_reference", [5, 40])
def test_latent_knn_is_a_mahalanobis_distance(model, X, n_reference):
    reference = np.random.default_rng(1).normal(size=(n_reference, 2)) @ [[3.0, 1.0], [0.0, 0.01]] + 7
    codes = np.array([naive_posterior(x)[0] for x in X])
    scores = evaluate("latent_knn", model, X, _whiten(reference))
    np.testing.assert_allclose(scores, naive_latent_knn(codes, reference), rtol=1e-8)  # an inverse is taken


def test_latent_knn_does_not_change_with_the_units_of_codes(X):
    reference = np.random.default_rng(1).normal(size=(40, 2))
    turn = np.array([[2.0, 1.0], [-1.0, 0.3]])

    class Turned(nn.Module):
        def forward(self, x):
            return Encoder()(x)[0] @ torch.tensor(turn)

    plain = Autoencoder(EncoderDecoder(Encoder()), Gaussian(), 2, torch.zeros(3))
    turned = Autoencoder(EncoderDecoder(Turned()), Gaussian(), 2, torch.zeros(3))
    first = evaluate("latent_knn", plain, X, _whiten(reference))
    np.testing.assert_allclose(evaluate("latent_knn", turned, X, _whiten(reference @ turn)), first, rtol=1e-9)


def test_latent_knn_of_a_row_does_not_depend_on_its_batch(model):
    rng = np.random.default_rng(1)
    X, state = rng.normal(size=(300, 3)), _whiten(rng.normal(size=(50, 2)))
    scores = evaluate("latent_knn", model, X, state)
    alone = [evaluate("latent_knn", model, X[i : i + 1], state)[0] for i in range(0, 300, 29)]
    np.testing.assert_allclose(scores[::29], alone, rtol=1e-12)


def test_latent_knn_falls_with_distance(model):
    X = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    scores = evaluate("latent_knn", model, X, _whiten(np.random.default_rng(1).normal(size=(50, 2))))
    assert scores[0] > scores[1] > scores[2]


def test_whitened_codes_are_standard():
    codes = np.random.default_rng(1).normal(size=(60, 3)) @ [[3, 1, 0], [0, 0.1, 2], [0, 0, 5]] + 4
    state = _whiten(codes)
    np.testing.assert_allclose(np.cov(state["codes"].T, ddof=0), np.eye(3), atol=1e-10)
    np.testing.assert_allclose(state["codes"].mean(axis=0), 0, atol=1e-12)


def test_a_collapsed_direction_is_not_blown_up(model):
    """Codes that vary by rounding alone in one direction: its distances must not rule."""
    rng = np.random.default_rng(1)
    reference = np.column_stack([rng.normal(size=50), 1e-9 * rng.normal(size=50)])
    state = _whiten(reference)
    assert state["codes"][:, :].std(axis=0).max() == pytest.approx(1, rel=1e-6)
    assert np.sort(state["codes"].std(axis=0))[0] < 1e-5
    X = np.array([[0.1, 0.0, 0.0], [0.1, 0.0, 1e-6]])
    near, far = evaluate("latent_knn", model, X, state)
    assert near == pytest.approx(far, abs=2e-3)  # 1e-6 is a thousandth of a floored deviation


@pytest.mark.parametrize("n_reference", [1, 7])
def test_codes_that_are_all_alike_keep_their_unit(model, n_reference):
    state = _whiten(np.ones((n_reference, 2)))
    X = np.array([[1.0, 0.0, 1.0], [4.0, 0.0, 5.0], [1e3, 0.0, 1.0]])
    assert evaluate("latent_knn", model, X, state).tolist() == pytest.approx([0, -5, -999])


def test_scores_name_their_units_and_needs():
    table = {name: (score.unit, score.decodes, score.needs_posterior) for name, score in SCORES.items()}
    assert table == {
        "reconstruction_kl": ("nats", True, False),
        "elbo": ("nats", True, False),
        "log_likelihood": ("nats", True, True),
        "neg_reconstruction": ("nats", True, False),
        "neg_kl": ("nats", False, True),
        "latent_knn": ("std", False, False),
    }


def test_scores_that_need_no_decoder_do_not_decode(X):
    model = Autoencoder(EncoderDecoder(Encoder()), Gaussian(), 2, torch.zeros(3))
    state = _whiten(np.random.default_rng(1).normal(size=(50, 2)))
    for name, score in SCORES.items():
        if score.decodes:
            with pytest.raises(NotImplementedError):
                evaluate(name, model, X, state)
        else:
            assert np.isfinite(evaluate(name, model, X, state)).all()

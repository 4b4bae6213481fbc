"""Terms, bounds and label marginals against slow numpy twins and torch.distributions."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from vaetools.nn.labels import ConditionalAutoencoder
from vaetools.nn.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian
from vaetools.nn.model import (
    Autoencoder,
    Terms,
    antithetic_noise,
    gaussian_kl,
)
from vaetools.nn.networks import Network

N_FEATURES, N_COMPONENTS = 4, 2
LABEL_PRIOR = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
LOG_UNIT = torch.tensor([0.0, 0.5, -1.0, 2.0], dtype=torch.float64)
LIKELIHOODS = [Gaussian(0.5), Gaussian("predicted"), Bernoulli(), ContinuousBernoulli()]
every_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=repr)
# twins sum the same float64 numbers in another order
close = {"rtol": 1e-12, "atol": 1e-12}


def build(likelihood=None, *, n_components=N_COMPONENTS, n_classes=0, variational=True):
    """A small model in float64 with fixed weights, and units that are not 1."""
    likelihood = (likelihood or Gaussian(0.5)).bind(N_FEATURES)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Network(
            N_FEATURES,
            n_components,
            (5,),
            nn.Tanh,
            n_outputs=likelihood.n_outputs(N_FEATURES),
            variational=variational,
            n_classes=n_classes,
            conditioning="multiply",
        )
    if n_classes:
        model = ConditionalAutoencoder(network, likelihood, n_components, LOG_UNIT, LABEL_PRIOR)
    else:
        model = Autoencoder(network, likelihood, n_components, LOG_UNIT)
    model.double().requires_grad_(False)
    for parameter in network.parameters():
        parameter.mul_(2)  # far from the prior
    return model


def rows(n=3):
    return torch.rand((n, N_FEATURES), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def labels(x, y):
    return F.one_hot(torch.full((len(x),), y), 3).double()


def naive_cost(model, z, x, condition=None):
    """−log p(x | z) of one row."""
    parameters = model.network.decode(z[None], condition)
    log_prob = model.likelihood.log_prob(parameters, x[None])[0].numpy()
    return sum(unit - value for unit, value in zip(model.log_unit.numpy(), log_prob, strict=True))


def naive_kl(mean, std):
    return sum(0.5 * (m**2 + s**2 - 1) - math.log(s) for m, s in zip(mean, std, strict=True))


def naive_posterior(model, x, condition=None):
    mean, log_std = model.network.posterior(x[None], condition)
    return mean[0].numpy(), np.exp(log_std[0].numpy())


@every_likelihood
def test_terms_equal_their_naive_twin(likelihood):
    model, x = build(likelihood), rows()
    noise = antithetic_noise(len(x), N_COMPONENTS)
    for draws, terms in ((torch.zeros_like(noise), model.terms(x)), (noise, model.terms(x, noise=noise))):
        for i, row in enumerate(x):
            mean, std = naive_posterior(model, row)
            z = torch.tensor(mean + std * draws[i].numpy())
            assert terms.reconstruction[i].item() == pytest.approx(naive_cost(model, z, row), rel=1e-12)
            assert terms.kl[i].item() == pytest.approx(naive_kl(mean, std), rel=1e-12)
        assert terms.reconstruction_per_feature.shape == (3, N_FEATURES)
        assert terms.kl_per_component.shape == (3, N_COMPONENTS)
        assert torch.equal(terms.kl_per_component, model.kl_terms(x))


@pytest.mark.parametrize(("beta", "expected"), [(0.0, 5.0), (1.0, 15.0), (4.0, 45.0)])
def test_loss_sums_over_columns_and_averages_over_rows(beta, expected):
    terms = Terms(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[2.0, 3.0, 1.0], [4.0, 5.0, 5.0]]))
    assert terms.reconstruction.tolist() == [3.0, 7.0]
    assert terms.kl.tolist() == [6.0, 14.0]
    assert terms.loss(beta).item() == expected


def test_corruption_reaches_the_encoder_only():
    model, x = build(), rows()
    seen = x + 1
    terms = model.terms(x, corrupted=seen)
    mean, log_std = model.posterior(seen)
    expected = model.log_unit - model.likelihood.log_prob(model.network.decode(mean), x)
    assert torch.equal(terms.reconstruction_per_feature, expected)
    assert torch.equal(terms.kl_per_component, gaussian_kl(mean, log_std))


def test_without_a_posterior_kl_is_zero_and_noise_has_no_effect():
    model, x = build(variational=False), rows()
    noise = antithetic_noise(4, N_COMPONENTS)
    terms = model.terms(x, noise=noise[:3])
    assert torch.equal(terms.reconstruction, model.terms(x).reconstruction)
    assert terms.kl_per_component.eq(0).all()
    assert model.kl_terms(x).eq(0).all()
    assert torch.equal(model.bound_draws(x, noise), -terms.reconstruction.expand(4, -1))


@every_likelihood
def test_bound_draws_equal_their_naive_twin(likelihood):
    model, x = build(likelihood), rows()
    noise = antithetic_noise(5, N_COMPONENTS)
    draws = model.bound_draws(x, noise)
    assert draws.shape == (5, 3)
    for i, row in enumerate(x):
        mean, std = naive_posterior(model, row)
        for k, draw in enumerate(noise.numpy()):
            z = torch.tensor(mean + std * draw)
            expected = -naive_cost(model, z, row) - naive_kl(mean, std)
            assert draws[k, i].item() == pytest.approx(expected, rel=1e-12)


@every_likelihood
@pytest.mark.parametrize("n_draws", [1, 2, 7])
def test_log_likelihood_equals_its_naive_twin(likelihood, n_draws):
    """log of the mean of p(x | z) p(z) / q(z | x), densities by torch.distributions."""
    model, x = build(likelihood), rows()
    noise = antithetic_noise(n_draws, N_COMPONENTS)
    bound = model.log_likelihood(x, noise)
    for i, row in enumerate(x):
        mean, std = (torch.tensor(part) for part in naive_posterior(model, row))
        weights = []
        for draw in noise:
            z = mean + std * draw
            log_prior = Normal(0.0, 1.0).log_prob(z).sum().item()
            log_posterior = Normal(mean, std).log_prob(z).sum().item()
            weights.append(math.exp(log_prior - log_posterior - naive_cost(model, z, row)))
        assert bound[i].item() == pytest.approx(math.log(sum(weights) / n_draws), rel=1e-11)


def test_bounds_lie_below_the_log_likelihood_and_rise_with_draws():
    """One component, so that log p(x) is an integral on a line."""
    model, x = build(n_components=1), rows(6)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)[:, None]  # trapezoids are exact for such tails
    log_joint = torch.stack([-model.cost(z, row.expand(len(z), -1), None).sum(dim=1) for row in x])
    log_joint = log_joint + Normal(0.0, 1.0).log_prob(z[:, 0])
    truth = torch.logsumexp(log_joint, dim=1) + math.log(18 / 4000)
    noise = torch.randn((2400, 1), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    elbo = model.bound_draws(x, noise)
    bounds = [elbo.mean(dim=0)]
    bounds += [
        torch.stack([model.log_likelihood(x, part) for part in noise.split(k)]).mean(dim=0) for k in (6, 48)
    ]
    for lower, higher in zip(bounds, [*bounds[1:], truth], strict=True):
        assert torch.all(lower < higher)
    # Monte-Carlo error of the mean of 2400 uneven weights, about 0.05 nats
    assert torch.allclose(model.log_likelihood(x, noise), truth, rtol=0, atol=0.2)


@pytest.mark.parametrize("std", [1e-3, 0.3, 1.0, 20.0])
def test_gaussian_kl_equals_torch(std):
    mean = torch.linspace(-5, 5, 11, dtype=torch.float64)
    log_std = torch.full_like(mean, math.log(std))
    expected = kl_divergence(Normal(mean, torch.exp(log_std)), Normal(0.0, 1.0))
    assert torch.allclose(gaussian_kl(mean, log_std), expected, **close)


def test_gaussian_kl_is_zero_at_the_prior_only():
    mean, log_std = torch.tensor([0.0, 0.1, 0.0]), torch.tensor([0.0, 0.0, 0.1])
    assert (gaussian_kl(mean, log_std) > 0).tolist() == [False, True, True]


@pytest.mark.parametrize("n_draws", [1, 2, 7, 32])
def test_antithetic_noise(n_draws):
    state = torch.get_rng_state()
    noise = antithetic_noise(n_draws, 3)
    assert noise.shape == (n_draws, 3)
    assert noise.dtype == torch.float64
    n_pairs = n_draws // 2
    assert torch.equal(noise[0 : 2 * n_pairs : 2], -noise[1 : 2 * n_pairs : 2])  # each mirror follows
    assert torch.equal(noise, antithetic_noise(n_draws, 3))
    assert not torch.equal(noise, antithetic_noise(n_draws, 3, seed=1))
    assert torch.equal(state, torch.get_rng_state())


def test_antithetic_noise_is_standard_normal():
    noise = antithetic_noise(40_000, 2)
    assert noise.mean(dim=0).abs().max() < 1e-12
    # the standard error of a variance from 20,000 pairs is 0.01
    assert torch.allclose(noise.T @ noise / len(noise), torch.eye(2, dtype=torch.float64), atol=0.05)


# Labels


def scores_given_labels(model, x):
    each = [model.terms(x, labels(x, y)) for y in range(3)]
    return np.stack([(-terms.reconstruction - terms.kl).numpy() for terms in each], axis=1)


@every_likelihood
def test_marginal_terms_add_up_to_the_log_sum(likelihood):
    model, x = build(likelihood, n_classes=3), rows()
    log_joint = np.log(LABEL_PRIOR.numpy()) + scores_given_labels(model, x)
    terms = model.terms(x)
    np.testing.assert_allclose(-(terms.reconstruction + terms.kl), logsumexp(log_joint, axis=1), rtol=1e-12)
    np.testing.assert_allclose(model.label_log_joint(x), log_joint, rtol=1e-12)
    proba = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    np.testing.assert_allclose(model.label_proba(x), proba, rtol=1e-10)
    assert 0.01 < proba.max(axis=1).min() < 0.99  # a case that tells weights from a choice


def test_marginal_terms_are_expectations_and_a_label_cost():
    model, x = build(n_classes=3), rows()
    terms, proba = model.terms(x), model.label_proba(x)
    each = [model.terms(x, labels(x, y)) for y in range(3)]
    for i in range(len(x)):
        costs = sum(proba[i, y] * each[y].reconstruction_per_feature[i] for y in range(3))
        kl = sum(proba[i, y] * each[y].kl_per_component[i] for y in range(3))
        label_kl = sum(proba[i, y] * torch.log(proba[i, y] / LABEL_PRIOR[y]) for y in range(3))
        assert torch.allclose(terms.reconstruction_per_feature[i], costs, **close)
        assert torch.allclose(terms.kl_per_component[i, :-1], kl, **close)
        assert torch.allclose(terms.kl_per_component[i, -1], label_kl, **close)
    assert torch.equal(model.kl_terms(x), terms.kl_per_component)


def test_marginal_posterior_has_the_moments_of_the_mixture():
    model, x = build(n_classes=3), rows()
    mean, log_std = model.posterior(x)
    proba = model.label_proba(x)
    noise = antithetic_noise(20_000, N_COMPONENTS)
    for i in range(len(x)):
        parts = [model.posterior(x[[i]], labels(x[[i]], y)) for y in range(3)]
        draws = torch.stack([m + torch.exp(s) * noise for m, s in parts])
        first = torch.einsum("y,ynk->k", proba[i], draws) / len(noise)
        second = torch.einsum("y,ynk->k", proba[i], (draws - first) ** 2) / len(noise)
        assert torch.allclose(mean[i], first, rtol=0, atol=1e-12)  # mirrored draws average exactly
        # variances of 10,000 pairs: a relative error of 1.4 %, and 4 of those
        assert torch.allclose(torch.exp(2 * log_std[i]), second, rtol=0.06)


def test_marginal_posterior_keeps_a_small_spread_far_from_the_origin():
    """In float32, E[z²] − E[z]² would lose a spread of 0.001 at a mean of 100."""

    class Far(nn.Module):
        def posterior(self, x, condition):
            mean = torch.full((len(x), 1), 100.0)
            return mean, torch.full_like(mean, math.log(1e-3))

        def decode(self, z, condition):
            return z.expand(-1, N_FEATURES)

    model = ConditionalAutoencoder(Far(), Gaussian(1.0), 1, LOG_UNIT, LABEL_PRIOR.float())
    log_std = model.posterior(rows().float())[1]
    assert torch.exp(log_std).flatten().tolist() == pytest.approx([1e-3] * 3, rel=1e-4)


def test_marginal_reconstruction_averages_over_labels():
    model, x = build(Bernoulli(), n_classes=3), rows()
    proba = model.label_proba(x)
    each = [torch.sigmoid(model.network.decode(model.code(x, y), y)) for y in map(labels, [x] * 3, range(3))]
    expected = sum(proba[:, [y]] * each[y] for y in range(3))
    assert torch.allclose(model.reconstruct(x), expected, **close)
    z = model.code(x)
    each = [torch.sigmoid(model.network.decode(z, labels(x, y))) for y in range(3)]
    expected = sum(LABEL_PRIOR[y] * each[y] for y in range(3))
    assert torch.allclose(model.decoded_mean(z), expected, **close)


def test_marginal_bounds():
    model, x = build(n_classes=3), rows()
    noise = antithetic_noise(6, N_COMPONENTS)
    log_prior = np.log(LABEL_PRIOR.numpy())
    draws = np.stack([model.bound_draws(x, noise, labels(x, y)).numpy() for y in range(3)], axis=2)
    marginal = model.bound_draws(x, noise)
    assert marginal.shape == (6, 3)
    log_joint = log_prior + draws.mean(axis=0)
    np.testing.assert_allclose(marginal.mean(dim=0), logsumexp(log_joint, axis=1), rtol=1e-12)
    # the spread is the slope along every label's bound times that bound's deviation
    slopes = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    expected = ((draws - draws.mean(axis=0)) * slopes).sum(axis=2)
    np.testing.assert_allclose(marginal - marginal.mean(dim=0), expected, rtol=1e-9, atol=1e-12)
    each = np.stack([model.log_likelihood(x, noise, labels(x, y)).numpy() for y in range(3)], axis=1)
    np.testing.assert_allclose(
        model.log_likelihood(x, noise), logsumexp(log_prior + each, axis=1), rtol=1e-12
    )


def test_given_labels_a_conditional_model_is_a_plain_one():
    model, x = build(n_classes=3), rows()
    plain = Autoencoder(model.network, model.likelihood, N_COMPONENTS, LOG_UNIT)
    noise, y = antithetic_noise(3, N_COMPONENTS), labels(x, 2)
    for of in (
        lambda m: m.posterior(x, y)[1],
        lambda m: m.reconstruct(x, y),
        lambda m: m.kl_terms(x, y),
        lambda m: m.terms(x, y, noise=noise, corrupted=2 * x).reconstruction,
        lambda m: m.bound_draws(x, noise, y),
        lambda m: m.log_likelihood(x, noise, y),
    ):
        assert torch.equal(of(model), of(plain))

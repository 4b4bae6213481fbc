"""Costs, bounds and label marginals against slow numpy twins and torch.distributions."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from vaetools.nn.latents import Normal as NormalLatent
from vaetools.nn.latents import Point
from vaetools.nn.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian
from vaetools.nn.model import Autoencoder, antithetic_noise
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
    latent = NormalLatent if variational else Point
    prior = LABEL_PRIOR if n_classes else None
    model = Autoencoder(network, likelihood, latent, n_components, LOG_UNIT, prior)
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
def test_costs_equal_their_naive_twin(likelihood):
    model, x = build(likelihood), rows()
    noise = antithetic_noise(len(x), N_COMPONENTS)
    reading = model.read(x)
    drawn = reading.cost(reading.latent.draw(noise))
    for draws, costs in ((torch.zeros_like(noise), reading.reconstruction), (noise, drawn)):
        assert costs.shape == (3, N_FEATURES)
        for i, row in enumerate(x):
            mean, std = naive_posterior(model, row)
            z = torch.tensor(mean + std * draws[i].numpy())
            assert costs[i].sum().item() == pytest.approx(naive_cost(model, z, row), rel=1e-12)
    assert reading.kl.shape == (3, N_COMPONENTS)
    for i, row in enumerate(x):
        assert reading.kl[i].sum().item() == pytest.approx(naive_kl(*naive_posterior(model, row)), rel=1e-12)


@every_likelihood
def test_a_step_of_training_sums_costs_of_drawn_codes(likelihood):
    model, x = build(likelihood), rows()
    noise = antithetic_noise(len(x), N_COMPONENTS)
    reconstruction, kl = model(x, None, noise, None)
    posteriors = [naive_posterior(model, row) for row in x]
    drawn = zip(posteriors, noise.numpy(), strict=True)
    codes = [torch.tensor(mean + std * draw) for (mean, std), draw in drawn]
    expected = sum(naive_cost(model, z, row) for z, row in zip(codes, x, strict=True))
    assert reconstruction.item() == pytest.approx(expected, rel=1e-12)
    assert kl.item() == pytest.approx(sum(naive_kl(*posterior) for posterior in posteriors), rel=1e-12)


class Counted(nn.Module):
    """A network that counts the rows that it encodes and decodes."""

    def __init__(self, network):
        super().__init__()
        self.network, self.counts = network, {"encoded": 0, "decoded": 0}

    def posterior(self, x, condition):
        self.counts["encoded"] += len(x)
        return self.network.posterior(x, condition)

    def decode(self, z, condition):
        self.counts["decoded"] += len(z)
        return self.network.decode(z, condition)


@pytest.mark.parametrize(("n_classes", "n_passes"), [(0, 1), (3, 3)])
def test_however_much_is_asked_rows_go_through_the_network_once(n_classes, n_passes):
    model, x = build(n_classes=n_classes), rows()
    model.network = Counted(model.network)
    reading = model.read(x)
    assert model.network.counts == {"encoded": 0, "decoded": 0}
    for name in ("mean", "kl", "reconstruction", "expected", "surprise", "reconstruction", "latent"):
        getattr(reading, name)
    assert model.network.counts == {"encoded": 3 * n_passes, "decoded": 3 * n_passes}


def test_what_is_not_decoded_costs_no_decoding():
    model, x = build(), rows()
    model.network = Counted(model.network)
    reading = model.read(x)
    assert reading.mean.shape == reading.kl.shape == (3, N_COMPONENTS)
    assert model.network.counts == {"encoded": 3, "decoded": 0}


def test_corruption_reaches_the_encoder_only():
    model, x = build(), rows()
    seen = x + 1
    reading = model.read(x, seen=seen)
    mean, log_std = model.network.posterior(seen)
    expected = model.log_unit - model.likelihood.log_prob(model.network.decode(mean), x)
    assert torch.equal(reading.reconstruction, expected)
    assert torch.equal(reading.kl, NormalLatent(mean, log_std).kl)


def test_without_a_posterior_kl_is_zero_and_noise_has_no_effect():
    model, x = build(variational=False), rows()
    noise = antithetic_noise(4, N_COMPONENTS)
    reading = model.read(x)
    assert torch.equal(reading.cost(reading.latent.draw(noise[:3])), reading.reconstruction)
    assert reading.kl.eq(0).all()
    assert torch.equal(reading.bound(noise), -reading.reconstruction.sum(dim=1).expand(4, -1))


@every_likelihood
def test_bounds_equal_their_naive_twin(likelihood):
    model, x = build(likelihood), rows()
    noise = antithetic_noise(5, N_COMPONENTS)
    draws = model.read(x).bound(noise)
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
    bound = model.read(x).log_likelihood(noise)
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
    log_joint = torch.stack([-model.read(row.expand(len(z), -1)).cost(z).sum(dim=1) for row in x])
    log_joint = log_joint + Normal(0.0, 1.0).log_prob(z[:, 0])
    truth = torch.logsumexp(log_joint, dim=1) + math.log(18 / 4000)
    noise = torch.randn((2400, 1), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    reading = model.read(x)
    bounds = [reading.bound(noise).mean(dim=0)]
    bounds += [
        torch.stack([reading.log_likelihood(part) for part in noise.split(k)]).mean(dim=0) for k in (6, 48)
    ]
    for lower, higher in zip(bounds, [*bounds[1:], truth], strict=True):
        assert torch.all(lower < higher)
    # Monte-Carlo error of the mean of 2400 uneven weights, about 0.05 nats
    assert torch.allclose(reading.log_likelihood(noise), truth, rtol=0, atol=0.2)


@pytest.mark.parametrize("std", [1e-3, 0.3, 1.0, 20.0])
def test_normal_kl_equals_torch(std):
    mean = torch.linspace(-5, 5, 11, dtype=torch.float64)
    log_std = torch.full_like(mean, math.log(std))
    expected = kl_divergence(Normal(mean, torch.exp(log_std)), Normal(0.0, 1.0))
    assert torch.allclose(NormalLatent(mean, log_std).kl, expected, **close)


def test_normal_kl_is_zero_at_the_prior_only():
    mean, log_std = torch.tensor([0.0, 0.1, 0.0]), torch.tensor([0.0, 0.0, 0.1])
    assert (NormalLatent(mean, log_std).kl > 0).tolist() == [False, True, True]


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


def test_antithetic_noise_of_rows_is_their_own():
    noise = antithetic_noise(2, 50, 3)
    assert noise.shape == (2, 50, 3)
    assert torch.equal(noise[0], -noise[1])
    assert len(noise[0].unique(dim=0)) == 50


def test_antithetic_noise_is_standard_normal():
    noise = antithetic_noise(40_000, 2)
    assert noise.mean(dim=0).abs().max() < 1e-12
    # the standard error of a variance from 20,000 pairs is 0.01
    assert torch.allclose(noise.T @ noise / len(noise), torch.eye(2, dtype=torch.float64), atol=0.05)


# Labels


def scores_given_labels(model, x):
    each = [model.read(x, labels(x, y)) for y in range(3)]
    return np.stack([-(r.reconstruction.sum(dim=1) + r.kl.sum(dim=1)).numpy() for r in each], axis=1)


@every_likelihood
def test_marginal_costs_add_up_to_the_log_sum(likelihood):
    model, x = build(likelihood, n_classes=3), rows()
    log_joint = np.log(LABEL_PRIOR.numpy()) + scores_given_labels(model, x)
    reading = model.read(x)
    scores = -(reading.reconstruction.sum(dim=1) + reading.kl.sum(dim=1))
    np.testing.assert_allclose(scores, logsumexp(log_joint, axis=1), rtol=1e-12)
    np.testing.assert_allclose(reading.log_joint, log_joint, rtol=1e-12)
    proba = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    np.testing.assert_allclose(reading.y, proba, rtol=1e-10)
    assert 0.01 < proba.max(axis=1).min() < 0.99  # a case that tells weights from a choice


def test_costs_of_values_without_blur_are_the_reconstruction():
    model, x = build(), rows()
    reading, sharp = model.read(x), torch.zeros(x.shape[1], dtype=x.dtype)
    assert torch.equal(reading.blurred(sharp), reading.reconstruction)


def test_marginal_costs_are_expectations_and_a_label_cost():
    model, x = build(n_classes=3), rows()
    reading, proba = model.read(x), model.read(x).y
    each = [model.read(x, labels(x, y)) for y in range(3)]
    blur = torch.full((x.shape[1],), 0.5, dtype=x.dtype)
    for i in range(len(x)):
        blurred = sum(proba[i, y] * each[y].blurred(blur)[i] for y in range(3))
        assert torch.allclose(reading.blurred(blur)[i], blurred, **close)
        costs = sum(proba[i, y] * each[y].reconstruction[i] for y in range(3))
        surprise = sum(proba[i, y] * each[y].surprise[i] for y in range(3))
        kl = sum(proba[i, y] * each[y].kl[i] for y in range(3))
        label_kl = sum(proba[i, y] * torch.log(proba[i, y] / LABEL_PRIOR[y]) for y in range(3))
        assert torch.allclose(reading.reconstruction[i], costs, **close)
        assert torch.allclose(reading.surprise[i], surprise, **close)
        assert torch.allclose(reading.kl[i, :-1], kl, **close)
        assert torch.allclose(reading.kl[i, -1], label_kl, **close)


def test_marginal_posterior_has_the_moments_of_the_mixture():
    model, x = build(n_classes=3), rows()
    reading = model.read(x)
    noise = antithetic_noise(20_000, N_COMPONENTS)
    for i in range(len(x)):
        parts = [model.network.posterior(x[[i]], labels(x[[i]], y)) for y in range(3)]
        draws = torch.stack([m + torch.exp(s) * noise for m, s in parts])
        first = torch.einsum("y,ynk->k", reading.y[i], draws) / len(noise)
        second = torch.einsum("y,ynk->k", reading.y[i], (draws - first) ** 2) / len(noise)
        assert torch.allclose(reading.mean[i], first, rtol=0, atol=1e-12)  # mirrored draws average exactly
        # variances of 10,000 pairs: a relative error of 1.4 %, and 4 of those
        assert torch.allclose(torch.exp(2 * reading.latent.log_std[i]), second, rtol=0.06)


def test_marginal_posterior_keeps_a_small_spread_far_from_the_origin():
    """In float32, E[z²] − E[z]² would lose a spread of 0.001 at a mean of 100."""

    class Far(nn.Module):
        def posterior(self, x, condition):
            mean = torch.full((len(x), 1), 100.0)
            return mean, torch.full_like(mean, math.log(1e-3))

        def decode(self, z, condition):
            return z.expand(-1, N_FEATURES)

    model = Autoencoder(Far(), Gaussian(1.0), NormalLatent, 1, LOG_UNIT, LABEL_PRIOR.float())
    log_std = model.read(rows().float()).latent.log_std
    assert torch.exp(log_std).flatten().tolist() == pytest.approx([1e-3] * 3, rel=1e-4)


def test_marginal_reconstruction_averages_over_labels():
    model, x = build(Bernoulli(), n_classes=3), rows()
    reading = model.read(x)
    each = [model.read(x, labels(x, y)).expected for y in range(3)]
    expected = sum(reading.y[:, [y]] * each[y] for y in range(3))
    assert torch.allclose(reading.expected, expected, **close)
    z = reading.mean
    each = [torch.sigmoid(model.network.decode(z, labels(x, y))) for y in range(3)]
    expected = sum(LABEL_PRIOR[y] * each[y] for y in range(3))
    assert torch.allclose(model.decode(z), expected, **close)


def test_marginal_bounds():
    model, x = build(n_classes=3), rows()
    noise = antithetic_noise(6, N_COMPONENTS)
    log_prior = np.log(LABEL_PRIOR.numpy())
    draws = np.stack([model.read(x, labels(x, y)).bound(noise).numpy() for y in range(3)], axis=2)
    marginal = model.read(x).bound(noise)
    assert marginal.shape == (6, 3)
    log_joint = log_prior + draws.mean(axis=0)
    np.testing.assert_allclose(marginal.mean(dim=0), logsumexp(log_joint, axis=1), rtol=1e-12)
    # the spread is the slope along every label's bound times that bound's deviation
    slopes = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    expected = ((draws - draws.mean(axis=0)) * slopes).sum(axis=2)
    np.testing.assert_allclose(marginal - marginal.mean(dim=0), expected, rtol=1e-9, atol=1e-12)
    each = np.stack([model.read(x, labels(x, y)).log_likelihood(noise).numpy() for y in range(3)], axis=1)
    np.testing.assert_allclose(
        model.read(x).log_likelihood(noise), logsumexp(log_prior + each, axis=1), rtol=1e-12
    )


def test_given_labels_a_conditional_model_is_a_plain_one():
    model, x = build(n_classes=3), rows()
    plain = Autoencoder(model.network, model.likelihood, NormalLatent, N_COMPONENTS, LOG_UNIT)
    noise, y = antithetic_noise(3, N_COMPONENTS), labels(x, 2)
    for of in (
        lambda m: m.read(x, y).latent.log_std,
        lambda m: m.read(x, y).expected,
        lambda m: m.read(x, y).surprise,
        lambda m: m.read(x, y).kl,
        lambda m: m(x, y, noise, 2 * x)[0],
        lambda m: m.read(x, y).bound(noise),
        lambda m: m.read(x, y).log_likelihood(noise),
    ):
        assert torch.equal(of(model), of(plain))

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import correlation, effective_rank, moment_kl, sliced_wasserstein


def test_a_round_cloud(normal):
    assert 0 <= moment_kl(normal).value < 0.002
    assert 0 < sliced_wasserstein(normal).value < 0.05
    assert effective_rank(normal).value == pytest.approx(3, abs=0.01)
    assert correlation(normal).value < 0.05


def test_a_collapsed_cloud(collapsed):
    assert moment_kl(collapsed.Z).value == pytest.approx(13.3, abs=0.1)
    assert sliced_wasserstein(collapsed.Z).value == pytest.approx(1, abs=0.05)
    assert math.isnan(effective_rank(collapsed.Z).value)
    assert math.isnan(correlation(collapsed.Z).value)


@pytest.mark.parametrize("measure", [moment_kl, sliced_wasserstein, effective_rank, correlation])
def test_shuffling_rows_changes_nothing(measure, perfect, shuffled):
    assert measure(shuffled.Z).value == pytest.approx(measure(perfect.Z).value, abs=1e-9)


@pytest.mark.parametrize("measure", [moment_kl, sliced_wasserstein, effective_rank, correlation])
def test_intervals_hold_what_other_rows_give(measure, normal):
    Z = 1.5 * normal @ [[1, 0.3, 0], [0, 1, 0.3], [0, 0, 1]] + 0.5
    value, low, high = measure(Z[:1000])
    assert low < value < high
    assert low < measure(Z[1000:]).value + (high - low) / 2
    assert high > measure(Z[1000:]).value - (high - low) / 2


def test_moment_kl_is_that_of_normal_distributions(normal):
    Z = normal * [1, 3, 0.1] + [0, 1, -5]
    expected = kl_divergence(
        Normal(torch.from_numpy(Z.mean(axis=0)), torch.from_numpy(Z.std(axis=0))), Normal(0.0, 1.0)
    )
    assert moment_kl(Z).value == pytest.approx(expected.mean().item())


def test_moment_kl_counts_every_dimension_alike(normal):
    assert moment_kl(5 * normal[:, :1]).value == pytest.approx(moment_kl(5 * normal[:, [0, 0, 0]]).value)


@pytest.mark.parametrize("n_components", [1, 2, 16])
@pytest.mark.parametrize("scale", [0.2, 4.0])
def test_sliced_wasserstein_has_the_unit_of_the_prior_in_any_dimension(n_components, scale):
    Z = np.random.default_rng(0).normal(size=(1000, n_components))
    assert sliced_wasserstein(scale * Z).value == pytest.approx(abs(scale - 1), abs=0.08 * scale)
    assert sliced_wasserstein(Z + 2).value == pytest.approx(2, rel=0.15)  # directions are few


def test_sliced_wasserstein_sees_a_gap_that_moments_do_not():
    Z = np.random.default_rng(0).normal(size=(2000, 2)) * 0.2
    Z[:, 0] += np.where(np.arange(2000) % 2, 1, -1) * math.sqrt(1 - 0.2**2)
    Z[:, 1] *= 5
    assert moment_kl(Z).value < 0.01
    assert sliced_wasserstein(Z).value > 0.15


def test_sliced_wasserstein_hardly_minds_a_rotation(normal):
    Z = normal * [1, 2, 5]
    assert sliced_wasserstein(Z @ rotation(3)).value == pytest.approx(sliced_wasserstein(Z).value, rel=0.1)


def test_effective_rank_by_hand():
    Z = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # singular values 3√2 and √2
    shares = np.array([0.75, 0.25])
    assert effective_rank(Z).value == pytest.approx(math.exp(-shares @ np.log(shares)))
    assert effective_rank(7 * Z @ rotation(2) + 100).value == pytest.approx(effective_rank(Z).value)


def test_correlation_is_that_of_numpy(perfect):
    expected = np.abs(np.corrcoef(perfect.Z.T)[np.triu_indices(5, 1)]).mean()
    assert correlation(perfect.Z).value == pytest.approx(expected)
    assert correlation(-perfect.Z * [1, 2, 3, 4, 1e-6] + 5).value == pytest.approx(expected)
    with_constant = np.insert(perfect.Z, 2, 0.1, axis=1)
    assert correlation(with_constant).value == pytest.approx(expected)
    assert math.isnan(correlation(perfect.Z[:, :1]).value)

"""Columns of several kinds: probabilities that add up, missing cells that cost nothing."""

import copy
import math

import pytest
import torch

from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.mixed import SMOOTHING, Categorical, Mixed

NAN = math.nan
KINDS = [3, 0, 2, 0, 3]  # categories of each column, 0 for numbers
GAPS = [True, False, True, True, False]  # whether training has missing cells there


def draw(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def mixed():
    """Scales 0.5 and 3 of the two columns of numbers."""
    likelihood = Mixed(KINDS, GAPS).double()
    likelihood.fit_scale(torch.tensor([NAN, 0.25, NAN, 9.0, NAN]))
    return likelihood


@pytest.fixture
def x():
    return torch.tensor([[0, 0.5, 1, -2, 2], [3, -1.0, 0, 4, 1]], dtype=torch.float64)


def test_categorical_by_hand():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64))
    costs = [-Categorical(3).log_prob(logits, torch.full((1, 1), float(k))).item() for k in range(4)]
    unseen = SMOOTHING / 4
    expected = [(1 - SMOOTHING) * p + unseen for p in (0.5, 0.25, 0.25, 0)]
    assert [math.exp(-cost) for cost in costs] == pytest.approx(expected, rel=1e-12)


def test_categorical_probabilities_add_up_and_none_is_below_the_unseen():
    probabilities = Categorical(4).probabilities(50 * draw(6, 8))
    assert probabilities.shape == (6, 2, 5)
    assert torch.allclose(probabilities.sum(dim=2), torch.ones(6, 2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (probabilities >= probabilities[:, :, -1:]).all()


def test_categorical_entropy_is_the_expected_cost():
    likelihood, logits = Categorical(3), 2 * draw(5, 6)
    costs = torch.stack([-likelihood.log_prob(logits, torch.full((5, 2), float(k))) for k in range(4)])
    expected = (torch.exp(-costs) * costs).sum(dim=0)
    assert torch.allclose(likelihood.entropy(logits), expected, rtol=1e-12, atol=0)


def test_each_column_is_scored_by_its_own_likelihood(mixed, x):
    """The decoder's output holds numbers first, then two categories, then three."""
    parameters = draw(2, mixed.n_outputs(5))
    log_prob = mixed.log_prob(parameters, x)
    for column, scale, place in ((1, 0.5, 0), (3, 3.0, 1)):
        expected = Gaussian(scale).log_prob(parameters[:, [place]], x[:, [column]])
        # a learnt scale is kept in float32
        assert torch.allclose(log_prob[:, [column]], expected, rtol=0, atol=1e-5)
    for column, n, start in ((2, 2, 2), (0, 3, 4), (4, 3, 7)):
        expected = Categorical(n).log_prob(parameters[:, start : start + n], x[:, [column]])
        assert torch.equal(log_prob[:, [column]], expected)
    assert mixed.n_outputs(5) == 10


def test_mean_and_entropy_are_those_of_each_column(mixed):
    parameters = draw(4, 10)
    mean, entropy = mixed.mean(parameters), mixed.entropy(parameters)
    assert torch.equal(mean[:, [1, 3]], parameters[:, :2])
    assert torch.equal(mean[:, 0], parameters[:, 4:7].argmax(dim=1).double())
    assert torch.equal(entropy[:, [0, 4]], Categorical(3).entropy(parameters[:, 4:]))
    assert (entropy[:, 3] - entropy[:, 1]).tolist() == pytest.approx([math.log(6)] * 4, abs=1e-5)  # float32


def test_a_missing_cell_costs_nothing_and_moves_no_weight(mixed, x):
    parameters = draw(2, 10).requires_grad_()
    missing = torch.tensor([[True, True, False, False, False], [False, False, True, False, True]])
    log_prob = mixed.log_prob(parameters, x.masked_fill(missing, NAN))
    assert torch.equal(log_prob, mixed.log_prob(parameters, x).masked_fill(missing, 0))
    (slopes,) = torch.autograd.grad(log_prob.sum(), parameters)
    assert torch.isfinite(slopes).all()
    assert not slopes[0, [0, 4, 5, 6]].any()
    assert not slopes[1, [2, 3, 7, 8, 9]].any()
    assert (slopes[0, [1, 2, 3, 7, 8, 9]] != 0).all()


def test_an_encoder_sees_zeros_for_what_is_missing_or_unseen(mixed, x):
    assert mixed.n_inputs(5) == 11
    x[0, 1] = x[0, 3] = x[0, 4] = NAN
    numbers, flags, colors, missing = mixed.inputs(x).split([2, 2, 6, 1], dim=1)
    assert numbers.tolist() == [[0, 0], [-1, 4]]
    assert missing.tolist() == [[1], [0]]  # of the fourth column, the only one of numbers with gaps
    assert flags.tolist() == [[0, 1], [1, 0]]
    assert colors.tolist() == [[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]]  # of row 1, code 3 is unseen


def test_noise_is_for_numbers_and_a_masked_cell_is_missing(mixed, x):
    assert torch.equal(mixed.noisy(x, torch.full_like(x, 0.5)), x + torch.tensor([0, 0.5, 0, 0.5, 0]))
    where = torch.zeros(2, 5, dtype=torch.bool)
    where[0, 2] = True
    masked = mixed.masked(x, where)
    assert torch.equal(masked.isnan(), where)
    assert torch.equal(masked[~where], x[~where])


def test_a_mixture_averages_numbers_and_probabilities_not_codes(mixed):
    parameters = torch.zeros(3, 1, 10, dtype=torch.float64)
    parameters[:, 0, 0] = torch.tensor([1.0, 2.0, 4.0])
    parameters[0, 0, 4:7] = torch.tensor([9.0, 0, 0])  # categories 0, 2 and 2: their mean code would be 1
    parameters[1:, 0, 4:7] = torch.tensor([0.0, 0, 9])
    mean = mixed.mixture_mean(torch.tensor([[0.4, 0.3, 0.3]], dtype=torch.float64), list(parameters))
    assert mean[0, 0].item() == 2
    assert mean[0, 1].item() == pytest.approx(2.2)


@pytest.mark.parametrize("kinds", [[0], [3], [0, 0], [2, 2]])
def test_one_kind_alone(kinds):
    likelihood = Mixed(kinds, [False] * len(kinds)).double()
    x = torch.ones(2, len(kinds), dtype=torch.float64)
    parameters = draw(2, likelihood.n_outputs(len(kinds)))
    assert likelihood.inputs(x).shape == (2, likelihood.n_inputs(len(kinds)))
    for result in (likelihood.log_prob(parameters, x), likelihood.mean(parameters)):
        assert result.shape == (2, len(kinds))


def test_copies_and_options(mixed, x):
    parameters = draw(2, 10)
    assert torch.equal(copy.deepcopy(mixed).log_prob(parameters, x), mixed.log_prob(parameters, x))
    assert repr(Mixed(**mixed.options)) == repr(mixed)
    assert set(mixed.state_dict()) == {"parts.0.raw_log_scale"}


def test_scales_follow_the_numbers_that_are_there(mixed):
    """A column of which half the cells are missing comes to rest where the others say."""
    x = torch.tensor([[0, 2.0, 1, 0.1, 2], [0, NAN, 1, -0.1, 2]], dtype=torch.float64)
    parameters = torch.zeros(2, 10, dtype=torch.float64)
    for _ in range(200):
        mixed.zero_grad()
        (-mixed.log_prob(parameters, x).sum() / len(x)).backward()
        mixed.parts[0].follow_scale(0.2)
    scales = (-mixed.log_prob(parameters, torch.zeros_like(x))[0, [1, 3]] - math.log(2 * math.pi) / 2).exp()
    assert scales.tolist() == pytest.approx([2.0, 0.1], rel=1e-6)

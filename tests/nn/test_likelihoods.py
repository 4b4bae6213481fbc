"""Densities against hand-computed values, quadrature and torch; edges of the domain; gradients."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.nn import functional as F

from vaetools.nn.likelihoods import LIKELIHOODS, Bernoulli, ContinuousBernoulli, Gaussian

LOG_2PI = math.log(2 * math.pi)
LOGITS = [-200.0, -60.0, -3.0, -0.041, -0.039, -1e-4, 0.0, 1e-9, 0.039, 0.041, 1.0, 16.0, 60.0, 200.0]
EVERY = {
    "fixed": Gaussian(scale=0.7),
    "global": Gaussian(),
    "per_feature": Gaussian(scale="per_feature"),
    "local": Gaussian(scale="local"),
    "predicted": Gaussian(scale="predicted"),
    "bernoulli": Bernoulli(),
    "continuous_bernoulli": ContinuousBernoulli(),
}
every_likelihood = pytest.mark.parametrize("likelihood", EVERY.values(), ids=EVERY)


def column(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)[:, None]


def nodes_and_weights(low, high, n_panels=50):
    """Gauss-Legendre with 40 nodes per panel: exact to about 1e-13 for the smooth densities here."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(low, high, n_panels + 1)
    half = (high - low) / n_panels / 2
    x = half * (nodes + 1) + edges[:-1, None]
    return torch.tensor(x.ravel()), torch.tensor(np.tile(half * weights, n_panels))


@pytest.mark.parametrize(
    ("likelihood", "parameters", "x", "expected"),
    [
        (Gaussian(scale=1.0), [0.0], 0.0, -LOG_2PI / 2),
        (Gaussian(scale=1.0), [1.0], 3.0, -2.0 - LOG_2PI / 2),
        (Gaussian(scale=2.0), [1.0], 3.0, -0.5 - math.log(2) - LOG_2PI / 2),
        (Gaussian(scale=2**-0.5), [1.0], 4.0, -9.0 - math.log(math.pi) / 2),  # plain squared error
        (Gaussian(scale=1), [0.0], 1.0, -0.5 - LOG_2PI / 2),
        (Gaussian(), [0.0], 2.0, -2.0 - LOG_2PI / 2),  # with a learnt scale of 1
        (Gaussian(scale="per_feature"), [0.0], 2.0, -2.0 - LOG_2PI / 2),
        # floor + softplus(0) = 1 with this floor
        (Gaussian(scale="predicted", floor=1 - math.log(2)), [0.0, 0.0], 2.0, -2.0 - LOG_2PI / 2),
        (Bernoulli(), [0.0], 1.0, -math.log(2)),
        (Bernoulli(), [math.log(3)], 1.0, math.log(0.75)),
        (Bernoulli(), [math.log(3)], 0.0, math.log(0.25)),
        (Bernoulli(), [math.log(3)], 0.5, 0.5 * math.log(0.75 * 0.25)),
        (ContinuousBernoulli(), [0.0], 0.3, 0.0),  # uniform
        # p = 3/4: density ∝ 3^x, normalized by (3 - 1) / log 3
        (ContinuousBernoulli(), [math.log(3)], 0.5, 0.5 * math.log(3) + math.log(math.log(3) / 2)),
        (ContinuousBernoulli(), [60.0], 1.0, math.log(60)),
        (ContinuousBernoulli(), [-60.0], 0.0, math.log(60)),
        (ContinuousBernoulli(), [60.0], 0.0, math.log(60) - 60),
        (ContinuousBernoulli(), [200.0], 1.0, math.log(200)),
        (ContinuousBernoulli(), [-200.0], 1.0, math.log(200) - 200),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_prob_by_hand(likelihood, parameters, x, expected, dtype):
    bound = likelihood.bind(1).to(dtype)
    bound.fit_scale(torch.ones(1))  # again: bind wrote it in float32
    log_prob = bound.log_prob(torch.tensor([parameters], dtype=dtype), torch.tensor([[x]], dtype=dtype))
    # a handful of roundings of numbers as large as the result
    tolerance = {torch.float32: 1e-6, torch.float64: 1e-14}[dtype] * max(1, abs(expected))
    assert log_prob.item() == pytest.approx(expected, abs=tolerance, rel=0)


@pytest.mark.parametrize("scale", [0.05, 3.0, "global", "per_feature", "predicted"])
def test_gaussian_is_a_density_with_its_mean(scale):
    likelihood = Gaussian(scale).bind(2).double()
    likelihood.fit_scale(torch.tensor([0.04, 9.0]))
    mean = torch.tensor([0.5, -2.0], dtype=torch.float64)
    raw = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    parameters = torch.cat([mean, raw] if scale == "predicted" else [mean])
    x, weights = nodes_and_weights(
        -42.0, 42.0, 200
    )  # ±13 of the widest scale, ±4 of the narrowest in a panel
    rows = x[:, None].expand(-1, 2)
    density = likelihood.log_prob(parameters.expand(len(x), -1), rows).exp()
    assert torch.allclose(weights @ density, torch.ones(2, dtype=torch.float64), atol=1e-10, rtol=0)
    assert torch.allclose(weights @ (density * rows), mean, atol=1e-10, rtol=0)
    assert torch.equal(likelihood.mean(parameters[None])[0], mean)


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_is_a_density_with_its_mean(logit):
    x, weights = nodes_and_weights(0.0, 1.0)
    parameters = torch.full((len(x), 1), logit, dtype=torch.float64)
    density = ContinuousBernoulli().log_prob(parameters, x[:, None]).exp()[:, 0]
    assert (weights @ density).item() == pytest.approx(1, abs=1e-12)
    # near 0 the mean is a difference of numbers near 50, good to 1e-14
    assert ContinuousBernoulli().mean(parameters)[0].item() == pytest.approx(
        (weights @ (density * x)).item(), abs=1e-12
    )


@pytest.mark.parametrize("scale", [0.05, 3.0, "global", "per_feature", "predicted"])
def test_gaussian_entropy_is_the_expected_cost(scale):
    likelihood = Gaussian(scale).bind(2).double()
    likelihood.fit_scale(torch.tensor([0.04, 9.0]))
    mean = torch.tensor([0.5, -2.0], dtype=torch.float64)
    raw = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    parameters = torch.cat([mean, raw] if scale == "predicted" else [mean])
    x, weights = nodes_and_weights(-42.0, 42.0, 200)
    log_prob = likelihood.log_prob(parameters.expand(len(x), -1), x[:, None].expand(-1, 2))
    expected = -(weights @ (log_prob.exp() * log_prob))
    assert torch.allclose(likelihood.entropy(parameters[None])[0], expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("scale", [0.05, "per_feature", "predicted"])
def test_a_blurred_gaussian_has_the_sum_of_both_variances(scale):
    likelihood = Gaussian(scale).bind(2).double()
    likelihood.fit_scale(torch.tensor([0.04, 9.0]))
    mean, raw = torch.tensor([[0.5, -2.0]]).double(), torch.tensor([[-1.0, 2.0]]).double()
    parameters = torch.cat([mean, raw], dim=1) if scale == "predicted" else mean
    x, blur = torch.tensor([[1.0, 3.0]]).double(), torch.tensor([0.0, 4.0]).double()
    std = torch.exp(likelihood.entropy(parameters) - 0.5 * math.log(2 * math.pi * math.e))
    expected = torch.distributions.Normal(mean, torch.hypot(std, blur)).log_prob(x)
    assert torch.allclose(likelihood.blurred_log_prob(parameters, x, blur), expected, atol=1e-12, rtol=0)
    assert torch.equal(Bernoulli().blurred_log_prob(mean, x, blur), Bernoulli().log_prob(mean, x))


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_entropy_is_the_expected_cost(logit):
    x, weights = nodes_and_weights(0.0, 1.0)
    parameters = torch.full((len(x), 1), logit, dtype=torch.float64)
    log_prob = ContinuousBernoulli().log_prob(parameters, x[:, None])[:, 0]
    expected = -(weights @ (log_prob.exp() * log_prob)).item()
    # a logit times the mean's rounding
    assert ContinuousBernoulli().entropy(parameters)[0].item() == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("logit", LOGITS)
def test_bernoulli_entropy_is_the_expected_cost(logit):
    logits = column(logit, logit)
    log_prob = Bernoulli().log_prob(logits, column(0.0, 1.0))
    expected = -(log_prob.exp() * log_prob).sum().item()
    assert Bernoulli().entropy(logits)[0].item() == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("function", ["log_prob", "mean"])
def test_series_and_quotient_join_smoothly(function):
    """No jump in value or gradient where the series ends, at |logit| = 0.04."""
    likelihood = ContinuousBernoulli()
    for side in (-1, 1):
        logits = column(side * 0.04 * (1 - 1e-12), side * 0.04 * (1 + 1e-12)).requires_grad_()
        x = torch.full_like(logits, 0.3)
        values = likelihood.mean(logits) if function == "mean" else likelihood.log_prob(logits, x)
        (slopes,) = torch.autograd.grad(values.sum(), logits)
        assert abs(values[0] - values[1]).item() < 1e-13  # 4e-14 apart along the slope
        assert abs(slopes[0] - slopes[1]).item() < 1e-11  # 1/tanh' − 1/x² cancels 4 digits


def test_continuous_bernoulli_in_float32_agrees_with_float64():
    logits, x = column(*LOGITS), torch.rand(len(LOGITS), 1, dtype=torch.float64)
    for function in (ContinuousBernoulli().mean, lambda p: ContinuousBernoulli().log_prob(p, x.to(p))):
        # float32 has 7 digits, and near logit 0 the mean cancels 2 of them
        assert torch.allclose(function(logits.float()).double(), function(logits), rtol=1e-5, atol=5e-6)


def test_continuous_bernoulli_is_symmetric():
    logits, x = column(*LOGITS), column(*np.linspace(0, 1, len(LOGITS)))
    likelihood = ContinuousBernoulli()
    mirrored = likelihood.log_prob(-logits, 1 - x)
    assert torch.allclose(likelihood.log_prob(logits, x), mirrored, rtol=0, atol=1e-12)  # logits up to 200
    assert torch.allclose(likelihood.mean(logits), 1 - likelihood.mean(-logits), rtol=0, atol=1e-15)


def test_bernoulli_equals_torch():
    logits = column(*LOGITS)
    for x in (0.0, 0.25, 1.0):
        target = torch.full_like(logits, x)
        expected = -F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        # torch writes (1 − x) l + softplus(−l): roundings of numbers up to 200
        assert torch.allclose(Bernoulli().log_prob(logits, target), expected, rtol=1e-15, atol=1e-13)
    assert torch.equal(Bernoulli().mean(logits), torch.sigmoid(logits))


@every_likelihood
@pytest.mark.parametrize("center", [0.0, 0.01, -3.0, 40.0])
def test_gradients(likelihood, center):
    """gradcheck's own tolerances: 1e-5 absolute, 1e-3 relative."""
    bound = (
        likelihood.bind(3).double().eval()
    )  # in training a local scale follows errors by a gradient of its own
    generator = torch.Generator().manual_seed(0)
    size = (4, 3 * bound.n_parameters)
    parameters = (center + torch.randn(size, generator=generator, dtype=torch.float64)).requires_grad_()
    x = torch.rand((4, 3), generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(bound.log_prob, (parameters, x))
    assert torch.autograd.gradcheck(bound.mean, (parameters,))
    assert torch.autograd.gradcheck(bound.entropy, (parameters,))
    for name, weight in bound.named_parameters():

        def of_weight(value, name=name):
            return torch.func.functional_call(_LogProb(bound), {f"bound.{name}": value}, (parameters, x))

        assert torch.autograd.gradcheck(of_weight, (weight.detach().clone().requires_grad_(),))


class _LogProb(torch.nn.Module):
    """``log_prob`` as a forward pass."""

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def forward(self, parameters, x):
        return self.bound.log_prob(parameters, x)


@every_likelihood
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_are_kept(likelihood, dtype):
    bound = likelihood.bind(3).to(dtype)
    parameters = torch.zeros(5, 3 * bound.n_parameters, dtype=dtype)
    x = torch.full((5, 3), 0.5, dtype=dtype)
    for result in (bound.log_prob(parameters, x), bound.mean(parameters), bound.entropy(parameters)):
        assert result.shape == (5, 3)
        assert result.dtype == dtype
        assert torch.isfinite(result).all()


@pytest.mark.parametrize("scale", ["global", "per_feature"])
def test_fit_scale_is_the_maximum_of_the_likelihood(scale):
    x = torch.tensor(np.random.default_rng(0).normal(size=(50, 2)) * [0.01, 30.0])
    likelihood = Gaussian(scale).bind(2).double()

    def cost(raw, column):
        likelihood.raw_log_scale.data[column] = raw
        per_feature = -likelihood.log_prob(torch.zeros_like(x), x).mean(dim=0)
        return (per_feature.sum() if scale == "global" else per_feature[column]).item()

    best = [
        minimize_scalar(cost, bounds=(-7, 7), args=(column,), method="bounded", options={"xatol": 1e-9}).x
        for column in range(len(likelihood.raw_log_scale))
    ]
    likelihood.fit_scale(x.square().mean(dim=0))
    # a numeric minimum is good to √(float64 rounding of the cost) ≈ 1e-7
    assert likelihood.raw_log_scale.tolist() == pytest.approx(best, abs=1e-6)


def test_a_local_scale_is_the_largest_nearby_in_use_and_one_for_all_in_training():
    likelihood, variances = Gaussian("local").bind(70).double(), np.full((1, 7, 10), 1e-4)
    variances[0, 2, 1] = 4.0
    likelihood.image_shape = variances.shape
    likelihood.fit_scale(torch.tensor(variances.ravel()))

    def in_use():
        entropy = likelihood.entropy(torch.zeros(1, 70, dtype=torch.float64))[0].detach().numpy()
        return np.exp(2 * entropy - 1 - LOG_2PI).reshape(7, 10)

    np.testing.assert_allclose(in_use(), variances.mean(), rtol=1e-3)
    likelihood.eval()
    expected = np.full((7, 10), 0.01 * variances.mean())
    expected[:5, :4] = 4.0
    expected *= (variances[0] / expected).mean()
    np.testing.assert_allclose(in_use(), expected, rtol=1e-2)


@pytest.mark.parametrize("scale", ["global", "per_feature", "local"])
def test_a_scale_stays_a_number_where_errors_round_to_less_than_none(scale):
    likelihood = Gaussian(scale).bind(2)
    likelihood.fit_scale(torch.tensor([1e-4, 1.0]))
    slope = torch.sigmoid(likelihood.raw_log_scale.detach() + 7)  # of a cost whose squared error is 0
    likelihood.raw_log_scale.grad = slope * likelihood.n_shared * (1 + 3e-7)
    likelihood.follow_scale(1.0)
    assert likelihood._learnt_log_scale.flatten().tolist() == pytest.approx([-6.999] * len(slope))


@pytest.mark.parametrize("likelihood", [Gaussian(0.5), Gaussian("predicted"), Bernoulli()])
def test_fit_scale_without_a_learnt_scale_does_nothing(likelihood):
    bound = likelihood.bind(2)
    bound.fit_scale(torch.tensor([9.0, 9.0]))
    assert bound.state_dict() == {}
    assert bound.options == likelihood.options


@pytest.mark.parametrize("scale", ["global", "per_feature", "local"])
@pytest.mark.parametrize("share", [1.0, 0.25, torch.tensor(0.25)])
def test_a_learnt_scale_follows_the_errors_of_a_batch(scale, share):
    """By its gradient alone: a running mean of squared errors, by hand."""
    x = torch.tensor(np.random.default_rng(0).normal(size=(50, 2)) * [0.01, 30.0])
    likelihood, expected = Gaussian(scale).bind(2).double(), Gaussian(scale).bind(2).double()
    likelihood.fit_scale(torch.tensor([4.0, 4.0]))
    (-likelihood.log_prob(torch.zeros_like(x), x).sum() / len(x)).backward()
    likelihood.follow_scale(share)
    expected.fit_scale((1 - share) * 4.0 + share * x.square().mean(dim=0))
    assert likelihood.raw_log_scale.tolist() == pytest.approx(expected.raw_log_scale.tolist(), rel=1e-9)


@pytest.mark.parametrize("variance", [1.0, 2e-6])  # the least is e^-14
@pytest.mark.parametrize("error", [0.0, 1e-9, 0.5])
def test_spared_is_what_the_likeliest_scale_that_may_be_saves(variance, error):
    likelihood, x = Gaussian().bind(3).double(), torch.full((1, 3), error**0.5, dtype=torch.float64)

    def cost_at(mean_squared_error):
        likelihood.fit_scale(torch.full((3,), mean_squared_error))
        return -likelihood.log_prob(torch.zeros_like(x), x).sum()

    saved = cost_at(variance) - cost_at(error)
    spared = likelihood.spared(cost_at(variance)).item()
    assert spared == pytest.approx(saved.item(), rel=1e-6, abs=1e-6)


def test_a_scale_that_follows_no_error_stays_finite():
    likelihood = Gaussian().bind(2)
    likelihood.log_prob(torch.ones(3, 2), torch.ones(3, 2)).neg().sum().div(3).backward()
    likelihood.follow_scale(1.0)
    log_prob = likelihood.log_prob(torch.ones(1, 2), torch.ones(1, 2))
    assert log_prob.tolist() == [pytest.approx([7 - LOG_2PI / 2] * 2, abs=2e-3)]


@pytest.mark.parametrize("floor", [0.1, 0.5])
def test_predicted_scale_never_falls_below_its_floor(floor):
    likelihood = Gaussian(scale="predicted", floor=floor)
    log_prob = likelihood.log_prob(torch.tensor([[1.0, -1e4]]), torch.tensor([[1.0]]))
    assert log_prob.item() == pytest.approx(-math.log(floor) - LOG_2PI / 2, abs=1e-6)


@pytest.mark.parametrize("scale", ["global", "per_feature", "local"])
@pytest.mark.parametrize("raw", [None, -1e4])
def test_constant_data_leave_a_finite_scale(scale, raw):
    """Neither the fitted value nor any weight lets the density go to infinity."""
    likelihood = Gaussian(scale).bind(2)
    likelihood.fit_scale(torch.zeros(2))
    if raw is not None:
        likelihood.raw_log_scale.data.fill_(raw)
    log_prob = likelihood.log_prob(torch.ones(3, 2), torch.ones(3, 2))
    assert torch.all(log_prob <= 7 - LOG_2PI / 2 + 1e-3)  # the least log-scale is −7
    assert torch.all(log_prob >= 7 - LOG_2PI / 2 - 2e-3)  # and it is nearly reached
    log_prob.sum().backward()
    assert torch.isfinite(likelihood.raw_log_scale.grad).all()


@pytest.mark.parametrize("scale", [0, -1.0, math.inf, math.nan, True, None, "nearby", "1"])
def test_bad_scale_is_named(scale):
    with pytest.raises(ValueError, match="Gaussian: scale must be") as error:
        Gaussian(scale)
    assert str(error.value).endswith(f"got {scale!r}.")


@pytest.mark.parametrize("floor", [0, -0.1, math.inf, math.nan, "small", None])
def test_bad_floor_is_named(floor):
    with pytest.raises(ValueError, match="Gaussian: floor must be a positive number") as error:
        Gaussian("predicted", floor=floor)
    assert str(error.value).endswith(f"got {floor!r}.")


@every_likelihood
def test_bind_leaves_the_instance_unchanged(likelihood):
    before = repr(likelihood)
    bound = likelihood.bind(3)
    bound.fit_scale(torch.full((3,), 4.0))
    assert bound is not likelihood
    assert repr(likelihood) == before
    assert likelihood.state_dict() == {}


@pytest.mark.parametrize("scale", ["global", "per_feature", "local"])
def test_a_learnt_scale_starts_at_one(scale):
    log_prob = Gaussian(scale).bind(2).log_prob(torch.zeros(1, 2), torch.zeros(1, 2))
    assert log_prob.tolist() == [pytest.approx([-LOG_2PI / 2] * 2, abs=1e-6)]  # float32


def test_learnt_scales_have_the_documented_sizes():
    sizes = {name: [tuple(p.shape) for p in EVERY[name].bind(3).parameters()] for name in EVERY}
    assert sizes == {name: [] for name in EVERY} | {
        "global": [(1,)],
        "per_feature": [(3,)],
        "local": [(3,)],
    }


@every_likelihood
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_score_alike(likelihood, duplicate):
    bound = likelihood.bind(3)
    bound.fit_scale(torch.full((3,), 4.0))
    parameters, x = torch.full((2, 3 * bound.n_parameters), 0.3), torch.full((2, 3), 0.6)
    twin = duplicate(bound)
    assert torch.equal(twin.log_prob(parameters, x), bound.log_prob(parameters, x))
    assert twin.options == bound.options


@every_likelihood
def test_options_rebuild_the_instance(likelihood):
    assert repr(type(likelihood)(**likelihood.options)) == repr(likelihood)


def test_names_of_likelihoods():
    assert {name: type(cls()).__name__ for name, cls in LIKELIHOODS.items()} == {
        "gaussian": "Gaussian",
        "bernoulli": "Bernoulli",
        "continuous_bernoulli": "ContinuousBernoulli",
    }


@every_likelihood
def test_an_encoder_sees_the_row(likelihood):
    bound, x = likelihood.bind(3), torch.tensor([[0.1, 0.5, 0.9]])
    assert torch.equal(bound.inputs(x), x)
    assert bound.n_inputs(3) == 3
    assert bound.n_outputs(3) == 3 * bound.n_parameters
    assert torch.equal(bound.noisy(x, torch.full_like(x, 0.25)), x + 0.25)
    assert bound.masked(x, torch.tensor([[True, False, False]])).tolist() == [[0, *x[0, 1:].tolist()]]


@every_likelihood
def test_mean_of_a_mixture(likelihood):
    bound = likelihood.bind(2)
    each = torch.randn(2, 4, 2 * bound.n_parameters, generator=torch.Generator().manual_seed(0))
    weights = torch.tensor([[0.25, 0.75]]).expand(4, -1)
    expected = 0.25 * bound.mean(each[0]) + 0.75 * bound.mean(each[1])
    assert torch.allclose(bound.mixture_mean(weights, list(each)), expected, atol=1e-6, rtol=0)  # float32


@pytest.mark.parametrize("scale", [0.3, "global", "per_feature", "predicted"])
@pytest.mark.parametrize("tail", [1.5, 20.0])
def test_a_tail_is_that_of_students_t_in_use_and_none_in_training(scale, tail):
    likelihood, normal = Gaussian(scale).bind(2).double(), Gaussian(scale).bind(2).double()
    likelihood.tail = tail
    mean, raw = torch.tensor([[0.5, -2.0]]).double(), torch.tensor([[-1.0, 2.0]]).double()
    parameters = torch.cat([mean, raw], dim=1) if scale == "predicted" else mean
    x = torch.tensor([[40.0, -2.5]]).double()
    for function in (lambda each: each.log_prob(parameters, x), lambda each: each.entropy(parameters)):
        assert torch.equal(function(likelihood.train()), function(normal))
    std = torch.exp(normal.entropy(parameters) - 0.5 * math.log(2 * math.pi * math.e))
    expected = torch.distributions.StudentT(tail, mean, std)
    likelihood.eval()
    assert torch.allclose(likelihood.log_prob(parameters, x), expected.log_prob(x), rtol=1e-12)
    assert torch.allclose(likelihood.entropy(parameters), expected.entropy(), rtol=1e-12)


def test_with_a_tail_an_encoder_sees_values_far_out_drawn_in():
    likelihood, x = Gaussian().bind(3), torch.tensor([[1.0, -1e3, 1e30]])
    assert torch.equal(likelihood.inputs(x), x)
    likelihood.tail = 20.0
    assert likelihood.inputs(x).tolist() == [pytest.approx([3 * math.asinh(v / 3) for v in x[0].tolist()])]

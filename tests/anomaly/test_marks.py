"""The score that marks teach, against its definition and another implementation of logistic regression."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from tests.anomaly.readings import reading_of, reference_of
from vaetools.anomaly.marks import Marks, fit_marked, logistic_weights, marked
from vaetools.anomaly.reference import on
from vaetools.nn.latents import Point
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def of_rows(X, costs):
    model = Autoencoder(torch.nn.Identity(), Gaussian(1.0), Point, X.shape[1], torch.zeros(X.shape[1]))
    return reading_of(X, mean=X, reconstruction=costs, model=model)


def test_weights_are_those_of_logistic_regression(rng):
    rows, counts = rng.normal(size=(60, 4)), rng.uniform(0.1, 2, size=60)
    is_odd = rows[:, 0] + rng.normal(size=60) > 0.5
    known = LogisticRegression(C=1 / 0.4, tol=1e-10, max_iter=1000).fit(rows, is_odd, sample_weight=counts)
    found = logistic_weights(rows, is_odd, counts, np.zeros(60))
    np.testing.assert_allclose(found, known.coef_[0], rtol=1e-3, atol=1e-4)


def test_what_costs_explain_columns_need_not(rng):
    rows = rng.normal(size=(400, 3))
    before = 4 * rows[:, 0]
    is_odd = rng.random(400) < expit(before)
    found = logistic_weights(rows, is_odd, np.ones(400), before)
    assert abs(found).max() < 0.4
    assert logistic_weights(rows, is_odd, np.ones(400), 0 * before)[0] > 3


def test_without_marks_costs_rank(rng):
    reading = of_rows(rng.normal(size=(50, 3)), rng.exponential(size=50))
    states = {"marked": fit_marked(reference_of(reading), {})}
    scores = marked(reading, on(states, reading.x))
    assert not states["marked"]["weights"].any()
    assert torch.equal(scores.argsort(), -reading.reconstruction[:, 0].argsort(descending=True).neg())


def test_rows_like_those_marked_odd_score_less_by_what_their_columns_say(rng):
    seen = of_rows(rng.normal(size=(200, 3)), rng.exponential(size=200))
    odd = of_rows(rng.normal([0, 4, 0], size=(5, 3)), np.ones(5))
    is_normal = np.arange(200) < 3
    marks = Marks(lambda function: function(odd).double().numpy(), is_normal)
    state = fit_marked(reference_of(seen)._replace(marks=marks), {})
    assert state["weights"].argmax() == 1
    new = of_rows(np.array([[0.0, 4, 0], [0, 0, 0], [0, 1e9, 0]]), np.ones(3))
    like, unlike, farther = marked(new, on({"marked": state}, new.x)).tolist()
    by_columns = ((4 - state["mean"][1]) / state["std"][1] + state["mean"][1] / state["std"][1]) * state[
        "weights"
    ][1]
    assert unlike - like == pytest.approx(by_columns)
    assert unlike - farther < 6 * state["weights"][1]  # five deviations are as many as any


def test_rows_marked_normal_are_believed(rng):
    X = rng.normal(size=(200, 2))
    X[:4] = [0, 3.0]  # like the odd ones, and looked at
    odd = of_rows(np.tile([3.0, 3.0], (4, 1)), np.ones(4))
    seen, weights = of_rows(X, np.ones(200)), []
    for n_normal in (0, 4):
        marks = Marks(lambda function: function(odd).double().numpy(), np.arange(200) < n_normal)
        weights.append(fit_marked(reference_of(seen)._replace(marks=marks), {})["weights"])
    assert weights[1][1] < weights[0][1] - 0.1
    assert weights[1][0] > weights[0][0]

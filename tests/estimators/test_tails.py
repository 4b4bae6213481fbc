"""Squared errors train a model of a table; in use a value far out costs the logarithm of its distance."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaetools import AE, VAE, Gaussian, load, save
from vaetools.nn.model import antithetic_noise

QUICK = {"max_iter": 60, "random_state": 0}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 5)) + 0.2 * rng.normal(size=(600, 5))
    return X[:100], X[100:]


@pytest.fixture(scope="module")
def fitted(table):
    return VAE(2, **QUICK).fit(table[0])


def test_costs_by_hand(table):
    """Student's t of the learnt scale, in units of X."""
    train, new = table
    ae = AE(2, **QUICK).fit(train)
    scale = np.exp(ae.model_.likelihood.entropy(torch.zeros(1, 5))[0].numpy() - stats.t(20).entropy())
    scale = scale * ae.input_scale_.scale
    expected = stats.t(20, loc=ae.reconstruct(new), scale=scale).logpdf(new).sum(axis=1)
    np.testing.assert_allclose(ae.score_samples(new), expected, rtol=1e-6)


@pytest.mark.parametrize("far", [30.0, 1e3, 1e6])
def test_a_cell_far_out_costs_no_thousands_and_more_the_farther_it_is(fitted, table, far):
    row = table[0].mean(axis=0)
    rows = np.tile(row, (3, 1)) + np.outer([0, far / 2, far], np.eye(5)[1] * table[0].std(axis=0)[1])
    scores = fitted.score_samples(rows)
    assert np.diff(scores).max() < 0
    assert 20 < scores[0] - scores[2] < 1000
    assert fitted.predict(rows).tolist() == [1, -1, -1]


class Watched:
    """Called after every epoch: the mean bound of new rows, in scaled units."""

    def __init__(self, X, scale):
        self.x, self.bounds = torch.tensor((X - scale.mean(axis=0)) / scale.std(axis=0)).float(), []

    def __call__(self, record, model):
        model.eval()
        with torch.no_grad():
            self.bounds.append(model.read(self.x).bound(antithetic_noise(4, 2).float()).mean().item())
        model.train()


def test_a_long_fit_ends_near_its_best_though_rows_far_out_are_new(table):
    """One cell in a hundred rows, of which none that trains or is watched shows the like."""
    train, new = table
    new = new[:100].copy()
    new[0, 1] += 25 * train[:, 1].std()
    watched = Watched(new, train)
    VAE(2, max_iter=800, early_stopping=False, random_state=0).fit(train, callbacks=[watched])
    assert watched.bounds[-1] > max(watched.bounds) - 10
    normal = Watched(new, train)
    model = VAE(2, likelihood=Gaussian(), max_iter=800, early_stopping=False, random_state=0)
    model.fit(train, callbacks=[normal])
    assert normal.bounds[-1] < max(normal.bounds) - 10  # as it was by squares


def test_a_file_keeps_the_tail(fitted, table, tmp_path):
    again = load(save_to(fitted, tmp_path))
    assert again.tail_ == fitted.tail_ == 20
    np.testing.assert_array_equal(again.score_samples(table[1]), fitted.score_samples(table[1]))


def test_a_file_that_says_nothing_of_a_tail_is_normal(fitted, table, tmp_path):
    """As those that were written before there was one."""
    del (old := load(save_to(fitted, tmp_path))).tail_
    old = load(save_to(old, tmp_path))
    assert old.model_.likelihood.tail is None
    row = table[0].mean(axis=0) + np.eye(5)[1] * 1e3 * table[0].std(axis=0)[1]
    assert old.score_samples([row])[0] < -1e5 < fitted.score_samples([row])[0]


def save_to(model, folder):
    save(model, folder / "m.safetensors")
    return folder / "m.safetensors"


@pytest.mark.parametrize(
    "options",
    [
        {"likelihood": Gaussian()},
        {"likelihood": "mixed"},
        {"max_iter": 0},
        {"standardize": False},
        {"image_shape": (1, 1, 5), "hidden_channels": ()},
    ],
    ids=str,
)
def test_other_models_are_normal(table, options):
    assert VAE(2, **({"max_iter": 2, "random_state": 0} | options)).fit(table[0]).tail_ is None


def test_a_second_fit_is_the_same(table):
    model = VAE(2, max_iter=5, trimmed_fraction=0.1, random_state=0)
    first = model.fit(table[0]).score_samples(table[1])
    np.testing.assert_array_equal(model.fit(table[0]).score_samples(table[1]), first)

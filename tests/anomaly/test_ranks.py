"""P-values of a stream are independent and uniform, exactly: all orders of a few values say so."""

import itertools

import numpy as np
import pytest

from vaetools.anomaly.ranks import Ranks

ALL = np.array([True])
GRID = np.linspace(0, 1, 11)


def ranges(values, n_reference, *, lots=None, forget=False):
    """Between which numbers the p-values of a stream lie, whose first values are the reference."""
    rng = np.random.default_rng(0)
    ranks = Ranks.learn(np.array(values[:n_reference], float)[:, None], rng)
    if lots is not None:
        ranks.lots = np.sort(lots[:n_reference])[None]  # of values that are all equal
    found = []
    for i, value in enumerate(values[n_reference:]):
        own = 0.5 if lots is None else lots[n_reference + i]
        weights = ranks.weights.copy()
        low, high = (
            Ranks(ranks.edges, ranks.lots, ranks.gaps, weights.copy()).add(
                np.array([value]), np.array([[own], [chance]]), ALL
            )[0]
            for chance in (0.0, 1.0)
        )
        found.append((low, high))
        ranks.add(np.array([value]), np.array([[own], [0.5]]), ALL)
        if forget:
            ranks.forget()
    return found


def joint(all_ranges):
    """The probability that two p-values are at most a and b, over orders and the lots within ranges."""
    at_most = [
        [np.clip((GRID - low) / (high - low), 0, 1) for low, high in of_order] for of_order in all_ranges
    ]
    return np.mean([np.outer(first, second) for first, second in at_most], axis=0)


def test_two_p_values_are_independent_and_uniform():
    orders = [ranges(order, 3) for order in itertools.permutations(range(5))]
    np.testing.assert_allclose(joint(orders), np.outer(GRID, GRID), atol=1e-12)


def test_so_they_are_where_all_values_are_equal():
    lots = [ranges([7] * 5, 3, lots=np.array(order) / 5) for order in itertools.permutations(range(5))]
    np.testing.assert_allclose(joint(lots), np.outer(GRID, GRID), atol=1e-12)


def test_p_values_among_one_reference_alone_are_not_independent():
    orders = [ranges(order, 3, forget=True) for order in itertools.permutations(range(5))]
    assert np.abs(joint(orders) - np.outer(GRID, GRID)).max() > 0.02


def test_large_references_have_few_edges_and_all_their_weight():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 2))
    ranks = Ranks.learn(values, rng)
    assert ranks.edges.shape == (2, 61)
    assert ranks.weights.sum(axis=1).tolist() == [1001, 1001]
    assert ranks.gaps[0] == 1  # close at the ends
    expected = (values < 0.5).mean(axis=0)
    np.testing.assert_allclose(
        ranks.add(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.ones(2, bool)), expected, atol=0.03
    )


@pytest.mark.parametrize("value", [np.nan, -np.inf, -5.0])
def test_what_is_no_number_is_below_all(value):
    ranks = Ranks.learn(np.arange(9.0)[:, None], np.random.default_rng(0))
    assert ranks.add(np.array([value]), np.full((2, 1), 0.5), ALL) == pytest.approx(0.05)


def test_forgetting_goes_back_to_the_reference():
    ranks = Ranks.learn(np.arange(19.0)[:, None], np.random.default_rng(0))
    halves = np.full((2, 1), 0.5)
    first = ranks.add(np.array([3.5]), halves, ALL)
    assert ranks.add(np.array([3.5]), halves, ALL) != first
    ranks.forget()
    assert ranks.add(np.array([3.5]), halves, ALL) == first


def test_what_is_not_fed_is_not_counted():
    ranks = Ranks.learn(np.arange(19.0)[:, None], np.random.default_rng(0))
    halves = np.full((2, 1), 0.5)
    first = ranks.add(np.array([3.5]), halves, ~ALL)
    assert ranks.add(np.array([3.5]), halves, ALL) == first

"""Bets are fair, capital is what its definition says, and a false alarm is rare however long one waits."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from vaetools.anomaly.betting import N_BETS, N_SHARES, Capital, bets_on_share, bets_on_values
from vaetools.anomaly.ranks import Ranks


def test_bets_on_values_win_nothing_in_the_mean():
    z = np.linspace(-8, 8, 16_001)
    normal = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    densities = np.exp(bets_on_values(ndtr(z)))
    assert densities.shape[1] == N_BETS
    np.testing.assert_allclose(normal @ densities * 1e-3, 1, atol=1e-3)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.5])
def test_bets_on_a_share_win_nothing_in_the_mean(rate):
    odd, other = np.exp(bets_on_share(np.array([True, False]), rate))
    assert odd.shape == (N_SHARES,)
    np.testing.assert_allclose(rate * odd + (1 - rate) * other, 1)
    assert (odd > 1).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_the_ends_are_numbers(p):
    assert np.isfinite(bets_on_values(np.array([p]))).all()


def stake(t):
    """What is staked on row t, from 1."""
    return math.log(20) / math.log(19 + t) - math.log(20) / math.log(20 + t)


def naive(log_bets, numbers):
    """Capital, start of the best, rows and sum since: by the definition, of one statistic and one bet."""
    n = len(log_bets)
    of_starts = [stake(s + 1) * math.exp(sum(log_bets[s:])) for s in range(n)]
    best = int(np.argmax(of_starts))
    reserve = math.log(20) / math.log(20 + n)
    return sum(of_starts) + reserve, best, n - best, sum(numbers[best:])


def test_capital_is_its_definition():
    rng = np.random.default_rng(0)
    capital = Capital.start(1, 1)
    log_bets, numbers = rng.normal(0.05, 0.3, 60), rng.normal(size=60)
    for t, (log_bet, number) in enumerate(zip(log_bets, numbers, strict=True)):
        capital.bet(np.array([[log_bet]]), t, np.array([[number]]), np.array([True]))
        total, best, n_since, summed = naive(log_bets[: t + 1], numbers[: t + 1])
        assert math.exp(capital.log_capital[0]) == pytest.approx(total)
        since, n_rows, [mean] = capital.change(0)
        assert (since, n_rows, mean) == (best, n_since, pytest.approx(summed / n_since))


def test_a_statistic_that_is_not_fed_stays_as_it_is():
    capital = Capital.start(2, N_BETS)
    rng = np.random.default_rng(0)
    for t in range(20):
        fed = np.array([True, t < 10])
        capital.bet(bets_on_values(rng.random(2)), t, rng.normal(size=(2, 1)), fed)
        if t == 9:
            before = capital.log_capital[1], capital.change(1)
    assert (capital.log_capital[1], capital.change(1)) == before
    assert capital.n_rows.tolist() == [20, 10]


def test_false_alarms_are_rare_and_changes_found():
    """Streams with references of their own, one of discrete values; then every stream moves."""
    rng = np.random.default_rng(0)
    n_streams, n_rows = 1000, 600
    values = np.round(rng.normal(size=(60 + n_rows, n_streams)), 1)
    ranks, capital = Ranks.learn(values[:60], rng), Capital.start(n_streams, N_BETS)
    fed, limit = np.ones(n_streams, bool), math.log(20)
    has_alarm = np.zeros(n_streams, bool)

    def add(row, t):
        chances = rng.random((2, n_streams))
        capital.bet(bets_on_values(ranks.add(row, chances, fed)), t, row[:, None], fed)

    for t, row in enumerate(values[60:]):
        add(row, t)
        has_alarm |= capital.log_capital >= limit
    assert 0 < has_alarm.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / n_streams)
    for t in range(n_rows, n_rows + 60):
        add(rng.normal(1, 1, n_streams), t)
    assert (capital.log_capital >= limit).mean() > 0.95
    assert abs(np.median([capital.change(i)[0] for i in range(n_streams)]) - n_rows) < 5

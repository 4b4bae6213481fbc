"""What holds with a confidence for one set of calibration rows: thresholds, and numbers of mistakes."""

from math import comb

import numpy as np
import pytest

from vaetools.anomaly.calibration import threshold
from vaetools.anomaly.certificates import (
    certifiable,
    certified_rank,
    most_flagged,
    most_mistakes,
    n_rows_to_certify,
)
from vaetools.anomaly.rates import expected_rate, flagged_rate, n_rows_needed, n_tolerated


def left(n, rate, k):
    """Return the probability that the k-th smallest of n uniform numbers is above a rate."""
    return sum(comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k))


@pytest.mark.parametrize("n", [59, 60, 100, 359, 1000])
@pytest.mark.parametrize(("rate", "confidence"), [(0.05, 0.95), (0.1, 0.99), (0.3, 0.5)])
def test_the_rank_is_the_greatest_that_keeps_the_confidence(n, rate, confidence):
    k = certified_rank(n, rate, confidence)
    assert left(n, rate, k) <= 1 - confidence + 1e-12 < left(n, rate, k + 1) + 2e-12
    assert n_tolerated(n, rate, confidence) == k
    assert expected_rate(n, rate, confidence) == k / (n + 1)


@pytest.mark.parametrize(("rate", "confidence"), [(0.05, 0.95), (0.01, 0.99), (0.2, 0.6), (0.05, 0.999)])
def test_rows_needed_are_the_fewest_that_have_a_rank(rate, confidence):
    n = n_rows_to_certify(rate, confidence)
    assert n_rows_needed(rate, confidence) == n
    assert certified_rank(n, rate, confidence) > 0 == certified_rank(n - 1, rate, confidence)


@pytest.mark.parametrize("n", [1, 30, 58])
def test_what_few_rows_certify_is_just_possible(n):
    rate, confidence = certifiable(n, 0.05, 0.95)
    assert certified_rank(n, rate + 1e-9, 0.95) == 1 == certified_rank(n, 0.05, confidence - 1e-9)
    assert certified_rank(n, rate - 1e-3, 0.95) == 0 == certified_rank(n, 0.05, confidence + 1e-3)


@pytest.mark.parametrize("n", [59, 200, 1000])
def test_a_certified_threshold_flags_more_than_the_rate_seldom(n):
    """Of uniform scores the threshold is the share that it flags."""
    rng = np.random.default_rng(n)
    shares = np.array([threshold(rng.random(n), 0.05, 0.95) for _ in range(2000)])
    broken = (shares > 0.05).mean()
    assert 0.02 < broken <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert shares.mean() == pytest.approx(expected_rate(n, 0.05, 0.95), abs=0.002)


def test_the_rate_of_a_certified_threshold_is_known_from_scores_alone():
    known = np.arange(1000.0)
    offset = threshold(known, 0.05, 0.95)
    assert flagged_rate(offset, known, 0.05, 0.95) == 39 / 1001
    assert flagged_rate(offset, known, 0.05) == 39 / 1001  # at another promise, it is counted


@pytest.mark.parametrize(("n_rows", "n"), [(50, 100), (1000, 300)])
def test_numbers_of_mistakes_are_bounded_at_one_threshold_and_at_all_at_once(n_rows, n):
    rng, k = np.random.default_rng(0), 12
    below = np.array(
        [np.searchsorted(np.sort(rng.random(n_rows)), np.sort(rng.random(n))) for _ in range(2000)]
    )
    slack = 3 * np.sqrt(0.1 * 0.9 / 2000)
    at_one, at_all = most_flagged(n_rows, n, k, 0.9), most_mistakes(n_rows, n, 0.9)
    assert 0.03 < (below[:, k - 1] > at_one).mean() <= 0.1 + slack
    assert 0.05 < (below > at_all).any(axis=1).mean() <= 0.1 + slack
    assert at_one < at_all[k - 1]  # the price of choosing in view of the scores
    assert (np.diff(at_all) >= 0).all()


def test_the_bound_of_mistakes_at_all_thresholds_is_the_same_each_time():
    assert np.array_equal(most_mistakes(200, 99, 0.95), most_mistakes(200, 99, 0.95))

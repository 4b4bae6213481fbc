"""Thresholds and conformal p-values: exact false-alarm rates, ties, NaN."""

import itertools
import re

import numpy as np
import pytest

from vaetools.anomaly.calibration import conformal_p_values, discoveries, discovery_rank, threshold
from vaetools.anomaly.rates import excess_p_value, expected_rate, n_discoverable, n_rows_needed, n_tolerated

RATES = [0.01, 0.05, 0.07, 0.1, 0.29, 0.3, 0.5, 0.9]


@pytest.mark.parametrize(
    ("n", "rate", "k"),
    [
        (19, 0.05, 1),
        (18, 0.05, 1),
        (1, 0.05, 1),
        (39, 0.05, 2),
        (38, 0.05, 1),
        (99, 0.29, 29),
        (9, 0.3, 3),
        (0, 0.5, 0),
    ],
)
def test_n_tolerated_by_hand(n, rate, k):
    assert n_tolerated(n, rate) == k


@pytest.mark.parametrize("rate", RATES)
def test_n_rows_needed_is_the_least(rate):
    needed = n_rows_needed(rate)
    assert n_tolerated(needed, rate) == 1
    assert expected_rate(needed, rate) <= rate + 1e-9
    assert needed == 1 or expected_rate(needed - 1, rate) > rate


@pytest.mark.parametrize("rate", RATES)
def test_false_alarm_rate_is_exact(rate):
    """Every rank of the new row among the others is equally likely: count the flagged ranks."""
    for n in (n_rows_needed(rate), 100, 199):
        values = np.arange(n + 1.0)
        flagged = [
            values[rank] < threshold(np.random.default_rng(rank).permutation(np.delete(values, rank)), rate)
            for rank in range(n + 1)
        ]
        assert sum(flagged) == n_tolerated(n, rate)
        assert sum(flagged) <= rate * (n + 1) + 1e-9


@pytest.mark.parametrize("n", [1, 2, 6, 18])
def test_fewer_scores_than_a_rate_takes_flag_one_rank(n):
    """Of n + 1 ranks of the new row the least is flagged: more than the rate, and as is said."""
    values = np.arange(n + 1.0)
    flagged = [values[rank] < threshold(np.delete(values, rank), 0.05) for rank in range(n + 1)]
    assert flagged == [True] + n * [False]
    assert expected_rate(n, 0.05) == np.mean(flagged) == 1 / (n + 1) > 0.05
    p_values = conformal_p_values(np.array([-1.0, n + 1.0]), values[1:])
    assert p_values.tolist() == [1 / (n + 1), 1]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n_values", [3, 10, 10_000], ids=["many ties", "ties", "no ties"])
def test_flagged_if_and_only_if_p_is_at_most_the_rate(rate, n_values):
    rng = np.random.default_rng(0)
    for n in (99, 137, 199):
        calibration, new = rng.integers(n_values, size=n).astype(float), rng.integers(n_values, size=500)
        flagged = new < threshold(calibration, rate)
        assert np.array_equal(flagged, conformal_p_values(new, calibration) <= rate)


def test_p_values_equal_their_definition():
    rng = np.random.default_rng(0)
    calibration, new = rng.integers(6, size=11).astype(float), rng.integers(-1, 8, size=40).astype(float)
    naive = [(1 + sum(c <= score for c in calibration)) / 12 for score in new]
    assert conformal_p_values(new, calibration).tolist() == naive


@pytest.mark.parametrize(
    "values", [(0, 1, 2, 3), (0, 0, 1, 2), (0, 1, 1, 1), (5, 5, 5, 5), (np.nan, 0, 1, 2)]
)
def test_p_values_are_valid_under_ties_and_nan(values):
    """Over all orders of exchangeable rows, P(p ≤ α) is at most α, and equal to it without ties."""
    p = [
        conformal_p_values(np.array(order[:1], float), np.array(order[1:], float))[0]
        for order in itertools.permutations(values)
    ]
    for alpha in (0.25, 0.5, 0.75, 1.0):
        share = np.mean(np.array(p) <= alpha)
        assert share <= alpha
        if len(set(values)) == 4:
            assert share == alpha


def test_p_values_do_not_depend_on_the_order_of_calibration():
    calibration = np.array([3.0, 1.0, 2.0])
    assert conformal_p_values(np.array([2.5]), calibration).tolist() == [0.75]
    assert calibration.tolist() == [3.0, 1.0, 2.0]


def test_nan_and_infinities():
    calibration = np.array([0.0, 1.0, 2.0])
    p = conformal_p_values(np.array([np.nan, -np.inf, np.inf]), calibration)
    assert p.tolist() == [0.25, 0.25, 1.0]


def test_nan_among_calibration_scores_is_odd_and_not_normal():
    calibration = np.array([np.nan, 1.0, 2.0])
    assert conformal_p_values(np.array([np.nan, 0.0, 1.5, 3.0]), calibration).tolist() == [
        0.5,
        0.5,
        0.75,
        1.0,
    ]
    scores = np.array([np.nan, *range(1, 39)])
    assert threshold(scores, 0.05) == pytest.approx(1.0)  # the second smallest of 39


def test_threshold_leaves_its_scores_alone():
    scores = np.array([*range(20, 0, -1)], dtype=float)
    before = scores.copy()
    assert threshold(scores, 0.1) == pytest.approx(2.0)
    assert np.array_equal(scores, before)


@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 1e6, -1e6])
def test_scores_that_differ_in_their_last_bits_are_ties(size):
    scores = np.full(39, size)
    again = size + np.array([-1, 0, 1]) * 1e-12 * max(1, abs(size))  # as another batch computes them
    assert (conformal_p_values(again, scores) == 1).all()
    assert (again >= threshold(scores, 0.05)).all()


def test_verdicts_and_p_values_agree_at_the_threshold():
    scores = np.random.default_rng(0).normal(size=199) * 100
    new = np.concatenate([scores, np.nextafter(scores, -np.inf), scores - 1e-6])
    p_values = conformal_p_values(new, scores)
    assert ((new < threshold(scores, 0.05)) == (p_values <= 0.05)).all()


def test_no_scores_have_no_threshold():
    with pytest.raises(ValueError, match="scores must be those of at least one row; got none"):
        threshold(np.empty(0), 0.05)
    assert expected_rate(0, 0.05) == 0


# False discoveries


def naive_discoveries(p_values, rate):
    """Benjamini and Hochberg's own words: the largest i with p_(i) ≤ i · rate / m, and all below."""
    ordered, m = sorted(p_values), len(p_values)
    limits = [ordered[i] for i in range(m) if ordered[i] <= (i + 1) * rate / m + 1e-12]
    return [p <= max(limits, default=-1) for p in p_values]


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.29, 0.7])
@pytest.mark.parametrize("n_calibration", [39, 99, 999])
def test_discoveries_from_p_values_and_from_their_counts_are_the_definition(n_calibration, rate):
    rng = np.random.default_rng(0)
    found = set()
    for n_rows in (1, 7, 60, 200):
        for odd_share in (0, 0.1, 1):
            ranks = rng.integers(1, n_calibration + 2, size=n_rows)
            ranks[: int(odd_share * n_rows)] = 1
            p_values = ranks / (n_calibration + 1)
            selected = discoveries(p_values, rate)
            assert selected.tolist() == naive_discoveries(p_values, rate)
            k = discovery_rank(np.bincount(ranks - 1, minlength=n_calibration + 1), rate)
            assert selected.tolist() == (ranks <= k).tolist()
            found.add(selected.any())
    assert found == {True, False}


@pytest.mark.parametrize(("n_rows", "n_calibration", "rate"), [(60, 99, 0.1), (200, 99, 0.29), (7, 999, 0.1)])
def test_fewer_than_the_discoverable_are_not_found(n_rows, n_calibration, rate):
    fewest = n_discoverable(n_rows, n_calibration, rate)
    for n_odd in (fewest - 1, fewest):
        p_values = np.ones(n_rows)
        p_values[:n_odd] = 1 / (n_calibration + 1)
        assert discoveries(p_values, rate).sum() == (n_odd if n_odd == fewest else 0)


@pytest.mark.parametrize("rate", [0, 1, -0.1, np.nan, "0.1", None])
def test_a_false_discovery_rate_lies_between_0_and_1(rate):
    with pytest.raises(ValueError, match=f"false_discovery_rate must be .*; got {rate!r}"):
        discoveries(np.array([0.5]), rate)


@pytest.mark.parametrize("p", [-0.1, 1.5, np.nan])
def test_p_values_lie_in_the_unit_interval(p):
    with pytest.raises(ValueError, match=f"p_values must lie in .*; got {p}"):
        discoveries([0.5, p], 0.1)


def test_there_is_one_p_value_per_row():
    for shape in ((2, 3), ()):
        with pytest.raises(ValueError, match=re.escape(f"shape (n_samples,); got {shape}.")):
            discoveries(np.full(shape, 0.5), 0.1)
    assert discoveries(np.float32([0.01, 0.5]), np.float32(0.1)).tolist() == [True, False]


def test_an_excess_is_as_seldom_as_it_is_said():
    """Of uniform scores, however often more are flagged than that is counted."""
    rng, n, n_calibration, rate = np.random.default_rng(0), 30, 59, 0.05
    limits = np.array([threshold(rng.random(n_calibration), rate) for _ in range(4000)])
    n_flagged = (rng.random((4000, n)) < limits[:, None]).sum(axis=1)
    for least in (1, 3, 6):
        share = np.mean(n_flagged >= least)
        assert share == pytest.approx(excess_p_value(least, n, n_calibration, rate), abs=0.025)
    assert excess_p_value(0, n, n_calibration, rate) == 1

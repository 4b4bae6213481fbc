import math

import numpy as np
import pytest
from scipy import stats

from vaetools.latent.organization.measure import bootstrap, checked, mean, sampled, share


def test_a_mean_has_its_t_interval():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    expected = stats.t.interval(0.95, 3, loc=4, scale=stats.sem(values))
    np.testing.assert_allclose(mean(values), (4, *expected))


def test_a_share_has_its_wilson_interval():
    expected = stats.binomtest(7, 40).proportion_ci(method="wilson")
    np.testing.assert_allclose(share(np.arange(40) < 7), (7 / 40, expected.low, expected.high))


@pytest.mark.parametrize("n_true", [0, 5])
def test_the_interval_of_none_and_of_all_ends_there(n_true):
    value, low, high = share(np.arange(5) < n_true)
    assert 0 <= low <= value <= high <= 1
    assert high - low > 0.3


def test_bootstrap_finds_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(size=500)
    value, low, high = bootstrap(lambda rows: float(rows.mean()), values, random_state=0)
    assert value == values.mean()
    np.testing.assert_allclose((high - low) / 2, 1.96 * stats.sem(values), rtol=0.15)


def test_bootstrap_keeps_rows_of_several_arrays_together():
    a = np.random.default_rng(0).normal(size=50)
    assert bootstrap(lambda a, b: float(np.abs(a - b).max()), a, a, random_state=0) == (0, 0, 0)


def test_few_rows():
    assert all(math.isnan(v) for v in (*mean(np.empty(0)), *share(np.empty(0, dtype=bool))))
    value, low, high = mean(np.array([3.0]))
    assert value == 3
    assert math.isnan(low)
    assert math.isnan(high)


def test_rows_are_drawn_once_each_and_by_the_seed():
    rows = np.zeros((100, 1))
    index = sampled(rows, 30, random_state=0)
    assert len(set(index)) == 30
    assert np.array_equal(index, sampled(rows, 30, random_state=0))
    assert not np.array_equal(index, sampled(rows, 30, random_state=1))
    assert np.array_equal(sampled(rows, 100, random_state=0), np.arange(100))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([1.0, 2.0],), r"f: arrays must have rows and columns; got \(2,\)"),
        (([[1.0]], [[1.0], [2.0]]), r"f: arrays must have the same rows; got \(1, 1\) and \(2, 1\)"),
        (([[np.nan]],), "f: values must be finite; got NaN"),
    ],
)
def test_refusals_name_what_came(arrays, message):
    with pytest.raises(ValueError, match=message):
        checked("f", *arrays)

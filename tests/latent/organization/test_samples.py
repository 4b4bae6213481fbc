import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import coverage, density, off_data, prdc, precision, recall

MEASURES = [off_data, precision, recall, density, coverage]
every_measure = pytest.mark.parametrize("measure", MEASURES)


@pytest.fixture(scope="module")
def halves(perfect):
    """200 rows, and 200 others of the same kind."""
    return perfect.X[:200], perfect.X[200:]


def naive(samples, X, k):
    """Four measures as the papers write them."""
    radius_x = np.sort(cdist(X, X), axis=1)[:, k]
    radius_s = np.sort(cdist(samples, samples), axis=1)[:, k]
    d = cdist(samples, X)
    return {
        precision: np.mean([(d[j] <= radius_x).any() for j in range(len(samples))]),
        recall: np.mean([(d[:, i] <= radius_s).any() for i in range(len(X))]),
        density: np.sum(d <= radius_x) / k / len(samples),
        coverage: np.mean([d[:, i].min() <= radius_x[i] for i in range(len(X))]),
    }


@pytest.mark.parametrize(("n", "n_rows"), [(300, 300), (3, 300), (300, 3), (300, 2)])
def test_four_at_once_are_the_four(n, n_rows, halves):
    samples, X = halves[0][:n], halves[1][:n_rows]
    each = {measure.__name__: measure(samples, X) for measure in (precision, recall, density, coverage)}
    assert prdc(samples, X) == each


def test_new_rows_are_perfect_samples(halves):
    assert off_data(*halves).value == pytest.approx(0.05, abs=0.05)
    assert precision(*halves).value > 0.85
    assert recall(*halves).value > 0.85
    assert density(*halves).value == pytest.approx(1, abs=0.2)
    assert coverage(*halves).value > 0.93


def test_samples_that_mix_rows_feature_by_feature(halves):
    samples, X = halves
    mixed = np.random.default_rng(0).permuted(samples, axis=0)
    assert off_data(mixed, X).value > 0.3
    assert precision(mixed, X).value < 0.7
    assert density(mixed, X).value < 0.7
    assert coverage(mixed, X).value < coverage(samples, X).value


def test_one_good_sample_again_and_again(halves):
    samples, X = halves
    same = np.repeat(samples[:1], 200, axis=0)
    assert off_data(same, X).value == 0
    assert precision(same, X).value == 1
    assert recall(same, X).value == 0
    assert coverage(same, X).value < 0.1


@pytest.mark.parametrize("k", [1, 5])
def test_they_are_what_the_papers_write(halves, k):
    samples, X = halves[0] * 1.3, halves[1]
    for measure, expected in naive(samples, X, k).items():
        value, low, high = measure(samples, X, k)
        assert value == pytest.approx(expected)
        assert low <= value <= high


def test_far_is_farther_than_data_from_data(halves):
    _, X = halves
    nearest = np.sort(cdist(X, X), axis=1)[:, 1]
    samples = halves[0] * 1.3
    far = cdist(samples, X).min(axis=1) > np.quantile(nearest, 0.8)
    assert off_data(samples, X, quantile=0.8).value == far.mean()


def test_rows_that_repeat_are_not_far_from_themselves(halves):
    twice = np.repeat(halves[1], 2, axis=0)
    assert off_data(halves[1], twice).value == 0
    assert off_data(halves[0], twice).value == 1


def test_few_rows_have_fewer_neighbors():
    X = np.array([[0.0], [1.0], [3.0]])  # each reaches all
    assert density(X, X, k=5).value == 3 / 2
    assert density(X, X, k=5) == density(X, X, k=2)


@every_measure
def test_invariance(measure, halves):
    samples, X = halves[0] * 1.3, halves[1]
    value = measure(samples, X).value
    turn, order = rotation(5), np.random.default_rng(0).permutation(200)
    assert measure(3 * samples @ turn + 7, 3 * X @ turn + 7).value == pytest.approx(value, abs=1e-9)
    assert measure(samples[order], X[order[::-1]]).value == pytest.approx(value, abs=1e-9)


@every_measure
def test_many_rows_are_drawn(measure, halves):
    samples, X = halves[0] * 1.3, halves[1]
    few = measure(samples, X, n_max=50)
    assert few == measure(samples, X, n_max=50)
    assert few.high - few.low > measure(samples, X).high - measure(samples, X).low


@every_measure
def test_of_no_sample_or_no_row_nothing_is_known(measure, halves):
    X, none = halves[0], np.empty((0, halves[0].shape[1]))
    for samples, rows in ((none, X), (X, none), (none, none)):
        assert np.isnan(measure(samples, rows)).all()

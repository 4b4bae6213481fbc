"""Density of states against other kernel densities, and what it must find odd."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import gaussian_kde
from sklearn.decomposition import PCA

from tests.anomaly.readings import reading_of, reference_of, rows_of, score
from vaetools.anomaly import density
from vaetools.anomaly.images import complexity, contrast, dissimilarity, pixel_range

SHAPE = (1, 8, 8)


def read(pca, X):
    """What a linear model of principal components makes of rows."""
    z = pca.transform(X)
    expected = pca.inverse_transform(z)
    cost = ((X - expected) ** 2).sum(axis=1) / (2 * pca.noise_variance_)
    kl = 0.5 * (z**2 / pca.explained_variance_).sum(axis=1)
    return reading_of(X, expected=expected, mean=z, reconstruction=cost, kl=kl)


@pytest.fixture(scope="module")
def pca(digits):
    return PCA(10).fit(digits[0][:900])


@pytest.fixture(scope="module")
def seen(pca, digits):
    return read(pca, digits[0][:900])


def naive_statistics(reading, seen, shape):
    """Columns that the density is one of."""
    cost, usual = (r.reconstruction.sum(dim=1).numpy() for r in (reading, seen))
    low, median, high = np.quantile(usual, [0.25, 0.5, 0.75])
    columns = [np.arcsinh((cost - median) / (high - low)), np.log(reading.kl.sum(dim=1).numpy() + 1e-3)]
    if shape is not None:
        limits = reading.x.new_tensor(pixel_range(reference_of(seen)))
        where = dissimilarity(reading, shape, limits).numpy()
        columns += [
            np.log(1 + complexity(reading.x, shape, limits).numpy()),
            np.log(contrast(reading.x, shape, limits).numpy() + 1e-3),
            np.log(where.mean(axis=(1, 2, 3)) + 1e-3),
        ]
    return np.stack(columns)


@pytest.mark.parametrize("shape", [None, SHAPE], ids=["table", "images"])
def test_it_is_a_kernel_density(pca, seen, digits, shape):
    new = read(pca, digits[0][900:1000])
    points = naive_statistics(seen, seen, shape)
    # of scipy's covariance with n − 1, as wide as ours with n
    kde = gaussian_kde(points, lambda kde: kde.scotts_factor() * math.sqrt(1 - 1 / kde.n))
    expected = kde.logpdf(naive_statistics(new, seen, shape))
    scores = score("density_of_states", new, seen, shape)
    # up to a constant; a millionth of the mean variance is added to each
    np.testing.assert_allclose(scores - scores[0], expected - expected[0], atol=2e-3)
    assert np.ptp(expected) > 1


def test_the_tail_is_that_of_points_judged_by_the_others(seen, monkeypatch):
    monkeypatch.setattr(density, "N_POINTS", 60)
    state = density.fit_density_of_states(reference_of(seen, SHAPE), {})
    points = state["points"]
    assert len(points) == 60  # every fifteenth of 900
    oddness = []
    for i, point in enumerate(points):
        squares = ((np.delete(points, i, axis=0) - point) ** 2).sum(axis=1)
        oddness.append(math.log(60) - logsumexp(-0.5 * squares))
    level = np.quantile(oddness, 0.9)
    excess = np.mean([value - level for value in oddness if value > level])
    np.testing.assert_allclose(state["tail"], [level, excess])


@pytest.fixture(scope="module")
def usual(pca, seen, digits):
    """Scores of digits that were not seen."""
    return score("density_of_states", read(pca, digits[0][900:]), seen, SHAPE)


@pytest.mark.parametrize("kind", ["constant", "noise", "half contrast", "inverted", "shuffled"])
def test_what_is_no_digit_is_less_dense(pca, seen, digits, usual, kind):
    X, rng = digits[0][900:], np.random.default_rng(0)
    strange = {
        "constant": np.repeat(np.linspace(0, 1, 20)[:, None], 64, axis=1),
        "noise": rng.uniform(size=(100, 64)),
        "half contrast": X / 2,
        "inverted": 1 - X,
        "shuffled": X[:, rng.permutation(64)],
    }[kind]
    scores = score("density_of_states", read(pca, strange), seen, SHAPE)
    assert np.mean(scores < np.quantile(usual, 0.05)) > (0.5 if kind == "half contrast" else 0.9)


def test_what_is_too_simple_costs_little_and_is_found_nevertheless(pca, seen, digits, usual):
    """Digits faded to their mean: a likelihood gets them backwards."""
    X = digits[0][900:]
    faded = read(pca, (X + pca.mean_) / 2)
    costs = [(r.reconstruction.sum(dim=1) + r.kl.sum(dim=1)).numpy() for r in (faded, read(pca, X))]
    np.testing.assert_allclose(costs[0], costs[1] / 4)
    assert np.median(score("density_of_states", faded, seen, SHAPE)) < np.quantile(usual, 0.05)


@pytest.mark.parametrize("index", [[0], [0, 0, 0], [0, 1]], ids=["one row", "copies", "two rows"])
@pytest.mark.parametrize("shape", [None, SHAPE], ids=["table", "images"])
def test_few_rows_leave_a_usable_state(pca, digits, index, shape):
    new = read(pca, np.concatenate([digits[0][:20], np.zeros((1, 64)), 1e6 * digits[0][:20]]))
    scores = score("density_of_states", new, rows_of(new, index), shape)
    assert np.isfinite(scores).all()
    assert scores.argmax() in index


def test_a_row_does_not_depend_on_its_batch(pca, seen, digits):
    new = read(pca, digits[0][900:930])
    scores = score("density_of_states", new, seen, SHAPE)
    alone = [score("density_of_states", rows_of(new, [i]), seen, SHAPE)[0] for i in range(0, 30, 3)]
    np.testing.assert_allclose(scores[::3], alone, rtol=1e-9)

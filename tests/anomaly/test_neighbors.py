"""Scores against training rows and their codes, with distances and divergences of other libraries."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from torch.distributions import Normal, kl_divergence

from tests.anomaly.readings import Made, reading_of, reference_of, rows_of, score
from vaetools.anomaly import reference
from vaetools.anomaly.reference import KNN_NEIGHBORS, nearest, nearest_others, whiten


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def of_codes(codes):
    codes = np.array(codes, dtype=np.float64)
    return reading_of(codes, mean=codes)


@pytest.mark.parametrize("k", [1, 3, 40])
def test_nearest_are_the_least_distances(rng, k, monkeypatch):
    monkeypatch.setattr(reference, "_BLOCK", 7)  # less than the rows
    rows, references = rng.normal(size=(20, 4)), rng.normal(size=(9, 4))
    found = nearest(torch.from_numpy(rows), torch.from_numpy(references), k)
    np.testing.assert_allclose(found, np.sort(cdist(rows, references), axis=1)[:, :k], rtol=1e-12)


@pytest.mark.parametrize(("n_reference", "k"), [(2, 1), (2, 5), (12, 5)])
def test_nearest_others_leave_out_the_reference_itself(rng, n_reference, k):
    references = rng.normal(size=(n_reference, 3))
    references[-1] = references[0]  # a copy is another row
    found = nearest_others(torch.from_numpy(references), k)
    for i, row in enumerate(references):
        others = np.delete(references, i, axis=0)
        np.testing.assert_allclose(found[i], np.sort(np.linalg.norm(others - row, axis=1))[:k])
    assert found[0, 0] == 0


def test_an_only_reference_is_at_no_distance_from_itself():
    assert nearest_others(torch.ones(1, 3), 5).tolist() == [[0]]


def naive_latent_knn(codes, reference):
    """Mahalanobis distances, without whitening."""
    inverse = np.linalg.inv(np.cov(reference.T, ddof=0))
    distances = np.sort(cdist(codes, reference, "mahalanobis", VI=inverse), axis=1)
    return -distances[:, :KNN_NEIGHBORS].mean(axis=1)


@pytest.mark.parametrize("n_reference", [4, 40])
def test_latent_knn_is_a_mahalanobis_distance(rng, n_reference):
    reference = rng.normal(size=(n_reference, 2)) @ [[3.0, 1.0], [0.0, 0.01]] + 7
    codes = rng.normal(size=(6, 2))
    scores = score("latent_knn", of_codes(codes), of_codes(reference))
    np.testing.assert_allclose(scores, naive_latent_knn(codes, reference), rtol=1e-8)  # an inverse is taken


def test_latent_knn_does_not_change_with_the_units_of_codes(rng):
    codes, reference = rng.normal(size=(6, 2)), rng.normal(size=(40, 2))
    turn = np.array([[2.0, 1.0], [-1.0, 0.3]])
    first = score("latent_knn", of_codes(codes), of_codes(reference))
    turned = score("latent_knn", of_codes(codes @ turn), of_codes(reference @ turn))
    np.testing.assert_allclose(turned, first, rtol=1e-9)


def test_latent_knn_falls_with_distance(rng):
    near, far, farther = score(
        "latent_knn", of_codes([[0, 0], [5, 0], [1e9, 0]]), of_codes(rng.normal(size=(50, 2)))
    )
    assert near > far > farther > -1e10


def test_whitened_codes_are_standard(rng):
    codes = rng.normal(size=(60, 3)) @ [[3, 1, 0], [0, 0.1, 2], [0, 0, 5]] + 4
    state = whiten(codes)
    np.testing.assert_allclose(np.cov(state["codes"].T, ddof=0), np.eye(3), atol=1e-10)
    np.testing.assert_allclose(state["codes"].mean(axis=0), 0, atol=1e-12)


def test_a_collapsed_direction_is_not_blown_up(rng):
    """Codes that vary by rounding alone in one direction: its distances must not rule."""
    reference = np.column_stack([rng.normal(size=50), 1e-9 * rng.normal(size=50)])
    spread = np.sort(whiten(reference)["codes"].std(axis=0))
    assert spread[1] == pytest.approx(1, rel=1e-6)
    assert spread[0] < 1e-5
    near, far = score("latent_knn", of_codes([[0.1, 0], [0.1, 1e-6]]), of_codes(reference))
    assert near == pytest.approx(far, abs=2e-3)  # 1e-6 is a thousandth of a floored deviation


@pytest.mark.parametrize("n_reference", [1, 7])
def test_codes_that_are_all_alike_keep_their_unit(n_reference):
    codes = of_codes([[1, 1], [4, 5], [1e3, 1]])
    scores = score("latent_knn", codes, of_codes(np.ones((n_reference, 2))))
    assert scores.tolist() == pytest.approx([0, -5, -999])


@pytest.fixture
def posteriors(rng):
    """Of 20 rows, with their reconstruction costs."""
    x = rng.normal(size=(20, 2))
    stats = {"mean": 3 * x, "log_std": rng.normal(size=x.shape) - 1}
    return reading_of(x, **stats, reconstruction=rng.normal(size=20))


@pytest.mark.parametrize("n_reference", [1, 13])
def test_aggregate_is_a_mixture_of_divergences(posteriors, n_reference, monkeypatch):
    monkeypatch.setattr(reference, "_BLOCK", 7)
    of_rows = Normal(posteriors.mean[:, None], posteriors.latent.log_std[:, None].exp())
    of_references = Normal(posteriors.mean[:n_reference], posteriors.latent.log_std[:n_reference].exp())
    kl = kl_divergence(of_rows, of_references).sum(dim=2).numpy()
    expected = logsumexp(-kl, b=1 / n_reference, axis=1) - posteriors.reconstruction.sum(dim=1).numpy()
    scores = score("aggregate", posteriors, rows_of(posteriors, slice(n_reference)))
    np.testing.assert_allclose(scores, expected, rtol=1e-10)


def test_aggregate_lies_below_the_exact_cost_of_the_aggregated_posterior(posteriors, rng):
    """Jensen: KL to a mixture is at most −log mean exp(−KL) to its parts."""
    scores = score("aggregate", posteriors, posteriors) + posteriors.reconstruction.sum(dim=1).numpy()
    q = Normal(posteriors.mean, posteriors.latent.log_std.exp())
    z = q.mean + q.stddev * torch.from_numpy(rng.normal(size=(4000, 1, 2)))
    among = [q.log_prob(z[:, [i]]).sum(dim=2) for i in range(20)]  # (n_draws, n_reference) each
    exact = [(own[:, i] - torch.logsumexp(own, dim=1)).mean() + np.log(20) for i, own in enumerate(among)]
    assert (scores <= -np.array(exact) + 1e-9).all()
    assert (scores > -np.log(20) - 1e-12).all()  # a row is its own reference here


@pytest.mark.parametrize(("dtype", "digits"), [(np.float64, 1e-9), (np.float32, 1e-2)])
def test_aggregate_keeps_its_digits_near_references_of_small_spread(rng, dtype, digits):
    """Each row is its own reference, and so far from the others that they do not count."""
    codes = (3 * rng.normal(size=(20, 4))).astype(dtype)
    reading = reading_of(codes, mean=codes, log_std=rng.normal(size=codes.shape) - 7)
    np.testing.assert_allclose(score("aggregate", reading, reading), -np.log(20), atol=digits)


def test_aggregate_of_codes_far_away_is_finite(posteriors):
    log_std, costs = posteriors.latent.log_std, posteriors.reconstruction[:, 0]
    far = reading_of(posteriors.x, mean=1e9 * posteriors.mean, log_std=log_std, reconstruction=costs)
    scores = score("aggregate", far, posteriors)
    assert np.isfinite(scores).all()
    assert scores.max() < -1e12


@pytest.mark.parametrize("name", ["latent_knn", "aggregate"])
def test_a_row_does_not_depend_on_its_batch(posteriors, name):
    scores = score(name, posteriors, posteriors)
    alone = [score(name, rows_of(posteriors, [i]), posteriors)[0] for i in range(20)]
    np.testing.assert_allclose(scores, alone, rtol=1e-12)


def test_states_come_from_codes_alone(posteriors):
    """Nothing is decoded for them."""
    undecoded = Made(latent=posteriors.latent)
    for fit in (reference.fit_latent_knn, reference.fit_aggregate):
        assert fit(reference_of(undecoded), {}).keys() == fit(reference_of(posteriors), {}).keys()

import numpy as np
import pytest

from vaetools import similar


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(300, 5)) * [1, 1, 4, 1, 0.1]


def test_as_a_slow_search(codes):
    query = codes[:7] + 0.3
    indices, distances = similar(codes, query, k=4)
    for row, found, at in zip(query, indices, distances, strict=True):
        every = np.array(
            [np.sqrt(sum((a - b) ** 2 for a, b in zip(row, code, strict=True))) for code in codes]
        )
        assert found.tolist() == np.argsort(every)[:4].tolist()
        np.testing.assert_allclose(at, np.sort(every)[:4], rtol=1e-12)


@pytest.mark.parametrize("offset", [0, 1e7])
def test_a_code_is_its_own_neighbor_at_distance_0(codes, offset):
    indices, distances = similar(codes + offset, codes + offset, k=2)
    assert indices[:, 0].tolist() == list(range(300))
    assert (distances[:, 0] == 0).all()
    assert np.array_equal(indices[:, 1], similar(codes, codes, k=2).indices[:, 1])
    assert (distances[:, 1] > 0).all()


def test_a_query_does_not_depend_on_the_others(codes):
    query = np.random.default_rng(1).normal(size=(40, 5))
    together = similar(codes, query, k=6)
    for i in range(40):
        alone = similar(codes, query[i : i + 1], k=6)
        assert np.array_equal(alone.indices[0], together.indices[i])
        assert np.array_equal(alone.distances[0], together.distances[i])


def test_many_queries_come_in_blocks(codes, monkeypatch):
    whole = similar(codes, codes, k=3)
    monkeypatch.setattr("vaetools.geometry._MAX_VALUES", 7 * 3 * 5)
    assert np.array_equal(similar(codes, codes, k=3).indices, whole.indices)


def test_equally_near_codes_come_in_their_order():
    assert similar([[1.0], [-1.0], [0.0], [1.0]], [[0.0]], k=4).indices.tolist() == [[2, 0, 1, 3]]


@pytest.mark.parametrize(
    ("Z", "query", "k", "message"),
    [
        ([[1.0]], [[1.0]], 2, "k must be an integer from 1 to n_samples=1; got 2"),
        ([[1.0]], [[1.0]], 0, "got 0"),
        ([[1.0]], [[1.0]], 1.5, "got 1.5"),
        ([[1.0]], [1.0], 1, r"got \(1, 1\) and \(1,\)"),
        ([[1.0]], [1.0], 1, r"Pass one code as Z\[:1\], not Z\[0\]"),
        ([[1.0], [np.nan]], [[1.0]], 1, "similar: Z must hold finite numbers; got nan in row 1"),
        ([[1.0]], [[-np.inf]], 1, "similar: query must hold finite numbers; got -inf in row 0"),
        ([[1.0, 2.0]], [[1.0]], 1, r"got \(1, 2\) and \(1, 1\)"),
    ],
)
def test_refusals_name_what_came(Z, query, k, message):
    with pytest.raises(ValueError, match=message):
        similar(Z, query, k)

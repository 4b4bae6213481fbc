import numpy as np
import pytest

from vaetools.latent.paths import interpolate


def test_ends_are_exact_and_steps_equal():
    start, end = np.array([0.1, -3.0, 2.0]), np.array([0.7, 5.0, 2.0])
    path = interpolate(start, end, 7)
    assert path.shape == (7, 3)
    assert np.array_equal(path[0], start)
    assert np.array_equal(path[-1], end)
    np.testing.assert_allclose(np.diff(path, axis=0), np.tile((end - start) / 6, (6, 1)), atol=1e-15)


def test_float32_codes_give_float64_paths():
    assert interpolate(np.float32([0]), np.float32([1]), 3).dtype == np.float64


@pytest.mark.parametrize(
    ("start", "end", "n", "message"),
    [
        ([0.0, 1.0], [1.0], 3, r"got \(2,\) and \(1,\)"),
        ([[0.0]], [[1.0]], 3, r"got \(1, 1\) and \(1, 1\)"),
        ([0.0], [1.0], 1, "n must be at least 2; got 1"),
    ],
)
def test_refusals_name_what_came(start, end, n, message):
    with pytest.raises(ValueError, match=message):
        interpolate(start, end, n)

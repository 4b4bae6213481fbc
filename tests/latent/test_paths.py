import numpy as np
import pytest

from vaetools.latent.paths import grid, interpolate, traverse


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


def test_a_traversal_moves_one_component():
    center = np.float32([1, 2, 3])
    codes = traverse(center, 1, [-5, 0, 5])
    assert codes.dtype == np.float64
    assert codes.tolist() == [[1, -5, 3], [1, 0, 3], [1, 5, 3]]
    assert center.tolist() == [1, 2, 3]


def test_a_grid_is_a_traversal_of_traversals():
    center, rows, columns = np.array([1.0, 2, 3]), [-1, 0, 1, 2], [7, 8]
    codes = grid(center, (2, 0), rows, columns)
    assert codes.shape == (4, 2, 3)
    for i, value in enumerate(rows):
        np.testing.assert_array_equal(codes[i], traverse([1, 2, value], 0, columns))
    assert grid(center, (0, 1), [], columns).shape == (0, 2, 3)


@pytest.mark.parametrize("component", [3, -1])
def test_a_component_must_exist(component):
    message = f"components must be different ones of 0 to 2; got {component}"
    with pytest.raises(ValueError, match="traverse: " + message):
        traverse(np.zeros(3), component, [0, 1])
    with pytest.raises(ValueError, match=r"grid: .* got 0, 0"):
        grid(np.zeros(3), (0, 0), [0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"grid: center must be one code .* got \(1, 3\)"):
        grid(np.zeros((1, 3)), (0, 1), [0, 1], [0, 1])

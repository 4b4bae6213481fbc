import math

import numpy as np
import pytest

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import jumps, path_length
from vaetools.latent.paths import interpolate


@pytest.fixture(scope="module")
def straight():
    """Twenty straight lines of eleven rows."""
    rng = np.random.default_rng(0)
    return np.stack([interpolate(*rng.normal(size=(2, 4)), 11) for _ in range(20)])


def test_straight_lines(straight):
    np.testing.assert_allclose(path_length(straight), (1, 1, 1))
    np.testing.assert_allclose(jumps(straight), (1, 1, 1))


def test_shuffled_steps_go_back_and_forth(straight):
    shuffled = straight.copy()
    shuffled[:, 1:-1] = np.random.default_rng(0).permuted(straight[:, 1:-1], axis=1)
    assert path_length(shuffled).low > 2
    assert jumps(shuffled).low > 1.3


def test_collapsed_paths_lead_nowhere(straight):
    assert math.isnan(path_length(np.full((20, 11, 4), 0.1)).value)
    assert math.isnan(jumps(np.full((20, 11, 4), 0.1)).value)
    with_one = np.concatenate([straight, np.full((1, 11, 4), 0.1)])
    assert path_length(with_one).value == pytest.approx(1)


def test_half_a_circle_and_a_jump():
    angles = np.linspace(0, math.pi, 1001)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])[None]
    assert path_length(circle).value == pytest.approx(math.pi / 2, abs=1e-5)
    assert jumps(circle).value == pytest.approx(1)
    jump = np.zeros((1, 11, 3))
    jump[:, 4:] = 1
    assert jumps(jump).value == pytest.approx(10)
    assert path_length(jump).value == pytest.approx(1)


@pytest.mark.parametrize("measure", [path_length, jumps])
def test_invariance(measure):
    paths = np.random.default_rng(0).normal(size=(30, 7, 4)).cumsum(axis=1)
    value, low, high = measure(paths)
    assert low < value < high
    assert measure(5 * paths @ rotation(4) + 100).value == pytest.approx(value)
    assert measure(paths[::-1, ::-1]).value == pytest.approx(value)


@pytest.mark.parametrize("measure", [path_length, jumps])
def test_refusals_name_what_came(measure):
    with pytest.raises(ValueError, match=r"got \(3, 4\)"):
        measure(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"got \(3, 1, 4\)"):
        measure(np.ones((3, 1, 4)))
    with pytest.raises(ValueError, match="got NaN"):
        measure(np.full((3, 2, 4), np.nan))

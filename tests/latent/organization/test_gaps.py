import math

import numpy as np
import pytest

from tests.latent.organization.conftest import rotation
from vaetools.latent.organization import holes, off_codes, prior_empty


@pytest.fixture(scope="module")
def clusters():
    """2,000 codes in eight small clusters on a circle, which leaves its middle empty."""
    rng = np.random.default_rng(0)
    angles = rng.integers(8, size=2000) * math.pi / 4
    return np.column_stack([np.cos(angles), np.sin(angles)]) + 0.02 * rng.normal(size=(2000, 2))


def halves(Z):
    return Z[::2], Z[1::2]


def test_a_normal_cloud_has_no_holes(normal):
    assert holes(normal).value < 0.02
    value, low, high = off_codes(*halves(normal))
    assert low < 1 < high
    assert value < 2


def test_clusters_leave_holes(clusters):
    assert holes(clusters).value > 0.9
    assert off_codes(*halves(clusters)).low > 10


def test_collapsed_codes_have_no_ellipsoid(collapsed):
    assert math.isnan(holes(collapsed.Z).value)
    assert math.isnan(off_codes(*halves(collapsed.Z)).value)


def test_shuffling_rows_changes_nothing(perfect, shuffled):
    for measure in (holes, prior_empty):
        assert measure(shuffled.Z) == pytest.approx(measure(perfect.Z), abs=1e-9)


def test_holes_do_not_mind_linear_maps(normal):
    curved = normal[:, :2] ** 3
    moved = curved @ [[3.0, 1.0], [0.0, 0.1]] + 10  # which draws it meets differs
    assert holes(moved).value == pytest.approx(holes(curved).value, abs=0.03)
    a, b = off_codes(*halves(curved)), off_codes(*halves(moved))
    assert b.low < a.value < b.high
    assert holes(np.insert(curved, 1, 0.1, axis=1)).value == pytest.approx(holes(curved).value, abs=0.03)


@pytest.mark.parametrize("n_components", [1, 2, 16])
def test_codes_from_the_prior_leave_as_much_empty_in_any_dimension(n_components):
    Z = np.random.default_rng(0).normal(size=(1000, n_components))  # the same seed as the measure's
    assert prior_empty(Z).value == pytest.approx(2**-5, abs=0.02)
    assert prior_empty(Z, k=1).value == pytest.approx(1 / 2, abs=0.05)


def test_scale_and_position_count_for_the_prior_and_not_for_holes(normal):
    for moved in (20 * normal, normal / 20, normal + 9):
        assert prior_empty(moved).low > 0.8
        assert holes(moved).value == pytest.approx(holes(normal).value, abs=0.02)


def test_clusters_and_collapse_leave_the_prior_empty(clusters, collapsed):
    assert prior_empty(clusters).low > 0.8
    assert prior_empty(collapsed.Z).low > 0.8


def test_the_prior_does_not_mind_rotation(normal):
    Z = normal * [1, 2, 0.5]
    assert prior_empty(Z @ rotation(3)).value == pytest.approx(prior_empty(Z).value, abs=0.03)


def test_held_out_codes_that_lie_elsewhere_lower_the_ratio(normal):
    Z, held_out = halves(normal**3)
    assert off_codes(Z, held_out + 100).value < off_codes(Z, held_out).value


def test_ratio_by_hand(normal):
    value, low, high = off_codes(normal[:1000] * 1.0, normal[:10], n_draws=100)  # none of ten is far
    assert math.isfinite(value)
    assert 0 < low < value < high < math.inf


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_the_quantile_is_what_codes_themselves_exceed(normal, quantile):
    Z, held_out = halves(normal)
    fewer = holes(Z, quantile=quantile).value
    assert fewer == pytest.approx(1 - quantile, abs=0.1)
    assert off_codes(Z, held_out, quantile=quantile).value == pytest.approx(1, abs=0.3)

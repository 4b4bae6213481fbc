import numpy as np
import pytest
import torch

from vaetools.estimators.trimming import distance_to_share, n_trimmed, pattern


@pytest.mark.parametrize(
    ("n_rows", "fraction", "n"), [(100, 0.29, 29), (10, 0.1, 1), (9, 0.1, 0), (1, 0.9, 0), (7, 0, 0)]
)
def test_n_trimmed_rounds_down(n_rows, fraction, n):
    assert n_trimmed(n_rows, fraction) == n


def test_a_pattern_has_neither_brightness_nor_contrast():
    images = torch.from_numpy(np.random.default_rng(0).random((5, 12)))
    torch.testing.assert_close(pattern(0.3 * images + 0.5), pattern(images))
    torch.testing.assert_close(pattern(images).norm(dim=1), torch.ones(5).double())
    assert not torch.allclose(pattern(1 - images), pattern(images))


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_blank_image_has_no_pattern(value):
    torch.testing.assert_close(pattern(torch.full((1, 12), value)), torch.zeros(1, 12))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.99])
def test_the_share_lies_within_the_distance(share):
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 3)))
    within = (torch.cdist(rows, rows) <= distance_to_share(rows, rows, share)[:, None] + 1e-12).sum(dim=1)
    assert set((within - 1).tolist()) == {min(59, int(np.ceil(share * 60)))}  # the row itself does not count


def test_a_tight_group_that_is_small_is_far_and_a_wide_one_that_is_large_is_not():
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(np.concatenate([rng.normal(size=(90, 2)), 9 + 0.01 * rng.normal(size=(10, 2))]))
    away = distance_to_share(rows, rows, 0.1)
    assert away[90:].min() > away[:90].max()
    nearest = distance_to_share(rows, rows, 0.01)  # to the next row alone
    assert nearest[90:].max() < nearest[:90].median()


def test_one_row_is_not_far_from_itself():
    row = torch.ones(1, 3)
    assert distance_to_share(row, row, 0.1).item() == 0

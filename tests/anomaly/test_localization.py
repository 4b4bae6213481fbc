"""How well maps find what masks mark, against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, roc_auc_score

from vaetools.anomaly.localization import Localization


def images(seed: int):
    """Maps that find some of what masks mark."""
    rng = np.random.default_rng(seed)
    masks = [(rng.random((12, 15)) > 0.95).astype(np.uint8) * 255 for _ in range(3)]
    masks[0][3:9, 4:12] = 1
    return [rng.normal(size=mask.shape) + 2 * (mask > 0) for mask in masks], masks


def slow_aupro(maps, masks, limit):
    """Curve of every threshold, by definition."""
    good = np.concatenate([map_[mask == 0] for map_, mask in zip(maps, masks, strict=True)])
    points = [(0.0, 0.0)]
    for threshold in np.sort(np.concatenate([map_.ravel() for map_ in maps]))[::-1]:
        overlaps = []
        for map_, mask in zip(maps, masks, strict=True):
            regions, n = label(mask > 0, structure=np.ones((3, 3)))
            overlaps += [(map_[regions == region] >= threshold).mean() for region in range(1, n + 1)]
        points.append(((good >= threshold).mean(), np.mean(overlaps)))
    false, overlap = np.array(points).T
    grid = np.linspace(0, limit, 20_001)
    return np.trapezoid(np.interp(grid, false, overlap), grid) / limit


@pytest.mark.parametrize("seed", range(3))
def test_counts_say_what_definitions_say(seed):
    maps, masks = images(seed)
    found = Localization()
    for map_, mask in zip(maps, masks, strict=True):
        found.add(map_, mask)
    truth = np.concatenate([mask.ravel() > 0 for mask in masks])
    values = np.concatenate([map_.ravel() for map_ in maps])
    assert found.pixel_auroc == pytest.approx(roc_auc_score(truth, values), abs=2e-4)
    assert found.average_precision == pytest.approx(average_precision_score(truth, values), abs=2e-3)
    for limit in (0.3, 0.05):
        assert found.aupro(limit) == pytest.approx(slow_aupro(maps, masks, limit), abs=2e-3)


def test_parts_add_up():
    maps, masks = images(0)
    whole, first, second = Localization(), Localization(), Localization()
    for i, (map_, mask) in enumerate(zip(maps, masks, strict=True)):
        whole.add(map_, mask)
        (first if i < 2 else second).add(map_, mask)
    both = first + second
    assert (both.pixel_auroc, both.aupro(0.3), both.n_regions) == (
        whole.pixel_auroc,
        whole.aupro(0.3),
        whole.n_regions,
    )


def test_an_image_without_a_mask_has_no_defect():
    found, same = Localization(), Localization()
    map_ = np.arange(12.0).reshape(3, 4)
    found.add(map_)
    same.add(map_, np.zeros((3, 4)))
    assert np.array_equal(found.good, same.good)
    assert found.n_regions == 0
    assert np.isnan(found.pixel_auroc)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"the shape of its map, \(3, 4\); got \(4, 3\)"):
        Localization().add(np.zeros((3, 4)), np.zeros((4, 3)))

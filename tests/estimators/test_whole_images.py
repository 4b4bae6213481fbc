"""Images judged as a whole: what they show on average, alone or beside their places."""

import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf
from sklearn.metrics import roc_auc_score
from torch import nn

from vaetools import AE, Backbone, PatchDetector, load, save
from vaetools.files import read_model_file, write_model_file
from vaetools.nn.borders import within
from vaetools.nn.patch_model import grid_of
from vaetools.nn.planting import planted
from vaetools.nn.whole import Whole, direction, shrunk_covariance
from vaetools.persistence.header import check_model, read_model

SIDE = 24
SHAPE = (3, SIDE, SIDE)


def network() -> nn.Module:
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.Conv2d(16, 24, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Conv2d(24, 24, 3, padding=1), nn.ReLU())


def stripes(n: int, seed: int, across: bool = False) -> np.ndarray:
    """Colored thumbnails of stripes, down or across, of any contrast."""
    rng = np.random.default_rng(seed)
    waves = np.sin((np.arange(SIDE) + rng.uniform(0, 6, (n, 1))) * 2 * np.pi / 6)
    images = np.broadcast_to(waves[:, :, None] if across else waves[:, None], (n, SIDE, SIDE))
    colors = rng.uniform(20, 50, (n, 1)) * rng.uniform(0.8, 1, (n, 3))
    found = 128 + colors[:, :, None, None] * images[:, None] + rng.normal(0, 4, (n, *SHAPE))
    return np.clip(found, 1, 255).astype(np.uint8).reshape(n, -1)


def detector(scope: str, **parameters) -> PatchDetector:
    layers = {"whole": ["5"], "both": ["1", "3", "5"], "auto": ["1", "3"]}[scope]
    backbone = Backbone(network(), layers=layers)
    small = AE(4, hidden_layer_sizes=(32,), max_iter=3, batch_size=256)
    given = {"backbone": backbone, "image_shape": SHAPE, "n_references": 100, "random_state": 0}
    return PatchDetector(small, scope=scope, **given | parameters)


@pytest.fixture(scope="module", params=["whole", "both"])
def fitted(request) -> PatchDetector:
    return detector(request.param).fit(stripes(150, 1))


def test_what_images_show_is_told_apart(fitted):
    scores = fitted.score_samples(np.concatenate([stripes(60, 2), stripes(60, 3, across=True)]))
    assert roc_auc_score(np.repeat([1, 0], 60), scores) > 0.95
    assert fitted.p_values(stripes(60, 3, across=True)).mean() < 0.1


def test_verdict_and_map_agree(fitted):
    X = np.concatenate([stripes(30, 4), stripes(30, 5, across=True)])
    maps = fitted.heat_maps(X)
    assert maps.shape == (60, SIDE, SIDE)
    np.testing.assert_array_equal(-maps.max(axis=(1, 2)), fitted.score_samples(X))
    np.testing.assert_array_equal((maps > -fitted.offset_).any(axis=(1, 2)), fitted.predict(X) == -1)
    of_one_color = np.ptp(maps, axis=(1, 2)) == 0
    assert of_one_color.all() if fitted.scope_ == "whole" else not of_one_color.any()


def test_a_whole_that_is_usual_takes_nothing_from_places():
    model = detector("both").fit(stripes(150, 1)).model_
    images = torch.from_numpy(stripes(40, 6)).float().reshape(-1, *SHAPE) / 255
    with torch.inference_mode():
        maps, extent = model.maps(images)
        inside = within(extent, grid_of(maps))
        places = model.places([group(maps, inside) for group in model.groups], inside, (SIDE, SIDE))
        whole = model.whole(model.directions(maps, extent))
        found = model(images)
    usual = whole <= 0
    assert 5 < usual.sum() < 35
    assert torch.equal(found[usual], places[usual])
    torch.testing.assert_close(found.amax(dim=(1, 2)), places.amax(dim=(1, 2)) + whole.clamp(min=0))
    torch.testing.assert_close(found.amin(dim=(1, 2)), places.amin(dim=(1, 2)))


def test_a_file_says_the_same(fitted, tmp_path):
    save(fitted, tmp_path / "model.safetensors")
    loaded, X = load(tmp_path / "model.safetensors", network=network()), stripes(20, 7)
    assert np.array_equal(loaded.heat_maps(X), fitted.heat_maps(X))
    assert loaded.scope_ == fitted.scope_


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("whole.whitening", np.ones((24, 23), np.float32), "whole.whitening must have a side of 24"),
        ("whole.level_spread", np.zeros(1, np.float32), "whole.level_spread must be finite and positive"),
        ("whole.center", np.full(24, np.nan, np.float32), "whole.center must be finite"),
    ],
)
def test_what_no_detector_can_be_is_refused(fitted, tmp_path, name, value, message):
    save(fitted, tmp_path / "model.safetensors")
    header, arrays = read_model(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=message):
        check_model(header, arrays | {f"model_.{name}": value})
    with pytest.raises(ValueError, match="scope must be"):
        check_model({**header, "fitted": {**header["fitted"], "scope": "parts"}}, arrays)


@pytest.mark.parametrize(("scope", "needed"), [("places", 2), ("both", 3)])
def test_scopes_need_layers(scope, needed):
    backbone = Backbone(network(), layers=["1", "3"][: needed - 1])
    message = f"backbone must have {needed} or more layers, from fine to coarse, for scope='{scope}'"
    with pytest.raises(ValueError, match=message):
        PatchDetector(backbone=backbone, scope=scope, image_shape=SHAPE).fit(stripes(150, 1))


def test_thumbnails_are_judged_as_a_whole():
    model = PatchDetector(image_shape=SHAPE, random_state=0).fit(stripes(100, 1))
    assert model.scope_ == "whole"
    assert model.backbone_.layers_ == ("_blocks.15",)
    assert model.backbone_.size == (128, 128)
    assert model.estimators_ == []
    across = stripes(20, 3, across=True)
    assert roc_auc_score(
        np.repeat([1, 0], 20), model.score_samples(np.concatenate([stripes(20, 2), across]))
    ) == pytest.approx(1)


def test_small_photographs_are_seen_enlarged(tmp_path):
    tiles = np.random.default_rng(0).integers(1, 255, (6, 3 * 40 * 48), np.uint8)
    with pytest.warns(UserWarning, match="takes 19 calibration images"):
        model = PatchDetector(image_shape=(3, 40, 48), n_references=9, random_state=0).fit(tiles)
    assert (model.scope_, model.backbone_.size) == ("both", (160, 192))
    maps = model.heat_maps(tiles[:2])
    assert maps.shape == (2, 40, 48)
    save(model, tmp_path / "m.safetensors")
    assert np.array_equal(load(tmp_path / "m.safetensors").heat_maps(tiles[:2]), maps)


@pytest.mark.parametrize(
    ("scope", "side", "seen"), [("both", 64, (128, 128)), ("places", 64, None), ("both", 96, None)]
)
def test_files_of_earlier_versions_are_seen_as_they_were(tmp_path, scope, side, seen):
    tiles = np.random.default_rng(0).integers(1, 255, (4, 3 * side**2), np.uint8)
    model = PatchDetector(image_shape=(3, side, side), scope=scope, n_references=9, random_state=0)
    with pytest.warns(UserWarning, match="takes 19 calibration images"):
        model.fit(tiles)
    save(model, tmp_path / "m.safetensors")
    header, arrays = read_model_file(tmp_path / "m.safetensors")
    del header["fitted"]["seen"]
    write_model_file(tmp_path / "m.safetensors", header, arrays)
    assert load(tmp_path / "m.safetensors").backbone_.size == seen


def test_layers_of_ones_own_are_of_places():
    assert detector("auto").fit(stripes(120, 1)).scope_ == "places"


# The parts


def test_the_covariance_is_that_of_ledoit_and_wolf():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 12)) @ rng.normal(size=(12, 12))
    rows -= rows.mean(axis=0)
    expected, share = ledoit_wolf(rows, assume_centered=True)
    assert 0.01 < share < 1
    np.testing.assert_allclose(shrunk_covariance(torch.from_numpy(rows)).numpy(), expected, rtol=1e-10)


def test_distances_are_those_of_mahalanobis():
    rows = torch.from_numpy(
        np.random.default_rng(0).normal(size=(4000, 3)) @ [[2, 0, 0], [1, 1, 0], [0, 0, 3]]
    )
    whole = Whole(3).double()
    whole.learn(rows)
    centered = rows - rows.mean(dim=0)
    precision = torch.linalg.inv(centered.T @ centered / len(rows))
    expected = ((centered @ precision) * centered).sum(dim=1) / 3
    torch.testing.assert_close(whole.distances(rows).exp(), expected, rtol=0.02, atol=0.01)
    whole.learn_usual(rows)
    odd = whole(rows)
    assert (odd > 1).double().mean() == pytest.approx(0.1, abs=1e-3)
    assert (odd > 0).double().mean() == pytest.approx(0.5, abs=1e-3)


def test_images_that_train_are_odd_as_a_whole_by_others():
    rows = torch.randn(60, 20, generator=torch.Generator().manual_seed(0))
    whole, new = Whole(20), torch.randn(4000, 20, generator=torch.Generator().manual_seed(1))
    odd = whole.learn_crossed(rows, 40)
    assert (odd > 1).sum() == 4
    assert (odd > 0).sum() == 20
    assert whole(rows[:40]).mean() < odd.mean() - 0.15  # which it knows
    assert abs(whole(new).mean() - odd.mean()) < 0.15


def test_of_thumbnails_that_all_train_new_ones_are_flagged_as_promised():
    model = detector("whole", false_alarm_rate=0.2).fit(stripes(40, 1))
    assert len(model.calibration_scores_) == 40
    assert model.calibration_ == "cross"
    assert 0.05 < (model.predict(stripes(400, 2)) == -1).mean() < 0.35
    with pytest.warns(UserWarning, match="takes 19 calibration images; got 18.*Fit 19 images or more"):
        detector("whole").fit(stripes(18, 1))


def test_the_whole_counts_by_as_much_as_small_defects_move_it():
    whole = Whole(4)
    good = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
    whole.learn(good)
    whole.learn_usual(good)
    scale, far = whole.level_spread.item(), good * torch.linspace(1, 3, 400)[:, None]
    unseen, whole.level_spread = whole(far).clone(), torch.tensor([scale])
    moved = (whole(far) - whole(good)).clamp(-1, 1).mean()
    assert 0.5 < moved < 0.95
    whole.learn_share(good, far)
    torch.testing.assert_close(whole(far), moved * unseen)
    whole.level_spread = torch.tensor([scale])
    whole.learn_share(good, good)  # of defects that do not show
    torch.testing.assert_close(whole(far), 0.01 * unseen)


def test_defects_are_planted_where_they_may_lie_and_stay_colors():
    images = torch.rand(200, 3, 90, 60, generator=torch.Generator().manual_seed(1))
    extent = torch.tensor([[0.0, 0.5, 0.5, 1.0]]).expand(200, -1)
    found, mask = planted(images, extent, torch.Generator().manual_seed(2))
    assert found.min() >= 0
    assert found.max() <= 1
    often = mask.float().mean(dim=0)
    assert often[:45, 30:].mean() > 5 * often[45:, :30].mean() > 0
    assert mask.any(dim=(1, 2)).float().mean() > 0.95
    changed = (found - images).abs().amax(dim=1)
    assert changed[mask].min() > 0.02  # a tenth of their contrast, .29
    assert changed[~mask].mean() < 0.01
    again, _ = planted(images, extent, torch.Generator().manual_seed(2))
    assert torch.equal(found, again)


def test_on_images_of_two_levels_defects_are_of_these_too():
    images = torch.full((100, 1, 96, 96), 0.2)
    images[..., 40:] = 0.8
    images[50:, :, 0, 0] = 0.5  # a gray
    extent = torch.tensor([[0.0, 1.0, 0.0, 1.0]]).expand(100, -1)
    found, mask = planted(images, extent, torch.Generator().manual_seed(0))
    assert torch.isin(found[:50], images[0].unique()).all()
    assert torch.equal((found != images)[:50, 0] & mask[:50], mask[:50])
    assert 0.1 < mask[:50].any(dim=(1, 2)).float().mean() < mask[50:].any(dim=(1, 2)).float().mean()
    assert not torch.isin(found[50:], images.unique()).all()


def test_contrast_and_borders_change_no_direction():
    maps = torch.rand(4, 5, 6, 6)
    inside = torch.zeros(4, 6, 6)
    inside[:, 1:5, 2:6] = 1
    found = direction(3 * torch.where(inside[:, None] > 0, maps, 9), inside)
    torch.testing.assert_close(found, direction(maps[:, :, 1:5, 2:6], torch.ones(4, 4, 4)))
    assert torch.isfinite(direction(maps, torch.zeros_like(inside))).all()

"""Photographs judged place by place: defects that were planted, maps, and verdicts that agree with them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from torch import nn

from vaetools import AE, CVAE, VAE, Backbone, ModelFileError, PatchDetector, load, save
from vaetools.estimators.pictures import split_images
from vaetools.files import read_model_file, write_model_file
from vaetools.nn.borders import borders, mirror, within
from vaetools.nn.features import Features
from vaetools.nn.patch_model import Group, PatchModel
from vaetools.nn.places import (
    blurred,
    from_rim,
    greedy_cover,
    least_of,
    nearest_references,
    oddness,
    principal_axes,
    scale_of_maxima,
    usual_costs,
    whitening,
)

SIDE = 48
SHAPE = (1, SIDE, SIDE)


def network() -> nn.Module:
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 12, 5, stride=2, padding=2), nn.Conv2d(12, 16, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


def photographs(n: int, seed: int) -> np.ndarray:
    """Stripes with a little noise, each image shifted."""
    rng = np.random.default_rng(seed)
    places = np.arange(SIDE) + rng.uniform(0, 12, (n, 1))
    stripes = 140 + 40 * np.sin(places * 2 * np.pi / 12)[:, None, :]
    return np.clip(stripes + rng.normal(0, 4, (n, SIDE, SIDE)), 1, 255).astype(np.uint8).reshape(n, -1)


def scratched(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Photographs with a scratch across the stripes each, and where it is."""
    rng, images = np.random.default_rng(seed), photographs(n, seed).reshape(n, SIDE, SIDE)
    masks = np.zeros(images.shape, bool)
    for mask in masks:
        row, column = rng.integers(6, SIDE - 14, 2)
        mask[row : row + 3, column : column + 9] = True
    images[masks] = 60
    return images.reshape(n, -1), masks


def detector(**parameters) -> PatchDetector:
    backbone = Backbone(network(), layers=["1", "3"])
    small = AE(4, hidden_layer_sizes=(32,), max_iter=5, batch_size=256)
    given = {"estimator": small, "backbone": backbone, "image_shape": SHAPE, "n_references": 100}
    return PatchDetector(**given | {"random_state": 0} | parameters)


@pytest.fixture(scope="module")
def fitted() -> PatchDetector:
    return detector().fit(photographs(120, 1))


def test_scratches_are_found_where_they_are(fitted):
    good, (odd, masks) = photographs(60, 2), scratched(60, 3)
    scores = np.append(fitted.score_samples(good), fitted.score_samples(odd))
    assert roc_auc_score(np.repeat([1, 0], 60), scores) > 0.95
    maps = fitted.heat_maps(odd)
    assert roc_auc_score(masks.ravel(), maps.ravel()) > 0.9
    assert fitted.p_values(odd).mean() < 0.1 < 0.3 < fitted.p_values(good).mean()


def test_an_image_is_flagged_exactly_if_its_map_goes_beyond_the_threshold(fitted):
    X = np.concatenate([photographs(40, 4), scratched(40, 5)[0]])
    beyond = (fitted.heat_maps(X) > -fitted.offset_).any(axis=(1, 2))
    assert np.array_equal(beyond, fitted.predict(X) == -1)
    assert 30 < beyond.sum() < 50
    np.testing.assert_array_equal(-fitted.heat_maps(X).max(axis=(1, 2)), fitted.score_samples(X))


def test_false_alarms_come_at_the_promised_rate():
    model = detector(false_alarm_rate=0.2).fit(photographs(120, 1))
    new = model.recalibrate(photographs(199, 6)).predict(photographs(400, 7))
    assert 0.1 < (new == -1).mean() < 0.3  # 3 standard errors
    assert len(model.calibration_scores_) == 199


def test_images_that_tell_what_is_usual_calibrate_as_if_they_were_new():
    model = detector(false_alarm_rate=0.2).fit(photographs(120, 1))
    assert len(model.calibration_scores_) == 48
    assert 0.08 < (model.predict(photographs(400, 7)) == -1).mean() < 0.32
    told = model.predict(photographs(120, 1)[np.random.RandomState(0).permutation(120)[:48]])
    assert (told == -1).mean() < 0.2  # the model that knows them


def test_a_confidence_takes_images_that_do_nothing_else():
    sure = detector(false_alarm_rate=0.2, confidence=0.9).fit(photographs(120, 1))
    assert len(sure.calibration_scores_) == 24
    with pytest.raises(ValueError, match="takes 45 calibration images; got 24: 21 more"):
        detector(confidence=0.9).fit(photographs(120, 1))


@pytest.mark.parametrize(
    ("given", "n", "sizes"),
    [
        ({}, 4, (2, 2, 0)),
        ({}, 100, (60, 40, 0)),
        ({}, 5000, (4000, 400, 600)),
        ({"calibration_fraction": 0.7}, 100, (30, 70, 0)),
        ({"confidence": 0.5, "false_alarm_rate": 0.5}, 4, (1, 2, 1)),
        ({"confidence": 0.95}, 300, (180, 60, 60)),
        ({"image_shape": (1, 4096, 4096)}, 100, (60, 10, 30)),
    ],
)
def test_images_train_or_tell_what_is_usual_or_calibrate(given, n, sizes):
    parts = split_images(detector(**given), n, np.random.RandomState(0))
    assert tuple(map(len, parts)) == sizes
    assert sorted(np.concatenate(parts)) == list(range(n))


@pytest.mark.parametrize(
    ("given", "n", "sizes"),
    [
        ({}, 4, (4, 4, 0)),
        ({}, 100, (100, 100, 0)),
        ({}, 5000, (4400, 400, 600)),
        ({"confidence": 0.95}, 300, (240, 240, 60)),
    ],
)
def test_where_the_whole_alone_is_judged_images_that_train_tell_what_is_usual(given, n, sizes):
    parts = split_images(detector(scope="whole", **given), n, np.random.RandomState(0))
    train, telling, calibrating = parts
    assert tuple(map(len, parts)) == sizes
    assert np.array_equal(telling, train[: len(telling)])
    assert sorted([*train, *calibrating]) == list(range(n))


def test_a_score_depends_on_its_image_alone(fitted):
    X = photographs(70, 8)
    assert np.array_equal(fitted.score_samples(X)[41:43], fitted.score_samples(X[41:43]))
    again = detector().fit(photographs(120, 1))
    assert np.array_equal(again.score_samples(X), fitted.score_samples(X))
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).score_samples(X), fitted.score_samples(X))


def test_more_bits_than_in_training_are_told():
    model = detector().fit(photographs(100, 1).astype(np.uint16) * 16)
    with pytest.warns(UserWarning, match="levels up to 4,095, as those of training; got such of 16 bits"):
        model.score_samples(photographs(2, 2).astype(np.uint16) * 257)
    assert len(model.score_samples(photographs(2, 2).astype(np.uint16) * 16)) == 2


def test_black_borders_are_no_part_of_an_image(fitted):
    wide = np.zeros((5, SIDE, SIDE), np.uint8)
    wide[:, 8:-8] = photographs(5, 9).reshape(5, SIDE, SIDE)[:, 8:-8]
    maps = fitted.heat_maps(wide.reshape(5, -1))
    inside = maps[:, 10:-10]
    assert (maps[:, :4].max(axis=(1, 2)) <= inside.max(axis=(1, 2))).all()
    assert (fitted.predict(wide.reshape(5, -1)) == 1).all()


def test_other_estimators_and_parameters():
    vae = detector(estimator=VAE(3, hidden_layer_sizes=(16,), max_iter=2)).fit(photographs(95, 1))
    assert [type(each) for each in vae.estimators_] == [VAE, VAE]
    assert vae.estimator.get_params()["standardize"] == "auto"  # what was passed stays
    assert clone(vae).get_params(deep=False).keys() == vae.get_params(deep=False).keys()
    assert vae.get_params()["backbone__layers"] == ["1", "3"]


@pytest.fixture(scope="module")
def conditional() -> PatchDetector:
    return detector(estimator=CVAE(3, hidden_layer_sizes=(16,), max_iter=2)).fit(photographs(95, 1))


def test_a_conditional_autoencoder_is_told_where_places_lie(conditional):
    assert [each.classes_.tolist() for each in conditional.estimators_] == [list(range(16))] * 2
    group = conditional.model_.groups[0]
    with torch.inference_mode():
        fine, coarse = group.mean[:, None, None].split([12, 16])  # alike everywhere
        costs, _ = group.costs([fine.expand(2, 12, 24, 24), coarse.expand(2, 16, 12, 12)])
    of_regions = costs[..., 1].reshape(2, 4, 3, 4, 3).transpose(2, 3).reshape(2, 16, 9)
    torch.testing.assert_close(of_regions, of_regions[:1, :, :1].expand_as(of_regions))
    assert len(of_regions[0, :, 0].unique()) == 16


def test_a_file_has_the_conditional_autoencoders(conditional, tmp_path):
    save(conditional, tmp_path / "m.safetensors")
    X = photographs(3, 2)
    assert np.array_equal(
        load(tmp_path / "m.safetensors", network=network()).heat_maps(X), conditional.heat_maps(X)
    )


def test_regions_that_no_image_fills_are_told():
    framed = photographs(60, 1).reshape(-1, SIDE, SIDE)
    framed[:, :16] = 0
    with pytest.raises(ValueError, match="fill all 16 regions of their frame; got a CVAE, and places in 12"):
        detector(estimator=CVAE(3)).fit(framed.reshape(60, -1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"estimator": 3}, "estimator must be None or an AE, VAE or CVAE; got 3"),
        ({"backbone": 3}, "backbone must be None or the name of a network or a Backbone; got 3"),
        ({"backbone": Backbone(network(), layers=["1"])}, "backbone must have 2 or more layers"),
        ({"n_references": 0}, "n_references must be a positive integer; got 0"),
        ({"image_shape": None}, "image_shape must be"),
        ({"image_shape": (1, 9, 9)}, "image_shape must multiply to the 2304 columns"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        detector(**parameters).fit(photographs(60, 1))


def test_a_file_in_which_defects_are_told_by_nothing_is_refused(fitted, tmp_path):
    path = tmp_path / "m.safetensors"
    save(fitted, path)
    header, arrays = read_model_file(path)
    for name in filter(lambda name: name.startswith("model_.groups."), arrays):
        if name.endswith(("inward", "bias", "outward")):
            arrays[name] = arrays[name][..., :0]
        elif arrays[name].shape[-1:] == (4,):  # costs, of which the last is theirs
            arrays[name] = arrays[name][..., :-1].copy()
    write_model_file(path, header, arrays)
    with pytest.raises(ModelFileError, match=r"groups.0.floor must have a side of 4; got shape .3,."):
        load(path)


def test_too_few_images_are_told():
    with pytest.raises(ValueError, match="PatchDetector: X must have at least 4 images; got 3"):
        detector().fit(photographs(3, 1))
    with pytest.warns(UserWarning, match="takes 19 calibration images; got 4"):
        detector().fit(photographs(12, 1))


def test_progress_is_shown_on_request(capsys):
    with pytest.warns(UserWarning, match="takes 19 calibration images"):
        detector(verbose=1).fit(photographs(12, 1))
    shown = capsys.readouterr().err
    assert all(f"{task}: 100%" in shown for task in ("looking", "telling defects", "what is usual"))


def test_what_tells_planted_defects_tells_others_that_it_has_not_seen(fitted):
    model, (odd, masks) = fitted.model_, scratched(40, 5)
    images = torch.from_numpy(odd.reshape(-1, *SHAPE)).float() / 255
    with torch.inference_mode():
        maps, _ = model.maps(images)
        costs, _ = model.groups[0].costs(maps)
    hit = masks.reshape(40, 12, 4, 12, 4).any(axis=(2, 4))
    assert roc_auc_score(hit.ravel(), costs[..., -1].numpy().ravel()) > 0.75


def test_images_of_one_gray_have_nothing_to_plant():
    with pytest.warns(UserWarning, match="takes 19 calibration images"):
        model = detector().fit(np.full((8, SIDE * SIDE), 90, np.uint8))
    assert np.isfinite(model.score_samples(photographs(3, 1))).all()


# The parts


def test_references_are_far_apart_and_near_to_all():
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(500, 3))).float()
    chosen = greedy_cover(points, 40, torch.Generator().manual_seed(0))
    assert len(set(chosen.tolist())) == 40
    references = points[chosen]
    apart = torch.cdist(references, references).fill_diagonal_(torch.inf).min()
    distances, which = nearest_references(points, references)
    assert distances[:, 0].sqrt().max() <= apart + 1e-5
    expected, nearest = torch.cdist(points, references).topk(4, largest=False)
    torch.testing.assert_close(distances, expected.square().clamp(min=1e-6), rtol=1e-3, atol=1e-4)
    assert torch.equal(which[:, 0], nearest[:, 0])


@pytest.mark.parametrize("n_columns", [4, 15, 16, 17, 2000, 2003])
def test_the_least_of_rows_are_found_in_two_steps(n_columns):
    values = torch.rand(50, n_columns, generator=torch.Generator().manual_seed(0))
    expected, places = values.topk(4, dim=1, largest=False)
    least, which = least_of(values, 4)
    assert torch.equal(least, expected)
    assert torch.equal(which, places)


def test_principal_axes_keep_what_varies_most():
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.normal(size=(500, 80)) * np.repeat([9.0, 0.1], 40)).float()
    axes = principal_axes(points)
    assert axes.shape == (80, 64)
    torch.testing.assert_close(axes.T @ axes, torch.eye(64), atol=1e-4, rtol=0)
    near = torch.cdist(points @ axes, points @ axes)
    torch.testing.assert_close(near, torch.cdist(points, points), rtol=0.01, atol=0.1)


def test_what_an_autoencoder_leaves_becomes_spherical():
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.normal(size=(5000, 3)) @ rng.normal(size=(3, 3))).float()
    white = rows @ whitening(rows)
    torch.testing.assert_close(white.T @ white / 5000, torch.eye(3), atol=0.1, rtol=0)
    flat = torch.cat([rows, torch.zeros(5000, 1)], dim=1)
    assert torch.isfinite(whitening(flat)).all()


def test_costs_are_usual_by_kind_of_place():
    costs = torch.tensor([[1.0], [3.0], [10.0], [14.0]]).repeat(500, 1)
    kinds = torch.tensor([[0], [0], [1], [1]]).repeat(500, 1)
    center, variance = usual_costs(costs, kinds, 3)
    torch.testing.assert_close(center[:2, 0], torch.tensor([2.0, 12.0]), rtol=0.02, atol=0)
    torch.testing.assert_close(variance[:2, 0], torch.tensor([1.0, 4.0]), atol=0.3, rtol=0)
    assert center[2, 0] == costs.mean()  # nothing was seen there
    torch.testing.assert_close(variance[2, 0], costs.var(correction=0), rtol=1e-5, atol=0)
    odd = oddness(torch.tensor([[4.0, 0.0]]), torch.tensor([[2.0, 1.0]]), torch.tensor([[4.0, 1.0]]))
    assert odd.item() == 0  # (1 - 1) / 2


def test_the_rim_is_told_from_the_middle():
    inside = torch.zeros(1, 9, 12)
    inside[:, :, :9] = 1
    expected = [min(i, 8 - i, j, 8 - j, 3) for i in range(9) for j in range(9)]
    assert from_rim(inside)[0, :, :9].flatten().tolist() == expected
    assert not from_rim(inside)[0, :, 9:].any()


def test_places_are_judged_by_what_is_usual_at_their_distance_from_the_rim():
    rng = np.random.default_rng(0)
    group = Group(slice(0, 2), 1)
    group.references = torch.zeros(5, 3)
    inside = torch.ones(60, 12, 12)
    which = torch.from_numpy(rng.integers(0, 5, (60, 12, 12, 4)))
    rim = from_rim(inside) == 0
    logs = torch.from_numpy(rng.normal(size=(60, 12, 12, 2))).float()
    logs[rim] = 4 + 3 * logs[rim]
    odd = group.learn_usual(logs.exp(), which, inside)
    assert abs(odd[rim].mean()) < 0.1
    assert abs(odd[~rim].mean()) < 0.1
    assert group.rim_variance[0, 0] > 3 * group.rim_variance[2, 0]


def test_maxima_are_put_on_one_scale():
    center, spread = scale_of_maxima(torch.arange(101.0)[:, None] * torch.tensor([1.0, 10.0]))
    assert center.tolist() == [50, 500]
    assert spread.tolist() == [40, 400]


def test_a_map_is_a_quarter_the_greatest_of_levels_and_else_the_mean_of_the_sharpest():
    model = PatchModel(Features(network(), ["1", "3"], None, None), [12, 16])
    model.level_center, model.level_spread = torch.arange(8.0), torch.full((8,), 2.0)
    standard = torch.tensor([2.0, 4.0, 0.0, -2.0, 6.0, 0.0, 8.0, 1.0])  # of each group at four blurs
    levels = torch.arange(8.0) + 2 * standard
    assert model.fused(levels[None, :, None, None]).tolist() == [[[8 / 4 + 3 / 4 * (2 + 4 + 6 + 0) / 4]]]


def test_a_blur_keeps_to_the_inside():
    inside = torch.zeros(1, 9, 9)
    inside[:, 2:7, 2:7] = 1
    maps = torch.where(inside > 0, 3.0, 100.0)
    for sigma in (0.7, 2.0):
        assert torch.allclose(blurred(maps, inside, sigma)[:, 2:7, 2:7], torch.tensor(3.0))
    assert blurred(maps, inside, 0.0) is maps


def test_images_go_on_behind_their_rim_as_in_a_mirror():
    images = torch.zeros(2, 1, 4, 7)
    images[0, 0, 1:3, 2:5] = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows, columns = borders(images, 2), borders(images, 3)
    assert [end.tolist() for end in (*rows, *columns)] == [[1, 0], [2, 3], [2, 0], [4, 6]]
    made = mirror(mirror(images, rows, 2), columns, 3)
    assert made[0, 0].tolist() == [
        [2, 1, 1, 2, 3, 3, 2],
        [2, 1, 1, 2, 3, 3, 2],
        [5, 4, 4, 5, 6, 6, 5],
        [5, 4, 4, 5, 6, 6, 5],
    ]
    assert not made[1].any()
    extent = torch.tensor([[0.25, 0.75, 2 / 7, 5 / 7]])
    assert within(extent, (4, 7))[0].tolist() == [[0] * 7, *[[0, 0, 1, 1, 1, 0, 0]] * 2, [0] * 7]

"""A patch detector in a file: the same numbers, the same network, and nothing that cannot be."""

from __future__ import annotations

import re

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from torch import nn

from tests.estimators.test_patch_detector import detector, network, photographs, scratched
from vaetools import AE, ModelFileError, PatchDetector, load, save
from vaetools.__main__ import main
from vaetools.files import write_model_file
from vaetools.persistence.header import check_model, read_model


@pytest.fixture(scope="module")
def fitted() -> PatchDetector:
    return detector().fit(photographs(100, 1))


@pytest.fixture
def path(fitted, tmp_path):
    save(fitted, tmp_path / "parts.safetensors")
    return tmp_path / "parts.safetensors"


def test_a_loaded_detector_says_the_same(fitted, path):
    loaded = load(path, network=network())
    X = scratched(20, 3)[0]
    assert np.array_equal(loaded.heat_maps(X), fitted.heat_maps(X))
    assert np.array_equal(loaded.p_values(X), fitted.p_values(X))
    assert loaded.get_params()["backbone__layers"] == ["1", "3"]
    assert loaded.get_params()["estimator__n_components"] == 4
    assert loaded.n_samples_ == 100
    assert np.array_equal(loaded.fit(photographs(100, 1)).score_samples(X), fitted.score_samples(X))


def test_the_network_must_be_the_same(path):
    with pytest.raises(
        ValueError, match=r"needs the module that was its backbone, .* not in the file; got network=None"
    ):
        load(path)
    torch.manual_seed(9)
    other = nn.Sequential(nn.Conv2d(3, 12, 5, 2, 2), nn.ReLU(), nn.Conv2d(12, 16, 3, 2, 1), nn.ReLU())
    with pytest.raises(ModelFileError, match="backbone must be the network that the model was fitted with"):
        load(path, network=other)


def test_frozen_weights_are_not_in_the_file(path):
    assert not [name for name in load_file(path) if "features" in name]


def test_maps_of_files_of_earlier_versions_stay_as_they_were(fitted, path):
    header, arrays = read_model(path)
    assert header["fitted"].pop("sharp") == fitted.model_.sharp == 0.75
    write_model_file(path, header, arrays)
    earlier = load(path, network=network())
    levels = torch.rand(2, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    model = earlier.model_
    standard = (levels - model.level_center[:, None, None]) / model.level_spread[:, None, None]
    sharp = standard[:, [0, 1, 4, 5]].mean(dim=1)
    assert torch.allclose(model.fused(levels), (standard.amax(dim=1) + sharp) / 2, rtol=1e-6)
    save(earlier, path)
    assert read_model(path)[0]["fitted"]["sharp"] == 0.5


@pytest.mark.parametrize(("n_costs", "own"), [(2, 0.5), (3, 0.75)])
def test_places_of_files_of_earlier_versions_are_judged_as_they_were(fitted, path, n_costs, own):
    header, arrays = read_model(path)
    dropped = {2: ("whitening", "inward", "bias", "outward"), 3: ("inward", "bias", "outward")}[n_costs]
    for name in [name for name in arrays if name.startswith("model_.groups.")]:
        if arrays[name].shape[-1] == 4:  # costs
            arrays[name] = arrays[name][..., :n_costs].copy()
        if name.endswith(dropped):
            del arrays[name]
    write_model_file(path, header, arrays)
    earlier = load(path, network=network())
    group, newer = earlier.model_.groups[0], fitted.model_.groups[0]
    with torch.inference_mode():
        maps, _ = fitted.model_.maps(torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(0)))
        (costs, which), (more, _) = group.costs(maps), newer.costs(maps)
    assert torch.equal(costs, more[..., :n_costs])
    rim = torch.zeros(which.shape[:3], dtype=torch.long)
    center, variance = (each[which].mean(dim=-2) for each in (group.center, group.variance))
    center = center + variance.sqrt() * group.rim_center[0]
    variance = own * variance * group.rim_variance[0] + (1 - own) * group.overall
    expected = (((costs + group.floor).log() - center) / variance.sqrt()).mean(dim=-1)
    assert torch.equal(group.oddness(costs, which, rim), expected)
    save(earlier, path)
    assert np.array_equal(
        load(path, network=network()).heat_maps(photographs(3, 2)), earlier.heat_maps(photographs(3, 2))
    )


def change(at: str, value):
    """Return what changes one value of a header."""

    def changed(header, arrays):
        *places, last = at.split("/")
        for place in places:
            header = header[int(place) if place.isdigit() else place]
        header[last] = value

    return changed


def drop(name: str):
    return lambda header, arrays: arrays.pop(name)


def spoil(name: str):
    return lambda header, arrays: arrays.update({name: np.full_like(arrays[name], np.nan)})


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (change("parameters/n_references", 0), "n_references must be a positive integer"),
        (change("parameters/image_shape", [1, 9, 9]), "image_shape must be of n_features = 2304 values"),
        (change("parameters/backbone", 3), "backbone must be an object"),
        (change("parameters/estimator/class", "LatentMap"), "parameters"),
        (change("fitted/offset_", 7.5), "offset_ must be one of calibration_scores_"),
        (change("fitted/digest", "x"), "digest must be a digest"),
        (change("fitted/sharp", 1.5), "sharp must be a number above 0 and below 1"),
        (change("fitted/n_channels", [12, 17]), "must be of 29 features"),
        (change("fitted/n_channels", [12]), "n_channels must be a list of 2 or more"),
        (change("estimators", []), "estimators must be [0-9] autoencoders"),
        (change("estimators/0/class", "PatchDetector"), "class must be one of"),
        (drop("model_.groups.0.std"), "groups.0.std is missing"),
        (spoil("model_.groups.0.references"), "groups.0.references must be finite"),
        (spoil("model_.level_spread"), "level_spread must be finite and positive"),
        (spoil("model_.groups.0.whitening"), "groups.0.whitening must be finite"),
        (drop("model_.groups.0.whitening"), "groups.0.floor must have a side of 3"),
        (drop("model_.groups.0.inward"), "groups.0.floor must have a side of 3"),
        (drop("model_.groups.0.outward"), "groups.0.outward is missing"),
        (spoil("model_.groups.0.bias"), "groups.0.bias must be finite"),
        (drop("estimators.0.model_.log_unit"), "log_unit is missing"),
    ],
)
def test_what_no_detector_can_be_is_refused(path, spoiled, message):
    header, arrays = read_model(path)
    spoiled(header, arrays)
    with pytest.raises(ValueError, match=message):
        check_model(header, arrays)


def test_a_named_network_comes_with_its_package(tmp_path, capsys):
    small = AE(4, hidden_layer_sizes=(32,), max_iter=2, batch_size=256)
    fitted = PatchDetector(
        small, image_shape=(1, 48, 48), scope="places", n_references=50, random_state=0
    ).fit(photographs(95, 1))
    path = tmp_path / "parts.safetensors"
    save(fitted, path)
    X = scratched(4, 3)[0]
    assert np.array_equal(load(path).score_samples(X), fitted.score_samples(X))
    Image.new("L", (48, 48), 90).save(tmp_path / "1.png")
    assert main(["score", str(path), str(tmp_path / "1.png"), "-q"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading == "path,score,p_value,verdict"
    score = load(path).score_samples(np.full((1, 48 * 48), 90, np.uint8))
    assert float(line.split(",")[1]) == pytest.approx(score[0])
    assert main(["embed", str(path), str(tmp_path / "1.png")]) == 2
    assert "embed needs codes" in capsys.readouterr().err
    assert main(["info", str(path)]) == 0
    assert "Takes         rows of 2,304 pixels" in capsys.readouterr().out
    assert main(["export", str(path), "-o", str(tmp_path / "parts.onnx")]) == 0
    said = capsys.readouterr()
    assert "PatchDetector; flagged as odd where the score is below" in said.out
    assert re.search(r"Written: .*parts.onnx \(\d\.\d MB\)", said.err)
    session = onnxruntime.InferenceSession(tmp_path / "parts.onnx")
    [maps] = session.run(["map"], {"X": X})
    np.testing.assert_allclose(maps, fitted.heat_maps(X), rtol=1e-4, atol=1e-4)

"""A pipeline of features and a model of them in a file: the network by its name and a digest."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from torch import nn

from tests.estimators.test_patch_detector import SHAPE, photographs
from vaetools import VAE, Backbone, LatentMap, load, read_images, save
from vaetools.cli.commands.info import page
from vaetools.files import ModelFileError
from vaetools.persistence.facts import read_facts
from vaetools.persistence.header import check_model, read_model
from vaetools.persistence.model_file import split_reader

X = photographs(40, 1)
VAE_OF_FEATURES = {"max_iter": 2, "random_state": 0, "false_alarm_rate": 0.2, "anomaly_score": "tables"}


@pytest.fixture(scope="module")
def pipeline():
    features = Backbone("pixels", image_shape=SHAPE, layers=["at_8", "at_16"])
    return make_pipeline(features, VAE(2, **VAE_OF_FEATURES)).fit(X)


def test_it_comes_back_as_it_was(pipeline, tmp_path):
    save(pipeline, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert list(again.named_steps) == ["backbone", "vae"]
    assert np.array_equal(again.score_samples(X), pipeline.score_samples(X))
    assert np.array_equal(again.predict(X), pipeline.predict(X))
    assert repr(again[0]) == repr(pipeline[0])
    assert again[0].digest_ == pipeline[0].digest_


def test_info_names_the_network(pipeline, tmp_path):
    save(pipeline, tmp_path / "m.safetensors")
    facts = read_facts(tmp_path / "m.safetensors")
    assert facts.backbone == {
        "network": "pixels",
        "layers": ["at_8", "at_16"],
        "strides": [8, 16],
        "digest": pipeline[0].digest_,
    }
    assert "Features        fixed filters, at strides of 8 and 16 pixels\n" in page(facts)
    few = page(dataclasses.replace(facts, n_calibration=2))
    assert "20.0 % takes 4: fit more of them" in few
    assert "recalibrate" not in few


def test_a_reader_in_front_and_a_map_behind_come_along(tmp_path):
    for i, row in enumerate(X):
        Image.fromarray(row.reshape(SHAPE[1:])).save(tmp_path / f"{i:02}.png")
    images = read_images(tmp_path)
    features = Backbone("pixels", image_shape=SHAPE, layers=["at_16"])
    steps = images.reader, features, VAE(2, **VAE_OF_FEATURES), LatentMap(method="pca")
    whole = make_pipeline(*steps).fit(images.paths)
    save(whole, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert list(again.named_steps) == ["imagereader", "backbone", "vae", "latentmap"]
    np.testing.assert_array_equal(again.transform(images.paths), whole.transform(images.paths))


def test_a_network_without_a_name_is_refused(tmp_path):
    own = Backbone(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), layers=["1"], image_shape=SHAPE)
    whole = make_pipeline(own, VAE(2, **VAE_OF_FEATURES)).fit(X)
    with pytest.raises(TypeError, match=r"network must be a name.*got a Sequential\. A PatchDetector"):
        save(whole, tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()


def test_other_weights_are_refused(pipeline, tmp_path, monkeypatch):
    save(pipeline, tmp_path / "m.safetensors")
    monkeypatch.setattr("vaetools.nn.features.digest", lambda network: 64 * "0")
    with pytest.raises(ModelFileError, match="backbone must be the network that the model was fitted with"):
        load(tmp_path / "m.safetensors")


def test_a_file_whose_parts_do_not_fit_is_refused(pipeline, tmp_path):
    path = tmp_path / "m.safetensors"
    save(pipeline, path)
    header, arrays = read_model(path)
    assert header["backbone"]["steps"] == ["backbone", "vae"]
    header["backbone"]["fitted"]["n_channels"] = [1]
    with pytest.raises(ValueError, match=r"backbone\.n_channels must be n_features"):
        check_model(header, arrays)


def test_streams_say_what_takes_it(pipeline):
    with pytest.raises(ValueError, match="a pipeline with a Backbone is called itself"):
        split_reader(pipeline)

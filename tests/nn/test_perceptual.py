"""How unlike images look, against slow twins, and as a part of a step of training."""

import numpy as np
import pytest
import torch
from torch import nn

from vaetools import EncoderDecoder
from vaetools.nn.features import Features
from vaetools.nn.latents import Point
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder
from vaetools.nn.perceptual import AddedLoss, dissimilarity, means_of_products, means_of_views
from vaetools.nn.pixels import Pixels

SHAPE = (2, 8, 9)


def pairs(n=3, n_values=144, seed=0):
    """Images and others like them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand((n, n_values), generator=generator, dtype=torch.float64)
    return x, 0.5 * x + 0.5 * torch.rand((n, n_values), generator=generator, dtype=torch.float64)


def naive_dissimilarity(a, b):
    """1 − SSIM of two windows."""
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    alike = (2 * a.mean() * b.mean() + 1e-4) * (2 * covariance + 9e-4)
    return 1 - alike / ((a.mean() ** 2 + b.mean() ** 2 + 1e-4) * (a.var() + b.var() + 9e-4))


def test_structure_equals_its_naive_twin_window_by_window():
    x, expected = pairs()
    a, b = (rows.numpy().reshape(-1, *SHAPE) for rows in (x, expected))
    found = AddedLoss("structure", 1.0, SHAPE).places(x, expected).numpy()
    assert found.shape == (3, 2, 3)  # windows of 7×7
    for n, i, j in np.ndindex(found.shape):
        window = np.s_[n, :, i : i + 7, j : j + 7]
        twins = [naive_dissimilarity(*each) for each in zip(a[window], b[window], strict=True)]
        assert found[n, i, j] == pytest.approx(np.mean(twins), abs=1e-12)


@pytest.mark.parametrize("name", ["structure", "pixels"])
def test_what_is_alike_costs_nothing_and_nothing_more_than_twice_its_values(name):
    added, (x, expected) = AddedLoss(name, 1.0, (1, 12, 12)), pairs()
    torch.testing.assert_close(added(x, x), torch.zeros(3).double(), atol=1e-12, rtol=0)
    assert ((added(x, expected) > 0) & (added(x, expected) < 2 * 144)).all()
    twice = AddedLoss(name, 2.0, (1, 12, 12))
    torch.testing.assert_close(twice(x, expected), 2 * added(x, expected))


def test_structure_notices_blur_that_squared_error_hardly_does():
    x, _ = pairs()
    brighter, added = x + 0.29, AddedLoss("structure", 1.0, (1, 12, 12))
    blurred = x.mean(dim=1, keepdim=True).expand_as(x)
    assert (x - blurred).square().mean() < (x - brighter).square().mean()
    assert (added(x, blurred) > 2 * added(x, brighter)).all()


def test_features_equal_their_naive_twin():
    x, expected = pairs(n_values=16 * 16)
    network = Features(Pixels(), ["at_4"], None, None).double()
    [a], [b] = (network(rows.reshape(-1, 1, 16, 16)) for rows in (x, expected))
    a, b = a.numpy(), b.numpy()
    twin = ((a - b) ** 2).mean(axis=1) / ((a**2).mean(axis=1) + (b**2).mean(axis=1) + 1e-3)
    found = AddedLoss("pixels", 1.0, (1, 16, 16)).places(x, expected)
    np.testing.assert_allclose(found.numpy(), twin)


@pytest.mark.parametrize("name", ["structure", "pixels"])
def test_maps_of_pixels_show_where(name):
    x, _ = pairs(n_values=16 * 24)
    spoilt = x.clone().reshape(-1, 16, 24)
    spoilt[:, 4:12, 14:22] = 0.5
    maps = AddedLoss(name, 1.0, (1, 16, 24)).pixels(x, spoilt.flatten(1))
    assert maps.shape == (3, 16, 24)
    worst = maps.flatten(1).argmax(dim=1)
    for places, low in ((worst // 24, 4), (worst % 24, 14)):
        assert ((places >= low) & (places < low + 8)).all()


def test_gradients_of_structure_are_those_of_small_steps():
    x, expected = pairs(n=1, n_values=64)
    added = AddedLoss("structure", 1.0, (1, 8, 8))
    assert torch.autograd.gradcheck(lambda b: added(x, b), expected.requires_grad_())


def test_windows_are_averaged_alike_by_views_and_by_products():
    a, b = (rows.reshape(3, 2, 6, 12) for rows in pairs())
    by_views, by_products = (dissimilarity(a, b, means) for means in (means_of_views, means_of_products))
    assert by_views.shape == (3, 2, 1, 6)
    torch.testing.assert_close(by_views, by_products, rtol=1e-12, atol=1e-12)


def test_a_step_of_training_adds_it_row_by_row():
    x, _ = pairs(n_values=64)
    torch.manual_seed(0)
    network = EncoderDecoder(nn.Linear(64, 2), nn.Linear(2, 64))
    added = AddedLoss("structure", 0.5, (1, 8, 8))
    plain, model = (
        Autoencoder(network, Gaussian(1.0), Point, 2, torch.zeros(64), added=each).double()
        for each in (None, added)
    )
    noise, weights = torch.zeros(3, 2).double(), torch.tensor([0.0, 1.0, 2.0]).double()
    before, parts = plain(x, None, noise, None), model(x, None, noise, None)
    expected = added(x, model.read(x).expected)
    assert len(before) == 2
    torch.testing.assert_close(parts, (*before, expected.sum()))
    torch.testing.assert_close(model(x, None, noise, None, weights)[2], expected @ weights)
    assert set(model.state_dict()) == set(plain.state_dict())

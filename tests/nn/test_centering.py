"""A first layer that learns as if its inputs were centered: the same steps, and the same layer."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from vaetools.nn.batches import InputScale, Rows
from vaetools.nn.centering import center_start, center_steps, takes_uncentered
from vaetools.nn.latents import Normal
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder
from vaetools.nn.networks import Network

N_FEATURES = 5


def build(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Network(N_FEATURES, 2, (6,), nn.SiLU, **options)
    return Autoencoder(network, Gaussian().bind(N_FEATURES), Normal, 2, torch.zeros(N_FEATURES))


def as_rows(kind="pixels", **labels):
    X = np.random.default_rng(0).uniform(0.3, 1.0, size=(30, N_FEATURES))
    return Rows(X, np.arange(10, 30), InputScale.fixed(kind, N_FEATURES), **labels)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("n_classes", [0, 3])
def test_steps_are_those_of_centered_rows(optimizer, n_classes):
    model, rows = build(n_classes=n_classes), as_rows()
    centered = copy.deepcopy(model)
    mean = torch.from_numpy(rows.X[rows.index].mean(axis=0)).float()
    x = torch.from_numpy(rows.X).float()
    y = torch.eye(3)[torch.arange(30) % 3] if n_classes else None
    center_start(model, rows)
    own, reference = (optimizer(each.parameters(), lr=0.01) for each in (model, centered))
    center_steps(own, model, rows)
    for _ in range(5):
        for trained, stepping, seen in ((model, own, x), (centered, reference, x - mean)):
            means, log_std = trained.network.posterior(seen, y)
            trained.zero_grad()
            (means.square().sum() + log_std.sum()).backward()
            stepping.step()
    first, second = model.network.posterior(x, y), centered.network.posterior(x - mean, y)
    for ours, theirs in zip(first, second, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)  # float32, sums in another order


@pytest.mark.parametrize(
    ("kind", "options", "is_so"),
    [
        ("pixels", {}, True),
        ("unit", {"n_classes": 3}, True),
        ("standardize", {}, False),  # centered already
        ("identity", {}, False),  # of which nothing is known
        ("pixels", {"image_shape": (1, 1, 5), "hidden_channels": (2,)}, False),
    ],
)
def test_rows_in_the_unit_interval_before_a_dense_layer_are_not_centered(kind, options, is_so):
    assert takes_uncentered(build(**options), InputScale.fixed(kind, N_FEATURES)) == is_so

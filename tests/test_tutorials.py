"""Five tutorials, and a convolutional one, by constructor arguments alone.

Each loss is written out as the tutorial has it, on the outputs of the same network under the
same noise; ours must be a factor times theirs, plus a constant, and so must every gradient.
"""

import gzip
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from vaetools import AE, CVAE, VAE, Gaussian

N_ROWS = 128
SQUARED_ERROR = Gaussian(scale=2**-0.5)
# log-densities of that Gaussian: minus the squared error, minus ½ log π per pixel
GAUSSIAN_CONSTANT = 784 * 0.5 * math.log(math.pi)


def read_idx(path):
    """An IDX file of bytes as an array."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


@pytest.fixture(scope="module")
def digits():
    """Real digits, 28×28 of 8 bits, and their labels; MNIST where $VAETOOLS_DATA has it."""
    folder = Path(os.environ.get("VAETOOLS_DATA", "")) / "mnist"
    if "VAETOOLS_DATA" in os.environ and folder.is_dir():
        images = read_idx(folder / "t10k-images-idx3-ubyte.gz")[:N_ROWS]
        labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")[:N_ROWS]
        return images.reshape(N_ROWS, 784), labels
    data = load_digits()
    images = data.images[:N_ROWS].repeat(4, axis=1).repeat(4, axis=2)[:, 2:-2, 2:-2]
    return np.round(images * 255 / 16).astype(np.uint8).reshape(N_ROWS, 784), data.target[:N_ROWS]


def kl_divergence(mean, log_variance):
    """Kingma, Welling (2014), equation 10, summed over the batch."""
    return -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())


def reparametrize(network, x, noise, y=None):
    mean, log_std = network.posterior(x, y)
    log_variance = 2 * log_std
    return mean, log_variance, mean + torch.exp(0.5 * log_variance) * noise


def mean_squared_vae(network, x, noise, y):
    """(a) Mean squared error, and KL over all pixels of the batch."""
    mean, log_variance, z = reparametrize(network, x, noise)
    return F.mse_loss(network.decode(z), x) + kl_divergence(mean, log_variance) / x.numel()


def cross_entropy_vae(network, x, noise, y):
    """(b) Cross-entropy and 4 · KL, summed over the batch."""
    mean, log_variance, z = reparametrize(network, x, noise)
    reconstruction = F.binary_cross_entropy(torch.sigmoid(network.decode(z)), x, reduction="sum")
    return reconstruction + 4 * kl_divergence(mean, log_variance)


def mean_squared_ae(network, x, noise, y):
    """(c), (f) Mean squared error."""
    return F.mse_loss(network.decode(network.posterior(x)[0]), x)


def summed_squared_vae(network, x, noise, y):
    """(d) Summed squared error and 3 · KL."""
    mean, log_variance, z = reparametrize(network, x, noise)
    return ((x - network.decode(z)) ** 2).sum() + 3 * kl_divergence(mean, log_variance)


def labeled_vae(network, x, noise, y):
    """(e) Cross-entropy and KL; a projection of the label is added to the code."""
    mean, log_variance, z = reparametrize(network, x, noise)
    projection = network.join.project[0]
    z = z + torch.relu(F.linear(y, projection.weight, projection.bias))
    logits = network.decoder(z)
    reconstruction = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum")
    return reconstruction + kl_divergence(mean, log_variance)


def dense(*widths):
    """Sizes of the weights of dense layers, encoder and mirrored decoder."""
    return [tuple(pair) for pair in zip(widths[1:], widths, strict=False)]


RELU = {"activation": "relu", "image_shape": (1, 28, 28)}
DENSE = RELU | {"hidden_channels": ()}
VAE_A = VAE(10, hidden_layer_sizes=(256, 64), likelihood=SQUARED_ERROR, **DENSE)
VAE_B = VAE(20, hidden_layer_sizes=(256, 128), likelihood="bernoulli", beta=4.0, **DENSE)
AE_C8 = AE(8, hidden_layer_sizes=(256,), likelihood=SQUARED_ERROR, **DENSE)
AE_C32 = AE(32, hidden_layer_sizes=(256,), likelihood=SQUARED_ERROR, **DENSE)
VAE_D = VAE(8, hidden_layer_sizes=(256,), likelihood=SQUARED_ERROR, beta=3.0, **DENSE)
CVAE_E = CVAE(
    20,
    hidden_layer_sizes=(256, 128),
    likelihood="bernoulli",
    conditioning="add",
    condition_encoder=False,
    **DENSE,
)
AE_F = AE(
    128,
    hidden_channels=(16, 8, 8),
    hidden_layer_sizes=(),
    likelihood=SQUARED_ERROR,
    **RELU,
)
# ours = factor · theirs + constant
TUTORIALS = {
    "a: VAE, mean squared error": (VAE_A, mean_squared_vae, 784, GAUSSIAN_CONSTANT),
    "b: VAE, cross-entropy": (VAE_B, cross_entropy_vae, 1 / N_ROWS, 0),
    "c: AE with 8 latents": (AE_C8, mean_squared_ae, 784, GAUSSIAN_CONSTANT),
    "c: AE with 32 latents": (AE_C32, mean_squared_ae, 784, GAUSSIAN_CONSTANT),
    "d: VAE, beta 3": (VAE_D, summed_squared_vae, 1 / N_ROWS, GAUSSIAN_CONSTANT),
    "e: CVAE": (CVAE_E, labeled_vae, 1 / N_ROWS, 0),
    "f: convolutional AE": (AE_F, mean_squared_ae, 784, GAUSSIAN_CONSTANT),
}
every_tutorial = pytest.mark.parametrize("name", TUTORIALS)


def fit(name, digits, **options):
    model = TUTORIALS[name][0]
    model = type(model)(**model.get_params() | {"contamination": 0.1, "random_state": 0} | options)
    return model.fit(*digits)


@every_tutorial
def test_our_loss_is_the_tutorials(name, digits):
    X, y = digits
    estimator, theirs, factor, constant = TUTORIALS[name]
    model = fit(name, digits, max_iter=0).model_.requires_grad_(True)
    x = torch.from_numpy(X / 255)
    condition = F.one_hot(torch.from_numpy(y.astype(np.int64)), 10).double() if "CVAE" in name else None
    size = (N_ROWS, estimator.n_components)
    noise = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    reconstruction, kl = model(x, condition, noise, None)
    ours = (reconstruction + getattr(estimator, "beta", 1.0) * kl) / N_ROWS
    expected = factor * theirs(model.network, x, noise, condition) + constant
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)
    weights = list(model.network.parameters())
    for gradient, twin in zip(
        torch.autograd.grad(ours, weights), torch.autograd.grad(expected, weights), strict=True
    ):
        assert gradient.abs().max() > 0
        assert torch.allclose(gradient, twin, rtol=1e-6, atol=1e-6 * twin.abs().max().item())


@every_tutorial
def test_the_tutorial_trains(name, digits):
    model = fit(name, digits, max_iter=2, batch_size=32, learning_rate="constant")
    losses = model.history_["loss"]
    assert losses[1] < losses[0]
    X = digits[0][:3]
    assert model.transform(X).shape == (3, TUTORIALS[name][0].n_components)
    reconstructed = model.reconstruct(X)
    assert reconstructed.shape == X.shape
    assert 0 <= reconstructed.min() <= reconstructed.max() <= 1


@pytest.mark.parametrize(
    ("name", "encoder", "decoder"),
    [
        ("a: VAE, mean squared error", dense(784, 256, 64, 20), dense(10, 64, 256, 784)),
        ("b: VAE, cross-entropy", dense(784, 256, 128, 40), dense(20, 128, 256, 784)),
        ("c: AE with 8 latents", dense(784, 256, 8), dense(8, 256, 784)),
        ("c: AE with 32 latents", dense(784, 256, 32), dense(32, 256, 784)),
        ("d: VAE, beta 3", dense(784, 256, 16), dense(8, 256, 784)),
        ("e: CVAE", dense(784, 256, 128, 40), dense(20, 128, 256, 784)),
    ],
)
def test_the_architecture_is_the_tutorials(name, encoder, decoder, digits):
    network = fit(name, digits, max_iter=0).model_.network
    for part, sizes in ((network.encoder, encoder), (network.decoder, decoder)):
        layers = [layer for layer in part.modules() if isinstance(layer, nn.Linear)]
        assert [tuple(layer.weight.shape) for layer in layers] == sizes
    assert any(isinstance(layer, nn.ReLU) for layer in network.modules())


def test_the_convolutional_code_is_a_map(digits):
    network = fit("f: convolutional AE", digits, max_iter=0).model_.network
    assert network.features.shapes == [(1, 28, 28), (16, 14, 14), (8, 7, 7), (8, 4, 4)]
    assert not any(isinstance(layer, nn.Linear) for layer in network.modules())

"""Convolutional estimators over image shapes."""

import numpy as np
import pytest

from vaetools import AE, CVAE, VAE

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 37, 53), (3, 5, 9)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cls", [AE, VAE, CVAE])
def test_any_image_shape(cls, shape):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(24, int(np.prod(shape))), dtype=np.uint8)
    y = np.arange(24) % 2
    model = cls(3, image_shape=shape, max_iter=2, contamination=0.25, random_state=0).fit(X, y)
    assert model.transform(X).shape == (24, 3)
    made = model.reconstruct(X)
    assert made.shape == X.shape
    assert made.min() >= 0
    assert made.max() <= 1
    assert (model.predict(X) == -1).sum() == 6
    whole = model.score_samples(X)
    np.testing.assert_allclose([model.score_samples(X[[i]])[0] for i in range(5)], whole[:5], rtol=1e-9)


def test_compression_of_512_pixels_to_64_components():
    X = np.random.default_rng(0).integers(0, 256, size=(3, 512 * 512), dtype=np.uint8)
    ae = AE(64, image_shape=(1, 512, 512), max_iter=1, contamination=0.5, random_state=0).fit(X)
    assert ae.transform(X).shape == (3, 64)
    assert ae.reconstruct(X).shape == X.shape


def test_convolutions_know_where_pixels_are(digits):
    """A convolutional model of smooth images finds shuffled pixels odd; the columns alone do not."""
    X, _ = digits
    vae = VAE(8, image_shape=(1, 8, 8), max_iter=25, random_state=0).fit(X[:1000])
    shuffled = X[1000:1200][:, np.random.default_rng(0).permutation(64)]
    assert np.median(vae.score_samples(shuffled)) < np.quantile(vae.score_samples(X[1000:1200]), 0.05)


def test_mlp_on_request(digits):
    vae = VAE(4, image_shape=(1, 8, 8), hidden_channels=(), max_iter=1, contamination=0.1).fit(digits[0])
    assert not any("conv" in name for name, _ in vae.model_.named_parameters())

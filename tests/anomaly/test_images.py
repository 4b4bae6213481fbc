"""Scores of images against loops over pixels, windows and cells."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.covariance import LedoitWolf
from torch import nn

from tests.anomaly.readings import reading_of, reference_of, rows_of, score
from vaetools import VAE, EncoderDecoder, Gaussian
from vaetools.anomaly.images import complexity, contrast, dissimilarity, pixel_range, structure, structure_map
from vaetools.anomaly.reference import on
from vaetools.anomaly.scores import fit_states
from vaetools.nn.latents import Point
from vaetools.nn.model import Autoencoder

SHAPES = [(1, 1, 1), (1, 1, 2), (3, 5, 9), (1, 8, 8), (2, 7, 7), (1, 12, 3)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
UNIT = torch.tensor([0.0, 1.0], dtype=torch.float64)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniform(rng, n, shape):
    return rng.uniform(size=(n, math.prod(shape)))


def naive_complexity(image):
    """Bits of the residuals of a median-edge predictor, of all channels together."""
    residuals = []
    for channel in np.rint(255 * image):
        for i, j in np.ndindex(channel.shape):
            left = channel[i, j - 1] if j else 0
            above = channel[i - 1, j] if i else 0
            corner = channel[i - 1, j - 1] if i and j else 0
            # the median of the three predictions, as LOCO-I has it
            residuals.append(channel[i, j] - sorted([left, above, left + above - corner])[1])
    return len(residuals) * entropy(np.unique(residuals, return_counts=True)[1], base=2)


@every_shape
def test_complexity_is_the_entropy_of_residuals(rng, shape):
    X = np.concatenate([uniform(rng, 3, shape), 0.05 * uniform(rng, 3, shape)])
    expected = [naive_complexity(x.reshape(shape)) for x in X]
    np.testing.assert_allclose(complexity(torch.from_numpy(X), shape, UNIT), expected, rtol=1e-12, atol=1e-12)


def test_noise_is_more_complex_than_digits_and_a_constant_is_not_complex(rng, digits):
    images = torch.from_numpy(np.concatenate([digits[0][:50], uniform(rng, 50, (1, 8, 8))]))
    bits = complexity(images, (1, 8, 8), UNIT)
    assert bits[:50].max() < bits[50:].min()
    assert complexity(torch.zeros(1, 64), (1, 8, 8), UNIT).item() == 0


@every_shape
def test_contrast_is_the_range_of_small_means(rng, shape):
    X = uniform(rng, 4, shape)
    _, height, width = shape
    rows, columns = min(2, height), min(2, width)
    for x, found in zip(X, contrast(torch.from_numpy(X), shape, UNIT), strict=True):
        means = [
            channel[i : i + rows, j : j + columns].mean()
            for channel in x.reshape(shape)
            for i in range(height - rows + 1)
            for j in range(width - columns + 1)
        ]
        assert found.item() == pytest.approx(max(means) - min(means))


def naive_dissimilarity(a, b):
    """1 − SSIM in windows of 7×7 pixels, or of the image where it is smaller."""
    channels, height, width = a.shape
    rows, columns = min(7, height), min(7, width)
    result = np.empty((channels, height - rows + 1, width - columns + 1))
    for c, i, j in np.ndindex(result.shape):
        p, q = (image[c, i : i + rows, j : j + columns].ravel() for image in (a, b))
        covariance = np.mean((p - p.mean()) * (q - q.mean()))
        luminance = (2 * p.mean() * q.mean() + 0.01**2) / (p.mean() ** 2 + q.mean() ** 2 + 0.01**2)
        result[c, i, j] = 1 - luminance * (2 * covariance + 0.03**2) / (p.var() + q.var() + 0.03**2)
    return result


@every_shape
def test_dissimilarity_is_that_of_windows(rng, shape):
    X, Y = uniform(rng, 3, shape), uniform(rng, 3, shape)
    found = dissimilarity(reading_of(X, expected=Y), shape, UNIT)
    for x, y, where in zip(X, Y, found.numpy(), strict=True):
        np.testing.assert_allclose(where, naive_dissimilarity(x.reshape(shape), y.reshape(shape)), rtol=1e-9)
    assert dissimilarity(reading_of(X, expected=X), shape, UNIT).abs().max() < 1e-12


def test_the_unit_of_pixels_does_not_matter(rng):
    X, Y = uniform(rng, 20, (1, 8, 8)), uniform(rng, 20, (1, 8, 8))
    there = [reading_of(100 * X - 7, expected=100 * Y - 7), reading_of(X, expected=Y)]
    for function in (dissimilarity, lambda r, *rest: contrast(r.x, *rest)):
        first, second = (
            function(r, (1, 8, 8), torch.from_numpy(pixel_range(reference_of(r)))) for r in there
        )
        np.testing.assert_allclose(first, second, rtol=1e-9)


def test_a_range_of_constant_images_is_one_unit():
    assert pixel_range(reference_of(reading_of(np.full((3, 4), 5.0)))).tolist() == [5, 6]


@pytest.mark.parametrize("factor", [1e6, -1e6, 1e12])
def test_rounding_of_pixels_far_outside_does_not_pass_bounds(rng, factor):
    """Variances of large numbers drown in it."""
    shape = (1, 8, 8)
    X = factor * (1 + 1e-9 * rng.normal(size=(20, 64)))
    reading = reading_of(X, expected=X * (1 + 1e-9))
    where = dissimilarity(reading, shape, UNIT)
    assert ((where >= 0) & (where <= 2)).all()
    assert contrast(reading.x, shape, UNIT).isfinite().all()
    assert complexity(reading.x, shape, UNIT).isfinite().all()


def cells(n, most=7):
    """Slices of adaptive pooling: of n places, in at most 7 cells."""
    k = min(most, n)
    return [slice(i * n // k, math.ceil((i + 1) * n / k)) for i in range(k)]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 9), (1, 16, 20)], ids=str)
def test_structure_is_the_mahalanobis_distance_of_cells(rng, shape):
    X = uniform(rng, 30, shape)
    reading = reading_of(X, expected=X + 0.3 * rng.normal(size=X.shape))
    seen = rows_of(reading, slice(20))
    low, high = pixel_range(reference_of(seen))

    def pattern(x, y):
        where = naive_dissimilarity(*((v.reshape(shape) - low) / (high - low) for v in (x, y))).mean(axis=0)
        return [where[i, j].mean() for i, j in itertools.product(*map(cells, where.shape))]

    patterns = np.array([pattern(*pair) for pair in zip(X, reading.expected.numpy(), strict=True)])
    squares = LedoitWolf().fit(patterns[:20]).mahalanobis(patterns)
    np.testing.assert_allclose(score("structure", reading, seen, shape), -np.sqrt(squares), rtol=1e-8)


def relu_mlp(weights, x):
    """Hidden layer of a network with one, by NumPy."""
    return np.maximum(x @ weights["encoder.0.weight"].numpy().T + weights["encoder.0.bias"].numpy(), 0)


@pytest.mark.parametrize("width", [12, 300])
def test_hidden_residual_is_the_mahalanobis_distance_of_the_hidden_layer(rng, width):
    X = rng.normal(size=(40, 5))
    options = {"hidden_layer_sizes": (width,), "activation": "relu", "max_iter": 2, "contamination": 0.1}
    model = VAE(2, **options, random_state=0).fit(X).model_
    reading = model.read(torch.from_numpy(X))
    weights = model.network.state_dict()
    seen, expected = (
        model.likelihood.inputs(rows).numpy() for rows in (torch.from_numpy(X), reading.expected)
    )
    residual = relu_mlp(weights, seen) - relu_mlp(weights, expected)
    residual = np.stack([residual[:, part].mean(axis=1) for part in cells(width, 256)], axis=1)
    squares = LedoitWolf().fit(residual[:30]).mahalanobis(residual)
    scores = score("hidden_residual", reading, rows_of(reading, slice(30)))
    np.testing.assert_allclose(scores, -np.sqrt(squares), rtol=1e-6)  # relu leaves dead values, floored


def test_a_network_of_the_users_shows_the_residual_of_its_code(rng):
    X = rng.normal(size=(40, 5))
    encoder, decoder = nn.Linear(5, 2).double(), nn.Linear(2, 5).double()
    model = Autoencoder(EncoderDecoder(encoder, decoder), Gaussian(1.0), Point, 2, torch.zeros(5))
    with torch.no_grad():
        reading = model.read(torch.from_numpy(X))
        scores = score("hidden_residual", reading, reading)
        residual = (encoder(reading.x) - encoder(decoder(encoder(reading.x)))).numpy()
    squares = LedoitWolf().fit(residual).mahalanobis(residual)
    np.testing.assert_allclose(scores, -np.sqrt(squares), rtol=1e-9)


@pytest.mark.parametrize("n_reference", [1, 4])
def test_images_that_are_all_alike_leave_a_usable_state(rng, n_reference):
    shape, X = (1, 8, 8), uniform(rng, 6, (1, 8, 8))
    X[1:n_reference] = X[0]
    reading = reading_of(X, expected=X[::-1].copy())
    seen = rows_of(reading, [0] * n_reference)
    scores = score("structure", reading, seen, shape)
    assert scores[0] == pytest.approx(0, abs=1e-6)
    assert np.isfinite(scores).all()
    assert scores[-1] <= scores[0]


@pytest.mark.parametrize("shape", [(3, 5, 9), (1, 8, 8), (2, 7, 7), (1, 20, 31)], ids=str)
def test_the_map_of_structure_adds_up_to_its_squared_distance(rng, shape):
    seen, odd = (reading_of(uniform(rng, n, shape), expected=uniform(rng, n, shape)) for n in (40, 5))
    states = on(fit_states("structure", reference_of(seen, shape)), odd.x)
    maps, distances = structure_map(odd, states), structure(odd, states)
    assert maps.shape == (5, *shape[1:])
    np.testing.assert_allclose(maps.sum(dim=(1, 2)), distances**2, rtol=1e-9)
    height, width = (min(7, side) for side in shape[1:])
    rim = maps.clone()
    rim[:, (height - 1) // 2 : shape[1] - height // 2, (width - 1) // 2 : shape[2] - width // 2] = 0
    assert not rim.any()

import math

import numpy as np
import pytest

from vaetools.latent.organization import mse, psnr, ssim

SHAPE = (1, 8, 8)


def test_perfect_reconstructions(digits):
    X = digits[0][:50]
    assert mse(X, X) == (0, 0, 0)
    assert psnr(X, X) == (math.inf, math.inf, math.inf)
    np.testing.assert_allclose(ssim(X, X, SHAPE), (1, 1, 1))


def test_shuffled_and_collapsed_reconstructions(digits):
    X = digits[0][:200]
    noisy = X + 0.05 * np.random.default_rng(0).normal(size=X.shape)
    shuffled = np.random.default_rng(0).permutation(X)
    mean = np.repeat(X.mean(axis=0, keepdims=True), 200, axis=0)
    assert mse(X, noisy).high < mse(X, mean).low < mse(X, mean).high < mse(X, shuffled).low
    assert psnr(X, noisy).low > psnr(X, mean).high > psnr(X, mean).low > psnr(X, shuffled).high
    assert ssim(X, noisy, SHAPE).low > ssim(X, mean, SHAPE).high
    assert ssim(X, shuffled, SHAPE).value < 0.5


def test_mse_and_psnr_by_hand():
    X, Y = np.zeros((4, 3)), np.full((4, 3), 0.1)
    assert mse(X, Y).value == pytest.approx(0.01)
    assert psnr(X, Y).value == pytest.approx(20)
    assert psnr(255 * X, 255 * Y, data_range=255).value == pytest.approx(20)
    assert mse(X, Y * [0, 0, 3]).value == pytest.approx(0.03)


def test_psnr_has_the_interval_of_the_error(digits):
    X = digits[0][:200]
    noisy = X + 0.05 * np.random.default_rng(0).normal(size=X.shape)
    error, ratio = mse(X, noisy), psnr(X, noisy)
    assert 10 * math.log10(1 / error.high) == pytest.approx(ratio.low, abs=0.01)
    assert 10 * math.log10(1 / error.low) == pytest.approx(ratio.high, abs=0.01)


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.5), (0.2, 0.9), (1.0, 1.0)])
def test_ssim_of_constants_is_that_of_their_luminance(a, b):
    expected = (2 * a * b + 0.01**2) / (a**2 + b**2 + 0.01**2)
    found = ssim(np.full((2, 192), a), np.full((2, 192), b), (3, 8, 8)).value
    assert found == pytest.approx(expected, abs=1e-9)


def test_ssim_by_hand_in_the_middle():
    """One bright pixel against none, with the window written out."""
    side = 41
    image = np.zeros((side, side))
    image[20, 20] = 1
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    mean = np.zeros((side, side))
    mean[15:26, 15:26] = np.outer(window, window)
    c1, c2 = 0.01**2, 0.03**2
    places = c1 / (mean**2 + c1) * c2 / (mean - mean**2 + c2)
    found = ssim(image.reshape(1, -1), np.zeros((1, side * side)), (1, side, side)).value
    assert found == pytest.approx(places.mean(), abs=1e-12)


def test_ssim_is_as_invariant_as_it_says(digits):
    X = digits[0][:50]
    Y = X + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    value = ssim(X, Y, SHAPE).value
    assert ssim(Y[::-1], X[::-1], SHAPE).value == pytest.approx(value)
    assert ssim(X[:, ::-1], Y[:, ::-1], SHAPE).value == pytest.approx(value)
    assert ssim(255 * X, 255 * Y, SHAPE, data_range=255).value == pytest.approx(value)
    assert mse(X[::-1], Y[::-1]).value == pytest.approx(mse(X, Y).value)


def test_refusals_name_what_came():
    with pytest.raises(ValueError, match=r"mse: .* got \(2, 3\) and \(2, 4\)"):
        mse(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"ssim: .* got \(2, 63\), \(2, 64\) and \(1, 8, 8\)"):
        ssim(np.ones((2, 63)), np.ones((2, 64)), SHAPE)

"""What is decoded: how much of a row comes back, and whether lines between two codes decode evenly.

Costs in nats, rate and distortion are the model's own to tell.
"""

import math
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from vaetools.geometry import structural_similarity
from vaetools.latent.organization.measure import UNKNOWN, Measure, checked, mean

_SIGMA, _RADIUS = 1.5, 5  # pixels, of the window of similarity
_STILL = 1e-6  # of the distances between rows: what is decoded does not move


def mse(X: Any, X_reconstructed: Any) -> Measure:
    """Return the mean squared error over rows and features, in squared units of X.

    From 0, lower is better.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows.
    X_reconstructed : array-like of shape (n_samples, n_features)
        What came back, in the same units.

    Returns
    -------
    mse : Measure
        With its t interval over rows; NaN if there is none.

    Raises
    ------
    ValueError
        If shapes differ, or a value is not finite.

    Notes
    -----
    Unchanged by the order of rows and by translation and rotation of both. Features of large scale rule it.
    It does not tell a good latent space: an AE and a VAE of equally many components differ little, and the
    best reconstruction may belong to the emptiest space.

    References
    ----------
    Hinton, Salakhutdinov (2006), "Reducing the Dimensionality of Data with Neural Networks", Science 313.

    Examples
    --------
    >>> mse([[0.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]]).value
    0.25
    """
    return mean(_squared_errors("mse", X, X_reconstructed), least=0)


def psnr(X: Any, X_reconstructed: Any, data_range: float = 1.0) -> Measure:
    """Return the peak signal-to-noise ratio, in dB: 10 log₁₀(data_range² / mean squared error).

    Higher is better; infinite if nothing is lost.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Images.
    X_reconstructed : array-like of shape (n_samples, n_features)
        What came back, in the same units.
    data_range : float, default=1.0
        Greatest less least possible pixel.

    Returns
    -------
    psnr : Measure
        Of the error over all images, with its t interval on the logarithm; NaN if there is no image.

    Raises
    ------
    ValueError
        If shapes differ, or a value is not finite.

    Notes
    -----
    As `mse`, and unchanged by scaling too, if ``data_range`` scales. Of images that are mostly
    background it is high whatever comes back.

    References
    ----------
    Wang et al. (2004), "Image quality assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing 13(4) (what it misses).

    Examples
    --------
    >>> psnr([[0.0, 0.0]], [[0.1, 0.1]]).value
    20.0
    """
    error = mean(_squared_errors("psnr", X, X_reconstructed))
    if math.isnan(error.value):
        return UNKNOWN
    if error.value == 0:
        return Measure(math.inf, math.inf, math.inf)
    value = 10 * math.log10(data_range**2 / error.value)
    margin = 10 / math.log(10) * (error.high - error.value) / error.value
    return Measure(value, value - margin, value + margin)


def ssim(X: Any, X_reconstructed: Any, image_shape: tuple[int, int, int], data_range: float = 1.0) -> Measure:
    """Return the mean structural similarity of images and reconstructions.

    From −1 to 1, higher is better; 1 is equality. Window: a Gaussian of 1.5 pixels cut at 5, images
    mirrored at their borders; constants 0.01 and 0.03. Mean over places and channels.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Images.
    X_reconstructed : array-like of shape (n_samples, n_features)
        What came back, in the same units.
    image_shape : tuple (channels, height, width)
        Of a row.
    data_range : float, default=1.0
        Greatest less least possible pixel.

    Returns
    -------
    ssim : Measure
        With its t interval over images; NaN if there is none.

    Raises
    ------
    ValueError
        If shapes differ or are not those of images, or a value is not finite.

    Notes
    -----
    Unchanged by the order of images and by mirroring them; by scaling too, if ``data_range`` scales. Empty
    background counts as perfect, and weak noise on it as a failure.

    References
    ----------
    Wang et al. (2004), "Image quality assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing 13(4).

    Examples
    --------
    >>> black, gray = np.zeros((1, 64)), np.full((1, 64), 0.5)
    >>> ssim(gray, gray, (1, 8, 8)).value, round(ssim(black, gray, (1, 8, 8)).value, 4)
    (1.0, 0.0004)
    """
    X, Y = checked("ssim", X, X_reconstructed)
    if {X.shape[1], Y.shape[1]} != {math.prod(image_shape)}:
        raise ValueError(
            f"ssim: rows must be images of image_shape; got {X.shape}, {Y.shape} and {image_shape}."
        )
    a, b = X.reshape(-1, *image_shape), Y.reshape(-1, *image_shape)
    mean_a, mean_b = _smooth(a), _smooth(b)
    variances = _smooth(a * a) + _smooth(b * b) - mean_a**2 - mean_b**2
    together = _smooth(a * b) - mean_a * mean_b
    alike = structural_similarity(mean_a, mean_b, variances, together, data_range)
    return mean(alike.mean(axis=(1, 2, 3)), least=-1, most=1)


def _squared_errors(owner: str, X: Any, X_reconstructed: Any) -> np.ndarray:
    """Mean squared error of every row."""
    X, Y = checked(owner, X, X_reconstructed)
    if X.shape != Y.shape:
        raise ValueError(
            f"{owner}: reconstructions must have the shape of their rows; got {X.shape} and {Y.shape}."
        )
    errors: np.ndarray = ((X - Y) ** 2).mean(axis=1)
    return errors


def _smooth(images: np.ndarray) -> np.ndarray:
    """Local means of images ``(n_samples, channels, height, width)``."""
    means: np.ndarray = gaussian_filter(images, _SIGMA, radius=_RADIUS, axes=(2, 3))
    return means


def path_length(paths: Any) -> Measure:
    """Return how many times longer decoded interpolations are than straight lines between their ends.

    From 1; 1 is a straight line among the rows.

    Parameters
    ----------
    paths : array-like of shape (n_pairs, n_steps, n_features)
        Decoded interpolations, such as of `interpolate`, of at least two steps.

    Returns
    -------
    path_length : Measure
        Mean over pairs with its t interval. Pairs whose ends decode to the same are left out; NaN if none
        is left.

    Raises
    ------
    ValueError
        If paths have not three axes, fewer than two steps, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of the rows, and by the order of pairs and the
    direction of steps. Shorter is not better by itself: fading one image out and the other in is the
    straight line, and shows two ghosts; data lie on curved surfaces, and going along them takes longer.
    Detours into other classes make it long too. Read it beside `off_data` of the same rows. It does not
    tell AE from VAE. Finer steps make it longer, a little.

    References
    ----------
    Arvanitidis, Hansen, Hauberg (2018), "Latent Space Oddity: on the Curvature of Deep Generative
    Models", ICLR (the length of curves in data space).

    Examples
    --------
    >>> corner = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]
    >>> round(path_length(corner).value, 3)
    1.414
    """
    steps, chord = _steps("path_length", paths)
    return mean(steps.sum(axis=1) / chord, least=1)


def jumps(paths: Any) -> Measure:
    """Return how many times larger the largest step of decoded interpolations is than their mean step.

    From 1 to n_steps − 1, lower is smoother: 1 is even change, n_steps − 1 a single jump.

    Parameters
    ----------
    paths : array-like of shape (n_pairs, n_steps, n_features)
        Decoded interpolations, such as of `interpolate`, of at least two steps.

    Returns
    -------
    jumps : Measure
        Mean over pairs with its t interval. Pairs whose ends decode to the same are left out; NaN if none
        is left.

    Raises
    ------
    ValueError
        If paths have not three axes, fewer than two steps, or a value is not finite.

    Notes
    -----
    Unchanged by translation, rotation and scaling of the rows, and by the order of pairs and the
    direction of steps. Compare the same number of steps only. Two classes that lie well apart cannot be
    joined without a jump. AE and VAE differ in either direction, by the number of components.

    References
    ----------
    Berthelot, Raffel, Roy, Goodfellow (2019), "Understanding and Improving Interpolation in Autoencoders
    via an Adversarial Regularizer", ICLR (smooth interpolation as what organizes a latent space).

    Examples
    --------
    >>> jumps([[[0.0], [1.0], [2.0]], [[0.0], [2.0], [2.0]]]).value
    1.5
    """
    steps, _ = _steps("jumps", paths)
    return mean(steps.max(axis=1, initial=0) / steps.mean(axis=1), least=1, most=steps.shape[1])


def _steps(owner: str, paths: Any) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of steps ``(n_kept, n_steps − 1)`` and of the straight line, of pairs whose ends differ."""
    paths = np.asarray(paths, dtype=np.float64)
    if paths.ndim != 3 or paths.shape[1] < 2:
        raise ValueError(
            f"{owner}: paths must have pairs, at least two steps, and features; got {paths.shape}."
        )
    if not np.isfinite(paths).all():
        raise ValueError(f"{owner}: values must be finite; got NaN or infinity. Leave such pairs out.")
    steps = np.linalg.norm(np.diff(paths, axis=1), axis=2)
    chord = np.linalg.norm(paths[:, -1] - paths[:, 0], axis=1)
    moves = chord > _STILL * np.linalg.norm(paths - paths[:1, :1], axis=2).max(initial=0)
    return steps[moves], chord[moves]

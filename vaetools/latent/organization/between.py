"""Between two codes: whether what is decoded on the way changes evenly, and no more than needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaetools.latent.organization.measure import Measure, mean

_STILL = 1e-6  # of the distances between rows: what is decoded does not move


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

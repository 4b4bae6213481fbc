"""The embedded data of ``vaetools demo``: scikit-learn's handwritten digits, one of them kept out."""

from __future__ import annotations

import dataclasses

import numpy as np

from vaetools.checks import check, integer

IMAGE_SHAPE = (1, 8, 8)
DARKEST = 16  # gray level that becomes 1


@dataclasses.dataclass(frozen=True, eq=False)
class DemoDigits:
    """Images of known digits in two disjoint parts, and all images of the unknown one.

    Attributes
    ----------
    train : ndarray of shape (n_train, 64)
        Rows of pixels in [0, 1], float64.
    train_labels : ndarray of shape (n_train,), int
    held_out : ndarray of shape (n_held_out, 64)
        Known digits that no model may train on.
    held_out_labels : ndarray of shape (n_held_out,), int
    unknown : ndarray of shape (n_unknown, 64)
        Every image of the unknown digit.
    unknown_label : int
    image_shape : tuple of int
        (channels, height, width).
    """

    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    unknown: np.ndarray
    unknown_label: int
    image_shape: tuple[int, int, int] = IMAGE_SHAPE


def load_demo_digits(unknown: int, *, held_out_fraction: float = 0.2, seed: int = 0) -> DemoDigits:
    """Return 1,797 handwritten digits, split into known (train, held out) and unknown ones.

    Parameters
    ----------
    unknown : int
        The digit to keep out of both parts, 0 to 9.
    held_out_fraction : float, default=0.2
        Share of every known digit that is held out.
    seed : int, default=0
        Of the split.

    Returns
    -------
    digits : DemoDigits

    Raises
    ------
    ValueError
        If ``unknown`` is no digit.

    References
    ----------
    Alpaydin, Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49.

    Examples
    --------
    >>> digits = load_demo_digits(unknown=4)
    >>> digits.train.shape, digits.held_out.shape, digits.unknown.shape
    ((1292, 64), (324, 64), (181, 64))
    """
    check("load_demo_digits", "unknown", unknown, integer(0, 9))
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    X = X / DARKEST
    known = y != unknown
    train, held_out, train_labels, held_out_labels = train_test_split(
        X[known], y[known], test_size=held_out_fraction, random_state=seed, stratify=y[known]
    )
    return DemoDigits(train, train_labels, held_out, held_out_labels, X[~known], int(unknown))

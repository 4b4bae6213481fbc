"""The data of ``vaetools demo``: real images of ten classes, one of which is kept out as the unknown."""

import numpy as np
from sklearn.utils import Bunch

from vaetools.checks import check, integer, one_of
from vaetools.datasets.garments import load_garments

DARKEST = 16  # gray level of a digit that becomes 1


def _digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 1,797 images of handwritten digits in [0, 1], their classes, and what these are called."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images / DARKEST, digits.target, digits.target_names


def _garments() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 5,000 images of garments of 8 bits, their classes, and what these are called."""
    garments = load_garments()
    return garments.images, garments.target, garments.target_names


DEMOS = {"garments": _garments, "digits": _digits}


def load_demo(name: str, unknown: int, *, held_out_fraction: float = 0.2, seed: int = 0) -> Bunch:
    """Return images of nine classes in two disjoint parts, and all images of the tenth, which is unknown.

    ``train``, ``held_out`` (of which no model may train) and ``unknown`` are rows of pixels: of garments 8
    bits, of digits in [0, 1]. ``train_labels`` and ``held_out_labels`` say what they show, ``unknown_label``
    what the unknown ones do; ``image_shape`` is (channels, height, width).

    Parameters
    ----------
    name : {"garments", "digits"}
        See `load_garments`; digits are the 1,797 that come with scikit-learn.
    unknown : int
        The number of the class to keep out of both parts, 0 to 9.
    held_out_fraction : float, default=0.2
        Share of every known class that is held out.
    seed : int, default=0
        Of the split.

    References
    ----------
    Alpaydin, Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49.

    Examples
    --------
    >>> digits = load_demo("digits", unknown=4)
    >>> digits.train.shape, digits.held_out.shape, digits.unknown.shape
    ((1292, 64), (324, 64), (181, 64))
    >>> print(load_demo("garments", unknown=8).unknown_label)
    bag
    """
    check("load_demo", "name", name, one_of(*DEMOS))
    check("load_demo", "unknown", unknown, integer(0, 9))
    from sklearn.model_selection import train_test_split

    images, classes, names = DEMOS[name]()
    X, labels, known = images.reshape(len(images), -1), names[classes], classes != unknown
    train, held_out, train_labels, held_out_labels = train_test_split(
        X[known], labels[known], test_size=held_out_fraction, random_state=seed, stratify=labels[known]
    )
    return Bunch(
        train=train,
        train_labels=train_labels,
        held_out=held_out,
        held_out_labels=held_out_labels,
        unknown=X[~known],
        unknown_label=names[unknown],
        image_shape=(1, *images.shape[1:]),
    )

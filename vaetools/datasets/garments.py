"""Five thousand photographs of garments: the first of every class of Fashion-MNIST's training images."""

from importlib import resources
from typing import Literal, overload

import numpy as np
from sklearn.utils import Bunch

from vaetools.checks import FLAG, check

_NAMES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
_DESCRIPTION = """\
Garments
--------

5,000 photographs of garments from the shop Zalando, gray on black, 28 x 28 pixels of 0 (black) to 255
(white), 500 of each of 10 classes: {names}.

They are part of Fashion-MNIST: of its 60,000 training images the first 500 of every class, in their original
order (all lie among the first 5,403). Its 10,000 test images are not among them, and so remain to test with.

Xiao, Rasul, Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747.

Copyright (c) 2017 Zalando SE, MIT licence: garments-LICENSE.txt beside the data.
""".format(names=", ".join(_NAMES))


@overload
def load_garments(*, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def load_garments(*, return_X_y: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...
def load_garments(*, return_X_y: bool = False) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Return 5,000 gray images of garments of 28×28 pixels, in 10 classes: a part of Fashion-MNIST.

    They come with the package, so nothing is downloaded. They are the first 500 of every class of
    Fashion-MNIST's training images, in their original order; none of its test images is among them.

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return rows and classes alone.

    Returns
    -------
    garments : Bunch or tuple
        As `sklearn.datasets.load_digits` does, with

        - ``data``, ndarray of shape (5000, 784), uint8: an image per row, 0 is black and 255 white;
        - ``target``, ndarray of shape (5000,), int64: classes, 0 to 9;
        - ``target_names``, ndarray of shape (10,), str: what they are called;
        - ``images``, ndarray of shape (5000, 28, 28), uint8: the same as ``data``;
        - ``image_shape``, tuple: (1, 28, 28), as the estimators take it;
        - ``feature_names``, list of str: ``pixel_0_0`` to ``pixel_27_27``, row and column;
        - ``DESCR``, str: where they come from, and their licence.

        With ``return_X_y`` the first two.

    References
    ----------
    Xiao, Rasul, Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", https://arxiv.org/abs/1708.07747.

    Examples
    --------
    >>> from vaetools.datasets import load_garments
    >>> garments = load_garments()
    >>> garments.data.shape, garments.image_shape
    ((5000, 784), (1, 28, 28))
    >>> [str(name) for name in garments.target_names[garments.target[:3]]]
    ['ankle boot', 'T-shirt/top', 'T-shirt/top']
    """
    check("load_garments", "return_X_y", return_X_y, FLAG)
    with resources.files("vaetools.datasets").joinpath("garments.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        data, target = arrays["images"], arrays["labels"].astype(np.int64)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(_NAMES),
        images=data.reshape(-1, 28, 28),
        image_shape=(1, 28, 28),
        feature_names=[f"pixel_{row}_{column}" for row in range(28) for column in range(28)],
        DESCR=_DESCRIPTION,
    )

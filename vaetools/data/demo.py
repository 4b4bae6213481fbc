"""The embedded data of ``vaetools demo``: scikit-learn's handwritten digits, one of them kept out."""

from sklearn.utils import Bunch

from vaetools.checks import check, integer

IMAGE_SHAPE = (1, 8, 8)
DARKEST = 16  # gray level that becomes 1


def load_demo_digits(unknown: int, *, held_out_fraction: float = 0.2, seed: int = 0) -> Bunch:
    """Return 1,797 handwritten digits: known ones in two disjoint parts, and all images of the unknown one.

    ``train``, ``held_out`` (of which no model may train) and ``unknown`` are rows of 64 pixels in [0, 1];
    ``train_labels`` and ``held_out_labels`` say which digits they are.

    Parameters
    ----------
    unknown : int
        The digit to keep out of both parts, 0 to 9.
    held_out_fraction : float, default=0.2
        Share of every known digit that is held out.
    seed : int, default=0
        Of the split.

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
    return Bunch(
        train=train,
        train_labels=train_labels,
        held_out=held_out,
        held_out_labels=held_out_labels,
        unknown=X[~known],
        image_shape=IMAGE_SHAPE,
    )

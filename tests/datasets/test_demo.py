import numpy as np
import pytest
from sklearn.datasets import load_digits

from vaetools.datasets import load_garments
from vaetools.datasets.demo import load_demo


def whole(name):
    """All images of a demo in the units of its parts, and their labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    garments = load_garments()
    return garments.data, garments.target_names[garments.target]


@pytest.mark.parametrize(("name", "unknown"), [*(("digits", i) for i in range(10)), ("garments", 8)])
def test_parts_are_disjoint_complete_and_without_the_unknown(name, unknown):
    parts = load_demo(name, unknown)
    X, y = whole(name)
    assert parts.unknown_label == (unknown if name == "digits" else "bag")
    assert parts.unknown_label not in parts.train_labels
    assert parts.unknown_label not in parts.held_out_labels
    assert len(parts.unknown) == (y == parts.unknown_label).sum()
    # every image is in exactly one part, with its label
    rows = np.concatenate([parts.train, parts.held_out, parts.unknown])
    labels = np.concatenate(
        [parts.train_labels, parts.held_out_labels, np.full(len(parts.unknown), parts.unknown_label)]
    )
    assert rows.dtype == X.dtype
    found = sorted((row.tobytes(), label) for row, label in zip(rows, labels, strict=True))
    assert found == sorted((row.tobytes(), label) for row, label in zip(X, y, strict=True))


def test_pixels_of_digits_are_in_the_unit_interval_and_use_it():
    digits = load_demo("digits", 3)
    assert (digits.train.min(), digits.train.max()) == (0.0, 1.0)


@pytest.mark.parametrize(("name", "shape"), [("digits", (1, 8, 8)), ("garments", (1, 28, 28))])
def test_the_shape_is_that_of_the_rows(name, shape):
    parts = load_demo(name, 3)
    assert parts.image_shape == shape
    assert parts.train.shape[1] == np.prod(shape)


def test_the_seed_decides_the_split():
    first, again, other = (load_demo("digits", 3, seed=seed).held_out for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("unknown", [-1, 10, 4.0, "4", True, None])
def test_no_class_is_refused_by_value(unknown):
    with pytest.raises(ValueError, match=f"from 0 to 9; got {unknown!r}"):
        load_demo("digits", unknown)


def test_other_data_are_refused_by_name():
    with pytest.raises(ValueError, match="'garments' or 'digits'; got 'cats'"):
        load_demo("cats", 4)

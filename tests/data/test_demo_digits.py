import numpy as np
import pytest
from sklearn.datasets import load_digits

from vaetools.data.demo import load_demo_digits


@pytest.mark.parametrize("unknown", range(10))
def test_parts_are_disjoint_complete_and_without_the_unknown(unknown):
    digits = load_demo_digits(unknown)
    X, y = load_digits(return_X_y=True)
    assert unknown not in digits.train_labels
    assert unknown not in digits.held_out_labels
    assert len(digits.unknown) == (y == unknown).sum()
    # every image is in exactly one part, with its label
    parts = np.concatenate([digits.train, digits.held_out, digits.unknown])
    labels = np.concatenate(
        [digits.train_labels, digits.held_out_labels, np.full(len(digits.unknown), unknown)]
    )
    found = sorted((tuple(row), label) for row, label in zip(parts * 16, labels, strict=True))
    assert found == sorted((tuple(row), label) for row, label in zip(X, y, strict=True))


def test_pixels_are_in_the_unit_interval_and_use_it():
    digits = load_demo_digits(3)
    assert (digits.train.min(), digits.train.max()) == (0.0, 1.0)
    assert digits.train.shape[1] == np.prod(digits.image_shape)


def test_the_seed_decides_the_split():
    first, again, other = (load_demo_digits(3, seed=seed).held_out for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("unknown", [-1, 10, 4.0, "4", True, None])
def test_no_digit_is_refused_by_value(unknown):
    with pytest.raises(ValueError, match=f"from 0 to 9; got {unknown!r}"):
        load_demo_digits(unknown)

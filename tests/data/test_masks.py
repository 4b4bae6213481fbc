"""Masks beside photographs: when they are recognized, and when nothing is."""

import os

import pytest

from vaetools.data.patterns import chosen_by, find_masks


def local(names):
    return [name.replace("/", os.sep) for name in names]


@pytest.mark.parametrize(
    ("names", "n", "patterns"),
    [
        (["test/bad/0.png", "ground_truth/bad/0_mask.png"], 1, ["ground_truth/"]),
        (["Images/0.JPG", "Images/1.JPG", "Masks/0.png", "Masks/1.png", "Masks/2.png"], 2, ["Masks/"]),
        (["a.png", "a_mask.png", "b.png", "b_GT.tif", "c_mask.png"], 2, ["*_mask.*", "*_GT.*"]),
        (["part0.jpg", "part0_label.bmp"], 1, ["*_label.*"]),
        (["a.png", "a-seg.png"], 1, ["*-seg.*"]),
    ],
)
def test_masks_are_found(names, n, patterns):
    masks, found = find_masks(local(names))
    assert (len(masks), found) == (n, patterns)
    kept = list(filter(chosen_by(exclude=patterns), local(names)))
    assert find_masks(kept) == ([], [])
    assert masks[0] not in kept


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a.png", "b.png"],
        ["masks/a.png", "masks/b.png"],  # all lie there: they are the data
        ["with_mask/a.png", "without_mask/a.png"],
        ["carnival_mask.png", "hat.png"],  # of no other
        ["a_mask.png", "b_mask.png"],
        ["a.png", "amask.png"],
    ],
)
def test_other_files_are_no_masks(names):
    assert find_masks(local(names)) == ([], [])

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from vaetools import Tiles


def images(*shape, dtype="u1"):
    return np.random.default_rng(0).integers(0, 256, size=(2, np.prod(shape))).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 7, 10)])
@pytest.mark.parametrize(("size", "overlap"), [(1, 0), (4, 0), (4, 1), (5, 2), (5, 4), (7, 3)])
def test_tiles_of_any_size_and_overlap_give_back_the_images_exactly(shape, size, overlap, dtype):
    X = images(*shape, dtype=dtype)
    X = X if dtype == "u1" else X / X.dtype.type(3)  # quotients without a short binary expansion
    tiles = Tiles(shape, size=size, overlap=overlap)
    cut = tiles.fit(X).transform(X)
    assert cut.shape == (2 * tiles.n_tiles, shape[0] * size**2)
    assert cut.dtype == X.dtype
    back = tiles.inverse_transform(cut)
    assert back.dtype == X.dtype
    assert np.array_equal(back, X)
    if shape[0] == 1:
        assert np.array_equal(tiles.stitch(cut), X.reshape(2, *shape[1:]))


def test_tiles_are_in_reading_order_image_by_image():
    X = np.arange(2 * 5 * 7).reshape(2, 35)
    cut = Tiles((1, 5, 7), size=4, overlap=2).transform(X).reshape(2, 6, 4, 4)
    corners = cut[:, :, 0, 0]
    # 7 is not 4 + 2k, 5 is not 4 + 2k: the last column and row move back inside
    assert corners[0].tolist() == [0, 2, 3, 7, 9, 10]
    assert (corners[1] == corners[0] + 35).all()


@pytest.mark.parametrize(("size", "overlap"), [(4, 0), (5, 2), (6, 5), (3, 1)])
def test_a_model_that_looks_at_one_pixel_gives_the_untiled_result(size, overlap):
    X = images(1, 11, 13) / 255
    tiles = Tiles((1, 11, 13), size=size, overlap=overlap)
    stitched = tiles.stitch(np.square(tiles.transform(X) - 0.3))
    assert np.array_equal(stitched, np.square(X - 0.3).reshape(2, 11, 13))


def test_values_of_channels_are_added_up():
    X = images(3, 7, 10, dtype="f4")
    tiles = Tiles((3, 7, 10), size=4, overlap=1)
    whole = X.reshape(2, 3, 7, 10).sum(axis=1, dtype="f8")
    np.testing.assert_allclose(tiles.stitch(tiles.transform(X)), whole, rtol=1e-12)


def test_overlaps_are_weighted_by_the_distance_to_the_border():
    tiles = Tiles((1, 3, 5), size=3, overlap=1)
    maps = np.stack([np.zeros((3, 3)), np.ones((3, 3))])
    assert np.array_equal(tiles.stitch(maps)[0, 1], [0, 0, 0.5, 1, 1])
    deeper = Tiles((1, 3, 4), size=3, overlap=2).stitch(maps)[0, 1]
    np.testing.assert_allclose(deeper, [0, 1 / 3, 2 / 3, 1])  # 1 against 2 pixels from the border


def test_reconstructed_pixels_are_rounded_and_not_cut():
    tiles = Tiles((1, 1, 2), size=1)
    assert tiles.inverse_transform(np.array([[3], [255]], np.uint8)).tolist() == [[3, 255]]
    overlapping = Tiles((1, 2, 3), size=2, overlap=1)
    cut = np.array([[0, 0, 0, 0], [3, 3, 3, 3]], np.uint8)
    assert overlapping.inverse_transform(cut)[0, 1] == 2  # the mean is 1.5


def test_it_is_a_scikit_learn_transformer():
    tiles = clone(Tiles((1, 4, 4), size=2))
    assert tiles.get_params() == {"image_shape": (1, 4, 4), "size": 2, "overlap": 0}
    X = images(1, 4, 4)
    assert np.array_equal(make_pipeline(tiles).transform(X), tiles.fit_transform(X))
    assert tiles.tile_shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be an integer from 1 to 4, .* got 0"),
        ({"size": 5}, "size must be an integer from 1 to 4, .* got 5"),
        ({"size": 4.0}, "size must be an integer .* got 4.0"),
        ({"size": "4"}, "size must be an integer .* got '4'"),
        ({"size": True}, "size must be an integer .* got True"),
        ({"size": 3, "overlap": 3}, "overlap must be an integer from 0 to 2, .* got 3"),
        ({"size": 3, "overlap": -1}, "overlap must be an integer from 0 to 2, .* got -1"),
        ({"size": 3, "overlap": 0.5}, "overlap must be an integer .* got 0.5"),
        ({"image_shape": (8, 8)}, r"image_shape must be a tuple \(channels, .* got \(8, 8\)"),
        ({"image_shape": (1, 0, 8)}, r"image_shape must be .* got \(1, 0, 8\)"),
        ({"image_shape": 8}, "image_shape must be .* got 8"),
    ],
)
def test_parameters_out_of_range_are_named(options, message):
    tiles = Tiles(**{"image_shape": (1, 4, 9)} | options)
    for use in (tiles.fit, lambda: tiles.tile_shape, lambda: tiles.transform(np.zeros((1, 36)))):
        with pytest.raises(ValueError, match=f"Tiles: {message}"):
            use()


@pytest.mark.parametrize(
    ("image_shape", "shape", "advice"),
    [
        ((1, 4, 6), (2, 4, 6), "X.reshape(len(X), -1)"),
        ((3, 4, 6), (2, 3, 4, 6), "X.reshape(len(X), -1)"),
        ((3, 4, 6), (2, 4, 6, 3), "X.transpose(0, 3, 1, 2).reshape(len(X), -1)"),
    ],
)
def test_images_that_are_not_rows_are_refused_with_advice_that_works(image_shape, shape, advice):
    tiles, X = Tiles(image_shape, size=2), np.zeros(shape)
    with pytest.raises(ValueError, match=re.escape(f"(n_images, n_features); got {shape}. Pass {advice}.")):
        tiles.transform(X)
    assert len(tiles.transform(eval(advice))) == 2 * 6


def test_wrong_shapes_are_named():
    tiles = Tiles((1, 4, 4), size=2)
    with pytest.raises(ValueError, match=r"16 columns for image_shape=\(1, 4, 4\); got 15"):
        tiles.transform(np.zeros((2, 15)))
    with pytest.raises(ValueError, match=r"\(4 · n_images, 4\).*got \(7, 4\)"):
        tiles.stitch(np.zeros((7, 4)))
    with pytest.raises(ValueError, match=r"\(4 · n_images, 4\).*got \(8, 3\)"):
        tiles.stitch(np.zeros((8, 3)))
    color = Tiles((3, 4, 4), size=2)
    with pytest.raises(ValueError, match=r"maps .*\(4 · n_images, 4\) or \(4 · n_images, 12\).*got \(8, 8\)"):
        color.stitch(np.zeros((8, 8)))
    with pytest.raises(ValueError, match=r"tiles .*\(4 · n_images, 12\), .*got \(8, 4\)"):
        color.inverse_transform(np.zeros((8, 4)))

"""What a number means is said by who passes it, never by its type."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from tests.variants import VARIANTS, Squashed, SquashedVQVAE
from vaetools import AE, CVAE, VAE, ImageReader, load
from vaetools.data.batches import PixelRows
from vaetools.data.reader import reader_for
from vaetools.estimators.checkpoint import facts_of_rows
from vaetools.estimators.engine import Engine

FORMAT_1 = Path(__file__).parents[1] / "persistence" / "format_1"
QUICK = {"max_iter": 2, "random_state": 0}


def counts(n):
    """Rows of 6 columns of integers from 0 to 255 that 2 hidden variables explain."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(n, 2)) @ rng.normal(size=(2, 6))
    return np.clip(np.rint(60 + 20 * hidden + rng.normal(size=(n, 6))), 0, 255).astype(np.int64)


def dummies(n):
    """Rows of 8 columns of 0 and 1: one category twice."""
    category = np.random.default_rng(0).integers(0, 4, n)
    return np.eye(4, dtype=np.int64)[category][:, [0, 1, 2, 3, 0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("X", "types"),
    [
        (counts(200), ["uint8", "int16", "int64", "float32"]),
        (dummies(200), ["uint8", "int16", "int64", "float32", "bool"]),
    ],
    ids=["counts", "dummies"],
)
@pytest.mark.filterwarnings("ignore:.*no row that trains has some categories")  # numbers as such
@pytest.mark.parametrize("name", VARIANTS)
def test_the_type_of_a_table_changes_no_score(name, X, types):
    y = X[:, 0] > np.median(X[:, 0]) if X.max() > 1 else X[:, 0]
    expected = clone(VARIANTS[name]).set_params(**QUICK).fit(X, y).score_samples(X)
    single = 1e-4 if isinstance(VARIANTS[name], Squashed) else 1e-9  # those round float32 to float32
    if isinstance(VARIANTS[name], SquashedVQVAE):
        single = 1e-2  # and a word may change by that
    told = getattr(VARIANTS[name], "context", None)
    if VARIANTS[name].likelihood == "mixed" or told:  # where a column of booleans is one of another kind
        types = [dtype for dtype in types if dtype != "bool"]
    for dtype in types:
        rows = X.astype(dtype)
        found = clone(VARIANTS[name]).set_params(**QUICK).fit(rows, y).score_samples(rows)
        np.testing.assert_allclose(found, expected, rtol=single, atol=single, err_msg=dtype)


@pytest.mark.parametrize(
    "model", [AE(2, **QUICK), VAE(2, **QUICK), CVAE(2, **QUICK)], ids=["AE", "VAE", "CVAE"]
)
@pytest.mark.parametrize(("fitted", "scored"), [("int64", "uint8"), ("uint8", "int64"), ("float32", "uint8")])
def test_new_rows_may_be_of_another_type(model, fitted, scored):
    X = counts(200)
    model = clone(model).fit(X.astype(fitted), X[:, 0] > 60)
    np.testing.assert_array_equal(
        model.score_samples(X.astype(scored)), model.score_samples(X.astype(np.float64))
    )
    np.testing.assert_array_equal(model.explain(X[:2].astype(scored)).value, X[:2])


def test_dummies_of_8_bits_are_told_from_mixtures():
    X = dummies(600).astype(np.uint8)
    odd = np.c_[X[:100, :4], np.roll(X[:100, 4:], 1, axis=1)]
    vae = VAE(3, hidden_layer_sizes=(32,), max_iter=60, random_state=0).fit(X[:400])
    scores = vae.score_samples(np.r_[X[400:], odd])
    assert roc_auc_score(np.arange(300) < 200, scores) > 0.95  # 0.5 if divided by 255


@pytest.mark.parametrize(
    ("dtype", "options", "kind"),
    [
        ("uint8", {}, "standardize"),
        ("uint8", {"standardize": True}, "standardize"),
        ("uint8", {"standardize": False}, "identity"),
        ("bool", {}, "standardize"),
        ("uint8", {"image_shape": (1, 2, 3)}, "pixels"),
        ("uint8", {"image_shape": (1, 2, 3), "standardize": False}, "pixels"),
        ("uint8", {"image_shape": (1, 2, 3), "likelihood": "bernoulli"}, "pixels"),
        ("int16", {"image_shape": (1, 2, 3)}, "pixels"),
        ("int64", {"image_shape": (1, 2, 3)}, "pixels"),
        ("float32", {"image_shape": (1, 2, 3)}, "standardize"),
    ],
)
def test_integers_are_pixels_only_of_images(dtype, options, kind):
    assert VAE(2, **QUICK, **options).fit(counts(100).astype(dtype)).input_scale_.kind == kind


def test_rows_of_a_reader_are_pixels_and_what_is_made_of_them_is_not():
    images = [Image.fromarray(row.reshape(2, 3)) for row in counts(100).astype(np.uint8)]
    rows = ImageReader(n_jobs=1).fit(images).transform(images)
    vae = VAE(2, **QUICK).fit(rows)
    assert vae.input_scale_.kind == "pixels"
    assert vae.reconstruct(rows[:5]).max() <= 1
    scaled = rows + 1
    assert type(scaled) is np.ndarray
    assert type(rows.max()) is np.uint8
    assert VAE(2, **QUICK).fit(scaled).input_scale_.kind == "standardize"
    assert VAE(2, **QUICK).fit(np.asarray(rows)).input_scale_.kind == "standardize"


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli"])
def test_8_bit_rows_of_0_and_1_suit_a_likelihood_of_the_unit_interval(likelihood):
    X = dummies(100)
    vae = VAE(2, likelihood=likelihood, **QUICK).fit(X.astype(np.uint8))
    assert vae.input_scale_.kind == "unit"
    np.testing.assert_array_equal(vae.score_samples(X.astype(np.uint8)), vae.score_samples(X * 1.0))
    with pytest.raises(ValueError, match=r"X must lie in \[0, 1\], the support of .*; got 2\."):
        vae.score_samples(np.full((1, 8), 2, np.uint8))


def test_a_model_of_8_bit_columns_from_before_scores_as_it_did():
    X = (np.arange(120 * 4).reshape(120, 4) * 37 % 256).astype(np.uint8)
    vae = load(FORMAT_1 / "8_bit_table.safetensors")
    assert vae.input_scale_.kind == "pixels"
    expected = [-1.72646389, -1.18328345, 0.08371248]
    np.testing.assert_allclose(vae.score_samples(X[:3]), expected, atol=1e-8)
    np.testing.assert_array_equal(vae.score_samples(X[:3] / 255), vae.score_samples(X[:3]))


# Images of more than 8 bits


def camera_images(n):
    """Rows of 16 pixels of 12 bits that 2 hidden variables explain."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(n, 2)) @ rng.normal(size=(2, 16))
    return np.clip(np.rint(2000 + 300 * hidden + 30 * rng.normal(size=(n, 16))), 0, 4095).astype(np.uint16)


SHAPE = {"image_shape": (1, 4, 4), "hidden_channels": ()}


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int64"])
def test_levels_are_divided_by_the_range_of_bits_that_holds_them(dtype):
    X = camera_images(120)
    vae = VAE(2, **QUICK, **SHAPE).fit(X.astype(dtype))
    assert (vae.input_scale_.kind, vae.input_scale_.levels) == ("pixels", (0, 4095))
    floats = VAE(2, **QUICK, **SHAPE).fit(X / 4095)
    np.testing.assert_allclose(vae.score_samples(X.astype(dtype)), floats.score_samples(X / 4095), rtol=1e-5)
    np.testing.assert_array_equal(vae.score_samples(X), vae.score_samples(X / 4095))
    made = vae.reconstruct(X)
    assert made.min() >= 0
    assert made.max() <= 1


def test_signed_levels_go_from_black_to_white():
    X = camera_images(120).astype(np.int16) - 1000
    X[0, 0] = -1000
    vae = VAE(2, **QUICK, **SHAPE).fit(X)
    black, white = vae.input_scale_.levels
    assert (black, white) == (-1024, 2**12 - 1)
    np.testing.assert_allclose(vae.explain(X[:2]).value, (X[:2] + 1024.0) / (white - black))


def test_copies_of_other_depths_are_told_apart_as_well():
    X = camera_images(800)
    odd = camera_images(800)[:100]
    odd[:, [3, 7, 11]] = np.random.default_rng(1).permutation(odd[:, [3, 7, 11]])
    aucs = []
    for of_12_bits in (lambda rows: rows, lambda rows: rows * 16, lambda rows: (rows // 16).astype(np.uint8)):
        vae = VAE(2, hidden_layer_sizes=(32,), max_iter=120, random_state=0, **SHAPE).fit(of_12_bits(X[:600]))
        scores = vae.score_samples(of_12_bits(np.r_[X[600:], odd]))
        aucs.append(roc_auc_score(np.arange(300) < 200, scores))
    assert min(aucs) > 0.75
    assert np.ptp(aucs) < 0.01


def test_levels_beyond_those_of_training_neither_wrap_nor_crash():
    X = camera_images(120)
    bright = np.full((1, 16), 65535, np.uint16)
    vae = VAE(2, **QUICK, **SHAPE).fit(X)
    more_bits = "levels up to 4,095, as those of training; got such of 16 bits"
    with pytest.warns(UserWarning, match=more_bits):
        np.testing.assert_array_equal(vae.explain(bright).value, bright / 4095)
    with pytest.warns(UserWarning, match=more_bits):
        assert vae.score_samples(bright)[0] < vae.score_samples(X).min()
    strict = VAE(2, likelihood="bernoulli", **QUICK, **SHAPE).fit(X)
    refusal = r"from 0 to 4095, the levels of its training images.*; got 65535\."
    with pytest.warns(UserWarning, match=more_bits), pytest.raises(ValueError, match=refusal):
        strict.score_samples(bright)


LEVELS_OF_8_BITS = "X must have levels from 0 to 255, as its training images; got "


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize(
    ("dtype", "level", "words"),
    [
        ("uint16", 4000, "4000 (uint16). If 4095 is white, pass X / 4095.0."),
        ("int64", 256, "256 (int64). If 511 is white, pass X / 511.0."),
        ("int32", -1, "-1 (int32). Pass levels as they are in the files, none below 0."),
        ("int8", -56, "-56 (int8). Of bytes that were read as signed pass X.view(np.uint8)."),
    ],
)
def test_levels_that_8_bits_do_not_have_are_refused(dtype, level, words, likelihood):
    X = (camera_images(120) // 16).astype(np.uint8)
    vae = VAE(2, likelihood=likelihood, **QUICK, **SHAPE).fit(X)
    beyond = np.minimum(X, 100).astype(dtype)
    within = vae.score_samples(beyond)
    np.testing.assert_array_equal(within, vae.score_samples(np.minimum(X, 100)))
    beyond[7, 3] = level
    with pytest.raises(ValueError, match=re.escape(LEVELS_OF_8_BITS + words)):
        vae.score_samples(beyond)
    with pytest.raises(ValueError, match=re.escape(LEVELS_OF_8_BITS)):
        vae.recalibrate(beyond)
    np.testing.assert_array_equal(vae.score_samples(X > 100), vae.score_samples((X > 100).astype(float)))


@pytest.mark.parametrize(("dtype", "level"), [("int64", 65536), ("int32", -32769)])
def test_levels_that_16_bits_do_not_have_are_refused(dtype, level):
    X = camera_images(120)
    vae = VAE(2, **QUICK, **SHAPE).fit(X)
    signed = X[:1].astype(np.int16) - 1
    assert np.isfinite(vae.score_samples(signed)).all()
    beyond = X[:1].astype(dtype)
    beyond[0, 0] = level
    with pytest.raises(ValueError, match=f"from -32768 to 65535, as its training images; got {level} "):
        vae.score_samples(beyond)


def test_levels_as_a_reader_makes_them_are_read():
    """Of 16-bit files that kept to 8 bits in training, one may be brighter."""
    X = (camera_images(120) // 16).view(PixelRows)
    vae = VAE(2, **QUICK, **SHAPE).fit(X)
    assert (X.dtype, vae.input_scale_.levels) == (np.uint16, (0, 255))
    bright = np.full((1, 16), 300, np.uint16).view(PixelRows)
    assert vae.score_samples(bright)[0] < vae.score_samples(X).min()


def test_levels_for_a_model_of_images_in_the_unit_interval_are_refused():
    X = camera_images(120)
    vae = VAE(2, **QUICK, **SHAPE).fit(X / 4095)
    words = r"must be numbers in \[0, 1\], as those of the training images; got uint16 up to \d+\. Pass X / "
    with pytest.raises(ValueError, match=words + r"4095\.0 if 4095 is white"):
        vae.score_samples(X)
    masked = (X > 2000).astype(np.int64)
    np.testing.assert_array_equal(vae.score_samples(masked), vae.score_samples(masked.astype(float)))
    amounts = VAE(2, **QUICK, **SHAPE).fit(X.astype(float))
    np.testing.assert_allclose(amounts.score_samples(X), amounts.score_samples(X.astype(float)), rtol=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (
            90,
            111,
            "got 90 to 111 of 0 to 255. Stretch their contrast: pass (X - 90.0) / 21 as floats in [0, 1], or",
        ),
        (90, 112, None),
        (0, 16, "got 0 to 16 of 0 to 255. Stretch their contrast: pass X / 16 as floats in [0, 1], or"),
        (0, 2, "pass X / 2 as floats"),
        (7, 7, "got 7 alone, of 0 to 255. There is no contrast to stretch: look at the images, or"),
        (255, 255, "got 255 alone, of 0 to 255. There is no contrast to stretch: look at"),
        (0, 255, None),  # two levels of which one is black and one white
    ],
)
def test_images_without_contrast_are_said(low, high, words, recwarn):
    X = np.where(np.random.default_rng(0).random((120, 16)) < 0.5, low, high).astype(np.uint8)
    VAE(2, **QUICK, **SHAPE).fit(X)
    said = [str(each.message) for each in recwarn.list if "contrast" in str(each.message)]
    assert len(said) == (words is not None)
    assert all(words in each for each in said)


def test_a_table_without_spread_is_no_image_without_contrast(recwarn):
    VAE(2, **QUICK).fit(90 + dummies(120))
    assert not [each for each in recwarn.list if "contrast" in str(each.message)]


def test_levels_that_are_the_fault_of_a_model_are_blamed_first():
    X = np.rint(load_digits().data[:500]).astype(np.uint8)
    quick = {"image_shape": (1, 8, 8), "hidden_layer_sizes": (16,), "max_iter": 100, "random_state": 0}
    with pytest.warns(ConvergenceWarning) as told:
        VAE(4, **quick, hidden_channels=()).fit(2 * X)  # too many levels to be said at once
    (words,) = [str(each.message) for each in told]
    assert "codes are all in about one place: none of 4 latent dimensions is active" in words
    assert "Look at the scale of X first: images keep to 0 to 32 of 0 to 255. Stretch their" in words
    assert words.index("pass X / 32 as floats in [0, 1]") < words.index("beta")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vae = VAE(4, **quick, hidden_channels=()).fit(X / 16)  # as it advises
    assert vae.active_units_.any()


def masks(n):
    """Rows of 16 pixels, 0 and 1: one of 4 halves of an image."""
    upper = np.arange(16) < 8
    left = np.arange(16) % 4 < 2
    return np.stack([upper, ~upper, left, ~left])[np.random.default_rng(0).integers(0, 4, n)].astype(np.uint8)


def test_masks_of_0_and_1_are_black_and_white_in_every_type():
    X = masks(120)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vae = VAE(2, **QUICK, **SHAPE).fit(X)
    assert (vae.input_scale_.kind, vae.input_scale_.levels) == ("pixels", (0, 1))
    expected = VAE(2, **QUICK, **SHAPE).fit(X.astype(bool)).score_samples(X.astype(bool))
    for dtype in ("uint8", "int64", "bool", "float32"):
        np.testing.assert_allclose(vae.score_samples(X.astype(dtype)), expected, rtol=1e-5)
    assert "scale of X" in facts_of_rows(vae, Engine(vae).rows(X))  # once divided by 255
    assert reader_for(vae).dtype_ == "uint8"
    with pytest.warns(UserWarning, match=r"of 0 and 1, as those of training; got 255, .* pass X / 255\.0\."):
        vae.score_samples(255 * X)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], .*; got 255\."):
        vae.score_samples(255.0 * X)


@pytest.mark.parametrize(("factor", "advice"), [(1, "X.astype(float) if 1 is white"), (255, "X / 255.0 if")])
def test_a_model_of_numbers_says_how_8_bit_images_become_such(factor, advice):
    X = masks(120)
    vae = VAE(2, **QUICK, **SHAPE).fit(X.astype(bool))
    with pytest.raises(ValueError, match=re.escape(f"got uint8. Pass {advice}")):
        vae.score_samples(factor * X)


# Containers


@pytest.mark.parametrize("dtype", ["float64", "uint8"])
def test_masked_cells_are_missing_ones(dtype):
    X = counts(120).astype(dtype)
    masked = np.ma.array(X, mask=np.zeros(X.shape, bool))
    vae = VAE(2, **QUICK).fit(masked)
    np.testing.assert_array_equal(vae.score_samples(masked), VAE(2, **QUICK).fit(X).score_samples(X))
    masked[5, 1] = np.ma.masked
    for call in (vae.fit, vae.score_samples):
        with pytest.raises(ValueError, match="contains NaN: nan in row 5, column 1"):
            call(masked)
    gappy = X.astype(float)
    gappy[5, 1] = np.nan
    mixed = {"likelihood": "mixed", **QUICK}
    found = VAE(2, **mixed).fit(masked).score_samples(masked)
    np.testing.assert_array_equal(found, VAE(2, **mixed).fit(gappy).score_samples(gappy))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.uint8])
def test_tensors_are_rows(dtype):
    X = torch.from_numpy(counts(120) // 2).to(dtype)  # integers below 128, which bfloat16 holds
    vae = VAE(2, **QUICK).fit(X)
    rows = X.double().numpy()
    expected = VAE(2, **QUICK).fit(rows)
    np.testing.assert_allclose(vae.score_samples(X), expected.score_samples(rows), rtol=1e-9)
    codes = torch.zeros(2, 2, dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_allclose(
        vae.inverse_transform(codes), expected.inverse_transform(np.zeros((2, 2))), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("dtype", "options", "noted"),
    [
        ("uint8", {}, True),  # once divided by 255
        ("uint16", {"image_shape": (1, 2, 3)}, True),  # once standardized
        ("uint8", {"image_shape": (1, 2, 3)}, False),
        ("int64", {}, False),
        ("float64", {"image_shape": (1, 2, 3)}, False),
    ],
)
def test_a_checkpoint_of_another_scaling_is_another_fit(dtype, options, noted):
    X = counts(100).astype(dtype)
    vae = VAE(2, **QUICK, **options).fit(X)
    assert ("scale of X" in facts_of_rows(vae, Engine(vae).rows(X))) == noted


RECORDS = np.array([(1, 2.0)] * 20, dtype=[("length", int), ("width", float)])


@pytest.mark.parametrize("X", [RECORDS, RECORDS.view(np.recarray)], ids=["structured", "record array"])
def test_records_are_refused_with_what_makes_rows_of_them(X):
    words = (
        "VAE: X must be a plain array .*; got one of records with the fields 'length', 'width'. Pass pandas"
    )
    with pytest.raises(ValueError, match=words):
        VAE(1, **QUICK).fit(X)
    vae = VAE(1, **QUICK, contamination=0.1).fit(pd.DataFrame(X))
    assert vae.feature_names_in_.tolist() == ["length", "width"]
    with pytest.raises(ValueError, match=words):
        vae.score_samples(X)


@pytest.mark.parametrize("likelihood", ["gaussian", "mixed"])
def test_columns_of_one_name_are_refused(likelihood):
    table = pd.DataFrame(counts(40), columns=["a", "b", "a", "c", "c", "d"])
    words = "VAE: names of columns must be unique; got 'a', 'c' more than once. Rename such a column, drop"
    model = VAE(1, likelihood=likelihood, contamination=0.1, **QUICK)
    with pytest.raises(ValueError, match=words):
        model.fit(table)
    model.fit(table.loc[:, ~table.columns.duplicated()])  # as it advises
    assert model.n_features_in_ == 4
    with pytest.raises(ValueError, match=words):
        model.score_samples(table)


# Integers that floats cannot hold

LARGE = 2**60 + 17 * np.arange(40)
UNSIGNED = np.uint64(2**63) + np.arange(40, dtype=np.uint64)


def large_integers_said(X, **options):
    """The words of the warning of large integers when a model is fitted, if there are any."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        VAE(1, contamination=0.1, **QUICK, **options).fit(X)
    return [str(each.message) for each in told if "2^53" in str(each.message)]


@pytest.mark.parametrize(
    ("X", "column"),
    [
        (np.column_stack([np.arange(40), LARGE]), f"column 1 ({LARGE[1]})"),
        (np.column_stack([np.arange(40), -LARGE]), f"column 1 ({-LARGE[1]})"),
        (np.column_stack([UNSIGNED, UNSIGNED]), f"column 0 ({2**63 + 1}), 1 ({2**63 + 1})"),
        (np.array([[10**25 + i, i] for i in range(40)], dtype=object), f"column 0 ({10**25})"),
        ([[int(value), 0.5 * value] for value in LARGE], f"column 0 ({LARGE[1]})"),
        (pd.DataFrame({"a": np.arange(40) / 3, "b": LARGE}), f"column 'b' ({LARGE[1]})"),
        (pd.DataFrame({"b": pd.array(LARGE, dtype="Int64")}), f"column 'b' ({LARGE[1]})"),
    ],
    ids=["int64", "negative", "uint64", "objects", "list", "table", "nullable"],
)
def test_integers_that_become_equal_are_said(X, column):
    (words,) = large_integers_said(X)
    assert (
        f"VAE: integers should lie within ±2^53, up to which float64 tells them apart; got {column}," in words
    )
    assert "nearly always holds ids: drop it" in words


def test_integers_of_mixed_tables_are_said_where_they_are_numbers():
    table = pd.DataFrame({"a": LARGE[np.arange(40) % 4], "b": list("xy") * 20})
    (words,) = large_integers_said(table, likelihood="mixed")
    assert "column 'a'" in words
    assert large_integers_said(table, likelihood="mixed", column_likelihoods={"a": "categorical"}) == []


@pytest.mark.parametrize(
    "X",
    [LARGE - LARGE.min(), 2**60 + 1024 * np.arange(40), LARGE.astype(float), np.full(40, 2**53)],
    ids=["least subtracted", "exact", "floats", "at the limit"],
)
def test_numbers_that_floats_hold_are_not_said(X):
    assert large_integers_said(np.column_stack([np.arange(40).astype(X.dtype), X])) == []


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_dataset_of_torch_is_refused_instead_of_read_for_ever(wrapped):
    class Endless(torch.utils.data.Dataset):
        def __len__(self):
            return 120

        def __getitem__(self, i):
            return torch.zeros(4)

    X = torch.utils.data.DataLoader(Endless()) if wrapped else Endless()
    name = type(X).__name__
    with pytest.raises(TypeError, match=f"VAE: X must be an array .*; got a {name}. Stack its rows"):
        VAE(2, **QUICK).fit(X)

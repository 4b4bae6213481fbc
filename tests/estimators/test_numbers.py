"""What a number means is said by who passes it, never by its type."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from tests.variants import VARIANTS, Squashed
from vaetools import AE, CVAE, VAE, ImageReader, load

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
@pytest.mark.parametrize("name", VARIANTS)
def test_the_type_of_a_table_changes_no_score(name, X, types):
    y = X[:, 0] > np.median(X[:, 0]) if X.max() > 1 else X[:, 0]
    expected = clone(VARIANTS[name]).set_params(**QUICK).fit(X, y).score_samples(X)
    single = 1e-4 if isinstance(VARIANTS[name], Squashed) else 1e-9  # those round float32 to float32
    if VARIANTS[name].likelihood == "mixed":  # where a column of booleans is one of another kind
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
        ("uint8", {"image_shape": (1, 2, 3), "standardize": True}, "pixels"),
        ("uint8", {"image_shape": (1, 2, 3), "likelihood": "bernoulli"}, "pixels"),
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

"""Columns are standardized where that is asked for, whatever X is and of whatever type."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone

from vaetools import AE, CVAE, VAE, Bernoulli, Gaussian, ImageReader, load, save
from vaetools.data.reader import reader_for
from vaetools.estimators.checkpoint import facts_of_rows
from vaetools.estimators.engine import Engine
from vaetools.persistence.facts import read_facts

IMAGES = {"image_shape": (1, 4, 4), "hidden_channels": (), "max_iter": 2, "random_state": 0}
ASKED = IMAGES | {"standardize": True}


def faint(n, low=90, high=110):
    """Rows of 16 pixels of few levels."""
    return np.random.default_rng(0).integers(low, high + 1, (n, 16)).astype(np.uint8)


def seen(model, X):
    """The rows as the network sees them."""
    return model.input_scale_.apply(X, device=torch.device("cpu"), dtype=torch.float64).numpy()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int64", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [None, (1, 4, 4)])
def test_a_network_sees_mean_0_and_deviation_1(dtype, shape):
    X = (faint(200, 0, 1) if dtype == "bool" else faint(200)).astype(dtype)
    vae = VAE(2, **ASKED | {"image_shape": shape, "contamination": 0.1}).fit(X)  # all rows train
    rows = seen(vae, X)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-9)
    assert vae.input_scale_.of_levels == (
        shape is not None and dtype in ("uint8", "uint16", "int16", "int64")
    )


def test_without_it_images_stay_in_the_unit_interval():
    X = faint(120)
    for standardize in ("auto", False):
        with pytest.warns(UserWarning, match="fill the range of their levels"):
            vae = VAE(2, **IMAGES, standardize=standardize).fit(X)
        np.testing.assert_allclose(seen(vae, X), X / 255)


@pytest.mark.parametrize("cls", [AE, VAE, CVAE])
@pytest.mark.parametrize(
    ("kind", "black", "white"),
    [("uint8", 0, 255), ("uint16", 0, 4095), ("int16", -1024, 2047), ("uint8", 0, 1)],
)
def test_levels_are_floats_of_the_unit_interval_that_are_standardized(cls, kind, black, white):
    X = np.random.default_rng(0).integers(black, white + 1, (120, 16)).astype(kind)
    unit = (X.astype(float) - black) / (white - black)
    y = np.arange(120) % 2
    model, floats = (cls(2, **ASKED).fit(rows, y) for rows in (X, unit))
    assert (model.input_scale_.kind, floats.input_scale_.kind) == ("standardized_pixels", "standardize")
    assert model.input_scale_.levels == (black, white)
    expected = floats.score_samples(unit)
    np.testing.assert_allclose(model.score_samples(X), expected, rtol=1e-9)
    np.testing.assert_allclose(model.score_samples(unit), expected, rtol=1e-9)
    np.testing.assert_allclose(model.reconstruct(X), floats.reconstruct(unit), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.explain(X).value, unit)


def test_new_rows_are_levels_or_in_the_unit_interval():
    X = faint(120)
    model = VAE(2, **ASKED).fit(X)
    with pytest.raises(ValueError, match=r"X must lie in \[0, 1\], because .* divide by 255; got"):
        model.score_samples(X.astype(float))
    floats = VAE(2, **ASKED).fit(X / 255)
    with pytest.raises(ValueError, match=r"which were not 8-bit; got uint8. Pass X / 255\.0 if"):
        floats.score_samples(X)


def test_rows_of_a_reader_are_standardized_too():
    rows = ImageReader(n_jobs=1).fit_transform([Image.fromarray(row.reshape(4, 4)) for row in faint(120)])
    vae = VAE(2, max_iter=2, standardize=True, random_state=0).fit(rows)
    assert vae.input_scale_.kind == "standardized_pixels"
    np.testing.assert_allclose(seen(vae, rows), seen(vae, np.asarray(rows) / 255))


def with_column(column, seed=0):
    """Rows of five related columns and one more, and a model that all of them train."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(200, 5))
    X = np.column_stack([X, column])
    options = {"max_iter": 20, "early_stopping": False, "contamination": 0.05, "random_state": 0}
    return X, VAE(2, **options).fit(X)


@pytest.mark.parametrize(
    ("column", "scale", "odd"),
    [
        (np.where(np.arange(200) == 7, 5.001, 5.0), 0.001 * np.sqrt(199) / 200, 5.001),  # in one row alone
        (1 + 1e-9 * np.sin(np.arange(200.0)), 1e-9 / np.sqrt(2), 1.001),
        (np.full(200, 5.0), 1.0, 1000.0),
    ],
    ids=["in one row", "spread of 1e-9", "never"],
)
def test_an_odd_value_of_a_column_that_hardly_varies_is_odd_and_named(column, scale, odd):
    X, vae = with_column(column)
    assert vae.input_scale_.scale[-1] == pytest.approx(scale, rel=0.01)
    new = X[10:13].copy()
    assert np.ptp(vae.score_samples(X[:5])) < 30
    new[:, -1] = odd
    assert np.isfinite(vae.score_samples(new)).all()
    assert (vae.predict(new) == -1).all()
    assert vae.explain(new).table(top=1)["column"].tolist() == [5, 5, 5]


def test_a_column_that_never_varied_is_told_apart_by_a_scale_of_its_own():
    X, vae = with_column(np.full(200, 5.0))
    new = X[10:13].copy()
    new[:, -1] = 6.0
    own = clone(vae).set_params(likelihood=Gaussian("per_feature"))
    plain, told = (model.score_samples(X[10:13]) - model.score_samples(new) for model in (vae, own.fit(X)))
    assert (plain < 5).all()
    assert (told > 20).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli", Bernoulli()])
@pytest.mark.parametrize("options", [{}, IMAGES])
def test_a_likelihood_of_the_unit_interval_refuses_it_with_what_helps(likelihood, options):
    X = faint(120, 0, 1)
    words = (
        f"VAE: standardize must be 'auto' or False .*; got standardize=True and likelihood={likelihood!r}."
    )
    options = {"max_iter": 2, **options}
    with pytest.raises(ValueError, match=words.replace("()", r"\(\)")):
        VAE(2, **options, likelihood=likelihood, standardize=True).fit(X)
    np.testing.assert_array_equal(seen(VAE(2, **options, likelihood=likelihood).fit(X), X), X)
    assert VAE(2, **options, standardize=True).fit(X).input_scale_.standardizes


def test_nats_and_outputs_count_on_the_scale_of_pixels():
    """A column that is k times as bright costs log k nats more, standardized or not."""
    X = np.random.default_rng(0).integers(0, 128, (200, 16)).astype(np.uint8)
    X[0] = 255
    twice = VAE(2, **ASKED | {"contamination": 0.1}).fit(X)
    np.testing.assert_allclose(twice.input_scale_.log_unit, np.log((X / 255).std(axis=0)))
    floats = VAE(2, **ASKED | {"contamination": 0.1}).fit(X.astype(np.float64))
    difference = twice.score_samples(X) - floats.score_samples(X.astype(np.float64))
    np.testing.assert_allclose(difference, 16 * np.log(255), rtol=1e-6)
    np.testing.assert_allclose(255 * twice.reconstruct(X), floats.reconstruct(X.astype(float)), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_file_keeps_levels_and_standardization(tmp_path, dtype):
    X = faint(120).astype(dtype) * (1 if dtype == "uint8" else 30)
    model, path = VAE(2, **ASKED).fit(X), tmp_path / "m.safetensors"
    save(model, path)
    again = load(path)
    np.testing.assert_array_equal(again.score_samples(X), model.score_samples(X))
    assert again.input_scale_.levels == model.input_scale_.levels
    facts = read_facts(path)
    assert (facts.input_scale, facts.levels) == ("standardized_pixels", list(model.input_scale_.levels))
    assert reader_for(again).dtype_ == np.dtype(dtype)


@pytest.mark.parametrize(
    ("X", "standardize", "noted"),
    [
        (faint(120), "auto", None),
        (faint(120), True, "standardized_pixels from (0, 255)"),  # once pixels
        (faint(120) / 255, "auto", None),
        (faint(120) / 255, True, "standardize from (0, 255)"),  # once left alone
    ],
)
@pytest.mark.filterwarnings("ignore:.*fill the range")
def test_a_checkpoint_from_before_is_of_another_fit(X, standardize, noted):
    vae = VAE(2, **IMAGES, standardize=standardize).fit(X)
    assert facts_of_rows(vae, Engine(vae).rows(X)).get("scale of X") == noted

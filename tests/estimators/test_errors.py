"""Bad input: a typed error that names the value received."""

import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

import vaetools as vt
from vaetools import AE, CVAE, VAE, EncoderDecoder, Gaussian

X = np.random.default_rng(0).normal(size=(60, 6))
BYTES = np.random.default_rng(0).integers(0, 256, size=(60, 6), dtype=np.uint8)
Y = np.arange(60) % 3


def vae(**options):
    return VAE(**({"max_iter": 1, "contamination": 0.1, "random_state": 0} | options))


def cvae(**options):
    return CVAE(max_iter=1, contamination=0.1, random_state=0, **options)


def with_value(value):
    spoilt = X.copy()
    spoilt[5, 1] = value
    return spoilt


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vae().fit(with_value(np.nan)), ValueError, "NaN: nan in row 5, column 1"),
        (lambda: vae().fit(with_value(np.nan)), ValueError, "likelihood='mixed', which takes missing cells"),
        (lambda: vae().fit(pd.DataFrame({"a": ["abc", "d"]})), ValueError, "likelihood='mixed', which takes"),
        (lambda: vae().fit(np.array([["abc", "d"]])), ValueError, "likelihood='mixed', which takes"),
        (lambda: vae().fit(pd.DataFrame({"a": ["1,234", "d"]})), ValueError, "a number as people write it"),
        (lambda: vae().fit(np.array([["−3,5 %", "d"]])), ValueError, "a number as people write it"),
        (lambda: vae(beta=Fraction(1, 2)).fit(X), ValueError, "got Fraction(1, 2)"),  # no file holds it
        (lambda: vae().fit(with_value(np.inf)), ValueError, "or replace such values; a division by 0"),
        (lambda: vae().fit(X).score_samples(with_value(-np.inf)), ValueError, "-inf in row 5, column 1"),
        (
            lambda: vae().fit(pd.DataFrame({"a": [1.0, 2], "age": [0, np.inf]})),
            ValueError,
            "inf in row 1, column 'age'",
        ),
        (
            lambda: vae().fit(pd.DataFrame({"a": [1.0, 2], "day": pd.to_datetime(["2024", "2025"])})),
            ValueError,
            "in column 'day'. Replace it by numbers that matter",
        ),
        (
            lambda: vae().fit(pd.DataFrame(with_value(1e300)).rename(columns=str)),
            ValueError,
            "got 1e+300 in row 5, column '1'. Drop such rows",
        ),
        (lambda: vae().fit(with_value(-1e200)), ValueError, "got -1e+200 in row 5, column 1. Drop"),
        (
            lambda: vae().fit(X.reshape(10, 6, 6)),
            ValueError,
            "got (10, 6, 6). Pass X.reshape(len(X), -1) and image_shape=(1, 6, 6)",
        ),
        (
            lambda: vae().fit(np.zeros((5, 3, 8, 9))),
            ValueError,
            "got (5, 3, 8, 9). Pass X.reshape(len(X), -1) and image_shape=(3, 8, 9)",
        ),
        (
            lambda: vae().fit(np.zeros((5, 8, 9, 3))),
            ValueError,
            "X.transpose(0, 3, 1, 2).reshape(len(X), -1) and image_shape=(3, 8, 9)",
        ),
        (
            lambda: vae().fit(np.zeros((5, 8, 9, 4))),
            ValueError,
            "(5, 8, 9, 4). Pass X.transpose(0, 3, 1, 2).reshape(len(X), -1) and image_shape=(4, 8, 9)",
        ),
        (
            lambda: vae().fit(np.zeros((5, 8, 9, 13))),
            ValueError,
            "pass X.reshape(len(X), -1) and image_shape=(8, 9, 13); if the last is, X.transpose(0, 3, 1, 2)",
        ),
        (lambda: vae().fit(X[0]), ValueError, "Expected 2D array, got 1D array"),
        (lambda: vae().fit(X).transform(X[:, :5]), ValueError, "X has 5 features, but VAE is expecting 6"),
        (lambda: vae().fit(np.array([["abc", "d"]])), ValueError, "got text such as 'abc'"),
        (lambda: vae().fit(np.array([["abc", 1]], dtype=object)), ValueError, "to float: 'abc'"),
        (lambda: vae().fit(pd.DataFrame({"a": ["abc", "d"]})), ValueError, "to float: 'abc'"),
        (lambda: vae().fit(X[:0]), ValueError, "shape=(0, 6)"),
        (lambda: vae().fit(X).score_samples(X[:0]), ValueError, "shape=(0, 6)"),
        (lambda: vae(likelihood="bernoulli").fit(X + 5), ValueError, f"got {(X + 5).max():g}"),
        (lambda: vae(likelihood="continuous_bernoulli").fit(BYTES / 255.0 - 0.5), ValueError, "got -0.5"),
        (
            lambda: vae(likelihood="bernoulli").fit(BYTES / 255).score_samples(BYTES * 1.0),
            ValueError,
            f"support of Bernoulli(); got {BYTES.max()}",
        ),
        (
            lambda: vae(likelihood="bernoulli").fit(BYTES),
            ValueError,
            "likelihood='bernoulli'; of 8-bit pixels pass image_shape, or X / 255.0; other columns: scale it",
        ),
        (
            lambda: vae(likelihood="bernoulli").fit(BYTES),
            ValueError,
            f"MinMaxScaler(clip=True), or choose likelihood='gaussian'; got {BYTES.max()}",
        ),
        (
            lambda: vae(image_shape=(1, 2, 3)).fit(X).score_samples(BYTES),
            ValueError,
            "got uint8. Pass X / 255.0",
        ),
        (
            lambda: vae(image_shape=(1, 2, 3)).fit(BYTES).score_samples(BYTES.astype(float)),
            ValueError,
            f"fitted on images of integers; pass such, or divide by 255; got {BYTES.max()}",
        ),
        (
            lambda: vae(image_shape=(1, 2, 2)).fit(X),
            ValueError,
            "6 columns of X; got (1, 2, 2), which makes 4",
        ),
        (
            lambda: vae(hidden_channels=(3,)).fit(X),
            ValueError,
            "got hidden_channels=(3,) and image_shape=None",
        ),
        (
            lambda: vae(likelihood="mixed", image_shape=(1, 2, 3)).fit(X),
            ValueError,
            "got image_shape=(1, 2, 3)",
        ),
        (lambda: vae(column_likelihoods={0: "gaussian"}).fit(X), ValueError, "got likelihood='gaussian'"),
        (
            lambda: vae(early_stopping=True, learning_rate="constant").fit(X[:1]),
            ValueError,
            "got n_samples=1",
        ),
        (lambda: vae(device="cuda:99").fit(X), ValueError, "got 'cuda:99'"),
        (lambda: AE(anomaly_score="neg_kl").fit(X), ValueError, "got 'neg_kl'"),
        (
            lambda: vae().fit(X).score_table(X, scores=["tables"]),
            ValueError,
            "got 'tables'. It compares with training rows: fit with anomaly_score='tables'",
        ),
        (
            lambda: AE(max_iter=1, contamination=0.1).fit(X).score_table(X, scores=["neg_kl"]),
            ValueError,
            "got 'neg_kl'.",
        ),
        (lambda: Gaussian(-2), ValueError, "got -2"),
        (lambda: Gaussian("learned"), ValueError, "got 'learned'"),
        (lambda: EncoderDecoder(torch.nn.Linear(6, 2), spread="std"), ValueError, "got 'std'"),
        (lambda: vae().fit(X).sample(0), ValueError, "n must be a positive integer; got 0"),
        (lambda: vae().fit(X).sample(2.5), ValueError, "n must be a positive integer; got 2.5"),
        (lambda: vae().fit(X).log_likelihood(X, n_samples=-1), ValueError, "got -1"),
        (lambda: vae().fit(X).inverse_transform(X), ValueError, "3 columns, one per component; got 6"),
        (lambda: vae().fit(X).inverse_transform([[0, np.nan, 0]]), ValueError, "Input Z contains NaN"),
        (lambda: VAE().transform(X), NotFittedError, "This VAE instance is not fitted yet"),
        (lambda: AE().sample(3), NotFittedError, "This AE instance is not fitted yet"),
        (lambda: CVAE().label_proba(X), NotFittedError, "This CVAE instance is not fitted yet"),
        (lambda: VAE().inverse_transform(X), NotFittedError, "This VAE instance is not fitted yet"),
        (lambda: vt.save(VAE(), "model.safetensors"), NotFittedError, "This VAE instance is not fitted yet"),
        # labels
        (lambda: CVAE().fit(X), ValueError, "requires y to be passed, but the target y is None"),
        (lambda: cvae().fit(X, Y[:9]), ValueError, "[60, 9]"),
        (lambda: cvae().fit(X, Y + 0.5), ValueError, "got 0.5 (float)"),
        (lambda: cvae().fit(X, [None] * 60), ValueError, "got None (NoneType)"),
        (
            lambda: cvae().fit(X, np.array(["a", 1] * 30, dtype=object)),
            ValueError,
            "all of one kind; got 'a'",
        ),
        (lambda: cvae().fit(X, Y).score_samples(X, 7), ValueError, "one of [0, 1, 2]; got 7"),
        (lambda: cvae().fit(X, Y).score_samples(X, "a"), ValueError, "one of [0, 1, 2]; got 'a'"),
        (lambda: cvae().fit(X, Y).sample(2, y=[0, 9]), ValueError, "one of [0, 1, 2]; got 9"),
        (lambda: cvae().fit(X, Y).sample(3, y=[0, 1]), ValueError, "[3, 2]"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", -1),
        ("n_components", 2.0),
        ("n_components", True),
        ("hidden_layer_sizes", (3, -2)),
        ("hidden_layer_sizes", 64),
        ("hidden_channels", "all"),
        ("image_shape", (28, 28)),
        ("activation", "swish"),
        ("likelihood", "normal"),
        ("likelihood", Gaussian),
        ("column_likelihoods", ["gaussian"]),
        ("column_likelihoods", {"age": "poisson"}),
        ("network", 3),
        ("beta", -1),
        ("beta", float("nan")),
        ("kl_warmup", 1),
        ("conditioning", "append"),
        ("context", "machine"),
        ("condition_encoder", 1),
        ("input_noise", -0.1),
        ("input_masking", 1.0),
        ("trimmed_fraction", 1),
        ("standardize", "yes"),
        ("warm_start", "yes"),
        ("batch_size", 0),
        ("learning_rate", "cosine"),
        ("learning_rate_init", 0),
        ("max_iter", -3),
        ("max_iter", "many"),
        ("early_stopping", "often"),
        ("validation_fraction", 1),
        ("n_iter_no_change", 0),
        ("tol", -1e-9),
        ("added_loss", "ssim"),
        ("added_weight", 0.0),
        ("anomaly_score", "mse"),
        ("contamination", 0.7),
        ("contamination", 0),
        ("contamination", "none"),
        ("false_alarm_rate", 0),
        ("confidence", 1),
        ("calibration", "jackknife"),
        ("calibration_fraction", 1.0),
        ("precision", "float16"),
        ("score_precision", "float16"),
        ("device", "tpu"),
        ("random_state", -1),
        ("random_state", 0.5),
        ("verbose", -1),
    ],
)
def test_parameters_are_checked_in_fit_and_not_before(name, value):
    model = CVAE(**{name: value})
    with pytest.raises(
        ValueError, match=re.escape(f"CVAE: {name} must be ") + ".*" + re.escape(f"got {value!r}")
    ):
        model.fit(X, Y)


def test_every_parameter_has_a_case():
    cases = {case[0] for case in test_parameters_are_checked_in_fit_and_not_before.pytestmark[0].args[1]}
    assert cases == set(CVAE().get_params())


def test_sparse_rows_are_refused():
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match="Sparse data was passed"):
        vae().fit(csr_array(X))


def test_a_shape_with_the_channels_last_is_doubted():
    images = np.random.default_rng(0).random((60, 8 * 8 * 3))
    with pytest.warns(UserWarning, match=r"\(8, 8, 3\) means 8 channels of 8×3 pixels.*shape=\(3, 8, 8\)"):
        vae(image_shape=(8, 8, 3)).fit(images)
    vae(image_shape=(3, 8, 8)).fit(images)


def test_rows_that_cannot_calibrate_are_told():
    model = vae().fit(X)
    with pytest.warns(UserWarning, match="got −inf of 40 of 40, so that no row at all will be flagged"):
        model.recalibrate(np.full((40, X.shape[1]), 1e200))


def test_hopeless_learning_rates_end_in_a_clear_error():
    with (
        pytest.warns(RuntimeWarning, match="the last with good weights"),
        pytest.raises(FloatingPointError, match="lower learning_rate_init"),
    ):
        vae(learning_rate_init=1e30, max_iter=300).fit(X)

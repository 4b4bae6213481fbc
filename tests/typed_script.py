"""What a user writes who checks types: mypy reads it with every rule, and a test runs it.

A comment that ignores an error asserts that there is one: mypy tells of those that are not needed.
"""

from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd

import vaetools as vt
from vaetools import AE, CVAE, VAE, VQVAE, PatchDetector

Floats = npt.NDArray[np.float64]


def odd_rows(model: VAE, X: Floats) -> Floats:
    """An estimator is handed on, and what it says of rows has a type."""
    verdicts: npt.NDArray[np.int64] = model.predict(X)
    return np.compress(verdicts == -1, X, axis=0)


def fit_each(X: Floats, y: npt.NDArray[np.int64]) -> list[AE | VAE]:
    """`fit` returns what it is called of."""
    assert_type(AE(2, max_iter=1).fit(X), AE)
    assert_type(VQVAE(max_iter=1).fit(X), VQVAE)
    assert_type(VAE(max_iter=1).partial_fit(X).recalibrate(X), VAE)
    return [AE(2, max_iter=1).fit(X), VAE(max_iter=1).fit(X), CVAE(max_iter=1).fit(X, y)]


def saved_and_loaded(model: CVAE, folder: Path) -> CVAE:
    """`load` returns what it is asked for."""
    path = folder / "model.safetensors"
    vt.save(model, path)
    loaded = vt.load(path, CVAE)
    assert_type(loaded, CVAE)
    any_kind = vt.load(path)  # whatever is in it can be saved, and narrowed
    vt.save(any_kind, path)
    assert isinstance(any_kind, VAE)
    assert_type(any_kind.score_samples(np.zeros((1, 3))), np.ndarray)
    return loaded


def inherited(X: Floats) -> None:
    """What comes from scikit-learn has types, too."""
    assert_type(VAE(max_iter=1).fit_transform(X), np.ndarray)
    assert_type(AE(2, max_iter=1).fit_predict(X), np.ndarray)
    assert_type(AE(2, max_iter=1).fit(X).get_feature_names_out(), np.ndarray)
    assert_type(vt.LatentMap(method="pca").fit_transform(X), np.ndarray)


def learnt(model: VAE) -> None:
    """What a fit leaves has types, wherever it is set."""
    assert_type(model.n_features_in_, int)
    assert_type(model.offset_, float)
    assert_type(model.kl_per_component_, np.ndarray)
    assert_type(model.mean_terms_, pd.DataFrame)
    assert model.active_units_.shape == model.code_range_[0].shape
    assert len(model.heat_range_) == 2


def choices() -> list[VAE]:
    """A choice is one of those that there are, as far as it is not read from a file."""
    VAE(calibration="crossed")  # type: ignore[arg-type]
    VAE(anomaly_score="reconstruction")  # type: ignore[arg-type]
    VAE(max_iter="many")  # type: ignore[arg-type]
    VAE(learning_rate=0.1)  # type: ignore[arg-type]
    PatchDetector(scope="all")  # type: ignore[arg-type]
    CVAE(conditioning="film")  # type: ignore[arg-type]
    return [
        VAE("auto", calibration="cross", anomaly_score="elbo", activation="gelu", precision="bfloat16"),
        VAE(8, max_iter="auto", standardize="auto", early_stopping=True, contamination=0.1),
        VAE(likelihood=vt.Gaussian("predicted"), column_likelihoods=None),
    ]


def looked_at(model: VAE, X: Floats) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Tables, explanations and maps."""
    codes = model.transform(X)
    places = vt.LatentMap(method="pca").fit_transform(codes)
    assert len(places) == len(vt.similar(codes, codes[:1], 1).indices) * len(X)
    return model.score_table(X), model.explain(X[:3]).table(top=1), model.score(X)


def main(folder: Path) -> None:
    """All of it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.integers(0, 2, 100)
    models = fit_each(X, y)
    assert len(odd_rows(VAE(max_iter=1, random_state=0).fit(X), X)) < 50
    assert isinstance(models[2], CVAE)
    loaded = saved_and_loaded(models[2], folder)
    inherited(X)
    learnt(VAE(image_shape=(1, 2, 2), hidden_channels=(), max_iter=1).fit(rng.random((100, 4))))
    table, ranked, bound = looked_at(loaded, X)
    assert len(table) == 100
    assert len(ranked) == 3
    assert np.isfinite(bound)
    assert len(choices()) == 3

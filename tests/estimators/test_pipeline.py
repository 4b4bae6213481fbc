"""Inside scikit-learn: pipelines, searches, DataFrames, persistence; warnings are errors here."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import AE, CVAE, VAE

OPTIONS = {"hidden_layer_sizes": (16,), "max_iter": 60, "random_state": 0}


@pytest.fixture(scope="module")
def frame():
    return load_iris(as_frame=True).data


def test_pipeline_to_clusters(frame):
    y = load_iris().target
    pipe = make_pipeline(
        StandardScaler(), VAE(2, **OPTIONS | {"max_iter": 300}), KMeans(3, n_init=5, random_state=0)
    )
    clusters = pipe.fit_predict(frame)
    # each cluster of codes holds mostly one kind of iris
    assert pd.crosstab(clusters, y).max(axis=1).sum() > 0.75 * len(y)


def test_pipeline_ending_in_a_detector(frame):
    pipe = make_pipeline(StandardScaler(), AE(2, **OPTIONS)).fit(frame)
    assert pipe.score_samples(frame).shape == (150,)
    assert set(pipe.predict(frame)) <= {-1, 1}


def test_search_over_components_and_beta(frame):
    grid = {"n_components": [1, 2], "beta": [0.5, 2.0]}
    search = GridSearchCV(VAE(**OPTIONS), grid, cv=3, error_score="raise").fit(frame)
    scores = search.cv_results_["mean_test_score"]
    assert search.best_score_ == scores.max() == pytest.approx(scores[search.best_index_])
    assert len(set(scores.round(6))) == 4


def test_cross_validation(frame):
    y = load_iris().target
    assert cross_val_score(VAE(2, **OPTIONS), frame, cv=3).shape == (3,)
    # folds of sorted labels each lack one: the score of a CVAE needs no labels
    assert np.isfinite(cross_val_score(CVAE(2, **OPTIONS), frame, y, cv=3)).all()
    embedded = make_pipeline(VAE(2, **OPTIONS | {"max_iter": 300}), LogisticRegression())
    assert cross_val_score(embedded, frame, y, cv=3).mean() > 0.6


def test_frames_in_and_frames_out(frame):
    vae = VAE(2, **OPTIONS).set_output(transform="pandas").fit(frame)
    codes = vae.transform(frame)
    assert list(codes.columns) == ["vae0", "vae1"]
    assert codes.index.equals(frame.index)
    np.testing.assert_array_equal(vae.feature_names_in_, frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        vae.transform(frame[frame.columns[::-1]])
    np.testing.assert_array_equal(
        vae.score_samples(frame), VAE(2, **OPTIONS).fit(frame.to_numpy()).score_samples(frame.to_numpy())
    )


def test_joblib_round_trip(frame, tmp_path):
    pipe = make_pipeline(StandardScaler(), VAE(2, **OPTIONS)).fit(frame)
    joblib.dump(pipe, tmp_path / "pipe.joblib")
    again = joblib.load(tmp_path / "pipe.joblib")
    np.testing.assert_array_equal(again.score_samples(frame), pipe.score_samples(frame))


def test_fitting_in_parallel_workers_gives_the_same_scores(frame):
    one = cross_val_score(VAE(2, **OPTIONS), frame, cv=3)
    np.testing.assert_allclose(cross_val_score(VAE(2, **OPTIONS), frame, cv=3, n_jobs=2), one, rtol=1e-4)

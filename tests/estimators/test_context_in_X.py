"""Columns of X by whose names rows are judged: taken wherever an estimator is, without y."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import CVAE, Gaussian, ModelFileError, Watch, compare, load, save, stream_scores
from vaetools.files import read_model_file, write_model_file

OWN, CONTEXT = ["power", "heat", "other"], ["machine", "outside"]
QUICK = {"n_components": 2, "likelihood": Gaussian("per_feature"), "random_state": 0}


def drawn(n, seed, *, large=0.5, high=30.0, shift=0.0):
    """Machines of which the large ones are noisier, in weather; the context stands among what is judged."""
    rng = np.random.RandomState(seed)
    is_large, outside = rng.rand(n) < large, rng.uniform(-10, high, n)
    noise = np.where(is_large, 3, 1)
    heat = 50 + 0.5 * outside + noise * rng.randn(n)
    return pd.DataFrame(
        {
            "power": np.where(is_large, 40, 15) + 0.3 * outside + noise * rng.randn(n) + shift,
            "machine": np.where(is_large, "large", "small"),
            "heat": heat,
            "other": 0.5 * heat + rng.randn(n),
            "outside": outside,
        }
    )


def wrong(X):
    """The same rows as those of the other machine."""
    return X.assign(machine=np.where(X["machine"] == "large", "small", "large"))


@pytest.fixture(scope="module")
def model():
    return CVAE(context=CONTEXT, max_iter=60, **QUICK).fit(drawn(1500, 0))


def test_it_is_the_model_of_a_context_beside_X(model):
    X = drawn(1500, 0)
    beside = CVAE(max_iter=60, **QUICK).fit(X[OWN], X[CONTEXT])
    new = drawn(100, 1)
    for asked in ("score_samples", "p_values", "predict", "transform", "reconstruct", "decision_function"):
        np.testing.assert_array_equal(
            getattr(model, asked)(new), getattr(beside, asked)(new[OWN], new[CONTEXT])
        )
    assert model.score(new) == beside.score(new[OWN], new[CONTEXT])
    table = model.explain(new).table(top=1)
    pd.testing.assert_frame_equal(table, beside.explain(new[OWN], new[CONTEXT]).table(top=1))
    assert table["given"][0].startswith(f"machine={new['machine'][0]}, outside=")
    assert set(table["column"]) <= set(OWN)


def test_what_is_normal_elsewhere_is_odd_here(model):
    X = drawn(300, 2)
    scores = np.concatenate([model.score_samples(X), model.score_samples(wrong(X))])
    assert roc_auc_score(np.repeat([1, 0], 300), scores) > 0.98
    assert (model.predict(wrong(X)) == -1).mean() > 0.9 > 0.12 > (model.predict(X) == -1).mean()


def test_all_columns_of_X_count(model):
    X = drawn(5, 3)
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert clone(model).context == CONTEXT
    codes = clone(model).set_params(max_iter=1).set_output(transform="pandas").fit_transform(drawn(60, 4))
    assert codes.columns.tolist() == ["cvae0", "cvae1"]
    told = X[CONTEXT]
    made = model.sample(5, told, random_state=0), model.inverse_transform(np.zeros((5, 2)), told)
    assert [each.shape for each in made] == [(5, 3), (5, 3)]
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        model.score_samples(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing:\n- machine"):
        model.score_samples(X.drop(columns="machine"))


def test_labels_are_ignored_and_a_second_context_is_not(model):
    X = drawn(5, 3)
    np.testing.assert_array_equal(model.score_samples(X, np.arange(5)), model.score_samples(X))
    with pytest.raises(
        ValueError, match=r"context=\['machine', 'outside'\] names columns of X, so that y must"
    ):
        model.score_samples(X, X[CONTEXT])
    with pytest.raises(ValueError, match="y must hold no context; got a DataFrame"):
        clone(model).fit(X, X[CONTEXT])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"machine": "huge"}, "column 'machine' of X must be one of 'large', 'small'; got 'huge'"),
        (
            {"outside": np.nan},
            "X must not miss a cell, because .*; got NaN in column 'outside' of row 0",
        ),
        ({"heat": np.nan}, "Input X contains NaN"),
    ],
)
def test_cells_that_tell_nothing_are_refused(cells, message, model):
    with pytest.raises(ValueError, match=message):
        model.score_samples(drawn(3, 3).assign(**cells))


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("machine", "context must be None or a list of columns of X, each once; got 'machine'"),
        ([], "context must be None or a list"),
        (["machine", "machine"], "each once"),
        (["machine", 1], r"context must name every column once; got \['machine', 1\]"),
        (["engine"], "context must name columns of X, 'power', 'machine', .*; got 'engine'"),
        ([*OWN, *CONTEXT], "X must have a column to judge beside its context"),
    ],
)
def test_what_names_no_context_is_refused(context, message):
    with pytest.raises(ValueError, match=f"CVAE: .*{message}"):
        CVAE(context=context).fit(drawn(30, 0))


def test_an_array_has_it_by_position(model):
    X = drawn(1500, 0)
    of_array = clone(model).set_params(context=[1, 4]).fit(X.to_numpy())
    np.testing.assert_allclose(of_array.score_samples(X.to_numpy()[:50]), model.score_samples(X[:50]))
    numbered = clone(model).set_params(context=[1, 4], max_iter=1).fit(X.set_axis(range(5), axis=1))
    assert not hasattr(numbered, "column_labels_")


def test_pipelines_and_searches_take_it_without_y():
    X = drawn(600, 5)
    scaled = ColumnTransformer(
        [("scale", StandardScaler(), OWN)], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipe = make_pipeline(scaled, CVAE(context=CONTEXT, max_iter=20, **QUICK)).fit(X)
    new = drawn(200, 6)
    assert (
        roc_auc_score(np.repeat([1, 0], 200), np.r_[pipe.score_samples(new), pipe.score_samples(wrong(new))])
        > 0.95
    )
    search = GridSearchCV(CVAE(context=CONTEXT, **QUICK), {"max_iter": [1, 40]}, cv=2).fit(X)
    assert search.best_params_ == {"max_iter": 40}
    scores = cross_val_score(CVAE(context=CONTEXT, max_iter=40, **QUICK), X, cv=2)
    np.testing.assert_allclose(scores.mean(), search.best_score_)


def test_files_keep_it(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save(model, path)
    loaded, X = load(path), drawn(80, 7)
    np.testing.assert_array_equal(loaded.p_values(X), model.p_values(X))
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    assert (loaded.n_features_in_, loaded.context) == (5, CONTEXT)
    save(loaded, tmp_path / "again.safetensors")
    assert read_model_file(tmp_path / "again.safetensors")[0] == read_model_file(path)[0]
    X.to_csv(tmp_path / "new.csv", index=False)
    streamed = pd.concat(part.table for part in stream_scores(loaded, tmp_path / "new.csv"))
    np.testing.assert_allclose(streamed["p_value"], model.p_values(X))
    assert ((streamed["verdict"] == "odd") == (model.predict(X) < 0)).all()


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([1, 5], "context_places_ must be different places below 5"),
        ([1, 1], "different places"),
        (None, "only"),
    ],
)
def test_files_say_where_it_was(places, message, model, tmp_path):
    save(model, tmp_path / "model.safetensors")
    header, arrays = read_model_file(tmp_path / "model.safetensors")
    if places is None:
        del header["fitted"]["context_places_"], arrays["context_places_"]
    else:
        arrays["context_places_"] = np.array(places)
    write_model_file(tmp_path / "other.safetensors", header, arrays)
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "other.safetensors")


def test_mixed_tables_keep_their_kinds(tmp_path):
    X = drawn(300, 8)
    X["kind"] = np.where(X["machine"] == "large", "x", "y")
    X.loc[::7, "heat"] = np.nan
    model = CVAE(context=["machine"], likelihood="mixed", max_iter=60, random_state=0).fit(X)
    assert model.columns_.names == ["power", "heat", "other", "outside", "kind"]
    table = model.explain(X.iloc[:1].assign(kind=lambda t: t["kind"].map({"x": "y", "y": "x"}))).table(top=1)
    assert table["column"].tolist() == ["kind"]
    save(model, tmp_path / "mixed.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "mixed.safetensors").p_values(X), model.p_values(X))


def test_a_context_may_change_under_watch_and_rows_in_it_may_not(model):
    """More large machines, in winter, are no alarm; a little more power for each of them is."""
    reference = drawn(400, 9)
    for changed in ({}, {"high": 5.0}, {"large": 0.9}):
        assert Watch(model, reference).update(drawn(700, 10, **changed)).alarm is None
    alarm = Watch(model, reference).update(drawn(700, 10, high=5.0, shift=2.0)).alarm
    assert (alarm.causes[0].kind, alarm.causes[0].name) == ("column", "power")
    with pytest.raises(ValueError, match="Watch: reference must be given"):
        Watch(model)
    beside = CVAE(max_iter=1, **QUICK).fit(reference[OWN], reference[CONTEXT])
    with pytest.raises(
        ValueError, match="y must be a DataFrame of the columns 'machine', 'outside'; got None"
    ):
        Watch(beside, reference[OWN])


def test_a_watch_goes_on_with_its_model_alone(model, tmp_path):
    watch = Watch(model, drawn(100, 9)).update(drawn(50, 10))
    assert watch.n_flagged == (model.predict(drawn(50, 10)) < 0).sum()
    watch.save(tmp_path / "state.safetensors")
    again = Watch.load(tmp_path / "state.safetensors", model).update(drawn(50, 11))
    np.testing.assert_array_equal(again.history, watch.update(drawn(50, 11)).history)
    other = clone(model).set_params(max_iter=60).fit(drawn(1500, 0)).recalibrate(drawn(300, 12))
    with pytest.raises(ModelFileError, match="belongs to another model"):
        Watch.load(tmp_path / "state.safetensors", other)


def test_reports_take_it(model):
    other = clone(model).set_params(max_iter=5).fit(drawn(1500, 0))
    X = pd.concat([drawn(150, 13), wrong(drawn(30, 14))], ignore_index=True)
    odd = np.arange(180) >= 150
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare({"long": model, "short": other}, X, outliers=odd, method="pca", seed=0)
    by = found.measures.set_index(["model", "measure"])["value"]
    assert by["long", "auroc"] == pytest.approx(roc_auc_score(odd, -model.score_samples(X)))
    assert by["long", "false_alarms"] == pytest.approx((model.predict(X[:150]) < 0).mean())
    assert by["long", "auroc"] > by["short", "auroc"]
    assert found.models[0].threshold is None
    np.testing.assert_array_equal(found.models[0].p_values, model.p_values(X))
    assert found.models[0].reconstructions.shape[1] == 3

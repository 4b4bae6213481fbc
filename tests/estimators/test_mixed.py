"""Tables of numbers, booleans and categories with missing cells: kinds, imputation, odd cells, files."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import vaetools as vt
from vaetools import AE, CVAE, VAE
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.columns import Column

N_ROWS = 400
OPTIONS = {"likelihood": "mixed", "max_iter": 2, "random_state": 0}


def make_table(seed=0):
    """A table of 400 rows that two factors explain, with every type of column and a tenth missing."""
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, N_ROWS))
    colors = np.array(["red", "green", "blue"])[(one > -0.5).astype(int) + (one > 0.5)]
    table = pd.DataFrame(
        {
            "size": 1e3 + 10 * one + rng.normal(size=N_ROWS),
            "count": pd.Series((20 + 5 * two + rng.normal(size=N_ROWS)).round()).astype("Int64"),
            "fresh": one + two > 0,
            "checked": pd.Series(two > 0).astype("boolean"),
            "color": colors,
            "grade": pd.Categorical(
                np.array(["a", "b"])[(two > 0.3).astype(int)], categories=["z", "b", "a"]
            ),
            "arrow": pd.Series(colors).str.upper().astype(pd.ArrowDtype(pa.string())),
            "object": pd.Series(one > 0).astype(object),
        }
    )
    for name in table.columns.drop("fresh"):  # NumPy's booleans hold no missing value
        table.loc[rng.random(N_ROWS) < 0.1, name] = None
    return table


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def model(table):
    return VAE(**OPTIONS).fit(table)


@pytest.fixture(scope="module")
def trained(table):
    """A model that has learnt the table."""
    return VAE(likelihood="mixed", max_iter=80, batch_size=32, random_state=0).fit(table)


def test_types_choose_the_likelihoods(model, table):
    kinds = {name: column.kind for name, column in zip(table, model.columns_.columns, strict=True)}
    assert kinds == {
        "size": "gaussian",
        "count": "gaussian",
        "fresh": "bernoulli",
        "checked": "bernoulli",
        "color": "categorical",
        "grade": "categorical",
        "arrow": "categorical",
        "object": "bernoulli",
    }
    assert model.columns_.columns[4].values == ["blue", "green", "red"]
    assert model.n_features_in_ == 8
    assert model.feature_names_in_.tolist() == table.columns.tolist()


def test_column_likelihoods_override_types(table):
    chosen = {"count": "categorical", "checked": "gaussian", "grade": "bernoulli"}
    model = VAE(column_likelihoods=chosen, contamination=0.1, **OPTIONS).fit(table)
    columns = dict(zip(table, model.columns_.columns, strict=True))
    assert {name: columns[name].kind for name in chosen} == chosen
    assert columns["count"].values == sorted(set(table["count"].dropna()))
    assert columns["grade"].values == ["a", "b"]


def test_of_an_array_columns_are_chosen_by_position():
    X = np.random.default_rng(0).integers(0, 2, size=(60, 3)).astype(float)
    X[3, 0] = np.nan
    model = CVAE(column_likelihoods={0: "bernoulli", 2: "categorical"}, contamination=0.1, **OPTIONS)
    model.fit(X, np.arange(60) % 2)
    assert [column.kind for column in model.columns_.columns] == ["bernoulli", "gaussian", "categorical"]
    made = model.reconstruct(X)
    assert made.dtype == X.dtype
    assert set(made[:, 0]) | set(made[:, 2]) <= {0, 1}


def test_categories_are_those_of_the_rows_that_train(table):
    """Else calibration rows would be less odd than new ones, and p-values too large."""
    names = table.assign(name=[f"row {i}" for i in range(N_ROWS)])
    model = AE(**OPTIONS).fit(names)
    n_calibration = len(model.calibration_scores_)
    assert n_calibration > 0
    assert len(model.columns_.columns[-1].values) == N_ROWS - n_calibration


def test_categories_that_only_calibrating_rows_have_are_told():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=100), "color": rng.choice(["red", "green"], 100)})
    model = AE(**OPTIONS).fit(table)
    held_out = np.flatnonzero(np.isin(model.score_samples(table), model.calibration_scores_))
    table.loc[held_out[3], "color"] = "blue"
    words = r"AE: no row that trains has some categories of rows held out, in column 'color' \('blue'\): they"
    with pytest.warns(UserWarning, match=words):
        AE(**OPTIONS).fit(table)


def test_new_categories_are_told_where_a_model_goes_on():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=100), "color": rng.choice(["red", "green"], 100)})
    model = VAE(**OPTIONS).partial_fit(table)
    new = table[:20].assign(color=["blue"] + ["red"] * 18 + ["brown"])
    words = (
        r"VAE: no row of the first call has some categories of new rows, in column 'color' "
        r"\('blue', 'brown'\): they count as unseen"
    )
    with pytest.warns(UserWarning, match=words):
        model.partial_fit(new)
    assert model.columns_.columns[1].values == ["green", "red"]
    model.partial_fit(table[20:40])


@pytest.mark.parametrize("make", [AE, VAE, CVAE])
def test_reconstruction_is_a_table_like_x(make, table):
    shuffled = table.sample(frac=1, random_state=0)
    made = make(**OPTIONS).fit(table, table["fresh"]).reconstruct(shuffled)
    pd.testing.assert_series_equal(made.dtypes, table.dtypes)
    pd.testing.assert_index_equal(made.index, shuffled.index)
    assert not made.isna().any(axis=None)
    filled = shuffled.fillna(made)
    assert not filled.isna().any(axis=None)
    known = shuffled.notna()
    pd.testing.assert_frame_equal(filled.where(known), shuffled.where(known))


def test_codes_and_draws_become_tables(model, table):
    for made, n_rows in ((model.inverse_transform(model.transform(table)), N_ROWS), (model.sample(3), 3)):
        pd.testing.assert_series_equal(made.dtypes, table.dtypes)
        assert len(made) == n_rows


@pytest.mark.parametrize("dtype", [np.dtype("uint8"), pd.UInt8Dtype(), pd.ArrowDtype(pa.uint8())])
def test_integers_are_rounded_and_stay_within_their_type(dtype):
    cells = Column("gaussian", [], dtype, has_gaps=False).decode(np.array([-3.0, 2.6, 300.0]))
    assert cells.dtype == dtype
    assert cells.tolist() == [0, 3, 255]


def test_imputation_beats_means_and_modes(trained):
    """A weaker form of the benchmark's bar: half of the error."""
    truth = make_table(seed=1).dropna().reset_index(drop=True)
    rng = np.random.default_rng(0)
    columns = ["size", "color", "object"]
    missing = pd.DataFrame(False, index=truth.index, columns=truth.columns)
    missing[columns] = rng.random((len(truth), 3)) < 0.3
    made = trained.reconstruct(truth.mask(missing))
    known = truth.loc[missing["size"], "size"]
    error = (made.loc[missing["size"], "size"] - known).pow(2).mean()
    assert error < 0.5**2 * truth["size"].var()
    for name in ("color", "object"):
        known = truth.loc[missing[name], name]
        wrong = (made.loc[missing[name], name] != known).mean()
        assert wrong < 0.5 * (known != truth[name].mode()[0]).mean()


def test_an_odd_cell_is_the_most_surprising_of_its_row(trained):
    row = pd.DataFrame(
        {"size": 1010.0, "count": 25, "fresh": True, "checked": True, "color": "blue", "grade": "b"},
        index=[0],
    ).assign(arrow="BLUE", object=True)
    odd = {
        "size": 985.0,
        "count": 5,
        "fresh": False,
        "color": "red",
        "grade": "a",
        "arrow": "RED",
        "object": False,
    }
    rows = pd.concat([row.assign(**{name: value}) for name, value in odd.items()])
    oddest = trained.explain(rows).table(top=1)["column"]
    assert (oddest == list(odd)).mean() >= 0.8
    assert (trained.score_samples(rows) < trained.score_samples(row)).all()


def test_explanations_show_cells(trained, table):
    some = table[table.isna().any(axis=1)][:5]
    explanation = trained.explain(some)
    np.testing.assert_array_equal(np.isnan(explanation.surprise), some.isna())
    np.testing.assert_allclose(
        explanation.reconstruction.sum(axis=1), -trained.score_table(some)["neg_reconstruction"]
    )
    ranked = explanation.table(top=8)
    assert ranked["row"].tolist() == some.index.repeat(8).tolist()
    made = trained.reconstruct(some)
    for line in ranked.itertuples():
        value = some.loc[line.row, line.column]
        assert line.expected == made.loc[line.row, line.column]
        assert np.isnan(line.surprise) if pd.isna(value) else line.value == value
    assert ranked.groupby("row")["surprise"].apply(lambda nats: nats.isna().is_monotonic_increasing).all()


def test_an_unseen_category_is_odder_than_any_other(trained, table):
    row = table.dropna().iloc[[0]]
    unseen = row.assign(color="purple")
    every = pd.concat(
        [row.assign(color=color) for color in ("red", "green", "blue")] + [row.assign(color=None)]
    )
    scores = trained.score_samples(every)
    assert trained.score_samples(unseen)[0] < scores.min()


@pytest.mark.parametrize(
    ("chosen", "as_read", "message"),
    [
        (
            ["10", "20"],
            [10, 20, None],
            "'b' must hold strings like its categories, '10', '20'; got 10.0, of type float",
        ),
        (
            ["True", "no"],
            [True, False],
            "must hold strings like its categories, 'True', 'no'; got True, of type bool",
        ),
        ([10, 20], ["10", "20"], "must hold numbers like its categories, 10, 20; got '10', of type str"),
    ],
)
def test_categories_that_come_back_as_another_type_are_refused(chosen, as_read, message):
    table = pd.DataFrame({"a": np.arange(40.0), "b": chosen * 20})
    model = VAE(column_likelihoods={"b": "categorical"}, contamination=0.1, **OPTIONS).fit(table)
    back = table.head(len(as_read)).assign(b=as_read)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict(back)
    assert len(model.predict(back.assign(b=chosen[0]))) == len(as_read)


UNSEEN = (
    "VAE: most cells of a column should be categories of fit; got others in column {}. Each counts as "
    "unseen, which makes its row odd. Write them as in fit, or fit again with rows like these."
)


@pytest.mark.parametrize(
    ("changes", "came"),
    [
        ({"color": "purple"}, "'color' ('purple', none of 'blue', 'green', 'red')"),
        ({"color": ["Red "] * 6 + [None] * 3}, "'color' ('Red ', in fit 'red')"),
        ({"color": ["red"] * 4 + ["purple"] * 5}, "'color' ('purple', none of 'blue', 'green', 'red')"),
        (
            {"arrow": "X", "grade": ["c", "d", "e", "f", "g", "a", "a", "b", "b"]},
            "'grade' ('c', none of 'a', 'b'), 'arrow' ('X', none of 'BLUE', 'GREEN', 'RED')",
        ),
    ],
)
def test_a_column_of_unseen_categories_is_said(model, table, changes, came):
    rows = table.dropna().head(9).assign(**changes)
    with pytest.warns(UserWarning, match="others in column") as told:
        model.score_samples(rows)
    assert [str(each.message) for each in told] == [UNSEEN.format(came)]


@pytest.mark.parametrize(
    ("n_rows", "colors"),
    [(4, ["purple"] * 4), (9, ["purple"] * 4 + ["red"] * 5), (9, [None] * 5 + ["purple"] * 4)],
)
def test_some_unseen_categories_are_what_a_model_is_for(model, table, n_rows, colors):
    model.score_samples(table.dropna().head(n_rows).assign(color=colors))  # warnings are errors here


def test_numbers_that_are_categories_may_be_written_otherwise():
    """An integer column with a missing cell comes back as floats; and new numbers are new categories."""
    table = pd.DataFrame({"a": np.arange(40.0), "b": [1, 2] * 20})
    model = VAE(column_likelihoods={"b": "categorical"}, contamination=0.1, **OPTIONS).fit(table)
    scores = model.score_samples(table)
    np.testing.assert_allclose(model.score_samples(table.astype({"b": float})), scores, rtol=1e-9)
    with pytest.warns(UserWarning, match=r"others in column 'b' \(3.5, none of 1, 2\)"):
        assert (model.score_samples(table.assign(b=3.5)) < scores).all()


def test_a_missing_cell_costs_nothing(model, table):
    nothing = table.iloc[[0]].astype(object).mask(np.ones((1, 8), bool))
    terms = model.score_table(nothing)
    assert terms["neg_reconstruction"].tolist() == [0]
    assert np.isfinite(model.log_likelihood(nothing)).all()


def test_a_row_is_scored_by_itself(model, table):
    """Order, batch and other rows change nothing, and neither does how a cell's type is written."""
    scores = model.score_samples(table)
    np.testing.assert_allclose(model.score_samples(table[::-1])[::-1], scores, rtol=1e-9)
    one = [model.score_samples(table.iloc[[row]])[0] for row in (0, 7)]
    np.testing.assert_allclose(one, scores[[0, 7]], rtol=1e-9)
    np.testing.assert_allclose(model.score_samples(table.astype(object)), scores, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
@pytest.mark.parametrize("name", [name for name, score in SCORES.items() if not score.needs_images])
def test_every_score_takes_missing_cells_and_a_row_by_itself(name, table):
    model = CVAE(**OPTIONS, anomaly_score=name).fit(table, np.arange(len(table)) % 2)
    scores = model.score_samples(table[:40])
    assert np.isfinite(scores).all()
    alone = [model.score_samples(table[i : i + 1])[0] for i in range(0, 40, 8)]
    np.testing.assert_allclose(scores[::8], alone, rtol=1e-9)


def test_what_is_missing_is_seen_where_training_lacks_it(table):
    complete = table.dropna()
    for masking in (0.0, 0.2):
        model = VAE(input_masking=masking, contamination=0.1, **OPTIONS).fit(complete)
        assert {column.has_gaps for column in model.columns_.columns} == {masking > 0}
    some = VAE(**OPTIONS).fit(table)
    assert [column.has_gaps for column in some.columns_.columns] == table.isna().any().tolist()


def test_a_learnt_scale_counts_the_cells_that_are_there():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[:150, 0] = np.nan
    options = {"likelihood": "mixed", "contamination": 0.1, "random_state": 0}
    model = AE(max_iter=0, standardize=True, **options).fit(X)
    errors = np.nanmean((X - model.reconstruct(X)) ** 2, axis=0)
    entropy = -0.5 * (1 + np.log(2 * np.pi * errors))  # mean log-density at the best scale
    explained = np.nanmean(np.where(np.isnan(X), np.nan, -model.explain(X).reconstruction), axis=0)
    np.testing.assert_allclose(explained, entropy, atol=1e-5)  # a scale is kept in float32


@pytest.mark.filterwarnings("ignore:.*no row that trains has some categories of rows held out")
@pytest.mark.parametrize("make", [AE, CVAE])
def test_a_file_holds_the_columns(make, table, tmp_path):
    chosen = {"count": "categorical"}
    model = make(column_likelihoods=chosen, input_masking=0.1, **OPTIONS).fit(table, table["fresh"])
    vt.save(model, tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    assert loaded.column_likelihoods == chosen
    np.testing.assert_array_equal(loaded.score_samples(table), model.score_samples(table))
    pd.testing.assert_frame_equal(loaded.reconstruct(table), model.reconstruct(table))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            pd.Series(pd.cut(np.linspace(0, 1, 60), 2)),
            "osed='right') (Interval) in column 'a'. Convert it to",
        ),
        (
            pd.Series(pd.date_range("2020", periods=60)).astype("category"),
            "(Timestamp) in column 'a'. Convert it to",
        ),
        (
            pd.Series(["1.5"] * 60).astype(pd.ArrowDtype(pa.decimal128(5, 2))),
            "column 'a' must be of a type that a model file can hold; got decimal128(5, 2)[pyarrow]. ",
        ),
    ],
)
def test_columns_that_no_file_can_hold_are_refused_by_fit(cells, message, tmp_path):
    with pytest.raises(TypeError, match=rf"{re.escape(message)}.*(text|\.astype\(str\))\."):
        AE(contamination=0.1, **OPTIONS).fit(cells.to_frame("a"))
    model = AE(contamination=0.1, **OPTIONS).fit(cells.astype(str).to_frame("a"))
    vt.save(model, tmp_path / "m.safetensors")


def test_names_that_no_file_can_hold_are_refused_by_fit(tmp_path):
    table = pd.DataFrame(np.arange(60.0).reshape(30, 2), columns=pd.MultiIndex.from_tuples([("a", 1), "bc"]))
    model = VAE(contamination=0.1, **OPTIONS)
    with pytest.raises(TypeError, match=re.escape("names of its columns; got ('a', 1). Flatten the names")):
        model.fit(table)
    vt.save(model.fit(table.set_axis(table.columns.map(str), axis=1)), tmp_path / "m.safetensors")


def test_names_that_are_numbers_are_names(tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=[10, 20])
    vt.save(VAE(contamination=0.1, **OPTIONS).fit(table), tmp_path / "m.safetensors")
    model = vt.load(tmp_path / "m.safetensors")
    for other, got in (
        (table[[20, 10]], "got 20 in the place of 10"),
        (table.set_axis([10, 30], axis=1), "got 30 in"),
    ):
        with pytest.raises(ValueError, match=f"fit in their order, 10, 20; {got}"):
            model.score_samples(other)
    assert model.explain(table).columns.tolist() == [10, 20]
    with pytest.warns(UserWarning, match="does not have valid feature names, but VAE was fitted with"):
        by_position = model.score_samples(table.to_numpy())
    np.testing.assert_array_equal(by_position, model.score_samples(table))


def test_an_override_decides_before_the_cells_do(tmp_path):
    table = pd.DataFrame({"a": np.arange(40.0), "c": ["x", 1] * 20})
    model = VAE(column_likelihoods={"c": "categorical"}, contamination=0.1, **OPTIONS).fit(table)
    vt.save(model, tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    assert loaded.columns_.columns[1].values == [1, "x"]
    assert set(loaded.reconstruct(table)["c"]) <= {1, "x"}
    mixed = table.assign(c=[True, 2.5] * 20)
    VAE(column_likelihoods={"c": "gaussian"}, contamination=0.1, **OPTIONS).fit(mixed)


def test_of_positions_a_file_keeps_the_numbers(tmp_path):
    X = np.arange(90.0).reshape(30, 3) % 7
    model = VAE(column_likelihoods={1: "categorical"}, contamination=0.1, **OPTIONS).fit(X)
    vt.save(model, tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    assert loaded.column_likelihoods == {1: "categorical"}
    assert loaded.columns_ == model.columns_


def test_fitted_anew_on_numbers_it_forgets_the_columns(table):
    model = VAE(**OPTIONS).fit(table)
    model.set_params(likelihood="gaussian").fit(np.arange(240.0).reshape(120, 2))
    assert model.columns_ is None
    assert isinstance(model.sample(2), np.ndarray)


def test_verdicts_pipelines_and_search(model, table):
    assert set(model.predict(table)) <= {-1, 1}
    assert model.p_values(table).min() > 0
    assert make_pipeline(FunctionTransformer(), VAE(**OPTIONS)).fit(table).score_samples(table).shape == (
        N_ROWS,
    )
    search = GridSearchCV(VAE(contamination=0.1, **OPTIONS), {"n_components": [1, 2]}, cv=2).fit(table)
    assert np.isfinite(search.best_score_)
    codes = VAE(**OPTIONS).set_output(transform="pandas").fit_transform(table)
    pd.testing.assert_index_equal(codes.index, table.index)


def test_a_network_of_ones_own_sees_what_the_likelihood_makes_of_a_row(table):
    some = table[["size", "color"]]  # a number, a flag of missing ones, and three categories
    network = vt.EncoderDecoder(torch.nn.Linear(5, 2), torch.nn.Linear(2, 4))
    made = AE(network=network, **OPTIONS).fit(some).reconstruct(some)
    pd.testing.assert_series_equal(made.dtypes, some.dtypes)


def test_lists_hold_numbers_beside_text():
    X = [["a", 1.5], ["b", 2.5], ["a", None]] * 10
    model = VAE(contamination=0.1, **OPTIONS).fit(X)
    assert [column.kind for column in model.columns_.columns] == ["categorical", "gaussian"]


def test_the_guide_tells_the_truth():
    guide = (Path(__file__).parents[2] / "docs" / "mixed.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    names = {}
    exec(block, names)
    assert not names["filled"].isna().any(axis=None)
    assert (names["oddest"]["column"] == "price").mean() > 0.5


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_are_scored_as_the_table_they_hold(model, table, suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    getattr(table, f"to_{suffix}")(path, index=False)
    (part,) = vt.stream_scores(model, path)
    np.testing.assert_allclose(part.table["score"], model.score_samples(table), rtol=1e-9)
    assert part.failed == []


def test_tags_are_those_of_the_likelihood():
    for likelihood in ("mixed", "gaussian"):
        tags = VAE(likelihood=likelihood).__sklearn_tags__().input_tags
        assert tags.allow_nan is tags.categorical is (likelihood == "mixed")


def fit(table, **chosen):
    return VAE(column_likelihoods=chosen or None, **OPTIONS).fit(table)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: fit(t, weight="gaussian"), ValueError, "must name columns of X, 'size', 'count', "),
        (lambda t: fit(t, weight="gaussian"), ValueError, "got 'weight'"),
        (
            lambda t: fit(t, color="bernoulli"),
            ValueError,
            "two values in the rows that train for 'bernoulli'; got 'blue', 'green', 'red'",
        ),
        (lambda t: fit(t, color="gaussian"), ValueError, "column 'color' must be numbers; got '"),
        (
            lambda t: fit(t.assign(size=np.nan)),
            ValueError,
            "column 'size' must have a value in a row that trains",
        ),
        (lambda t: fit(t.assign(size=1j)), TypeError, "got 1j (complex) in column 'size'"),
        (lambda t: fit(t.assign(size=1j), size="gaussian"), ValueError, "'size' must be numbers; got 1j"),
        (lambda t: fit(t.assign(size=["a", 1] * 200)), TypeError, "got 'a' (str) and 1 (int)"),
        (lambda t: fit(t.assign(size=["a", 1] * 200)), TypeError, "likelihoods={'size': 'categorical'}"),
        (
            lambda t: fit(t.assign(size=pd.Timestamp("2020-01-01")), size="categorical"),
            TypeError,
            "(Timestamp) in column 'size'. Convert it to text.",
        ),
        (lambda t: fit(t.assign(size=pd.Timestamp("2020-01-01"))), TypeError, "(Timestamp)"),
        (lambda t: fit(t.assign(size=np.inf)), ValueError, "contains infinity: inf in row 0, column 'size'"),
        (lambda t: fit(t.iloc[:0]), ValueError, "shape=(0, 8)"),
        (
            lambda t: fit(pd.DataFrame({"id": map(str, range(2000))})),
            ValueError,
            "at most 1000 categories; got 1600",
        ),
        (lambda t: fit(np.full((30, 2), 1j)), ValueError, "Complex data not supported"),
        (
            lambda t: fit(t.assign(size=pd.arrays.SparseArray(np.zeros(len(t))))),
            TypeError,
            "column 'size' must be dense; got Sparse[float64, ",
        ),
    ],
)
def test_bad_tables_are_refused_by_name(call, error, message, table):
    with pytest.raises(error, match=re.escape(message)):
        call(table)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns="size"), "Feature names seen at fit time, yet now missing:\n- size"),
        (lambda t: t[t.columns[::-1]], "Feature names must be in the same order"),
        (lambda t: t.assign(size="big"), "column 'size' must be numbers; got 'big'"),
        (lambda t: t.assign(fresh="yes"), "column 'fresh' must be one of [False, True]; got 'yes'"),
        (lambda t: t.assign(size=-np.inf), "infinity: -inf in row 0, column 'size'"),
    ],
)
def test_rows_unlike_those_of_training_are_refused(spoil, message, model, table):
    with pytest.raises(ValueError, match=re.escape(message)):
        model.score_samples(spoil(table))


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, pd.NaT, np.timedelta64("NaT")], ids=repr)
def test_every_kind_of_missing_is_missing(cell, model, table):
    X = table.head(3).astype({"size": object})
    X.loc[:, "size"] = [X["size"].iloc[0], cell, cell]
    expected = model.score_samples(table.head(3).assign(size=[table["size"].iloc[0], np.nan, np.nan]))
    np.testing.assert_array_equal(model.score_samples(X), expected)
    alone = table.head(1).assign(size=cell)  # a column of nothing else has a type of its own
    np.testing.assert_array_equal(model.score_samples(alone), model.score_samples(alone.assign(size=np.nan)))


def test_numbers_of_which_some_are_nat_train():
    X = pd.DataFrame({"a": [1.0, 2.0, pd.NaT] * 40}, dtype=object)
    assert fit(X).columns_.columns[0].kind == "gaussian"


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]", "category"])
def test_what_is_taken_for_numbers_is_reconstructed_as_the_nearest_value(dtype):
    cells = np.arange(300) % 3 if dtype == "category" else np.arange(300) % 2 == 1
    X = pd.DataFrame({"a": pd.Series(cells).astype(dtype), "b": 10.0 * cells})
    options = {"hidden_layer_sizes": (32,), "max_iter": 300, "learning_rate_init": 1e-2, "random_state": 0}
    model = VAE(1, likelihood="mixed", column_likelihoods={"a": "gaussian"}, **options).fit(X)
    made = model.reconstruct(X)["a"]
    assert made.dtype == ("int64" if dtype == "category" else dtype)
    assert (made.to_numpy(cells.dtype) == cells).mean() > 0.95


def test_what_only_suspects_have_is_not_learnt():
    rng = np.random.default_rng(0)
    far = np.arange(300) >= 290
    X = pd.DataFrame({"n": rng.normal(size=300) + 60 * far, "c": np.where(far, "rare", "usual")})
    model = VAE(trimmed_fraction=0.1, contamination=0.1, **OPTIONS).fit(X)
    assert set(np.flatnonzero(far)) <= set(model.suspects_)
    assert model.columns_.columns[1].values == ["usual"]

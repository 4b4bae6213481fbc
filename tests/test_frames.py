"""Tables of polars and Arrow: what takes a DataFrame of pandas takes these, and says the same to the bit."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vaetools as vt
from vaetools import CVAE, VAE
from vaetools.frames import as_pandas

OPTIONS = {"max_iter": 2, "calibration": "split", "random_state": 0}
N_ROWS = 120


def in_polars(table):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(pa.Table.from_pandas(table, preserve_index=False))


def in_arrow(table):
    return pa.Table.from_pandas(table, preserve_index=False)


def in_batch(table):
    return pa.RecordBatch.from_pandas(table, preserve_index=False)


every_library = pytest.mark.parametrize("given", [in_polars, in_arrow, in_batch])


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(N_ROWS, 3)), columns=["a", "b", "c"])
    return table.assign(count=rng.integers(0, 9, N_ROWS))


@pytest.fixture(scope="module")
def mixed(numbers):
    """Every kind of column, each with a missing cell."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "size": numbers["a"],
            "count": numbers["count"].astype("Int64"),
            "fresh": numbers["b"] > 0,
            "color": rng.choice(["red", "green"], N_ROWS),
            "grade": pd.Categorical(rng.choice(["x", "y"], N_ROWS)),
        }
    ).astype({"fresh": object})
    for place, name in enumerate(table):
        table.loc[10 + place, name] = None
    return table


@every_library
def test_numbers_score_the_same(numbers, given):
    expected, got = VAE(**OPTIONS).fit(numbers), VAE(**OPTIONS).fit(given(numbers))
    assert got.feature_names_in_.tolist() == ["a", "b", "c", "count"]
    for method in ("score_samples", "predict", "p_values", "transform", "reconstruct"):
        of_pandas, of_others = (getattr(expected, method)(numbers), getattr(got, method)(given(numbers)))
        np.testing.assert_array_equal(of_others, of_pandas)
        np.testing.assert_array_equal(getattr(expected, method)(given(numbers)), of_pandas)
    assert got.score(given(numbers)) == expected.score(numbers)
    pd.testing.assert_frame_equal(got.score_table(given(numbers)), expected.score_table(numbers))
    table = got.explain(given(numbers)).table(top=2)
    pd.testing.assert_frame_equal(table, expected.explain(numbers).table(top=2))


@every_library
def test_names_and_their_order_are_those_of_fit(numbers, given):
    model = VAE(**OPTIONS).fit(given(numbers))
    with pytest.raises(ValueError, match="feature names should match those that were passed during fit"):
        model.score_samples(given(numbers[["b", "a", "c", "count"]]))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.score_samples(numbers.to_numpy())


@every_library
def test_mixed_tables_score_the_same(mixed, given):
    expected, got = (VAE(likelihood="mixed", **OPTIONS).fit(rows) for rows in (mixed, given(mixed)))
    kinds = [column.kind for column in got.columns_.columns]
    assert kinds == ["gaussian", "gaussian", "bernoulli", "categorical", "categorical"]
    for a, b in zip(got.columns_.columns, expected.columns_.columns, strict=True):
        assert (a.values, a.has_gaps) == (b.values, b.has_gaps)
    np.testing.assert_array_equal(got.score_samples(given(mixed)), expected.score_samples(mixed))
    back = got.reconstruct(given(mixed))
    assert pd.api.types.is_integer_dtype(back["count"]), "integers with a gap came back as others"
    pd.testing.assert_frame_equal(
        back, expected.reconstruct(mixed), check_dtype=False, check_categorical=False
    )
    odd = got.explain(given(mixed)).table(top=1)
    pd.testing.assert_frame_equal(odd, expected.explain(mixed).table(top=1), check_dtype=False)


@every_library
def test_dates_and_lists_are_refused_by_name(given):
    table = pd.DataFrame({"n": [1.0, 2.0, 3.0], "day": [dt.date(2024, 1, day) for day in (1, 2, 3)]})
    with pytest.raises(TypeError, match=r"got datetime.date\(2024, 1, 1\) \(date\) in column 'day'"):
        VAE(likelihood="mixed", **OPTIONS).fit(given(table))
    with pytest.raises((TypeError, ValueError), match="date"):
        VAE(**OPTIONS).fit(given(table))


@every_library
def test_labels_and_contexts(numbers, given):
    labels = pd.DataFrame({"kind": ["u", "v"] * (N_ROWS // 2), "heat": numbers["b"]})
    expected, got = CVAE(**OPTIONS).fit(numbers, labels), CVAE(**OPTIONS).fit(given(numbers), given(labels))
    assert got.context_.names == ["kind", "heat"]
    for method in ("score_samples", "p_values", "predict"):
        answer = getattr(got, method)(given(numbers), given(labels))
        np.testing.assert_array_equal(answer, getattr(expected, method)(numbers, labels))
    told = got.explain(given(numbers[:2]), given(labels[:2])).context
    assert told.tolist() == expected.explain(numbers[:2], labels[:2]).context.tolist()
    again = CVAE(**OPTIONS).partial_fit(given(numbers), given(labels))
    np.testing.assert_array_equal(
        again.score_samples(numbers, labels),
        CVAE(**OPTIONS).partial_fit(numbers, labels).score_samples(numbers, labels),
    )
    column = given(labels)["kind"]
    expected, got = CVAE(**OPTIONS).fit(numbers, labels["kind"]), CVAE(**OPTIONS).fit(given(numbers), column)
    assert got.classes_.tolist() == ["u", "v"]
    np.testing.assert_array_equal(
        got.score_samples(given(numbers), column), expected.score_samples(numbers, labels["kind"])
    )


def test_polars_come_out_and_go_through_a_pipeline(numbers):
    polars = pytest.importorskip("polars")
    rows = in_polars(numbers)
    model = make_pipeline(StandardScaler(), VAE(2, **OPTIONS)).set_output(transform="polars").fit(rows)
    codes = model.transform(rows)
    assert isinstance(codes, polars.DataFrame)
    assert codes.columns == ["vae0", "vae1"]
    plain = make_pipeline(StandardScaler(), VAE(2, **OPTIONS)).fit(numbers)
    np.testing.assert_array_equal(codes.to_numpy(), plain.transform(numbers))


@pytest.mark.parametrize("given", [in_polars, in_arrow])
def test_comparisons_explorers_and_watches_take_them(numbers, given):
    model = VAE(2, **OPTIONS).fit(numbers)
    expected, got = (vt.compare({"m": model}, rows, method="pca") for rows in (numbers, given(numbers)))
    pd.testing.assert_frame_equal(got.measures, expected.measures)
    assert got.data.columns.tolist() == ["a", "b", "c", "count"]
    space = vt.explore(model, given(numbers), method="pca")
    assert space.table.names.tolist() == ["a", "b", "c", "count"]
    watches = [vt.Watch(model, rows).update(rows, range(N_ROWS)) for rows in (numbers, given(numbers))]
    pd.testing.assert_frame_equal(watches[1].history, watches[0].history)
    assert (
        vt.plot.codes(model, given(numbers)).data[0].x.tolist()
        == vt.plot.codes(model, numbers).data[0].x.tolist()
    )


def test_an_image_reader_takes_a_column_of_paths(tmp_path):
    from PIL import Image

    path = tmp_path / "a.png"
    Image.new("L", (3, 2), 7).save(path)
    paths = in_polars(pd.DataFrame({"path": [str(path)]}))["path"]
    assert vt.ImageReader().fit_transform(paths).tolist() == [[7] * 6]


def test_what_is_yet_to_be_computed_is_refused(numbers):
    with pytest.raises(TypeError, match=r"VAE: X must be in memory; got a LazyFrame. Pass X.collect\(\)"):
        VAE(**OPTIONS).fit(in_polars(numbers).lazy())


def test_a_stream_that_can_be_read_once_is_refused(numbers):
    words = r"RecordBatchReader: a table must be in memory; .* can be read once. Pass read_all\(\) of it"
    model, stream = VAE(**OPTIONS), in_arrow(numbers).to_reader()
    with pytest.raises(TypeError, match=words):
        model.fit(stream)
    assert model.fit(stream.read_all()).n_samples_ == N_ROWS
    with pytest.raises(TypeError, match=words):
        model.score_samples(in_arrow(numbers).to_reader())
    with pytest.raises(TypeError, match=words):
        vt.compare({"m": model}, in_arrow(numbers).to_reader(), method="pca")
    with pytest.raises(TypeError, match=words):
        CVAE(**OPTIONS).fit(numbers, in_arrow(numbers).to_reader())


@pytest.mark.parametrize("kind", ["Int128", "UInt128", "Object"])
@pytest.mark.parametrize("likelihood", ["gaussian", "mixed"])
def test_types_that_arrow_has_not_are_refused_by_name(kind, likelihood):
    polars = pytest.importorskip("polars")
    if not hasattr(polars, kind):
        pytest.skip(f"polars has no {kind} yet")
    odd = polars.Series(list(range(N_ROWS)), dtype=getattr(polars, kind))
    table = polars.DataFrame({"x": np.arange(N_ROWS) / 7, "id": odd})
    words = f"DataFrame: column 'id' must be of a type that Arrow has; got {kind}. Cast it to Int64"
    with pytest.raises(TypeError, match=words):
        VAE(likelihood=likelihood, **OPTIONS).fit(table)


def test_names_that_do_not_tell_columns_apart_are_refused():
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], ["a", "a"])
    with pytest.raises(ValueError, match="names of columns must be unique; got 'a' more than once"):
        VAE(**OPTIONS).fit(table)


def test_large_integers_stay_what_they_are_where_a_cell_is_missing():
    large = 2**60 + 1
    assert as_pandas(pa.table({"id": pa.array([large, None], pa.uint64())}))["id"].tolist() == [large, pd.NA]
    table = pa.table({"id": [large, None] * 10, "x": [1.0, 2.0] * 10})
    with pytest.warns(UserWarning, match="id"):
        VAE(likelihood="mixed", **OPTIONS).fit(table)


def test_what_is_no_table_stays_as_it_is(numbers):
    column = numbers["a"]
    assert as_pandas(numbers) is numbers
    assert as_pandas(column) is column
    assert isinstance(as_pandas(in_arrow(numbers)["a"]), pa.ChunkedArray)

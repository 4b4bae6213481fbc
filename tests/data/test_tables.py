"""Which columns of a table are features, labels and ids."""

import datetime as dt
import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.data.tables import everything
from vaetools.data.batches import Failure
from vaetools.data.dialect import TEXT, Dialect, Kind
from vaetools.data.tables import open_table

# Which columns are features

PEOPLE = "name,age,born,tall\nAnn,30,2020-01-01,true\nBob,40,2020-01-02,false\n"
COLUMNS = {
    "name": ["Ann", "Bob"],
    "age": [30, 40],
    "born": [dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
    "tall": [True, False],
}
both_formats = pytest.mark.parametrize("content", [PEOPLE, COLUMNS], ids=["csv", "parquet"])


@both_formats
def test_features_are_all_numbers_and_booleans_that_are_nothing_else(write, content):
    table = open_table(write(content), drop=["born"], labels="name", id_column="age")
    assert (table.columns, table.labels, table.id_name) == (["tall"], "name", "age")
    assert everything(table) == (["30", "40"], [[1], [0]], [])
    X, y, failed = table.read()
    assert (X.columns.tolist(), X["tall"].tolist(), y.tolist(), failed) == (
        ["tall"],
        [1, 0],
        ["Ann", "Bob"],
        [],
    )


@both_formats
def test_named_columns_come_in_the_given_order_and_others_are_ignored(write, content):
    table = open_table(write(content), columns=["tall", "age"])
    assert table.columns == ["tall", "age"]
    assert everything(table) == ([0, 1], [[1, 30], [0, 40]], [])
    assert table.read()[0].columns.tolist() == ["tall", "age"]


MIXED = "Drop such a column, use it as labels or id, or choose likelihood='mixed', which takes text."
DATES = (
    "Write a date as a number, such as days, in pandas with dates = pandas.to_datetime(column.astype(str)) "
    "as (dates - dates.min()).dt.days; or drop such a column, or use it as id."
)
DURATIONS = (
    "Write a duration as a number, such as seconds, with pandas.to_timedelta(column).dt.total_seconds(); "
    "or drop such a column, or use it as id."
)
TIMES = (
    "Write a time of day as a number, such as hours, or as their sine and cosine, for which "
    "23:59 is near 0:00; or drop such a column, or use it as id."
)
WRITTEN = "Say how numbers are written, such as decimal=',', or drop the column."
ALMOST = "Write numbers as Python does, such as -1234.5, or drop such a column."
IMAGES = (
    "Drop a column of names of images, or use it as id. A list of images to read is a text file (*.txt), "
    "with a path alone in each line."
)
AMOUNTS = "Write amounts as numbers alone, without a sign or unit, or drop such a column."


@pytest.mark.parametrize(
    ("content", "options", "came", "advice"),
    [
        (PEOPLE, {"drop": ["born"]}, "'name' ('Ann')", MIXED),
        (PEOPLE, {}, "'name' ('Ann'), 'born' ('2020-01-01')", DATES),
        (COLUMNS, {"labels": "name"}, "'born' (date32[day])", DATES),
        ("a,when\n1,31.12.20 23:59\n", {}, "'when' ('31.12.20 23:59')", DATES),
        ("a,when\n1,2024-01\n2,2024-02\n", {}, "'when' ('2024-01')", DATES),
        ("a,when\n1,01/2024\n2,02/2024\n", {}, "'when' ('01/2024')", DATES),
        ("a,day\n1,20240131\n2,20240229\n", {}, "'day' (the date 20240131)", DATES),
        ({"day": [20240131, 20240229, None]}, {}, "'day' (the date 20240131)", DATES),
        ("a,at\n1,7:45\n2,23:59\n", {}, "'at' ('7:45')", TIMES),
        ({"at": [dt.time(7, 45)]}, {}, "'at' (time64[us])", TIMES),
        ("a,took\n1,2 days 03:00:00\n", {}, "'took' ('2 days 03:00:00')", DURATIONS),
        ("a,took\n1,PT5M\n", {}, "'took' ('PT5M')", DURATIONS),
        ({"took": [dt.timedelta(1)]}, {}, "'took' (duration[us])", DURATIONS),
        ("a,b\n1,\n2,NA\n", {}, "'b' (empty)", "Drop a column that is empty, as by drop=['b']."),
        ('a,b\n1,"1.25.730"\n2,"2.50.110"\n', {}, "'b' ('1.25.730')", ALMOST),
        ("a,b\n1,1.27-\n2,2.5-\n", {}, "'b' ('1.27-')", ALMOST),
        ("a,b\n1,10.0.0.1\n2,10.0.0.2\n", {}, "'b' ('10.0.0.1')", MIXED),
        ('a,b\n1,"1,5"\n2,"2,5"\n', {"dialect": Dialect(decimal=".")}, "'b' ('1,5')", WRITTEN),
        ("path,class\np/1.PNG,odd\np/2.PNG,odd\n", {}, "'path' ('p/1.PNG'), 'class' ('odd')", IMAGES),
        ("a,b\n1,€ 15\n2,€ 1.234\n", {}, "'b' ('€ 15')", AMOUNTS),
        ("a,b\n1,15 %\n2,1 %\n", {}, "'b' ('15 %')", AMOUNTS),
        ("a,b\n1,15 USD\n2,1 USD\n", {}, "'b' ('15 USD')", AMOUNTS),
        (
            "a,b,c,d,e,f,g,h\n" + 3 * "x,x,x,x,x,x,1,x\n",
            {},
            "'a' ('x'), 'b' ('x'), 'c' ('x'), 'd' ('x'), 'e' ('x') and 2 more",
            MIXED,
        ),
    ],
)
def test_features_that_are_no_numbers_are_named_with_what_to_do(write, content, options, came, advice):
    path = write(content)
    with pytest.raises(ValueError, match="features must be columns of numbers") as error:
        open_table(path, **options)
    assert (
        str(error.value) == f"{path}: features must be columns of numbers or booleans; got {came}. {advice}"
    )


@pytest.mark.parametrize("cells", ["20240131 20240131", "20240131 20240230", "20240131.5 20240201.5"])
def test_numbers_that_only_begin_like_dates_are_numbers(write, cells):
    path = write("a,n\n" + "".join(f"{i / 7:.2f},{cell}\n" for i, cell in enumerate(cells.split())))
    assert open_table(path).columns == ["a", "n"]


def test_dates_as_numbers_may_be_categories_and_are_what_a_model_says(write):
    path = write("a,day\n1.5,20240131\n2.5,20240229\n")
    with pytest.raises(ValueError, match=r"got 'day' \(the date 20240131\)\. Write a date"):
        open_table(path, mixed=True)
    assert open_table(path, mixed=True, as_text=["day"]).kinds["day"] == Kind(TEXT)
    assert everything(open_table(path, columns=["day"]))[1] == [[20240131], [20240229]]
    assert everything(open_table(path, n_features=2))[1] == [[1.5, 20240131], [2.5, 20240229]]


def test_advice_runs(write):
    table = pd.read_csv(write("a,a\nx,y\n1,2\n"), header=[0, 1])
    assert table.set_axis(table.columns.map("_".join), axis=1).columns.tolist() == ["a_x", "a_y"]
    column = pd.Series([20240131, 20240301])
    dates = pd.to_datetime(column.astype(str))
    assert (dates - dates.min()).dt.days.tolist() == [0, 30]
    column = pd.Series(["2 days 03:00:00", "PT5M"])
    assert pd.to_timedelta(column).dt.total_seconds().tolist() == [183600, 300]


def test_columns_of_a_model_that_are_no_numbers_are_named(write):
    path = write(COLUMNS)
    with pytest.raises(ValueError, match="columns must be what they were in training") as error:
        open_table(path, columns=["age", "name"])
    came = "got 'name' (string, not numbers). Convert such a column first."
    assert str(error.value) == f"{path}: columns must be what they were in training; {came}"


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"columns": ["Age", "tall ", "x"]}, "'Age' (but 'age'), 'tall ' (but 'tall'), 'x'"),
        ({"columns": [*"stuvwxyz"]}, "'s', 't', 'u', 'v', 'w' and 3 more"),
        ({"drop": ["x"]}, "'x'"),
        ({"labels": "x"}, "'x'"),
        ({"id_column": ""}, "''"),
        ({"labels": "x", "drop": ["x"]}, "'x'"),
    ],
)
@both_formats
def test_missing_columns_are_named(write, content, options, missing):
    path = write(content)
    with pytest.raises(ValueError, match=r"there (is no column|are no columns)") as error:
        open_table(path, **options)
    columns = "are no columns" if "," in missing else "is no column"
    assert str(error.value) == (
        f"{path}: there {columns} {missing}. Its columns are 'name', 'age', 'born', 'tall'."
    )


RENAME = (
    "Rename them, as pandas.read_csv(path) does; or if the names have several lines, join those: in pandas "
    "with table = pandas.read_csv(path, header=[0, 1]) as "
    "table.set_axis(table.columns.map('_'.join), axis=1)."
)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            PEOPLE,
            {"drop": ["name", "age", "born"], "id_column": "tall"},
            "no column is left as a feature, of 'name',",
        ),
        ("a,b\n1,2\n", {"columns": []}, "no column is left as a feature, of 'a', 'b'."),
        (
            "a,b,a,b,a\n1,2,3,4,5\n",
            {},
            f"names of columns must be unique; got 'a', 'b' more than once. {RENAME}",
        ),
        (",a,a\n,x,y\n0,1,2\n", {}, f"names of columns must be unique; got 'a' more than once. {RENAME}"),
        ("", {}, "a table must start with the names of its columns; got no text."),
        ("\n\n", {}, "a table must start with the names of its columns; got no text."),
        ("a,b\n", {}, "a table must have rows like its header; got only a header."),
        ("a;b\n1\n", {}, "a table must have rows like its header; got row 0 that has 1 cell instead of 2."),
        (
            "a\n1,2\nx,y\n",
            {"dialect": Dialect(separator=",")},
            "a table must have rows like its header; got row 0 that has 2 cells instead of 1.",
        ),
    ],
)
def test_other_refusals_say_what_came(write, content, options, message):
    path = write(content)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        open_table(path, **options)
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [("1 2 x", True), ("1 x", False), ("x x 1", False), ("1 NA NA", True), ("x 1 1", True)],
)
def test_a_column_is_numbers_if_most_of_its_cells_are(write, cells, numbers):
    path = write("a,b\n" + "".join(f"{cell},0\n" for cell in cells.split()))
    if numbers:
        assert open_table(path).columns == ["a", "b"]
    else:
        with pytest.raises(ValueError, match=r"got 'a' \('x'\)"):
            open_table(path)


def test_an_index_of_pandas_is_no_feature_unless_asked_for(write, tmp_path):
    X = open_table(write("a,b\n1,2\n3,4\n")).read()[0]
    X.index = [7, 9]
    X.to_csv(tmp_path / "index.csv")
    X.to_parquet(tmp_path / "index.parquet")
    for path, name in [(tmp_path / "index.csv", ""), (tmp_path / "index.parquet", "__index_level_0__")]:
        assert everything(open_table(path)) == ([0, 1], [[1, 2], [3, 4]], [])
        assert everything(open_table(path, id_column=name))[0] == ["7", "9"]
        assert everything(open_table(path, columns=[name]))[1] == [[7], [9]]


def index_notes(words):
    return [f"Left out as an index: {words}."]


COUNTS = "column 1, {!r}, which counts rows"
NAMES = "column 1, 'Unnamed: 0', whose numbers name rows"
KEPT = "Taken as a feature: column 1, {!r}, which counts rows; drop it if it means nothing else."
MEASURED = "Taken as a feature: column 1, 'Unnamed: 0', which had no name, for its numbers repeat or fall."


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "cells", "columns", "notes"),
    [
        ("Unnamed: 0", [7, 3, 9], ["x"], index_notes(NAMES)),
        ("Unnamed: 0", [0.5, 0.5, 0.1], ["Unnamed: 0", "x"], [MEASURED]),
        ("index", [0, 1, 2], ["x"], index_notes(COUNTS.format("index"))),
        ("ID", [1, 2, 3], ["x"], index_notes(COUNTS.format("ID"))),
        ("row_id", [5001, 5002, 5003], ["x"], index_notes(COUNTS.format("row_id"))),
        ("PassengerId", [1, 2, 3], ["x"], index_notes(COUNTS.format("PassengerId"))),
        ("order_id", [1, 2, 3], ["x"], index_notes(COUNTS.format("order_id"))),
        ("humid", [1, 2, 3], ["humid", "x"], []),
        ("id", [1, 2], ["id", "x"], []),
        ("id", [1, 2, 4], ["id", "x"], []),
        ("id", [0.5, 1.5, 2.5], ["id", "x"], []),
        ("step", [0, 1, 2], ["step", "x"], []),
        ("step", [*range(10)], ["step", "x"], [KEPT.format("step")]),
    ],
)
def test_values_say_which_columns_are_an_index(tmp_path, kind, name, cells, columns, notes):
    frame = pd.DataFrame({name: cells, "x": np.linspace(0, 1, len(cells)) ** 2})
    path = tmp_path / f"rows.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
    table = open_table(path)
    assert (table.columns, table.notes) == (columns, notes)
    assert open_table(path, mixed=True).columns == columns
    assert everything(open_table(path, columns=[name, "x"]))[1] == frame.to_numpy().tolist()
    assert open_table(path, n_features=2).columns == [name, "x"]  # of a model that knows no names
    assert open_table(path, id_column=name).notes == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_texts_in_a_column_that_had_no_name_name_rows(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    frame = pd.DataFrame({"Unnamed: 0": ["a", "b", "a"], "x": [0.5, 2, 3]})
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False)
    table = open_table(path)
    assert (table.columns, table.notes) == (
        ["x"],
        index_notes("column 1, 'Unnamed: 0', whose texts name rows"),
    )


@pytest.mark.parametrize("column", ["5.1 4.9 4.7", "30 41 30", "5,1 4,9 4,7"])
def test_a_first_column_of_measurements_without_a_name_is_a_feature(write, column):
    cells = [cell.replace(",", ".") for cell in column.split()]
    path = write(";x\n" + "".join(f"{cell};{i}\n" for i, cell in enumerate(column.split())))
    table = open_table(path)
    assert (table.columns, table.notes) == (["Unnamed: 0", "x"], [MEASURED])
    assert everything(table)[1] == [[float(cell), i] for i, cell in enumerate(cells)]
    assert everything(open_table(path, id_column=""))[0] == column.split()
    few = write(";x\n5;1\n", "few.csv")  # could as well be an index
    assert open_table(few).columns == ["x"]
    assert everything(open_table(few, columns=["Unnamed: 0", "x"]))[1] == [[5, 1]]
    assert len(everything(open_table([path, few], columns=["x"]))[0]) == 4


@pytest.mark.parametrize("column", ["0 1 2", "77 3 912", "0 1 2 0 1", "0.0 0.1 0.2", "a b a"])
def test_a_first_column_that_names_rows_is_an_index(write, column):
    path = write(",x\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(column.split())))
    table = open_table(path)
    assert (table.columns, table.notes) == (["x"], index_notes("column 1, which has no name"))


def test_columns_without_names_may_be_many(write):
    assert everything(open_table(write("a,b,,\n1,2,,\n"))) == ([0], [[1, 2]], [])


@pytest.mark.parametrize(
    "content", ["a,b\n", "a,b", {"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}]
)
def test_no_rows_can_be_scored_but_not_fitted(write, content):
    path = write(content)
    table = open_table(path, columns=["b"])
    assert everything(table) == ([], [], [])
    with pytest.raises(ValueError, match="a model needs rows; got none that can be used") as error:
        table.read()
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "labels", "row"),
    [
        ("a,b\nx,1\n,2\n", None, "row 0: column 'a' is 'x', not a number"),
        ("a,b\n1,\n2,\n", "b", "row 0: column 'b' is missing"),
        ("a,b\n1\n2,\n", "b", "row 0: has 1 cell instead of 2"),
    ],
)
def test_a_model_needs_a_row_that_can_be_used(write, content, labels, row):
    table = open_table(write(content), columns=["a"], labels=labels)
    with pytest.raises(ValueError, match=rf"got none that can be used \({row}\)"):
        table.read()


# Labels and ids


@pytest.mark.parametrize(
    ("cells", "kind", "labels"),
    [
        (["1", "-1", "", "3"], np.int64, [1, -1, 3]),
        (["1", "2.5", "NA", "3"], np.float64, [1, 2.5, 3]),
        (["true", "False", "", "TRUE"], np.bool_, [True, False, True]),
        (["cat", " dog", "", "1"], np.str_, ["cat", "dog", "1"]),
    ],
)
def test_labels_of_csv(write, cells, kind, labels):
    path = write("x,label\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)) + ",1\n")
    X, y, failed = open_table(path, labels="label").read()
    assert (y.dtype.type, y.tolist()) == (kind, labels)
    assert X["x"].tolist() == [0, 1, 3]
    assert failed == [Failure(2, "column 'label' is missing"), Failure(4, "column 'x' is missing")]


def test_a_missing_label_does_not_keep_a_row_from_being_scored(write):
    assert everything(open_table(write("x,label\n1,a\n2,\n"), labels="label"))[0] == [0, 1]


@pytest.mark.parametrize(
    ("cells", "kind", "labels"),
    [
        (pa.array([1, None, 3], pa.int8()), np.int8, [1, 3]),
        (pa.array([1.5, np.nan, 3]), np.float64, [1.5, 3]),
        (pa.array([True, None, False]), np.bool_, [True, False]),
        (pa.array(["1", None, "x"]), np.str_, ["1", "x"]),
        (pa.array(["b", None, "a"]).dictionary_encode(), np.str_, ["b", "a"]),
        (pa.array([7, None, 8]).dictionary_encode(), np.int64, [7, 8]),
        (pa.array([dt.date(2020, 1, 1), None, None]), np.str_, ["2020-01-01"]),
    ],
)
def test_labels_of_parquet(write, cells, kind, labels):
    X, y, failed = open_table(write({"x": [0.0, 1, 2], "label": cells}), labels="label").read()
    assert (y.dtype.type, y.tolist()) == (kind, labels)
    assert len(X) == len(labels)
    assert failed[0] == Failure(1, "column 'label' is missing")


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ("id,x\n9007199254740993,1\n NA,2\n,3\nb,\n", ["9007199254740993", " NA", ""]),
        ({"id": [2**63 - 1, None], "x": [1, 2]}, [str(2**63 - 1), ""]),
        ({"id": pa.array(["b", "a"]).dictionary_encode(), "x": [1, 2]}, ["b", "a"]),
    ],
)
def test_ids_are_texts_as_in_the_file(write, content, ids):
    table = open_table(write(content), id_column="id")
    assert table.id_name == "id"
    assert everything(table)[0] == ids


def test_a_column_called_row_can_hold_the_ids(write):
    assert everything(open_table(write("row,x\nr1,1\n"), id_column="row")) == (["r1"], [[1]], [])


@pytest.mark.parametrize("content", ["a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}])
def test_a_column_may_have_two_roles(write, content):
    table = open_table(write(content), columns=["b", "a"], labels="a", id_column="b")
    assert everything(table) == (["2", "4"], [[2, 1], [4, 3]], [])
    assert table.read()[1].tolist() == [1, 3]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_integers_that_become_equal_as_floats_are_said(kind, tmp_path):
    path = tmp_path / f"rows.{kind}"
    table = pd.DataFrame({"id": 2**60 + 17 * np.arange(30), "a": np.arange(30) / 7, "b": [1e20] * 30})
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path, index=False)
    with pytest.warns(UserWarning, match=r"should lie within ±2\^53") as told:
        X, _, _ = open_table(path).read()
    (words,) = [str(each.message) for each in told]
    assert words.startswith(f"{path}: integers should lie within ±2^53")
    assert "column 'id' (" in words
    assert "'a'" not in words
    assert "'b'" not in words
    assert X["id"].nunique() < 30  # what the warning is of
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_table(path, drop=["id"]).read()[0].shape == (30, 2)
